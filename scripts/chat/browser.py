"""Pages in a headless Chromium, through its WebDriver (W3C) and the standard library alone."""

import base64
import json
import pathlib
import re
import sys
import tempfile
import time
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from process import Failure, Program  # noqa: E402

CHROMIUM = "/usr/bin/chromium"
DRIVER = "/usr/bin/chromedriver"
ENTER = "\ue007"


class Driver:
    """chromedriver, which makes pages. As a context manager."""

    def __enter__(self):
        self._program = Program(DRIVER, "--port=0")
        port = self._program.expect(r"started successfully on port (\d+)")[1]
        self._url = f"http://127.0.0.1:{port}"
        self._pages = []
        return self

    def __exit__(self, *_):
        for page in self._pages:
            page.close()
        self._program.stop()

    def call(self, method, path, body=None, seconds=60):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._url + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=seconds) as response:
                return json.load(response)["value"]
        except urllib.error.HTTPError as error:
            value = json.load(error)["value"]
            raise Failure(f"the browser: {value['error']}: {value['message'].splitlines()[0]}") from None

    def page(self, name):
        """A page in a Chromium of its own."""
        page = Page(self, name)
        self._pages.append(page)
        return page


class Page:
    """A page. What it prints to its console is watched: an error there is a failure."""

    def __init__(self, driver, name):
        self.name = name
        self._driver = driver
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        arguments = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                     "--disable-background-networking", "--disable-component-update", "--disable-sync",
                     "--hide-scrollbars", "--force-color-profile=srgb", "--lang=en-GB",
                     f"--user-data-dir={self._profile.name}"]
        capabilities = {
            "browserName": "chrome",
            "goog:chromeOptions": {"binary": CHROMIUM, "args": arguments},
            "goog:loggingPrefs": {"browser": "ALL"},
        }
        made = driver.call("POST", "/session", {"capabilities": {"alwaysMatch": capabilities}}, 90)
        self._path = f"/session/{made['sessionId']}"

    def close(self):
        try:
            self._driver.call("DELETE", self._path)
        except (Failure, OSError):
            pass  # It is gone already.
        self._profile.cleanup()

    def open(self, url):
        self._driver.call("POST", f"{self._path}/url", {"url": url})

    def reload(self):
        self._driver.call("POST", f"{self._path}/refresh", {})

    def run(self, script, *arguments):
        """Runs JavaScript, and returns what that returns."""
        return self._driver.call("POST", f"{self._path}/execute/sync", {"script": script, "args": list(arguments)})

    def devtools(self, command, **parameters):
        body = {"cmd": command, "params": parameters}
        return self._driver.call("POST", f"{self._path}/goog/cdp/execute", body)

    def type(self, element, text):
        """Types into an element, as somebody at the keyboard does."""
        found = self._driver.call("POST", f"{self._path}/element", {"using": "css selector", "value": element})
        (reference,) = found.values()
        self._driver.call("POST", f"{self._path}/element/{reference}/value", {"text": text})

    def click(self, element):
        found = self._driver.call("POST", f"{self._path}/element", {"using": "css selector", "value": element})
        (reference,) = found.values()
        self._driver.call("POST", f"{self._path}/element/{reference}/click", {})

    def wait(self, what, script, *arguments, seconds=20):
        """Waits until JavaScript returns what is true, and returns that."""
        deadline = time.monotonic() + seconds
        while True:
            if value := self.run(script, *arguments):
                return value
            if time.monotonic() > deadline:
                shown = self.run("return document.body.innerText")
                raise Failure(f"{self.name}'s page: {what} did not happen in {seconds} s; it shows:\n{shown}")
            time.sleep(0.05)

    def screenshot(self, path, width, height, dark=False, scale=1):
        """Takes a picture of the page as a screen of this size would show it."""
        self.devtools("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale,
                      mobile=width < 600)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.devtools("Emulation.setEmulatedMedia", features=[scheme])
        self.run("document.getElementById('scroll').scrollTop = 1e6")
        time.sleep(0.4)  # for what is drawn after the size has changed
        pathlib.Path(path).write_bytes(base64.b64decode(self.devtools("Page.captureScreenshot", format="png")["data"]))
        self.devtools("Emulation.clearDeviceMetricsOverride")

    def complaints(self):
        """What the console was told since the last call, but for connections that were refused."""
        entries = self._driver.call("POST", f"{self._path}/se/log", {"type": "browser"})
        refused = re.compile(r"WebSocket connection to .* failed")
        return [e["message"] for e in entries if e["level"] in ("SEVERE", "WARNING") and not refused.search(e["message"])]
