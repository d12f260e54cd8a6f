"""Runs an app (module:factory) under uvicorn with httptools on a socket that is passed on; says when it is ready.

python serve_app.py FD MODULE:FACTORY
"""

from __future__ import annotations

import socket
import sys

import uvicorn


class Server(uvicorn.Server):
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        print("ready", flush=True)


def main() -> None:
    fd, app = sys.argv[1:]
    config = uvicorn.Config(
        app,
        factory=True,
        http="httptools",
        lifespan="off",
        log_level="error",
        access_log=False,
        timeout_keep_alive=120,  # clients may pause while Redis is away
    )
    Server(config).run([socket.socket(fileno=int(fd))])


if __name__ == "__main__":
    main()
