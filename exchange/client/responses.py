"""From the bytes of an answer to an envelope, and to its meaning: `code` decides, not the HTTP status (dossier 1.1)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec

from exchange.client.error_codes import TEXT_CODES, ActionClass
from exchange.client.errors import (
    AuthError,
    BadResponse,
    ExchangeError,
    NotSent,
    RateLimited,
    RequestKind,
    UnknownOutcome,
    Unreachable,
    describe_code,
    error_class_for,
    remedy_for,
)
from exchange.client.typed_rows import TypedAnswer
from exchange.core.reasons import Problem, problem
from exchange.core.texts import escape_line
from exchange.schemas import parsing

MAX_MESSAGE_LENGTH = 200  # characters of the exchange's own text that are kept
NO_IDS = (-1, 0)
MAX_CODE_BITS = 31  # the largest documented code has seven digits, and no column holds more
MAX_NUMBER_DIGITS = 60  # a larger one spoils the whole answer; one that only its field cannot have, its row
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def _exact_number(digits: str) -> Decimal:
    return parsing.exact_decimal("number", digits, max_digits=MAX_NUMBER_DIGITS)


DECODER = msgspec.json.Decoder(float_hook=_exact_number)


class UnreadableResponse(ValueError):
    """The body is not an envelope; the message never quotes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """`code` is None when the exchange sent a word in its place. `original`, a copy of the request, is dropped."""

    code: int | None
    exchange_message: str
    method: str
    request_id: int | None
    result: Any
    order_id: str
    list_id: str
    client_oid: str

    @property
    def has_ids(self) -> bool:
        """Whether the answer names an order or a list, so that a record of it may exist (dossier 1.1)."""
        return bool(self.order_id or self.list_id or self.client_oid)


def parse_envelope(body: bytes, redact: Callable[[str], str]) -> Envelope:
    """Read one answer. Numbers stay exact; `redact` cleans the exchange's message. Raises UnreadableResponse."""
    return read_envelope(parse_object(body), redact)


def typed_envelope(answer: TypedAnswer[Any]) -> Envelope:
    """The same for an accepted answer with typed rows."""
    return Envelope(
        code=0,
        exchange_message="",
        method=answer.method,
        request_id=answer.id if answer.id not in NO_IDS else None,
        result=answer.rows,
        order_id="",
        list_id="",
        client_oid="",
    )


def read_envelope(response: Mapping[str, Any], redact: Callable[[str], str]) -> Envelope:
    """The same for an answer that was decoded already."""
    result = response.get("result")
    code = _code(response)
    message = _message_of(response) or (code if isinstance(code, str) else "")
    return Envelope(
        code=code if isinstance(code, int) else None,
        exchange_message=redact(message)[:MAX_MESSAGE_LENGTH] if message else "",
        method=str(response.get("method") or ""),
        request_id=_request_id(response),
        result=result,
        order_id=_id(result, "order_id"),
        list_id=_id(result, "list_id"),
        client_oid=_id(result, "client_oid"),
    )


def parse_object(body: bytes) -> Mapping[str, Any]:
    """The JSON object of a body, its numbers exact. Raises UnreadableResponse."""
    if not body.strip():
        raise UnreadableResponse(problem(Problem.BODY_EMPTY))
    if body.lstrip().startswith(b"<"):
        raise UnreadableResponse(problem(Problem.WEB_PAGE))
    try:
        response = DECODER.decode(body.removeprefix(BYTE_ORDER_MARK))
    except (msgspec.MsgspecError, ValueError, RecursionError):
        response = None
    if not isinstance(response, Mapping):
        raise UnreadableResponse(problem(Problem.DATA_DAMAGED))
    return response


def _code(response: Mapping[str, Any]) -> int | str:
    """The code as number, whatever it was written as; a word is kept as a word (dossier 3.1)."""
    text_code = response.get("code")
    try:
        code = parsing.required_integer(response, "code")
    except ValueError:
        code = None
    if code is not None:
        if code.bit_length() > MAX_CODE_BITS:
            raise UnreadableResponse(problem(Problem.NO_RESULT_CODE))
        return code
    if not isinstance(text_code, str) or not text_code.isupper():
        raise UnreadableResponse(problem(Problem.NO_RESULT_CODE))
    return text_code


def _message_of(response: Mapping[str, Any]) -> str:
    """The exchange's text; gateways call it `msg` (dossier 1)."""
    message_text = response.get("message") or response.get("msg")
    return " ".join(message_text.split()) if isinstance(message_text, str) else ""


def _request_id(response: Mapping[str, Any]) -> int | None:
    """The echoed id; None when absent, unreadable, or one of the exchange's values for none (dossier 1)."""
    echoed = response.get("id")
    if type(echoed) is not int:
        try:
            echoed = parsing.integer(response, "id")
        except ValueError:
            return None
    return echoed if echoed not in NO_IDS else None


def _id(result: object, name: str) -> str:
    value = result.get(name) if isinstance(result, Mapping) else None
    return str(value) if type(value) in (str, int) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiRequest:
    """One request as far as its answer is concerned; public reads have no request id."""

    method: str
    kind: RequestKind
    request_id: int | None = None
    order_id: str = ""
    client_oid: str = ""

    def build_error(
        self,
        error_class: type[ExchangeError],
        message: str,
        *,
        code: int | None = None,
        order_id: str = "",
        client_oid: str = "",
        remedy: str = "",
    ) -> ExchangeError:
        return error_class(
            method=self.method,
            message=message,
            code=code,
            request_id=self.request_id,
            order_id=order_id or self.order_id or None,
            client_oid=client_oid or self.client_oid or None,
            remedy=remedy,
        )


def no_response_error(request: ApiRequest, reason: str, *, sent: bool) -> ExchangeError:
    """The connection gave nothing usable. Only a write that certainly never left is NotSent."""
    if request.kind is RequestKind.READ:
        return request.build_error(Unreachable, reason)
    return request.build_error(UnknownOutcome if sent else NotSent, reason)


def unreadable_response_error(request: ApiRequest, reason: str, status: int) -> ExchangeError:
    """The body is not an envelope: the HTTP status is all there is, and proves nothing about a write."""
    message = problem(Problem.WITH_STATUS, problem=reason, status=status)
    if request.kind is not RequestKind.READ:
        return request.build_error(UnknownOutcome, message)
    if status == 429:
        return request.build_error(RateLimited, message)
    return request.build_error(BadResponse if status < 300 else Unreachable, message)


def classify_response(
    request: ApiRequest, envelope: Envelope, clock_offset_ms: int | None
) -> ExchangeError | None:
    """None when the exchange accepted what was asked; else the failure to raise."""
    if _is_for_another_request(request, envelope):
        return _invalid_response_error(request, problem(Problem.OTHER_REQUEST))
    if envelope.code is None:
        return _classify_text_code(request, envelope)
    if envelope.code == 0:
        return None
    return request.build_error(
        error_class_for(request.kind, envelope.code, has_ids=envelope.has_ids),
        describe_code(envelope.code, envelope.exchange_message),
        code=envelope.code,
        order_id=envelope.order_id,
        client_oid=envelope.client_oid,
        remedy=remedy_for(envelope.code, clock_offset_ms),
    )


def _is_for_another_request(request: ApiRequest, envelope: Envelope) -> bool:
    if request.request_id is not None and envelope.request_id not in (None, request.request_id):
        return True
    return envelope.code == 0 and envelope.method not in ("", request.method)


def _classify_text_code(request: ApiRequest, envelope: Envelope) -> ExchangeError:
    if TEXT_CODES.get(envelope.exchange_message) is ActionClass.AUTH and not envelope.has_ids:
        return request.build_error(AuthError, envelope.exchange_message, remedy=remedy_for(40104, None))
    return _invalid_response_error(
        request, problem(Problem.WORD_AS_CODE, word=escape_line(envelope.exchange_message))
    )


def _invalid_response_error(request: ApiRequest, reason: str) -> ExchangeError:
    return request.build_error(BadResponse if request.kind is RequestKind.READ else UnknownOutcome, reason)
