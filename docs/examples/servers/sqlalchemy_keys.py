"""Keys in a database, by SQLAlchemy. Run: gunicorn sqlalchemy_keys:app"""

from __future__ import annotations

import os
from typing import Any

from sqlalchemy import create_engine, text

from undersign import GoTom, Verifier
from undersign.keys import CachedKeys
from undersign.servers.wsgi import SignatureMiddleware

# pool_pre_ping tries each connection before it is used, so one that died with the database is replaced.
engine = create_engine(
    os.environ.get("DATABASE_URL", "postgresql+psycopg://postgres@127.0.0.1/postgres"), pool_pre_ping=True
)
QUERY = text("SELECT secret, old_secret FROM api_keys WHERE key_id = :key_id")


def secrets_of(key_id: str, scheme: str) -> list[str]:
    with engine.connect() as connection:
        row = connection.execute(QUERY, {"key_id": key_id}).one()  # NoResultFound is an unknown key
    return [row.secret, row.old_secret]


def hello(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8")])
    return [f"Hello, {environ['undersign'].key_id}\n".encode()]


app = SignatureMiddleware(
    hello,
    Verifier(GoTom(), CachedKeys(secrets_of, max_age=float(os.environ.get("KEYS_MAX_AGE", "60")))),
    origin="https://api.example.com",
)
