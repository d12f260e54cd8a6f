"""Somebody who reads a page of the documentation and does what it says."""

from __future__ import annotations

import http.client
import importlib
import io
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import urllib3
from prometheus_client import CollectorRegistry, Counter

from tests.docs.hosts import Hosts
from tests.docs.pages import DOCS, PAGES, ROOT, Block, blocks, name_of
from tests.docs.shell import Shell
from tests.servers.fronts.rows import SHOWN
from undersign import Credential, GoTom, Request, Signer, Verifier
from undersign.keys import EnvironmentKeys, load_keys
from undersign.profiles import load_profile
from undersign.schemes.documents import load_recipe

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ALL = {name_of(page): blocks(page) for page in PAGES}

_PORTS = ROOT / "vectors" / "ports"
_PORT, _HASHES = (_PORTS / "port.js").read_bytes(), (_PORTS / "hashes.js").read_bytes()
_S3_STYLE = DOCS / "examples" / "schemes" / "small-s3"

FILES = {
    "diagnosis.md": {
        "order.json": b'{"a": 1}',
        "string.txt": b"POST\n42b7b4f2921788ea14dac5566e6f06d0\nApplication/JSON\n2024-11-07T10:21:15Z\n\n/orders\n",
        "saved.http": b'POST /orders HTTP/1.1\nHost: a.example\nContent-Length: 9\n\n{"a":\n 1}',
    },
    "migration.md": {
        "campaign.json": b'{"name": "new"}',
        "customer.json": b'{"id": 7}',
        "secret.txt": b"thepasswordyoureceived\n",
    },
    "gateway/gateway.md": {"keys.toml": b'[keys]\nuser = "secret"\n'},
    "profiles.md": {
        "my-api.toml": b'name = "my-api"\nparts = ["time", "method", "target"]\nmac = "hmac-sha256"\ntime = "unix"\n'
        b'window = { past = 60, future = 60 }\n[headers]\nX-Key = "{key_id}"\nX-Time = "{time}"\n'
        b'X-Passphrase = "{extra.passphrase}"\nX-Signature = "{signature}"\n',
    },
    "clients/requests.md": {"customers.csv": b"id\n7\n"},
    "porting.md": {"port.js": _PORT, "hashes.js": _HASHES},
    "own-scheme.md": {
        "file": b"data",
        "my-port.js": _PORT,
        "hashes.js": _HASHES,
        "vectors.json": (_S3_STYLE / "vectors.json").read_bytes(),
    },
}
"""What a page takes for granted that its reader has."""


async def asgi_app(scope: Any, receive: Any, send: Any) -> None:
    """The application that pages speak of as `app`."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"ok"})


def wsgi_app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """The same for WSGI."""
    start_response("200 OK", [])
    return [b"ok"]


@dataclass
class Reader:
    """Does what a page says, from top to bottom, in a folder of their own.

    `names` are what its Python has defined, `states` what it had defined after each block.
    """

    page: str
    folder: Path
    hosts: Hosts
    shell: Shell
    patch: pytest.MonkeyPatch
    names: dict[str, Any] = field(default_factory=dict)
    states: list[dict[str, Any]] = field(default_factory=list)
    printed: str = ""

    def read(self) -> None:
        for block in ALL[self.page]:
            if not block.reason and not block.language.startswith("{"):
                self.run(block)

    def run(self, block: Block) -> None:
        kinds: dict[str, Callable[[Block], None]] = {
            "python": self.run_python,
            "console": self.shell.run,
            "toml": self.save_toml,
            "http": self.save_request,
            "bash": self.save_curl,
            "json": self.save_har,
            "sh": self.set_variables,
            "nginx": self.check_nginx,
            "apache": check_measured,
            "lighttpd": check_measured,
            "vcl": check_measured,
            "text": check_conversation,
            "": check_text,
        }
        assert block.language in kinds, f"{block}: how to run {block.language} is not known here"
        kinds[block.language](block)

    def run_python(self, block: Block) -> None:
        if named := re.match(r"# (test_\w+\.py)\n", block.text):
            (self.folder / named[1]).write_text(block.text, encoding="utf-8")  # all at once, at the page's end
            return
        for name, value in self.shell.variables.items():
            if value is not None:
                self.patch.setenv(name, value)
        code = compile("\n" * block.line + block.text, block.page, "exec")  # so that a traceback names the line
        out = io.StringIO()
        with redirect_stdout(out):
            exec(code, self.names)  # noqa: S102 - it is ours
        self.printed += out.getvalue()
        self.states.append(dict(self.names))

    def save_toml(self, block: Block) -> None:
        assert tomllib.loads(block.text)
        if named := re.match(r"# ([\w-]+\.toml)\n", block.text):
            path = self.folder / named[1]
            path.write_text(block.text, encoding="utf-8")
            assert load_recipe(path).name == path.stem
            return
        if "\n[profiles." in f"\n{block.text}":
            path = self.folder / "profiles.toml"
            path.write_text(block.text, encoding="utf-8")
            for name in tomllib.loads(block.text)["profiles"]:
                load_profile(name, path)
            return
        path = self.folder / "keys.toml"
        path.write_text(block.text, encoding="utf-8")
        assert load_keys(path, ["gotom", "gogrid"])

    def save_request(self, block: Block) -> None:
        raw = block.text.removesuffix("\n").replace("\n", "\r\n").encode()
        Request.from_http(raw)
        (self.folder / "request.http").write_bytes(raw)

    def save_curl(self, block: Block) -> None:
        assert block.text.startswith("curl ")
        (self.folder / "request.curl").write_text(block.text, encoding="utf-8")

    def save_har(self, block: Block) -> None:
        assert json.loads(block.text)["log"]["entries"]
        (self.folder / "request.har").write_text(block.text, encoding="utf-8")

    def set_variables(self, block: Block) -> None:
        given = dict(line.split("=", 1) for line in block.text.splitlines())
        EnvironmentKeys(environ=given)
        for name, value in given.items():
            self.patch.setenv(name, value)

    def check_nginx(self, block: Block) -> None:
        if not (nginx := shutil.which("nginx")):
            pytest.skip("nginx is not installed")
        outside, location, inside = block.text.partition("location ")
        server = f"server {{ listen unix:{self.folder}/nginx.sock; {location}{inside} }}"
        config = self.folder / "nginx.conf"
        config.write_text(f"pid {self.folder}/pid; events {{}} http {{ access_log off; {outside} {server} }}")
        command = [nginx, "-t", "-e", "stderr", "-p", str(self.folder), "-c", str(config)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        assert done.returncode == 0, done.stderr


def check_measured(block: Block) -> None:
    """Directives of other fronts are those with which tests/servers/fronts has measured them."""
    assert block.text in SHOWN[block.language], f"{block}: measure it in tests/servers/fronts/rows.py"


def check_conversation(block: Block) -> None:
    """What a port is told and answers, with the library as the port. Of the implementation it says its own."""
    told = [line[2:] for line in block.text.splitlines() if line.startswith("> ")]
    shown = [line[2:] for line in block.text.splitlines() if line.startswith("< ")]
    assert len(told) == len(shown) + 1
    answers = subprocess.run(
        [sys.executable, "-m", "undersign.vectors.conform"],
        input="\n".join(told) + "\n",
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    ).stdout.splitlines()
    assert {*json.loads(answers[0])} - {"recipes"} == {*json.loads(shown[0])}
    for answer, expected in zip(answers[1:], shown[1:], strict=True):
        said = json.dumps(json.loads(answer), sort_keys=True)
        wanted = json.dumps(json.loads(expected), sort_keys=True, ensure_ascii=False)
        assert re.fullmatch(".*".join(re.escape(part) for part in wanted.split("…")), said), block


def check_text(block: Block) -> None:
    """Values and lines of a log are text, and stand indented: what is in them is held by tests of those pages.

    So do the drawings of the gateway's pages.
    """
    is_text = block.page in ("porting.md", "start.md", "servers/replay.md") or block.page.startswith("gateway/")
    assert is_text, f"{block}: name the language of this block"


def placeholders(page: str, hosts: Hosts) -> dict[str, Any]:
    """The names that a page takes for granted in its Python, with what stands for them."""
    if page in ("README.md", "index.md"):
        return {"app": asgi_app}
    if page in ("servers/index.md", "leave-the-old-scheme.md"):
        return {"application": asgi_app}
    if page == "servers/changing-schemes.md":
        return {"application": asgi_app, "REQUESTS": COUNTER}
    if page == "servers/wsgi.md":
        return {"app": wsgi_app, "verifier": Verifier(GoTom(), {"user": "secret"})}
    if page == "servers/events.md":
        return {"application": asgi_app}
    if page == "servers/refusals.md":
        return {"page_somebody": lambda *told: PAGED.append(told), "application": asgi_app}
    if page == "servers/webhooks.md":
        return {"application": asgi_app, "SECRETS": {"alpha": "whsec_YWxwaGE=", "beta": "whsec_YmV0YQ=="}}
    if page == "servers/keys.md":
        return {"database": Database()}
    if page == "own-scheme.md":
        webhooks = importlib.import_module("webhook").webhook
        new, old = "whsec_bmV3IHNlY3JldA==", "whsec_b2xkIHNlY3JldA=="
        request = Request("POST", "/hook", (("webhook-id", "msg_1"),), b"{}", "https://hooks.example.com")
        given = {"Signer": Signer, "Credential": Credential, "webhook": webhooks}
        return {**given, "new": new, "old": old, "request": request}
    if page == "clients/any-other.md":
        return {
            "connection": http.client.HTTPSConnection("demo.gotom.io"),
            "pool": urllib3.PoolManager(ca_certs=str(hosts.authority)),
            "url": "https://demo.gotom.io/app-api/files?x=%2f",
            "file": io.BytesIO(b"content"),
        }
    return {}


COUNTER = Counter("requests", "by key", ["key", "scheme", "secret"], registry=CollectorRegistry())
PAGED: list[tuple[str, ...]] = []


class Database:
    """What the page about keys asks: one key with two secrets."""

    async def fetch_one(self, query: str, values: dict[str, str]) -> tuple[str, str | None] | None:
        assert ":id" in query
        return ("new", None) if values["id"] == "user" else None


def signed_now(
    key_id: str = "your-user", secret: str = "your-secret", target: str = "/app-api/campaign", method: str = "GET"
) -> bytes:
    """A raw request to goTom."""
    request = Request(method, target, (("Host", "demo.gotom.io"), ("Content-Type", "application/json")))
    headers = Signer(GoTom(), Credential(key_id, secret)).sign(request).apply(request).headers
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers), "", ""]
    return "\r\n".join(lines).encode()
