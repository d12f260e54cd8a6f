"""Run the fuzz targets: `python -m fuzz [--seconds N] [TARGET …]`, all of them by default, `middlewares` last.

Each runs in a process of its own, guided by coverage where atheris is installed, else with plain mutations of its
seeds. An input that breaks a promise is kept in `build/fuzz`, and given as a file it is run again:
`python -m fuzz --again FILE TARGET`.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import importlib.util
import random
import subprocess
import sys
import time
from itertools import islice
from pathlib import Path

FOLDER = Path("build") / "fuzz"
_MOST_SEEDS = 400


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m fuzz")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--again", type=Path, metavar="FILE", help="run the target once, with this input")
    parser.add_argument("targets", nargs="*", metavar="TARGET")
    given = parser.parse_args()
    if given.again or given.one:
        (_again if given.again else _fuzz)(given)
        return 0
    from .targets import TARGETS

    failed = []
    for name in given.targets or [*TARGETS, "middlewares"]:
        print(f"== {name}", flush=True)
        target = ["fuzz.middlewares"] if name == "middlewares" else ["fuzz", "--one", name]
        command = [sys.executable, "-m", *target, "--seconds", str(given.seconds)]
        if subprocess.run(command).returncode:
            failed.append(name)
    if failed:
        print(f"a promise was broken by: {', '.join(failed)}; the inputs are in {FOLDER}")
    return bool(failed)


def _again(given: argparse.Namespace) -> None:
    from .targets import TARGETS

    TARGETS[given.targets[0]].run(given.again.read_bytes())


def _fuzz(given: argparse.Namespace) -> None:
    [name] = given.targets
    corpus = FOLDER / name
    corpus.mkdir(parents=True, exist_ok=True)
    if importlib.util.find_spec("atheris") is None:
        _plainly(name, given.seconds)
        return
    atheris = importlib.import_module("atheris")  # by name, since type checkers need not have it
    with atheris.instrument_imports(include=["undersign"]):
        from .targets import TARGETS
    target = TARGETS[name]
    for seed in islice(target.seeds(), _MOST_SEEDS):
        (corpus / f"seed-{hashlib.sha256(seed).hexdigest()[:16]}").write_bytes(seed)
    options = [f"-max_total_time={given.seconds}", f"-max_len={target.longest}", "-timeout=10", "-rss_limit_mb=2048"]
    options += ["-verbosity=0", "-print_final_stats=1", f"-artifact_prefix={FOLDER}/{name}-"]
    atheris.Setup([sys.argv[0], *options, str(corpus)], target.run)
    atheris.Fuzz()


def _plainly(name: str, seconds: int) -> None:
    from .targets import TARGETS

    target, drawn, end, count = TARGETS[name], random.Random(), time.monotonic() + seconds, 0
    seeds = list(islice(target.seeds(), _MOST_SEEDS))
    while time.monotonic() < end:
        data = bytearray(drawn.choice(seeds))
        for _ in range(drawn.randint(1, 8)):
            mutate(data, seeds, drawn)
        count += 1
        try:
            target.run(bytes(data[: target.longest]))
        except BaseException:
            path = FOLDER / f"{name}-{hashlib.sha256(data).hexdigest()[:16]}"
            path.write_bytes(data)
            print(f"{path} breaks a promise")
            raise
    print(f"{count} inputs, without guidance: atheris is not installed")


def mutate(data: bytearray, seeds: list[bytes], drawn: random.Random) -> None:
    """Change one place of an input."""
    at, end = sorted((drawn.randint(0, len(data)), drawn.randint(0, len(data))))
    kind = drawn.randrange(4)
    if kind == 0:
        del data[at : min(end, at + 16)]
    elif kind == 1:
        data[at:at] = bytes(drawn.randrange(256) for _ in range(drawn.randint(1, 4)))
    elif kind == 2:
        data[at:at] = data[at : min(end, at + 32)]
    else:
        other = drawn.choice(seeds)
        start = drawn.randint(0, len(other))
        data[at:at] = other[start : start + drawn.randint(1, 32)]


if __name__ == "__main__":
    sys.exit(main())
