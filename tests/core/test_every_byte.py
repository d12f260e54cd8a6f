"""No byte of a signed request can be another, be missing or be there twice without notice."""

from __future__ import annotations

from collections.abc import Iterator

from undersign import GoTom, Rejected, Request, Verifier

from .plain import DATE, NOW, SECRET, USER, gotom_signature

_BODY = b'{"a": 1}'
_SIGNATURE = gotom_signature("POST", "/a%2f?b&&c=d", _BODY, content_type="text/x; q=a", custom="x-a: Val 1")
_RAW = (
    "POST /a%2f?b&&c=d HTTP/1.1\r\n"
    "Host: h\r\n"
    f"Authorization: gotom_app_api {USER}:{_SIGNATURE}\r\n"
    "Content-Type: text/X; q=A\r\n"
    f"Date: {DATE}\r\n"
    "X-A: Val 1\r\n"
    "X-Other: unsigned\r\n"
    "Content-Length: 8\r\n"
    "\r\n"
).encode() + _BODY
_VERIFIER = Verifier(GoTom(signed_headers=("X-A",)), {USER: SECRET, USER[1:]: SECRET[1:]}, clock=lambda: NOW)

_VALUES = sorted({*b"\x00\t\n\r !\"#%&'+,-./09:;=?@AZ[\\]^_`az{|}~\x7f\x80\xa0\xff", *range(0, 256, 23)})


def _meaning(request: Request) -> object:
    """What the signature stands for, taken apart plainly."""
    found = {name.lower(): value.strip(" \t") for name, value in request.headers}
    lower = found["content-type"].encode("latin-1").lower()
    return request.method, request.target, lower, found["date"], found["x-a"], found["authorization"], request.body


_MEANING = _meaning(Request.from_http(_RAW))


def _accepted(variants: Iterator[bytes]) -> int:
    """How many variants verify; each of them means what the signed request means."""
    accepted = 0
    for raw in variants:
        try:
            request = Request.from_http(raw)
            _VERIFIER.verify(request)
        except Rejected:
            continue
        accepted += 1
        assert _meaning(request) == _MEANING, raw
    return accepted


def test_the_request_verifies_as_it_is() -> None:
    assert _VERIFIER.verify(Request.from_http(_RAW)).key_id == USER


def test_no_byte_can_be_another() -> None:
    variants = (
        _RAW[:place] + bytes([value]) + _RAW[place + 1 :]
        for place in range(len(_RAW))
        for value in _VALUES
        if _RAW[place] != value
    )
    assert _accepted(variants) > 100  # those of Host and X-Other, and the case of names


def test_no_byte_can_be_missing_or_be_there_twice() -> None:
    places = range(len(_RAW))
    missing = (_RAW[:place] + _RAW[place + 1 :] for place in places)
    twice = (_RAW[: place + 1] + _RAW[place:] for place in places)
    assert _accepted(missing) > 5
    assert _accepted(twice) > 5


def test_no_byte_can_be_added() -> None:
    variants = (_RAW[:place] + bytes([value]) + _RAW[place:] for place in range(len(_RAW) + 1) for value in _VALUES)
    assert _accepted(variants) > 100


def test_no_line_can_be_dropped_repeated_or_moved_unless_it_means_the_same() -> None:
    head, _, body = _RAW.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")

    def variants() -> Iterator[bytes]:
        for place, line in enumerate(lines):
            rest = lines[:place] + lines[place + 1 :]
            for changed in (rest, *([*rest[:to], line, *rest[to:]] for to in range(len(lines))), [*lines, line]):
                yield b"\r\n".join(changed) + b"\r\n\r\n" + body

    assert _accepted(variants()) > len(lines)
