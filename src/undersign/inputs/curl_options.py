"""The options of a curl command, as far as they say what the request is."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from ..errors import ConfigError
from .shell import as_bytes

_FILE_LIMIT = 64 * 1024 * 1024

_SHORT = {
    "0": "http1.0", "1": "tlsv1", "2": "sslv2", "3": "sslv3", "4": "ipv4", "6": "ipv6", "#": "progress-bar",
    ":": "next", "A": "user-agent", "B": "use-ascii", "C": "continue-at", "D": "dump-header", "E": "cert", "F": "form",
    "G": "get", "H": "header", "I": "head", "J": "remote-header-name", "K": "config", "L": "location", "M": "manual",
    "N": "no-buffer", "O": "remote-name", "P": "ftp-port", "Q": "quote", "R": "remote-time", "S": "show-error",
    "T": "upload-file", "U": "proxy-user", "V": "version", "X": "request", "Y": "speed-limit", "Z": "parallel",
    "a": "append", "b": "cookie", "c": "cookie-jar", "d": "data", "e": "referer", "f": "fail", "g": "globoff",
    "h": "help", "i": "include", "j": "junk-session-cookies", "k": "insecure", "l": "list-only", "m": "max-time",
    "n": "netrc", "o": "output", "p": "proxytunnel", "q": "disable", "r": "range", "s": "silent", "t": "telnet-option",
    "u": "user", "v": "verbose", "w": "write-out", "x": "proxy", "y": "speed-time", "z": "time-cond",
}  # fmt: skip
_DATA = ("data", "data-ascii", "data-raw", "data-binary", "data-urlencode", "json")
_WITH_VALUE = frozenset(_DATA) | {
    "request", "header", "user", "user-agent", "referer", "cookie", "upload-file", "url", "url-query", "range",
    "oauth2-bearer", "request-target", "proto-default",
}  # fmt: skip
_FLAGS = frozenset({"compressed", "globoff", "path-as-is", "get", "head"})
# What says how to reach the server, and what to do with its answer; and what other protocols than HTTP have.
_IGNORED_WITH_VALUE_NAMES = """
abstract-unix-socket alt-svc cacert capath cert cert-type ciphers connect-timeout connect-to cookie-jar
create-file-mode crlfile curves delegation dns-interface dns-ipv4-addr dns-ipv6-addr dns-servers doh-url dump-header ech
egd-file engine etag-save expect100-timeout ftp-account ftp-alternative-to-user ftp-method ftp-port ftp-ssl-ccc-mode
happy-eyeballs-timeout-ms haproxy-clientip hostpubmd5 hostpubsha256 hsts interface ip-tos ipfs-gateway keepalive-cnt
keepalive-time key key-type knownhosts krb libcurl limit-rate local-port login-options mail-auth mail-from mail-rcpt
max-filesize max-redirs max-time noproxy output output-dir parallel-max parallel-max-host pass pinnedpubkey preproxy
proto proto-redir proxy proxy-cacert proxy-capath proxy-cert proxy-cert-type proxy-ciphers proxy-crlfile proxy-header
proxy-key proxy-key-type proxy-pass proxy-pinnedpubkey proxy-service-name proxy-tls13-ciphers proxy-tlsauthtype
proxy-tlspassword proxy-tlsuser proxy-user proxy1.0 pubkey quote random-file rate resolve retry retry-delay
retry-max-time sasl-authzid service-name sigalgs socks4 socks4a socks5 socks5-gssapi-service socks5-hostname
speed-limit speed-time stderr telnet-option tftp-blksize tls-max tls13-ciphers tlsauthtype tlspassword tlsuser trace
trace-ascii trace-config unix-socket upload-flags vlan-priority write-out
"""
_IGNORED_WITH_VALUE = frozenset(_IGNORED_WITH_VALUE_NAMES.split())
_IGNORED_NAMES = """
append basic ca-native cert-status compressed-ssh create-dirs disable disable-eprt disable-epsv
disallow-username-in-url doh-cert-status doh-insecure dump-ca-embed fail fail-early fail-with-body false-start follow
form-escape ftp-create-dirs ftp-pasv ftp-pret ftp-skip-pasv-ip ftp-ssl-ccc ftp-ssl-control haproxy-protocol http0.9
http1.0 http1.1 http2 http2-prior-knowledge http3 http3-only ignore-content-length include insecure ipv4 ipv6
junk-session-cookies list-only location location-trusted mail-rcpt-allowfails metalink mptcp no-alpn no-buffer
no-clobber no-keepalive no-npn no-progress-meter no-sessionid out-null parallel parallel-immediate post301 post302
post303 progress-bar proxy-anyauth proxy-basic proxy-ca-native proxy-digest proxy-http2 proxy-insecure proxy-negotiate
proxy-ntlm proxy-ssl-allow-beast proxy-ssl-auto-client-cert proxy-tlsv1 proxytunnel raw remote-header-name remote-name
remote-name-all remote-time remove-on-error retry-all-errors retry-connrefused sasl-ir show-error silent skip-existing
socks5-basic socks5-gssapi socks5-gssapi-nec ssl ssl-allow-beast ssl-auto-client-cert ssl-no-revoke ssl-reqd
ssl-revoke-best-effort sslv2 sslv3 styled-output suppress-connect-headers tcp-fastopen tcp-nodelay tftp-no-options
tls-earlydata tlsv1 tlsv1.0 tlsv1.1 tlsv1.2 tlsv1.3 trace-ids trace-time use-ascii verbose xattr
"""
_IGNORED = frozenset(_IGNORED_NAMES.split())
_MULTIPART = "curl makes up the boundary of a multipart body as it sends it: give the request as raw HTTP"
_ASKS_FIRST = "curl asks the server how to authenticate, and what it sends then is not known here: leave it out"
_LOGIN_IN_A_FILE = "the login stands in a file: write it as -u user:password, or leave it out"
_SENDS_NOTHING = "curl sends nothing: leave it out"
_REFUSED = {
    "form": _MULTIPART,
    "form-string": _MULTIPART,
    "next": "there are several requests: give the command of one",
    "config": "the options stand in a file: write them into the command",
    "anyauth": _ASKS_FIRST,
    "digest": _ASKS_FIRST,
    "negotiate": _ASKS_FIRST,
    "ntlm": _ASKS_FIRST,
    "ntlm-wb": _ASKS_FIRST,
    "aws-sigv4": "curl signs with the time at which it runs: give the request as raw HTTP",
    "continue-at": "what curl asks for depends on the file that is there: write -H 'Range: …' instead",
    "crlf": "curl changes the line ends of the body: give the body as it is sent, and leave it out",
    "etag-compare": "the header stands in a file: write -H 'If-None-Match: …' instead",
    "expand-data": "curl puts variables in: write out what they stand for",
    "netrc": _LOGIN_IN_A_FILE,
    "netrc-file": _LOGIN_IN_A_FILE,
    "netrc-optional": _LOGIN_IN_A_FILE,
    "time-cond": "the header comes from a date or a file: write -H 'If-Modified-Since: …' instead",
    "tr-encoding": "curl adds TE and Connection: write them with -H instead",
    "variable": "curl puts variables in: write out what they stand for",
    "help": _SENDS_NOTHING,
    "manual": _SENDS_NOTHING,
    "version": _SENDS_NOTHING,
}


def read_file(name: str) -> bytes:
    """The content of a file that a command names. Raises ConfigError for one that is too large, and OSError."""
    path = Path(os.fsdecode(as_bytes(name)))
    try:
        with path.open("rb") as stream:
            content = stream.read(_FILE_LIMIT + 1)
    except FileNotFoundError:
        here = "" if path.is_absolute() else ": it is looked for in this folder, so run undersign where curl was run"
        raise ConfigError(
            f"the command takes a body or headers from the file {name}, which is not there{here}"
        ) from None
    if len(content) > _FILE_LIMIT:
        raise ConfigError(f"{name} is over {_FILE_LIMIT} bytes, which is too large for a body here")
    return content


@dataclass(repr=False)  # there are credentials in it
class CurlOptions:
    """What the options of a command come to. `piped` is on its standard input, None where that is not known."""

    piped: bytes | None
    files: Callable[[str], bytes] = read_file
    urls: list[str] = field(default_factory=list)
    method: str = ""
    headers: list[str] = field(default_factory=list)
    data: bytes | None = None
    query: bytes | None = None
    json: bool = False
    upload: str | None = None
    cookies: list[str] = field(default_factory=list)
    values: dict[str, str] = field(default_factory=dict)
    flags: set[str] = field(default_factory=set)

    def read(self, words: list[str]) -> CurlOptions:
        rest = iter(words)
        for word in rest:
            if word == "--":
                self.urls += rest
            elif word.startswith("--"):
                self._long(word, rest)
            elif word.startswith("-") and word != "-":
                self._short(word, rest)
            else:
                self.urls.append(word)
        return self

    def _long(self, word: str, rest: Iterator[str]) -> None:
        name = word[2:]
        if name in _WITH_VALUE or name in _IGNORED_WITH_VALUE:
            self._take(name, word, next(rest, None))
        else:
            self._flag(name, word)

    def _short(self, word: str, rest: Iterator[str]) -> None:
        for place, letter in enumerate(word[1:], 1):
            name = _SHORT.get(letter, "")
            if name in _WITH_VALUE or name in _IGNORED_WITH_VALUE:
                value = word[place + 1 :]
                self._take(name, f"-{letter}", value or next(rest, None))
                return
            self._flag(name, f"-{letter}")

    def _flag(self, name: str, word: str) -> None:
        if name in _FLAGS:
            self.flags.add(name)
        elif name.removeprefix("no-") in _FLAGS:
            self.flags.discard(name.removeprefix("no-"))
        elif name in _REFUSED:
            raise ConfigError(f"curl {word}: {_REFUSED[name]}")
        elif name not in _IGNORED and name.removeprefix("no-") not in _IGNORED:
            # Only the name: what is attached to it may be a secret.
            shown = word.partition("=")[0]
            if shown != word:
                raise ConfigError(f"curl {shown}=…: curl takes no value behind =, so write {shown} VALUE")
            raise ConfigError(
                f"curl {shown}: what this option does to the request is not known; leave it out if nothing"
            )

    def _take(self, name: str, word: str, value: str | None) -> None:
        if value is None:
            raise ConfigError(f"curl {word}: its value is missing")
        if name in _DATA:
            self._add(name, value)
        elif name == "header":
            self.headers += _headers_in(self.named(value[1:])) if value.startswith("@") else [value]
        elif name == "cookie":
            if "=" not in value:
                raise ConfigError(f"curl {word}: the cookies stand in a file: write them as name=value")
            self.cookies.append(value)
        elif name == "request":
            if not value:
                raise ConfigError(f"curl {word}: the method is empty")
            self.method = value
        elif name == "url-query":
            piece = as_bytes(value[1:]) if value.startswith("+") else self._encoded(value)
            self.query = piece if self.query is None else self.query + b"&" + piece
        elif name == "url":
            self.urls.append(value)
        elif name == "upload-file":
            self.upload = value
        elif name in _WITH_VALUE:
            self.values[name] = value

    def _add(self, name: str, value: str) -> None:
        """One more piece of the body."""
        if name == "data-urlencode":
            piece = self._encoded(value)
        elif value.startswith("@") and name != "data-raw":
            piece = self.named(value[1:])
            if name in ("data", "data-ascii"):
                if b"\0" in piece:
                    raise ConfigError(
                        f"curl --{name}: versions of curl differ on the NUL in the file: use --data-binary"
                    )
                piece = piece.translate(None, b"\r\n")
        else:
            piece = as_bytes(value)
        joint = b"&" if self.data is not None and name != "json" else b""
        self.data = (self.data or b"") + joint + piece
        self.json = self.json or name == "json"

    def _encoded(self, value: str) -> bytes:
        """--data-urlencode: content, =content, name=content, @file or name@file."""
        match = re.search("[=@]", value)
        if match is None:
            name, content = "", as_bytes(value)
        else:
            name, mark, rest = value[: match.start()], match[0], value[match.end() :]
            content = as_bytes(rest) if mark == "=" else self.named(rest)
        written = quote(content, safe="").replace("%20", "+").encode("ascii")
        return as_bytes(name) + b"=" + written if name else written

    def named(self, name: str) -> bytes:
        """The content of @file or @-."""
        if name != "-":
            return self.files(name)
        if self.piped is None:
            raise ConfigError(
                "curl reads its standard input, which is not known here: put that into a file, and its name after @"
            )
        return self.piped


def _headers_in(content: bytes) -> list[str]:
    lines = content.decode("utf-8", "surrogateescape").split("\n")
    return [line.rstrip("\r") for line in lines if line.strip() and not line.startswith("#")]
