"""`undersign conform`: the vectors against a port in any language."""

from __future__ import annotations

import json
import shlex
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import click

from ..core.text import printable, shortened
from ..vectors import RECIPES, VectorFile, load, names, parse, preset_names
from ..vectors.conform import DEFAULT_TIMEOUT, DEFAULT_TOTAL, SELF, Report, Status, run
from ..vectors.conform.comparing import DEFAULT_COUNT, compare
from ..vectors.conform.report import as_json, as_junit, as_table
from ..vectors.differences import quoted
from .files import FileName
from .groups import Fitting
from .output import replacing
from .seconds import Seconds


@click.command(
    cls=Fitting,
    epilog="\b\nExamples: undersign conform -- node port.js\n          undersign conform --self",
    context_settings={"ignore_unknown_options": False, "allow_interspersed_args": False},
)
@click.argument("command", metavar="-- COMMAND...", nargs=-1, type=click.UNPROCESSED)
@click.option("--self", "own", is_flag=True, help="Try this library itself, over the same protocol.")
@click.option(
    "--scheme", "schemes", metavar="NAME", multiple=True, help="The vectors of this scheme alone; repeatable."
)
@click.option(
    "--file",
    "paths",
    metavar="FILE",
    multiple=True,
    type=FileName(),
    help="Vectors of your own, in place of those that come with the library; repeatable.",
)
@click.option(
    "--presets", is_flag=True, help="The vectors of recipes and of all presets besides, for ports that read recipes."
)
@click.option(
    "--only",
    metavar="TEST",
    multiple=True,
    help="The test of this name or number alone; * stands for any text. Repeatable.",
)
@click.option("--rule", "rules", metavar="FLAG", multiple=True, help="The tests with this flag alone; repeatable.")
@click.option("--first", is_flag=True, help="Stop at the first test that is not passed.")
@click.option("--strict", is_flag=True, help="Let skipped tests fail the run.")
@click.option(
    "--timeout",
    metavar="SECONDS",
    type=Seconds(),
    default=DEFAULT_TIMEOUT,
    show_default=True,
    help="How long each wait for an answer may take.",
)
@click.option(
    "--total",
    metavar="SECONDS",
    type=Seconds(),
    default=DEFAULT_TOTAL,
    show_default=True,
    help="How long the whole run may take.",
)
@click.option(
    "--against",
    metavar="PORT",
    help="Compare the command PORT with the library by random and changed messages, in place of the vectors.",
)
@click.option("--seed", metavar="NUMBER", type=int, default=0, show_default=True, help="Other messages for --against.")
@click.option(
    "--count",
    metavar="NUMBER",
    type=click.IntRange(min=1),
    default=DEFAULT_COUNT,
    show_default=True,
    help="How many messages --against sends.",
)
@click.option("--json", "as_one_object", is_flag=True, help="Print the report as JSON.")
@click.option(
    "--junit",
    metavar="FILE",
    type=FileName(),
    help="Write JUnit XML to the file as well.",
)
def conform(
    command: Sequence[str],
    own: bool,
    schemes: Sequence[str],
    paths: Sequence[Path],
    presets: bool,
    only: Sequence[str],
    rules: Sequence[str],
    first: bool,
    strict: bool,
    timeout: float,
    total: float,
    against: str | None,
    seed: int,
    count: int,
    as_one_object: bool,
    junit: Path | None,
) -> int:
    """Start COMMAND, which speaks the conformance protocol on its standard input and output, and try all vectors: first
    the core, which is 40 tests, then the rest by rule. Each request that it signs is given back to it to verify.

    Exit 0 where all passed, 1 where a test failed or errored, 2 where the command could not be started.
    """
    if against is not None:
        if own or command:
            raise click.UsageError("--against takes the command itself: --against 'node port.js'")
        return _compare(shlex.split(against), schemes, seed, count, timeout, total, as_one_object=as_one_object)
    if own is bool(command):
        raise click.UsageError("give either --self, or -- and the command that starts the port")
    shipped = [*(schemes or (() if paths else names())), *((RECIPES, *preset_names()) if presets else ())]
    files: list[VectorFile] = [load(name) for name in dict.fromkeys(shipped)]
    files += [parse(path.read_text(encoding="utf-8")) for path in dict.fromkeys(paths)]
    asked = SELF if own else command
    report = run(asked, files, timeout=timeout, total=total, only=only, rules=rules, first=first)
    if junit is not None:
        with replacing(junit) as stream:
            stream.write(as_junit(report))
    if as_one_object:
        click.echo(json.dumps(as_json(report, strict=strict), indent=1))
    else:
        _show(report)
    return 0 if report.passed(strict=strict) else 1


def _compare(
    command: Sequence[str],
    schemes: Sequence[str],
    seed: int,
    count: int,
    timeout: float,
    total: float,
    *,
    as_one_object: bool,
) -> int:
    found = compare(command, schemes or names(), seed=seed, count=count, timeout=timeout, total=total)
    if as_one_object:
        click.echo(json.dumps(found.as_json(), indent=1))
        return 0 if found.passed else 1
    for difference in found.differences:
        click.echo(f"differs: {printable(difference.sentence)}")
        click.echo(f"  {difference.line}")
    if found.problem:
        click.echo(f"the port cannot be compared: {printable(found.problem)}")
    more = "" if found.differing == len(found.differences) else f", of which {len(found.differences)} are shown"
    click.echo(
        f"{found.compared} of {count} messages compared, seed {seed}, in {found.seconds:.1f} s: "
        f"{found.differing} differ{more}"
    )
    return 0 if found.passed else 1


def _show(report: Report) -> None:
    if report.problem:
        noise = f"; its first line was {quoted(shortened(report.first_noise))}" if report.first_noise else ""
        click.echo(f"the port cannot be asked: {printable(report.problem)}{noise}")
        return
    given_up: Counter[str] = Counter()
    for outcome in report.outcomes:
        if outcome.status is Status.ERRORED and outcome.told.startswith("not tried"):
            given_up[outcome.told] += 1
        elif outcome.status in (Status.FAILED, Status.ERRORED):
            click.echo(f"{outcome.status.value}: {printable(outcome.sentence)}")
    skipped: dict[str, int] = {}
    for outcome in report.outcomes:
        if outcome.status is Status.SKIPPED:
            skipped[outcome.told] = skipped.get(outcome.told, 0) + 1
    for told, times in given_up.items():
        click.echo(f"errored: {times} tests are {printable(told)}")
    for told, times in skipped.items():
        click.echo(f"skipped: {times} tests, since {printable(told)}")
    for line in as_table(report):
        click.echo(line)
    counts = ", ".join(f"{count} {status.value}" for status, count in report.counts.items())
    name = " ".join(filter(None, (report.name, report.version))) or "the port"
    noise = ""
    if report.noise:
        lines = "1 line was no answer" if report.noise == 1 else f"{report.noise} lines were no answers, the first"
        noise = f"; {lines}: {quoted(shortened(report.first_noise))}"
    click.echo(f"{printable(name)}: {counts} of {len(report.outcomes)} in {report.seconds:.1f} s{noise}")
