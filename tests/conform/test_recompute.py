"""Every signature and digest that the vectors expect is made once more by two other programs, in one process each."""

from __future__ import annotations

import json
import shutil
import subprocess
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

from undersign import vectors

# Each job is [algorithm, secret in hex or null, message in hex]; each answer is the digest in hex.
PHP = """
foreach (json_decode(stream_get_contents(STDIN)) as [$algorithm, $secret, $message]) {
    $message = hex2bin($message);
    echo $secret === null ? hash($algorithm, $message) : hash_hmac($algorithm, $message, hex2bin($secret)), "\\n";
}
"""
NODE = """
const { createHash, createHmac } = require("crypto");
for (const [algorithm, secret, message] of JSON.parse(require("fs").readFileSync(0))) {
    const hash = secret === null ? createHash(algorithm) : createHmac(algorithm, Buffer.from(secret, "hex"));
    console.log(hash.update(Buffer.from(message, "hex")).digest("hex"));
}
"""
PROGRAMS = {"php": ("php", "-r", PHP), "node": ("node", "-e", NODE)}

Job = tuple[str, str | None, str]


def jobs() -> Iterator[tuple[str, list[Job], str]]:
    """The name of a test, the jobs of which one has to come to the value, and the value in hex or in base64."""
    for name in vectors.names():
        for group, test in vectors.load(name):
            if test.string_to_sign is not None and test.reason != "mismatch":
                yield from (header_jobs if name == "gotom" else parameter_jobs)(group, test)


def secrets_of(group: vectors.Group, test: vectors.Test) -> list[bytes]:
    """A request that is refused names no key, so it may be any of the group's."""
    named = [test.key_id] if test.key_id else list(group.keys)
    return [secret for key_id in named for secret in group.keys[key_id]]


def header_jobs(group: vectors.Group, test: vectors.Test) -> Iterator[tuple[str, list[Job], str]]:
    string = test.string_to_sign or b""
    body = test.request.body if isinstance(test.request.body, bytes) else b""
    if group.options.get("multipart_as_empty") and test.request.method == "POST" and is_upload(test):
        body = b""
    yield f"{test.name}: body", [("md5", None, body.hex())], string.split(b"\n")[1].decode()
    headers = test.patch.headers if test.patch else test.request.headers
    signature = next(value for header, value in headers if header.lower() == "authorization").strip().rpartition(":")[2]
    algorithm = group.options.get("algorithm", "sha1")
    yield test.name, [(algorithm, secret.hex(), string.hex()) for secret in secrets_of(group, test)], signature


def is_upload(test: vectors.Test) -> bool:
    values = [value for name, value in test.request.headers if name.lower() == "content-type"]
    return any(value.split(";")[0].strip().lower() == "multipart/form-data" for value in values)


def parameter_jobs(group: vectors.Group, test: vectors.Test) -> Iterator[tuple[str, list[Job], str]]:
    before, _, seconds = (test.string_to_sign or b"").partition(b"\0")
    algorithm = group.options.get("algorithm", "md5")
    used = [(algorithm, None, (before + secret + seconds).hex()) for secret in secrets_of(group, test)]
    if test.patch:
        yield test.name, list(used), dict(test.patch.query + test.patch.form)[group.options.get("sig_param", "sig")]
    elif test.result == "valid":
        body = test.request.body if isinstance(test.request.body, bytes) else b""
        yield test.name, list(used), f"in {unquote(test.request.target)} {body.decode('latin-1')}"


JOBS = [job for job in jobs() if job[1]]


@pytest.mark.parametrize("program", PROGRAMS)
def test_another_program_comes_to_the_same(program: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"needs {program}")
    asked = [job for _, several, _ in JOBS for job in several]
    done = subprocess.run(PROGRAMS[program], input=json.dumps(asked), capture_output=True, text=True, check=True)
    digests = iter(done.stdout.split())
    for name, several, expected in JOBS:
        found = [next(digests) for _ in several]
        found += [b64encode(bytes.fromhex(digest)).decode() for digest in found]
        assert expected in found or any(f"={digest}" in expected for digest in found), name
    assert len(JOBS) >= 400


@pytest.mark.skipif(
    shutil.which("md5sum") is None or shutil.which("openssl") is None, reason="needs md5sum and OpenSSL"
)
def test_md5sum_and_openssl_come_to_the_same(tmp_path: Path) -> None:
    plain = [(name, job, expected) for name, several, expected in JOBS for job in several if job[:2] == ("md5", None)]
    single = [(name, job, expected) for name, job, expected in plain if len(expected) == 32]
    paths = [tmp_path / f"{at:04}" for at in range(len(single))]
    for path, (_, job, _) in zip(paths, single, strict=True):
        path.write_bytes(bytes.fromhex(job[2]))
    for command in (("md5sum",), ("openssl", "dgst", "-md5", "-r")):
        done = subprocess.run([*command, *paths], capture_output=True, text=True, check=True)
        digests = [line.split()[0] for line in done.stdout.splitlines()]
        assert digests == [expected for _, _, expected in single]


def test_every_signed_request_is_among_them() -> None:
    names = {name for name, _, _ in JOBS}
    for file in map(vectors.load, vectors.names()):
        for group, test in file:
            assert group.op == "verify" or test.result == "invalid" or test.name in names
