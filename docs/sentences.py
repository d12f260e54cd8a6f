"""Writes the page of error sentences from the code, so that whoever searches for one finds it to the letter."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import undersign

KINDS = {
    "ConfigError": "An option, a key or a credential that cannot work: found when the object is made.",
    "CannotSign": "A request that cannot be signed so that it would verify. It is left as it was.",
    "Rejected": "The detail of a refusal, behind its reason, in the server's log alone.",
    "ResponseRejected": "An answer whose signature is absent or wrong.",
}
_PACKAGE = Path(undersign.__file__).parent
_HEAD = """# Error sentences

What errors and the log say, word for word, with `…` for what is filled in. Each says what is wrong and, where there is
one remedy, what to do. The reasons, such as `mismatch` and `lossy_target`, are in [Why a signature does not
match](../diagnosis.md#1-look-at-the-reason).
"""


def write(path: Path) -> None:
    """Write the page, where it has changed."""
    found = sentences()
    lines = [_HEAD]
    for kind, meaning in KINDS.items():
        lines += [f"## {kind}", "", meaning, ""]
        lines += [f"- {_escaped(text)}" for text in sorted(found.get(kind, ()), key=str.lower)]
        lines.append("")
    text = "\n".join(lines)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def sentences() -> dict[str, set[str]]:
    """The sentences of each kind of error, as they stand in the package's code."""
    found: dict[str, set[str]] = {}
    for path in sorted(_PACKAGE.rglob("*.py")):
        if _PACKAGE / "testing" in path.parents:
            continue  # what those say is of a scheme under test
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            arguments = node.args if isinstance(node, ast.Call) else getattr(node, "elts", [])
            kind = getattr(node.func, "id", "") if isinstance(node, ast.Call) else ""
            if any(ast.unparse(argument).startswith("Reason.") for argument in arguments):
                kind = "Rejected"  # also where a helper makes it
            if kind in KINDS:
                found.setdefault(kind, set()).update(_texts(arguments))
    return found


def _texts(arguments: list[ast.expr]) -> Iterator[str]:
    for argument in arguments:
        text = _text(argument)
        if text.count(" ") > 1 and len(text.replace("…", "").split()) > 2:
            yield " ".join(text.split())


def _text(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) if isinstance(part, ast.Constant) else "…" for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _text(node.left) + _text(node.right)
    if isinstance(node, ast.IfExp):
        return _text(node.body)
    return "…"


def _escaped(text: str) -> str:
    return "".join(f"\\{letter}" if letter in r"\`*_{}[]<>#|$~" else letter for letter in text)
