"""Recipes on the command line: `--recipe` wherever `--scheme` is, and `undersign recipe check|show|try`."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import SECRET, Result, serving, undersign
from undersign import ConfigError, Recipe, Window
from undersign.schemes.documents import load_recipe


@dataclass(frozen=True)
class Known:
    """A recipe, and a request whose signature is known from elsewhere: `source` says from where."""

    source: str
    recipe: dict[str, Any]
    method: str
    url: str
    secret: str
    at: str
    string: str
    headers: dict[str, str]
    key_id: str = ""
    body: bytes = b""
    given: dict[str, str] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return str(self.recipe["name"])

    @property
    def who(self) -> str:
        return self.key_id or self.name

    @property
    def env(self) -> dict[str, str | None]:
        return {"UNDERSIGN_SECRET": self.secret}

    @property
    def signing(self) -> tuple[str, ...]:
        who = ("--key-id", self.key_id) if self.key_id else ()
        given = [word for name, value in self.given.items() for word in ("-H", f"{name}: {value}")]
        return (self.method, self.url, *who, *given, *self.arguments, "--at", self.at)

    @property
    def raw(self) -> bytes:
        """The request on the wire, signed by hand: with the signature that is known."""
        _, _, rest = self.url.partition("://")
        host, _, target = rest.partition("/")
        headers = {"Host": host, "Content-Length": str(len(self.body)), **self.given, **self.headers}
        lines = [f"{self.method} /{target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        return "\r\n".join([*lines, "", ""]).encode() + self.body


_SLACK = (
    "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar"
    "&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com"
    "%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
    "&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)
_ORDER = '{"instId":"BTC-USDT","tdMode":"cash","clOrdId":"b15","side":"buy","ordType":"limit","px":"2.15","sz":"2"}'

BOKUN = Known(
    source="https://bokun.dev, configuring the platform for API usage and authentication: the printed example",
    recipe={
        "name": "bokun",
        "parts": ["time", "key_id", "method", "target"],
        "mac": "hmac-sha1",
        "encoding": "base64",
        "time": "%Y-%m-%d %H:%M:%S",
        "window": {"past": 900, "future": 900},
        "headers": {
            "X-Bokun-Date": "{time}",
            "X-Bokun-AccessKey": "{key_id}",
            "X-Bokun-Signature": "{signature}",
        },
    },
    method="POST",
    url="https://api.bokun.is/activity.json/search?lang=EN&currency=ISK",
    key_id="de235a6a15c340b6b1e1cb5f3687d04a",
    secret="23e2c7da7f7048e5b46f96bc91324800",
    at="2013-11-09T14:33:46Z",
    string="2013-11-09 14:33:46de235a6a15c340b6b1e1cb5f3687d04aPOST/activity.json/search?lang=EN&currency=ISK",
    headers={
        "X-Bokun-Date": "2013-11-09 14:33:46",
        "X-Bokun-AccessKey": "de235a6a15c340b6b1e1cb5f3687d04a",
        "X-Bokun-Signature": "XrOiTYa9Y34zscnLCsAEh8ieoyo=",
    },
)
HOTELBEDS = Known(
    source="the placeholders of https://developer.hotelbeds.com/documentation/, hashed with sha256sum and with Python",
    recipe={
        "name": "hotelbeds",
        "parts": ["key_id", "secret", "time"],
        "mac": "hash-sha256",
        "window": {"past": 60, "future": 60},
        "headers": {"Api-key": "{key_id}", "X-Signature": "{signature}"},
    },
    method="GET",
    url="https://api.test.hotelbeds.com/hotel-api/1.0/status",
    key_id="yourApiKey",
    secret="yourSecret",
    at="1605548842",
    string="yourApiKey\x001605548842",
    headers={
        "Api-key": "yourApiKey",
        "X-Signature": "0031b31c8224732da89d27cbb7b998c15bb95da551098c943ee8c541b1558714",
    },
)
SLACK = Known(
    source="https://docs.slack.dev/authentication/verifying-requests-from-slack/: the printed example",
    recipe={
        "name": "slack",
        "parts": ["literal:v0", "time", "body"],
        "joiner": ":",
        "mac": "hmac-sha256",
        "headers": {"X-Slack-Request-Timestamp": "{time}", "X-Slack-Signature": "v0={signature}"},
    },
    method="POST",
    url="https://a.example/commands",
    secret="8f742231b10e8888abcd99yyyzzz85a5",
    at="1531420618",
    string=f"v0:1531420618:{_SLACK}",
    headers={
        "X-Slack-Request-Timestamp": "1531420618",
        "X-Slack-Signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
    },
    body=_SLACK.encode(),
    given={"Content-Type": "application/x-www-form-urlencoded"},
)
OKX = Known(
    source="the samples of OKX's documentation, in the test of an independent client",
    recipe={
        "name": "okx",
        "parts": ["time", "method", "target", "body"],
        "mac": "hmac-sha256",
        "encoding": "base64",
        "time": "iso-ms",
        "window": {"past": 30, "future": 30},
        "headers": {
            "OK-ACCESS-KEY": "{key_id}",
            "OK-ACCESS-SIGN": "{signature}",
            "OK-ACCESS-TIMESTAMP": "{time}",
            "OK-ACCESS-PASSPHRASE": "{extra.passphrase}",
        },
    },
    method="POST",
    url="https://www.okx.com/api/v5/trade/order",
    key_id="test_key",
    secret="22582BD0CFF14C41EDBF1AB98506286D",
    at="1607418537.715",
    string=f"2020-12-08T09:08:57.715ZPOST/api/v5/trade/order{_ORDER}",
    headers={
        "OK-ACCESS-TIMESTAMP": "2020-12-08T09:08:57.715Z",
        "OK-ACCESS-PASSPHRASE": "test_pass",
        "OK-ACCESS-KEY": "test_key",
        "OK-ACCESS-SIGN": "dI6rrL9rXW/HdaPKJ/6LC1OgvH4/PYju6R3CqixMTNQ=",
    },
    body=_ORDER.encode(),
    arguments=("--extra", "passphrase=test_pass"),
)
ALL = pytest.mark.parametrize("known", [BOKUN, HOTELBEDS, SLACK, OKX], ids=lambda known: known.name)
BOTH = pytest.mark.parametrize("suffix", [".toml", ".json"])


def as_toml(document: dict[str, Any]) -> str:
    """The document in TOML, tables last."""
    lines = [f"{name} = {_value(value)}" for name, value in document.items() if name != "headers"]
    lines += ["", "[headers]", *(f"{json.dumps(name)} = {_value(text)}" for name, text in document["headers"].items())]
    return "\n".join(lines) + "\n"


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{name} = {_value(item)}" for name, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    return json.dumps(value)  # text, numbers and booleans are written alike


def saved(known: Known, folder: Path, suffix: str = ".toml") -> Path:
    path = folder / f"{known.name}{suffix}"
    path.write_text(as_toml(known.recipe) if suffix == ".toml" else json.dumps(known.recipe), encoding="utf-8")
    return path


@BOTH
@ALL
def test_sign(known: Known, suffix: str, tmp_path: Path) -> None:
    path = saved(known, tmp_path, suffix)
    result = undersign("sign", *known.signing, "--recipe", path, "--json", stdin=known.body, env=known.env)
    assert result.code == 0, result.err
    shown = json.loads(result.text)
    assert {name: value for name, value in shown["headers"] if name != "Content-Type"} == known.headers
    assert shown["string_to_sign"] == known.string
    assert known.secret not in result.text


@ALL
def test_sign_as_headers_and_as_curl(known: Known, tmp_path: Path) -> None:
    path = saved(known, tmp_path)
    result = undersign("sign", *known.signing, "--recipe", path, stdin=known.body, env=known.env)
    assert set(result.text.splitlines()) == {f"{name}: {value}" for name, value in known.headers.items()}
    result = undersign("sign", *known.signing, "--recipe", path, "--as", "curl", stdin=known.body, env=known.env)
    assert all(f"'{name}: {value}'" in result.text for name, value in known.headers.items())


@BOTH
@ALL
def test_verify_and_diagnose(known: Known, suffix: str, tmp_path: Path) -> None:
    path = saved(known, tmp_path, suffix)
    arguments = ("--recipe", path, "--at", known.at)
    result = undersign("verify", *arguments, "--json", stdin=known.raw, env=known.env)
    assert json.loads(result.text) == {"result": "valid", "scheme": known.name, "key_id": known.who}
    result = undersign("verify", *arguments, "--key-id", known.who, stdin=known.raw, env=known.env)
    assert result.text == f"valid: {known.name}, signed by {known.who}\n"
    result = undersign("diagnose", *arguments, stdin=known.raw, env=known.env)
    assert result.text == "fine: the request verifies\n"
    result = undersign("verify", *arguments, "--json", stdin=known.raw, env={"UNDERSIGN_SECRET": "x"})
    assert (result.code, json.loads(result.text)) == (1, {"result": "invalid", "reason": "mismatch"})


def test_diagnose_finds_what_is_wrong(tmp_path: Path) -> None:
    path = saved(BOKUN, tmp_path)
    arguments = ("diagnose", "--recipe", path, "--at", BOKUN.at, "--json")
    moved = BOKUN.raw.replace(b"currency=ISK", b"currency=EUR")
    result = undersign(*arguments, stdin=moved, env=BOKUN.env)
    assert result.code == 1
    assert json.loads(result.text)["causes"]
    result = undersign(*arguments, "--at", "2013-11-09T15:33:46Z", stdin=BOKUN.raw, env=BOKUN.env)
    assert json.loads(result.text)["causes"][0]["code"] in ("clock-skew", "timezone")
    result = undersign(*arguments, stdin=BOKUN.raw, env={"UNDERSIGN_SECRET": BOKUN.secret + " "})
    assert json.loads(result.text)["causes"][0]["code"] == "secret-whitespace"


@ALL
def test_explain(known: Known, tmp_path: Path) -> None:
    """Of a request that was received, and of one that is to be signed: without secret, signature and passphrase."""
    path = saved(known, tmp_path)
    received = undersign("explain", "--recipe", path, "--at", known.at, stdin=known.raw)
    assert received.code == 0, received.err
    assert f"scheme {known.name}, key id {known.who}\n" in received.text
    sent = undersign("sign", *known.signing, "--explain", "--recipe", path, stdin=known.body)
    assert sent.code == 0, sent.err
    signed = known.headers.get("X-Bokun-Signature") or list(known.headers.values())[-1]
    for text in (received.text, sent.text):
        assert f"String to sign: {len(known.string)} bytes" in text
        assert not [word for word in (known.secret, signed, "test_pass") if word in text]
    assert "<signature>" in sent.text


def test_an_explanation_hides_extras_that_are_signed(tmp_path: Path) -> None:
    recipe = {**OKX.recipe, "parts": ["time", "extra:passphrase", "method", "target"]}
    path = tmp_path / "r.json"
    path.write_text(json.dumps(recipe))
    signed = undersign("sign", *OKX.signing, "--recipe", path, "--json", env=OKX.env)
    headers = dict(json.loads(signed.text)["headers"])
    raw = "\r\n".join(["POST /api/v5/trade/order HTTP/1.1", "Host: www.okx.com", "Content-Length: 0"])
    raw += "".join(f"\r\n{name}: {value}" for name, value in headers.items()) + "\r\n\r\n"
    result = undersign("explain", "--recipe", path, "--at", OKX.at, stdin=raw.encode())
    assert "<passphrase>" in result.text
    assert "test_pass" not in result.text


def test_serve_with_recipes_and_a_scheme(tmp_path: Path) -> None:
    """Plain http on loopback is what it speaks, so it is let through even where a recipe asks for https."""
    keys = tmp_path / "keys.toml"
    keys.write_text(
        f'[keys-for.hotelbeds]\nyourApiKey = "{HOTELBEDS.secret}"\n'
        f'[keys-for.bokun]\nme = "{SECRET}"\n[keys]\nme = "x"\n'
    )
    used = ("--recipe", saved(HOTELBEDS, tmp_path), "--recipe", saved(BOKUN, tmp_path), "--scheme", "gotom")
    with serving("--keys", keys, "--at", HOTELBEDS.at, *used) as server:
        host = server.url.removeprefix("http://")
        connection = http.client.HTTPConnection(host, timeout=30)
        connection.request("GET", "/x", headers=HOTELBEDS.headers)
        answer = connection.getresponse()
        assert (answer.status, json.loads(answer.read())["scheme"]) == (200, "hotelbeds")
        call = ("call", "GET", f"{server.url}/y", "--key-id", "me", "--at", HOTELBEDS.at)
        result = undersign(*call, "--recipe", saved(BOKUN, tmp_path))
        assert '"scheme": "bokun"' in result.text, result.err
        result = undersign(*call, "--recipe", saved(BOKUN, tmp_path), env={"UNDERSIGN_SECRET": "x"})
        assert result.code == 1
        assert result.text.startswith("HTTP/1.1 401")
        result = undersign(*call, env={"UNDERSIGN_SECRET": "x"})
        assert '"scheme": "gotom"' in result.text


def test_over_plain_http_a_recipe_that_binds_nothing_is_not_called(tmp_path: Path) -> None:
    arguments = ("sign", "GET", "http://a.example/", "--key-id", "k", "--recipe", saved(HOTELBEDS, tmp_path))
    result = undersign(*arguments)
    assert result.code == 2
    assert "allow_http" in result.error
    assert undersign(*arguments, "-o", "allow_http=true").code == 0


def test_a_recipe_that_sends_no_key_id_has_its_name_for_one(tmp_path: Path) -> None:
    path = saved(SLACK, tmp_path)
    result = undersign("sign", *SLACK.signing, "--key-id", "me", "--recipe", path, stdin=SLACK.body, env=SLACK.env)
    assert (result.code, "sends no key id" in result.error) == (0, True)
    for command in ("verify", "diagnose"):
        arguments = ("--key-id", "me", "--recipe", path, "--at", SLACK.at)
        result = undersign(command, *arguments, stdin=SLACK.raw, env=SLACK.env)
        assert (result.code, "sends no key id" in result.error) == (0, True)
        both = undersign(command, *arguments, "--scheme", "gotom", stdin=SLACK.raw, env=SLACK.env)
        assert (both.code, both.text) == (0, result.text)
    keys = tmp_path / "keys.toml"
    keys.write_text(f'[keys]\nslack = "{SLACK.secret}"\n')
    result = undersign("verify", "--keys", keys, "--recipe", path, "--at", SLACK.at, stdin=SLACK.raw)
    assert result.text == "valid: slack, signed by slack\n"
    result = undersign("sign", "GET", "https://a.example/", "--recipe", saved(BOKUN, tmp_path))
    assert "Missing option '--key-id'" in result.error


NONCE = {
    "name": "once",
    "parts": ["nonce", "time", "target"],
    "joiner": "\n",
    "mac": "hmac-sha256",
    "headers": {"Authorization": "Once {key_id}:{time}:{nonce}:{signature}"},
}


def test_nonces_are_new_or_given(tmp_path: Path) -> None:
    path = tmp_path / "once.json"
    path.write_text(json.dumps(NONCE))
    arguments = ("sign", "GET", "https://a.example/", "--key-id", "k", "--at", "1", "--recipe", path, "--json")
    first, second = (json.loads(undersign(*arguments).text)["string_to_sign"] for _ in range(2))
    assert first != second
    given = json.loads(undersign(*arguments, "--nonce", "n").text)
    assert given["string_to_sign"] == "n\n1\n/"
    result = undersign("sign", *BOKUN.signing, "--nonce", "n", "--recipe", saved(BOKUN, tmp_path))
    assert "bokun sends none" in result.error
    shown = undersign("recipe", "show", path)
    assert "<nonce>" in shown.text
    tried = undersign("recipe", "try", path, "GET", "https://a.example/", "--key-id", "k")
    assert tried.code == 0, tried.err


def test_extras_come_from_an_argument_or_the_environment(tmp_path: Path) -> None:
    path = saved(OKX, tmp_path)
    without = tuple(word for word in OKX.signing if "passphrase" not in word and word != "--extra")
    arguments: tuple[str | Path, ...] = ("sign", *without, "--recipe", path, "--json")
    env = {**OKX.env, "UNDERSIGN_EXTRA_PASSPHRASE": "test_pass"}
    result = undersign(*arguments, "--extra", "passphrase", stdin=OKX.body, env=env)
    assert dict(json.loads(result.text)["headers"]) == OKX.headers
    assert "UNDERSIGN_EXTRA_PASSPHRASE is not set" in undersign(*arguments, "--extra", "passphrase").error
    assert "give it with --extra passphrase" in undersign(*arguments).error
    assert "okx sends no such value" in undersign(*arguments, "--extra", "token=x").error
    assert "write --extra NAME=VALUE" in undersign(*arguments, "--extra", "=x").error


# Options


def sign(path: Path, *arguments: str | Path) -> Result:
    return undersign("sign", *BOKUN.signing, "--recipe", path, "--json", *arguments, env=BOKUN.env)


def test_fields_of_a_recipe_are_changed_by_their_names(tmp_path: Path) -> None:
    path = saved(BOKUN, tmp_path)
    plain = json.loads(sign(path).text)
    changed = json.loads(sign(path, "-o", "joiner=|", "-o", "bokun.encoding=hex").text)
    assert changed["string_to_sign"].count("|") == 3
    assert len(dict(changed["headers"])["X-Bokun-Signature"]) == 40
    assert dict(changed["headers"])["X-Bokun-Date"] == dict(plain["headers"])["X-Bokun-Date"]
    late = ("verify", "--recipe", path, "--at", "2013-11-09T14:43:46Z", "--json")
    assert json.loads(undersign(*late, stdin=BOKUN.raw, env=BOKUN.env).text)["result"] == "valid"
    result = undersign(*late, "-o", "window=60,60", stdin=BOKUN.raw, env=BOKUN.env)
    assert json.loads(result.text)["reason"] == "stale"


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("parts=time", "parts is a list or a table: change it in the file"),
        ("headers=x", "headers is a list or a table"),
        ("query-or-form=x", "query-or-form is a list or a table"),
        ("encodng=hex", "did you mean 'encoding'?"),
        ("encoding=hexx", "encoding 'hexx' is unknown"),
        ("allow_http=yes", "allow_http is true or false"),
        ("window=60", "window is PAST,FUTURE"),
        ("window=true", "window is PAST,FUTURE"),
        ("window=-1,60", "window"),
        ("window=0.5,1", "window is PAST,FUTURE"),
        ("bokn.encoding=hex", "did you mean 'bokun'?"),
        ("encoding", "write -o OPTION=VALUE"),
    ],
)
def test_a_field_that_cannot_be_changed_so(option: str, said: str, tmp_path: Path) -> None:
    result = sign(saved(BOKUN, tmp_path), "-o", option)
    assert result.code == 2
    assert said in result.error


def test_only_the_recipes_are_used_unless_a_scheme_is_named(tmp_path: Path) -> None:
    bokun = ("--recipe", saved(BOKUN, tmp_path))
    gotom = (
        b"GET / HTTP/1.1\r\nHost: a.example\r\nAuthorization: gotom_app_api u:x\r\nDate: 2024-11-07T10:21:15Z\r\n\r\n"
    )
    result = undersign("verify", *bokun, "--json", stdin=gotom)
    assert json.loads(result.text)["reason"] == "missing"
    result = undersign("verify", *bokun, "--scheme", "gotom", "--json", stdin=gotom)
    assert json.loads(result.text)["reason"] != "missing"
    result = sign(saved(BOKUN, tmp_path), "--scheme", "gotom")
    assert "--scheme and --recipe exclude each other here" in result.error


def test_two_of_one_name_are_refused(tmp_path: Path) -> None:
    bokun = saved(BOKUN, tmp_path)
    other = tmp_path / "other.json"
    other.write_text(json.dumps(BOKUN.recipe))
    result = undersign("explain", "--recipe", bokun, "--recipe", other, stdin=BOKUN.raw)
    assert result.code == 2
    assert f"{other}: name is 'bokun', as that of {bokun} is" in result.error
    other.write_text(json.dumps({**BOKUN.recipe, "name": "gotom"}))
    result = undersign("verify", "--recipe", other, "--scheme", "gotom", stdin=BOKUN.raw)
    assert "as that of --scheme is" in result.error
    assert undersign("verify", "--recipe", bokun, "--recipe", bokun, "--at", BOKUN.at, stdin=BOKUN.raw).code == 1


def test_a_name_may_hold_dots(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    path.write_text(json.dumps({**BOKUN.recipe, "name": "bokun.v2"}))
    assert sign(path, "-o", "bokun.v2.encoding=hex").code == 0


# Documents


def test_a_file_is_what_its_suffix_says_or_its_content(tmp_path: Path) -> None:
    recipe = Recipe.from_mapping(BOKUN.recipe)
    for name, text in (
        ("a.toml", as_toml(BOKUN.recipe)),
        ("a.JSON", json.dumps(BOKUN.recipe)),
        ("json-without", "\n  " + json.dumps(BOKUN.recipe)),
        ("toml-without", "# bokun\n" + as_toml(BOKUN.recipe)),
        ("bom.toml", "\ufeff" + as_toml(BOKUN.recipe)),
        ("crlf.toml", as_toml(BOKUN.recipe).replace("\n", "\r\n")),
    ):
        (tmp_path / name).write_bytes(text.encode())
        assert load_recipe(tmp_path / name) == recipe
        assert load_recipe(str(tmp_path / name), {"window": "60,0"}).window == Window(60, 0)
    assert recipe == Recipe.from_mapping(recipe.as_mapping())


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "field": ({"prats": ["time"]}, "no field 'prats' (did you mean 'parts'?)"),
    "part": ({"parts": ["time", "metod"]}, "parts[1] is the part 'metod', which is unknown (did you mean 'method'?)"),
    "option": ({"parts": ["time", {"part": "params", "sorted": "name"}]}, "(did you mean 'sort'?)"),
    "placeholder": ({"headers": {"A": "{signatur}"}}, "{signatur}, which is unknown (did you mean 'signature'?)"),
    "secret": ({"headers": {"A": "{signature}", "B": "{secret}"}}, "would send the secret"),
    "ambiguous": ({"headers": {"A": "{key_id}{signature}{time}"}}, "ambiguous"),
    "unsent": ({"parts": ["time", "nonce"]}, "the nonce, which nothing sends"),
    "mac": ({"mac": "hmac-sha257"}, "mac 'hmac-sha257' is unknown"),
    "window": ({"window": 300}, "window is a table in seconds"),
    "name": ({"name": ""}, "name is empty"),
    "type": ({"encoding": 1}, "encoding is text"),
    "methods": ({"methods": ["get"]}, "methods is a list in upper case"),
    "time": ({"time": "%Y"}, "time leaves a part"),
    "hash": ({"mac": "hmac-new"}, "mac 'hmac-new' is unknown"),
    "encoding": ({"encoding": "base32"}, "encoding 'base32' is unknown"),
    "brace": ({"headers": {"A": "{signature"}}, "lone '{'"),
    "header": ({"headers": {"A b": "{signature}"}}, "which is no HTTP token"),
    "empty": ({"parts": []}, "parts is a list of what is signed"),
    "no parts": ({"parts": "time"}, "parts is a list"),
}


@BOTH
@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_wrong_with_a_recipe_is_said_with_the_file(wrong: str, suffix: str, tmp_path: Path) -> None:
    changed, said = WRONG[wrong]
    document = {**BOKUN.recipe, **changed}
    path = tmp_path / f"wrong{suffix}"
    path.write_text(as_toml(document) if suffix == ".toml" else json.dumps(document), encoding="utf-8")
    for command in (("recipe", "check"), ("recipe", "show"), ("verify", "--recipe")):
        result = undersign(*command, path, stdin=BOKUN.raw)
        assert result.code == 2
        assert str(path) in result.error
        assert said in result.error
    result = undersign("recipe", "check", "--json", path)
    assert result.code == 2
    assert said in json.loads(result.text)["error"]
    with pytest.raises(ConfigError):
        load_recipe(path)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.toml", b"name = ", "is not TOML"),
        ("a.json", b"{", "is not JSON"),
        ("a.json", b"[]", "a recipe is one object"),
        ("a.json", b'{"name": "a", "name": "b"}', "names 'name' twice"),
        ("a.json", b"[" * 100_000, "nested too deeply"),
        ("a.toml", b"a = " + b"[" * 100_000, "nested too deeply"),
        ("a.toml", "name = 'ü'".encode("latin-1"), "text in UTF-8"),
        ("a.toml", "name = 'a'".encode("utf-16-le"), "not TOML"),
        ("a.toml", "name = 'a'".encode("utf-16"), "parts"),
        ("a.toml", b"", "the recipe has no name"),
        ("a.toml", b"name = 2024-01-01\nparts = []\nmac = ''", "name is text"),
        ("a.json", b'{"name": NaN, "parts": ["time"], "mac": "hmac-md5"}', "name is text"),
        ("a.json", b'{"name": "\\ud800", "parts": ["time"], "mac": "hmac-md5"}', ""),
    ],
)
def test_a_file_that_holds_no_recipe(name: str, content: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    result = undersign("recipe", "check", path)
    assert result.code == 2
    assert f"{path}: " in result.error
    assert said in result.error


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    assert "No such file" in undersign("verify", "--recipe", tmp_path / "none.toml").error
    assert undersign("recipe", "check", tmp_path).code == 2
    with pytest.raises(ConfigError, match="Is a directory"):
        load_recipe(tmp_path)


# undersign recipe


def test_check_says_what_is_bound_and_how_the_time_travels(tmp_path: Path) -> None:
    lines = undersign("recipe", "check", saved(BOKUN, tmp_path)).text.splitlines()
    assert lines[0] == "ok: bokun"
    assert "binds, as it is on the wire: the method, the target (path and query), the time" in lines
    assert "does not bind: the host, the content type, headers, the body" in lines
    assert "time: sent (header X-Bokun-Date), good from 900 s in the past to 900 s in the future" in lines
    lines = undersign("recipe", "check", saved(HOTELBEDS, tmp_path)).text.splitlines()
    assert "time: not sent; each second is searched, from 60 s in the past to 60 s in the future" in lines
    assert lines[-1].startswith("https: needed")
    assert (
        "key id: not sent; it is 'slack' for every request"
        in undersign("recipe", "check", saved(SLACK, tmp_path)).text.splitlines()
    )
    assert (
        "extra passphrase: header OK-ACCESS-PASSPHRASE"
        in undersign("recipe", "check", saved(OKX, tmp_path)).text.splitlines()
    )


def test_check_names_what_is_bound_in_part(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    path.write_text(json.dumps({**BOKUN.recipe, "parts": ["time", "path", {"part": "params"}]}))
    lines = undersign("recipe", "check", path).text.splitlines()
    assert "binds in meaning or in part: path, parameters" in lines
    hook = {"name": "h", "parts": ["body"], "mac": "hmac-sha1", "window": False, "headers": {"S": "{signature}"}}
    path.write_text(json.dumps(hook))
    lines = undersign("recipe", "check", path).text.splitlines()
    assert any(line.startswith("time: none, and not looked at") for line in lines)


def test_check_as_json(tmp_path: Path) -> None:
    shown = json.loads(undersign("recipe", "check", "--json", saved(HOTELBEDS, tmp_path)).text)
    assert shown == {
        "result": "ok",
        "name": "hotelbeds",
        "covers": ["date"],
        "time": "searched",
        "window": {"past": 60, "future": 60},
        "carriers": {"key_id": "header Api-key", "signature": "header X-Signature"},
        "needs_https": True,
    }


@ALL
def test_show_prints_the_parts_the_carriers_and_the_recipe_itself(known: Known, tmp_path: Path) -> None:
    path = saved(known, tmp_path)
    result = undersign("recipe", "show", path)
    assert result.code == 0, result.err
    assert "String to sign: " in result.text
    assert all(f"header {name}: " in result.text for name in known.headers)
    again = tmp_path / "again.toml"
    again.write_text(result.text.partition("Recipe:\n")[2])
    assert load_recipe(again) == load_recipe(path)
    shown = json.loads(undersign("recipe", "show", path, "--json").text)
    assert Recipe.from_mapping(shown["recipe"]) == load_recipe(path)
    assert shown["explanation"]["parts"]


def test_show_makes_up_whatever_is_signed(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    parts = ["time", "header:X-Request", "content-type", "host", "body:md5"]
    path.write_text(json.dumps({**BOKUN.recipe, "parts": parts, "methods": ["PUT"]}))
    assert "the x-request" in undersign("recipe", "show", path).text
    form = {"name": "f", "parts": ["key_id", "time"], "mac": "hmac-md5", "form": {"k": "{key_id}", "s": "{signature}"}}
    path.write_text(json.dumps(form))
    assert "form s=<signature>" in undersign("recipe", "show", path).text


@ALL
def test_try_signs_and_verifies(known: Known, tmp_path: Path) -> None:
    path = saved(known, tmp_path)
    arguments: tuple[str | Path, ...] = ("recipe", "try", path, *known.signing)
    result = undersign(*arguments, stdin=known.body, env=known.env)
    assert result.code == 0, result.err
    assert result.text.endswith(f"\nvalid: {known.name}, signed by {known.who}\n")
    assert all(f"  {name}: {value}\n" in result.text for name, value in known.headers.items())
    assert known.secret not in result.text
    shown = json.loads(undersign(*arguments, "--json", stdin=known.body, env=known.env).text)
    assert shown["string_to_sign"] == known.string
    assert shown["verified"] == {"result": "valid", "scheme": known.name, "key_id": known.who}


def test_try_says_what_cannot_be_signed(tmp_path: Path) -> None:
    result = undersign("recipe", "try", saved(HOTELBEDS, tmp_path), "GET", "http://a.example/", "--key-id", "k")
    assert (result.code, "allow_http" in result.error) == (2, True)


# undersign schemes


def test_schemes_are_listed_with_a_sentence() -> None:
    lines = undersign("schemes").text.splitlines()
    assert [line.split()[0] for line in lines][:4] == ["gotom", "gogrid", "http-hmac", "keyed-timestamp"]
    assert all(len(line.split()) > 3 for line in lines)
    listed = json.loads(undersign("schemes", "--json").text)
    assert {entry["name"] for entry in listed} >= {"gotom", "tyk"}


def test_a_scheme_says_its_options_and_what_it_signs() -> None:
    text = undersign("schemes", "gotom").text
    assert "  provider: text, default gotom_app_api\n" in text
    assert "  window: window PAST,FUTURE in seconds, default 1800,1800\n" in text
    assert "  date_precision: seconds or milliseconds, default seconds\n" in text
    assert "  method (the request line)\n" in text
    assert "  key_param: text, needed\n" in undersign("schemes", "keyed-timestamp").text
    assert "  provider: text, needed\n" in undersign("schemes", "http-hmac").text
    shown = json.loads(undersign("schemes", "gogrid", "--json").text)
    assert [part["name"] for part in shown["parts"]] == ["key id", "secret", "seconds"]
    assert {"name": "allow_http", "type": "true or false", "default": "false", "needed": False} in shown["options"]
    assert "did you mean 'gotom'?" in undersign("schemes", "gotm").error
