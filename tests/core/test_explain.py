"""explain(): the string to sign part by part, from where each part is, and nothing that a ticket must not hold."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from typing import Any

import pytest

from undersign import (
    BodyDigest,
    BodyNeed,
    CannotSign,
    Claim,
    Component,
    ConfigError,
    Credential,
    Explanation,
    GoGrid,
    GoTom,
    HttpHmac,
    Patch,
    Rejected,
    Request,
    Scheme,
    Window,
    explain,
    sign,
)
from undersign.explaining import visible
from undersign.scheme import Part

NOW = 1_730_974_875.7  # 2024-11-07T10:21:15Z
SECRET = "the password you received"
ME = Credential("crm_sync", SECRET)
BODY = b'{"name":"new"}\n'
POST = Request("POST", "/app-api/campaign?q=%2f", (("Host", "demo.gotom.io"),), BODY, "https://demo.gotom.io")
DIGEST = hashlib.md5(BODY, usedforsecurity=False).hexdigest()


def test_every_line_has_a_name_and_a_source() -> None:
    found = explain(GoTom(), POST, "crm_sync", now=NOW)
    assert [(part.name, part.source, part.value) for part in found.parts] == [
        ("method", "the request line", b"POST\n"),
        ("body digest", "MD5 of the body, hex, 15 bytes", f"{DIGEST}\n".encode()),
        ("content type", "the default, in lower case", b"application/json\n"),
        ("date", "header Date, from the clock", b"2024-11-07T10:21:15Z\n"),
        ("custom headers", "empty: the scheme signs none", b"\n"),
        ("target", "the request line, path and query as they are on the wire", b"/app-api/campaign?q=%2f"),
    ]
    assert found.canonical == f"POST\n{DIGEST}\napplication/json\n2024-11-07T10:21:15Z\n\n{POST.target}".encode()


def test_the_text_is_one_for_a_ticket() -> None:
    assert str(explain(GoTom(), POST, "crm_sync", now=NOW)).splitlines() == [
        "Request to be signed: scheme gotom, key id crm_sync",
        "Time: 1730974875 (2024-11-07T10:21:15Z)",
        f"Body: 15 bytes, md5 {DIGEST}",
        "",
        "String to sign: 100 bytes, the parts below without anything between them",
        "  method (the request line)",
        r"    POST\n",
        "  body digest (MD5 of the body, hex, 15 bytes)",
        rf"    {DIGEST}\n",
        "  content type (the default, in lower case)",
        r"    application/json\n",
        "  date (header Date, from the clock)",
        r"    2024-11-07T10:21:15Z\n",
        "  custom headers (empty: the scheme signs none)",
        r"    \n",
        "  target (the request line, path and query as they are on the wire)",
        "    /app-api/campaign?q=%2f",
        "",
        "Patch: what signing sets",
        "  header Date: 2024-11-07T10:21:15Z",
        "  header Content-Type: application/json",
        "  header Authorization: gotom_app_api crm_sync:<signature>",
    ]


def test_as_json_is_the_same_as_values() -> None:
    found = json.loads(json.dumps(explain(GoGrid(), POST, "k", now=NOW).as_json()))
    assert found == {
        "scheme": "gogrid",
        "key_id": "k",
        "at": NOW,
        "received": False,
        "parts": [
            {"name": "key id", "source": "parameter api_key, as it is before it is percent-encoded", "value": "k"},
            {"name": "secret", "source": "the secret of the key, which stands here", "value": "<secret>"},
            {
                "name": "seconds",
                "source": "the clock, in whole Unix seconds; it is not sent",
                "value": "1730974875",
            },
        ],
        "length": 12,
        "body": {"length": 15, "digests": {}},
        "patch": {"headers": [], "query": [["api_key", "k"], ["sig", "<signature>"], ["v", "1.5"]], "form": []},
    }


def test_a_keyed_timestamp_says_that_the_body_is_not_signed() -> None:
    text = str(explain(GoGrid(), POST, "k", now=NOW))
    assert "Body: 15 bytes, not signed" in text
    assert "  query sig=<signature>\n" in text
    form = dataclasses.replace(POST, headers=(("Content-Type", "application/x-www-form-urlencoded"),))
    assert "  form sig=<signature>\n" in str(explain(GoGrid(), form, "k", now=NOW))


@pytest.mark.parametrize("scheme", [GoTom(), GoGrid()], ids=["gotom", "gogrid"])
def test_no_secret_is_needed_and_no_valid_signature_shown_unless_asked_for(scheme: Scheme) -> None:
    patch = sign(scheme, POST, ME, now=NOW)
    signature = (patch.headers or patch.query[1:2])[-1][1].rpartition(":")[2]
    assert explain(scheme, POST, "crm_sync", now=NOW) == explain(scheme, POST, ME, now=NOW)
    for hidden in (explain(scheme, POST, "crm_sync", now=NOW), explain(scheme, POST, ME, now=NOW)):
        shown = f"{hidden}{hidden!r}{hidden.as_json()}"
        assert signature not in shown
        assert SECRET not in shown
        assert hidden.patch != patch
    asked = explain(scheme, POST, ME, now=NOW, show_signature=True)
    assert asked.patch == patch
    assert signature in str(asked)
    assert SECRET not in str(asked)


def test_what_the_credential_may_not_do_is_not_explained() -> None:
    elsewhere = Credential("crm_sync", SECRET, ["https://api.example.com"])
    with pytest.raises(CannotSign, match="goes to https://demo"):
        explain(GoTom(), POST, elsewhere, now=NOW)
    with pytest.raises(CannotSign, match="another method"):
        explain(GoTom(), dataclasses.replace(POST, headers=(("X-HTTP-Method-Override", "PUT"),)), "k", now=NOW)
    with pytest.raises(CannotSign, match="Unix seconds"):
        explain(GoTom(), POST, "k", now=float("nan"))
    for key in ("k", None):
        with pytest.raises(ConfigError, match="takes a Credential"):
            explain(GoTom(), POST, key, now=NOW, show_signature=True)
    with pytest.raises(ConfigError, match="one signature"):
        explain(GoTom(), POST, Credential("k", "new", older=["old"]), now=NOW, show_signature=True)
    with pytest.raises(ConfigError, match=r"write GoTom\(\)"):
        explain(GoTom, POST, "k", now=NOW)  # type: ignore[arg-type]


def test_a_request_that_is_signed_already_is_signed_anew_with_a_key_id() -> None:
    signed = sign(GoTom(), POST, ME, now=NOW - 600).apply(POST)
    found = explain(GoTom(), signed, "somebody", now=NOW)
    assert not found.received
    assert found.key_id == "somebody"
    assert found.parts[3] == Part("date", "header Date, from the clock", b"2024-11-07T10:21:15Z\n")
    assert found.parts[2].source == "header Content-Type, in lower case"


def test_without_a_key_id_it_is_what_the_server_computes_of_a_request_as_received() -> None:
    signed = sign(GoTom(), POST, ME, now=NOW).apply(POST)
    found = explain(GoTom(), signed, now=NOW + 9999)
    assert (found.received, found.key_id, found.at) == (True, "crm_sync", 1730974875.0)
    assert found.patch == Patch()
    assert found.parts[3] == Part("date", "header Date, as it was sent", b"2024-11-07T10:21:15Z\n")
    assert found.canonical == explain(GoTom(), POST, ME, now=NOW).canonical
    text = str(found)
    assert text.startswith("Request received: scheme gotom, key id crm_sync\n")
    assert "Patch" not in text
    assert signed.values("authorization")[0].rpartition(":")[2] not in text


def test_a_received_request_whose_time_is_not_sent_is_explained_at_the_clock() -> None:
    signed = sign(GoGrid(), POST, ME, now=NOW).apply(POST)
    found = explain(GoGrid(), signed, now=NOW + 60)
    assert found.canonical == b"crm_sync\x001730974935"
    assert found.received


def test_a_received_request_without_a_signature_has_nothing_to_explain() -> None:
    with pytest.raises(Rejected, match=r"missing.*gotom does not claim"):
        explain(GoTom(), POST, now=NOW)
    signed = sign(GoTom(), POST, ME, now=NOW).apply(POST)
    undated = dataclasses.replace(signed, headers=tuple(pair for pair in signed.headers if pair[0] != "Date"))
    with pytest.raises(Rejected, match="malformed"):
        explain(GoTom(), undated, now=NOW)
    with pytest.raises(CannotSign):
        explain(GoTom(), dataclasses.replace(signed, target="/\xe9"), now=NOW)


def test_custom_headers_have_a_line_each() -> None:
    scheme = HttpHmac(provider="p", signed_headers=("X-B", "X-A", "X-None"))
    request = dataclasses.replace(POST, headers=(("X-B", "2"), ("X-A", "é".encode().decode("latin-1"))))
    lines = [(part.name, part.source, part.value) for part in explain(scheme, request, "k", now=NOW).parts[4:6]]
    assert lines == [
        ("custom header", "header x-a", "x-a: é\n".encode()),
        ("custom header", "header x-b", b"x-b: 2\n"),
    ]
    assert explain(scheme, POST, "k", now=NOW).parts[4].source == "empty: the request has none of X-B, X-A, X-None"


def test_an_upload_that_counts_as_empty_says_so() -> None:
    upload = dataclasses.replace(POST, headers=(("Content-Type", "multipart/form-data; boundary=b"),))
    digest = explain(GoTom(multipart_as_empty=True), upload, "k", now=NOW).parts[1]
    assert digest.source.startswith("MD5 of nothing")
    assert digest.value == b"d41d8cd98f00b204e9800998ecf8427e\n"


@pytest.mark.parametrize(
    ("target", "shown"),
    [
        ("/x?sig=0123&page=2", "/x?sig=<4 bytes>&page=2"),
        ("/x?page=2&api_key=abc", "/x?page=2&api_key=<3 bytes>"),
        ("/x?%73ig=0123", "/x?%73ig=<4 bytes>"),
        ("/x?access_token=a=b&access_token=", "/x?access_token=<3 bytes>&access_token="),
        ("/x?a=1?sig=2", "/x?a=1?sig=<1 byte>"),
        ("/x?author=me&design=2", "/x?author=me&design=2"),
        ("/sig=1", "/sig=1"),
    ],
)
def test_parameters_that_are_named_like_credentials_are_hidden(target: str, shown: str) -> None:
    found = explain(GoTom(), dataclasses.replace(POST, target=target), "k", now=NOW)
    assert f"    {shown}\n" in str(found)
    assert found.as_json()["parts"][-1]["value"] == shown


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Cookie", "cookie: <11 bytes>"),
        ("X-Auth-Token", "x-auth-token: <11 bytes>"),
        ("X-Api-Key", "x-api-key: <11 bytes>"),
        ("Proxy-Authorization", "proxy-authorization: <11 bytes>"),
        ("X-Authorisation", "x-authorisation: <11 bytes>"),
        ("X-Author", "x-author: not so open"),
        ("X-Authority", "x-authority: not so open"),
    ],
)
def test_headers_that_are_named_like_credentials_are_hidden(name: str, shown: str) -> None:
    request = dataclasses.replace(POST, headers=((name, "not so open"),))
    text = str(explain(HttpHmac(provider="p", signed_headers=(name,)), request, "k", now=NOW))
    assert rf"    {shown}\n" in text


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (b"plain /x?y", "plain /x?y"),
        ("grüße".encode(), "grüße"),
        (b"\r\n\t\x00\x1b\x7f", r"\r\n\t\x00\x1b\x7f"),
        (b"\\n", r"\\n"),
        (b"\xff\xe9", r"\xff\xe9"),
        ("\ufeffx\u00a0\u200b\u202e".encode(), r"\ufeffx\u00a0\u200b\u202e"),
        ("\u3164\ufe0f".encode(), r"\u3164\ufe0f"),
        ("\U000e0101\U0001f600".encode(), "\\U000e0101\U0001f600"),
        (b"  a b ", r"\x20\x20a b\x20"),
        (b" ", r"\x20"),
        (b"", ""),
    ],
)
def test_nothing_is_there_that_is_not_seen(value: bytes, shown: str) -> None:
    assert visible(value) == shown


def test_a_key_id_cannot_forge_a_line() -> None:
    text = str(explain(GoTom(), POST, "me\t\u202e", now=NOW))
    assert r"key id me\t\u202e" in text
    assert "\u202e" not in text


def test_a_time_beyond_all_dates_is_shown_in_seconds() -> None:
    assert "\nTime: 999999999999999\n" in str(explain(GoGrid(), POST, "k", now=999_999_999_999_999.0))


def test_a_streamed_body_is_shown_by_its_digest() -> None:
    request = dataclasses.replace(POST, body=BodyDigest({"md5": DIGEST, "sha1": "0"}, 15))
    assert f"Body: 15 bytes, md5 {DIGEST}\n" in str(explain(GoTom(), request, "k", now=NOW))


@dataclass(frozen=True)
class Lines(Scheme):
    """Somebody's scheme, which signs the body as it is between two lines, and says nothing of parts."""

    name: str = "lines"
    window: Window = Window(300, 300)

    def covers(self, request: Request) -> frozenset[Component]:
        return frozenset({Component.BODY})

    def body_need(self, head: Request) -> BodyNeed:
        return BodyNeed(raw=True)

    def draft(self, request: Request, claim: Claim) -> tuple[Patch, bytes]:
        assert isinstance(request.body, bytes)
        return Patch(), b"%s\n\n" % request.target.encode() + request.body + b"\nx-token: abc\n"

    def signature(self, secret: bytes, string: bytes) -> str:
        return hashlib.sha256(secret + string).hexdigest()

    def write(self, claim: Claim, request: Request) -> Patch:
        return Patch((("X-Signed", f"{claim.key_id} v1={claim.signatures[0]}"),))

    def read(self, request: Request) -> Claim | None:
        return None


def test_the_lines_of_a_third_partys_scheme_are_numbered_and_its_body_is_hidden() -> None:
    text = str(explain(Lines(), POST, "me", now=NOW))
    digest = hashlib.sha256(BODY).hexdigest()
    assert text.splitlines()[2:] == [
        f"Body: 15 bytes, sha256 {digest}",
        "",
        "String to sign: 54 bytes, the parts below without anything between them",
        "  line 1",
        r"    /app-api/campaign?q=%2f\n",
        "  line 2",
        r"    \n",
        "  line 3",
        "    <the body, 15 bytes>",
        "  line 4",
        r"    \n",
        "  line 5",
        r"    x-token: <3 bytes>\n",
        "",
        "Patch: what signing sets",
        "  header X-Signed: me v1=<signature>",
    ]
    empty = explain(Lines(), dataclasses.replace(POST, body=b""), "me", now=NOW)
    assert [part.name for part in empty.parts] == ["line 1", "line 2", "line 3", "line 4"]


def test_a_body_that_is_signed_in_another_form_stays_in_the_lines() -> None:
    class Quoting(Lines):
        def draft(self, request: Request, claim: Claim) -> tuple[Patch, bytes]:
            return Patch(), b"quoted\n%r" % request.body

    found = explain(Quoting(), dataclasses.replace(POST, body=b"\n\n"), "me", now=NOW)
    assert [part.value for part in found.parts] == [b"quoted\n", rb"b'\n\n'"]


def test_a_subclass_with_fewer_lines_has_numbered_ones() -> None:
    class Short(GoTom):
        def draft(self, request: Request, claim: Claim) -> tuple[Patch, bytes]:
            drafted, string = super().draft(request, claim)
            return drafted, b"GET\n" + string.split(b"\n")[1]

    assert [part.name for part in explain(Short(), POST, "me", now=NOW).parts] == ["line 1", "line 2"]


def test_parts_that_are_not_the_canonical_form_are_an_error() -> None:
    class Wrong(GoTom):
        def shown_parts(self, string: bytes, request: Request, claim: Claim, drafted: Patch) -> Any:
            return super().shown_parts(string, request, claim, drafted)[1:]

    with pytest.raises(ConfigError, match="do not join"):
        explain(Wrong(), POST, "me", now=NOW)


def test_an_explanation_is_a_value_that_does_not_show_itself() -> None:
    found = explain(GoTom(), POST, ME, now=NOW, show_signature=True)
    assert isinstance(found, Explanation)
    assert hash(found) == hash(explain(GoTom(), POST, ME, now=NOW, show_signature=True))
    assert repr(found) == (
        "Explanation('gotom', 'crm_sync', method, body digest, content type, date, custom headers, target)"
    )
