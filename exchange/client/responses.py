"""The exchange's answer, from bytes to a checked envelope, before anything is decided about it (dossier 1).

What an answer, or its absence, means for what was asked: `code` decides, never the HTTP status (dossier 1.1).
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from exchange.client.error_codes import WORD_CODES, ActionClass
from exchange.client.errors import (
    AuthError,
    BadAnswer,
    ExchangeError,
    Kind,
    NotSent,
    RateLimited,
    UnknownOutcome,
    Unreachable,
    explain,
    failure_of,
    remedy_for,
)
from exchange.schemas import parsing

LONGEST_WORDING = 200  # characters of the exchange's own text that are kept


class Unreadable(ValueError):
    """The body is not an envelope; the text says how, without quoting it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """`code` is None when the exchange sent a word in its place. `original`, a copy of the request, is dropped."""

    code: int | None
    wording: str
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


def read_envelope(body: bytes, redact: Callable[[str], str]) -> Envelope:
    """Read one answer. Numbers stay exact; `redact` cleans the exchange's wording. Raises Unreadable."""
    answer = _read_object(body)
    result = answer.get("result")
    code = _code(answer)
    return Envelope(
        code=code if isinstance(code, int) else None,
        wording=redact(_words(answer) or (code if isinstance(code, str) else ""))[:LONGEST_WORDING],
        method=str(answer.get("method") or ""),
        request_id=_request_id(answer),
        result=result,
        order_id=_id(result, "order_id"),
        list_id=_id(result, "list_id"),
        client_oid=_id(result, "client_oid"),
    )


def _read_object(body: bytes) -> Mapping[str, Any]:
    if not body.strip():
        raise Unreadable("the body is empty")
    if body.lstrip().startswith(b"<"):
        raise Unreadable("a web page came instead of data")
    try:
        answer = json.loads(body, parse_float=Decimal, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, Mapping):
        raise Unreadable("the data are cut off or damaged")
    return answer


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number")


def _code(answer: Mapping[str, Any]) -> int | str:
    """The code as number, whatever it was written as; a word is kept as a word (dossier 3.1)."""
    try:
        return parsing.required_integer(answer, "code")
    except ValueError:
        word = answer.get("code")
    if not isinstance(word, str) or not word.isupper():
        raise Unreadable("the answer carries no result code")
    return word


def _words(answer: Mapping[str, Any]) -> str:
    """The exchange's text; gateways call it `msg` (dossier 1)."""
    words = answer.get("message") or answer.get("msg")
    return " ".join(words.split()) if isinstance(words, str) else ""


def _request_id(answer: Mapping[str, Any]) -> int | None:
    """The echoed id; None when absent, unreadable, or one of the exchange's ways to say "none" (dossier 1)."""
    try:
        echoed = parsing.integer(answer, "id")
    except ValueError:
        return None
    return echoed if echoed not in (-1, 0) else None


def _id(result: object, name: str) -> str:
    try:
        return parsing.text(result, name) if isinstance(result, Mapping) else ""
    except ValueError:
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One request as far as its answer is concerned; public reads have no request id."""

    method: str
    kind: Kind
    request_id: int | None = None
    order_id: str = ""
    client_oid: str = ""

    def fail(
        self,
        failure: type[ExchangeError],
        message: str,
        *,
        code: int | None = None,
        order_id: str = "",
        client_oid: str = "",
        remedy: str = "",
    ) -> ExchangeError:
        return failure(
            method=self.method,
            message=message,
            code=code,
            request_id=self.request_id,
            order_id=order_id or self.order_id or None,
            client_oid=client_oid or self.client_oid or None,
            remedy=remedy,
        )


def no_answer(question: Question, reason: str, *, sent: bool) -> ExchangeError:
    """The connection gave nothing usable. Only a write that certainly never left is NotSent."""
    if question.kind is Kind.READ:
        return question.fail(Unreachable, reason)
    return question.fail(UnknownOutcome if sent else NotSent, reason)


def no_envelope(question: Question, reason: str, status: int) -> ExchangeError:
    """The body is not an envelope: the HTTP status is all there is, and proves nothing about a write."""
    message = f"{reason} (HTTP {status})"
    if question.kind is not Kind.READ:
        return question.fail(UnknownOutcome, message)
    if status == 429:
        return question.fail(RateLimited, message)
    return question.fail(BadAnswer if status < 300 else Unreachable, message)


def judge(question: Question, envelope: Envelope, clock_offset_ms: int | None) -> ExchangeError | None:
    """None when the exchange accepted what was asked; else the failure to raise."""
    if _answers_another(question, envelope):
        return _not_understood(question, "it answers another request")
    if envelope.code is None:
        return _judge_word(question, envelope)
    if envelope.code == 0:
        return None
    return question.fail(
        failure_of(question.kind, envelope.code, has_ids=envelope.has_ids),
        explain(envelope.code, envelope.wording),
        code=envelope.code,
        order_id=envelope.order_id,
        client_oid=envelope.client_oid,
        remedy=remedy_for(envelope.code, clock_offset_ms),
    )


def _answers_another(question: Question, envelope: Envelope) -> bool:
    if question.request_id is not None and envelope.request_id not in (None, question.request_id):
        return True
    return envelope.code == 0 and envelope.method not in ("", question.method)


def _judge_word(question: Question, envelope: Envelope) -> ExchangeError:
    if WORD_CODES.get(envelope.wording) is ActionClass.AUTH and not envelope.has_ids:
        return question.fail(AuthError, envelope.wording, remedy=remedy_for(40104, None))
    return _not_understood(question, f"the result code is a word, {envelope.wording}")


def _not_understood(question: Question, reason: str) -> ExchangeError:
    return question.fail(BadAnswer if question.kind is Kind.READ else UnknownOutcome, reason)
