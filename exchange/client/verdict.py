"""What an answer, or its absence, means for what was asked: `code` decides, never the HTTP status (dossier 1.1)."""

from dataclasses import dataclass

from exchange.client.envelope import Envelope
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
