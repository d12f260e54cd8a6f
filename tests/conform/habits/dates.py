"""The dates that languages read and write."""

from __future__ import annotations

import re
from collections.abc import Mapping

from .habit import Text

# Dates: the spellings besides those of the scheme that a usual parser takes, and of those of the scheme which
# it does not.
TAKES: Mapping[str, tuple[str, str]] = {
    "one-digit-hour": ("Go", r"\d{4}-\d\d-\d\dT\d:\d\d:\d\dZ"),
    "rfc-822": ("Go", r"\d\d \w{3} \d\d \d\d:\d\d (UTC|GMT)"),
    "rfc-822-z": ("Go", r"\d\d \w{3} \d\d \d\d:\d\d [+-]\d{4}"),
    "kitchen": ("Go", r"\d+:\d\d[AP]M"),
    "stamp": ("Go", r"\w{3} +\d+ \d\d:\d\d:\d\d"),
    "date-time": ("Go", r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"),
    "ruby-date": ("Go", r"\w{3} \w{3} \d\d \d\d:\d\d:\d\d [+-]\d{4} \d{4}"),
    "rfc-1123-any-zone": ("Go", r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d [A-Z]{3}"),
    "monotonic": ("Go", r".* m=.*"),
    "padded-day": ("Go", r"\w{3},  \d \w{3} \d{4} .*"),
    "signed-year": ("Java", r"\+\d{4}-.*Z"),
    "zone-in-brackets": ("Java", r".*\[\w+\]"),
    "zone-utc-offset": ("Java", r".*UTC\+\d\d:\d\d"),
    "to-string": ("Java", r"\w{3} \w{3} \d\d \d\d:\d\d:\d\d [A-Z]{3} \d{4}"),
    "basic-date": ("Java", r"\d{8}Z"),
    "local-date-time": ("Java", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"),
    "gmt-offset": ("Java", r".* GMT\+\d\d:\d\d"),
    "week-basic": ("Java", r"\d{4}W\d+T\d+Z"),
    "slashes": ("C#", r"\d+/\d+/\d{4}.*"),
    "am-pm": ("C#", r".* AM Z"),
    "long-names": ("C#", r"\w{6,9}, \d\d \w{8} .*"),
    "json": ("C#", r"/Date\(\d+\)/"),
    "ticks": ("C#", r"\d{18}"),
    "dots": ("C#", r"\d\d\.\d\d\.\d{4} .*"),
    "jisx0301": ("Ruby", r"R\d\d\..*"),
    "time-first": ("Ruby", r"\d\d:\d\d:\d\d \d{4}-.*"),
    "month-first": ("Ruby", r"\w{3} \d+ \d{4} .*"),
    "compact": ("Ruby", r"\d{14}[+-]\d{4}"),
    "day-of-year": ("Ruby", r"\d{7}T\d{6}Z"),
    "text-in-front": ("Ruby", r"at \d{4}-.*"),
    "zone-names": ("Ruby", r".* (EST|JST)"),
    "timestamp": ("PHP", r"@\d+"),
    "timestamp-fraction": ("PHP", r"@\d+\.\d+"),
    "words": ("PHP", r"tomorrow|midnight|sat"),
    "relative-behind": ("PHP", r".* \+\d seconds"),
    "hyphens": ("PHP", r"\d\d-\w{3}-\d{4} .*"),
    "dotted-time": ("PHP", r".* \d\d\.\d\d\.\d\d UTC"),
    "military-zone": ("PHP", r".*\dA"),
    "zone-identifier": ("PHP", r".* \w+/\w+"),
    "cookie": ("PHP", r"\w+day, \d\d-\w{3}-\d{4} .*"),
    "common-log": ("PHP", r"\d\d/\w{3}/\d{4}:.*"),
    "exif": ("PHP", r"\d{4}:\d\d:\d\d .*"),
    "xml-rpc": ("PHP", r"\d{8}T\d\d:\d\d:\d\d"),
    "last-day-of": ("PHP", r"last day of .*"),
    "comment": ("PHP", r".*Z\(\)"),
    "six-digit-year": ("JavaScript", r"[+]\d{6}-.*"),
    "milliseconds": ("JavaScript", r"\d{13}"),
    "month-first-comma": ("JavaScript", r"\w{3} \d+, \d{4} .*"),
    "locale": ("JavaScript", r"\d+/\d+/\d{4}, .* AM"),
    "date-and-z": ("JavaScript", r"\d{4}-\d\d-\d\dZ"),
    "month-alone": ("JavaScript", r"\d{4}-\d\d"),
    "parentheses": ("JavaScript", r".* GMT \(UTC\)"),
    "one-digit-offset": ("JavaScript", r".*[+-]\d:\d\d"),
    "unix": ("Python", r"\d{9,10}"),
    "unix-fraction": ("Python", r"\d{10}\.\d"),
    "ctime": ("Python", r"\w{3} \w{3} +\d+ \d\d:\d\d:\d\d \d{4}"),
    "comma-microseconds": ("Python", r".*,\d{6}\+00:00"),
    "lower-t": ("Python", r"\d{4}-\d\d-\d\dt.*"),
    "second-61": ("Python", r".*:61 GMT"),
    "quoted": ("JavaScript", r'".*"'),
    "joined": ("Java", r".*Z, .*Z"),
    "offset-behind-z": ("Ruby", r".*Z\+00:00"),
    "zone-pdt": ("Ruby", r".* PDT"),
    "german": ("C#", r"Do, .*"),
    "space-behind": ("Python", r".*Z[\n\r\x0b\x0c\x1c\x00\xa0]"),
}
REFUSES: Mapping[str, tuple[str, str]] = {
    "instant-offsets": ("Java", r".*T.*[+-]\d\d:\d\d"),
    "rfc-3339-space": ("Go", r"\d{4}-\d\d-\d\d .*"),
    "rfc-3339-offset-without-colon": ("Go", r".*T.*[+-]\d{4}"),
    "basic-form": ("JavaScript", r"\d{8}T.*"),
    "nine-digits-at-most": ("Java", r".*\.\d{10,}.*"),
    "seven-digits-at-most": ("C#", r".*\.\d{8,}.*"),
    "six-digits-at-most": ("Python", r".*\.\d{7,}.*"),
    "three-digits-at-most": ("JavaScript", r".*\.\d{4,}.*"),
    "one-digit-fraction": ("Python", r".*:\d\d\.\d(?!\d).*"),
    "year-9999": ("C#", r"9999.*"),
    "years-before-1000": ("Python", r"0\d{3}-.*"),
    "years-before-1970": ("PHP", r"(19[0-6]|1[0-8]|0)\d.*"),
    "years-from-2038": ("PHP", r"20(3[89]|[4-9]\d)-.*"),
    "years-from-2262": ("Go", r"(226[2-9]|2[3-9]\d\d|[3-9]\d{3})-.*"),
    "offsets-over-12": ("C#", r".*[+]1[3-9]:\d\d"),
    "offsets-over-18": ("Java", r".*[+-](19|2\d):?\d\d"),
    "offset-half-hours": ("PHP", r".*[+-]\d\d:?(30|45)"),
    "utc-word": ("JavaScript", r".* UTC"),
    "one-digit-day": ("Go", r"(\w{3}, )?\d \w{3} .*"),
    "without-weekday": ("Python", r"\d{1,2} \w{3} \d{4} .*"),
    "without-seconds": ("Go", r".*\d\d:\d\d(Z| ?[+-].*| GMT| UTC)"),
    "minus-zero": ("Java", r".*-00:?00"),
    "leap-day": ("Ruby", r"\d{4}-?02-?29.*"),
    "leap-day-of-centuries": ("C", r"\d\d00-?02-?29.*"),
    "leap-day-2400": ("C", r"2400.*"),
    "midnight": ("Java", r".*T00:.*"),
    "noon": ("C#", r".*T12:.*"),
    "octal": ("Bash", r".*-0[89].*"),
    "rfc-5322-offset": ("JavaScript", r".* \d\d:\d\d:\d\d [+-]\d{4}"),
    "august": ("C#", r".* Aug .*"),
    "december": ("Ruby", r".* Dec .*"),
    "february": ("C#", r".* Feb .*"),
    "may": ("PHP", r".* May .*"),
    "summer-time-gap": ("Java", r"2024-03-31.02:.*"),
    "gregorian-1582": ("Java", r"1582.*"),
}


def _written(pattern: str, instead: str) -> Text:
    return lambda text: re.sub(pattern, instead, text)


# How dates are written.
WRITES: Mapping[str, tuple[str, Text]] = {
    "week-year": (
        "Java",
        lambda text: (
            "2025" + text[4:]
            if text.startswith("2024-12-30")
            else "2020" + text[4:]
            if text.startswith("2021-01-03")
            else text
        ),
    ),
    "twelve-hours": ("Java", lambda text: re.sub(r"T(\d\d)", lambda m: f"T{(int(m[1]) + 11) % 12 + 1:02}", text)),
    "day-of-year": ("C#", lambda text: text.replace("2024-12-31", "2024-12-366")),
    "plus-zero": ("Python", _written("Z$", "+00:00")),
    "no-zone": ("Python", _written("Z$", "")),
    "lower-z": ("Ruby", _written("Z$", "z")),
    "utc-word": ("Ruby", _written("T(.*)Z$", r" \1 UTC")),
    "fraction-zeros-dropped": ("Java", _written(r"\.000Z$", "Z")),
    "fraction-trailing-zeros-dropped": ("Go", _written(r"(\.\d+?)0+Z$", r"\1Z")),
    "fraction-unpadded": ("C", _written(r"\.0+(\d+)Z$", r".\1Z")),
    "always-milliseconds": ("JavaScript", _written(r"(:\d\d)Z$", r"\1.000Z")),
    "microseconds": ("Python", _written(r"(\.\d{3})Z$", r"\g<1>000Z")),
    "comma": ("C#", _written(r"\.", ",")),
    "dots-for-colons": ("C#", _written(":", ".")),
    "space-for-t": ("PHP", _written("T", " ")),
    "seconds-dropped": ("Java", _written(":00Z$", "Z")),
    "unpadded-month": ("JavaScript", _written("-0", "-")),
    "unpadded-hour": ("JavaScript", _written("T0", "T")),
    "six-digit-year": ("JavaScript", lambda text: text if text[:2] in ("19", "20", "21", "22") else "+00" + text),
    "year-1900": ("C", lambda text: "19" + text[2:] if text.startswith("00") else text),
    "summer-time": ("PHP", lambda text: text.replace("2024-03-31T02", "2024-03-31T03")),
    "before-1970": ("PHP", lambda text: "1970-01-01T00:00:00Z" if text < "1970" else text),
    "32-bits": ("C", lambda text: "1901-12-13T20:45:52Z" if text > "2038-01-19T03:14:07Z" and text < "3" else text),
    "64-bit-nanoseconds": ("Go", lambda text: "1677-09-21T00:12:43Z" if text > "2262-04-11T23:47:16Z" else text),
    "julian": ("Java", lambda text: text.replace("1582-10-10", "1582-09-30")),
    "next-second-before-1970": ("C#", lambda text: text.replace("1969-12-31T23:59:59Z", "1970-01-01T00:00:00Z")),
}
