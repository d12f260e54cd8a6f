"""Print what is named and what is not: `python -m tests.diagnose.mistakes [NUMBER] [WORD …]`.

With a number it takes so many of each mistake, of schemes that are drawn; with words, the cases that hold them.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Sequence

from .client import Case
from .scorer import Score, judge, summed
from .seeded import RARE, pairs, rights, sample, singles, unknown


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def table(title: str, scores: dict[str, Score]) -> None:
    say(f"\n{title:52} total named unexplained wrong  slowest ms  all s")
    for name, one in sorted(scores.items()):
        missed = one.total - one.named - one.wrong
        times = f"{one.slowest * 1000:10.0f}  {one.seconds:5.1f}"
        say(f"{name[:52]:52} {one.total:5} {one.named:5} {missed:11} {one.wrong:5}  {times}")


def main(words: list[str]) -> None:
    each = int(words.pop(0)) if words and words[0].isdigit() else 0
    alone = sample(singles(), each) if each else singles()
    sets: dict[str, Sequence[Case]] = {"singles": alone, "pairs": pairs(), "unknown": unknown(), "right": rights()}
    totals: dict[str, Score] = {}
    for title, cases in sets.items():
        kept = [case for case in cases if all(word in f"{title} {case.kind} {case}" for word in words)]
        schemes: dict[str, Score] = defaultdict(Score)
        kinds: dict[str, Score] = defaultdict(Score)
        whats: dict[str, Score] = defaultdict(Score)
        for case in kept:
            one = Score()
            judge(case, one)
            if title == "singles":
                place = "singles, rare" if case.what in RARE else "singles, everyday"
                totals[place] = summed((totals.get(place, Score()), one))
            schemes[case.scheme] = summed((schemes[case.scheme], one))
            whats[f"{case.kind}: {case.what}"] = summed((whats[f"{case.kind}: {case.what}"], one))
            kinds[case.kind] = summed((kinds[case.kind], one))
        totals[title] = summed(schemes.values())
        if title == "singles":
            table("scheme", schemes)
            table("kind", kinds)
            table("mistake", {what: one for what, one in whats.items() if one.named < one.total})
        for line in totals[title].misses:
            say(f"missed {title} {line}")
        for line in totals[title].wrongs:
            say(f"WRONG  {title} {line}")
        for line in totals[title].leaks:
            say(f"LEAK   {title} {line}")
    table("all", totals)


if __name__ == "__main__":
    main(sys.argv[1:])
