#!/usr/bin/env bash
# Clippy without a warning for wasm32-unknown-unknown: the library with no feature, with each one alone, and with all; what
# runs in a browser; and the page in examples/web.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/wasm.sh
. scripts/wasm.sh

count=0
clippy() {
    wasm_cargo clippy --quiet "$@" -- -D warnings
    count=$((count + 1))
}

features=$(scripts/features.sh)

clippy --lib
clippy --lib --all-features
clippy --lib --no-default-features
for feature in $features; do
    clippy --lib --no-default-features --features "$feature"
done
clippy -p ws_channel --all-features --test browser --test worker --test stream_channel
clippy --manifest-path examples/web/Cargo.toml
echo "wasm: $count builds, of which $((count - 2)) feature sets of the library, without a warning for $wasm_target"
