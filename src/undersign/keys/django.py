"""Lookups that ask Django's ORM, outside of a request of Django's.

Django takes care of its connections when a request of its own begins and ends. A verifier asks before that, and what it
refuses never gets there: a connection that broke would stay broken, and every signed request be a 503.
"""

from __future__ import annotations

import asyncio
from typing import Any

from asgiref.sync import sync_to_async
from django.core.exceptions import ObjectDoesNotExist
from django.db import InterfaceError, OperationalError, close_old_connections, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from ..core.message import Request
from ..verifying.lookup import NO_HEAD, LookupAround

__all__ = ["DjangoKeys"]


class DjangoKeys(LookupAround):
    """A lookup that asks Django's ORM, with connections that work: for a Verifier's `keys`, or an AsyncVerifier's.

    `lookup` is what a verifier takes: a function, or a coroutine with the ORM's async methods. As Django does around
    its own requests, connections that are broken or past CONN_MAX_AGE are closed before and after it. Where one turns
    out to be broken under way, such as after a restart of the database, the lookup is asked once more on a new one. A
    row that is not there (`DoesNotExist`) is an unknown key; all else that it raises refuses the request.

    In an event loop a function runs in the thread that Django runs its sync code in, and this returns a coroutine: use
    an AsyncVerifier. Put CachedKeys in front where a query for each request is too much.

    Raises ConfigError for what is no lookup.
    """

    def __call__(self, key_id: str, scheme_name: str, head: Request = NO_HEAD) -> Any:
        """The key's secrets, or an awaitable of them in an event loop. Raises what the lookup raises."""
        if self.is_coroutine:
            return self._ask_async(key_id, scheme_name, head)
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return self._ask(key_id, scheme_name, head)
        return sync_to_async(self._ask)(key_id, scheme_name, head)  # where the ORM refuses to run

    def _ask(self, key_id: str, scheme_name: str, head: Request) -> Any:
        before = _good_connections()
        try:
            try:
                return self.lookup(key_id, scheme_name, head)
            except (OperationalError, InterfaceError):
                if not _one_was_broken(before):
                    raise
                return self.lookup(key_id, scheme_name, head)
        except ObjectDoesNotExist:
            return None
        finally:
            close_old_connections()

    async def _ask_async(self, key_id: str, scheme_name: str, head: Request) -> Any:
        """The same in the thread of the ORM's async methods."""
        before = await sync_to_async(_good_connections)()
        try:
            try:
                return await self.lookup(key_id, scheme_name, head)
            except (OperationalError, InterfaceError):
                if not await sync_to_async(_one_was_broken)(before):
                    raise
                return await self.lookup(key_id, scheme_name, head)
        except ObjectDoesNotExist:
            return None
        finally:
            await sync_to_async(close_old_connections)()


def _good_connections() -> list[BaseDatabaseWrapper]:
    """The thread's open connections, without those that are broken, as far as that is known, or too old."""
    close_old_connections()
    return [connection for connection in connections.all(initialized_only=True) if connection.connection is not None]


def _one_was_broken(before: list[BaseDatabaseWrapper]) -> bool:
    """Close the connections that an error has shown to be broken, and say whether one of these was."""
    close_old_connections()
    return any(connection.connection is None for connection in before)
