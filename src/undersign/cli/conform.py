"""`undersign conform`: the vectors against a port in any language."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import click

from ..core.text import printable
from ..vectors import VectorFile, load, names, parse
from ..vectors.conform import DEFAULT_TIMEOUT, DEFAULT_TOTAL, SELF, Report, Status, run
from ..vectors.conform.report import as_json, as_junit, as_table
from .output import replacing


@click.command(
    epilog="\b\nExamples: undersign conform -- node port.js\n          undersign conform --self",
    short_help="Run the vectors through a port.",
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
    type=click.Path(dir_okay=False, path_type=Path),
    help="Vectors of your own, in place of those that come with the library; repeatable.",
)
@click.option("--strict", is_flag=True, help="Let skipped tests fail the run.")
@click.option(
    "--timeout",
    metavar="SECONDS",
    type=click.FloatRange(min=0, min_open=True),
    default=DEFAULT_TIMEOUT,
    show_default=True,
    help="How long each wait for an answer may take.",
)
@click.option(
    "--total",
    metavar="SECONDS",
    type=click.FloatRange(min=0, min_open=True),
    default=DEFAULT_TOTAL,
    show_default=True,
    help="How long the whole run may take.",
)
@click.option("--json", "as_one_object", is_flag=True, help="Print the report as JSON.")
@click.option(
    "--junit",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write JUnit XML to the file as well.",
)
def conform(
    command: Sequence[str],
    own: bool,
    schemes: Sequence[str],
    paths: Sequence[Path],
    strict: bool,
    timeout: float,
    total: float,
    as_one_object: bool,
    junit: Path | None,
) -> int:
    """Start COMMAND, which speaks the conformance protocol on its standard input and output, and try all vectors.

    Exit 0 where all passed, 1 where a test failed or errored, 2 where the command could not be started.
    """
    if own is bool(command):
        raise click.UsageError("give either --self, or -- and the command that starts the port")
    shipped = schemes or (() if paths else names())
    files: list[VectorFile] = [load(name) for name in dict.fromkeys(shipped)]
    files += [parse(path.read_text(encoding="utf-8")) for path in dict.fromkeys(paths)]
    report = run(SELF if own else command, files, timeout=timeout, total=total)
    if junit is not None:
        with replacing(junit) as stream:
            stream.write(as_junit(report))
    if as_one_object:
        click.echo(json.dumps(as_json(report, strict=strict), indent=1))
    else:
        _show(report)
    return 0 if report.passed(strict=strict) else 1


def _show(report: Report) -> None:
    for outcome in report.outcomes:
        if outcome.status in (Status.FAILED, Status.ERRORED):
            click.echo(f"{outcome.status.value}: {printable(outcome.sentence)}")
    skipped: dict[str, int] = {}
    for outcome in report.outcomes:
        if outcome.status is Status.SKIPPED:
            skipped[outcome.told] = skipped.get(outcome.told, 0) + 1
    for told, times in skipped.items():
        click.echo(f"skipped: {times} tests, since {printable(told)}")
    for line in as_table(report):
        click.echo(line)
    counts = ", ".join(f"{count} {status.value}" for status, count in report.counts.items())
    name = " ".join(filter(None, (report.name, report.version))) or "the port"
    noise = f"; {report.noise} lines were no answers" if report.noise else ""
    click.echo(f"{printable(name)}: {counts} of {len(report.outcomes)} in {report.seconds:.1f} s{noise}")
