"""One group for its page: its orders, its event log, its fills."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import F, Q

from exchange.core.numbers import number_text
from exchange.core.reasons import Reason
from exchange.error_texts import code_text
from exchange.models import Instrument, Trade
from exchange.selectors import decimals_of
from oco.engine.coverage import CoverageStatus, coverage_status_of
from oco.engine.pricing import ExitSide, max_buy_price_of, round_to_lot_size
from oco.engine.reason_codes import ReasonCode
from oco.engine.states import FAILED, REMOVAL_REQUESTED, State, is_final
from oco.engine.types import Role
from oco.models import POSSIBLY_OPEN, LotTrade, OcoEvent, OcoGroup, OcoLeg
from oco.presentation.banners import Banner, BannerInput, banner_of
from oco.presentation.reasons import order_text, render_reason
from oco.presentation.risk_reward import Fill
from oco.selectors import (
    group_coverage,
    group_events,
    stop_placed,
    target_placed,
    unprotected_quantities,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    """One line of the event log. `tone`: bad, good, or empty."""

    event: OcoEvent
    tone: str
    code: str

    @property
    def reason(self) -> str:
        return render_reason(self.event.stored_reason)

    @property
    def is_move(self) -> bool:
        return bool(self.event.old) and self.event.old != self.event.new


@dataclass(frozen=True, slots=True)
class LegDetail:
    """One order of the group, its purpose, and why it was refused."""

    row: OcoLeg

    @property
    def kind(self) -> str:
        return order_text(self.row.side, self.row.type, self.row.order_role)

    @property
    def code(self) -> int | None:
        """The exchange's code, if it refused or ended the order for a reason of its own."""
        code: int | None = self.row.refused_code or self.row.end_code or None
        return code

    @property
    def refusal(self) -> str:
        return code_text(self.code)

    @property
    def is_open(self) -> bool:
        return self.row.status == OcoLeg.Status.OPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupDetail:
    """One group for its page; `owned` is rounded to lot size.

    `unprotected` has neither an order of ours that is confirmed open nor an external stop (rules 2 and 5). All
    quantities are in coins, also those of a buy-back.
    """

    group: OcoGroup
    instrument: Instrument | None
    legs: tuple[LegDetail, ...]
    earlier: tuple[LegDetail, ...]
    events: tuple[EventRow, ...]
    trades: tuple[Trade, ...]
    unprotected: Decimal = Decimal(0)
    is_above_limit: bool = False  # the price is above the max buy price, as far as the caller knows

    @property
    def state(self) -> State:
        return State(self.group.state)

    @property
    def exit_side(self) -> ExitSide:
        exit_side: ExitSide = self.group.lot.exit_side
        return exit_side

    @property
    def buys_back(self) -> bool:
        return self.exit_side is ExitSide.BUY

    @property
    def quote(self) -> str:
        return str(self.group.instrument_name).partition("_")[2]

    @property
    def max_cost(self) -> Decimal | None:
        """The most that buying back the open quantity may cost, fee included; None if it sells."""
        cost = self.group.lot.unit_cost
        return None if cost is None else self.owned * cost

    @property
    def max_buy_price(self) -> Decimal | None:
        """The highest price paid for a coin once the stop has triggered; None if it sells."""
        if not self.buys_back or self.instrument is None:
            return None
        return max_buy_price_of(self.stop, self.instrument.price_tick_size)

    @property
    def is_final(self) -> bool:
        return is_final(self.group.state)

    @property
    def owned(self) -> Decimal:
        owned: Decimal = self.group.lot.owned
        return round_to_lot_size(owned, self.instrument.qty_tick_size) if self.instrument else owned

    @property
    def quantity(self) -> Decimal:
        """The quantity it protects or buys back; after the end, the quantity it was for."""
        return self.group.quantity if self.is_final else self.owned

    @property
    def covered(self) -> Decimal:
        """Only orders that were read back count (rule 5)."""
        return min(self.group.quantity, self.owned) if self.state is State.ACTIVE else Decimal(0)

    @property
    def coverage_status(self) -> CoverageStatus | None:
        """None when it adds nothing to the state. A removal that was requested says why there is no stop."""
        if self.is_final or self.state is State.EXITING or not self.unprotected:
            return None
        if self.group.shown_state == REMOVAL_REQUESTED:
            return None
        tick = self.instrument.qty_tick_size if self.instrument else None
        status = coverage_status_of(group_coverage(self.group, is_sent=self.is_sent), tick=tick)
        return status if status in (CoverageStatus.UNPROTECTED, CoverageStatus.PARTLY) else None

    @property
    def price_decimals(self) -> int | None:
        return decimals_of(self.instrument.price_tick_size) if self.instrument else None

    @property
    def quantity_decimals(self) -> int | None:
        return decimals_of(self.instrument.qty_tick_size) if self.instrument else None

    @property
    def is_sent(self) -> bool:
        return any(leg.row.status in POSSIBLY_OPEN for leg in self.legs)

    def resting(self, role: Role) -> OcoLeg | None:
        return next((leg.row for leg in self.legs if leg.row.order_role == role and leg.is_open), None)

    @property
    def stop(self) -> Decimal:
        """The trigger price that rests on the exchange, else the planned one."""
        legs = [leg.row for leg in self.legs]
        return stop_placed(requested=self.group.stop_price, legs=legs, is_closed=self.is_final)

    @property
    def target(self) -> Decimal | None:
        """The placed target price, else the planned one."""
        legs = [leg.row for leg in self.legs]
        return target_placed(requested=self.group.take_profit_price, legs=legs, is_closed=self.is_final)

    @property
    def has_stop(self) -> bool:
        return self.resting(Role.STOP_LOSS) is not None

    @property
    def has_target(self) -> bool:
        return self.resting(Role.TAKE_PROFIT) is not None

    @property
    def is_failed(self) -> bool:
        return self.state is State.STOP_FAILED

    @property
    def can_be_repriced(self) -> bool:
        """Whether its prices can be changed: not those of a buy-back, because they limit its cost."""
        return self.is_failed and not self.is_release_requested and not self.buys_back

    @property
    def is_release_requested(self) -> bool:
        return self.group.cancel_requested_at is not None and not self.is_final

    @property
    def refused_code(self) -> int | None:
        stops = (leg for leg in self.legs if leg.row.order_role == Role.STOP_LOSS)
        return next((leg.code for leg in stops if leg.code is not None), None)

    @property
    def banner(self) -> Banner | None:
        group, target = self.group, self.resting(Role.TAKE_PROFIT)
        return banner_of(
            BannerInput(
                state=self.state,
                exit_side=self.exit_side,
                currency=group.lot.base_ccy,
                reason=render_reason(group.stored_reason),
                refusal=code_text(self.refused_code) if group.exchange_code is None else "",
                unprotected=self.unprotected,
                is_sent=self.is_sent,
                names_retry=_names_retry(group.stored_reason),
                resting_target=target.quantity if target else None,
                has_target=target is not None,
                wants_target=group.take_profit_price is not None,
                release_requested_by=group.cancel_requested_by,
                price_limit=f"{number_text(self.max_buy_price)} {self.quote}"
                if self.is_above_limit and self.max_buy_price
                else "",
            )
        )

    @property
    def fills(self) -> list[Fill]:
        return [fill_of(one) for one in self.trades]

    @property
    def opened_at(self) -> datetime:
        return self.group.lot.entered_at or self.group.created_at


def _names_retry(why: Reason | None) -> bool:
    return any(one.code in (ReasonCode.RETRY_NEXT_CYCLE, ReasonCode.WAITING_FOR_CYCLE) for one in why or ())


EVENTS_SHOWN = 200
FILLS_SHOWN = 200


def group_detail(*, group_id: UUID) -> GroupDetail:
    """Five queries, and up to five more if its orders cover less than the open quantity.

    Raises OcoGroup.DoesNotExist.
    """
    group = OcoGroup.objects.select_related("lot").get(pk=group_id)
    legs = list(OcoLeg.objects.filter(group=group))
    events = group_events(group_id).order_by("-at", "-id")[:EVENTS_SHOWN]
    return GroupDetail(
        group=group,
        instrument=Instrument.objects.filter(symbol=group.instrument_name).first(),
        legs=tuple(LegDetail(leg) for leg in legs if leg.generation == group.generation),
        earlier=tuple(LegDetail(leg) for leg in reversed(legs) if leg.generation != group.generation),
        events=tuple(event_row(event) for event in events),
        trades=tuple(fills_of(group, legs)[-FILLS_SHOWN:]),
        unprotected=_unprotected_quantities([group]).get(group.pk, Decimal(0)),
    )


def group_details(
    groups: Sequence[OcoGroup], *, instruments: Mapping[str, Instrument]
) -> dict[UUID, GroupDetail]:
    """Groups with their orders only, which is enough for name and prices.

    One query for all legs, and up to five more if one of them covers less than the open quantity.
    """
    legs: dict[UUID, list[LegDetail]] = defaultdict(list)
    for leg in OcoLeg.objects.filter(group__in=groups, generation=F("group__generation")):
        legs[leg.group_id].append(LegDetail(leg))
    unprotected = _unprotected_quantities(groups)
    return {
        group.pk: GroupDetail(
            group=group,
            instrument=instruments.get(group.instrument_name),
            legs=tuple(legs[group.pk]),
            earlier=(),
            events=(),
            trades=(),
            unprotected=unprotected.get(group.pk, Decimal(0)),
        )
        for group in groups
    }


def _unprotected_quantities(groups: Sequence[OcoGroup]) -> dict[UUID, Decimal]:
    # Without a query while the orders of every open group are confirmed for all of its coins.
    return unprotected_quantities(
        [one for one in groups if not is_final(one.state) and group_coverage(one).unprotected(tick=None)]
    )


def event_tone(event: OcoEvent) -> str:
    """`good` if protection was confirmed, `bad` if it failed or is unknown, else empty."""
    has_new_state = event.old != event.new
    if event.code is not None or (has_new_state and event.new in FAILED):
        return "bad"
    return "good" if has_new_state and event.new == State.ACTIVE else ""


def event_row(event: OcoEvent) -> EventRow:
    """One line of the event log.

    `code` is for lines without a reason: a reason names the exchange's code itself.
    """
    return EventRow(
        event=event,
        tone=event_tone(event),
        code="" if event.stored_reason else code_text(event.code),
    )


def fill_of(trade: Trade) -> Fill:
    return Fill(side=trade.side, quantity=trade.quantity, price=trade.price, quote_usd=trade.quote_usd)


def fills_of(group: OcoGroup, legs: Sequence[OcoLeg]) -> list[Trade]:
    """The trades of its lot and of its orders, under either id (dossier 6.2), oldest first.

    Sorted in Python: with ORDER BY a database might scan all trades by time.
    """
    ids = {id for leg in legs for id in (leg.order_id, leg.exchange_order_id) if id}
    bought = LotTrade.objects.filter(lot_id=group.lot_id).values("trade_id")
    found = Trade.objects.filter(Q(order_id__in=ids) | Q(trade_id__in=bought)).order_by()
    return sorted(found, key=lambda trade: (trade.create_time_ns, trade.pk))
