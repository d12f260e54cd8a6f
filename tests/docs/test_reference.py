"""The reference names everything that is public and nothing else, and `help()` of each name is worth reading."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import re
import textwrap
from collections.abc import Iterator
from typing import Any

import django.conf
import pytest

import undersign
from tests.docs.pages import DOCS
from undersign import Credential, GoTom, Request, Verifier, sign

SMALL_SET = {
    *("Request", "Patch", "Response", "Component", "Window", "Secret", "Credential", "Claim", "Scheme", "Recipe"),
    *("BodyNeed", "BodyDigest", "sign", "begin", "Pending", "Verified", "Signer", "Verifier", "AsyncVerifier"),
    *("GoTom", "GoGrid", "HttpHmac", "KeyedTimestamp", "Acquia", "Mashery", "Tyk", "explain", "diagnose", "presets"),
    *("UndersignError", "ConfigError", "CannotSign", "Rejected", "Reason"),
}

WITH_OTHERS = {"undersign.core.message", "undersign.scheme"}
"""Modules of which the reference has what helps in writing a scheme, and no more."""

RAISING = [
    *("Credential", "Secret", "Signer", "Verifier", "Window", "HttpHmac", "KeyedTimestamp", "Tyk", "Recipe"),
    *("begin", "sign", "explain", "diagnose"),
]
"""Names whose call may raise something of ours."""

NOW = 1730974875


def directives() -> Iterator[str]:
    for path in sorted((DOCS / "reference").glob("*.md")):
        if path.name != "sentences.md":
            found = re.findall(r"^\.\. auto\w+:: (\S+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
            yield from (name if name.startswith("undersign") else f"undersign.{name}" for name in found)


@pytest.fixture(scope="module")
def modules() -> dict[str, set[str]]:
    """The documented names of each module that the reference names."""
    if not django.conf.settings.configured:
        django.conf.settings.configure()
    found: dict[str, set[str]] = {}
    for name in directives():
        if name in ("undersign.presets", "undersign.registry", "undersign.vectors") or "answers." in name:
            try:
                importlib.import_module(name)
            except ModuleNotFoundError:
                pass
            else:
                continue
        if name == "undersign.vectors.conform":
            continue
        module, _, own = name.rpartition(".")
        found.setdefault(module, set()).add(own)
    return found


def test_the_small_set_is_what_undersign_exports() -> None:
    assert {*undersign.__all__} == SMALL_SET
    assert all(getattr(undersign, name) is not None for name in undersign.__all__)


def test_the_reference_has_everything_public_and_nothing_else(modules: dict[str, set[str]]) -> None:
    small = {*undersign.__all__}
    elsewhere = {name for names in modules.values() for name in names}
    for module, documented in modules.items():
        loaded = importlib.import_module(module)
        for name in documented:
            assert not name.startswith("_")
            assert getattr(loaded, name, None) is not None, f"{module}.{name} is documented and not there"
        if module not in WITH_OTHERS:
            exported = {*loaded.__all__} - {"presets"}
            if module != "undersign":
                exported -= small
            assert documented - small <= exported - small <= elsewhere, module
    assert small - {"presets"} <= modules["undersign"]


def test_each_public_name_says_what_it_is(modules: dict[str, set[str]]) -> None:
    silent = []
    for module, documented in modules.items():
        loaded = importlib.import_module(module)
        for name in documented:
            found = getattr(loaded, name)
            if inspect.isclass(found) or inspect.isfunction(found):
                text = found.__doc__ or ""
                first = text.strip().partition("\n")[0]
                if len(first) < 15 or re.match(rf"{name}\(", first):
                    silent.append(f"{module}.{name}")
    assert silent == []


@pytest.mark.parametrize("name", RAISING)
def test_what_may_raise_says_so(name: str) -> None:
    assert "Raises" in inspect.getdoc(getattr(undersign, name)), name  # type: ignore[operator]


def example_of(name: str) -> str:
    text = inspect.getdoc(getattr(undersign, name)) or ""
    found = re.search(r"^Example::\n\n((?: {4}.*\n?|\n)+)", text, re.MULTILINE)
    assert found, f"help(undersign.{name}) has no example"
    return textwrap.dedent(found[1])


@pytest.mark.parametrize("name", [name for name in sorted(SMALL_SET) if name != "presets"])
def test_the_example_of_each_name_runs(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With `request`, `signed`, `credential`, `keys`, `verifier`, `lookup` and `now` at hand."""
    head = (("Host", "api.example.com"), ("Content-Type", "application/json"))
    request = Request("GET", "/orders?a=1", head, b"", "https://api.example.com")
    credential = Credential("user", "secret")

    async def lookup(key_id: str, scheme_name: str) -> str | None:
        return {"user": "secret"}.get(key_id)

    names: dict[str, Any] = {
        **{each: getattr(undersign, each) for each in undersign.__all__},
        "request": request,
        "credential": credential,
        "signed": sign(GoTom(), request, credential, now=NOW).apply(request),
        "keys": {"user": "secret"},
        "verifier": Verifier(GoTom(), {"user": "secret"}, clock=lambda: NOW),
        "lookup": lookup,
        "now": NOW,
    }
    # A verifier of an example goes by the clock of its request, which is of another day.
    names["Verifier"] = lambda *given, **options: Verifier(*given, clock=lambda: NOW, **options)
    names["AsyncVerifier"] = lambda *given, **options: undersign.AsyncVerifier(*given, clock=lambda: NOW, **options)
    body = textwrap.indent(example_of(name), "    ")
    exec(f"async def example():\n{body}", names)  # noqa: S102 - it is ours
    asyncio.run(names["example"]())
    assert "the secret" not in capsys.readouterr().out.replace("the secret is empty", "") or name == "diagnose"
