"""From a parsed request to an answer: verb, envelope, access, rate, method, code and HTTP status (dossier 1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from exchange.simulator import access
from exchange.simulator.api_private import ADVANCED_METHODS, PRIVATE_METHODS
from exchange.simulator.api_public import PUBLIC_METHODS
from exchange.simulator.config import CODES, Refusal
from exchange.simulator.parameters import Call, Method

if TYPE_CHECKING:
    from exchange.simulator.exchange import Exchange

METHODS: dict[str, Method] = {**PUBLIC_METHODS, **PRIVATE_METHODS, **ADVANCED_METHODS}
TIME_IN_FORCE_CODES = (43003, 43004, 43005)
WALLET_METHODS = ("private/get-currency-networks",)
CANCEL_METHODS = ("private/cancel-order", "private/advanced/cancel-order")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """`body` is the parsed JSON of a POST (None when it was no object), `query` the parameters of a GET."""

    verb: str
    method: str
    query: dict[str, str]
    body: dict[str, Any] | None = None
    is_json: bool = True


@dataclass(slots=True, kw_only=True)
class ApiResponse:
    status: int
    body: dict[str, Any]


def response(exchange: Exchange, request: Request) -> ApiResponse:
    """Every refusal becomes a code with its HTTP status; nothing that a caller sends makes this raise."""
    try:
        result = dispatch(exchange, request)
    except Refusal as refusal:
        return error_response(exchange, request, refusal)
    return success_response(request, result)


def dispatch(exchange: Exchange, request: Request) -> Any:
    method = METHODS.get(request.method)
    if method is None:
        raise Refusal(40002)
    if request.method.startswith("public/"):
        if request.verb != "GET":
            raise Refusal(50001)
        access.check_rate(exchange, request.method)
        return method(exchange, Call(method=request.method, params=dict(request.query)))
    return method(exchange, private_call(exchange, request))


def private_call(exchange: Exchange, request: Request) -> Call:
    if request.verb != "POST":
        raise Refusal(40003)
    if request.body is None or not request.is_json:
        raise Refusal(40001)
    body = request.body
    access.check_envelope(exchange, body, request.method)
    access.check_access(exchange, body)
    access.check_rate(exchange, request.method)
    default_client_oid = body.get("nonce" if exchange.behaviour.client_oid_default == "nonce" else "id", 0)
    return Call(
        method=request.method, params=body.get("params", {}), default_client_oid=str(default_client_oid)
    )


def success_response(request: Request, result: Any) -> ApiResponse:
    body: dict[str, Any] = {"id": request_id(request), "method": request.method, "code": 0}
    if request.method in WALLET_METHODS:
        body |= {"id": str(body["id"]), "code": "0"}
    if request.method in CANCEL_METHODS:
        body["message"] = "NO_ERROR"
    if result is not None:
        body["result"] = result
    return ApiResponse(status=200, body=body)


def error_response(exchange: Exchange, request: Request, refusal: Refusal) -> ApiResponse:
    body = {
        "id": request_id(request),
        "method": request.method,
        "code": refusal.code,
        "message": refusal.message,
    }
    if refusal.result is not None:
        body["result"] = refusal.result
    return ApiResponse(
        status=http_status(exchange, refusal.code, with_ids=refusal.result is not None), body=body
    )


def request_id(request: Request) -> int:
    """The request's id as a number; -1 when there is none, as for every GET."""
    given = str((request.body or {}).get("id"))
    return int(given) if given.isdigit() else -1


def http_status(exchange: Exchange, code: int, *, with_ids: bool = False) -> int:
    """By the table of codes, unless a behaviour option differs (D5, D6, D7, 11.14)."""
    if with_ids and exchange.behaviour.http_with_ids == "200":
        return 200
    if code == 40401:
        return exchange.behaviour.http_40401
    if code in TIME_IN_FORCE_CODES:
        return exchange.behaviour.http_4300x
    if code == 50001:
        return exchange.behaviour.http_50001
    return CODES[code][1] if code in CODES else exchange.behaviour.http_unlisted
