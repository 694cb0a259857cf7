#!/usr/bin/env bash
# The benchmarks in their quick form: that they build and run, not how fast they are.
set -euo pipefail
cd "$(dirname "$0")/.."

log=$(mktemp)
trap 'rm -f "$log"' EXIT
echo "\$ cargo run --release --manifest-path benches/Cargo.toml -- --quick"
cargo run --release --manifest-path benches/Cargo.toml -- --quick | tee "$log"
[ -s "$log" ] || { echo "the benchmarks printed nothing" && exit 1; }
echo "\$ cargo run --release --manifest-path benches/broadcast/Cargo.toml -- --quick"
cargo run --release --manifest-path benches/broadcast/Cargo.toml -- --quick | tee -a "$log"
grep -q "tokio-tungstenite |" "$log" || { echo "the broadcast printed no table" && exit 1; }
grep -q "told 1001, the last" "$log" || { echo "the broadcast's server was not shut down" && exit 1; }
echo "benches: $(wc -l <"$log") lines of results"
