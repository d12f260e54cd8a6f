"""A real Firefox without a window, driven by WebDriver BiDi."""

from __future__ import annotations

import base64
import itertools
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

from tests.playground.fields import Fields

PROGRAM = shutil.which("firefox-esr") or shutil.which("firefox")
_DEADLINE = 60.0
_KEYS = {"Tab": "\ue004", "Enter": "\ue007", "End": "\ue010", "Home": "\ue011", "Shift": "\ue008", " ": " "}
# Nothing is asked for but what a test asks for.
_PREFERENCES = {
    "app.update.enabled": False,
    "browser.aboutwelcome.enabled": False,
    "browser.region.network.url": "",
    "browser.safebrowsing.downloads.remote.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.search.update": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.getAddons.cache.enabled": False,
    "extensions.systemAddon.update.enabled": False,
    "extensions.update.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "network.proxy.type": 0,
    "services.settings.server": "data:,#remote-settings-dummy/v1",
    "toolkit.telemetry.server": "",
    "layout.css.prefers-color-scheme.content-override": 1,
}


class Firefox:
    """The browser. Its pages share one connection."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._numbers = itertools.count(1)
        self.events: list[dict[str, Any]] = []
        self.command("session.new", capabilities={})
        self.command("session.subscribe", events=["log.entryAdded", "network.beforeRequestSent"])

    def command(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and return its result; events that come meanwhile are kept."""
        number = next(self._numbers)
        self._connection.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            received: dict[str, Any] = json.loads(self._connection.recv(timeout=_DEADLINE))
            if received.get("type") == "event":
                self.events.append(received)
            elif received.get("id") == number:
                assert received["type"] == "success", f"{method}: {received.get('error')} {received.get('message')}"
                result: dict[str, Any] = received["result"]
                return result

    def open(self) -> Page:
        """An empty page."""
        return Page(self, self.command("browsingContext.create", type="tab")["context"])


class Page(Fields):
    """One page: what it is told to do, and what it reported. As that of Chromium, as far as the tests need it."""

    def __init__(self, browser: Firefox, context: str) -> None:
        self._browser = browser
        self._context = context

    def command(self, method: str, **parameters: Any) -> dict[str, Any]:
        return self._browser.command(method, context=self._context, **parameters)

    def goto(self, address: str) -> None:
        """Load an address and wait until all of it is there; what an earlier one reported is forgotten."""
        for event in self._own():
            self._browser.events.remove(event)
        self.command("browsingContext.navigate", url=address, wait="complete")

    def run(self, script: str, *values: Any) -> Any:
        """What a function of the page's, such as `(a) => a + 1`, returns for these values; promises are awaited."""
        answer = self._browser.command(
            "script.callFunction",
            functionDeclaration=f"async (given) => JSON.stringify((await ({script})(...JSON.parse(given))) ?? null)",
            arguments=[{"type": "string", "value": json.dumps(values)}],
            target={"context": self._context},
            awaitPromise=True,
        )
        assert answer["type"] == "success", answer["exceptionDetails"]["text"]
        return json.loads(answer["result"]["value"])

    def wait(self, script: str, *values: Any) -> Any:
        """The same as soon as it is true."""
        deadline = time.monotonic() + _DEADLINE
        while not (found := self.run(script, *values)):
            assert time.monotonic() < deadline, f"it does not become true: {script}"
            time.sleep(0.02)
        return found

    def press(self, key: str, *, shift: bool = False) -> None:
        """One key, down and up."""
        self.command("browsingContext.activate")  # the keys go to the tab that is in front
        value = _KEYS[key]
        actions = [{"type": "keyDown", "value": value}, {"type": "keyUp", "value": value}]
        if shift:
            held = _KEYS["Shift"]
            actions = [{"type": "keyDown", "value": held}, *actions, {"type": "keyUp", "value": held}]
        self.command("input.performActions", actions=[{"type": "key", "id": "keyboard", "actions": actions}])

    def paste(self, element_id: str, text: str) -> None:
        """Put a text in place of all that an element holds, as pasting does."""
        self.run(
            """(id, text) => {
                document.getElementById(id).focus();
                document.getElementById(id).select();
                document.execCommand("insertText", false, text);
            }""",
            element_id,
            text,
        )

    def size(self, width: int, colours: str = "light") -> None:
        assert colours == "light", "the colours of Firefox are set when it starts"
        self.command("browsingContext.setViewport", viewport={"width": width, "height": 844}, devicePixelRatio=1)

    def screenshot(self, path: Path, *, whole: bool = False) -> None:
        found = self.command("browsingContext.captureScreenshot", origin="document" if whole else "viewport")
        path.write_bytes(base64.b64decode(found["data"]))

    def requested(self) -> list[str]:
        """The addresses that were asked for, in order."""
        return [event["params"]["request"]["url"] for event in self._named("network.beforeRequestSent")]

    def complaints(self) -> list[str]:
        """What the console shows: exceptions, and entries that are errors or warnings."""
        self.run("() => new Promise((done) => setTimeout(done))")  # what was reported so far has come then
        entries = [event["params"] for event in self._named("log.entryAdded")]
        return [json.dumps(entry) for entry in entries if entry["level"] in ("error", "warn")]

    def _named(self, method: str) -> Iterator[dict[str, Any]]:
        return (event for event in self._own() if event["method"] == method)

    def _own(self) -> list[dict[str, Any]]:
        """The events of this page, where others have been opened as well."""
        places = [(event, event["params"].get("source", event["params"])) for event in self._browser.events]
        return [event for event, place in places if place.get("context") in (self._context, None)]


@contextmanager
def firefox(profile: Path) -> Iterator[Firefox]:
    """A browser with a profile folder of its own, until the block ends."""
    assert PROGRAM
    written = (f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in _PREFERENCES.items())
    (profile / "user.js").write_text("".join(written))
    process = subprocess.Popen(
        [PROGRAM, "--headless", "--no-remote", "--profile", str(profile), "--remote-debugging-port", "0"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "HOME": str(profile), "MOZ_CRASHREPORTER_DISABLE": "1"},
        start_new_session=True,
    )
    try:
        port = _port(profile / "WebDriverBiDiServer.json")
        address = f"ws://127.0.0.1:{port}/session"
        with connect(address, max_size=None, proxy=None, compression=None, open_timeout=_DEADLINE) as connection:
            yield Firefox(connection)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=_DEADLINE)


def _port(path: Path) -> int:
    deadline = time.monotonic() + _DEADLINE
    while True:
        try:
            port: int = json.loads(path.read_text())["ws_port"]
        except (OSError, ValueError, KeyError):
            assert time.monotonic() < deadline, "Firefox does not start"
            time.sleep(0.05)
        else:
            return port
