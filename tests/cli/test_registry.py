"""Schemes by name: options as JSON gives them, and schemes that other distributions announce."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import KEY_ID, importing_from, process, undersign
from undersign import ConfigError, GoGrid, GoTom, HttpHmac, KeyedTimestamp, Window
from undersign.registry import build_scheme, option_types, parse_option, scheme_names, schemes_described

THIRD_PARTY = '''
from __future__ import annotations
from dataclasses import dataclass
from typing import TYPE_CHECKING
from undersign import HttpHmac, Scheme
if TYPE_CHECKING:
    from elsewhere import Level

@dataclass(frozen=True)
class Acme(HttpHmac):
    """A scheme of another distribution."""
    provider: str = "acme"
    name: str = "acme"
    level: int = 1
    nested: Level | None = None

@dataclass(frozen=True)
class Broken(Acme):
    def draft(self, request, claim):
        raise ZeroDivisionError("hunter2")

def factory(*, provider, count: int = 1):
    return HttpHmac(provider=provider, name=f"made-{count}")

def wrong():
    return "no scheme"

class NoScheme:
    pass

class Unfinished(Scheme):
    def covers(self, request):
        return frozenset()
'''


@pytest.fixture
def announced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A distribution with schemes, some of which cannot be used."""
    (tmp_path / "acme_schemes.py").write_text(THIRD_PARTY)
    info = tmp_path / "acme_schemes-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-schemes\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[undersign.schemes]\nacme = acme_schemes:Acme\nmade = acme_schemes:factory\nwrong = acme_schemes:wrong\n"
        "gone = acme_schemes:gone\nbroken = acme_schemes:Broken\nnumber = acme_schemes:__name__\n"
        "gotom = acme_schemes:Acme\nnone = acme_schemes:NoScheme\nunfinished = acme_schemes:Unfinished\n"
        "absent = not_there_at_all:Scheme\nquits = quits_when_imported:Scheme\n"
    )
    (tmp_path / "quits_when_imported.py").write_text("import sys\nsys.exit('\\x1b[31mneeds a licence\\nnow')")
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "options", "scheme"),
    [
        ("gotom", {}, GoTom()),
        ("gotom", {"window": {"past": 60, "future": 0}}, GoTom(window=Window(60, 0))),
        ("gogrid", {"versions": ["1.5", "1.6"]}, GoGrid(versions=frozenset({"1.5", "1.6"}))),
        ("gogrid", {"version_param": None, "version": None, "versions": []}, None),
        ("http-hmac", {"provider": "p", "signed_headers": ["X-A"]}, HttpHmac(provider="p", signed_headers=("X-A",))),
        ("keyed-timestamp", {"key_param": "k"}, KeyedTimestamp(key_param="k", name="keyed-timestamp")),
        ("keyed-timestamp", {"key_param": "k", "name": "n"}, KeyedTimestamp(key_param="k", name="n")),
    ],
)
def test_built_in_schemes(name: str, options: dict[str, Any], scheme: Any) -> None:
    built = build_scheme(name, options)
    assert built == scheme if scheme else isinstance(built, GoGrid)


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("gotm", {}, "did you mean 'gotom'"),
        ("gotom", {"providr": "x"}, "did you mean 'provider'"),
        ("keyed-timestamp", {}, "needs the option key_param"),
        ("gotom", {"window": 60}, "window"),
        ("gotom", {"window": {"past": 1, "future": "1"}}, "whole seconds"),
        ("gotom", {"signed_headers": "X-A"}, "list of texts"),
        ("gotom", {"multipart_as_empty": "yes"}, "true or false"),
        ("gotom", {"provider": 1}, "text"),
        ("gotom", {"date_precision": 1}, "text"),
        ("gogrid", {"version": 1.5}, "text"),
        ("gotom", {"date_precision": "minutes"}, "unknown"),
    ],
)
def test_what_cannot_be_built(name: str, options: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        build_scheme(name, options)


def test_schemes_of_other_distributions(announced: Path) -> None:
    assert scheme_names()[:4] == ["gotom", "gogrid", "http-hmac", "keyed-timestamp"]
    assert {"acme", "made"} <= set(scheme_names())
    assert type(build_scheme("gotom")) is GoTom  # nobody takes the place of a built-in scheme
    types = option_types("acme")
    assert types["nested"] is Any  # its type is imported for type checkers alone
    assert (types["level"], types["window"], types["signed_headers"]) == (int, Window, tuple[str, ...])
    assert option_types("made") == {"provider": Any, "count": int}
    assert parse_option("made", "count", "2") == 2
    assert build_scheme("made", {"provider": "p", "count": 2}).name == "made-2"
    with pytest.raises(ConfigError, match="needs the option provider"):
        build_scheme("made")
    with pytest.raises(ConfigError, match="count is a number"):
        parse_option("made", "count", "two")
    for name in ("wrong", "gone", "number"):
        with pytest.raises(ConfigError, match=name):
            build_scheme(name)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("gone", "cannot be loaded: AttributeError"),
        ("absent", "cannot be loaded: ModuleNotFoundError: No module named 'not_there_at_all'"),
        ("quits", "cannot be loaded: SystemExit"),
        ("number", "makes no undersign.Scheme"),
        ("none", "makes no undersign.Scheme"),
        ("unfinished", "is not complete: it has no body_need, draft, read, signature, write"),
    ],
)
def test_a_package_that_cannot_be_used_is_named_with_the_reason(name: str, said: str, announced: Path) -> None:
    with pytest.raises(ConfigError, match=said):
        build_scheme(name)
    assert said in dict(schemes_described())[name]
    result = undersign("sign", "GET", "https://a.example/", "--key-id", "k", "--scheme", name)
    assert result.code == 2
    assert said in result.error


def test_help_shows_all_of_them_and_breaks_with_none(announced: Path) -> None:
    result = process("--help", env=importing_from(announced))
    assert result.code == 0
    assert result.text.isascii()
    shown = " ".join(result.text.split()).replace("- ", "-")  # lines may break there
    assert "acme A scheme of another distribution. From acme-schemes 1.0." in shown
    assert "made From acme-schemes 1.0." in shown
    assert "gone cannot be used: the scheme 'gone' cannot be loaded: AttributeError: " in shown
    assert (
        "quits cannot be used: the scheme 'quits' cannot be loaded: SystemExit: \\x1b[31mneeds a licence now" in shown
    )
    own = " ".join(process("verify", "--help", env=importing_from(announced)).text.split())
    assert "repeatable: gotom, gogrid, http-hmac, keyed-timestamp, absent, acme, broken," in own
    assert undersign("sign", "GET", "https://a.example/", "--key-id", "k").code == 0


def test_the_name_of_a_built_in_scheme_stays_with_it(announced: Path) -> None:
    described = dict(schemes_described())
    assert "acme" not in described["gotom"]
    assert described["gotom"].startswith("goTom's deployment")


def test_a_scheme_that_two_distributions_announce_is_neither_of_theirs(announced: Path) -> None:
    again = announced / "other_schemes-2.0.dist-info"
    again.mkdir()
    (again / "METADATA").write_text("Metadata-Version: 2.1\nName: other-schemes\nVersion: 2.0\n")
    (again / "entry_points.txt").write_text("[undersign.schemes]\nacme = acme_schemes:Acme\n")
    with pytest.raises(ConfigError, match=r"announced by .*acme-schemes 1.0.*: uninstall all but one") as caught:
        build_scheme("acme")
    assert "other-schemes 2.0" in str(caught.value)
    assert build_scheme("made", {"provider": "p"}).name == "made-1"


def test_a_distribution_that_is_on_the_path_twice_counts_once(announced: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = announced / "other"
    shutil.copytree(announced / "acme_schemes-1.0.dist-info", other / "acme_schemes-1.0.dist-info")
    monkeypatch.syspath_prepend(other)
    assert build_scheme("acme").name == "acme"


def test_broken_metadata_of_other_packages_is_not_our_business(announced: Path) -> None:
    broken = announced / "broken_metadata-1.0.dist-info"
    broken.mkdir()
    (broken / "METADATA").write_text("Metadata-Version: 2.1\nName: broken-metadata\nVersion: 1.0\n")
    (broken / "entry_points.txt").write_text("[undersign.schemes]\nno equals sign\n")
    assert "acme" in scheme_names()
    assert process("--help", env=importing_from(announced)).code == 0


def test_the_command_line_takes_them(announced: Path) -> None:
    result = process(
        "sign", "GET", "https://a.example/", "--key-id", KEY_ID, "--scheme", "acme", "-o", "window=1,1",
        env=importing_from(announced),
    )  # fmt: skip
    assert "Authorization: acme " in result.text
    # Of a type that cannot be told, `Level`, the others are told all the same.
    text = process(
        "sign",
        "GET",
        "https://a.example/",
        "--key-id",
        KEY_ID,
        "--scheme",
        "acme",
        "-o",
        "window=1",
        env=importing_from(announced),
    ).error
    assert "600,600" in text
    result = process("verify", "--scheme", "acm", env=importing_from(announced))
    assert "did you mean 'acme'?" in result.error


def test_a_fault_of_a_scheme_is_one_line_too(announced: Path) -> None:
    result = process(
        "sign", "GET", "https://a.example/", "--key-id", "k", "--scheme", "broken", env=importing_from(announced)
    )
    assert result.code == 2
    assert "ZeroDivisionError in acme_schemes.py, line " in result.error
    assert "hunter2" not in result.error


def test_the_same_scheme_twice_is_once() -> None:
    assert undersign("verify", "--scheme", "gotom", "--scheme", "gotom", stdin=b"GET / HTTP/1.1\r\n\r\n").code == 1
