"""What the errors of redis-py and valkey-py mean, told by their names, which are the same in both."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator

from ._redis_scripts import COMMANDS

_CODES = {
    "AuthenticationError": "WRONGPASS",
    "AuthenticationWrongNumberOfArgsError": "WRONGPASS",
    "NoPermissionError": "NOPERM",
    "ReadOnlyError": "READONLY",
    "OutOfMemoryError": "OOM",
    "BusyLoadingError": "LOADING",
    "MasterDownError": "MASTERDOWN",
    "ClusterDownError": "CLUSTERDOWN",
    "ClusterCrossSlotError": "CROSSSLOT",
    "MovedError": "MOVED",
    "AskError": "MOVED",
    "TryAgainError": "TRYAGAIN",
    "MasterNotFoundError": "NOMASTER",
    "MaxConnectionsError": "MAXCONNECTIONS",
}
_PHRASES = {
    "NOPERM": "NOPERM",
    "Authentication required": "NOAUTH",
    "HELLO must be called with the client already authenticated": "NOAUTH",
    "max number of clients reached": "MAXCLIENTS",
    "Too many connections": "MAXCONNECTIONS",
    "invalid password": "WRONGPASS",
    "unknown command": "UNKNOWN",
    "Unknown Redis command": "UNKNOWN",
    "Unknown Valkey command": "UNKNOWN",
    "Cluster mode is not enabled": "NOCLUSTERMODE",
    "Redis Cluster cannot be connected": "NOCLUSTER",
    "Valkey Cluster cannot be connected": "NOCLUSTER",
}
_CLUSTER = "give the guard a client for clusters, such as redis.RedisCluster"
_REMEDIES = {
    "NOAUTH": "the server asks for a password: name user and password in the URL or the client",
    "WRONGPASS": "the server refuses this user and password",
    "READONLY": "it is a read-only replica: ask the master, by Sentinel for instance",
    "MISCONF": "the server cannot save to its disk, and takes no writes until it can: its own log says why",
    "OOM": "the server's memory is full: raise its maxmemory",
    "LOADING": "the server has started, and still loads its data",
    "MASTERDOWN": "it is a replica that has lost its master: ask the master, by Sentinel for instance",
    "NOREPLICAS": "the server has fewer replicas than its min-replicas-to-write",
    "BUSY": "a script of another client runs on the server for too long",
    "CLUSTERDOWN": "the cluster is down, or does not serve the guard's slot",
    "NOCLUSTERMODE": "the server is no cluster, or the user lacks +cluster|slots +command",
    "NOCLUSTER": "no node of the cluster can be reached",
    "CROSSSLOT": f'it is a cluster: {_CLUSTER}, or a prefix with a hash tag, such as "{{undersign:replay}}:"',
    "MOVED": f"it is one node of a cluster: {_CLUSTER}",
    "TRYAGAIN": "the cluster moves the guard's slot to another node",
    "NOMASTER": "the Sentinels know no master of this name, or cannot be reached",
    "MAXCLIENTS": "the server has as many connections as its maxclients allows",
    "MAXCONNECTIONS": "this process has as many connections as max_connections allows",
    "DENIED": "the server runs in protected mode: give it a password, and the guard too",
    "UNKNOWN": f"the server lacks one of the commands that the guard needs, {COMMANDS.replace('+', '').upper()}",
}
# Two kinds of outage in which a server answers: it starts, and a cluster has lost nodes. Both pass by themselves.
_OUTAGES = frozenset({"LOADING", "CLUSTERDOWN", "NOCLUSTER", "NOMASTER"})
_GONE = frozenset({"ConnectionError", "TimeoutError", "OSError"})
_REFUSALS = frozenset({"AuthorizationError", "ExternalAuthProviderError"})
_COMMAND = re.compile(r"the '([a-z|_-]+)' command")


def is_gone(error: Exception) -> bool:
    """Whether there was no answer: a server that answers with an error is there, and so is one of the wrong TLS.

    Nor is a limit of this process or of the server that many requests at one time reach: whoever sends as many must
    not switch the guard off.
    """
    chain = list(_chain(error))
    if any(_is_of_tls(each) or _names(each) & _REFUSALS for each in chain):
        return False
    code = _code(error)
    if code:
        return code in _OUTAGES
    return bool(_names(error) & _GONE)


def what_failed(error: Exception, prefix: str) -> str:
    """A sentence for the log: what went wrong, and what to do. `prefix` is that of the guard's keys.

    Type names and the server's own codes alone, since texts hold addresses and passwords.
    """
    code = _code(error)
    named = f" {code}" if code and code in str(error) else ""
    said = f"Redis cannot be asked: {type(error).__name__}{named}"
    if any(isinstance(each, ssl.SSLCertVerificationError) for each in _chain(error)):
        return f"{said}; its certificate is not that of a known authority, or of another name: see ssl_ca_certs"
    if any(_is_of_tls(each) for each in _chain(error)):
        return f"{said}; TLS fails: see whether the server speaks it on that port, and asks for a client certificate"
    if code == "NOPERM":
        return f"{said}; {_missing(error, prefix)}"
    return f"{said}; {_REMEDIES[code]}" if code in _REMEDIES else said


def _missing(error: Exception, prefix: str) -> str:
    text = str(error)
    command = _COMMAND.search(text)
    keys = "~" + re.sub(r"([*?\[\]\\])", r"\\\1", prefix) + "*"
    rules = COMMANDS
    if command:
        lacks = f"+{command[1]}"
        if lacks not in rules.split():  # what the client needs beside, such as +select
            rules += f" {lacks}"
    elif "key" in text:
        lacks = keys
    else:
        lacks = "a permission"
    return f"the user lacks {lacks}: the guard needs ACL SETUSER … {rules} {keys}"


def _code(error: Exception) -> str:
    """The code of the server's answer, or one of ours for what comes without; "" where there was no answer."""
    for each in _chain(error):
        text = str(each)
        for phrase, code in _PHRASES.items():
            if phrase in text:
                return code
        word = _first_word(each)
        if word in _REMEDIES:
            return word
        for kind in type(each).__mro__:
            if kind.__name__ in _CODES:
                return _CODES[kind.__name__]
    return ""


def _first_word(error: BaseException) -> str:
    word = str(error).partition(" ")[0]
    return word if word.isupper() and word.isalpha() else ""


def _names(error: BaseException) -> set[str]:
    return {kind.__name__ for kind in type(error).__mro__}


def _is_of_tls(error: BaseException) -> bool:
    # A server that dies in the middle of a record ends TLS too early.
    ended = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)
    return isinstance(error, ssl.SSLError) and not isinstance(error, (*ended, TimeoutError))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    for _ in range(8):
        if error is None:
            return
        yield error
        error = error.__cause__ or error.__context__
