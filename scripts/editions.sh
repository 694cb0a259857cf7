#!/usr/bin/env bash
# The crates of tests/editions: the documented forms of the calls, in each edition a user may have.
set -euo pipefail
cd "$(dirname "$0")/.."

count=0
for manifest in tests/editions/*/Cargo.toml; do
    [ -e "$manifest" ] || continue
    echo "\$ cargo check --manifest-path $manifest"
    cargo check --manifest-path "$manifest" --target-dir "${CARGO_TARGET_DIR:-target}"
    count=$((count + 1))
done
[ "$count" -gt 0 ] || { echo "no crate found in tests/editions" && exit 1; }
echo "editions: $count crates checked"
