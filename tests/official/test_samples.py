"""goTom's own sample scripts against `undersign serve`: what they sign verifies, with the right secret alone."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import KEY_ID, SECRET, Serving, environment

Sample = Callable[..., Path]

UTF_8 = '{"name":"Zoë Müller 🦊","note":"50% \\\\ done"}'
CASES = [
    ("GET", "/app-api/orders", ""),
    ("GET", "/app-api/orders?status=open&name=a%20b&x=%2f", ""),
    ("POST", "/app-api/orders", '{"amount": 100}'),
    ("PUT", "/app-api/orders/1?draft=1", '{"amount": 200}'),
    ("PATCH", "/app-api/orders/1", UTF_8),
    ("POST", "/app-api/customers", UTF_8),
]


def run(*arguments: str | Path, stdin: str = "", cwd: Path | None = None) -> str:
    done = subprocess.run(
        list(map(str, arguments)),
        input=stdin.encode(),
        capture_output=True,
        env=environment({"UNDERSIGN_SECRET": None}),
        cwd=cwd,
        timeout=30,
        check=True,
    )
    return done.stdout.decode()


def patched(source: Path, target: Path, replaced: dict[str, str]) -> Path:
    """A copy in which each text, which must be there, is replaced."""
    text = source.read_text(encoding="utf-8")
    for old, new in replaced.items():
        assert old in text, f"{source.name} has changed: there is no {old!r} in it"
        text = text.replace(old, new)
    target.write_text(text, encoding="utf-8")
    return target


def assert_accepted(answer: dict[str, Any], method: str, target: str, body: str) -> None:
    assert answer == {
        "scheme": "gotom",
        "key_id": KEY_ID,
        "method": method,
        "target": target,
        "body_bytes": len(body.encode()),
        "body_md5": hashlib.md5(body.encode(), usedforsecurity=False).hexdigest(),
    }


@pytest.mark.parametrize(("method", "target", "body"), CASES)
def test_bash(sample: Sample, server: Serving, method: str, target: str, body: str) -> None:
    script = sample("callapiendpoint.sh", "bash", "curl", "openssl", "md5sum")
    head, _, content = run("bash", script, method, server.url + target, KEY_ID, SECRET, stdin=body).rpartition(
        "\r\n\r\n"
    )
    assert "HTTP/1.1 200 OK" in head
    assert_accepted(json.loads(content), method, target, body)


def test_bash_with_a_wrong_secret(sample: Sample, server: Serving) -> None:
    script = sample("callapiendpoint.sh", "bash", "curl", "openssl", "md5sum")
    answer = run("bash", script, "GET", server.url + "/x", KEY_ID, "wrong")
    assert answer.startswith("HTTP/1.1 401 Unauthorized")
    assert answer.endswith('"Signature not valid"')


@pytest.fixture
def javascript(sample: Sample, tmp_path: Path) -> Path:
    """The sample, speaking plain http since the server does."""
    return patched(sample("callapi.js", "node"), tmp_path / "callapi.js", {"require('https')": "require('http')"})


@pytest.mark.parametrize(("method", "target", "body"), CASES)
def test_javascript(javascript: Path, server: Serving, method: str, target: str, body: str) -> None:
    answer = run("node", javascript, method, server.url + target, KEY_ID, SECRET, stdin=body)
    head, _, content = answer.rpartition("\n\n")
    assert head.startswith("HTTP/1.1 200 OK")
    assert_accepted(json.loads(content), method, target, body)


def test_javascript_with_a_wrong_secret(javascript: Path, server: Serving) -> None:
    answer = run("node", javascript, "POST", server.url + "/x", KEY_ID, "wrong", stdin="{}")
    assert answer.startswith("HTTP/1.1 401 Unauthorized")
    assert answer.endswith('"Signature not valid"')


def run_php(sample: Sample, folder: Path, url: str, method: str, target: str, body: str, secret: str) -> str:
    """The sample has all of it written into it, and reads the body from a file beside it."""
    script = patched(
        sample("sample.php", "php"),
        folder / "sample.php",
        {
            "'https://test-demo.gotom.io'": f"'{url}'",
            "'/app-api/crm-sync-import-external-crm-id/update-customer'": f"'{target}'",
            "$user = 'crm_sync_import'": f"$user = '{KEY_ID}'",
            "'GET_YOUR_SECRET_FROM_GOTOM_SUPPORT'": f"'{secret}'",
            "$method = 'POST'": f"$method = '{method}'",
        },
    )
    (folder / "customer-example-requests").mkdir()
    (folder / "customer-example-requests" / "customer.json").write_bytes(body.encode())
    run("php", "-n", script, cwd=folder)
    return (folder / "response.json").read_text(encoding="utf-8")


@pytest.mark.parametrize(("method", "target", "body"), CASES)
def test_php(sample: Sample, server: Serving, tmp_path: Path, method: str, target: str, body: str) -> None:
    answer = run_php(sample, tmp_path, server.url, method, target, body, SECRET)
    assert_accepted(json.loads(answer), method, target, body)


def test_php_with_a_wrong_secret(sample: Sample, server: Serving, tmp_path: Path) -> None:
    assert run_php(sample, tmp_path, server.url, "POST", "/x", "{}", "wrong") == '"Signature not valid"'
