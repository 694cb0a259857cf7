#!/usr/bin/env bash
# Clippy without a warning: everything together, and the library with no feature and with each one alone.
set -euo pipefail

"$(dirname "$0")/apt.sh" pkg-config libssl-dev # for the feature native-tls

count=0
clippy() {
    echo "\$ cargo clippy $* -- -D warnings"
    cargo clippy --quiet "$@" -- -D warnings
    count=$((count + 1))
}

features=$("$(dirname "$0")/features.sh")

clippy --all-targets
clippy --all-targets --all-features
clippy --package chat --all-targets
clippy --lib --no-default-features
for feature in $features; do
    clippy --lib --no-default-features --features "$feature"
done
echo "clippy: $count feature sets without a warning"
