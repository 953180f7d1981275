"""The one service that sends: nothing is placed or cancelled but through here (rules 13 and 15).

The caller has committed the intent with its `client_oid` before. A create is refused in words while trading is
off, in every process at once; a cancel never is. The lease is renewed right before each request.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from django.conf import settings
from django.db import Error

from exchange.client.client import Client
from exchange.client.errors import (
    DuplicateOrder,
    ExchangeError,
    NotActive,
    NotFound,
    NotSent,
    RateLimited,
    UnknownOutcome,
)
from exchange.fields import plain
from exchange.models import AuditEntry, TradingSwitch
from exchange.schemas import NameSpace, NewOrder
from exchange.services.audit_log import audit_record
from exchange.services.lease import Held

What = AuditEntry.What
DISABLED = "Trading is switched off in the settings (TRADING_ENABLED=false)."
UNREADABLE = "The kill switch cannot be read, so it counts as on."


class TradingOff(RuntimeError):
    """No order may be created; nothing was sent."""


class Outcome(StrEnum):
    """What an answer proves. None of them says that an order is open or cancelled."""

    ACCEPTED = "ACCEPTED"
    EXISTS = "EXISTS"  # 204: an order of this name lives already (rule 6)
    UNKNOWN = "UNKNOWN"
    REFUSED = "REFUSED"
    NOT_SENT = "NOT_SENT"  # it never left this machine, or was turned away at the door (42901)
    TOO_LATE = "TOO_LATE"  # a cancel of what is not active any more


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    outcome: Outcome
    order_id: str = ""
    list_id: str = ""
    code: int | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """What the audit log says of a request beside its answer."""

    what: AuditEntry.What
    text: str
    object_ids: tuple[str, ...] = ()


OUTCOMES: tuple[tuple[type[ExchangeError], Outcome], ...] = (
    (DuplicateOrder, Outcome.EXISTS),
    (UnknownOutcome, Outcome.UNKNOWN),
    (NotSent, Outcome.NOT_SENT),
    (RateLimited, Outcome.NOT_SENT),
    (NotActive, Outcome.TOO_LATE),
    (NotFound, Outcome.TOO_LATE),
    (ExchangeError, Outcome.REFUSED),
)


def why_no_create() -> str:
    """Why no order may be created now, or nothing."""
    if not settings.TRADING_ENABLED:
        return DISABLED
    try:
        switch = TradingSwitch.objects.first()
    except Error:
        return UNREADABLE
    if switch is None or not switch.is_off:
        return ""
    return f"The kill switch is on, set by {switch.changed_by}."


def pair_place(
    *, client: Client, held: Held, target: NewOrder, stop: NewOrder, finishing: bool = False
) -> Answer:
    """Place a native pair (dossier 5.23). `finishing` ends a replacement that has begun (rule 13)."""
    _may_create(finishing)
    return _sent(
        Note(What.PAIR_PLACE, _words(target, stop), (target.client_oid, stop.client_oid)),
        held,
        lambda: Answer(outcome=Outcome.ACCEPTED, list_id=client.oco_create(target, stop)),
    )


def order_place(
    *, client: Client, held: Held, name_space: NameSpace, order: NewOrder, finishing: bool = False
) -> Answer:
    """Place one order: a stop in the ADVANCED name space, a market sale in the PLAIN one (dossier 5.11, 5.21)."""
    _may_create(finishing)
    return _sent(
        Note(What.ORDER_PLACE, _words(order), (order.client_oid,)),
        held,
        lambda: Answer(outcome=Outcome.ACCEPTED, order_id=client.order_create(name_space, order).order_id),
    )


def order_cancel(*, client: Client, held: Held, name_space: NameSpace, order_id: str) -> Answer:
    """Ask to cancel one order; of a pair the sibling goes as well, or not (dossier 5.23). Never refused by us."""
    note = Note(What.ORDER_CANCEL, f"{name_space} {order_id}", (order_id,))
    return _sent(note, held, lambda: _asked(lambda: client.order_cancel(name_space, order_id=order_id)))


def pair_cancel(*, client: Client, held: Held, list_id: str) -> Answer:
    """Ask to cancel both legs of a pair (dossier 5.24). Never refused by us."""
    note = Note(What.PAIR_CANCEL, f"pair {list_id}", (list_id,))
    return _sent(note, held, lambda: _asked(lambda: client.oco_cancel(list_id)))


def family_cancel(*, client: Client, held: Held, name_space: NameSpace) -> Answer:
    """Ask to cancel every open order of a name space, whoever sent it (dossier 5.14, 5.28). Never refused by us."""
    note = Note(What.CANCEL_ALL, f"every order of {name_space}")
    return _sent(note, held, lambda: _asked(lambda: client.orders_cancel_all(name_space)))


def _may_create(finishing: bool) -> None:
    reason = why_no_create()
    if reason and not finishing:
        raise TradingOff(reason)


def _asked(cancel: Callable[[], object]) -> Answer:
    cancel()
    return Answer(outcome=Outcome.ACCEPTED)


def _words(*orders: NewOrder) -> str:
    """Such as: SELL 0.01 BTC_USD LIMIT 66000, STOP_LOSS 57000."""
    first = orders[0]
    size = first.notional if first.quantity is None else first.quantity
    prices = (f"{one.type} {_plain(one.ref_price or one.price)}".strip() for one in orders)
    return f"{first.side} {_plain(size)} {first.instrument_name} {', '.join(prices)}"


def _plain(number: Decimal | None) -> str:
    return "" if number is None else plain(number)


def _sent(note: Note, held: Held, send: Callable[[], Answer]) -> Answer:
    """Every failure of the exchange is an answer; a lost lease is raised, and nothing more is sent."""
    held.renew()
    try:
        answer = send()
    except ExchangeError as error:
        outcome = next(outcome for kind, outcome in OUTCOMES if isinstance(error, kind))
        answer = Answer(outcome=outcome, order_id=error.order_id or "", code=error.code, text=str(error))
    audit_record(
        actor=held.name,
        what=note.what,
        object_ids=dict.fromkeys((*note.object_ids, answer.order_id, answer.list_id)),
        text=f"{note.text}. {answer.text}".strip(". "),
        result=answer.outcome,
        code=answer.code,
    )
    return answer
