"""Why something is as it is, as data: a code with parameters, rendered in the reader's language when shown (pure)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from typing import Any, Self

Param = str | int | Mapping[str, Any] | None

FOLLOWING = "following"  # key of the stored parameters that holds the reasons after the first
TEXT = "text"  # the one parameter of a reason without a code
MAX_CODE_LENGTH = 64


class OrderReason(StrEnum):
    """Why an order may not be created, or what became of a request. `answer`: the exchange's own words."""

    TRADING_DISABLED = "TRADING_DISABLED"
    KILL_SWITCH_ON = "KILL_SWITCH_ON"  # name
    KILL_SWITCH_UNREADABLE = "KILL_SWITCH_UNREADABLE"
    ORDER_REFUSED = "ORDER_REFUSED"  # answer
    ORDER_NOT_ALLOWED = "ORDER_NOT_ALLOWED"  # answer
    ORDER_EXISTS = "ORDER_EXISTS"  # answer
    ORDER_NOT_SENT = "ORDER_NOT_SENT"  # answer
    OUTCOME_UNKNOWN = "OUTCOME_UNKNOWN"  # answer
    CANCEL_TOO_LATE = "CANCEL_TOO_LATE"  # answer


class SyncReason(StrEnum):
    """Why a cycle failed or is incomplete. `part` is what was read, `name` whose; `error` a class of errors."""

    READ_FAILED = "READ_FAILED"  # part, name, kind, method, answer
    READ_NOT_TRIED = "READ_NOT_TRIED"  # part
    READ_TIMED_OUT = "READ_TIMED_OUT"  # part, name
    CALL_FAILED = "CALL_FAILED"  # kind, method, answer
    ACCOUNT_UNREADABLE = "ACCOUNT_UNREADABLE"  # cause
    CYCLE_STOPPED = "CYCLE_STOPPED"
    CYCLE_FAILED = "CYCLE_FAILED"  # error
    NOT_IN_CATALOGUE = "NOT_IN_CATALOGUE"  # name
    GROUP_FAILED = "GROUP_FAILED"  # name, error
    NOT_TAKEN = "NOT_TAKEN"  # name
    SALE_NOT_BOUGHT_BACK = "SALE_NOT_BOUGHT_BACK"  # name


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason, and those that follow it: `Reason("STOP_CROSSED") + Reason("NO_PRICE")`.

    `params` are texts, whole numbers, None or stored reasons (code, params); a decimal is stored as plain text.
    `exchange_code` is the code with which the exchange refused something (dossier 3), None where it refused nothing.
    Without a code it is a text from the time before there were codes, shown as it was written.
    """

    code: str
    params: Mapping[str, Param] = field(default_factory=dict)
    exchange_code: int | None = None
    following: tuple["Reason", ...] = ()

    def __add__(self, other: "Reason | None") -> "Reason":
        if other is None:
            return self
        return replace(
            self,
            following=(*self.following, *other),
            exchange_code=self.exchange_code if self.exchange_code is not None else other.exchange_code,
        )

    def __iter__(self) -> Iterator["Reason"]:
        """Itself without the others, then the others."""
        yield replace(self, following=())
        yield from self.following

    @property
    def stored_params(self) -> dict[str, Any]:
        """What a JSON column keeps: the parameters, and the reasons that follow."""
        stored: dict[str, Any] = dict(self.params)
        if self.following:
            stored[FOLLOWING] = [{"code": one.code, "params": dict(one.params)} for one in self.following]
        return stored

    @property
    def columns(self) -> dict[str, Any]:
        """The values of the two columns that every table with reasons has."""
        return {"reason_code": self.code, "reason_params": self.stored_params}

    @classmethod
    def from_stored(cls, code: str, params: Mapping[str, Any], exchange_code: int | None = None) -> Self:
        """The reason that `stored_params` was made of."""
        own = {name: value for name, value in params.items() if name != FOLLOWING}
        following = tuple(Reason(one["code"], one["params"]) for one in params.get(FOLLOWING, ()))
        return cls(code, own, exchange_code, following)


def reason(code: str, *, exchange_code: int | None = None, **params: object) -> Reason:
    """A reason whose parameters are turned into what can be stored."""
    return Reason(str(code), {name: _storable(value) for name, value in params.items()}, exchange_code)


def stored_reason(
    code: str, params: Mapping[str, Any], *, text: str, exchange_code: int | None = None
) -> Reason | None:
    """The reason of a row: by its code, else its old text, else none."""
    if code:
        return Reason.from_stored(code, params, exchange_code)
    return Reason("", {TEXT: text}, exchange_code) if text else None


def _storable(value: object) -> Param:
    if value is None or isinstance(value, int | dict):
        return value
    if isinstance(value, Decimal):
        return f"{value:f}"
    return str(value)


class Sentence(str):
    """An English sentence for logs and the console, with the reason that shows it in other languages."""

    reason: Reason

    def __new__(
        cls, text: str, code: str, *, exchange_code: int | None = None, **params: object
    ) -> "Sentence":
        sentence = super().__new__(cls, text)
        sentence.reason = reason(code, exchange_code=exchange_code, **params)
        return sentence


def stored_sentence(text: str) -> dict[str, Any] | None:
    """What a JSON column keeps next to the text of a sentence; None for a text without a reason."""
    if not isinstance(text, Sentence):
        return None
    return {
        "code": text.reason.code,
        "params": text.reason.stored_params,
        "exchange_code": text.reason.exchange_code,
    }
