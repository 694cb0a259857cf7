#!/usr/bin/env bash
# Prints the crate's features, but for `default`.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo metadata --no-deps --format-version 1 | python3 -c '
import json, sys
package = next(p for p in json.load(sys.stdin)["packages"] if p["name"] == "ws_channel")
print(*(feature for feature in package["features"] if feature != "default"))'
