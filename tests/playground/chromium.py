"""A real Chromium without a window, driven by its DevTools protocol."""

from __future__ import annotations

import base64
import itertools
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

from tests.playground.fields import Fields

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_DEADLINE = 30.0
_ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-port=0",
]


class Chromium:
    """The browser. Pages share its one connection, and each has a session on it."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._numbers = itertools.count(1)
        self.pages: dict[str, Page] = {}

    def command(self, method: str, session: str = "", **parameters: Any) -> dict[str, Any]:
        """Send a command and return its result; events that come meanwhile go to their pages."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        self._connection.send(json.dumps({**message, "sessionId": session} if session else message))
        while True:
            received = self.receive()
            if received.get("id") == number:
                assert "error" not in received, f"{method}: {received['error']}"
                result: dict[str, Any] = received["result"]
                return result

    def receive(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self._connection.recv(timeout=_DEADLINE))
        page = self.pages.get(message.get("sessionId", ""))
        if page and "method" in message:
            page.events.append(message)
        return message

    def open(self) -> Page:
        """An empty page of its own, with nothing kept from others."""
        context = self.command("Target.createBrowserContext")["browserContextId"]
        target = self.command("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        session = self.command("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = Page(self, session, context)
        for domain in ("Page", "Runtime", "Log", "Network"):
            page.command(f"{domain}.enable")
        return page


class Page(Fields):
    """One page: what it is told to do, and what it reported."""

    def __init__(self, browser: Chromium, session: str, context: str) -> None:
        self.browser = browser
        self._session = session
        self._context = context
        self.events: list[dict[str, Any]] = []
        browser.pages[session] = self

    def command(self, method: str, **parameters: Any) -> dict[str, Any]:
        return self.browser.command(method, self._session, **parameters)

    def close(self) -> None:
        self.browser.command("Target.disposeBrowserContext", browserContextId=self._context)
        del self.browser.pages[self._session]

    def grant(self, *permissions: str) -> None:
        self.browser.command("Browser.grantPermissions", browserContextId=self._context, permissions=permissions)

    def goto(self, address: str) -> None:
        """Load an address and wait until all of it is there; what an earlier one reported is forgotten."""
        self.events.clear()
        self.command("Page.navigate", url=address)
        while not any(event["method"] == "Page.loadEventFired" for event in self.events):
            self.browser.receive()

    def run(self, script: str, *values: Any) -> Any:
        """What a function of the page's, such as `(a) => a + 1`, returns for these values; promises are awaited."""
        arguments = ", ".join(json.dumps(value) for value in values)
        answer = self.command(
            "Runtime.evaluate", expression=f"({script})({arguments})", awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait(self, script: str, *values: Any) -> Any:
        """The same as soon as it is true."""
        deadline = time.monotonic() + _DEADLINE
        while not (found := self.run(script, *values)):
            assert time.monotonic() < deadline, f"it does not become true: {script}"
            time.sleep(0.01)
        return found

    def press(self, key: str, *, shift: bool = False) -> None:
        """One key, down and up."""
        codes = {"Tab": 9, "Enter": 13, " ": 32, "End": 35, "Home": 36, "ArrowLeft": 37, "ArrowRight": 39}
        text = {"Enter": {"text": "\r"}, " ": {"text": " "}}.get(key, {})
        common = {"key": key, "windowsVirtualKeyCode": codes[key], "modifiers": 8 if shift else 0}
        self.command("Input.dispatchKeyEvent", type="keyDown", **common, **text)
        self.command("Input.dispatchKeyEvent", type="keyUp", **common)

    def paste(self, element_id: str, text: str) -> None:
        """Put a text in place of all that an element holds, as pasting does."""
        self.run("(id) => { document.getElementById(id).focus(); document.getElementById(id).select(); }", element_id)
        self.command("Input.insertText", text=text)

    def size(self, width: int, colours: str = "light") -> None:
        self.command(
            "Emulation.setDeviceMetricsOverride", width=width, height=844, deviceScaleFactor=1, mobile=width < 600
        )
        self.command("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": colours}])

    def screenshot(self, path: Path, *, whole: bool = False) -> None:
        found = self.command("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(found["data"]))

    def requested(self) -> list[str]:
        """The addresses that were asked for, in order."""
        return [event["params"]["request"]["url"] for event in self._named("Network.requestWillBeSent")]

    def complaints(self) -> list[str]:
        """What the console shows: exceptions, and entries that are errors or warnings."""
        self.run("() => new Promise((done) => setTimeout(done))")  # what was reported so far has come then
        found = [event["params"]["exceptionDetails"] for event in self._named("Runtime.exceptionThrown")]
        found += [event["params"] for event in self._named("Runtime.consoleAPICalled")]
        entries = [event["params"]["entry"] for event in self._named("Log.entryAdded")]
        found += [entry for entry in entries if entry["level"] in ("error", "warning")]
        return [json.dumps(item) for item in found]

    def _named(self, method: str) -> Iterator[dict[str, Any]]:
        return (event for event in self.events if event["method"] == method)


@contextmanager
def chromium(profile: Path, *arguments: str) -> Iterator[Chromium]:
    """A browser with a profile folder of its own, until the block ends; with more arguments for its command line."""
    assert PROGRAM
    process = subprocess.Popen(
        [PROGRAM, *_ARGUMENTS, *arguments, f"--user-data-dir={profile}", "about:blank"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        port_file = profile / "DevToolsActivePort"
        port, path = _until(lambda: port_file.read_text().split() if port_file.exists() else [], 2)
        with connect(f"ws://127.0.0.1:{port}{path}", max_size=None, proxy=None, compression=None) as connection:
            yield Chromium(connection)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=_DEADLINE)


def _until(read: Callable[[], list[str]], count: int) -> list[str]:
    deadline = time.monotonic() + _DEADLINE
    while len(found := read()) < count:
        assert time.monotonic() < deadline, "Chromium does not start"
        time.sleep(0.02)
    return found
