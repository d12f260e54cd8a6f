"""`undersign vectors`: the test vectors that come with the library, listed, checked, run and written out."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from .. import vectors as library
from ..core.text import printable
from ..errors import ConfigError
from .files import FileName
from .groups import Group
from .output import say
from .width import table


@click.group(cls=Group)
def vectors() -> None:
    """The test vectors of both schemes, which come with the library."""


@vectors.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
@click.argument("files", metavar="[NAME]...", nargs=-1)
def list_(files: Sequence[str], as_json: bool) -> int:
    """Print what there is: each rule with the number of its tests, valid and invalid."""
    listed = [_listed(library.load(name)) for name in files or library.names()]
    if as_json:
        click.echo(json.dumps(listed, indent=1))
        return 0
    for entry in listed:
        click.echo(f"{entry['scheme']} {entry['version']}: {entry['tests']} tests")
        rules = entry["rules"].items()
        counted = [(f"{rule['valid']:>4} valid {rule['invalid']:>4} invalid", rule["description"]) for _, rule in rules]
        for line in table([(f"  {flag}", *row) for (flag, _), row in zip(rules, counted, strict=True)]):
            click.echo(line)
    return 0


@vectors.command()
@click.argument("files", metavar="[FILE]...", nargs=-1, type=FileName())
def lint(files: Sequence[Path]) -> int:
    """Check vector files, by default those that come with the library: exit 0, or 1 and what is wrong."""
    texts = {str(file): file.read_text(encoding="utf-8") for file in files} or {
        name: library.read(name) for name in library.names()
    }
    wrong = 0
    for name, text in texts.items():
        by_schema = library.check_schema(text)
        if by_schema is None:
            say(f"{name}: the schema is not checked, which needs jsonschema: pip install jsonschema")
        for sentence in [*(by_schema or ()), *library.lint(text)]:
            click.echo(f"{name}: {printable(sentence)}")
            wrong += 1
    if not wrong:
        click.echo(f"{', '.join(texts)}: in order")
    return 1 if wrong else 0


@vectors.command()
@click.argument("files", metavar="[FILE]...", nargs=-1, type=FileName())
def run(files: Sequence[Path]) -> int:
    """Run the vectors through the library: exit 0, or 1 and which of them it does not pass."""
    parsed = [library.parse(file.read_text(encoding="utf-8")) for file in files] or [
        library.load(name) for name in library.names()
    ]
    failed = 0
    for file in parsed:
        results = list(library.run_file(file))
        for result in results:
            if not result.passed:
                click.echo(f"{file.scheme} {result.test.name}: {printable(result.difference)}")
        passed = sum(result.passed for result in results)
        failed += len(results) - passed
        click.echo(f"{file.scheme} {file.version}: {passed} of {len(results)} passed")
    return 1 if failed else 0


@vectors.command()
@click.argument("folder", type=FileName(file_okay=False, dir_okay=True))
def export(folder: Path) -> int:
    """Write the vector files, their schema and what describes them to FOLDER, which is made where it is not there."""
    shipped = library.shipped()
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in shipped.items():
        target = folder / name
        if target.exists() and target.read_bytes() != content:
            raise ConfigError(f"{target} is there and differs: remove it, or name another folder")
        target.write_bytes(content)
    click.echo(f"{folder}: {', '.join(shipped)}")
    return 0


def _listed(file: library.VectorFile) -> dict[str, Any]:
    counted = Counter((flag, test.result) for _, test in file for flag in test.flags)
    rules = {
        flag: {
            "valid": counted[flag, "valid"],
            "invalid": counted[flag, "invalid"],
            "bug_type": note["bug_type"],
            "description": note["description"],
            "source": note["source"],
        }
        for flag, note in file.notes.items()
    }
    return {"scheme": file.scheme, "version": file.version, "tests": sum(1 for _ in file), "rules": rules}
