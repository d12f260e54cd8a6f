"""The JavaScript port in a real browser, from file://, as a page would use it."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from undersign.vectors import load, names
from undersign.vectors.conform.judge import Status, judge
from undersign.vectors.conform.protocol import cases, run_message

PORTS = Path(__file__).parents[2] / "vectors" / "ports"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PAGE = """<!doctype html><meta charset="utf-8"><script src="{ports}/hashes.js"></script>
<script src="{ports}/port.js"></script><pre id="answers"></pre>
<script type="application/json" id="messages">{messages}</script>
<script>
  const messages = JSON.parse(document.getElementById("messages").textContent);
  document.getElementById("answers").textContent = JSON.stringify(messages.map(Undersign.answer));
</script>"""
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.mark.long
@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
def test_every_vector_passes_in_chromium(tmp_path: Path) -> None:
    assert CHROMIUM
    all_cases = cases(load(name) for name in names())
    messages = json.dumps([run_message(case) for case in all_cases]).replace("</", "<\\/")
    page = tmp_path / "page.html"
    page.write_text(PAGE.format(ports=PORTS.as_uri(), messages=messages), encoding="utf-8")
    command = [CHROMIUM, *ARGUMENTS, f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    found = re.search(r'<pre id="answers">(.*?)</pre>', done.stdout, re.DOTALL)
    assert found, done.stderr
    answers = json.loads(html.unescape(found[1]))
    outcomes = [judge(case, answer) for case, answer in zip(all_cases, answers, strict=True)]
    assert [outcome.sentence for outcome in outcomes if outcome.status is not Status.PASSED] == []
