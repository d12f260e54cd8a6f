"""What operators, and machines that fail, do to the gateway's processes."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ports import free_port
from tests.replay.topologies import PortServer
from tests.servers.wire import send

from .harness import Scripted, head_of
from .processes import PATIENCE, Behind, behind, gateway, is_there, workers_of, write_keys
from .signing import bokun, plain
from .test_gateway_process import BOKUN, eventually

pytestmark = pytest.mark.linux  # /proc says which processes there are


@pytest.fixture(scope="module")
def app() -> Iterator[Behind]:
    with behind() as found:
        yield found


@pytest.mark.parametrize("workers", ["1", "2"])
def test_sighup_ends_nothing(app: Behind, tmp_path: Path, workers: str) -> None:
    """It asks for a reload of many servers; the keys file is read again by itself."""
    with gateway(tmp_path, *BOKUN, "--upstream", app.url, "--workers", workers) as found:
        for pid in (found.process.pid, *workers_of(found)):
            os.kill(pid, signal.SIGHUP)
        eventually(lambda: found.logged(level="INFO", logger="undersign.gateway"), "it is logged")
        assert send(found.port, bokun("GET", "/a")).status == 200
        eventually(lambda: "S (sleeping)" in Path(f"/proc/{found.process.pid}/status").read_text(), "it waits again")
        assert found.end() == 0


def test_workers_whose_supervisor_is_killed_end_too(app: Behind, tmp_path: Path) -> None:
    """Or else they would go on with old settings, and keep another gateway from listening there."""
    with gateway(tmp_path, *BOKUN, "--upstream", app.url, "--workers", "2") as found:
        workers = workers_of(found)
        assert len(workers) == 2
        found.process.kill()
        found.process.wait(PATIENCE)
        eventually(lambda: not any(map(is_there, workers)), "the workers end")
        with socket.create_server(("127.0.0.1", found.port)):
            pass


def metrics_of(worker: int) -> set[Path]:
    """The folders of the files that it counts in."""
    lines = Path(f"/proc/{worker}/maps").read_text().splitlines()
    return {Path(line.split()[-1]).parent for line in lines if line.endswith(".db")}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_workers_do_not_count_where_bodies_are_kept(app: Behind, tmp_path: Path, number: int) -> None:
    """On a disk that is full, writing to a file in memory is a SIGBUS: clients with large bodies would end them all."""
    arguments = (*BOKUN, "--upstream", app.url, "--workers", "2")
    with gateway(tmp_path, *arguments, environ={"TMPDIR": str(tmp_path)}) as found:
        workers = workers_of(found)
        folders = metrics_of(workers[0]) | metrics_of(workers[1])
        assert [folder.parent for folder in folders] == [Path("/dev/shm")]  # noqa: S108 - in memory
        found.process.send_signal(number)
        found.process.wait(PATIENCE)
        eventually(lambda: not any(map(is_there, workers)), "the workers end")
        assert not any(folder.exists() for folder in folders)


def test_a_worker_that_cannot_start_says_why_and_is_started_again(app: Behind, tmp_path: Path) -> None:
    with gateway(tmp_path, *BOKUN, "--upstream", app.url, "--public", "/open", "--workers", "2") as found:
        write_keys(tmp_path, "[keys\n")
        os.kill(workers_of(found)[0], signal.SIGKILL)
        because = "a worker cannot start: "
        eventually(lambda: any(line["message"].startswith(because) for line in found.logged()), "it says why")
        assert send(found.port, plain("GET", "/open")).status == 200
        write_keys(tmp_path)
        eventually(lambda: len(workers_of(found)) == 2, "it is started again")
        ended = [line["message"] for line in found.logged(level="ERROR") if "has ended" in line["message"]]
        assert "with -9" in ended[0]
        assert all("with 1:" in message for message in ended[1:])
        assert found.end() == 0
    for line in (tmp_path / "log").read_text(encoding="utf-8").splitlines():
        json.loads(line)


def test_operators_see_what_becomes_of_the_keys_while_no_client_comes(app: Behind, tmp_path: Path) -> None:
    with gateway(tmp_path, *BOKUN, "--upstream", app.url) as found:
        path = write_keys(tmp_path, '[keys]\na = "1"\nb = "2"\n')
        eventually(lambda: found.metric("undersign_keys", scheme="bokun") == 2, "new keys")
        path.unlink()
        eventually(lambda: "the last good one is in use" in found.ask("/readyz")[1], "no file")
        assert found.metric("undersign_keys_file_refused") == 1
        write_keys(tmp_path)
        eventually(lambda: found.ask("/readyz")[1] == '{"ready": true, "problems": []}\n', "a good one")
        assert found.metric("undersign_keys", scheme="bokun") == 1


def test_keys_are_taken_where_what_leads_to_them_is_swapped(app: Behind, tmp_path: Path) -> None:
    """Kubernetes gives a secret as a link to a folder, and puts another in the link's place."""
    for name, key_id in (("one", "a"), ("two", "b")):
        (tmp_path / name).mkdir()
        write_keys(tmp_path / name, f'[keys]\n{key_id} = "secret"\n')
    (tmp_path / "..data").symlink_to("one")
    (tmp_path / "keys.toml").symlink_to("..data/keys.toml")
    with gateway(tmp_path, *BOKUN, "--keys", str(tmp_path / "keys.toml"), "--upstream", app.url) as found:
        assert send(found.port, bokun("GET", "/a", key_id="a", secret="secret")).status == 200
        (tmp_path / "..new").symlink_to("two")
        (tmp_path / "..new").replace(tmp_path / "..data")
        eventually(lambda: send(found.port, bokun("GET", "/a", key_id="b", secret="secret")).status == 200, "swapped")
        assert send(found.port, bokun("GET", "/a", key_id="a", secret="secret")).status == 401


def test_the_log_says_why_an_answer_is_not_the_servers_own(tmp_path: Path) -> None:
    port = free_port()
    with gateway(tmp_path, *BOKUN, "--upstream", f"http://127.0.0.1:{port}", "--public", "/open") as found:
        assert send(found.port, plain("GET", "/open")).status == 502
        eventually(lambda: found.logged(message="request"), "it is logged")
        [line] = found.logged(message="request")
        assert line["failure"] == f"The upstream could not be reached (127.0.0.1:{port}: Connection refused)"


def test_clients_that_go_away_are_no_errors_in_the_log(tmp_path: Path) -> None:
    def stream(connection: socket.socket, number: int) -> None:
        head_of(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nand no more")
        connection.recv(1)  # until it is closed

    with (
        Scripted(stream) as upstream,
        gateway(tmp_path, *BOKUN, "--upstream", upstream.url, "--public", "/open") as found,
    ):
        with socket.create_connection(("127.0.0.1", found.port), PATIENCE) as client:
            client.sendall(plain("GET", "/open"))
            assert client.recv(10)
        eventually(lambda: found.logged(message="request"), "it is over")
        [line] = found.logged(message="request")
        assert (line["status"], line["failure"]) == (200, "the client has closed its connection")
        assert found.end() == 0
        assert not found.logged(level="ERROR")


def test_a_redis_that_says_nothing_keeps_no_balancer_waiting(app: Behind, tmp_path: Path) -> None:
    """HAProxy gives a check 200 ms in the documented file, and the kubelet a second, which is the guard's own limit."""
    with PortServer() as redis:
        arguments = (*BOKUN, "--upstream", app.url, "--public", "/open", "--replay", f"redis://{redis.address}/0")
        with gateway(tmp_path, *arguments) as found:
            eventually(lambda: found.ask("/readyz")[0] == 200, "the guard has answered once")
            redis.stop()
            status, text = found.ask("/readyz")
            assert (status, "replay guard: no answer within 0.1 seconds" in text) == (200, True), text
            eventually(lambda: "replay guard: Redis cannot be asked" in found.ask("/readyz")[1], "why is told later")
            assert found.ask("/readyz")[0] == 200
            assert send(found.port, plain("GET", "/open")).status == 200


def test_a_redis_that_has_never_answered_lets_nothing_be_given(app: Behind, tmp_path: Path) -> None:
    with PortServer() as redis:
        redis.stop()
        with gateway(tmp_path, *BOKUN, "--upstream", app.url, "--replay", f"redis://{redis.address}/0") as found:
            assert found.ask("/readyz")[0] == 503
