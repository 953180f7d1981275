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
    NOT_SPOT = "NOT_SPOT"  # name
    GROUP_FAILED = "GROUP_FAILED"  # name, error
    NOT_TAKEN = "NOT_TAKEN"  # name
    SALE_NOT_BOUGHT_BACK = "SALE_NOT_BOUGHT_BACK"  # name
    ROW_NOT_BELIEVED = "ROW_NOT_BELIEVED"  # method, row, problem
    NO_COINS = "NO_COINS"  # names
    NO_POSITIONS = "NO_POSITIONS"
    VALUE_NOT_RECORDED = "VALUE_NOT_RECORDED"
    WATCHLIST_NOT_RECORDED = "WATCHLIST_NOT_RECORDED"
    EXECUTIONS_LEFT = "EXECUTIONS_LEFT"  # start, end
    OTHER_ENVIRONMENT = "OTHER_ENVIRONMENT"  # account, environment, found
    OTHER_ACCOUNT = "OTHER_ACCOUNT"  # account, environment, found, where
    LEASE_LOST = "LEASE_LOST"  # holder
    DATABASE_FAILED = "DATABASE_FAILED"  # problem


class Problem(StrEnum):
    """What is wrong with an answer of the exchange, a row of it, or the database.

    `field` is the name of a field as the exchange writes it.
    """

    # no usable answer
    NO_CONNECTION = "NO_CONNECTION"
    ANSWER_TOO_LARGE = "ANSWER_TOO_LARGE"  # size
    NO_ANSWER_IN_TIME = "NO_ANSWER_IN_TIME"  # seconds
    CONNECTION_BROKE = "CONNECTION_BROKE"  # kind
    BODY_EMPTY = "BODY_EMPTY"
    WEB_PAGE = "WEB_PAGE"
    DATA_DAMAGED = "DATA_DAMAGED"
    NO_RESULT_CODE = "NO_RESULT_CODE"
    WITH_STATUS = "WITH_STATUS"  # problem, status
    OTHER_REQUEST = "OTHER_REQUEST"
    WORD_AS_CODE = "WORD_AS_CODE"  # word
    UNKNOWN_CODE = "UNKNOWN_CODE"
    NO_ORDER_ID = "NO_ORDER_ID"
    NO_LIST_ID = "NO_LIST_ID"
    OTHER_ORDER = "OTHER_ORDER"
    # a row, or a whole answer
    MISSING = "MISSING"  # field
    EMPTY = "EMPTY"  # field
    NOT_USABLE = "NOT_USABLE"  # field
    NO_NUMBER = "NO_NUMBER"  # field
    SOME_FIELD_NO_NUMBER = "SOME_FIELD_NO_NUMBER"
    UNUSABLE_NUMBER = "UNUSABLE_NUMBER"  # field
    NOT_WHOLE = "NOT_WHOLE"  # field
    NO_TIME_MS = "NO_TIME_MS"  # field
    NO_TIME_NS = "NO_TIME_NS"  # field
    IN_FUTURE = "IN_FUTURE"  # field
    OBJECT = "OBJECT"  # field
    LIST = "LIST"  # field
    BOOLEAN = "BOOLEAN"  # field
    FLOAT = "FLOAT"  # field
    UNEXPECTED_KIND = "UNEXPECTED_KIND"  # field
    UNKNOWN_WORD = "UNKNOWN_WORD"  # field
    BELOW_ZERO = "BELOW_ZERO"  # field
    NOT_POSITIVE = "NOT_POSITIVE"  # field
    NO_PRICE = "NO_PRICE"  # field
    HIGH_BELOW_LOW = "HIGH_BELOW_LOW"  # field
    MORE_THAN_ORDERED = "MORE_THAN_ORDERED"  # field
    VALUE_DISAGREES = "VALUE_DISAGREES"  # field
    NOTHING_FILLED = "NOTHING_FILLED"  # field
    FEE_TOO_LARGE = "FEE_TOO_LARGE"  # field
    NOT_ASKED_FOR = "NOT_ASKED_FOR"
    NOT_ITS_NAME = "NOT_ITS_NAME"  # field
    NO_ROW_READABLE = "NO_ROW_READABLE"
    # a stored fill that a later answer disputes
    FILL_MISSING = "FILL_MISSING"  # quantity, price
    FILL_DIFFERS = "FILL_DIFFERS"  # quantity, price
    FILL_IS_ANOTHER = "FILL_IS_ANOTHER"  # stored: the fields that differ, as they were reported before
    # a range of history that is not complete
    FULL_PAGE_UNREADABLE = "FULL_PAGE_UNREADABLE"
    BUSY_MILLISECOND = "BUSY_MILLISECOND"  # rows, name
    ASKED_ONE_BY_ONE = "ASKED_ONE_BY_ONE"  # rows, count
    # why the database cannot be used
    DATABASE_FULL = "DATABASE_FULL"
    DATABASE_READ_ONLY = "DATABASE_READ_ONLY"
    DATABASE_MISSING = "DATABASE_MISSING"
    DATABASE_EMPTY = "DATABASE_EMPTY"
    DATABASE_DAMAGED = "DATABASE_DAMAGED"
    DATABASE_BUSY = "DATABASE_BUSY"
    DATABASE_UNREACHABLE = "DATABASE_UNREACHABLE"
    DATABASE_UNUSABLE = "DATABASE_UNUSABLE"  # kind


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
    def stored(self) -> dict[str, Any]:
        """What a JSON column or a parameter of another reason keeps."""
        return {"code": self.code, "params": self.stored_params, "exchange_code": self.exchange_code}

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
    if isinstance(value, Sentence):
        return stored_sentence(value)
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
    return text.reason.stored if isinstance(text, Sentence) else None


def sentence_of(error: Exception) -> str:
    """What an exception says, with its reason if it was raised with one."""
    first = error.args[0] if error.args else None
    return first if isinstance(first, Sentence) else str(error)


def sentence_columns(text: str) -> dict[str, Any]:
    """The columns of the reason of a sentence; none for a text without a reason."""
    return text.reason.columns if isinstance(text, Sentence) else {}


def _(text: str) -> str:
    """Marks a text for translation; Django's own needs the settings."""
    return text


PROBLEM_TEXTS: dict[str, str] = {
    Problem.NO_CONNECTION: _("no connection could be made"),
    Problem.ANSWER_TOO_LARGE: _("the answer has more than %(size)s MB"),
    Problem.NO_ANSWER_IN_TIME: _("no complete answer within %(seconds)s s"),
    Problem.CONNECTION_BROKE: _("the connection broke (%(kind)s)"),
    Problem.BODY_EMPTY: _("the body is empty"),
    Problem.WEB_PAGE: _("a web page came instead of data"),
    Problem.DATA_DAMAGED: _("the data are cut off or damaged"),
    Problem.NO_RESULT_CODE: _("the answer carries no result code"),
    Problem.WITH_STATUS: _("%(problem)s (HTTP %(status)s)"),
    Problem.OTHER_REQUEST: _("it answers another request"),
    Problem.WORD_AS_CODE: _("the result code is a word, %(word)s"),
    Problem.UNKNOWN_CODE: _("a code without known meaning"),
    Problem.NO_ORDER_ID: _("it was accepted without an order id"),
    Problem.NO_LIST_ID: _("it was accepted without a list id"),
    Problem.OTHER_ORDER: _("the answer names another order"),
    Problem.MISSING: _("field %(field)s is missing"),
    Problem.EMPTY: _("field %(field)s is empty"),
    Problem.NOT_USABLE: _("field %(field)s is not usable"),
    Problem.NO_NUMBER: _("field %(field)s is not a number"),
    Problem.SOME_FIELD_NO_NUMBER: _("a field is not a number"),
    Problem.UNUSABLE_NUMBER: _("field %(field)s is not a usable number"),
    Problem.NOT_WHOLE: _("field %(field)s is not a whole number"),
    Problem.NO_TIME_MS: _("field %(field)s is not a time in milliseconds"),
    Problem.NO_TIME_NS: _("field %(field)s is not a time in nanoseconds"),
    Problem.IN_FUTURE: _("field %(field)s is in the future"),
    Problem.OBJECT: _("field %(field)s is an object"),
    Problem.LIST: _("field %(field)s is a list"),
    Problem.BOOLEAN: _("field %(field)s is a boolean"),
    Problem.FLOAT: _("field %(field)s is a float"),
    Problem.UNEXPECTED_KIND: _("field %(field)s is of an unexpected kind"),
    Problem.UNKNOWN_WORD: _("field %(field)s is not a known word"),
    Problem.BELOW_ZERO: _("field %(field)s is below zero"),
    Problem.NOT_POSITIVE: _("field %(field)s is not positive"),
    Problem.NO_PRICE: _("field %(field)s is no price"),
    Problem.HIGH_BELOW_LOW: _("field %(field)s is below the low"),
    Problem.MORE_THAN_ORDERED: _("field %(field)s is more than was ordered"),
    Problem.VALUE_DISAGREES: _("field %(field)s is not what its value and average price say"),
    Problem.NOTHING_FILLED: _("field %(field)s is nothing, although the order is filled"),
    Problem.FEE_TOO_LARGE: _("field %(field)s is more than was traded"),
    Problem.NOT_ASKED_FOR: _("it is not of the period, or of the instrument, that was asked for"),
    Problem.NOT_ITS_NAME: _("field %(field)s is not what the symbol says"),
    Problem.NO_ROW_READABLE: _("no row is readable"),
    Problem.FILL_MISSING: _("%(quantity)s at %(price)s was reported once and is missing now"),
    Problem.FILL_DIFFERS: _("an answer before said %(quantity)s at %(price)s"),
    Problem.FILL_IS_ANOTHER: _("an answer before said %(stored)s"),
    Problem.FULL_PAGE_UNREADABLE: _("no row of a full page is readable"),
    Problem.BUSY_MILLISECOND: _("more than %(rows)s rows of %(name)s in one millisecond"),
    Problem.ASKED_ONE_BY_ONE: _(
        "more than %(rows)s rows in one millisecond; asked %(count)s instruments one by one"
    ),
    Problem.DATABASE_FULL: _(
        "The disk of the database is full: nothing can be recorded, so no order is placed. Make room; "
        "work then goes on."
    ),
    Problem.DATABASE_READ_ONLY: _(
        "The database is read-only, so no order is placed. Make its disk and file writable; work then goes on."
    ),
    Problem.DATABASE_MISSING: _(
        "The database file is missing, or cannot be opened by this user. Stop Exchange Desk, then restore a backup "
        "(manage.py restore FILE)."
    ),
    Problem.DATABASE_EMPTY: _(
        "The database has not all of its tables: it is new, or was replaced. Stop Exchange Desk, then restore a backup "
        "(manage.py restore FILE) or run manage.py setup."
    ),
    Problem.DATABASE_DAMAGED: _(
        "The database is damaged. Stop Exchange Desk, then restore a backup (manage.py restore FILE)."
    ),
    Problem.DATABASE_BUSY: _("The database is busy: another process keeps writing to it. Try again."),
    Problem.DATABASE_UNREACHABLE: _(
        "The database server does not answer, or refuses the connection. Check that it runs and that "
        "DATABASE_URL is right."
    ),
    Problem.DATABASE_UNUSABLE: _("The database cannot be used (%(kind)s)."),
}


def problem(code: Problem, **params: object) -> Sentence:
    """In English for the log, with the code that shows it in other languages."""
    return Sentence(PROBLEM_TEXTS[code] % params, code, exchange_code=None, **params)
