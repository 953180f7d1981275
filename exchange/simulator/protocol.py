"""From a parsed request to an answer: verbs, envelope, access, rate, method, code and HTTP status (dossier 1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from exchange.simulator import access, methods_advanced, methods_private, methods_public
from exchange.simulator.calls import Call
from exchange.simulator.codes import CODES, Refusal

if TYPE_CHECKING:
    from exchange.simulator.state import Exchange

METHODS = {**methods_public.METHODS, **methods_private.METHODS, **methods_advanced.METHODS}
POST_ONLY_ENDS = (43003, 43004, 43005)
WALLET = ("private/get-currency-networks",)
CANCELS = ("private/cancel-order", "private/advanced/cancel-order")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """`body` is the parsed JSON of a POST (None when it was no object), `query` the parameters of a GET."""

    verb: str
    method: str
    query: dict[str, str]
    body: dict[str, Any] | None = None
    is_json: bool = True


@dataclass(slots=True, kw_only=True)
class Answer:
    status: int
    body: dict[str, Any]


def answer(x: Exchange, request: Request) -> Answer:
    """Never raises for what a caller did; every refusal becomes a code with its HTTP status."""
    try:
        result = run(x, request)
    except Refusal as refusal:
        return refused(x, request, refusal)
    return accepted(request, result)


def run(x: Exchange, request: Request) -> Any:
    method = METHODS.get(request.method)
    if method is None:
        raise Refusal(40002)
    if request.method.startswith("public/"):
        if request.verb != "GET":
            raise Refusal(50001)
        access.check_rate(x, request.method)
        return method(x, Call(method=request.method, params=dict(request.query)))
    return method(x, private_call(x, request))


def private_call(x: Exchange, request: Request) -> Call:
    """The checked call of a signed POST."""
    if request.verb != "POST":
        raise Refusal(40003)
    if request.body is None or not request.is_json:
        raise Refusal(40001)
    body = request.body
    access.check_envelope(x, body, request.method)
    access.check_access(x, body)
    access.check_rate(x, request.method)
    reference = body.get("nonce" if x.quirks.client_oid_default == "nonce" else "id", 0)
    return Call(method=request.method, params=body["params"], reference=str(reference))


def accepted(request: Request, result: Any) -> Answer:
    body: dict[str, Any] = {"id": identity(request), "method": request.method, "code": 0}
    if request.method in WALLET:
        body |= {"id": str(body["id"]), "code": "0"}
    if request.method in CANCELS:
        body["message"] = "NO_ERROR"
    if result is not None:
        body["result"] = result
    return Answer(status=200, body=body)


def refused(x: Exchange, request: Request, refusal: Refusal) -> Answer:
    body = {
        "id": identity(request),
        "method": request.method,
        "code": refusal.code,
        "message": refusal.message,
    }
    if refusal.result is not None:
        body["result"] = refusal.result
    return Answer(status=status_of(x, refusal.code, with_ids=refusal.result is not None), body=body)


def identity(request: Request) -> int:
    """The request's id as a number; -1 when there is none, as for every GET."""
    given = (request.body or {}).get("id")
    text = str(given)
    return int(text) if text.isdigit() else -1


def status_of(x: Exchange, code: int, *, with_ids: bool = False) -> int:
    """By the table, where no quirk says otherwise (D5, D6, D7, 11.14)."""
    if with_ids and x.quirks.http_with_ids == "200":
        return 200
    if code == 40401:
        return x.quirks.http_40401
    if code in POST_ONLY_ENDS:
        return x.quirks.http_4300x
    if code == 50001:
        return x.quirks.http_50001
    return CODES[code][1] if code in CODES else x.quirks.http_unlisted
