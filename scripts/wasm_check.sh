#!/usr/bin/env bash
# The library's types, checked for wasm32-unknown-unknown.
#
# A rustup toolchain that has the target is used as it is. Else Debian's own toolchain, which brings the standard
# library's source, builds std along.
set -euo pipefail
cd "$(dirname "$0")/.."

target=wasm32-unknown-unknown
check=(check --lib --target "$target")
if [ -d "$(rustc --print sysroot)/lib/rustlib/$target/lib" ]; then
    echo "\$ cargo ${check[*]}"
    cargo "${check[@]}"
else
    scripts/apt.sh rustc-web cargo-web rust-web-src lld-19
    export RUSTC_BOOTSTRAP=1 CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=wasm-ld-19
    # Ahead of rustup's folder, so that cargo and rustc are the pair.
    export PATH=/usr/bin:$PATH
    check+=('-Zbuild-std=std,panic_abort' --target-dir target/debian)
    echo "\$ $(command -v cargo) ${check[*]}"
    cargo "${check[@]}"
fi
echo "wasm: the library checked for $target"
