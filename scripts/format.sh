#!/usr/bin/env bash
# Rust formatted by rustfmt; the project's shell, Python and JavaScript without a complaint.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/apt.sh shellcheck

count=0
check() {
    echo "\$ $*"
    "$@"
    count=$((count + 1))
}

check cargo fmt --all --check
for package in benches benches/broadcast fuzz; do
    [ ! -e "$package/Cargo.toml" ] || check cargo fmt --check --manifest-path "$package/Cargo.toml"
done
mapfile -t shell < <(git ls-files '*.sh' .ci/run)
check shellcheck "${shell[@]}"
mapfile -t javascript < <(git ls-files '*.mjs')
for file in "${javascript[@]}"; do
    check node --check "$file"
done
echo "format: $count checks"
