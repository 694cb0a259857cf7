#!/usr/bin/env bash
# The crates of tests/editions: the documented forms of the calls, in each edition but the package's own,
# whose test is tests/forms_2024.rs. Plain cargo test runs them as well.
set -euo pipefail
cd "$(dirname "$0")/.."

count=0
for manifest in tests/editions/*/Cargo.toml; do
    [ -e "$manifest" ] || continue
    echo "\$ cargo check --tests --manifest-path $manifest"
    cargo check --tests --manifest-path "$manifest" --target-dir "${CARGO_TARGET_DIR:-target}"
    count=$((count + 1))
done
[ "$count" -gt 0 ] || { echo "no crate found in tests/editions" && exit 1; }
echo "editions: $count crates checked"
