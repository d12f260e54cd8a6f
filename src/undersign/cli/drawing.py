"""A scheme on paper: its drawing, and the example that its API has published. For the command line and the pages."""

from __future__ import annotations

from .. import vectors
from ..core.dates import format_date
from ..core.message import Component
from ..core.text import one_line
from ..errors import ConfigError
from ..explaining import visible
from ..parts.program import Program
from ..parts.scheme import SchemeOfParts
from ..registry import build_scheme
from ..scheme import Scheme

_NAMES = {"\n": "a line feed", "": "nothing", " ": "a space", "\t": "a tab"}
_SECRETS = {"text": "as its text", "base64": "decoded from base64", "hex": "decoded from hex"}


IN_WORDS = {
    Component.METHOD: "the method",
    Component.AUTHORITY: "the host",
    Component.TARGET: "the target (path and query)",
    Component.CONTENT_TYPE: "the content type",
    Component.DATE: "the time",
    Component.HEADERS: "headers",
    Component.BODY: "the body",
}


def bound_in_words(scheme: Scheme) -> list[str]:
    """What the scheme's signature binds of a request at best, and what anyone may change, a line each."""
    covers = scheme.could_cover()
    bound = [words for component, words in IN_WORDS.items() if component in covers]
    loose = [words for component, words in IN_WORDS.items() if component not in covers]
    in_part = _bound_in_part(scheme) if isinstance(scheme, SchemeOfParts) else []
    return [
        f"binds, as it is on the wire: {', '.join(bound) or 'nothing'}",
        *([f"binds in meaning or in part: {', '.join(in_part)}"] if in_part else []),
        f"does not bind: {', '.join(loose) or 'nothing is left out'}",
    ]


def _bound_in_part(scheme: SchemeOfParts) -> list[str]:
    """The parts that are signed in another form than that of the wire, on a condition, or of the target a half."""
    whole = Component.TARGET in scheme.could_cover()
    own = {"key id", "secret", "nonce", "literal", *scheme.extras} | ({"path", "query"} if whole else set[str]())
    return list(dict.fromkeys(part.name for part in scheme.program.parts if not part.binds and part.name not in own))


def by_default(name: str) -> Scheme | None:
    """The scheme of that name with no options given; None where it has to be given some."""
    try:
        return build_scheme(name)
    except ConfigError:
        return None


def drawing(scheme: SchemeOfParts) -> list[str]:
    """The lines of the drawing, in plain text.

    time    ─┐
    key id   ├─ joined by nothing ─> hmac-sha1 ─> base64 ─> {signature}
    target  ─┘

    header X-Signature   {signature}
    """
    program = scheme.program
    names = [part.name for part in program.parts]
    width = max(map(len, names))
    middle = (len(names) - 1) // 2
    lines: list[str] = []
    for place, name in enumerate(names):
        edge = "─" if len(names) == 1 else "─┐" if place == 0 else "─┘" if place == len(names) - 1 else " │"
        if place == middle:
            edge = "───" if len(names) == 1 else "─┬─" if place == 0 else " ├─"
            edge = f"{edge} {_how(scheme, program)} ─> {{signature}}"
        lines.append(f"{name:<{width}} {edge}".rstrip())
    return [*lines, "", *_carriers(program)]


def _how(scheme: SchemeOfParts, program: Program) -> str:
    mac, encoding = getattr(scheme, "mac", ""), getattr(scheme, "encoding", "")
    algorithm = mac or program.mac.algorithm
    joined = f"joined by {_NAMES.get(program.joiner, repr(program.joiner))} ─> " if len(program.parts) > 1 else ""
    form = program.secret_form
    prefix = f", behind {form.prefix.decode()!r}" if form.prefix else ""
    keyed = f" with the secret {_SECRETS[form.form]}{prefix}" if mac.startswith("hmac-") else ""
    return f"{joined}{algorithm}{keyed}" + (f" ─> {encoding}" if encoding else "")


def _carriers(program: Program) -> list[str]:
    carriers = program.carriers
    place = {"query": "query", "form": "form", "query-or-form": "query or form"}[carriers.place]
    found = [(f"header {header.name}", header.template.text) for header in carriers.headers]
    found += [(f"{place} {name}", template.text) for name, template in carriers.fields]
    width = max(len(where) for where, _ in found)
    return [f"{where:<{width}}  {text}" for where, text in found]


def example(name: str) -> list[str]:
    """The first of the preset's published answers, computed anew with the published key."""
    file = vectors.load(f"presets/{name}")
    group, test = next((group, test) for group, test in file if group.op == "sign" and test.result == "valid")
    passed, patch = vectors.run(name, group, test).passed, test.patch or ()
    lines = [
        f"An example with its answer: {one_line(group.source)}",
        f"  {test.request.method} {visible((test.request.origin + test.request.target).encode())}",
        f"  at {format_date(group.now)}, {group.now:.3f}".removesuffix(".000"),
        # All of it is published. Where the secret goes a string to sign holds a NUL.
        "  string to sign: " + "<secret>".join(map(visible, (test.string_to_sign or b"").split(b"\0"))),
    ]
    for place, pairs in zip(("header", "query", "form"), patch, strict=False):
        lines += [f"  {place} {pair[0]}: {visible(pair[1].encode())}" for pair in pairs]
    return [*lines, f"  computed anew: {'the same' if passed else 'ANOTHER, which is a fault of this library'}"]
