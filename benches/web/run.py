#!/usr/bin/env python3
"""Builds the echo client of each crate, and prints how large they are and how fast, beside plain JavaScript.

    benches/web/run.py               builds (some minutes), measures (four), prints Markdown
    benches/web/run.py --sizes       only the sizes
    benches/web/run.py --rounds 3    fewer rounds; the numbers mean less
"""

import argparse
import contextlib
import functools
import gzip
import http.server
import json
import pathlib
import queue
import signal
import statistics
import subprocess
import sys
import tempfile
import threading

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from process import Failure, Program, build_examples, fail_on_signal  # noqa: E402

# The features of this package, ours first.
CRATES = ["ws_channel", "web_socket_stream", "gloo-net", "ws_stream_wasm", "tokio-tungstenite-wasm"]
NAMES = {"web_socket_stream": "ws_channel, `WebSocketStream`"}
PLAIN = "plain JavaScript"

# Name, round trips a sample, bytes a message, text or not, messages under way at a time.
CASES = [
    ("text, 16 B", 2000, 16, True, 1),
    ("binary, 1 KiB", 2000, 1024, False, 1),
    ("binary, 64 KiB", 500, 65536, False, 1),
    ("text, 16 B × 64", 4000, 16, True, 64),
    ("binary, 1 KiB × 64", 4000, 1024, False, 64),
    ("binary, 64 KiB × 8", 500, 65536, False, 8),
]

PAGE = """<!doctype html><meta charset="utf-8"><script type="module">
const [crates, cases, rounds, server] = SETUP;

const contenders = {
  "plain JavaScript": async (url, rounds, size, text, flight) => {
    const socket = new WebSocket(url);
    socket.binaryType = "arraybuffer";
    const queue = [];
    let [bytes, came] = [0, () => {}];
    await new Promise((open, fail) => Object.assign(socket, {onopen: open, onerror: fail, onclose: fail}));
    socket.onmessage = ({data}) => { queue.push(data); came(); };
    const start = performance.now();
    for (let round = 0; round < rounds + flight - 1; round += 1) {
      if (round < rounds) socket.send(text ? "x".repeat(size) : new Uint8Array(size).fill(7));
      if (round + 1 < flight) continue;
      if (!queue.length) await new Promise((next, fail) => { came = next; socket.onclose = fail; });
      const data = queue.shift();
      bytes += text ? data.length : data.byteLength;
    }
    const took = performance.now() - start;
    if (bytes !== rounds * size) throw new Error(`${bytes} bytes came back`);
    const closed = new Promise((next) => { socket.onclose = next; });
    socket.close(1000, "done");
    await closed;
    return took;
  },
};
for (const name of crates) {
  const module = await import(`./${name}/web.js`);
  await module.default();
  contenders[name] = module.run;
}

const results = [];
try {
  for (const [title, trips, size, text, flight] of cases) {
    // The first round warms up, and does not count.
    for (let round = -1; round < rounds; round += 1) {
      const order = Object.keys(contenders).sort(() => Math.random() - 0.5);
      for (const name of order) {
        const took = await contenders[name](server, trips, size, text, flight);
        // Some do not wait for the close: so that nobody has another's.
        await new Promise((next) => setTimeout(next, 20));
        if (round >= 0) results.push([title, name, round, trips / took * 1000]);
      }
    }
  }
} catch (error) {
  results.push(["failed", String(error), 0, 0]);
}
await fetch("/", {method: "POST", body: JSON.stringify(results)});
</script>"""


def build(folder, profile):
    """Builds each crate's client with a profile; returns their sizes, plain and compressed."""
    sizes = {}
    for crate in CRATES:
        script = f"""set -euo pipefail
        . scripts/wasm.sh
        scripts/wasm_tools.sh >&2
        wasm_cargo build --profile {profile} --manifest-path benches/web/Cargo.toml --features {crate} >&2
        wasm-bindgen --target web --no-typescript --out-dir {folder}/{crate} \
            "$wasm_folder/$wasm_target/{profile}/web.wasm" """
        subprocess.run(["bash", "-c", script], cwd=ROOT, check=True, timeout=1200)
        wasm = pathlib.Path(folder, crate, "web_bg.wasm").read_bytes()
        glue = pathlib.Path(folder, crate, "web.js").read_bytes()
        sizes[crate] = len(wasm), len(gzip.compress(wasm, 9)), len(gzip.compress(glue, 9))
    return sizes


class Handler(http.server.SimpleHTTPRequestHandler):
    results = queue.Queue()

    def do_POST(self):
        self.results.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


def race(folder, server, rounds):
    """What the page measured: title, contender, round, round trips a second."""
    setup = json.dumps([CRATES, CASES, rounds, server])
    pathlib.Path(folder, "index.html").write_text(PAGE.replace("SETUP", setup))
    handler = functools.partial(Handler, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as pages, tempfile.TemporaryDirectory() as profile:
        threading.Thread(target=pages.serve_forever, daemon=True).start()
        command = ["/usr/bin/chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
                   "--disable-background-networking", f"--user-data-dir={profile}", "--remote-debugging-port=0",
                   f"http://127.0.0.1:{pages.server_address[1]}/"]
        browser = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            return Handler.results.get(timeout=900)
        except queue.Empty:
            raise Failure("the page told nothing in 900 s") from None
        finally:
            browser.send_signal(signal.SIGTERM)
            browser.wait(timeout=20)
            pages.shutdown()


def print_sizes(release, small):
    print("| bytes of wasm | `opt-level = 3` | gzipped | `opt-level = \"z\"` | gzipped | its JavaScript, gzipped |")
    print("|---|--:|--:|--:|--:|--:|")
    for crate in CRATES:
        (fast, fast_gzipped, _), (tiny, tiny_gzipped, glue) = release[crate], small[crate]
        print(f"| {NAMES.get(crate, crate)} | {fast:,} | {fast_gzipped:,} | {tiny:,} | {tiny_gzipped:,} | {glue:,} |")


def print_race(results):
    for title, text, *_ in results:
        if title == "failed":
            raise Failure(text)
    print("\n| round trips/s (and beside JavaScript's) |" + "".join(f" {title} |" for title, *_ in CASES))
    print("|---|" + "--:|" * len(CASES))
    rates = {(title, name, round): rate for title, name, round, rate in results}
    for name in [PLAIN, *CRATES]:
        cells = ""
        for title, *_ in CASES:
            rounds = [(rate, rate / rates[title, PLAIN, round]) for (case, who, round), rate in rates.items()
                      if (case, who) == (title, name)]
            rate, ratio = (statistics.median(column) for column in zip(*rounds))
            cells += f" {rate:,.0f} ({ratio:.2f}) |"
        print(f"| {NAMES.get(name, name)} |{cells}")


def main():
    fail_on_signal()
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sizes", action="store_true", help="only the sizes")
    parser.add_argument("--rounds", type=int, default=15)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as tiny:
        print_sizes(build(folder, "release"), build(tiny, "small"))
        if given.sizes:
            return
        with contextlib.redirect_stdout(sys.stderr):
            (echo_server,) = build_examples("echo_server", release=True)
        with Program(echo_server, "127.0.0.1:0") as echo:
            server = echo.expect(r"listening on (\S+)")[1]
            print_race(race(folder, server, given.rounds))


if __name__ == "__main__":
    try:
        main()
    except (Failure, subprocess.SubprocessError) as failure:
        sys.exit(f"benches/web: {failure}")
