#!/usr/bin/env bash
# The README's test command, and the same with all features.
set -euo pipefail

"$(dirname "$0")/apt.sh" pkg-config libssl-dev # for the feature native-tls

log=$(mktemp)
trap 'rm -f "$log"' EXIT

summary=
run() {
    echo "\$ cargo test $*"
    cargo test "$@" 2>&1 | tee "$log"
    local counts
    counts=$(awk '/^test result:/ { suites++; passed += $4; failed += $6; ignored += $8 }
        END { printf "%d passed, %d failed, %d ignored in %d suites", passed, failed, ignored, suites }' "$log")
    case $counts in
    0\ passed*) echo "no test was run" && exit 1 ;;
    esac
    summary+="${summary:+; }$counts (cargo test${*:+ $*})"
}

run
run --all-features
echo "test: $summary"
