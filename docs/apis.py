"""Writes the pages of the APIs from the presets: one for each family with a table, one for each API."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import NamedTuple

from undersign import HttpHmac, Recipe
from undersign.cli.drawing import bound_in_words, by_default, drawing, example
from undersign.recipe import SchemeOfParts
from undersign.registry import options_described
from undersign.schemes import presets
from undersign.schemes.documents import recipe_in_toml


class Family(NamedTuple):
    """APIs that sign alike."""

    page: str
    title: str
    text: str


WEBHOOKS = Family(
    "webhooks",
    "Webhooks",
    "Somebody else signs, and you verify: the body as it came, mostly behind a time. Most send no key id; the name of "
    "the scheme stands in its place. Keep the body's bytes: JSON that is parsed and written again is another body.",
)
HASHES = Family(
    "hashes",
    "Hashes with the secret in it",
    "Key id, secret, time or parameters are joined and hashed, without HMAC. Most bind nothing of the request. So "
    "whoever sees a signature can use it for another request until its time is over. https is a must.",
)
HMACS = Family(
    "hmacs",
    "HMACs of joined parts",
    "Parts of the request are joined, and the HMAC of the result is sent. The schemes differ in which parts, what "
    "stands between them, how the secret becomes a key, and how the time is written. People get these four things "
    "wrong.",
)
OWN = Family(
    "own",
    "Schemes that no recipe says",
    "These schemes have canonical requests, derived keys or structured fields. They are classes of their own. They "
    "work in the same clients and servers.",
)
FAMILIES = (WEBHOOKS, HMACS, HASHES, OWN)


def write(folder: Path) -> None:
    """Write all pages into the folder."""
    members: dict[Family, list[str]] = {family: [] for family in FAMILIES}
    for name in presets.names():
        members[family_of(name)].append(name)
        _write(folder / f"{name}.md", _page(name))
    for family, names in members.items():
        rows = "\n".join(f"| [`{name}`]({name}.md) | {presets.described(name).sentence} |" for name in names)
        table = f"| scheme | what it is |\n|---|---|\n{rows}\n"
        tree = "\n".join(["```{toctree}", ":hidden:", "", *names, "```"])
        _write(folder / f"{family.page}.md", f"# {family.title}\n\n{family.text}\n\n{table}\n{tree}\n")


def family_of(name: str) -> Family:
    """The family that a preset belongs to."""
    scheme = by_default(name)
    if "webhook" in presets.described(name).sentence.lower():
        return WEBHOOKS
    if isinstance(scheme, Recipe):
        return HASHES if scheme.mac.startswith("hash-") else HMACS
    if isinstance(scheme, HttpHmac):
        return HMACS
    return HASHES if isinstance(scheme, SchemeOfParts) else OWN


def _page(name: str) -> str:
    about, scheme = presets.described(name), by_default(name)
    python = name.replace("-", "_")
    lines = [f"# {name}", "", about.sentence, ""]
    lines += ["```console", "$ pip install undersign", "```", ""]
    lines += ["```python", "import undersign", "", f"scheme = undersign.presets.{python}({_needed(name)})", "```", ""]
    lines += [f"On the command line it is `--scheme {name}`. Where the rules are from: {_linked(about.source)}", ""]
    if isinstance(scheme, SchemeOfParts):
        lines += ["## What is signed, and where it travels", "", "```text", *drawing(scheme), "```", ""]
    if scheme is not None:
        bound = [f"- {line}" for line in bound_in_words(scheme)]
        lines += [
            "## What it binds",
            "",
            "At best, with the options as they are by default, the signature",
            "",
            *bound,
            "",
        ]
        lines += ["Whoever sees a request can change the rest within the window: see [Security](../security.md).", ""]
    lines += ["## An example", "", "```text", *example(name), "```", ""]
    lines += [
        "## Window, and refusals",
        "",
        about.window,
        "",
        f"To a bad signature the API answers: {about.refusal}",
        "",
    ]
    mistakes = [mistake.strip().rstrip(".") for mistake in about.mistakes.split(";")]
    lines += ["## What people get wrong", "", *(f"- {mistake}" for mistake in mistakes), ""]
    if options := options_described(name):
        lines += ["## Options", "", "| option | what it is | by default |", "|---|---|---|"]
        lines += [
            f"| `{option.name}` | {option.type} | {'needed' if option.needed else f'`{option.default}`'} |"
            for option in options
        ]
        lines.append("")
    if isinstance(scheme, Recipe):
        lines += ["## The recipe", "", "```toml", recipe_in_toml(scheme).rstrip("\n"), "```", ""]
    return "\n".join(lines)


def _linked(text: str) -> str:
    return re.sub(r"https?://[^\s,;)]+", r"<\g<0>>", text)


def _needed(name: str) -> str:
    parameters = inspect.signature(presets.preset(name)).parameters.values()
    return ", ".join(f"{parameter.name}=…" for parameter in parameters if parameter.default is parameter.empty)


def _write(path: Path, text: str) -> None:
    # What has not changed is left alone, so that Sphinx does not read it again.
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
