#!/usr/bin/env python3
"""Keeps the documentation of a native platform and of wasm32 in step.

Both are built without a warning. Every item, method, variant and implemented trait that one of them shows, the other shows
too, or it stands here with the reason; what stands here and is shown by both, or by neither, fails as well.
"""

import html.parser
import os
import pathlib
import re
import subprocess
import sys
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parent.parent

# What only one of them has, by reason. A name stands for what is below it, too.
NATIVE = {
    "a browser lets nobody in": ["server"],
    "the servers of hyper and axum are native": [
        "AcceptError: IntoResponse", "Upgrade", "Upgraded", "Upgrading", "is_upgrade_request", "upgrade",
    ],
    "the browser opens the transport": ["Connect::tls", "Tls", "Transport"],
    "the browser agrees on compression": ["Connect::deflate", "Connect::no_deflate"],
    "a page sends no header, and is shown none": ["Connect::discard_headers", "Connect::header"],
    "a page sends no ping": ["Connect::keepalive", "Connect::no_keepalive"],
    "a page cannot keep all of them": ["Connect::options"],
    "tokio-tungstenite's connections are native": ["TungsteniteChannel"],
}
WASM = {
    "the page's own socket": ["BrowserChannel"],
    "what a browser gives stays in its thread": ["SendChannel", "SendDriver"],
    "only a browser has message ports": ["AcceptingPort", "PortChannel", "PortError"],
    "a page's `WebSocket` holds no peer back": [
        "Connect::overflow_code", "Connect::prefer_web_socket_stream", "Connect::receive_buffer_size",
        "Connect::web_socket_stream",
    ],
}


class Page(html.parser.HTMLParser):
    """What a page of rustdoc shows of its item: its own members, and the traits that it implements by itself."""

    MEMBER = re.compile(r"(?:method|tymethod|variant|structfield|associatedtype|associatedconstant)\.(\w+)$")
    IMPL = re.compile(r"impl-(.+)-for-(\w+)")
    # Methods of traits, and traits of everything.
    LISTS = {
        "trait-implementations-list": "traits",
        "synthetic-implementations-list": None,
        "blanket-implementations-list": None,
        "implementors-list": None,
        "synthetic-implementors-list": None,
    }

    def __init__(self, item, text):
        super().__init__()
        self.item = item
        self.names = set()
        self.place = "members"
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        name = dict(attributes).get("id") or ""
        if name == "implementations-list" or name.startswith("deref-methods"):
            self.place = "members" if name == "implementations-list" else None
        elif name in self.LISTS:
            self.place = self.LISTS[name]
        elif self.place == "members" and (found := self.MEMBER.match(name)):
            self.names.add("::" + found[1])
        elif self.place == "traits" and (found := self.IMPL.match(urllib.parse.unquote(name))):
            # Conversions into others stand there as well.
            if found[2] == self.item:
                self.names.add(": " + found[1])


def shown(folder):
    """Every name under a folder of documentation, such as `Message`, `Message::is_text`, `Message: Clone`."""
    items = re.findall(r'<li><a href="([^"]+\.html)">', (folder / "all.html").read_text())
    if len(items) < 50:
        raise SystemExit(f"doc_platforms: {folder}/all.html has {len(items)} items")
    names = set()
    for item in items:
        *modules, file = item.split("/")
        kind, name, _ = file.split(".")
        path = "::".join([*modules, name])
        names.add(path)
        if kind != "type":
            names |= {path + member for member in Page(name, (folder / item).read_text()).names}
    return names


def build():
    """The folders of the native documentation and of wasm32's."""
    script = """set -euo pipefail
    export RUSTDOCFLAGS="-D warnings"
    scripts/apt.sh pkg-config libssl-dev # for the feature native-tls
    cargo doc -p ws_channel --no-deps --all-features
    . scripts/wasm.sh
    wasm_cargo doc -p ws_channel --no-deps --all-features
    echo "$wasm_folder/$wasm_target" >&3"""
    read, write = os.pipe()
    subprocess.run(["bash", "-c", script.replace(">&3", f">&{write}")], cwd=ROOT, check=True, pass_fds=[write], timeout=1200)
    os.close(write)
    with open(read) as said:
        wasm = pathlib.Path(said.read().strip())
    native = ROOT / os.environ.get("CARGO_TARGET_DIR", "target")
    return [folder / "doc" / "ws_channel" for folder in (native, wasm)]


def unexplained(names, table):
    """Names that no entry stands for, and entries that stand for no name."""
    def stands_for(entry, name):
        return name == entry or name.startswith((entry + "::", entry + ": "))

    entries = [entry for listed in table.values() for entry in listed]
    left = {name for name in names if not any(stands_for(entry, name) for entry in entries)}
    idle = {entry for entry in entries if not any(stands_for(entry, name) for name in names)}
    return left, idle


def main():
    native, wasm = map(shown, build())
    faults = []
    for platform, names, table in [("native", native - wasm, NATIVE), ("wasm32", wasm - native, WASM)]:
        left, idle = unexplained(names, table)
        faults += [f"only {platform} has {name}" for name in sorted(left)]
        faults += [f"{entry} is said to be of {platform} alone, and is not" for entry in sorted(idle)]
    if faults:
        advice = "let both have it, or say the reason in scripts/doc_platforms.py"
        sys.exit("\n".join([*faults, f"platforms: {len(faults)} names are out of step; {advice}"]))
    alone = len(native ^ wasm)
    print(f"platforms: {len(native & wasm)} names are shown by both, {alone} by one for {len(NATIVE) + len(WASM)} reasons")


if __name__ == "__main__":
    main()
