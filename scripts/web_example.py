#!/usr/bin/env python3
"""Builds examples/web, and serves it beside an echo server until ctrl-c.

    scripts/web_example.py              serve, and say where
    scripts/web_example.py --check      open it in a headless Chromium, chat, close, and end
"""

import functools
import http.server
import pathlib
import re
import subprocess
import sys
import tempfile
import threading

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

from process import Failure, Program, build_examples, fail_on_signal  # noqa: E402

# Submits each form of the page and notes what it shows; the last line says how it went.
CHECK = """
<!doctype html><iframe id="page" src="/?server={server}"></iframe><pre id="seen">nothing</pre><script type="module">
const page = document.getElementById("page").contentWindow;
const until = async (holds) => {{ while (!holds()) await new Promise((next) => setTimeout(next, 20)); }};
const shows = (id, text) => page.document.getElementById(id)?.textContent.includes(text);
const submit = (id) => page.document.getElementById(id).requestSubmit();
await until(() => page.document?.body && "started" in page.document.body.dataset);
submit("connect");
await until(() => shows("state", "open"));
submit("send");
await until(() => shows("log", "hello"));
submit("close");
await until(() => shows("state", "closed"));
document.getElementById("seen").textContent = "seen: " + page.document.getElementById("log").textContent;
</script>
"""


def build(folder):
    """The page's files, in `folder`."""
    shell = f"""set -euo pipefail
    . scripts/wasm.sh
    scripts/wasm_tools.sh
    wasm_cargo build --release --manifest-path examples/web/Cargo.toml
    wasm-bindgen --target web --no-typescript --out-dir {folder} \
        "$wasm_folder/$wasm_target/release/web_example.wasm"
    cp examples/web/index.html {folder}/"""
    subprocess.run(["bash", "-c", shell], cwd=ROOT, check=True, timeout=1200)


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def check(address, server):
    command = ["/usr/bin/chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
               "--disable-background-networking", "--virtual-time-budget=20000", "--dump-dom",
               f"{address}/check.html"]
    seen = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=120).stdout
    found = re.search(r"seen: connected to (\S+)\nhello\nclosed: 1000 \(normal closure\): as you wish", seen)
    if not found:
        raise Failure(f"the page showed:\n{seen[-2000:]}")
    print("web_example: connected, echoed and closed in Chromium")


def main():
    fail_on_signal()
    with tempfile.TemporaryDirectory() as folder:
        build(folder)
        (echo_server,) = build_examples("echo_server")
        with Program(echo_server, "127.0.0.1:0") as echo:
            server = echo.expect(r"listening on (\S+)")[1]
            pathlib.Path(folder, "check.html").write_text(CHECK.format(server=server))
            handler = functools.partial(Quiet, directory=folder)
            with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as pages:
                address = f"http://127.0.0.1:{pages.server_address[1]}"
                serving = threading.Thread(target=pages.serve_forever, daemon=True)
                serving.start()
                try:
                    if "--check" in sys.argv[1:]:
                        check(address, server)
                    else:
                        print(f"open {address}/?server={server}   (ctrl-c ends)", flush=True)
                        serving.join()
                finally:
                    pages.shutdown()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
    except (Failure, subprocess.SubprocessError) as failure:
        sys.exit(f"web_example: {failure}")
