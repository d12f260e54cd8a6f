"""The tables of the page about proxies. `python -m tests.servers.fronts.table` writes them anew from `rows`."""

from __future__ import annotations

import re
from pathlib import Path

from .measuring import NO_ANSWER, Refused, count
from .rows import OVER_HTTP2, ROWS, TO_WSGI, Row

PAGE = Path(__file__).parents[3] / "docs" / "servers" / "proxies.md"
_TABLE = re.compile(r"(<!-- (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def page_with_tables() -> str:
    """The page as it is, with its tables as they should be."""
    tables = {"fronts": _table(ROWS), "wsgi": _table(TO_WSGI), "http2": _table(OVER_HTTP2)}
    return _TABLE.sub(lambda found: found[1] + tables[found[2]] + found[3], PAGE.read_text(encoding="utf-8"))


def _table(rows: list[Row]) -> str:
    lines = ["| In front | Verified | It refuses | We refuse, since it is changed |", "|---|---|---|---|"]
    return "".join(line + "\n" for line in [*lines, *map(_line, rows)])


def _line(row: Row) -> str:
    verified = len(row.cases) - sum(count(names) for names in (*row.refused.values(), *row.lost_behind.values()))
    by_status = {key: names for key, names in row.refused.items() if key.isdecimal() or key == NO_ANSWER}
    by_reason = {f"`{key}`": names for key, names in row.refused.items() if key not in by_status}
    return f"| {row.title} | {verified} of {len(row.cases)} | {_cell(by_status)} | {row.said or _cell(by_reason)} |"


def _cell(refused: Refused) -> str:
    return "; ".join(f"{outcome}: {', '.join(names)}" for outcome, names in refused.items())


if __name__ == "__main__":
    PAGE.write_text(page_with_tables(), encoding="utf-8")
