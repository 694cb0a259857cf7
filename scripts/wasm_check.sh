#!/usr/bin/env bash
# Clippy without a warning for wasm32-unknown-unknown: the library with no feature, with each one alone, and with all.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/wasm.sh
. scripts/wasm.sh

count=0
clippy() {
    wasm_cargo clippy --quiet --lib "$@" -- -D warnings
    count=$((count + 1))
}

features=$(scripts/features.sh)

clippy
clippy --all-features
clippy --no-default-features
for feature in $features; do
    clippy --no-default-features --features "$feature"
done
echo "wasm: the library with $count feature sets without a warning for $wasm_target"
