#!/usr/bin/env bash
# fuzz.sh [SECONDS [TARGET…]]: builds the fuzz targets and runs each for a while (60 s). A finding fails.
#
# New inputs go to fuzz/corpus, which git ignores; fuzz/seeds/TARGET is what a run starts from.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-60}
[ $# -eq 0 ] || shift

command -v c++ >/dev/null || { echo "no C++ compiler found, which libFuzzer needs: apt-get install g++" && exit 1; }
if ! cargo fuzz --version 2>/dev/null; then
    echo "\$ cargo install cargo-fuzz --version 0.13.2 --locked"
    timeout 900 cargo install --quiet cargo-fuzz --version 0.13.2 --locked
fi

# Lets the stable toolchain take the switches of the sanitizers.
export RUSTC_BOOTSTRAP=1
log=$(mktemp)
trap 'rm -f "$log"' EXIT

targets=("$@")
[ $# -gt 0 ] || mapfile -t targets < <(cargo fuzz list)
[ ${#targets[@]} -gt 0 ] || { echo "fuzz/Cargo.toml names no target" && exit 1; }

echo "\$ cargo fuzz build"
timeout 900 cargo fuzz build
summary=
for target in "${targets[@]}"; do
    folders=("fuzz/corpus/$target")
    mkdir -p "${folders[0]}"
    [ ! -d "fuzz/seeds/$target" ] || folders+=("fuzz/seeds/$target")
    echo "\$ cargo fuzz run $target ${folders[*]} -- -max_total_time=$seconds"
    timeout $((seconds + 300)) cargo fuzz run "$target" "${folders[@]}" -- \
        -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 2>&1 | tee "$log"
    runs=$(awk '/^stat::number_of_executed_units:/ { print $2 }' "$log")
    [ "${runs:-0}" -gt 0 ] || { echo "the target $target ran no input" && exit 1; }
    summary+="${summary:+; }$target $runs inputs"
done
echo "fuzz: $summary, no finding"
