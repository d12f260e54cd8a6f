"""Trailers between programs that others have written: Node.js, Go and curl, as clients and as servers."""

from __future__ import annotations

import json
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

from tests.gateway.harness import running
from tests.gateway.test_clients import needs, run
from undersign import presets
from undersign.gateway import Forwarder, SigningProxy

KEY_ID, SECRET = "crm_sync", "the password you received"

NODE_SERVER = """
const http2 = process.argv[2] === "2";
const server = http2 ? require("http2").createServer() : require("http").createServer();
server.on("request", (request, response) => {
  request.resume();
  request.on("end", () => {
    response.setHeader("Trailer", "X-Sum");
    response.write(JSON.stringify({trailers: request.trailers, announced: request.headers.trailer}));
    response.addTrailers({"X-Sum": "1", "X-Other": "2"});
    response.end();
  });
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
"""

NODE_CLIENT = """
const options = {method: "POST", headers: {TE: "trailers", Connection: "TE, close", Trailer: "X-Hash"}};
const request = require("http").request(process.argv[2], options, (answer) => {
  let text = "";
  answer.on("data", (piece) => { text += piece; });
  answer.on("end", () => {
    console.log(JSON.stringify([JSON.parse(text), answer.trailers, answer.headers.trailer]));
  });
});
request.write("abc");
request.addTrailers({"X-Hash": "1", "Authorization": "Basic eA=="});
request.end();
"""

GO = """
package main
import ("encoding/json"; "fmt"; "io"; "net"; "net/http"; "os"; "strings")
func serve() {
    listener, err := net.Listen("tcp", "127.0.0.1:0")
    if err != nil { panic(err) }
    fmt.Println(listener.Addr().(*net.TCPAddr).Port)
    server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
        announced := []string{}
        for name := range r.Trailer { announced = append(announced, strings.ToLower(name)) }
        io.Copy(io.Discard, r.Body)
        found := map[string]string{}
        for name, values := range r.Trailer { found[strings.ToLower(name)] = values[0] }
        w.Header().Set("Trailer", "X-Sum")
        text, _ := json.Marshal(map[string]any{"trailers": found, "announced": strings.Join(announced, ", ")})
        w.Write(text)
        w.(http.Flusher).Flush()
        w.Header().Set("X-Sum", "1")
        w.Header().Set(http.TrailerPrefix+"X-Other", "2")
    })}
    if os.Args[3] == "tls" { panic(server.ServeTLS(listener, os.Args[4], os.Args[4])) }
    panic(server.Serve(listener))
}
func main() {
    if os.Args[1] == "serve" { serve() }
    body := io.NopCloser(strings.NewReader("abc"))
    request, _ := http.NewRequest("POST", os.Args[1], body)
    request.ContentLength = -1
    request.Header.Set("TE", "trailers")
    request.Header.Set("Connection", "TE")
    request.Trailer = http.Header{"X-Hash": {"1"}}
    answer, err := http.DefaultClient.Do(request)
    if err != nil { panic(err) }
    text, _ := io.ReadAll(answer.Body)
    found := map[string]string{}
    for name, values := range answer.Trailer { found[strings.ToLower(name)] = values[0] }
    var got any
    json.Unmarshal(text, &got)
    out, _ := json.Marshal([]any{got, found, "x-sum"})
    fmt.Println(string(out))
}
"""


@dataclass(frozen=True)
class Programs:
    folder: Path
    authority: trustme.CA


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Programs:
    needs("go", "node")
    folder, authority = tmp_path_factory.mktemp("trailers"), trustme.CA()
    for name, text in (("server.js", NODE_SERVER), ("client.js", NODE_CLIENT), ("trailers.go", GO)):
        (folder / name).write_text(text, encoding="utf-8")
    certificate = authority.issue_cert("127.0.0.1")
    blobs = [certificate.private_key_pem, *certificate.cert_chain_pems]
    (folder / "server.pem").write_bytes(b"".join(blob.bytes() for blob in blobs))
    cache = {"GOCACHE": str(folder / "cache"), "GOFLAGS": "-mod=mod", "HOME": str(folder)}
    run("go", "build", "-o", folder / "trailers", folder / "trailers.go", env=cache)
    return Programs(folder, authority)


@contextmanager
def proxied(programs: Programs, language: str, version: str, tls: str) -> Iterator[str]:
    """A signing proxy in front of a server of that language, which speaks that version of HTTP."""
    folder = programs.folder
    commands: dict[str, list[str | Path]]
    commands = {"node": ["node", folder / "server.js"], "go": [folder / "trailers", "serve"]}
    command = [*commands[language], version, tls, folder / "server.pem"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as server:
        try:
            assert server.stdout is not None
            origin = f"http{'s' if tls else ''}://127.0.0.1:{int(server.stdout.readline())}"
            trusting = ssl.create_default_context()
            programs.authority.configure_trust(trusting)
            forwarder = Forwarder(http2=version == "2", tls=trusting if tls else None)
            # The scheme signs no body, so that it streams.
            app = SigningProxy(presets.bokun(), KEY_ID, SECRET, origins=[origin], forwarder=forwarder)
            with running(app) as found:
                yield f"http://127.0.0.1:{found}/"
        finally:
            server.kill()


@pytest.mark.parametrize(
    ("language", "version", "tls"),
    [("node", "1", ""), ("node", "2", ""), ("go", "1", ""), ("go", "1", "tls"), ("go", "2", "tls")],
)
def test_both_ways(programs: Programs, language: str, version: str, tls: str) -> None:
    clients: list[list[str | Path]]
    clients = [["node", programs.folder / "client.js"], [programs.folder / "trailers"]]
    with proxied(programs, language, version, tls) as url:
        for client in clients:
            got, trailers, announced = json.loads(run(*client, url))
            assert got == {"trailers": {"x-hash": "1"}, "announced": "x-hash"}
            assert trailers == {"x-sum": "1", "x-other": "2"}
            assert announced == "x-sum"


@pytest.mark.parametrize("version", ["1", "2"])
def test_curl_shows_them(programs: Programs, version: str) -> None:
    needs("curl")
    with proxied(programs, "node", version, "") as url:
        shown = run("curl", "-sS", "-D", "-", "-o", programs.folder / "body", url, "-H", "TE: trailers")
        assert b"x-sum" not in shown
        shown = run("curl", "-sS", "-D", "-", "-H", "TE: trailers", "-H", "Connection: TE", url)
    assert b"\r\ntrailer: x-sum\r\n" in shown
    assert b"x-sum: 1\r\n" in shown
