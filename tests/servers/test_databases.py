"""Keys in a real database that is restarted: no signed request is lost, and none is let in that should not be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from .matrix import BIN, Running, Server, run
from .postgres import Postgres, running_postgres
from .wire import GOTOM, message, send, signed

psycopg = pytest.importorskip("psycopg", reason="psycopg is not installed")

TABLE = """
CREATE TABLE api_keys (
    id serial PRIMARY KEY, key_id text UNIQUE NOT NULL, secret text NOT NULL, old_secret text NOT NULL DEFAULT ''
);
INSERT INTO api_keys (key_id, secret, old_secret) VALUES ('user', 'secret', 'older');
"""
LOST = {"AdminShutdown", "OperationalError", "InterfaceError"}


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with running_postgres() as server:
        with psycopg.connect(f"host=127.0.0.1 port={server.port} user=postgres dbname=postgres") as connection:
            connection.execute(TABLE)
        yield server


@pytest.fixture
def serve(postgres: Postgres, tmp_path: Path) -> Iterator[Callable[[str, str, str], Running]]:
    environ = {
        "PGPORT": str(postgres.port),
        "DATABASE_URL": f"postgresql+psycopg://postgres@127.0.0.1:{postgres.port}/postgres",
        "KEYS_MAX_AGE": "1e-9",
    }
    with ExitStack() as stack:

        def started(app: str, by: str, needs: str) -> Running:
            def command(port: int, folder: Path) -> list[str]:
                place = ["-b", f"127.0.0.1:{port}"] if by == "gunicorn" else ["--port", str(port)]
                return [str(BIN / by), app, *place]

            server = Server(f"{app}-{by}", f"{by} {needs}", command, "framework", environ=environ)
            return stack.enter_context(contextmanager(run)(server, tmp_path))

        yield started


def status(server: Running, key_id: str = "user", secret: str = "secret") -> int:
    return send(server.port, message(signed(GOTOM, "GET", "/who", key_id=key_id, secret=secret))).status


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("app", "by", "needs"),
    [
        ("django_keys:application", "gunicorn", "django"),
        ("django_keys:asgi", "uvicorn", "django"),
        ("database_app:function", "uvicorn", "django"),
        ("sqlalchemy_keys:app", "gunicorn", "sqlalchemy"),
    ],
)
def test_a_restart_of_the_database_loses_no_request(
    postgres: Postgres, serve: Callable[[str, str, str], Running], app: str, by: str, needs: str
) -> None:
    server = serve(app, by, needs)
    assert [status(server), status(server, secret="older"), status(server, secret="wrong")] == [200, 200, 401]
    postgres.restart()
    assert [status(server), status(server, key_id="nobody"), status(server)] == [200, 401, 200]
    postgres.stop()
    assert [status(server), status(server)] == [503, 503]
    postgres.start()
    assert [status(server), status(server, secret="wrong"), status(server)] == [200, 401, 200]


def test_a_lookup_of_the_orm_alone_keeps_the_dead_connection(
    postgres: Postgres, serve: Callable[[str, str, str], Running]
) -> None:
    """Why there is DjangoKeys: what the others are held to can fail here."""
    server = serve("database_app:alone", "gunicorn", "django")
    assert status(server) == 200
    postgres.restart()
    assert [status(server) for _ in range(3)] == [503, 503, 503]
