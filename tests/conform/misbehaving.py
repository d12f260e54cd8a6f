"""A port that knows all answers and behaves badly: `python -m tests.conform.misbehaving HOW`."""

from __future__ import annotations

import json
import random
import sys
import time
from typing import Any

from .reference import Port

FIRST, SECOND = 3, 7  # the tests at which something happens


def say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def main(how: str) -> None:
    port = Port(how.removeprefix("makes the mistake ") if how.startswith("makes the mistake ") else "")
    held: list[dict[str, Any]] = []
    if how == "ends before start":
        sys.exit(4)
    for line in sys.stdin:
        command = json.loads(line)
        if command["cmd"] == "stop":
            for answer in reversed(held):
                say(answer)
            if how == "does not stop":
                time.sleep(60)
            return
        if how == "hangs at start" or (how == "hangs at all" and command["cmd"] == "run"):
            time.sleep(60)
        if how == "floods":
            while True:
                sys.stdout.write("noise without an end\n")
        if how == "a line without an end":
            while True:
                sys.stdout.write("x" * 65536)
        answer = port.answer(command)
        if how == "verifies nothing" and command.get("op") == "verify":
            answer = {"seq": command["seq"], "result": "invalid", "reason": "mismatch"}
        seq = command.get("seq")
        if how == "speaks of nothing" and seq is None:
            answer = {"schemes": ["gotom"]}
        if how == "knows one scheme" and seq is None:
            answer["schemes"] = ["gotom"]
        if how == "does not verify" and seq is None:
            answer["ops"] = ["sign"]
        if how == "crashes" and seq in (FIRST, SECOND):
            sys.exit(3)
        if how == "crashes always" and seq is not None:
            sys.exit(3)
        if how == "hangs" and seq in (FIRST, SECOND):
            time.sleep(60)
        if how == "is noisy":
            sys.stdout.write(
                "starting…\n{}\n[]\n" + json.dumps({"seq": 10**6}) + '\n{"seq": true}\n' + "[" * 100_000 + "\n"
            )
        if how == "skips" and seq == FIRST:
            answer = {"seq": seq, "skipped": "not today"}
        if how == "errs" and seq == FIRST:
            answer = {"seq": seq, "error": "out of memory"}
        if how == "errs with the secret" and seq is not None:
            answer = {"seq": seq, "error": f"cannot use {command.get('secret')} of {command.get('keys')}"}
        if how == "puts the secret into the string" and "string_to_sign" in answer:
            answer["string_to_sign"] = answer["string_to_sign"].replace("\0", command.get("secret", ""))
        if how == "answers in another shape" and seq == FIRST:
            answer = {"seq": seq, "patch": [], "target": 1}
        if how == "answers in any order" and seq is not None:
            held.append(answer)
            random.shuffle(held)
            if len(held) < 5:
                continue
            answer = held.pop()
        if how == "answers at the end" and seq is not None:
            held.append(answer)
            continue
        say(answer)
        if how == "answers twice":
            say(answer)
    for answer in held:
        say(answer)


if __name__ == "__main__":
    main(sys.argv[1])
