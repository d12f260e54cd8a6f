"""A scheme on paper: its drawing, and the example that its API has published. For the command line and the pages."""

from __future__ import annotations

import textwrap

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

_THEN = " ─> "
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
    own = {"key id", "secret", "nonce", "literal", *scheme.extras, *scheme.optional_extras} | (
        {"path", "query"} if whole else set[str]()
    )
    return list(dict.fromkeys(part.name for part in scheme.program.parts if not part.binds and part.name not in own))


def by_default(name: str) -> Scheme | None:
    """The scheme of that name with no options given; None where it has to be given some."""
    try:
        return build_scheme(name)
    except ConfigError:
        return None


def drawing(scheme: SchemeOfParts, width: int | None = None) -> list[str]:
    """The lines of the drawing, in plain text; in no more than `width` columns, where there are words to break at.

    time    ─┐
    key id   ├─ joined by nothing ─> hmac-sha1 ─> base64 ─> {signature}
    target  ─┘

    header X-Signature   {signature}
    """
    lines = [*_beside(scheme), "", *_carriers(scheme.program)]
    if width is None or max(map(len, lines)) <= width:
        return lines
    return [*_below(scheme, width), "", *_carriers(scheme.program, width)]


def _below(scheme: SchemeOfParts, width: int) -> list[str]:
    """The parts, and what is done to them in lines of their own below."""
    names = [part.name for part in scheme.program.parts]
    widest = max(map(len, names))
    edges = [" ─┐", *[" ─┤"] * (len(names) - 2), " ─┘"] if len(names) > 1 else [""]
    lines = [f"{name:<{widest}}{edge}" for name, edge in zip(names, edges, strict=True)]
    for place, step in enumerate([*_how(scheme.program).split(_THEN), "{signature}"]):
        is_first = place == 0 and len(names) > 1
        arrow = "  " if is_first else f"  {_THEN.strip()} "
        lines += textwrap.wrap(f"{arrow}{step}", width, subsequent_indent="     ", break_long_words=False)
    return lines


def _beside(scheme: SchemeOfParts) -> list[str]:
    """The parts, and what is done to them beside the middle one."""
    program = scheme.program
    names = [part.name for part in program.parts]
    width = max(map(len, names))
    middle = (len(names) - 1) // 2
    lines: list[str] = []
    for place, name in enumerate(names):
        edge = "─" if len(names) == 1 else "─┐" if place == 0 else "─┘" if place == len(names) - 1 else " │"
        if place == middle:
            edge = "───" if len(names) == 1 else "─┬─" if place == 0 else " ├─"
            edge = f"{edge} {_how(program)}{_THEN}{{signature}}"
        lines.append(f"{name:<{width}} {edge}".rstrip())
    return lines


def _how(program: Program) -> str:
    mac = f"{'hmac' if program.mac.is_keyed else 'hash'}-{program.mac.algorithm}"
    joined = f"joined by {_NAMES.get(program.joiner, repr(program.joiner))}{_THEN}" if len(program.parts) > 1 else ""
    form = program.secret_form
    prefix = f", behind {form.prefix.decode()!r}" if form.prefix else ""
    keyed = f" with the secret {_SECRETS[form.form]}{prefix}" if program.mac.is_keyed else ""
    return f"{joined}{mac}{keyed}{_THEN}{program.mac.encoding}"


def _carriers(program: Program, room: int | None = None) -> list[str]:
    carriers = program.carriers
    place = {"query": "query", "form": "form", "query-or-form": "query or form"}[carriers.place]
    found = [(f"header {header.name}", header.template.text) for header in carriers.headers]
    found += [(f"{place} {name}", template.text) for name, template in carriers.fields]
    width = max(len(where) for where, _ in found)
    lines = [f"{where:<{width}}  {text}" for where, text in found]
    if room is None or max(map(len, lines)) <= room:
        return lines
    return [line for where, text in found for line in (where, f"  {text}")]


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
