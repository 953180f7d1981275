"""Whether an order of the exchange is a leg of ours, and what it proves (rule 6).

One answer alone may be untrue. Closing a group on it would leave the coins without a stop: that an order executed or
ended is proved by its fills, or by a second answer that agrees.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Self

from exchange.core.reasons import Param
from exchange.models import ExchangeOrder
from exchange.schemas import Order, is_terminal
from exchange.sync.fetch import OrderKey
from oco.engine.types import Leg, LegStatus, Role
from oco.models import UNCONFIRMED, OcoLeg
from oco.reconcile.context import CycleContext

Status = OcoLeg.Status
FINAL_STATUSES = {
    "FILLED": Status.FILLED,
    "CANCELED": Status.CANCELED,
    "EXPIRED": Status.EXPIRED,
    "REJECTED": Status.REJECTED,
}
ZERO = Decimal(0)
REQUIRED_ANSWERS = 2
ABSENCE_AGE = timedelta(hours=1)  # orders were hidden for half an hour and existed (scenario 2)


def is_ours(leg: OcoLeg, order: ExchangeOrder) -> bool:
    """The same `client_oid` is not enough: instrument, side, type, quantity and price must agree."""
    price = order.price if leg.type == "LIMIT" else order.trigger_price
    return (
        leg.client_oid == order.client_oid
        and leg.name_space == order.name_space
        and (leg.group.instrument_name, leg.side, leg.type)
        == (order.instrument_name, order.side, order.order_type)
        and any(sent == (order.quantity, price) for sent in sent_variants(leg))
    )


def sent_variants(leg: OcoLeg) -> list[tuple[Decimal | None, Decimal | None]]:
    """Every quantity and price that was sent under this `client_oid`."""
    earlier = [(Decimal(quantity), price and Decimal(price)) for quantity, price in leg.earlier]
    return [*earlier, (leg.quantity, identifying_price(leg))]


def identifying_price(leg: OcoLeg) -> Decimal | None:
    """The price that identifies an order: its trigger, else its limit."""
    key: Decimal | None = leg.trigger_price or leg.price
    return key


def status_of(order: ExchangeOrder, before: str, *, seen: bool, is_proved: bool = True) -> str:
    """The status that this order proves. A finished order never opens again; open means seen open, and an end that
    is not proved yet is none (`EndProof`).
    """
    if before in FINAL_STATUSES.values():
        return before
    if is_terminal(order.status) and is_proved:
        return FINAL_STATUSES[order.status]
    if seen:
        return Status.OPEN
    return Status.ACCEPTED if before in UNCONFIRMED else before


def leg_of(
    leg: OcoLeg,
    *,
    started: datetime,
    seen: set[OrderKey],
    lists_read: bool,
    outdated: AbstractSet[int] = frozenset(),
) -> Leg:
    """The leg as `decide` sees it. Of the `outdated` ones, refused for rules that have changed, none counts as sent
    in this cycle.
    """
    key = (leg.name_space, leg.order_id)
    return Leg(
        client_oid=leg.client_oid,
        role=Role(leg.order_role),
        generation=leg.generation,
        status=_leg_status(leg, key in seen, lists_read, started),
        quantity=leg.quantity,
        price=identifying_price(leg) or Decimal(0),
        executed=leg.executed,
        end_status=leg.status if leg.status in FINAL_STATUSES.values() else "",
        end_code=leg.end_code,
        refused_code=leg.refused_code,
        refused_answer=_refused_answer(leg),
        sent_at=leg.sent_at,
        cancelled_by_us=leg.cancel_sent_at is not None,
        is_unresolved=leg.status == Status.ABSENT
        and leg.acknowledged
        and started - leg.sent_at < ABSENCE_AGE,
        is_fresh=key in seen or leg.status != Status.OPEN,
        sent_this_cycle=leg.sent_at >= started and leg.pk not in outdated,
        cancel_sent_this_cycle=leg.cancel_sent_at is not None and leg.cancel_sent_at >= started,
        looked_up_this_cycle=leg.looked_at is not None and leg.looked_at >= max(started, leg.sent_at),
    )


def _refused_answer(leg: OcoLeg) -> Param:
    """The exchange's words, or ours as data; of an order of an earlier version the whole text."""
    return leg.refused_reason["params"].get("answer") if leg.refused_reason else leg.refused_text


def _leg_status(leg: OcoLeg, seen: bool, lists_read: bool, started: datetime) -> LegStatus:
    """Open or accepted in an earlier cycle, and in no complete list of this one: its outcome is unknown."""
    if leg.status in FINAL_STATUSES.values():
        return LegStatus.ENDED
    if leg.status in UNCONFIRMED:
        return LegStatus.UNKNOWN
    if leg.status in (Status.REFUSED, Status.ABSENT):
        return LegStatus(leg.status)
    vanished = lists_read and not seen and (leg.status == Status.OPEN or leg.sent_at < started)
    return LegStatus.UNKNOWN if vanished else LegStatus(leg.status)


@dataclass(frozen=True, slots=True)
class EndProof:
    """`executed` is what is proved of it; `is_settled` when nothing of its record waits for proof."""

    executed: Decimal
    has_ended: bool
    is_settled: bool

    @classmethod
    def of(
        cls, leg: OcoLeg, order: ExchangeOrder, traded: Mapping[str, Decimal], context: CycleContext
    ) -> Self:
        """From the record of the order, the fills of the leg by client_oid, and the answers of this cycle."""
        reports = context.reports.get((leg.name_space, leg.order_id), [])
        fills, claimed = traded.get(leg.client_oid, ZERO), order.filled_quantity
        agreeing = sum(report.cumulative_quantity >= claimed for report in reports)
        is_executed = fills >= claimed or leg.executed >= claimed or agreeing >= REQUIRED_ANSWERS
        executed = max(fills, claimed) if is_executed else fills
        has_ended = is_terminal(order.status) and is_executed
        if has_ended and not claimed:
            has_ended = _is_end_agreed(leg, order, reports, traded, context)
        is_settled = is_executed and has_ended == is_terminal(order.status)
        return cls(executed, has_ended, is_settled)


def _is_end_agreed(
    leg: OcoLeg,
    order: ExchangeOrder,
    reports: Sequence[Order],
    traded: Mapping[str, Decimal],
    context: CycleContext,
) -> bool:
    """Two answers, or one and what makes an end likely: we cancelled it, its sibling executed, or a list of other
    open orders does not name it.
    """
    answers = sum(report.status == order.status for report in reports)
    is_unlisted = context.lists_read and (leg.name_space, leg.order_id) not in context.listed_keys
    is_expected = (
        leg.cancel_sent_at is not None
        or bool(traded)
        or any(name_space == leg.name_space for name_space, _ in context.listed_keys)
    )
    return answers >= REQUIRED_ANSWERS or (answers > 0 and is_unlisted and is_expected)
