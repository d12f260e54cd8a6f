"""A client's own string to sign beside the right one: how its file is read, where it differs, and what stays hidden."""

from __future__ import annotations

import hashlib
import hmac
import json
import random
from base64 import b64encode
from dataclasses import replace

import pytest

from undersign import Credential, GoGrid, GoTom, HttpHmac, Recipe, Request, Scheme, Window, explain
from undersign.diagnosing.strings import beside
from undersign.explaining import Comparison, compare
from undersign.registry import build_scheme
from undersign.vectors import load, names, preset_names

NOW = 1_730_974_875  # 2024-11-07T10:21:15Z
SECRET = b"s3cr3t Zq9wXv+Kd7Ym"
KEYS = {"me": SECRET}
BODY = b'{"a": 1}'
RIGHT = b"POST\n42b7b4f2921788ea14dac5566e6f06d0\napplication/json\n2024-11-07T10:21:15Z\n\n/orders?page=2"


def gotom_signature(string: bytes, secret: bytes = SECRET) -> str:
    return b64encode(hmac.new(secret, string, hashlib.sha1).digest()).decode()


def received(string: bytes = RIGHT, secret: bytes = SECRET) -> Request:
    """A request whose client has signed this string."""
    headers = (
        ("Content-Type", "application/json"),
        ("Date", "2024-11-07T10:21:15Z"),
        ("Authorization", f"gotom_app_api me:{gotom_signature(string, secret)}"),
    )
    return Request("POST", "/orders?page=2", headers, BODY, "https://api.example.com")


def compared(signed: bytes, request: Request | None = None, *, knowing: bool = True) -> Comparison:
    return beside(GoTom(), request or received(), signed, now=NOW, keys=KEYS if knowing else None).comparison


@pytest.mark.parametrize(
    ("content", "reading"),
    [
        (RIGHT, ()),
        (RIGHT + b"\n", ("newline",)),
        (RIGHT + b"\n\n\n", ("newline",)),
        (RIGHT.replace(b"\n", b"\r\n"), ("crlf",)),
        (RIGHT.replace(b"\n", b"\r\n") + b"\r\n", ("newline", "crlf")),
        (RIGHT.replace(b"\n", b"\\n"), ("escapes",)),
        (RIGHT.replace(b"\n", b"\\n") + b"\n", ("newline", "escapes")),
        (b'"%s"' % RIGHT, ("quotes",)),
        (b"'%s'\n" % RIGHT, ("quotes",)),
        (repr(RIGHT).encode() + b"\n", ("quotes", "escapes")),
        (json.dumps(RIGHT.decode()).replace("/", "\\/").encode() + b"\r\n", ("quotes", "escapes")),
        (b'string(%d) "%s"\n' % (len(RIGHT), RIGHT), ("quotes",)),
        (b"string to sign: %b\n" % RIGHT, ("newline", "label")),
        (b"2024-11-07 10:21:15 DEBUG canonicalString = '%b'\n" % RIGHT, ("label", "quotes")),
        (b"[app] StringToSign:\n%b\n" % RIGHT, ("newline", "label")),
        (b"\xef\xbb\xbf" + RIGHT, ("bom",)),
        ((RIGHT.decode() + "\n").replace("\n", "\r\n").encode("utf-16"), ("utf-16", "newline", "crlf")),
        (RIGHT.decode().encode("utf-16-be"), ("utf-16",)),
    ],
)
@pytest.mark.parametrize("knowing", [True, False])
def test_a_file_is_read_as_people_print_strings(content: bytes, reading: tuple[str, ...], knowing: bool) -> None:
    found = compared(content, knowing=knowing)
    assert found.same
    assert found.reading == reading
    assert found.difference is None
    assert found.gives_signature is (True if knowing else None)


@pytest.mark.parametrize(
    "signed", [RIGHT + b"\n", RIGHT.replace(b"\n", b"\r\n"), RIGHT.replace(b"\n", b"\\n"), b'"%s"' % RIGHT]
)
def test_the_signature_says_which_reading_was_signed(signed: bytes) -> None:
    """What a file of these bytes would be read as is right, and yet the client has signed the bytes themselves."""
    found = compared(signed, received(signed))
    assert not found.same
    assert found.reading == ()
    assert found.gives_signature is True
    assert "the difference is the cause" in str(found)
    printed = compared(signed + b"\n", received(signed))
    assert (printed.reading, printed.gives_signature) == (("newline",), True)


def test_the_first_difference_is_marked() -> None:
    signed = RIGHT.replace(b"application", b"Application").replace(b"?page=2", b"")
    found = compared(signed + b"\n", received(signed))
    assert str(found).splitlines() == [
        "The client's string: 84 bytes, read without the newline at its end",
        "  content type",
        r"    expected  application/json\n",
        r"    client's  Application/json\n",
        "              ^",
        "  target",
        "    expected  /orders?page=2",
        "    client's  /orders",
        "  the same: method, body digest, date, custom headers",
        (
            "First difference: content type, byte 0 of it and byte 38 of the client's string: "
            "0x61 is expected, 0x41 is there"
        ),
        (
            "With the secret it gives the very signature that was sent: secret and MAC are right, "
            "and the difference is the cause."
        ),
    ]
    assert found.as_json() == {
        "same": False,
        "reading": ["newline"],
        "expected_length": 91,
        "signed_length": 84,
        "difference": {
            "part": "content type",
            "offset": 38,
            "offset_in_part": 0,
            "expected": r"application/json\n",
            "signed": r"Application/json\n",
            "expected_byte": "0x61",
            "signed_byte": "0x41",
            "certain": True,
        },
        "parts": [
            {"names": ["method"], "expected": r"POST\n", "signed": r"POST\n", "same": True},
            {
                "names": ["body digest"],
                "expected": r"42b7b4f2921788ea14dac5566e6f06d0\n",
                "signed": r"42b7b4f2921788ea14dac5566e6f06d0\n",
                "same": True,
            },
            {
                "names": ["content type"],
                "expected": r"application/json\n",
                "signed": r"Application/json\n",
                "same": False,
            },
            {
                "names": ["date"],
                "expected": r"2024-11-07T10:21:15Z\n",
                "signed": r"2024-11-07T10:21:15Z\n",
                "same": True,
            },
            {"names": ["custom headers"], "expected": r"\n", "signed": r"\n", "same": True},
            {"names": ["target"], "expected": "/orders?page=2", "signed": "/orders", "same": False},
        ],
        "secret_compared": True,
        "gives_signature": True,
        "mistakes": [],
    }


@pytest.mark.parametrize(
    ("signed", "part", "offset", "in_part"),
    [
        (RIGHT.replace(b"POST", b"post"), "method", 0, 0),
        (RIGHT.replace(b"\n\n", b"\n"), "custom headers", 76, 0),
        (RIGHT.replace(b"\n", b""), "method", 4, 4),
        (RIGHT.replace(b"\n", b","), "method", 4, 4),
        (RIGHT.replace(b"42b7", b"42B7"), "body digest", 7, 2),
        (RIGHT.replace(b":15Z", b":16Z"), "date", 73, 18),
        (RIGHT + b"#top", "target", 91, 14),
        (RIGHT[:-1], "target", 90, 13),
        (RIGHT.replace(b"/orders", b"https://api.example.com/orders"), "target", 77, 0),
        (b"x " + RIGHT, "method", 0, 0),
        (b"", "method", 0, 0),
        (b"\xff\xfe", "method", 0, 0),
    ],
)
def test_the_difference_has_a_part_and_a_place(signed: bytes, part: str, offset: int, in_part: int) -> None:
    for knowing in (True, False):
        difference = compared(signed, knowing=knowing).difference
        assert difference is not None
        assert (difference.part, difference.offset, difference.offset_in_part) == (part, offset, in_part)


def test_where_the_string_is_not_the_cause_alone() -> None:
    wrong_secret = received(secret=b"another")
    assert "the secret, the MAC or its encoding is another" in str(compared(RIGHT, wrong_secret))
    both = compared(RIGHT.lower(), wrong_secret)
    assert both.gives_signature is False
    assert "differs too" in str(both)
    assert compared(RIGHT, knowing=False).conclusion == ""


@pytest.mark.parametrize(
    "signed",
    [
        RIGHT + SECRET,
        SECRET + RIGHT,
        RIGHT + SECRET[:-4],
        RIGHT + SECRET[4:] + SECRET[:8],
        RIGHT + SECRET.upper(),
        RIGHT.replace(b"\n\n", b"\n" + SECRET + b"\n"),
        RIGHT.replace(b"page=2", b64encode(SECRET)),
        RIGHT.replace(b"page=2", SECRET.hex().encode()),
        RIGHT.replace(b"page=2", b"s3cr3t+Zq9wXv%2BKd7Ym"),
        SECRET,
    ],
)
def test_a_secret_that_is_known_is_shown_nowhere(signed: bytes) -> None:
    found = compared(signed)
    shown = f"{found}{found!r}{json.dumps(found.as_json())}"
    for form in (
        SECRET,
        SECRET.upper(),
        SECRET[4:],
        SECRET[:-4],
        b64encode(SECRET),
        SECRET.hex().encode(),
        b"%2BKd7Ym",
    ):
        assert form.decode() not in shown
    assert f"0x{SECRET[0]:02x} is there" not in shown


def test_what_is_too_much_and_may_be_a_secret_is_hidden_where_none_is_known() -> None:
    found = str(compared(RIGHT + b"4f9c1d7e2b8a", knowing=False))
    assert "4f9c1d7e2b8a" not in found
    assert "client's  /orders?page=2<12 bytes>" in found
    # A part that is another is shown, or nobody could find the mistake.
    assert "client's  /v2/orders/17?page=2" in str(compared(RIGHT.replace(b"/orders", b"/v2/orders/17"), knowing=False))


def test_a_body_and_a_signature_are_hidden_as_in_an_explanation() -> None:
    for knowing in (True, False):
        found = str(compared(RIGHT.replace(b"42b7b4f2921788ea14dac5566e6f06d0", BODY), knowing=knowing))
        assert r"client's  <9 bytes>" in found
        assert '"a": 1' not in found
        signature = gotom_signature(RIGHT)
        assert signature not in str(compared(RIGHT + signature.encode(), knowing=knowing))


def test_values_that_are_named_like_credentials_are_hidden_on_both_sides() -> None:
    scheme = HttpHmac(provider="p", signed_headers=("Cookie",))
    request = Request("GET", "/a?token=abcdefgh", (("Cookie", "sid=0123456789"),), b"", "https://a.example")
    right = explain(scheme, request, "me", now=NOW)
    for change in (b"x", b"\n"):
        found = str(compare(right, right.canonical.replace(b"/a?", b"/b?").replace(b"cookie:", b"cookie:" + change)))
        assert "abcdefgh" not in found
        assert "0123456789" not in found


def test_no_byte_of_a_private_value_is_named_on_either_side() -> None:
    scheme = HttpHmac(provider="p", signed_headers=("Cookie",))
    request = Request("GET", "/a?token=abcdefgh&x=1", (("Cookie", "sid=0123456789"),), b"", "https://a.example")
    right = explain(scheme, request, "me", now=NOW)
    for change in (
        (b"abcdefgh", b"abcXefgh"),
        (b"abcdefgh", b"abc"),
        (b"0123456789", b"0123X56789"),
        (b"abc", b"%61bc"),
    ):
        found = compare(right, right.canonical.replace(*change)).difference
        assert found is not None
        assert (found.expected_byte, found.signed_byte, found.signed_mark) == ("", "", None)


# Schemes that have the secret among their parts.

KEY = "2fvmer3qbk7f3jnq"


def grid(at: int = NOW, key: str = KEY, secret: bytes = SECRET) -> Request:
    sig = hashlib.md5(key.encode() + secret + str(at).encode(), usedforsecurity=False).hexdigest()
    return Request("GET", f"/api/grid/list?api_key={key}&sig={sig}&v=1.5", (), b"", "https://api.gogrid.com")


def grid_compared(signed: bytes, *, at: int = NOW, knowing: bool = True) -> Comparison:
    return beside(GoGrid(), grid(at), signed, now=NOW, keys={KEY: SECRET} if knowing else None).comparison


def test_the_secret_among_the_parts_is_compared_and_not_shown() -> None:
    right = KEY.encode() + SECRET + b"1730974875"
    found = grid_compared(right)
    assert (found.same, found.secret_compared, found.gives_signature) == (True, True, True)
    unknown = grid_compared(right, knowing=False)
    assert (unknown.same, unknown.secret_compared, unknown.gives_signature) == (True, False, None)
    for masked in (b"<secret>", b"***", b"xxxxxx", b"[REDACTED]", b"{secret}", b"$SECRET", b"\0"):
        found = grid_compared(KEY.encode() + masked + b"1730974875")
        assert (found.same, found.gives_signature) == (True, True)


def test_the_time_that_is_not_sent_is_the_one_in_the_clients_string() -> None:
    for at in (NOW - 3, NOW + 8, NOW - 86400):
        for knowing in (True, False):
            found = beside(
                GoGrid(),
                grid(at),
                KEY.encode() + SECRET + f"{at}\n".encode(),
                now=NOW,
                keys={KEY: SECRET} if knowing else None,
            )
            assert found.comparison.same
            assert found.explanation.at == at


@pytest.mark.parametrize(
    "signed",
    [
        b"%b%b1730974875" % (SECRET, KEY.encode()),
        b"%b1730974875%b" % (KEY.encode(), SECRET),
        b"%b%b1730974875000" % (KEY.encode(), SECRET),
        b"%b-%b-1730974875" % (KEY.encode(), SECRET),
        b"%b%b1730974875" % (KEY.encode(), SECRET + b"\n"),
        b"%b%b" % (KEY.encode(), SECRET),
        b"%b%b1730974875" % (KEY.encode().upper(), SECRET),
        SECRET,
    ],
)
@pytest.mark.parametrize("knowing", [True, False])
def test_no_byte_of_the_secret_is_shown_whether_it_is_known_or_not(signed: bytes, knowing: bool) -> None:
    found = grid_compared(signed, knowing=knowing)
    shown = f"{found}{found!r}{json.dumps(found.as_json())}"
    assert not any(SECRET[place : place + 4].decode() in shown for place in range(len(SECRET) - 3))
    assert "0x73 is there" not in shown


def test_with_the_secret_the_place_behind_it_is_certain() -> None:
    signed = KEY.encode() + SECRET + b"1730974875000"
    found = grid_compared(signed).difference
    assert found is not None
    assert (found.part, found.offset, found.offset_in_part, found.certain) == ("seconds", 45, 10, True)
    unknown = grid_compared(signed, knowing=False)
    assert unknown.difference is not None
    assert (unknown.difference.part, unknown.difference.certain) == ("seconds", False)
    assert "or the secret, whose end is not known" in str(unknown)


def test_a_secret_that_a_scheme_decodes_is_told_by_its_hash() -> None:
    scheme = Recipe(
        name="decoded",
        parts=["secret", "method", "target"],
        mac="hash-sha256",
        secret="base64",
        window=None,
        headers={"X-Key": "{key_id}", "X-Signature": "{signature}"},
        allow_http=True,
    )
    secret = b64encode(b"bytes of a key")
    signed = b"bytes of a keyGET/x"
    headers = (("X-Key", "me"), ("X-Signature", hashlib.sha256(signed).hexdigest()))
    request = Request("GET", "/x", headers, b"", "https://a.example")
    found = beside(scheme, request, signed, now=NOW, keys={"me": secret}).comparison
    assert (found.same, found.gives_signature) == (True, True)
    undecoded = beside(scheme, request, secret + b"GET/x", now=NOW, keys={"me": secret}).comparison
    assert not undecoded.same
    assert "bytes of a key" not in f"{undecoded}{undecoded.as_json()}"


def test_a_request_that_is_still_to_be_signed() -> None:
    request = replace(received(), headers=(("Content-Type", "application/json"),))
    found = beside(GoTom(), request, RIGHT, now=NOW, key=Credential("me", SECRET), keys=KEYS).comparison
    assert found.same
    assert found.gives_signature is None
    scheme: Scheme = Recipe(
        name="nonced",
        parts=["nonce", "time", "target"],
        joiner="|",
        mac="hmac-sha256",
        window=Window(60, 60),
        headers={"X": "{key_id} {time} {nonce} {signature}"},
    )
    assert beside(scheme, request, b"n-1|1730974875|/orders?page=2", now=NOW, key="me").comparison.same


def test_of_several_strings_that_a_scheme_takes_the_clients_is_the_one() -> None:
    """Twilio signs the URL with its port or without, and says so of neither."""
    for port in ("", ":443"):
        string = f"https://a.example{port}/x?y=1".encode()
        signature = b64encode(hmac.new(SECRET, string, hashlib.sha1).digest()).decode()
        request = Request("GET", "/x?y=1", (("X-Twilio-Signature", signature),), b"", "https://a.example")
        found = beside(build_scheme("twilio"), request, string, now=NOW, keys={"twilio": SECRET})
        assert (found.comparison.same, found.comparison.gives_signature) == (True, True)
        assert found.explanation.canonical == string


def test_a_long_string_takes_no_time() -> None:
    body = b"x1" * 500_000
    scheme = Recipe(
        name="whole",
        parts=["time", "body"],
        mac="hmac-sha256",
        headers={"X": "{key_id} {time} {signature}"},
        window=Window(9, 9),
    )
    request = Request("POST", "/", (("X", f"me {NOW} {'0' * 64}"),), body, "https://a.example")
    found = beside(scheme, request, str(NOW).encode() + body + b"\n", now=NOW, keys=KEYS).comparison
    assert found.same
    found = beside(scheme, request, str(NOW).encode() + body[:-1] + b"3\n", now=NOW, keys=KEYS).comparison
    assert found.difference is not None
    assert (found.difference.part, found.difference.offset) == ("body", 1_000_009)
    assert (found.difference.expected_byte, found.difference.signed_byte) == ("0x31", "0x33")


# Every scheme.


def spoilt(string: bytes, drawn: random.Random) -> bytes:
    start = drawn.randrange(len(string) + 1)
    end = min(len(string), start + drawn.randrange(1, 9))
    return drawn.choice(
        [
            string[:start] + string[end:],
            string[:start] + bytes([drawn.randrange(256)]) + string[start:],
            string[:start] + string[start:end].swapcase() + string[end:],
            string[:start],
            string[start:],
            string[end:] + string[:start],
            string.replace(b"\n", b""),
            string.replace(b"\n", b"\r\n"),
            string.upper(),
            b"\n".join(reversed(string.split(b"\n"))),
        ]
    )


def pieces(secret: bytes) -> set[str]:
    """What shows of a secret, but for those of vectors that hold the word itself, which stands in every answer."""
    found = {secret[place : place + 8].decode("latin-1") for place in range(len(secret) - 7)}
    return {piece for piece in found if "secret" not in piece}


@pytest.mark.sampled(5)
@pytest.mark.parametrize("name", [*names(), *preset_names()])
def test_the_laws_of_comparing_hold_for_every_scheme(name: str) -> None:
    """What is right is the same; of what is spoilt every part is there once, and no piece of the secret is shown."""
    drawn, file = random.Random(name), load(name)
    verified = [group for group in file.groups if group.op == "verify"]
    for group in drawn.sample(verified, min(12, len(verified))):
        scheme = build_scheme(file.scheme, dict(group.options))
        for test in [test for test in group.tests if test.result == "valid"][:2]:
            explanation = explain(scheme, test.request, now=group.now)
            secret = next(secret for secret in group.keys[explanation.key_id] if secret)
            has_secret = any(part.shown == "<secret>" for part in explanation.parts)
            right = explanation.canonical.replace(b"\0", secret) if has_secret else explanation.canonical
            for keys in (None, {key_id: list(secrets) for key_id, secrets in group.keys.items()}):
                assert beside(scheme, test.request, right, now=group.now, keys=keys).comparison.same
                for end in (b"", drawn.choice([secret, secret[: len(secret) // 2], b64encode(secret)])):
                    found = beside(scheme, test.request, spoilt(right, drawn) + end, now=group.now, keys=keys)
                    parts = [name for pair in found.comparison.compared for name in pair.parts]
                    assert parts == [part.name for part in explanation.parts]
                    assert found.comparison.same is (found.comparison.difference is None)
                    shown = f"{found.comparison}{found.comparison!r}{json.dumps(found.comparison.as_json())}"
                    if keys is not None or has_secret:
                        public = str(explanation)
                        assert not [piece for piece in pieces(secret) if piece in shown and piece not in public]


@pytest.mark.parametrize("string", [RIGHT, RIGHT.replace(b"POST", b"post")])
@pytest.mark.parametrize(
    ("secret", "word"),
    [
        (SECRET + b"\n", "white space"),
        (SECRET[:6], "part of the secret"),
        (SECRET.hex().encode(), "hex"),
        (b"me", "key id"),
    ],
)
def test_a_spoilt_secret_is_named_where_the_clients_string_is_signed_with_it(
    string: bytes, secret: bytes, word: str
) -> None:
    found = compared(string, received(string, secret))
    assert found.gives_signature is False
    assert len(found.mistakes) == 1
    assert word in found.mistakes[0]
    assert found.mistakes[0] in str(found)
    assert SECRET.decode() not in str(found)


def test_another_mac_is_named_too() -> None:
    digest = b64encode(hashlib.sha1(SECRET + RIGHT, usedforsecurity=False).digest()).decode()
    request = replace(received(), headers=(*received().headers[:2], ("Authorization", f"gotom_app_api me:{digest}")))
    found = compared(RIGHT, request)
    assert "plain hash, secret first" in found.conclusion
    assert not compared(RIGHT, received(RIGHT, b"of nobody")).mistakes
