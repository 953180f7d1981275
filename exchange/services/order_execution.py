"""The only service that places or cancels orders (rules 13 and 15).

The caller has committed the intent with its `client_oid` before. No process creates an order while trading is
off; a cancel is sent even then. The lease is renewed right before each request.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from django.conf import settings
from django.db import Error

from exchange.client.client import Client
from exchange.client.error_codes import KEY_CODES
from exchange.client.errors import (
    DuplicateOrder,
    ExchangeError,
    NotActive,
    NotFound,
    NotSent,
    RateLimited,
    UnknownOutcome,
)
from exchange.core.reasons import OrderReason, Reason, Sentence, reason
from exchange.fields import format_decimal
from exchange.models import AuditEntry, TradingSwitch
from exchange.schemas import NameSpace, NewOrder
from exchange.services.audit_log import audit_record
from exchange.services.kill_switch_file import file_name
from exchange.services.lease import Lease

Action = AuditEntry.Action


class TradingDisabled(RuntimeError):
    """No order may be created; nothing was sent."""

    def __init__(self, why: Reason) -> None:
        super().__init__(why.code)
        self.reason = why


class Outcome(StrEnum):
    """What a response proves. None of them means that an order is open or cancelled."""

    ACCEPTED = "ACCEPTED"
    EXISTS = "EXISTS"  # 204: an order with this client_oid exists already (rule 6)
    UNKNOWN = "UNKNOWN"
    REFUSED = "REFUSED"
    NOT_SENT = "NOT_SENT"  # never left this machine, or was rejected by the rate limit (42901)
    TOO_LATE = "TOO_LATE"  # cancel of an order that is no longer active


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitResult:
    """Result of a request. After a failure `error` says what failed, and `reason` what came of it."""

    outcome: Outcome
    order_id: str = ""
    list_id: str = ""
    code: int | None = None
    error: Sentence | None = None
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class AuditNote:
    """The part of an audit entry that is known before the response."""

    what: AuditEntry.Action
    text: str
    object_ids: tuple[str, ...] = ()


OUTCOME_BY_ERROR: tuple[tuple[type[ExchangeError], Outcome], ...] = (
    (DuplicateOrder, Outcome.EXISTS),
    (UnknownOutcome, Outcome.UNKNOWN),
    (NotSent, Outcome.NOT_SENT),
    (RateLimited, Outcome.NOT_SENT),
    (NotActive, Outcome.TOO_LATE),
    (NotFound, Outcome.TOO_LATE),
    (ExchangeError, Outcome.REFUSED),
)
REASON_BY_OUTCOME = {
    Outcome.EXISTS: OrderReason.ORDER_EXISTS,
    Outcome.UNKNOWN: OrderReason.OUTCOME_UNKNOWN,
    Outcome.REFUSED: OrderReason.ORDER_REFUSED,
    Outcome.NOT_SENT: OrderReason.ORDER_NOT_SENT,
    Outcome.TOO_LATE: OrderReason.CANCEL_TOO_LATE,
}


def create_blocked_reason() -> Reason | None:
    """Why no order may be created now, or None. A kill switch that cannot be read counts as on."""
    if not settings.TRADING_ENABLED:
        return reason(OrderReason.TRADING_DISABLED)
    by_file = file_name()
    if by_file is not None:
        return reason(OrderReason.KILL_SWITCH_ON, name=by_file)
    try:
        switch = TradingSwitch.objects.first()
    except Error:
        return reason(OrderReason.KILL_SWITCH_UNREADABLE)
    if switch is None or not switch.is_off:
        return None
    return reason(OrderReason.KILL_SWITCH_ON, name=switch.changed_by)


def pair_place(
    *, client: Client, lease: Lease, target: NewOrder, stop: NewOrder, bypass_kill_switch: bool = False
) -> SubmitResult:
    """Place a native pair (dossier 5.23). `bypass_kill_switch` completes a replacement in progress (rule 13)."""
    _ensure_create_allowed(bypass_kill_switch)
    return _submit(
        AuditNote(Action.PAIR_PLACE, _describe_orders(target, stop), (target.client_oid, stop.client_oid)),
        lease,
        lambda: SubmitResult(outcome=Outcome.ACCEPTED, list_id=client.oco_create(target, stop)),
    )


def order_place(
    *, client: Client, lease: Lease, name_space: NameSpace, order: NewOrder, bypass_kill_switch: bool = False
) -> SubmitResult:
    """Place one order: a stop in the ADVANCED name space, a market sale in the PLAIN one (dossier 5.11, 5.21)."""
    _ensure_create_allowed(bypass_kill_switch)
    return _submit(
        AuditNote(Action.ORDER_PLACE, _describe_orders(order), (order.client_oid,)),
        lease,
        lambda: SubmitResult(
            outcome=Outcome.ACCEPTED, order_id=client.order_create(name_space, order).order_id
        ),
    )


def order_cancel(*, client: Client, lease: Lease, name_space: NameSpace, order_id: str) -> SubmitResult:
    """Cancel one order; of a pair the sibling may be cancelled as well (dossier 5.23). Always sent."""
    note = AuditNote(Action.ORDER_CANCEL, f"{name_space} {order_id}", (order_id,))
    return _submit(
        note, lease, lambda: _run_cancel(lambda: client.order_cancel(name_space, order_id=order_id))
    )


def pair_cancel(*, client: Client, lease: Lease, list_id: str) -> SubmitResult:
    """Cancel both legs of a pair (dossier 5.24). Always sent."""
    note = AuditNote(Action.PAIR_CANCEL, f"pair {list_id}", (list_id,))
    return _submit(note, lease, lambda: _run_cancel(lambda: client.oco_cancel(list_id)))


def cancel_all_orders(*, client: Client, lease: Lease, name_space: NameSpace) -> SubmitResult:
    """Cancel every open order of a name space, our own and external (dossier 5.14, 5.28). Always sent."""
    note = AuditNote(Action.CANCEL_ALL, f"every order of {name_space}")
    return _submit(note, lease, lambda: _run_cancel(lambda: client.orders_cancel_all(name_space)))


def _ensure_create_allowed(bypass_kill_switch: bool) -> None:
    blocked = create_blocked_reason()
    if blocked and not bypass_kill_switch:
        raise TradingDisabled(blocked)


def _run_cancel(cancel: Callable[[], object]) -> SubmitResult:
    cancel()
    return SubmitResult(outcome=Outcome.ACCEPTED)


def _describe_orders(*orders: NewOrder) -> str:
    """For example: SELL 0.01 BTC_USD LIMIT 66000, STOP_LOSS 57000."""
    first = orders[0]
    size = first.notional if first.quantity is None else first.quantity
    prices = (f"{one.type} {_decimal_text(one.ref_price or one.price)}".strip() for one in orders)
    return f"{first.side} {_decimal_text(size)} {first.instrument_name} {', '.join(prices)}"


def _decimal_text(number: Decimal | None) -> str:
    return "" if number is None else format_decimal(number)


def _reason_of(outcome: Outcome, error: ExchangeError) -> Reason:
    not_allowed = outcome is Outcome.REFUSED and error.code in KEY_CODES
    code = OrderReason.ORDER_NOT_ALLOWED if not_allowed else REASON_BY_OUTCOME[outcome]
    return reason(code, exchange_code=error.code, answer=error.message)


def _submit(note: AuditNote, lease: Lease, send: Callable[[], SubmitResult]) -> SubmitResult:
    """Every exchange error becomes a result; a lost lease is raised, and nothing more is sent."""
    lease.renew()
    try:
        response = send()
    except ExchangeError as error:
        outcome = next(outcome for kind, outcome in OUTCOME_BY_ERROR if isinstance(error, kind))
        response = SubmitResult(
            outcome=outcome,
            order_id=error.order_id or "",
            code=error.code,
            error=error.sentence(),
            reason=_reason_of(outcome, error),
        )
    lease.record(
        lambda: audit_record(
            actor=lease.name,
            what=note.what,
            object_ids=dict.fromkeys((*note.object_ids, response.order_id, response.list_id)),
            text=note.text,
            reason=response.reason,
            result=response.outcome,
            code=response.code,
        )
    )
    return response
