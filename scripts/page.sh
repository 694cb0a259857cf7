#!/usr/bin/env bash
# The tests of tests/browser.rs in a headless Chromium, beside the server that they talk to.
#
# Takes names of tests, as `cargo test` does; none is all.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/wasm.sh
. scripts/wasm.sh

version=$(sed -n '/^name = "wasm-bindgen"$/{n;s/^version = "\(.*\)"$/\1/p}' Cargo.lock)
if ! wasm-bindgen-test-runner --version 2>/dev/null | grep -qF "$version"; then
    cargo install wasm-bindgen-cli --version "$version"
fi
[ -x /usr/bin/chromedriver ] || scripts/apt.sh chromium chromium-driver

cargo build --example page_server
log=$(mktemp)
"${CARGO_TARGET_DIR:-target}/debug/examples/page_server" 127.0.0.1:0 >"$log" &
server=$!
trap 'kill "$server"; rm -f "$log"' EXIT
until grep -q listening "$log"; do
    kill -0 "$server"
    sleep 0.1
done

export CHROMEDRIVER=${CHROMEDRIVER:-/usr/bin/chromedriver} WASM_BINDGEN_TEST_TIMEOUT=300
export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER
CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER=$(command -v wasm-bindgen-test-runner)
WS_CHANNEL_PAGE=$(sed 's/^listening on //' "$log")
export WS_CHANNEL_PAGE
output=$(mktemp)
wasm_cargo test -p ws_channel --test browser "$@" 2>&1 | tee "$output"
echo "page: $(grep -o '[0-9]* passed' "$output") in Chromium"
rm -f "$output"
