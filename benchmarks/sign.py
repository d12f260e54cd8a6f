"""How long signing and verifying a goTom GET take, as a multiple of the plain standard-library job.

    python benchmarks/sign.py

Both run in turns in one process, and the fastest round of each counts, so the ratio holds from machine to machine.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
import timeit
from collections.abc import Callable
from datetime import datetime, timezone

from undersign import Credential, GoTom, Request, Signer, Verifier

KEY_ID, SECRET = "theusernameyoureceived", "thepasswordyoureceived"
TARGET = "/app-api/campaign/26106"
ROUNDS, CALLS = 40, 5_000


def plain_sign(method: str, target: str, headers: dict[str, str], body: bytes) -> str:
    """The job as one would write it down: header string out of method, target, headers, body and clock."""
    date = datetime.fromtimestamp(time.time(), timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    content_type = headers.get("Content-Type", "application/json")
    md5 = hashlib.md5(body, usedforsecurity=False).hexdigest()
    text = f"{method.upper()}\n{md5}\n{content_type.lower()}\n{date}\n\n{target}"
    signature = base64.b64encode(hmac.new(SECRET.encode(), text.encode(), "sha1").digest()).decode()
    return f"gotom_app_api {KEY_ID}:{signature}"


def fastest(jobs: dict[str, Callable[[], object]], calls: int = CALLS) -> dict[str, float]:
    """Microseconds a call of each job's fastest round, the rounds taken in turns."""
    best = dict.fromkeys(jobs, float("inf"))
    for _ in range(ROUNDS):
        for name, job in jobs.items():
            best[name] = min(best[name], timeit.timeit(job, number=calls) / calls * 1e6)
    return best


def main() -> None:
    request = Request("GET", TARGET, (("Content-Type", "application/json"),), b"", "https://demo.gotom.io")
    headers = dict(request.headers)
    signer = Signer(GoTom(), Credential(KEY_ID, SECRET))
    signed = signer.sign(request).apply(request)
    verifier = Verifier(GoTom(), {KEY_ID: SECRET})
    jobs: dict[str, Callable[[], object]] = {
        "plain": lambda: plain_sign("GET", TARGET, headers, b""),
        "Signer.sign": lambda: signer.sign(request),
        "Verifier.verify": lambda: verifier.verify(signed),
    }
    best = fastest(jobs)
    for name, microseconds in best.items():
        print(f"{name:16} {microseconds:6.2f} µs   {microseconds / best['plain']:.2f} x plain")


if __name__ == "__main__":
    main()
