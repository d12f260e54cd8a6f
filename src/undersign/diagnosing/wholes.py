"""What clients do wrong to a string to sign as a whole: what stands between its parts and at its end, their order, how
its letters become bytes, and the MAC over it."""

from __future__ import annotations

import itertools
import re
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence

from .cause import Cause, string_difference
from .changes import Change

JOINERS = ("", "\n", ":", "&", ".", "|", ",", " ", ";", "-", "_", "/", "+", "\n\n")
"""What stands between two parts, the usual ones first."""
LF = b"\n"
_RARE_JOINERS = ("\\n", "\r\n", "\r", "\0", ", ", "; ", " | ", ": ", "\t", "#", "=", "~", "::", "||")
_SURE_JOINERS = 6
_MOST_ORDERED = 4
_MOST_MOVED = 8

TRAILING_NEWLINE = "The client signed the string with a newline at its end: end it without one."

OF_NOTHING = (
    "The client took the digest before anything was put into the MAC, so it is that of an empty string: write the "
    "string to sign first, then take the digest (in Go `mac.Write(data)` and `mac.Sum(nil)`)."
)


def ends(canonical: bytes | None, joiner: bytes = b"", *, secret_is_last: bool = False) -> Iterator[Change]:
    if secret_is_last:  # and what stands behind it belongs to it
        return
    for value in (b"\n", b"\r\n"):
        where = "" if canonical is None else f" ({string_difference(canonical, canonical + value)})"
        detail = f"{TRAILING_NEWLINE.rstrip('.')}{where}."
        yield Change("end", value, (Cause("string-trailing-newline", detail),))
    for value in (joiner, b" ", b"\\n", b"\0"):
        detail = "The client put something behind the last part of the string to sign: end it without."
        yield Change("end", value, (Cause("separator", detail),), lone=True)


def joiners(joiner: bytes, count: int, canonical: bytes | None) -> Iterator[Change]:
    """What else stands between the parts. `canonical` is the right string, None where it holds a secret, whose length
    no place may tell. White space beside a secret belongs to that."""
    right = repr(joiner.decode("latin-1"))[1:-1] or "nothing"
    if b"\n" in joiner:
        for value, what in ((b"\r\n", "CRLF"), (b"\\n", "a backslash and an n"), (b"\r", "CR")):
            where = ""
            if canonical is not None:
                where = f" ({string_difference(canonical, canonical.replace(joiner, joiner.replace(LF, value)))})"
            detail = f"The client put {what} between the lines of the string to sign: put one LF{where}."
            yield Change("join", joiner.replace(LF, value), (Cause("line-endings", detail),))
    for place, text in enumerate((*JOINERS, *_RARE_JOINERS)):
        value = text.encode()
        if value != joiner and count > (2 if value.isspace() and canonical is None else 1):
            detail = (
                f"The client put something else between the parts that are signed than is right: put {right} there."
            )
            yield Change("join", value, (Cause("separator", detail),), lone=place > _SURE_JOINERS)


def texts(beside: bytes | None = None) -> Iterator[Change]:
    """Other bytes of the same letters. `beside` is what stands beside the secret, if that is in the string: what
    changes nothing of it is done to the secret alone."""
    for name, (code, detail, change) in _TEXTS.items():
        if beside is not None and code == "string-encoding" and change(beside) in (beside, b"\xef\xbb\xbf" + beside):
            continue
        yield Change("text", name, (Cause(code, detail),), lone=name != "utf-16-le")


def recoded(name: str, string: bytes) -> bytes:
    """The string to sign with its letters in the bytes of that name."""
    return _TEXTS[name][2](string) if name else string


def _utf(encoding: str) -> Callable[[bytes], bytes]:
    return lambda string: string.decode("utf-8", "replace").encode(encoding)


def _percent_encoded(string: bytes) -> bytes:
    from urllib.parse import quote

    return quote(string, safe="").encode()


def _form_encoded(string: bytes) -> bytes:
    from urllib.parse import quote_plus

    return quote_plus(string).encode()


def _in_json(string: bytes) -> bytes:
    import json

    return json.dumps(string.decode("utf-8", "replace")).encode()


_IN = "The client encoded the string to sign"
_LINES = "The client ended the lines of the string to sign otherwise than by one LF."
_TEXTS: dict[str, tuple[str, str, Callable[[bytes], bytes]]] = {
    "utf-16-le": ("string-encoding", f"{_IN} as UTF-16: encode it as UTF-8.", _utf("utf-16-le")),
    "utf-16-be": ("string-encoding", f"{_IN} as UTF-16: encode it as UTF-8.", _utf("utf-16-be")),
    "utf-16": ("string-encoding", f"{_IN} as UTF-16: encode it as UTF-8.", _utf("utf-16")),
    "bom": (
        "string-encoding",
        f"{_IN} with a byte order mark: leave that out.",
        lambda string: b"\xef\xbb\xbf" + string,
    ),
    "latin-1": (
        "string-encoding",
        f"{_IN} in Latin-1: encode it as UTF-8.",
        lambda string: string.decode("utf-8", "replace").encode("latin-1", "replace"),
    ),
    "twice": (
        "string-encoding",
        f"{_IN} as UTF-8 twice: encode it once.",
        lambda string: string.decode("latin-1").encode(),
    ),
    "ascii": (
        "string-encoding",
        f"{_IN} as ASCII, with ? for letters: encode it as UTF-8.",
        lambda string: string.decode("utf-8", "replace").encode("ascii", "replace"),
    ),
    "percent": ("string-encoding", f"{_IN} with percent-escapes: sign it as it is.", _percent_encoded),
    "form": ("string-encoding", f"{_IN} with percent-escapes: sign it as it is.", _form_encoded),
    "base64": ("string-encoding", f"{_IN} in base64: sign it as it is.", b64encode),
    "json": ("string-encoding", f"{_IN} as JSON, in quotes: sign it as it is.", _in_json),
    "lower": ("string-encoding", "The client wrote the string to sign in lower case: sign it as it is.", bytes.lower),
    "upper": ("string-encoding", "The client wrote the string to sign in upper case: sign it as it is.", bytes.upper),
    "crlf": ("line-endings", _LINES, lambda string: string.replace(b"\n", b"\r\n")),
    "backslash": ("line-endings", _LINES, lambda string: string.replace(b"\n", b"\\n")),
    "cr": ("line-endings", _LINES, lambda string: string.replace(b"\n", b"\r")),
    "spaces": ("separator", _LINES, lambda string: b" ".join(string.split())),
    "no lines": ("separator", _LINES, lambda string: string.replace(b"\n", b"")),
    "stripped": ("part-missing", "The client took white space off the string to sign: sign it as it is.", bytes.strip),
    "led": ("separator", "The client put a line end in front of the string: begin without.", lambda s: b"\n" + s),
    "one line feed": (
        "part-missing",
        "The client left empty lines out of the string to sign: leave them in.",
        lambda string: re.sub(b"\n+", b"\n", string),
    ),
    "quoted": (
        "string-encoding",
        "The client put quotes around the string to sign: leave them out.",
        lambda string: b'"' + string + b'"',
    ),
}


def orders(names: Sequence[str], keyed: int | None) -> Iterator[Change]:
    """Other orders of the parts, one that is left out or there twice. `keyed` is where the secret is."""
    count = len(names)
    right = tuple(range(count))
    detail = f"The client put the parts together in another order: sign {', '.join(names)}, in this order."
    cause = Cause("concatenation-order", detail)
    if count <= _MOST_ORDERED:
        for order in itertools.permutations(right):
            if order != right:
                yield Change("order", order, (cause,), lone=count > 3 and sum(map(int.__ne__, order, right)) > 2)
    else:
        yield Change("order", right[::-1], (cause,))
    if _MOST_ORDERED < count <= 2 * _MOST_MOVED:
        for first, second in itertools.combinations(right, 2):
            swapped = list(right)
            swapped[first], swapped[second] = second, first
            yield Change("order", tuple(swapped), (cause,), lone=True)
        for place, to in itertools.permutations(right, 2):
            rest = [other for other in right if other != place]
            yield Change("order", (*rest[:to], place, *rest[to:]), (cause,), lone=True)
    for place in right if count > 1 else ():
        detail = f"The client left a part out of the string to sign, the {names[place]}: sign it too."
        yield Change("order", right[:place] + right[place + 1 :], (Cause("part-missing", detail),), lone=True)
    for place in right:
        detail = f"The client left a part of the string to sign empty, the {names[place]}: fill it in."
        yield Change("order", (*right[:place], b"", *right[place + 1 :]), (Cause("part-missing", detail),), lone=True)
    for place in range(count + 1):
        detail = "The client put an empty part, such as a line, into the string to sign: leave it out."
        cause = Cause("separator" if place in (0, count) else "part-missing", detail)
        yield Change("order", (*right[:place], b"", *right[place:]), (cause,), lone=True)
        if place < count and place != keyed:
            detail = f"The client put a part into the string to sign twice, the {names[place]}: once is right."
            twice = (*right[: place + 1], place, *right[place + 1 :])
            yield Change("order", twice, (Cause("part-missing", detail),), lone=True)
    for first, second in itertools.combinations(right, 2) if 2 < count <= _MOST_MOVED else ():
        kept = tuple(place for place in right if place not in (first, second))
        detail = f"The client left {names[first]} and {names[second]} out of the string to sign: sign them too."
        if keyed not in (first, second):
            yield Change("order", kept, (Cause("part-missing", detail),), lone=True)


def between(count: int) -> Iterator[Change]:
    """Something between two of the parts alone."""
    detail = (
        "The client put something between two of the parts that does not belong there: join them as the scheme says."
    )
    right = tuple(range(count))
    for place in range(1, count):
        for mark in (b":", b"-", b"|", b"&", b".", b",", b"?"):
            yield Change("order", (*right[:place], mark, *right[place:]), (Cause("separator", detail),), lone=True)


def macs(right: str, algorithm: str, names: Sequence[str], keyed: int | None) -> Iterator[Change]:
    """Other functions of the same string and secret. `keyed` is the place of the secret among the parts."""
    should = f"HMAC-{algorithm.upper()}" if right == "hmac" else f"a plain {algorithm.upper()}, with the secret in it,"
    for mac, what in MACS.items():
        if mac != right and not (right.startswith("secret") and mac.startswith("secret on")):
            detail = f"The client used {what} for the signature: it is {should} here."
            yield Change("mac", mac, (Cause("algorithm", detail),), lone=mac not in _USUAL_MACS[right])
    nothing = "of nothing" if right == "hmac" else "hash of nothing"
    yield Change("mac", nothing, (Cause("algorithm", OF_NOTHING),), lone=True)
    if keyed is None:
        return
    others = [place for place in range(len(names)) if place != keyed]
    detail = f"The client used an HMAC with the secret as its key for the signature: it is {should} here."
    for length in range(len(others), 0, -1) if len(others) <= _MOST_ORDERED else ():
        for order in itertools.permutations(others, length):
            sets = {"mac": "hmac", "order": order}
            yield Change("mac", sets, (Cause("algorithm", detail),), lone=order != tuple(others))
    detail = f"The client used an HMAC with one of the parts as its key for the signature: it is {should} here."
    for key in others:
        rest = [place for place in range(len(names)) if place != key]
        for order in ((keyed,), tuple(rest), tuple(rest[::-1])):
            yield Change("mac", {"mac": ("hmac", key), "order": order}, (Cause("algorithm", detail),), lone=True)
    sets = {"mac": "swapped", "order": tuple(others)}
    yield Change("mac", sets, (Cause("algorithm", detail),), lone=True)


MACS = {
    "hmac": "an HMAC",
    "hash": "a plain hash, without the secret as a key,",
    "swapped": "HMAC with secret and message in each other's place",
    "secret first": "a plain hash, secret first,",
    "secret last": "a plain hash, secret last,",
    "secret on its line": "a plain hash, the secret on its line,",
    "secret on the last line": "a plain hash, the secret on the last line,",
    "of hash in hex": "the MAC of a hash of the string, in hex,",
    "of hash": "the MAC of a hash of the string",
    "twice in hex": "the hash twice, over its own result in hex,",
    "twice": "the hash twice, over its own result,",
    "twice in HEX": "the hash twice, over its own result in upper-case hex,",
    "hash of HMAC": "a hash of the HMAC",
    "hash of HMAC in hex": "a hash of the HMAC in hex",
    "HMAC twice": "the HMAC twice, over its own result in hex,",
    "secret first and last": "a plain hash, the secret at both ends,",
}
"""The functions that clients take, in words."""
_USUAL_MACS = {
    "hmac": ("hash", "swapped", "secret first", "secret last", "secret on its line"),
    "hash": ("twice in hex",),
    "secret first": ("hmac", "secret last", "hash"),
    "secret last": ("hmac", "secret first", "hash"),
}
