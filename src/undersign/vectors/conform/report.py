"""A report for people, for programs, and as JUnit XML for whatever runs tests."""

from __future__ import annotations

from collections import Counter
from typing import Any
from xml.etree import ElementTree as ET

from ...core.text import printable
from . import Report, Status

_ELEMENTS = {Status.FAILED: "failure", Status.ERRORED: "error", Status.SKIPPED: "skipped"}


def by_rule(report: Report) -> dict[str, dict[Status, int]]:
    """How many tests of each rule came to what, by `scheme flag`; a test with two flags counts for both."""
    counted: dict[str, Counter[Status]] = {}
    for outcome in report.outcomes:
        for flag in outcome.case.test.flags:
            counted.setdefault(f"{outcome.case.scheme} {flag}", Counter())[outcome.status] += 1
    return {rule: {status: counted[rule][status] for status in Status} for rule in sorted(counted)}


def as_table(report: Report) -> list[str]:
    """The lines of a table by rule."""
    rules = by_rule(report)
    width = max(map(len, ("rule", *rules)))
    lines = [" ".join([f"{'rule':<{width}}", *(f"{status.value:>8}" for status in Status)])]
    for rule, counts in rules.items():
        lines.append(" ".join([f"{rule:<{width}}", *(f"{counts[status] or '.':>8}" for status in Status)]))
    return lines


def as_json(report: Report, *, strict: bool) -> dict[str, Any]:
    """The whole report, for `json.dumps`."""
    return {
        "implementation": {"name": report.name, "version": report.version, "language": report.language},
        "result": "passed" if report.passed(strict=strict) else "failed",
        "counts": {status.value: count for status, count in report.counts.items()},
        **({"problem": report.problem} if report.problem else {}),
        "noise": report.noise,
        **({"first_noise": report.first_noise} if report.first_noise else {}),
        "starts": report.starts,
        "seconds": round(report.seconds, 3),
        "rules": {
            rule: {status.value: count for status, count in counts.items()} for rule, counts in by_rule(report).items()
        },
        "tests": [
            {
                "scheme": outcome.case.scheme,
                "id": outcome.case.test.id,
                "name": outcome.case.test.name,
                "op": outcome.case.group.op,
                "flags": list(outcome.case.test.flags),
                "status": outcome.status.value,
                **({"message": outcome.sentence} if outcome.told else {}),
            }
            for outcome in report.outcomes
        ],
    }


def as_junit(report: Report) -> bytes:
    """JUnit XML: a suite for each scheme, a case for each test. It holds printable text, as XML cannot hold all."""
    counts = report.counts
    root = ET.Element("testsuites", {"name": f"conformance of {printable(report.name)}", **_attributes(counts)})
    suites: dict[str, ET.Element] = {}
    for outcome in report.outcomes:
        scheme, test = outcome.case.scheme, outcome.case.test
        if scheme not in suites:
            own = Counter(other.status for other in report.outcomes if other.case.scheme == scheme)
            suites[scheme] = ET.SubElement(root, "testsuite", {"name": scheme, **_attributes(own)})
        case = ET.SubElement(suites[scheme], "testcase", classname=f"undersign.{scheme}", name=test.name)
        if outcome.status in _ELEMENTS:
            found = ET.SubElement(case, _ELEMENTS[outcome.status], message=printable(outcome.told))
            found.text = printable(outcome.sentence)
    ET.indent(root)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def _attributes(counts: dict[Status, int] | Counter[Status]) -> dict[str, str]:
    named = {"failures": Status.FAILED, "errors": Status.ERRORED, "skipped": Status.SKIPPED}
    counted = {name: str(counts[status]) for name, status in named.items()}
    return {"tests": str(sum(counts.values())), **counted}
