"""The request that a curl command sends: its options, and what curl itself puts on the wire.

Measured on curl 7.88 against a server that keeps the bytes. What differs from one version of curl to the next is
refused (bytes outside ASCII in a URL) or left out (the version in User-Agent, Expect).
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable
from pathlib import PurePosixPath, PureWindowsPath
from urllib.parse import quote, unquote_to_bytes

from ..core.credentials import parse_origin
from ..core.fields import FORM
from ..core.message import Pairs, Request
from ..errors import ConfigError
from .cmd import cmd_words, is_for_cmd
from .curl_options import CurlOptions, read_file
from .found import Found
from .shell import Command, as_bytes, commands

_URL = re.compile(
    r"(?:(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*):/{1,3})?(?P<authority>[^/?#]*)(?P<rest>[^#]*)(?:#.*)?", re.DOTALL
)
_PROMPT = re.compile(r"(?:\s*#[^\n]*\n)*\s*(?:[$%>]\s+|PS [^>\n]*>\s*|[A-Za-z]:\\[^>\n]*>\s*)?")
_FOR_POWERSHELL = re.compile(
    r"`\r?\n\s*-|\bcurl(?:\.exe)?\s+(?:\S+\s+)?-(?:Uri|Method|Headers|Body|UseBasicParsing|WebSession)\b", re.IGNORECASE
)
# In a URL it stands for the character itself, where curl would make several URLs of the bare one.
_ESCAPED = re.compile(r"\\([][{}])")
_BYTE = re.compile(r"\\x[89A-Fa-f][0-9A-Fa-f]")
_PAIR = re.compile(r"\\u[Dd][89ABab][0-9A-Fa-f]{2}\\u[Dd][C-Fc-f]")
_NOT_UTF_8 = re.compile("[\udc80-\udcff]")
_UPPER = re.compile("%(?:[A-F][0-9A-Fa-f]|[0-9a-f][A-F])")
_OTHER_PROTOCOLS = ("ftp.", "dict.", "ldap.", "imap.", "smtp.", "pop3.")


def is_for_powershell(text: str) -> bool:
    """Whether a command that begins with curl is written for PowerShell, where curl may be Invoke-WebRequest."""
    return bool(_FOR_POWERSHELL.search(text))


def request_of_curl(text: str, files: Callable[[str], bytes] = read_file) -> Found:
    """The request that the command sends; text as os.fsdecode makes it. `@file` is what `files` reads of that name.

    Raises ConfigError, which names the option or the part of the command, where what is sent cannot be told; OSError
    for a file.
    """
    notes: list[str] = []
    text = text[_PROMPT.match(text).end() :]  # type: ignore[union-attr]  # it may be empty, so it always matches
    if is_for_powershell(text):
        raise ConfigError('the command is written for PowerShell: let the browser copy it "as cURL (bash)"')
    if is_for_cmd(text):
        command, piped = _curl_among([Command(cmd_words(text, notes))], files)
    else:
        command, piped = _curl_among(commands(text, notes), files)
        if _PAIR.search(text):
            notes.append(
                "\\ud83d\\ude00 and the like are read as the one character that browsers write so, not as bash does"
            )
        if _BYTE.search(text) and any(_NOT_UTF_8.search(word) for word in command.words):
            notes.append("bash makes one byte of \\xe9 and the like; Firefox writes é so, and has sent it in UTF-8")
    options = CurlOptions(piped, files).read(command.words[1:])
    in_query = _in_query(options)
    if in_query and _UPPER.search(in_query.decode("latin-1")):
        notes.append(
            "what -G and --url-query escape is in lower case, as curl 7.88 sends it; other versions may differ"
        )
    return Found(_request(options), tuple(notes))


def _in_query(options: CurlOptions) -> bytes | None:
    """What goes behind the URL's query. Where there is data for -G, curl forgets --url-query."""
    return options.data if "get" in options.flags and options.data is not None else options.query


def _is_curl(word: str) -> bool:
    return PureWindowsPath(word).name.lower() in ("curl", "curl.exe")


def _curl_among(found: list[Command], files: Callable[[str], bytes]) -> tuple[Command, bytes | None]:
    """The one curl command, and what comes on its standard input where that is known."""
    places = [place for place, command in enumerate(found) if _is_curl(command.words[0])]
    if not places:
        raise ConfigError("there is no command that begins with curl")
    if len(places) > 1:
        raise ConfigError(f"there are {len(places)} curl commands: give one")
    [place] = places
    curl, before, behind = found[place], found[:place], found[place + 1 :]
    if curl.operator == "&" and behind:
        raise ConfigError("the command holds a bare &, where a shell ends it: put the URL into quotes")
    if behind and curl.operator != "|":  # what reads the answer is nothing to the request
        raise ConfigError("there is another command behind curl: give the curl command alone")
    if not before:
        return curl, files(curl.stdin) if curl.stdin else None
    if len(before) > 1 or before[0].operator != "|":
        raise ConfigError("there is another command in front of curl: give the curl command alone")
    return curl, _output(before[0].words, files)


def _output(words: list[str], files: Callable[[str], bytes]) -> bytes:
    """What a simple command writes that is piped into curl."""
    if words[0] == "cat" and len(words) == 2:
        return files(words[1])
    if words[0] == "printf" and len(words) == 3 and words[1] in ("%s", "%s\\n"):
        return as_bytes(words[2]) + (b"\n" if words[1] != "%s" else b"")
    if words[0] == "printf" and len(words) == 2:
        return _printed(words[1])
    if (
        words[0] == "echo"
        and "\\" not in "".join(words)
        and (len(words) < 2 or words[1][:1] != "-" or words[1] == "-n")
    ):
        end = words[1:2] != ["-n"]
        return as_bytes(" ".join(words[1 if end else 2 :])) + b"\n" * end
    raise ConfigError(f"what {words[0]!r} pipes into curl is not known: put the body into a file, and its name after @")


def _printed(text: str) -> bytes:
    """What printf makes of a format without arguments."""
    pieces: list[bytes] = []
    for match in re.finditer(r"\\([0-7]{1,3})|\\(.)|%(.?)|([^\\%]+)|\\", text, re.DOTALL):
        octal, escape, conversion, plain = match.groups()
        if octal:
            pieces.append(bytes([int(octal, 8) & 0xFF]))
        elif plain:
            pieces.append(as_bytes(plain))
        elif (found := _PRINTF.get(escape or f"%{conversion}")) is not None:
            pieces.append(found)
        else:
            raise ConfigError(f"what printf makes of {match[0]!r} is not known: put the body into a file")
    return b"".join(pieces)


_PRINTF = {"n": b"\n", "r": b"\r", "t": b"\t", "\\": b"\\", "a": b"\a", "b": b"\b", "f": b"\f", "v": b"\v", "%%": b"%"}


def _request(options: CurlOptions) -> Request:
    """What curl sends."""
    if not options.urls:
        raise ConfigError("the curl command has no URL")
    if len(options.urls) > 1:
        raise ConfigError(f"the curl command has {len(options.urls)} URLs: give the command of one, quotes around it")
    if "head" in options.flags and "get" not in options.flags and options.data is not None:
        raise ConfigError("curl takes no -d with -I: leave one out")
    if options.upload is not None and (options.data is not None or "head" in options.flags):
        raise ConfigError("curl takes no -d and no -I with -T: leave one out")
    body = b"" if "get" in options.flags else options.data
    if options.upload is not None:
        body = options.named("-" if options.upload in ("-", ".") else options.upload)
    usual = "HEAD" if "head" in options.flags else "PUT" if options.upload else "GET" if body is None else "POST"
    if "get" in options.flags:
        usual, body = "HEAD" if "head" in options.flags else "GET", None
    origin, host, target, user = _place(options, _in_query(options))
    headers = _wire_headers(options, host, user, body)
    return Request(options.method or usual, target, headers, body or b"", origin)


def _place(options: CurlOptions, in_query: bytes | None) -> tuple[str, str, str, str | None]:
    """Origin, Host, target and `user:password` of the URL."""
    url = options.urls[0]
    if re.search("[^!-~]", url):
        raise ConfigError("the URL holds a space, a control character or one outside ASCII: percent-encode it")
    match = _URL.fullmatch(url)
    assert match is not None  # noqa: S101  # every part of the pattern may be empty
    scheme = (match["scheme"] or _usual_scheme(options, match["authority"])).lower()
    if scheme not in ("http", "https"):
        raise ConfigError("the URL of the curl command is neither http nor https")
    user, at, host = match["authority"].rpartition("@")
    rest = match["rest"]
    outside_host = rest + user + (host if not host.startswith("[") else "")
    outside_host = _ESCAPED.sub("", outside_host).replace("[]", "")
    if "globoff" not in options.flags and re.search(r"[][{}]", outside_host):
        raise ConfigError("the URL holds [ ] { or }, from which curl makes several: give -g to curl, or escape them")
    origin = parse_origin(f"{scheme}://{host}")
    port = origin.partition("://")[2].rpartition("]")[2].partition(":")[2]
    bare_host = re.sub(r":[0-9]*$", "", host)
    path, mark, query = (rest if "globoff" in options.flags else _ESCAPED.sub(r"\1", rest)).partition("?")
    path = path or "/"
    if options.upload is not None and path.endswith("/"):
        path += quote(as_bytes(PurePosixPath(options.upload).name))
    if "path-as-is" not in options.flags:
        path = without_dots(path)
    if in_query is not None:
        joint = "&" if query and not query.endswith("&") else ""
        query += joint + _UPPER.sub(lambda escape: escape[0].lower(), in_query.decode("latin-1"))
        mark = "?" if query else ""
    target = options.values.get("request-target", path + mark + query)
    name_and_password = "".join(chr(byte) for byte in unquote_to_bytes(user))
    if at and ":" not in user:
        name_and_password += ":"
    return origin, bare_host + (f":{port}" if port else ""), target, name_and_password if at else None


def _usual_scheme(options: CurlOptions, authority: str) -> str:
    """What curl takes for the scheme of a URL that names none."""
    host = authority.rpartition("@")[2].lower()
    guessed = next((name[:-1] for name in _OTHER_PROTOCOLS if host.startswith(name)), "http")
    return options.values.get("proto-default", guessed)


def _wire_headers(options: CurlOptions, host: str, user: str | None, body: bytes | None) -> Pairs:
    custom, named = _custom(options.headers)
    own: list[tuple[str, str]] = [("Host", host)]
    user = _latin1(options.values["user"]) if "user" in options.values else user
    if "oauth2-bearer" in options.values:
        own.append(("Authorization", f"Bearer {_latin1(options.values['oauth2-bearer'])}"))
    elif user is not None:
        if ":" not in user:
            raise ConfigError("curl -u: curl asks for the password: write it behind a colon")
        own.append(("Authorization", "Basic " + b64encode(user.encode("latin-1")).decode("ascii")))
    if "range" in options.values:
        own.append(("Range", f"bytes={_latin1(options.values['range'])}"))
    if options.values.get("user-agent") != "":
        own.append(("User-Agent", _latin1(options.values.get("user-agent", "curl"))))
    own.append(("Accept", "application/json" if options.json else "*/*"))
    if "compressed" in options.flags:
        own.append(("Accept-Encoding", "deflate, gzip, br, zstd"))
    if referer := options.values.get("referer", "").partition(";auto")[0]:
        own.append(("Referer", _latin1(referer)))
    if options.cookies:
        own.append(("Cookie", _latin1(";".join(options.cookies))))
    last: list[tuple[str, str]] = []
    if options.upload in ("-", "."):
        last.append(("Transfer-Encoding", "chunked"))
    elif body is not None and "transfer-encoding" not in named:
        last.append(("Content-Length", str(len(body))))
    if body is not None and options.upload is None:
        kind = "application/json" if options.json else FORM
        last.append(("Content-Type", kind))
    own, last = ([pair for pair in pairs if pair[0].lower() not in named] for pairs in (own, last))
    # A Host of the user's own stands where curl's would.
    first = [pair for pair in custom if pair[0].lower() == "host"]
    return (*first, *own, *(pair for pair in custom if pair not in first), *last)


def _custom(lines: list[str]) -> tuple[list[tuple[str, str]], set[str]]:
    """The headers of -H, and the names (lower case) that curl itself leaves out on account of them."""
    custom: list[tuple[str, str]] = []
    named: set[str] = set()
    for line in lines:
        name, colon, value = _latin1(line).partition(":")
        if colon:
            named.add(name.strip().lower())
            if value.strip():
                custom.append((name, value.strip(" \t")))
        elif line.endswith(";") and line[:-1].strip():
            named.add(name[:-1].lower())
            custom.append((name[:-1], ""))
    return custom, named


def _latin1(text: str) -> str:
    return as_bytes(text).decode("latin-1")


def without_dots(path: str) -> str:
    """The path without its dot segments. RFC 3986, section 5.2.4."""
    kept: list[str] = []
    segments = path.split("/")[1:]
    for place, segment in enumerate(segments):
        last = place == len(segments) - 1
        if segment == "..":
            kept = kept[:-1]
        elif segment != ".":
            kept.append(segment)
        if last and segment in (".", ".."):
            kept.append("")
    return "/" + "/".join(kept)
