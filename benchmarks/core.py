"""What signing and verifying cost beside careful code written by hand, and beside other libraries.

    python benchmarks/core.py [--quick] [--plot FILE]

All jobs run in turns in one process, with a fresh Request of eight headers each time; the fastest round of each counts,
so that the ratios hold from machine to machine. `make bench` prints these tables, those of middleware.py and peers.py,
and writes the plot.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import subprocess
import sys
import tempfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import middleware
import peers
import plain
from sample import BODY, HEADERS, KEY_ID, NOW, ORIGIN, SECRET, TARGET, clock
from turns import Job, fastest, optional

from undersign import Credential, GoGrid, GoTom, Recipe, Rejected, Request, Signer, Verifier
from undersign.verifying import RollingWindows

GRID_TARGET = "/api/grid/server/list?format=json&page=0&num_items=25&server.type=web&isSandbox=false&x=%2f"
LIMITS = {
    "goTom sign GET": 1.3,
    "goTom sign POST 1 KiB": 1.35,
    "goTom verify GET": 1.1,
    "goTom verify POST 1 KiB": 1.15,
    "GoGrid sign, 6 parameters": 2.0,
    "GoGrid verify, 6 parameters": 1.5,
}
RECIPE_LIMIT, IMPORT_LIMIT, NAIVE_LIMIT, KEY_LIMIT = 1.15, 1.4, 100, 20.0
CALLS_LIMIT, FILES_LIMIT = 22, 6

GOTOM_RECIPE = Recipe.from_mapping(
    {
        "name": "gotom-recipe",
        "parts": [
            "method",
            "body:md5:hex",
            {"part": "content-type", "fold": "lower"},
            "time",
            {"part": "headers"},
            "target",
        ],
        "joiner": "\n",
        "mac": "hmac-sha1",
        "encoding": "base64",
        "time": "iso",
        "window": {"past": 1800, "future": 1800},
        "content_type": "application/json",
        "headers": {"Authorization": "gotom_app_api {key_id}:{signature}", "Date": "{time}"},
    }
)
GOGRID_RECIPE = Recipe.from_mapping(
    {
        "name": "gogrid-recipe",
        "parts": ["key_id", "secret", "time"],
        "mac": "hash-md5",
        "encoding": "hex",
        "window": {"past": 600, "future": 600},
        "query-or-form": {"api_key": "{key_id}", "sig": "{signature}", "v": "1.5"},
    }
)


class Pair(NamedTuple):
    """A job of ours and its opponent's."""

    ours: Job
    other: Job


class Times(NamedTuple):
    """Microseconds of both."""

    ours: float
    other: float

    @property
    def ratio(self) -> float:
        return self.ours / self.other


def signing(signer: Signer, method: str, target: str, body: bytes) -> Job:
    return lambda: signer.sign(Request(method, target, HEADERS, body, ORIGIN))


def verifying(verifier: Verifier, method: str, target: str, headers: tuple[tuple[str, str], ...], body: bytes) -> Job:
    return lambda: verifier.verify(Request(method, target, headers, body, ORIGIN))


def by_hand_signing(method: str, body: bytes) -> Job:
    return lambda: plain.gotom_sign(method, TARGET, HEADERS, body, KEY_ID, SECRET.encode(), NOW)


def by_hand_verifying(method: str, headers: tuple[tuple[str, str], ...], body: bytes) -> Job:
    secrets = {KEY_ID: SECRET.encode()}
    return lambda: plain.gotom_verify(method, TARGET, headers, body, secrets, NOW)


def header_jobs() -> dict[str, Pair]:
    """goTom, beside what is written by hand."""
    signer = Signer(GoTom(), Credential(KEY_ID, SECRET), clock=clock)
    verifier = Verifier(GoTom(), {KEY_ID: SECRET}, clock=clock)
    jobs: dict[str, Pair] = {}
    for method, body, what in (("GET", b"", "GET"), ("POST", BODY, "POST 1 KiB")):
        signed = (*HEADERS, *plain.gotom_sign(method, TARGET, HEADERS, body, KEY_ID, SECRET.encode(), NOW))
        jobs[f"goTom sign {what}"] = Pair(signing(signer, method, TARGET, body), by_hand_signing(method, body))
        jobs[f"goTom verify {what}"] = Pair(
            verifying(verifier, method, TARGET, signed, body), by_hand_verifying(method, signed, body)
        )
    return jobs


def parameter_jobs() -> dict[str, Pair]:
    """GoGrid, beside what is written by hand."""
    secret, secrets = SECRET.encode(), {KEY_ID: SECRET.encode()}
    window = frozenset(
        hashlib.md5(KEY_ID.encode() + secret + b"%d" % second, usedforsecurity=False).hexdigest()
        for second in range(int(NOW) - 600, int(NOW) + 601)
    )
    signer = Signer(GoGrid(), Credential(KEY_ID, SECRET), clock=clock)
    verifier = Verifier(GoGrid(), {KEY_ID: SECRET}, clock=clock)
    signed = plain.gogrid_sign(GRID_TARGET, KEY_ID, secret, NOW)
    return {
        "GoGrid sign, 6 parameters": Pair(
            lambda: signer.sign(Request("GET", GRID_TARGET, HEADERS, b"", ORIGIN)).url(ORIGIN + GRID_TARGET),
            lambda: plain.gogrid_sign(GRID_TARGET, KEY_ID, secret, NOW),
        ),
        "GoGrid verify, 6 parameters": Pair(
            verifying(verifier, "GET", signed, HEADERS, b""),
            lambda: plain.gogrid_verify(signed, secrets, window, ORIGIN),
        ),
    }


def recipe_jobs() -> dict[str, Pair]:
    """Both schemes written as recipes, beside the built-in ones."""
    credential, jobs = Credential(KEY_ID, SECRET), {}
    headers = (*HEADERS, *plain.gotom_sign("GET", TARGET, HEADERS, b"", KEY_ID, SECRET.encode(), NOW))
    target = plain.gogrid_sign(GRID_TARGET, KEY_ID, SECRET.encode(), NOW)
    for name, declared, built_in, unsigned, signed, with_headers in (
        ("goTom", GOTOM_RECIPE, GoTom(), TARGET, TARGET, headers),
        ("GoGrid", GOGRID_RECIPE, GoGrid(), GRID_TARGET, target, HEADERS),
    ):
        signers = [Signer(scheme, credential, clock=clock) for scheme in (declared, built_in)]
        verifiers = [Verifier(scheme, {KEY_ID: SECRET}, clock=clock) for scheme in (declared, built_in)]
        jobs[f"{name} sign GET"] = Pair(*(signing(signer, "GET", unsigned, b"") for signer in signers))
        jobs[f"{name} verify GET"] = Pair(
            *(verifying(verifier, "GET", signed, with_headers, b"") for verifier in verifiers)
        )
    return jobs


def bad_signature() -> Pair:
    """A wrong sig on a warm window whose clock ticks, and a search of the whole window."""
    secret, ticks = SECRET.encode(), [NOW]
    verifier = Verifier(GoGrid(), {KEY_ID: SECRET}, clock=lambda: ticks[0])
    wrong = f"/api?api_key={KEY_ID}&sig={'0' * 32}&v=1.5"

    def ours() -> None:
        ticks[0] += 0.01
        try:
            verifier.verify(Request("GET", wrong, (), b"", ORIGIN))
        except Rejected:
            return

    def naive() -> bool:
        prefix, second = KEY_ID.encode() + secret, int(NOW)
        return any(
            hashlib.md5(prefix + b"%d" % at, usedforsecurity=False).hexdigest() == "0" * 32
            for at in range(second - 600, second + 601)
        )

    return Pair(ours, naive)


def compared(pairs: dict[str, Pair], rounds: int, calls: int = 200) -> dict[str, Times]:
    jobs = {f"{side} {name}": job for name, pair in pairs.items() for side, job in zip(Pair._fields, pair, strict=True)}
    best = fastest(jobs, rounds, calls)
    return {name: Times(best[f"ours {name}"], best[f"other {name}"]) for name in pairs}


def import_times(rounds: int) -> Times:
    """Microseconds of CPU that `import undersign` takes, and what it is built on, each in fresh processes.

    Bytecode is kept in a folder of its own: where Python is told to write none, compiling would be measured.
    """
    lines = ("import undersign", "import hashlib, hmac, dataclasses, typing_extensions, re")
    best = dict.fromkeys(lines, float("inf"))
    with tempfile.TemporaryDirectory() as folder:
        environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environ["PYTHONPYCACHEPREFIX"] = folder
        for _ in range(rounds + 1):  # the first one compiles
            for line in lines:
                code = f"import time; s = time.process_time(); {line}; print(time.process_time() - s)"
                command = [sys.executable, "-c", code]
                run = subprocess.run(  # noqa: S603 - it is ours
                    command, env=environ, capture_output=True, text=True, check=True
                )
                best[line] = min(best[line], float(run.stdout) * 1e6)
    return Times(*(best[line] for line in lines))


def calls_and_files(job: Job) -> tuple[int, int]:
    """How many calls of Python functions of the package one job makes, and in how many files."""
    seen: list[str] = []

    def note(frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and "undersign" in Path(frame.f_code.co_filename).parts:
            seen.append(frame.f_code.co_filename)

    job()
    sys.setprofile(note)
    try:
        job()
    finally:
        sys.setprofile(None)
    return len(seen), len(set(seen))


def bytes_per_key(keys: int = 200) -> float:
    """What the windows of many GoGrid keys hold, each."""
    ids = [f"key-{number}" for number in range(keys)]
    windows = RollingWindows()
    verifier = Verifier(GoGrid(), dict.fromkeys(ids, SECRET), clock=clock, windows=windows)
    signed = [plain.gogrid_sign("/", key_id, SECRET.encode(), NOW) for key_id in ids]
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for target in signed:
        verifier.verify(Request("GET", target, (), b"", ORIGIN))
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return (after - before) / keys


def show(title: str, results: dict[str, Times], limit: Callable[[str], float], other: str) -> None:
    print(f"\n{title:34}{'ours µs':>9}{other:>12}{'ratio':>7}{'at most':>9}")
    for name, times in results.items():
        print(f"{name:34}{times.ours:9.2f}{times.other:12.2f}{times.ratio:7.2f}{limit(name):9.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    parser.add_argument("--plot", type=Path, help="write a plot of the ratios, which needs matplotlib")
    given = parser.parse_args()
    if given.plot and not optional("matplotlib"):
        parser.error("--plot needs matplotlib, which is in the dependency group bench")
    rounds = 20 if given.quick else 100
    print(f"{platform.python_implementation()} {platform.python_version()}")
    headers = header_jobs()
    results = compared({**headers, **parameter_jobs()}, rounds)
    show("beside careful code by hand", results, LIMITS.__getitem__, "by hand µs")
    recipes = compared(recipe_jobs(), rounds)
    show("written as recipes", recipes, lambda _: RECIPE_LIMIT, "built-in µs")
    others(headers, rounds)
    added = middleware.measured(rounds)
    middleware.show(added)
    peers.show(rounds)
    if given.plot:
        bars = {name: (times.ratio, LIMITS[name]) for name, times in results.items()}
        bars |= {title: (found.ratio, middleware.limit(title)) for title, found in added.items()}
        draw(bars, given.plot)


def others(headers: dict[str, Pair], rounds: int) -> None:
    """What is no plain ratio of two jobs."""
    print(f"\n{'other':34}{'':28}{'at most':>9}")
    best = compared({"bad": bad_signature()}, 20)["bad"]
    share = f"{best.ours:.1f} µs of {best.other:.0f}: 1/{best.other / best.ours:.0f}"
    print(f"{'GoGrid, bad sig, warm, of a search':34}{share:>28}{f'1/{NAIVE_LIMIT}':>9}")
    print(f"{'GoGrid, kB a key':34}{bytes_per_key() / 1000:28.1f}{KEY_LIMIT:9.1f}")
    imports = import_times(max(5, rounds // 5))
    text = f"{imports.ours / 1000:.1f} ms of {imports.other / 1000:.1f}: {imports.ratio:.2f}"
    print(f"{'import undersign':34}{text:>28}{IMPORT_LIMIT:9.2f}")
    for name, pair in headers.items():
        calls, files = calls_and_files(pair.ours)
        bound = f"{CALLS_LIMIT}, {FILES_LIMIT}" if name == "goTom verify GET" else ""
        print(f"{name + ': calls, files':34}{f'{calls}, {files}':>28}{bound:>9}")


def draw(ratios: dict[str, tuple[float, float]], file: Path) -> None:
    """A bar for each ratio, with a mark at its limit."""
    mpl = optional("matplotlib")
    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "undersign"  # so that the same figures are the same file
    pyplot = optional("matplotlib.pyplot")
    figure, axes = pyplot.subplots(figsize=(8, 3.6))
    names = list(ratios)[::-1]
    axes.barh(names, [ratios[name][0] for name in names], color="#3a6ea5")
    axes.scatter([ratios[name][1] for name in names], names, marker="|", s=260, color="#c04000", label="aim")
    axes.axvline(1, color="#555555", linewidth=0.8)
    axes.set_xlabel("time, as a multiple of careful code written by hand")
    axes.legend(loc="lower right")
    figure.tight_layout()
    figure.savefig(file, metadata={"Date": None, "Title": "undersign beside careful code written by hand"})
    lines = file.read_text(encoding="utf-8").splitlines()
    file.write_text("\n".join(line.rstrip() for line in lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
