"""diagnose: what it takes, what it says, how much it computes, and other people's schemes."""

from __future__ import annotations

import hashlib
import json
import math
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import pytest

from tests.diagnose.clients import KEYS, NOW, GoGridClient, GoTomClient, md5, report
from undersign import (
    BodyNeed,
    Claim,
    Component,
    ConfigError,
    GoGrid,
    GoTom,
    KeyedTimestamp,
    Patch,
    Request,
    Scheme,
    Secret,
    Window,
)
from undersign.diagnosing import Cause, diagnose
from undersign.diagnosing.cause import clock_cause, difference
from undersign.scheme import Body


def codes(request: Request, schemes: Scheme | Sequence[Scheme] = (), keys: object = KEYS, now: float = NOW) -> set[str]:
    return {cause.code for cause in diagnose(request, schemes or [GoTom(), GoGrid()], keys, now)}  # type: ignore[arg-type]


def detail(client: GoTomClient | GoGridClient) -> str:
    (cause,) = diagnose(client.request(), [GoTom(), GoGrid()], KEYS, NOW)
    return cause.detail


@pytest.mark.parametrize("client", [GoTomClient(), GoGridClient(), GoGridClient(in_form=True)])
def test_a_request_that_verifies_has_no_cause(client: GoTomClient | GoGridClient) -> None:
    assert diagnose(client.request(), [GoTom(), GoGrid()], KEYS, NOW) == ()


def test_the_first_byte_that_differs_is_named() -> None:
    said = detail(GoTomClient(sign_target=lambda target: target.replace("size", "Size").encode()[:-1] + b"#"))
    assert said.startswith("No known mistake")
    said = detail(GoTomClient(target="/a%2fb", sign_target=lambda target: b"/a%2Fb"))
    assert "target byte 4 is 0x66 as sent and 0x46 as signed" in said
    said = detail(GoTomClient(sent_body=lambda body: body[:-1]))
    assert "body byte 28 is past the end as sent and 0x0a as signed" in said


@pytest.mark.parametrize("length", [0, 1, 2, 7, 8, 1000])
def test_the_first_difference_is_found_by_halves(length: int) -> None:
    drawn = random.Random(length)
    one = drawn.randbytes(length)
    assert f"part byte {length} is past the end" in difference(one, one + b"x", "part")
    for place in range(0, length, max(1, length // 7)):
        other = one[:place] + bytes([one[place] ^ 1]) + one[place + 1 :]
        assert f"part byte {place} is 0x{one[place]:02x} as sent" in difference(one, other, "part")


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    ("ahead", "code"),
    [
        (3600, "timezone"),
        (3600 - 120, "timezone"),
        (3600 + 121, "clock-skew"),
        (14 * 3600, "timezone"),
        (14 * 3600 + 900, "clock-skew"),
        (-12 * 3600 - 60, "timezone"),
        (-13 * 3600, "clock-skew"),
        (5 * 3600 + 45 * 60, "timezone"),
        (-700, "clock-skew"),
        (86400, "clock-skew"),
    ],
)
def test_a_zone_is_a_multiple_of_a_quarter_of_an_hour(ahead: int, code: str) -> None:
    assert clock_cause(ahead).code == code
    assert codes(GoGridClient(at=NOW + ahead).request()) == ({code} if abs(ahead) > 600 else set())


def test_the_earlier_name_wins() -> None:
    # A line end of JSON is also another layout of it, and %7E decoded is also %7E encoded another way.
    assert codes(GoTomClient(body=b"[1]", sign_body=lambda body: b"[1]\n").request()) == {"body-trailing-newline"}
    assert codes(GoTomClient(target="/%7Ea", sign_target=lambda target: b"/~a").request()) == {"target-decoded"}
    other = GoTomClient(content_type="application/json; charset=x", sign_type=lambda value: "application/json")
    assert codes(other.request()) == {"content-type-parameters"}
    upload = GoTomClient(content_type="multipart/form-data; boundary=b", sign_body=lambda body: b"")
    assert codes(upload.request()) == {"multipart-as-empty"}
    assert codes(replace(upload, method="PUT").request()) == {"body-empty"}


@pytest.mark.parametrize("name", ["Authorization", "Date", "Content-Type"])
def test_a_header_that_is_missing_or_repeated_is_named(name: str) -> None:
    request = GoTomClient().request()
    rest = tuple(pair for pair in request.headers if pair[0] != name)
    (cause,) = diagnose(replace(request, headers=rest), GoTom(), KEYS, NOW)
    assert cause.code == "header-missing"
    assert name in cause.detail
    twice = (*request.headers, (name.lower(), request.values(name.lower())[0]))
    (cause,) = diagnose(replace(request, headers=twice), GoTom(), KEYS, NOW)
    assert cause.code == "header-repeated"
    assert name in cause.detail


def test_several_headers_may_be_missing() -> None:
    request = replace(GoTomClient().request(), headers=())
    assert codes(request) == {"header-missing"}
    client = GoTomClient(content_type=None, sign_type=lambda value: "application/json", end=b"\n")
    assert codes(client.request()) == {"header-missing", "string-trailing-newline"}


@pytest.mark.parametrize("param", ["api_key", "sig", "v"])
def test_a_parameter_that_is_missing_is_named(param: str) -> None:
    params = tuple(name for name in ("api_key", "sig", "v") if name != param)
    (cause,) = diagnose(GoGridClient(params=params).request(), [GoTom(), GoGrid()], KEYS, NOW)
    assert cause.code == "header-missing"
    assert f"parameter {param}:" in cause.detail
    assert codes(GoGridClient(extra=((param, "1"),)).request()) == {"header-repeated"}


def test_credentials_that_cannot_be_read_are_named() -> None:
    request = Request(
        "GET", "/", (("Authorization", "gotom_app_api nothing"), ("Date", "now")), b"", "https://a.example"
    )
    details = {cause.code: cause.detail for cause in diagnose(request, GoTom(), KEYS, NOW)}
    assert "gotom_app_api {key_id}:{signature}" in details["carrier"]


@pytest.mark.parametrize(
    "request_",
    [
        replace(GoGridClient().request(), origin="http://api.example.com"),
        replace(GoGridClient().request(), method="PUT"),
        GoGridClient(params=("api_key", "sig"), extra=(("v", "7"),)).request(),
        replace(GoTomClient().request(), headers=(*GoTomClient().request().headers, ("X-HTTP-Method-Override", "PUT"))),
        Request("GET", "/", (("Authorization", "Bearer abc"),), b"", "https://api.example.com"),
        Request(
            "GE T", "/ \xff\x00", (("Authorization", "gotom_app_api \xff:="), ("Date", ""), ("Content-Type", "\0"))
        ),
    ],
)
def test_other_faults_are_unexplained_and_say_what_they_are(request_: Request) -> None:
    causes = diagnose(request_, [GoTom(), GoGrid()], KEYS, NOW)
    assert {cause.code for cause in causes} <= {"unexplained", "header-missing"}
    assert causes


def test_keys_by_scheme_by_lookup_and_for_rotation() -> None:
    client = GoTomClient(end=b"\n")
    secret = KEYS["crm_sync"]
    assert codes(client.request(), keys={"crm_sync": ["new", secret]}) == {"string-trailing-newline"}
    assert codes(client.request(), keys={"gotom": {"crm_sync": secret}}) == {"string-trailing-newline"}
    assert codes(client.request(), keys=lambda key_id, scheme: Secret(secret)) == {"string-trailing-newline"}
    assert codes(client.request(), keys=lambda key_id, scheme: None) == {"unexplained"}
    assert codes(client.request(), keys=lambda key_id, scheme: 1 / 0) == {"unexplained"}
    # The secret that the same key has for another scheme is another secret.
    right = GoTomClient().request()
    assert codes(right, keys={"gotom": {"crm_sync": "x"}, "gogrid": {"crm_sync": secret}}) == {"secret-other"}
    assert codes(right, keys={"somebody": secret}) == {"secret-other"}
    with pytest.raises(ConfigError):
        diagnose(right, [], KEYS, NOW)
    with pytest.raises(ConfigError, match=r"keys is a mapping .* not list"):
        diagnose(right, GoTom(), ["crm_sync"], NOW)  # type: ignore[arg-type]


@dataclass(frozen=True)
class CountingGoTom(GoTom):
    """Counts what is computed."""

    def signature(self, secret: bytes, string: bytes) -> str:
        COUNTS.append(1)
        return super().signature(secret, string)


@dataclass(frozen=True)
class CountingGoGrid(GoGrid):
    """The same."""

    def signature(self, secret: bytes, string: bytes) -> str:
        COUNTS.append(1)
        return super().signature(secret, string)

    def candidates(self, secret: bytes, claim: Claim, body: Body, seconds: Sequence[int]) -> Iterable[str]:
        COUNTS.append(len(seconds))
        return super().candidates(secret, claim, body, seconds)


COUNTS: list[int] = []


def test_the_search_of_a_large_body_is_bounded() -> None:
    rows = [{"é": index, "name": "x/y z", "price": 1.5} for index in range(1700)]
    body = json.dumps(rows, ensure_ascii=False).encode()
    assert len(body) > 64 * 1024
    client = GoTomClient(body=body, target="/a%20b/c%2fd/e?a=1&b=2&c=3&d=%C3%A9+x", secret=lambda secret: b"nobody's")
    COUNTS.clear()
    assert codes(client.request(), CountingGoTom()) == {"unexplained"}
    report(f"{sum(COUNTS)} signatures for a body of {len(body)} bytes")
    assert sum(COUNTS) < 80_000


def test_the_search_of_a_long_target_is_bounded() -> None:
    target = "/" + "%41" * 8000 + "?" + "&a=%20+" * 3000
    COUNTS.clear()
    assert codes(GoTomClient(target=target, secret=lambda secret: b"no").request(), CountingGoTom()) == {"unexplained"}
    assert sum(COUNTS) < 5_000


def test_the_search_of_the_time_is_bounded() -> None:
    keys = {"2fvmer3qbk7f3jnqneg58bu2": ["a", "b", "c"], **{f"key {number}": str(number) for number in range(300)}}
    client = GoGridClient(secret=lambda secret: b"nobody's")
    COUNTS.clear()
    assert codes(client.request(), CountingGoGrid(), keys=keys) == {"unexplained"}
    report(f"{sum(COUNTS)} signatures for a keyed timestamp")
    assert sum(COUNTS) <= 560_000


SECRET = "a plain secret"


WINDOW = Window(300, 300)


@dataclass(frozen=True)
class Plain(Scheme):
    """Somebody's scheme: a hash over lines, in a header of its own."""

    name: str = "plain"
    window: Window = WINDOW

    def covers(self, request: Request) -> frozenset[Component]:
        return frozenset({Component.METHOD, Component.TARGET, Component.CONTENT_TYPE, Component.BODY, Component.DATE})

    def body_need(self, head: Request) -> BodyNeed:
        return BodyNeed(("sha256",))

    def draft(self, request: Request, claim: Claim) -> tuple[Patch, bytes]:
        return Patch(), self.string(request, claim, request.body, math.floor(claim.at or 0))

    def string(self, request: Request, claim: Claim, body: Body, second: int) -> bytes:
        digest = hashlib.sha256(body).hexdigest() if isinstance(body, bytes) else body.digests["sha256"]
        content_type = request.values("content-type")[0]
        return f"{request.method}\n{request.target}\n{content_type}\n{digest}\n{claim.at:.0f}".encode("latin-1")

    def signature(self, secret: bytes, string: bytes) -> str:
        return hashlib.sha256(secret + string).hexdigest()

    def write(self, claim: Claim, request: Request) -> Patch:
        return Patch((("X-Signed", f"{claim.key_id} {claim.at:.0f} {claim.signatures[0]}"),))

    def read(self, request: Request) -> Claim | None:
        for value in request.values("x-signed"):
            key_id, at, signature = value.split(" ")
            claim = Claim(key_id, float(at), (signature,))
            return claim._replace(string=partial(self.string, request, claim))
        return None


@dataclass(frozen=True)
class Timeless(Plain):
    """The same that signs the time alone, and does not send it."""

    def string(self, request: Request, claim: Claim, body: Body, second: int) -> bytes:
        return f"{claim.key_id}\n{second}".encode()

    def read(self, request: Request) -> Claim | None:
        claim = super().read(request)
        return claim and claim._replace(at=None)


PLAIN = Plain()


def plain_request(
    scheme: Scheme = PLAIN,
    *,
    secret: bytes | str = SECRET,
    at: float = NOW,
    target: str = "/a%20b?q=1",
    method: str = "POST",
    body: bytes = b"text\n",
    content_type: str = "text/plain",
) -> Request:
    """A request of which these parts are signed, as it is sent with the parts that are right."""
    right = Request("POST", "/a%20b?q=1", (("Content-Type", "text/plain"),), b"text\n", "https://api.example.com")
    signed = Request(method, target, (("Content-Type", content_type),), body)
    claim = Claim("me", at)
    key = secret if isinstance(secret, bytes) else secret.encode()
    signature = scheme.signature(key, scheme.draft(signed, claim)[1])
    return scheme.write(claim._replace(signatures=(signature,)), right).apply(right)


@pytest.mark.parametrize(
    ("date", "said"),
    [
        ("2024-11-07T10:21:15", "The Date header names no zone: write it as YYYY-MM-DDThh:mm:ssZ."),
        ("2024-11-07 10:21:15.123456", "The Date header names no zone: write it as YYYY-MM-DDThh:mm:ssZ."),
        ("Thu, 07 Nov 2024 10:21:15", "The Date header names no zone: write it as YYYY-MM-DDThh:mm:ssZ."),
        ("07.11.2024 10:21", "The Date header is not a date in a form that is read: write it as YYYY-MM-DDThh:mm:ssZ."),
    ],
)
def test_a_date_that_is_not_read_says_how_to_write_it(date: str, said: str) -> None:
    assert detail(GoTomClient(date=date)) == said


@pytest.mark.parametrize("date", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
def test_a_date_that_is_in_no_year_of_utc_is_far_off(date: str) -> None:
    assert codes(GoTomClient(date=date).request()) == {"clock-skew"}
    assert codes(GoTomClient(date=date, secret=lambda secret: b"no").request()) >= {"unexplained"}


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (plain_request(), ""),
        (plain_request(secret=SECRET + "\n"), "secret-whitespace"),
        (plain_request(secret="another"), "secret-other"),
        (plain_request(secret="nobody's"), "unexplained"),
        (plain_request(at=NOW + 3600), "timezone"),
        (plain_request(at=NOW + 2200), "clock-skew"),
        (plain_request(target="/a%20b"), "target-no-query"),
        (plain_request(target="/a b?q=1"), "target-decoded"),
        (plain_request(target="/a b?q=1", method="post"), "method-case target-decoded"),
        (plain_request(body=b"text", content_type="application/json"), "body-trailing-newline content-type-default"),
        (plain_request(body=b"text", at=NOW - 5000), "body-trailing-newline clock-skew"),
        (plain_request(content_type="text/plain; charset=utf-8"), "content-type-parameters"),
        (plain_request(Timeless()), ""),
        (plain_request(Timeless(), secret=SECRET + " "), "secret-whitespace"),
        (plain_request(Timeless(), secret="another"), "secret-other"),
        (plain_request(Timeless(), secret="nobody's"), "unexplained"),
        (plain_request(Timeless(), at=NOW + 400), "clock-skew"),
        (plain_request(Timeless(), at=NOW + 3601), "timezone"),
    ],
)
def test_a_third_party_scheme_gets_the_general_causes(request_: Request, code: str) -> None:
    keys = {"me": SECRET, "you": "another"}
    assert codes(request_, Plain(), keys) == set(code.split()) or codes(request_, Timeless(), keys) == set(code.split())


def test_a_third_party_scheme_may_end_its_lines_otherwise() -> None:
    @dataclass(frozen=True)
    class Dos(Plain):
        def string(self, request: Request, claim: Claim, body: Body, second: int) -> bytes:
            return super().string(request, claim, body, second).replace(b"\n", b"\r\n")

    assert codes(plain_request(Dos()), Plain(), {"me": SECRET}) == {"line-endings"}


def test_an_unknown_key_of_a_third_party_scheme() -> None:
    assert codes(plain_request(), Plain(), {"you": SECRET}) == {"secret-other"}
    assert codes(plain_request(), Plain(), {"you": "x"}) == {"unexplained"}
    assert codes(plain_request(Timeless()), Timeless(), {"you": SECRET}) == {"secret-other"}


@dataclass(frozen=True)
class Family(KeyedTimestamp):
    """A relative of the keyed timestamp, with other parameters."""

    key_param: str = "apikey"
    name: str = "family"
    allow_http: bool = True


def test_a_relative_of_a_family_gets_the_causes_of_the_family() -> None:
    digest = md5(f"k{NOW}s".encode()).hex()
    request = Request("GET", f"/?apikey=k&sig={digest}")
    assert diagnose(request, Family(), {"k": "s"}, NOW)[0].code == "concatenation-order"


def test_a_cause_is_a_value() -> None:
    assert Cause("provider", "x") == Cause("provider", "x")
