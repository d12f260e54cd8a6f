"""Clients of other languages, and one written long before, send plain requests to `undersign proxy`, and a server that
verifies takes them: as a base URL, and as an HTTP proxy."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.cli.command import KEY_ID, Serving, serving
from tests.gateway.process import proxying

BODY = b'{"name": "caf\xc3\xa9"}'
TARGET = "/v1//items/%7e?q=%2f&&x"

NODE = """
const [base, target, body] = process.argv.slice(2);
fetch(base + target, {method: "POST", body, headers: {"Content-Type": "application/json"}})
  .then(async (answer) => { console.log(await answer.text()); });
"""

JAVA = """
import java.net.*; import java.net.http.*;
public class Client {
    public static void main(String[] args) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create(args[0] + args[1]))
            .header("Content-Type", "application/json").POST(HttpRequest.BodyPublishers.ofString(args[2])).build();
        System.out.println(HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString()).body());
    }
}
"""

GO = """
package main
import ("fmt"; "io"; "net/http"; "os"; "strings")
func main() {
    answer, err := http.Post(os.Args[1]+os.Args[2], "application/json", strings.NewReader(os.Args[3]))
    if err != nil { panic(err) }
    text, _ := io.ReadAll(answer.Body)
    fmt.Println(string(text))
}
"""

RUBY = """
require "net/http"
base, proxy, target, body = ARGV
uri, via = URI(base), URI(proxy)
Net::HTTP.start(uri.host, uri.port, via.host, via.port) do |http|
  puts http.post(target, body, "Content-Type" => "application/json").body
  deleted = Net::HTTP::Delete.new(target)
  puts http.request(deleted).body
end
"""

PHP = """<?php
[$script, $base, $target, $body] = $argv;
echo file_get_contents($base . $target, false, stream_context_create(["http" => [
    "method" => "POST", "header" => "Content-Type: application/json", "content" => $body, "ignore_errors" => true]]));
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Serving]:
    """`undersign serve`, which verifies and says what it got."""
    with serving("--key-id", KEY_ID) as running:
        yield running


@pytest.fixture(scope="module")
def gotom(server: Serving) -> Iterator[Serving]:
    with proxying("--key-id", KEY_ID, "--origin", server.url) as proxy:
        yield proxy


def needs(*programs: str) -> None:
    for program in programs:
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")


def run(*command: str | Path, env: dict[str, str] | None = None) -> bytes:
    kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    done = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        timeout=120,
        check=False,
        env={**kept, **(env or {})},
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def check(answer: bytes, target: str = TARGET, body: bytes = BODY) -> None:
    """The server has verified this very request."""
    found = json.loads(answer)
    assert (found["scheme"], found["key_id"], found["target"]) == ("gotom", KEY_ID, target)
    assert (found["method"], found["body_bytes"]) == ("POST", len(body))


def curl(*arguments: str) -> bytes:
    needs("curl")
    return run("curl", "-sS", "--path-as-is", "-H", "Content-Type: application/json", "-d", BODY.decode(), *arguments)


def test_curl(gotom: Serving, server: Serving) -> None:
    check(curl(gotom.url + TARGET))
    check(curl("-x", gotom.url, server.url + TARGET))
    check(curl("-H", "Transfer-Encoding: chunked", gotom.url + TARGET))
    check(curl("-H", "Expect: 100-continue", gotom.url + TARGET))
    check(curl("--http2", gotom.url + TARGET))
    check(curl("--http1.0", gotom.url + TARGET))


def test_curl_over_a_tunnel_is_told_what_to_do(gotom: Serving) -> None:
    needs("curl")
    command = ["curl", "-sS", "-x", gotom.url, "https://127.0.0.1:1/"]
    done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    assert b"501" in done.stderr


def test_node_fetch(gotom: Serving, tmp_path: Path) -> None:
    needs("node")
    (tmp_path / "client.js").write_text(NODE, encoding="utf-8")
    check(run("node", tmp_path / "client.js", gotom.url, TARGET, BODY.decode()))


@pytest.mark.long
def test_go(gotom: Serving, tmp_path: Path) -> None:
    needs("go")
    (tmp_path / "client.go").write_text(GO, encoding="utf-8")
    cache = {"GOCACHE": str(tmp_path / "cache"), "GOFLAGS": "-mod=mod", "HOME": str(tmp_path)}
    run("go", "build", "-o", tmp_path / "client", tmp_path / "client.go", env=cache)
    check(run(tmp_path / "client", gotom.url, TARGET, BODY.decode()))


def test_ruby(gotom: Serving, server: Serving, tmp_path: Path) -> None:
    """As an HTTP proxy, with two requests on one connection."""
    needs("ruby")
    (tmp_path / "client.rb").write_text(RUBY, encoding="utf-8")
    answers = run("ruby", tmp_path / "client.rb", server.url, gotom.url, TARGET, BODY.decode()).splitlines()
    check(answers[0])
    deleted = json.loads(answers[1])
    assert (deleted["method"], deleted["target"], deleted["body_bytes"]) == ("DELETE", TARGET, 0)


def test_php(gotom: Serving, tmp_path: Path) -> None:
    needs("php")
    (tmp_path / "client.php").write_text(PHP, encoding="utf-8")
    check(run("php", tmp_path / "client.php", gotom.url, TARGET, BODY.decode()))


@pytest.mark.long
def test_java(gotom: Serving, tmp_path: Path) -> None:
    """It asks for an upgrade to HTTP/2 with its first request."""
    needs("java")
    source = tmp_path / "Client.java"
    source.write_text(JAVA, encoding="utf-8")
    check(run("java", source, gotom.url, TARGET, BODY.decode()))


def test_pythons_own_client_through_the_environment(gotom: Serving, server: Serving) -> None:
    """As HTTP_PROXY, which is what most clients read."""
    needs("python3")
    program = "import sys, urllib.request as u; print(u.urlopen(sys.argv[1], sys.argv[2].encode()).read().decode())"
    answer = run(
        *("python3", "-c", program, server.url + "/a//b?x=%2f", BODY.decode()),
        env={"HTTP_PROXY": gotom.url, "http_proxy": gotom.url, "NO_PROXY": "", "no_proxy": ""},
    )
    check(answer, "/a//b?x=%2f")


def test_libclouds_gogrid_driver() -> None:
    """Its own key and signature, which are wrong, are taken off; the version that it asks for stays."""
    try:
        from libcloud.compute import providers
    except ImportError:
        pytest.skip("apache-libcloud is not installed")
    with (
        serving("--key-id", KEY_ID, "-o", "gogrid.allow_http=true") as server,
        proxying("--scheme", "gogrid", "-o", "allow_http=true", "--key-id", KEY_ID, "--origin", server.url) as proxy,
    ):
        address = urlsplit(proxy.url)
        driver: Any = providers.get_driver("gogrid")
        driver = driver("nobody", "wrong", host=address.hostname, port=address.port, secure=False)
        assert driver.list_images() == []
        assert driver.list_nodes() == []
        assert driver.ex_list_ips() == []
