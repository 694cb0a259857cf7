#!/usr/bin/env bash
# Installs what brings a program into a browser, and a browser: wasm-bindgen of the version in Cargo.lock, Chromium, and
# what drives it.
set -euo pipefail
cd "$(dirname "$0")/.."

version=$(sed -n '/^name = "wasm-bindgen"$/{n;s/^version = "\(.*\)"$/\1/p}' Cargo.lock)
for lock in examples/web/Cargo.lock benches/web/Cargo.lock; do
    grep -A1 '^name = "wasm-bindgen"$' "$lock" | grep -qF "\"$version\"" ||
        { echo "$lock has another wasm-bindgen than $version" >&2 && exit 1; }
done
if ! wasm-bindgen-test-runner --version 2>/dev/null | grep -qF "$version"; then
    cargo install wasm-bindgen-cli --version "$version"
fi
if ! [ -x /usr/bin/chromium ] || ! [ -x /usr/bin/chromedriver ]; then
    scripts/apt.sh chromium chromium-driver
fi
