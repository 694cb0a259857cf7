#!/usr/bin/env bash
# venv.sh KIND REQUIREMENTS: prints the folder of a Python environment that holds exactly the pinned REQUIREMENTS.
#
# KIND is `python3`, or `python2` for CPython 2.7 (Autobahn|Testsuite knows no other). An environment is made once for
# each content of its requirements, in the user's cache, and kept: a fresh clone on the same machine finds it again.
set -euo pipefail

die() { echo "venv.sh: $*" >&2; exit 1; }

[ $# -eq 2 ] || die "usage: venv.sh python3|python2 REQUIREMENTS"
kind=$1
requirements=$2
here=$(cd "$(dirname "$0")" && pwd)
[ -r "$requirements" ] || die "no such file: $requirements"

cache=${XDG_CACHE_HOME:-$HOME/.cache}/ws_channel
sum=$(cat "$0" "$requirements" | sha256sum | cut -c1-12)
venv=$cache/$(basename "${requirements%.txt}")-$kind-$sum

mkdir -p "$cache"
exec 9>"$venv.lock"
flock -w 900 9 || die "another process has been making $venv for 15 minutes"

# The first CPython 2.7 that really runs; a pyenv shim is there even when no version stands behind it.
python27() {
    local candidate
    for candidate in "${PYTHON27:-}" python2.7 \
        "$(pyenv prefix 2.7.18 2>/dev/null || true)/bin/python" \
        "${PYENV_ROOT:-$HOME/.pyenv}/versions/2.7.18/bin/python" /usr/local/bin/python2.7; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info[:2] != (2, 7))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    die "no CPython 2.7 found, and Autobahn|Testsuite runs under nothing else." \
        "Install one (pyenv install 2.7.18) or name one with PYTHON27=/path/to/python2.7"
}

if [ ! -e "$venv/complete" ]; then
    rm -rf "$venv"
    command -v python3 >/dev/null || die "no python3 found: install Python 3.9 or later with its venv module"
    case $kind in
    python3)
        timeout 300 python3 -m venv "$venv" >&2
        ;;
    python2)
        # 20.15.1 is the last virtualenv that can make an environment for 2.7.
        python=$(python27)
        tool=$("$here/venv.sh" python3 "$here/autobahn/virtualenv.txt")
        timeout 300 "$tool/bin/virtualenv" --quiet --no-download -p "$python" "$venv" >&2
        ;;
    *) die "unknown kind of environment: $kind" ;;
    esac
    # --no-deps: the file names every package, so the same ones are installed next year.
    timeout 900 "$venv/bin/pip" install --quiet --no-deps --disable-pip-version-check -r "$requirements" >&2
    touch "$venv/complete"
fi
echo "$venv"
