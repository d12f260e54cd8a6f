"""Decisions for Envoy's ext_authz over gRPC: `envoy.service.auth.v3.Authorization/Check`.

The messages are those of `xds-protos`, which the gRPC project publishes. Envoy describes a request with its target as
it came, a bare `?` too, with each header line apart (`encode_raw_headers: true`) and with the body
(`with_request_body`). What is left out of that cannot be verified, and is refused rather than guessed.
"""

from __future__ import annotations

from typing import Any

import grpc
from envoy.config.core.v3 import base_pb2
from envoy.service.auth.v3 import external_auth_pb2, external_auth_pb2_grpc
from envoy.type.v3 import http_status_pb2
from google.rpc import code_pb2, status_pb2

from ..core.message import Pairs, Response
from ..verifying.verdict import Verified
from ._deciding import Allowed, Decider, Described
from ._envoy import whole_body
from ._identity import ID, SCHEME, identity

_HEAD_ROOM = 1024 * 1024  # bytes of a message besides the body
_KEPT = frozenset({"content-length", "transfer-encoding", "connection"})


class ExtAuthzService(Decider, external_auth_pb2_grpc.AuthorizationServicer):
    """Answers Envoy's questions; the options are those of SignatureMiddleware, and an `observer`.

    Register it with a server of grpc.aio: `add_to(server)`. What verifies gets X-Authenticated-Id and
    X-Authenticated-Scheme in place of any that the client has sent; all else is answered with the scheme's refusal.

    Raises ConfigError for an option that cannot work.
    """

    def add_to(self, server: grpc.aio.Server) -> None:
        """Have the server answer with this."""
        external_auth_pb2_grpc.add_AuthorizationServicer_to_server(self, server)

    @property
    def options(self) -> tuple[tuple[str, int], ...]:
        """What the server has to be made with: the size of the messages that bodies come in."""
        return (("grpc.max_receive_message_length", self._authenticator.max_body + _HEAD_ROOM),)

    async def Check(self, request: Any, context: Any) -> Any:  # noqa: N802 - the protocol's name
        """The verdict on one request."""
        decided = await self.decide(self._described(request.attributes))
        return _allowed(decided.verified) if isinstance(decided, Allowed) else _denied(decided)

    def _described(self, attributes: Any) -> Described:
        """The request that Envoy asks about."""
        http = attributes.request.http
        headers = tuple(
            (header.key, header.raw_value.decode("latin-1"))
            for header in http.header_map.headers
            if not header.key.startswith(":")
        )
        problem = ""
        if not headers and not http.header_map.headers:
            problem = "Envoy joins header lines that are apart: set encode_raw_headers: true"
        head = self._authenticator.request(http.method, http.path, headers)
        peer = attributes.source.address.socket_address.address
        return Described(head, whole_body(head, http.raw_body or http.body.encode()), problem, peer=peer)


def _allowed(verified: Verified | None) -> Any:
    if verified is None:
        removed = external_auth_pb2.OkHttpResponse(headers_to_remove=[ID.lower(), SCHEME.lower()])
        return external_auth_pb2.CheckResponse(status=status_pb2.Status(code=code_pb2.OK), ok_response=removed)
    return external_auth_pb2.CheckResponse(
        status=status_pb2.Status(code=code_pb2.OK),
        ok_response=external_auth_pb2.OkHttpResponse(headers=_options(identity(verified))),
    )


def _denied(answer: Response) -> Any:
    headers = tuple(pair for pair in answer.headers if pair[0].lower() not in _KEPT)
    return external_auth_pb2.CheckResponse(
        status=status_pb2.Status(code=code_pb2.PERMISSION_DENIED),
        denied_response=external_auth_pb2.DeniedHttpResponse(
            status=http_status_pb2.HttpStatus(code=answer.status),
            headers=_options(headers),
            body=answer.body.decode("utf-8", "replace"),
        ),
    )


def _options(headers: Pairs) -> list[Any]:
    return [
        base_pb2.HeaderValueOption(
            header=base_pb2.HeaderValue(key=name.lower(), value=value),
            append_action=base_pb2.HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD,
        )
        for name, value in headers
    ]
