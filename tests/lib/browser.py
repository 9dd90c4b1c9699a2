# SPDX-License-Identifier: BSD-2-Clause
"""Debian's chromium without a screen, driven through the DevTools protocol: pages are loaded from
disk, clicked, typed into and looked at as a person would, and every request they make is seen."""
import base64
import contextlib
import json
import os
import subprocess
import tempfile
import urllib.request

import lib

KEYS = {"Enter": 13, "Escape": 27, "Backspace": 8, "Tab": 9, "Home": 36, "End": 35, "PageDown": 34,
        "PageUp": 33, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40}


def needs_browser():
    lib.needs_command("chromium")
    try:
        import websocket  # noqa: F401
    except ImportError:
        raise lib.Skip("no python3-websocket for this Python") from None


class Browser:
    """One page of one chromium. Offline: whatever it asks of a network fails and is recorded."""

    def __init__(self, width=1280, height=900):
        needs_browser()
        self.size = (width, height)
        self.requests, self.errors, self.dialogs = [], [], []
        self.number = 0

    def __enter__(self):
        import websocket
        self.home = tempfile.mkdtemp(prefix="chromium.", dir=lib.workdir())
        self.proc = subprocess.Popen(
            ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
             "--disable-dev-shm-usage", "--disable-background-networking", "--disable-sync",
             "--disable-extensions", "--disable-component-update", "--remote-debugging-port=0",
             "--user-data-dir=" + self.home, "about:blank"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=dict(os.environ, HOME=self.home, DBUS_SESSION_BUS_ADDRESS="disabled:"))
        try:
            # The port stands in this file once the browser listens.
            told = os.path.join(self.home, "DevToolsActivePort")
            lib.wait_until(lambda: os.path.exists(told) and os.path.getsize(told) > 6,
                           "chromium to listen")
            with open(told, encoding="ascii") as file:
                port = int(file.readline())
            with urllib.request.urlopen("http://127.0.0.1:%d/json" % port) as answer:
                page = [t for t in json.load(answer) if t["type"] == "page"][0]
            self.socket = websocket.create_connection(page["webSocketDebuggerUrl"],
                                                      suppress_origin=True,
                                                      timeout=lib.PATIENCE_S)
            for domain in ("Page", "Runtime", "Log", "Network"):
                self.call(domain + ".enable")
            self.call("Emulation.setDeviceMetricsOverride", width=self.size[0],
                      height=self.size[1], deviceScaleFactor=1, mobile=False)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        with contextlib.suppress(Exception):
            self.socket.close()
        self.proc.terminate()
        try:
            self.proc.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.proc.kill()
            self.proc.wait()

    def note(self, message):
        """What the page did meanwhile."""
        method, params = message.get("method"), message.get("params", {})
        if method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            details = params["exceptionDetails"]
            self.errors.append(details.get("exception", {}).get("description", details["text"]))
        elif method == "Log.entryAdded" and params["entry"]["level"] == "error":
            self.errors.append(params["entry"]["text"])
        elif method == "Page.javascriptDialogOpening":
            self.dialogs.append(params["message"])
            self.send("Page.handleJavaScriptDialog", accept=True)

    def send(self, method, **params):
        self.number += 1
        self.socket.send(json.dumps({"id": self.number, "method": method, "params": params}))
        return self.number

    def call(self, method, **params):
        number = self.send(method, **params)
        while True:
            message = json.loads(self.socket.recv())
            if message.get("id") == number:
                lib.check("error" not in message, "%s: %s", method, message.get("error"))
                return message["result"]
            self.note(message)

    def open(self, url):
        self.errors, self.requests = [], []
        self.call("Page.navigate", url=url)
        self.wait("document.readyState === 'complete' && (document.documentElement.dataset.drawn || "
                  "!document.querySelector('meta[name=causes]'))", "the page to load")

    def js(self, expression):
        """The value of an expression in the page."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True,
                           awaitPromise=True)
        lib.check("exceptionDetails" not in result, "%s: %s", expression[:200],
                  result.get("exceptionDetails"))
        return result["result"].get("value")

    def wait(self, expression, what):
        lib.wait_until(lambda: self.js(expression), what)

    def settle(self):
        """Two frames: what was asked for has been drawn."""
        self.js("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
                ".then(() => 1)")

    def box(self, selector):
        """Left, top, width, height of an element, scrolled into sight."""
        return self.js("(() => { const e = document.querySelector(%s);"
                       "e.scrollIntoView({block: 'center'});"
                       "const r = e.getBoundingClientRect();"
                       "return [r.left, r.top, r.width, r.height]; })()" % json.dumps(selector))

    def click_at(self, x, y):
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left",
                      clickCount=0 if kind == "mouseMoved" else 1)
        self.settle()

    def click(self, selector):
        left, top, width, height = self.box(selector)
        self.click_at(left + min(width / 2, 40), top + height / 2)

    def press(self, key, times=1):
        for _ in range(times):
            text = {"Enter": "\r"}.get(key) or (key if len(key) == 1 else None)
            extra = {"text": text} if text else {}
            code = KEYS.get(key, ord(key[0].upper()))
            self.call("Input.dispatchKeyEvent", type="keyDown", key=key,
                      windowsVirtualKeyCode=code, **extra)
            self.call("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=code)
        self.settle()

    def type(self, text):
        self.call("Input.insertText", text=text)
        self.settle()

    def text(self, selector):
        return self.js("document.querySelector(%s).textContent" % json.dumps(selector))

    def texts(self, selector):
        return self.js("[...document.querySelectorAll(%s)].map(e => e.textContent)" %
                       json.dumps(selector))

    def theme(self, name):
        self.call("Emulation.setEmulatedMedia",
                  features=[{"name": "prefers-color-scheme", "value": name}])
        self.settle()

    def pdf(self, path):
        data = self.call("Page.printToPDF", printBackground=True)["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))

    def png(self, path):
        """For a person who looks into what a test saw."""
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.call("Page.captureScreenshot")["data"]))

    def check_quiet(self):
        """No error in the page, and nothing asked of anyone."""
        lib.check(not self.errors, "errors in the page:\n%s", "\n".join(self.errors))
        outside = [u for u in self.requests if not u.startswith(("file://", "data:", "blob:"))]
        lib.check(not outside, "the page asked for %s", outside)
