"""Digests inside of strings to sign: that of several parts together, and that of the body which a carrier says.

A digest in a carrier, `SHA-256={body:sha256:base64}`, is written when a request is signed, and compared with the body
when one is verified: the part that does so adds nothing to the string to sign, which has the carrier in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..core.message import Component, Request, body_digest, body_length
from ..errors import CannotSign, ConfigError
from .macs import ALGORITHMS, ENCODINGS, encoder, new_hash
from .message import SECRET, Body, Part, Values, compiled_part

RAW = "raw"
_Sent = Callable[[Request, str], "str | None"]


def nested_digest(options: Mapping[str, Any], *, time_is_sent: bool, field: str) -> Part:
    """The part `digest`: a hash over parts of its own, in an encoding or as its raw bytes. Raises ConfigError."""
    algorithm, encoding = options.get("digest"), options.get("encoding", "hex")
    joiner, specs = options.get("joiner", ""), options.get("parts")
    if algorithm not in ALGORITHMS or encoding not in (*ENCODINGS, RAW) or not isinstance(joiner, str):
        raise ConfigError(
            f"{field}: digest is one of {', '.join(ALGORITHMS)}, encoding one of {', '.join((*ENCODINGS, RAW))}, and "
            "joiner text"
        )
    if not isinstance(specs, Sequence) or isinstance(specs, str) or not specs:
        raise ConfigError(f"{field}: a digest has parts = […], what it is the digest of")
    parts = [
        compiled_part(spec, time_is_sent=time_is_sent, field=f"{field}.parts[{place}]")
        for place, spec in enumerate(specs)
    ]
    if any(part.constant == SECRET for part in parts):
        raise ConfigError(f"{field}: the secret is no part of a nested digest: name it among the recipe's own parts")
    encode = (lambda digest: digest) if encoding == RAW else encoder(encoding)

    def text(request: Request, values: Values, body: Body, second: int) -> str:
        texts = (_text_of(part, request, values, body, second) for part in parts)
        inner = joiner.join(text for text in texts if text is not None)
        digest: bytes = new_hash(str(algorithm), inner.encode("latin-1")).digest()
        return encode(digest).decode("latin-1")

    return Part(
        "digest",
        f"{str(algorithm).upper()} of {', '.join(part.name for part in parts)}, {encoding}",
        late=text,
        binds=_bound_by(parts, joiner),
        digest=str(algorithm) if not any(part.raw for part in parts) else "",
        raw=any(part.raw for part in parts),
        headers=tuple(name for part in parts for name in part.headers),
        holds=tuple(parts),
        query_without=_together(part.query_without for part in parts),
        form_without=_together(part.form_without for part in parts),
    )


def _bound_by(parts: Sequence[Part], joiner: str) -> frozenset[Component]:
    """What stands alone in the digest: parts of any text next to each other can trade bytes."""
    from .trading import traded  # which knows this module's parts

    bound = frozenset[Component]().union(*(part.binds for part in parts))
    return bound - traded(parts, joiner)


def _together(those: Any) -> frozenset[str] | None:
    found = [without for without in those if without is not None]
    return frozenset.intersection(*found) if found else None


def _text_of(part: Part, request: Request, values: Values, body: Body, second: int) -> str | None:
    if part.late is not None:
        return part.late(request, values, body, second)
    early = part.head_text()
    return None if early is None else early(request, values)


def digest_named(placeholder: str, field: str) -> tuple[str, str]:
    """Algorithm and encoding of the placeholder `body:ALG:ENC`. Raises ConfigError."""
    _, algorithm, encoding = [*placeholder.split(":"), "hex"][:3]
    if algorithm not in ALGORITHMS or encoding not in ENCODINGS:
        raise ConfigError(
            f"{field}: write {{body:ALG:ENC}}, ALG one of {', '.join(ALGORITHMS)}, ENC one of {', '.join(ENCODINGS)}"
        )
    return algorithm, encoding


def written_digest(placeholder: str, body: Body) -> str:
    """The digest of the body that the placeholder asks for."""
    algorithm, encoding = digest_named(placeholder, "")
    return encoder(encoding)(body_digest(body, algorithm)).decode("ascii")


def compared_digest(placeholder: str, where: str, sent: _Sent, *, binds: bool) -> Part:
    """The part without a text that compares the body with the digest in a carrier, which `sent` reads."""
    algorithm, _ = digest_named(placeholder, where)

    def compare(request: Request, _: Values, body: Body, __: int) -> str | None:
        text = sent(request, placeholder)
        if text is None and body_length(body):
            raise CannotSign(f"there is a body, and its digest is not in {where}")
        if text is not None and text != written_digest(placeholder, body):
            raise CannotSign(f"the digest in {where} is that of another body")
        return None

    bound = frozenset({Component.BODY}) if binds else frozenset[Component]()
    return Part("body digest", where, late=compare, binds=bound, digest=algorithm)
