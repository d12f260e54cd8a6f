"""What signing and verifying cost beside careful code written by hand, and beside other libraries.

    python benchmarks/core.py [--quick] [--plot FILE]

All jobs run in turns in one process, with a fresh Request of eight headers each time; the fastest round of each counts,
so that the ratios hold from machine to machine. `make bench` prints the tables and writes the plot.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import timeit
from collections.abc import Callable
from pathlib import Path

import plain

from undersign import Credential, GoGrid, GoTom, Recipe, Rejected, Request, Signer, Verifier

KEY_ID, SECRET = "theusernameyoureceived", "thepasswordyoureceived"
NOW = 1_730_974_875.5
ORIGIN = "https://demo.gotom.io"
TARGET = "/app-api/campaign/26106?expand=all"
QUERY = "/api/grid/server/list?format=json&page=0&num_items=25&server.type=web&isSandbox=false&x=%2f"
BODY = b'{"name": "' + b"x" * 1012 + b'"}'
HEADERS = (
    ("Host", "demo.gotom.io"),
    ("User-Agent", "python-requests/2.34.0"),
    ("Accept-Encoding", "gzip, deflate, br"),
    ("Accept", "*/*"),
    ("Connection", "keep-alive"),
    ("Content-Type", "application/json"),
    ("X-Request-Id", "0123456789abcdef"),
    ("Cache-Control", "no-cache"),
)
LIMITS = {
    "goTom sign GET": 1.3,
    "goTom sign POST 1 KiB": 1.35,
    "goTom verify GET": 1.1,
    "goTom verify POST 1 KiB": 1.15,
    "GoGrid sign, 6 parameters": 2.0,
    "GoGrid verify, 6 parameters": 1.5,
    "goTom as a recipe, verify GET": 1.15,
}

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

Job = Callable[[], object]


def clock() -> float:
    return NOW


def header_jobs() -> dict[str, tuple[Job, Job]]:
    """Ours and the opponent's, by what they do."""
    secret, secrets = SECRET.encode(), {KEY_ID: SECRET.encode()}
    credential = Credential(KEY_ID, SECRET)
    signer, verifier = Signer(GoTom(), credential, clock=clock), Verifier(GoTom(), {KEY_ID: SECRET}, clock=clock)
    jobs: dict[str, tuple[Job, Job]] = {}
    for method, body, what in (("GET", b"", "GET"), ("POST", BODY, "POST 1 KiB")):
        signed = (*HEADERS, *plain.gotom_sign(method, TARGET, HEADERS, body, KEY_ID, secret, NOW))
        jobs[f"goTom sign {what}"] = (
            lambda method=method, body=body: signer.sign(Request(method, TARGET, HEADERS, body, ORIGIN)),
            lambda method=method, body=body: plain.gotom_sign(method, TARGET, HEADERS, body, KEY_ID, secret, NOW),
        )
        jobs[f"goTom verify {what}"] = (
            lambda method=method, body=body, signed=signed: verifier.verify(
                Request(method, TARGET, signed, body, ORIGIN)
            ),
            lambda method=method, body=body, signed=signed: plain.gotom_verify(
                method, TARGET, signed, body, secrets, NOW
            ),
        )
    signed = (*HEADERS, *plain.gotom_sign("GET", TARGET, HEADERS, b"", KEY_ID, secret, NOW))
    declared = Verifier(GOTOM_RECIPE, {KEY_ID: SECRET}, clock=clock)
    jobs["goTom as a recipe, verify GET"] = (
        lambda: declared.verify(Request("GET", TARGET, signed, b"", ORIGIN)),
        lambda: verifier.verify(Request("GET", TARGET, signed, b"", ORIGIN)),
    )
    return jobs


def parameter_jobs() -> dict[str, tuple[Job, Job]]:
    secret, secrets = SECRET.encode(), {KEY_ID: SECRET.encode()}
    window = frozenset(
        hashlib.md5(KEY_ID.encode() + secret + b"%d" % second, usedforsecurity=False).hexdigest()
        for second in range(int(NOW) - 600, int(NOW) + 601)
    )
    signer = Signer(GoGrid(), Credential(KEY_ID, SECRET), clock=clock)
    verifier = Verifier(GoGrid(), {KEY_ID: SECRET}, clock=clock)
    signed = plain.gogrid_sign(QUERY, KEY_ID, secret, NOW)
    return {
        "GoGrid sign, 6 parameters": (
            lambda: signer.sign(Request("GET", QUERY, HEADERS, b"", ORIGIN)).url(ORIGIN + QUERY),
            lambda: plain.gogrid_sign(QUERY, KEY_ID, secret, NOW),
        ),
        "GoGrid verify, 6 parameters": (
            lambda: verifier.verify(Request("GET", signed, HEADERS, b"", ORIGIN)),
            lambda: plain.gogrid_verify(signed, secrets, window, ORIGIN),
        ),
    }


def bad_signature() -> tuple[Job, Job]:
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

    return ours, naive


def fastest(jobs: dict[str, Job], rounds: int, calls: int) -> dict[str, float]:
    """Microseconds a call of each job's fastest round, the rounds taken in turns."""
    best = dict.fromkeys(jobs, float("inf"))
    for _ in range(rounds):
        for name, job in jobs.items():
            best[name] = min(best[name], timeit.timeit(job, number=calls) / calls * 1e6)
    return best


def compared(pairs: dict[str, tuple[Job, Job]], rounds: int, calls: int = 200) -> dict[str, tuple[float, float]]:
    jobs = {f"{side} {name}": job for name, both in pairs.items() for side, job in zip("ab", both, strict=True)}
    best = fastest(jobs, rounds, calls)
    return {name: (best[f"a {name}"], best[f"b {name}"]) for name in pairs}


def import_ratio(rounds: int) -> float:
    """How long `import undersign` takes, as a multiple of what it is built on."""

    def seconds(line: str) -> float:
        code = f"import time; s = time.perf_counter(); {line}; print(time.perf_counter() - s)"
        runs = (
            subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
            for _ in range(rounds)
        )
        return min(float(run.stdout) for run in runs)

    return seconds("import undersign") / seconds("import hashlib, hmac, dataclasses, typing_extensions, re")


def peers() -> dict[str, Job]:
    """Other libraries that sign, each as it is used, those that are installed."""
    found: dict[str, Job] = {}
    url = ORIGIN + TARGET
    try:
        import requests
        from requests_aws4auth import AWS4Auth

        aws4 = AWS4Auth("AKID", SECRET, "eu-west-1", "execute-api")
        found["requests-aws4auth"] = lambda: aws4(requests.Request("GET", url, headers=dict(HEADERS)).prepare())
    except ImportError:
        pass
    try:
        from botocore.auth import HmacV1Auth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials

        hmac_v1 = HmacV1Auth(Credentials("AKID", SECRET))
        found["botocore HmacV1Auth"] = lambda: hmac_v1.add_auth(AWSRequest("GET", url, headers=dict(HEADERS)))
    except ImportError:
        pass
    try:
        import mohawk

        hawk = {"id": "me", "key": SECRET, "algorithm": "sha256"}
        found["mohawk"] = lambda: mohawk.Sender(hawk, url, "GET", content="", content_type="application/json")
    except ImportError:
        pass
    try:
        from oauthlib.oauth1 import Client

        client = Client("me", client_secret=SECRET)
        found["oauthlib"] = lambda: client.sign(url)
    except ImportError:
        pass
    try:
        import http_message_signatures as hms

        class Keys(hms.HTTPSignatureKeyResolver):  # type: ignore[misc]
            def resolve_public_key(self, key_id: str) -> bytes:
                return SECRET.encode()

            def resolve_private_key(self, key_id: str) -> bytes:
                return SECRET.encode()

        import requests

        message = hms.HTTPMessageSigner(signature_algorithm=hms.algorithms.HMAC_SHA256, key_resolver=Keys())
        found["http-message-signatures"] = lambda: message.sign(
            requests.Request("GET", url, headers=dict(HEADERS)).prepare(),
            key_id="me",
            covered_component_ids=("@method", "@target-uri", "content-type"),
        )
    except ImportError:
        pass
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    parser.add_argument("--plot", type=Path, help="write a plot of the ratios")
    given = parser.parse_args()
    rounds = 20 if given.quick else 100
    results = compared({**header_jobs(), **parameter_jobs()}, rounds)
    print(f"{'work':34}{'ours µs':>9}{'plain µs':>10}{'ratio':>7}{'at most':>9}")
    for name, (ours, opponent) in results.items():
        print(f"{name:34}{ours:9.2f}{opponent:10.2f}{ours / opponent:7.2f}{LIMITS[name]:9.2f}")
    ours, naive = bad_signature()
    best = fastest({"ours": ours, "naive": naive}, max(5, rounds // 10), 20)
    print(f"{'GoGrid, bad sig, warm':34}{best['ours']:9.2f}{best['naive']:10.2f}{best['naive'] / best['ours']:6.0f}:1")
    print(f"{'import undersign':34}{'':19}{import_ratio(5 if given.quick else 15):7.2f}{1.4:9.2f}")
    others = fastest(peers(), rounds, 20)
    for name, microseconds in sorted(others.items(), key=lambda item: item[1]):
        print(f"{name:34}{microseconds:9.2f}   signing a GET, as it is used")
    if given.plot:
        draw({name: (mine / other, LIMITS[name]) for name, (mine, other) in results.items()}, given.plot)


def draw(ratios: dict[str, tuple[float, float]], file: Path) -> None:
    """A bar for each ratio, with a mark at its limit."""
    import matplotlib as mpl

    mpl.use("svg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(8, 3.2))
    names = list(ratios)[::-1]
    axes.barh(names, [ratios[name][0] for name in names], color="#3a6ea5")
    axes.scatter([ratios[name][1] for name in names], names, marker="|", s=300, color="#c04000", label="aim")
    axes.axvline(1, color="#555555", linewidth=0.8)
    axes.set_xlabel("time, as a multiple of careful code written by hand")
    axes.legend(loc="lower right")
    figure.tight_layout()
    figure.savefig(file, metadata={"Date": None})


if __name__ == "__main__":
    main()
