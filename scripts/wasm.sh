# To be sourced: `wasm_cargo COMMAND ARGUMENT…` is cargo for wasm32-unknown-unknown, in a target folder of its own.
# shellcheck shell=bash
#
# Without debug information, which nothing here reads and wasm-bindgen would have to carry along.
# A rustup toolchain that has the target is used as it is. Else Debian's own toolchain, which brings the standard
# library's source, builds std along.

# Where cargo installs programs, such as wasm_tools.sh does.
PATH=${CARGO_HOME:-$HOME/.cargo}/bin:$PATH

wasm_target=wasm32-unknown-unknown
wasm_folder=${WASM_TARGET_DIR:-${CARGO_TARGET_DIR:-$PWD/target}/wasm}

if [ -d "$(rustc --print sysroot)/lib/rustlib/$wasm_target/lib" ]; then
    wasm_cargo() {
        echo "\$ cargo $* (for $wasm_target)"
        CARGO_PROFILE_DEV_DEBUG=0 CARGO_TARGET_DIR=$wasm_folder cargo "$1" --target "$wasm_target" "${@:2}"
    }
else
    scripts/apt.sh rustc-web cargo-web rust-web-src rust-web-clippy lld-19
    # /usr/bin ahead of rustup's folder, so that cargo and rustc are the pair.
    wasm_cargo() {
        echo "\$ /usr/bin/cargo $* (for $wasm_target, with its std)"
        PATH=/usr/bin:$PATH RUSTC_BOOTSTRAP=1 CARGO_PROFILE_DEV_DEBUG=0 CARGO_TARGET_DIR=$wasm_folder \
            CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=wasm-ld-19 \
            /usr/bin/cargo "$1" --target "$wasm_target" -Zbuild-std=std,panic_abort,test "${@:2}"
    }
fi
