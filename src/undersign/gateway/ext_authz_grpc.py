"""Decisions for Envoy's ext_authz over gRPC: `envoy.service.auth.v3.Authorization/Check`.

The messages are those of `xds-protos`, which the gRPC project publishes. Envoy describes a request with its target as
it came, a bare `?` too, with each header line apart (`encode_raw_headers: true`) and with the body
(`with_request_body`). What is left out of that cannot be verified, and is refused rather than guessed.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ..core.message import Pairs, Response
from ..verifying.verdict import Verified
from ._deciding import Allowed, Decider, Described
from ._envoy import whole_body
from ._identity import ID, SCHEME, identity

# Generated modules, which come without types.
_base: Any = import_module("envoy.config.core.v3.base_pb2")
_auth: Any = import_module("envoy.service.auth.v3.external_auth_pb2")
_service: Any = import_module("envoy.service.auth.v3.external_auth_pb2_grpc")
_http_status: Any = import_module("envoy.type.v3.http_status_pb2")
_code: Any = import_module("google.rpc.code_pb2")
_status: Any = import_module("google.rpc.status_pb2")

_HEAD_ROOM = 1024 * 1024  # bytes of a message besides the body
_KEPT = frozenset({"content-length", "transfer-encoding", "connection"})


class ExtAuthzService(Decider):
    """Answers Envoy's questions; the options are those of SignatureMiddleware, and an `observer`.

    Register it with a server of grpc.aio: `add_to(server)`. What verifies gets X-Authenticated-Id and
    X-Authenticated-Scheme in place of any that the client has sent; all else is answered with the scheme's refusal.

    Raises ConfigError for an option that cannot work.
    """

    def add_to(self, server: Any) -> None:
        """Have the server answer with this."""
        _service.add_AuthorizationServicer_to_server(self, server)

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
        removed = _auth.OkHttpResponse(headers_to_remove=[ID.lower(), SCHEME.lower()])
        return _auth.CheckResponse(status=_status.Status(code=_code.OK), ok_response=removed)
    return _auth.CheckResponse(
        status=_status.Status(code=_code.OK),
        ok_response=_auth.OkHttpResponse(headers=_options(identity(verified))),
    )


def _denied(answer: Response) -> Any:
    headers = tuple(pair for pair in answer.headers if pair[0].lower() not in _KEPT)
    return _auth.CheckResponse(
        status=_status.Status(code=_code.PERMISSION_DENIED),
        denied_response=_auth.DeniedHttpResponse(
            status=_http_status.HttpStatus(code=answer.status),
            headers=_options(headers),
            body=answer.body.decode("utf-8", "replace"),
        ),
    )


def _options(headers: Pairs) -> list[Any]:
    return [
        _base.HeaderValueOption(
            header=_base.HeaderValue(key=name.lower(), value=value),
            append_action=_base.HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD,
        )
        for name, value in headers
    ]
