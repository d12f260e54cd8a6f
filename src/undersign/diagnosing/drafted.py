"""What a scheme that is no recipe sends of its signer, learnt from a sample that it signs.

So a header that is missing, that is there twice, or that has another name is known for any scheme, and a time that was
written in another form can be put right before the request is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TypeAlias

from ..core.credentials import Credential
from ..core.message import Pairs, Patch, Request
from ..errors import Rejected, UndersignError
from ..parts.times import TimeForm, time_form
from ..scheme import Claim, Scheme
from ..signing import sign
from .cause import Cause
from .dates import instant, time_cause
from .places import is_close
from .signatures import is_signature

Sent: TypeAlias = "Mapping[str, tuple[str, Cause]]"
"""Times that were put in form: by that, how they came, and what was wrong with it."""
SAMPLE = b"a2V5a2V5"  # a secret in text, and in base64
_FORMS = ("unix", "unix-ms", "http", "iso", "iso-ms", "%Y%m%dT%H%M%SZ", "%Y%m%dT%H:%M:%S+0000", "%Y-%m-%d %H:%M:%S")
_ANYBODYS = ("date", "host", "content-type", "content-md5", "digest", "content-digest")


def sample(scheme: Scheme, request: Request, now: float) -> Patch | None:
    """What a signer would add to such a request; None where the scheme cannot sign it."""
    types = tuple(("Content-Type", value) for value in request.values("content-type")[:1])
    plain = replace(request, headers=types)
    try:
        return sign(scheme, plain, Credential("sample-key", SAMPLE), now=now, nonce="sample-nonce")
    except (UndersignError, ValueError):
        return None


def form_of_time(text: str, at: float) -> TimeForm | None:
    """The form in which a text says that instant."""
    for name in _FORMS:
        form = time_form(name)
        try:
            if form.write(at) == text:
                return form
        except UndersignError:
            continue
    return None


def looks_like(scheme: Scheme, request: Request, now: float) -> bool:
    """Whether the request has a header that is the scheme's own, by its name or nearly so."""
    patch = sample(scheme, request, now)
    own = [name for name, _ in patch.headers if name.lower() not in (*_ANYBODYS, "authorization")] if patch else []
    return any(is_close(name, other) for name in own for other, _ in request.headers)


def wanted(scheme: Scheme, request: Request, now: float) -> str:
    """The header that carries the signature, in words; empty where that is not known."""
    patch = sample(scheme, request, now)
    for name, value in patch.headers if patch else ():
        if any(
            is_signature(word)
            for word in (value, *value.replace('"', " ").replace(",", " ").split(), value.rpartition(":")[2])
        ):
            return f"the header {name}"
    return ""


def in_form(scheme: Scheme, request: Request, now: float) -> tuple[Request, tuple[Cause, ...], tuple[Cause, ...], Sent]:
    """The request with its headers as they should be, what it lacks, what was mended, and what the mended ones said."""
    patch = sample(scheme, request, now)
    lacking: list[Cause] = []
    mended: list[Cause] = []
    sent: dict[str, tuple[str, Cause]] = {}
    headers: Pairs = request.headers
    for name, right in patch.headers if patch else ():
        values = request.values(name.lower())
        if len(values) > 1:
            detail = f"The client sent the header {name} {len(values)} times: send it once."
            return request, (Cause("header-repeated", detail),), (), {}
        if not values or not values[0]:
            others = [other for other, _ in headers if is_close(name, other) and other.lower() not in _ANYBODYS]
            if len(others) == 1 and name.lower() not in _ANYBODYS:
                headers = tuple((name if held == others[0] else held, value) for held, value in headers)
                lacking.append(
                    Cause("header-name", f"The client sent the header {name} as {others[0]}: send it as {name}.")
                )
            else:
                lacking.append(Cause("header-missing", f"The client sent no header {name}: send it."))
            continue
        form = form_of_time(right, now)
        text = values[0]
        at = instant(text) if form is not None and form.read(text) is None else None
        found = time_cause(f"header {name}", text, form) if form is not None and at is not None else None
        if form is not None and at is not None and found is not None:
            written = form.write(at)
            mended.append(found[1])
            sent[written] = text, found[1]
            headers = tuple((held, written if held.lower() == name.lower() else value) for held, value in headers)
    if patch is not None and _read(scheme, altered := replace(request, headers=headers)) is None:
        for place, (name, value) in enumerate(headers):
            is_own = any(name.lower() == own.lower() for own, _ in patch.headers)
            for other in _rewritten(value) if is_own else ():
                changed = replace(altered, headers=(*headers[:place], (name, other), *headers[place + 1 :]))
                if _read(scheme, changed) is not None:
                    detail = f"The client wrote the header {name} in another form: put its list as the scheme says."
                    return changed, tuple(lacking), (*mended, Cause("carrier", detail)), sent
    return replace(request, headers=headers), tuple(lacking), tuple(mended), sent


def _read(scheme: Scheme, request: Request) -> Claim | None:
    try:
        return scheme.read(request)
    except Rejected:
        return None


def _rewritten(value: str) -> Iterator[str]:
    """A list of parameters as it may be meant: with other quotes, and with commas."""
    word, space, rest = value.partition(" ")
    pairs = re.findall(r"([A-Za-z_-]+)\s*[=:]\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s,;&\"']+))", rest)
    if len(pairs) < 2:
        return
    said = [(name, first or second or third) for name, first, second, third in pairs]
    for joint in (",", ", ", ";"):
        yield word + space + joint.join(f'{name}="{text}"' for name, text in said)
        yield word + space + joint.join(f"{name}={text}" for name, text in said)
