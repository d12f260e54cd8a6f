"""Takes the two pictures of README: a diagnosis in a terminal, and the page of `undersign inspect`.

    python -m docs.pictures

Both show a client that has made its JSON twice. It needs what the tests need, and Chromium.
"""

from __future__ import annotations

import io
import re
import tempfile
import threading
from pathlib import Path

from rich.console import Console
from rich.text import Text
from tests.cli.command import undersign
from tests.playground.chromium import chromium
from tests.playground.conftest import IDLE

from undersign import Credential, GoTom, Request, sign
from undersign.playground.server import PageServer

STATIC = Path(__file__).parent / "_static"
NOW = 1730974875
SIGNED_BODY, SENT_BODY = b'{"name":"new","budget":1200}', b'{"name": "new", "budget": 1200}'


def request() -> bytes:
    """A raw request to goTom, whose body was signed with other spaces than it is sent with."""
    head = (("Host", "demo.gotom.io"), ("Content-Type", "application/json"))
    unsigned = Request("POST", "/app-api/campaign", head, SIGNED_BODY, "https://demo.gotom.io")
    signed = sign(GoTom(), unsigned, Credential("your-user", "your-secret"), now=NOW).apply(unsigned)
    pairs = [(name, value) for name, value in signed.headers if name.lower() != "content-length"]
    lines = ["POST /app-api/campaign HTTP/1.1", *(f"{name}: {value}" for name, value in pairs)]
    return "\r\n".join([*lines, f"Content-Length: {len(SENT_BODY)}", "", ""]).encode() + SENT_BODY


def terminal(path: Path) -> None:
    """What the command prints, as a drawing without fonts from elsewhere."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "request.http")
        file.write_bytes(request())
        given = ("--key-id", "your-user", "--at", str(NOW), "--explain", str(file))
        said = undersign("diagnose", *given, env={"UNDERSIGN_SECRET": "your-secret"}).text
    console = Console(record=True, width=88, file=io.StringIO(), force_terminal=True)
    console.print(Text("$ undersign diagnose --key-id your-user --explain request.http", style="bold green"))
    console.print(Text(said.strip()))
    drawn = console.export_svg(title="undersign diagnose", unique_id="diagnosis")
    path.write_text(re.sub(r"@font-face \{.*?\}\s*", "", drawn, flags=re.DOTALL), encoding="utf-8")


def page(path: Path) -> None:
    """The page, with the request and its secret filled in."""
    with tempfile.TemporaryDirectory() as profile, PageServer() as server, chromium(Path(profile)) as browser:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        tab = browser.open()
        tab.size(1280)
        tab.goto(server.address)
        tab.wait(IDLE)
        tab.fill("pasted", request().decode().replace("\r\n", "\n"))
        tab.fill("secret", "your-secret")
        tab.wait(IDLE)
        tab.screenshot(path)
        server.shutdown()


if __name__ == "__main__":
    terminal(STATIC / "diagnosis.svg")
    page(STATIC / "page.png")
