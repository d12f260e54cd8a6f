"""Dates as programs and libraries of other languages print them: signed as they stand, each verifies."""

from __future__ import annotations

import base64
import email.utils
import hashlib
import hmac
import shutil
import subprocess
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from tests.core.plain import NOW, SECRET, USER
from undersign import GoTom, Request, Verifier, Window

# As any, with seconds of 0, and with a fraction and in another month in other zones.
INSTANTS = [float(NOW), NOW - 15.0, 1725148799.25]

JAVA = """
import java.time.*;
import java.time.format.DateTimeFormatter;
import java.util.*;

class Dates {
    public static void main(String[] instants) {
        for (String text : instants) {
            Instant at = Instant.ofEpochMilli(Math.round(Double.parseDouble(text) * 1000));
            System.out.println(at);
            for (String zone : List.of("Z", "+01:00", "+05:30", "-05:00")) {
                OffsetDateTime date = at.atOffset(ZoneOffset.of(zone));
                System.out.println(date);
                System.out.println(DateTimeFormatter.ISO_OFFSET_DATE_TIME.format(date));
                System.out.println(DateTimeFormatter.RFC_1123_DATE_TIME.format(date));
                for (String form : List.of("uuuuMMdd'T'HHmmssX", "uuuuMMdd'T'HHmmssXX", "EEE, d MMM uuuu HH:mm:ss Z")) {
                    System.out.println(DateTimeFormatter.ofPattern(form, Locale.ENGLISH).format(date));
                }
            }
        }
    }
}
"""
PHP = """
foreach (array_slice($argv, 1) as $at) {
    foreach (['UTC', 'Europe/Zurich', 'Asia/Kolkata', 'America/New_York'] as $zone) {
        $date = DateTimeImmutable::createFromFormat('U.u', sprintf('%.6F', $at))->setTimezone(new DateTimeZone($zone));
        foreach (['r', 'c', DATE_ATOM, DATE_RFC2822, DATE_RFC3339, DATE_RFC3339_EXTENDED, DATE_ISO8601, DATE_RSS,
                  'Y-m-d H:i:sP', 'Y-m-d H:i:s O', 'Y-m-d H:i:s.uP', 'Ymd\\\\THisO', 'Ymd\\\\THisP'] as $form) {
            echo $date->format($form), "\\n";
        }
    }
    echo gmdate('D, d M Y H:i:s \\\\G\\\\M\\\\T', (int) $at), "\\n", gmdate('D, d M Y H:i:s T', (int) $at), "\\n";
}
"""
NODE = """
for (const at of process.argv.slice(1)) {
    const date = new Date(at * 1000);
    console.log(date.toISOString() + "\\n" + date.toUTCString() + "\\n" + JSON.parse(JSON.stringify(date)));
}
"""
BASH = """
for at; do
    for zone in UTC0 CET-1 IST-5:30 EST+5; do
        export TZ=$zone
        date -R -d "@$at"
        date --rfc-3339=seconds -d "@$at"
        for form in seconds minutes ns; do date "--iso-8601=$form" -d "@$at" | tr , .; done
        date -d "@$at" "+%Y-%m-%d %H:%M:%S %z"; date -d "@$at" "+%Y%m%dT%H%M%S%z"; date -d "@$at" "+%FT%T%:z"
    done
    date -u -d "@$at" "+%a, %d %b %Y %T GMT"
done
"""
PROGRAMS = {
    "php": ("php", "-r", PHP, "--"),
    "node": ("node", "-e", NODE, "--"),
    "bash": ("bash", "-c", BASH, "bash"),
}


def assert_verify(texts: list[str]) -> None:
    # In full, cut off to the second, or to the minute.
    instants = {at for instant in INSTANTS for at in (instant, instant // 1, instant // 60 * 60)}
    scheme = GoTom(window=Window(past=10**8, future=10**8))
    verifier = Verifier(scheme, {USER: SECRET}, clock=lambda: NOW)
    for text in texts:
        string = f"GET\n{hashlib.md5(b'', usedforsecurity=False).hexdigest()}\ntext/plain\n{text}\n\n/"
        signature = base64.b64encode(hmac.new(SECRET.encode(), string.encode(), "sha1").digest()).decode()
        credentials = f"gotom_app_api {USER}:{signature}"
        request = Request("GET", "/", (("Content-Type", "text/plain"), ("Date", text), ("Authorization", credentials)))
        assert verifier.verify(request).at in instants, text


@pytest.mark.parametrize("program", PROGRAMS)
def test_what_a_program_prints_verifies(program: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"needs {program}")
    done = subprocess.run([*PROGRAMS[program], *map(str, INSTANTS)], capture_output=True, text=True, check=True)
    texts = done.stdout.splitlines()
    assert len(texts) >= 9
    assert_verify(texts)


@pytest.mark.skipif(shutil.which("java") is None, reason="needs java")
def test_what_java_prints_verifies(tmp_path: Path) -> None:
    program = tmp_path / "Dates.java"
    program.write_text(JAVA, encoding="utf-8")
    done = subprocess.run(["java", program, *map(str, INSTANTS)], capture_output=True, text=True, check=True)
    texts = done.stdout.splitlines()
    assert "2024-11-07T10:21Z" in texts
    assert_verify(texts)


def test_what_python_prints_verifies() -> None:
    texts = []
    for instant in INSTANTS:
        texts += [email.utils.formatdate(instant), email.utils.formatdate(instant, usegmt=True)]
        for offset in (0, 60, 330, -300):
            date = datetime.fromtimestamp(instant, timezone(timedelta(minutes=offset)))
            texts += [
                str(date),
                date.isoformat(),
                date.isoformat(timespec="minutes"),
                email.utils.format_datetime(date),
            ]
            texts += [date.isoformat(" ", "microseconds"), date.strftime("%Y%m%dT%H%M%S%z")]
    assert_verify(texts)
