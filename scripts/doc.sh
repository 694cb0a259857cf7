#!/usr/bin/env bash
# The documentation, without a warning.
set -euo pipefail

"$(dirname "$0")/apt.sh" pkg-config libssl-dev # for the feature native-tls

export RUSTDOCFLAGS="-D warnings"
echo "\$ cargo doc --no-deps --all-features"
cargo doc --no-deps --all-features
target=${CARGO_TARGET_DIR:-target}
pages=$(find "$target/doc/ws_channel" -name '*.html' | wc -l)
echo "doc: $pages pages without a warning"
