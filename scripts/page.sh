#!/usr/bin/env bash
# The tests of a browser in a headless Chromium, in a page and in a worker, beside the server that they talk to; and those
# of the toolkit and of its ports between threads, in a page.
#
# Takes names of tests, as `cargo test` does; none is all.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/wasm.sh
. scripts/wasm.sh

suites=(browser worker stream_channel message_port)

scripts/wasm_tools.sh
cargo build --example page_server
work=$(mktemp -d)
"${CARGO_TARGET_DIR:-target}/debug/examples/page_server" 127.0.0.1:0 >"$work/server" &
server=$!
trap 'kill "$server"; rm -rf "$work"' EXIT
until grep -q listening "$work/server"; do
    kill -0 "$server"
    sleep 0.1
done

export CHROMEDRIVER=${CHROMEDRIVER:-/usr/bin/chromedriver} WASM_BINDGEN_TEST_TIMEOUT=300
export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER
CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER=$(command -v wasm-bindgen-test-runner)
WS_CHANNEL_PAGE=$(sed 's/^listening on //' "$work/server")
export WS_CHANNEL_PAGE

counts=
for suite in "${suites[@]}"; do
    wasm_cargo test -p ws_channel --all-features --test "$suite" "$@" 2>&1 | tee "$work/output"
    passed=$(sed -n 's/^test result: ok\. \([0-9]*\) passed; 0 failed.*/\1/p' "$work/output")
    # Names leave out what they do not name.
    [ "${passed:-0}" -gt 0 ] || [ $# -gt 0 ] || { echo "no test of $suite was run" && exit 1; }
    counts+="${counts:+, }${passed:-0} of $suite"
done
echo "page: $counts passed in Chromium"
