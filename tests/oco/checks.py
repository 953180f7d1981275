"""Whether the protection rules hold, by the simulator's own record and not by its answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Self

from exchange.models import ExchangeOrder
from exchange.schemas.orders import STOP_ORDER_TYPES
from exchange.simulator.instruments import floor_to
from exchange.simulator.models import Order
from oco.engine import invariants
from oco.engine.pricing import round_towards_target
from oco.engine.reason_codes import ReasonCode
from oco.engine.states import State, is_final
from oco.models import Lot, LotTrade, OcoGroup, OcoLeg, Watermark
from portfolio.accounting.holdings import perpetuals_open
from tests.oco.actions import COINS, AccountActions
from tests.oco.support import ours, reasons_without_words, truth

ZERO = Decimal(0)
MIN_ORDER_VALUE = Decimal("1.02")
MONEY = ("USD", "USDT")
ALWAYS = (invariants.intent_first, invariants.evidence_only, invariants.exactly_once)


@dataclass(frozen=True)
class Rows:
    """What is stored at this moment, read once for all checks."""

    lots: list[Lot]
    groups: list[OcoGroup]
    group_by_client_oid: dict[str, OcoGroup]
    sale_trades: dict[int, set[str]]

    @classmethod
    def read(cls) -> Self:
        groups = {group.pk: group for group in OcoGroup.objects.select_related("lot")}
        legs = OcoLeg.objects.values_list("client_oid", "group_id")
        found = cls(list(Lot.objects.all()), list(groups.values()), {oid: groups[pk] for oid, pk in legs}, {})
        if any(lot.side == "SELL" for lot in found.lots):
            for lot, trade in LotTrade.objects.filter(lot__side="SELL").values_list("lot_id", "trade_id"):
                found.sale_trades.setdefault(lot, set()).add(trade)
        return found

    def orders_by_lot(self, actions: AccountActions) -> dict[int, list[Order]]:
        """Our orders on the exchange; under 0 those of no lot."""
        found: dict[int, list[Order]] = {}
        for order in ours(actions.world):
            group = self.group_by_client_oid.get(order.client_oid)
            found.setdefault(group.lot_id if group else 0, []).append(order)
        return found


def violations(actions: AccountActions) -> list[str]:
    """The violations at this moment; empty when all rules hold."""
    invariant_data, rows = truth(actions.world), Rows.read()
    return [
        *actions.violations,
        *(
            error
            for error in actions.world.exchange.audit()
            if not (actions.forced and " reserved of " in error)
        ),
        *(error for check in ALWAYS for error in check(invariant_data)),
        *reasons_without_words(),
        *one_group_each(rows),
        *no_double(actions, rows),
        *buy_backs_within_proceeds(actions, rows),
        *no_own_sales_bought_back(actions, rows),
        *final_groups_have_no_orders(actions, rows),
        *closed_for_a_reason(actions, rows),
        *shrunk_for_a_reason(actions, rows),
        *spent_for_a_reason(actions, rows),
    ]


Progress = dict[tuple[str, str], tuple[Decimal, bool]]


def order_progress() -> Progress:
    """Executed quantity and whether it has ended, by order in our record."""
    rows = ExchangeOrder.objects.values_list("name_space", "order_id", "filled_quantity", "is_open")
    return {(space, order_id): (filled, not is_open) for space, order_id, filled, is_open in rows}


def went_backwards(before: Progress, after: Progress) -> Iterator[str]:
    """Orders that had executed more, or had ended, before."""
    for key, (filled, ended) in before.items():
        now = after.get(key, (ZERO, False))
        if now[0] < filled or now[1] < ended:
            yield f"Order {key} went back from {filled}, ended {ended} to {now[0]}, ended {now[1]}."


def one_group_each(rows: Rows) -> Iterator[str]:
    open_groups = Counter(group.lot_id for group in rows.groups if group.closed_at is None)
    for lot, count in open_groups.items():
        if count > 1:
            yield f"Lot {lot} has two open groups."


def can_sell(actions: AccountActions, orders: list[Order]) -> Decimal:
    """What these orders sold and can still sell. Linked orders share, except in the exchange's own race (11.3)."""
    lists: dict[str, list[Order]] = {}
    for order in orders:
        lists.setdefault(order.list_id or order.order_id, []).append(order)
    return sum((_list_total(actions, legs) for legs in lists.values()), ZERO)


def _list_total(actions: AccountActions, legs: list[Order]) -> Decimal:
    sold = sum((leg.cumulative_quantity for leg in legs), ZERO)
    total = sold + max((leg.remaining for leg in legs if leg.is_open), default=ZERO)
    racing = actions.world.exchange.behaviour.oco_race != "none"
    return min(total, max(leg.quantity for leg in legs)) if racing else total


def no_double(actions: AccountActions, rows: Rows) -> Iterator[str]:
    """The orders of a lot can never sell more than was bought."""
    bought = {lot.pk: lot.bought for lot in rows.lots}
    for lot, orders in rows.orders_by_lot(actions).items():
        maximum = can_sell(actions, orders)
        if lot in bought and maximum > bought[lot] and not actions.late:
            yield f"Lot {lot} of {bought[lot]} can sell {maximum}."


def buy_backs_within_proceeds(actions: AccountActions, rows: Rows) -> Iterator[str]:
    """A buy-back never costs more than the sale proceeds (except both legs of a pair in the exchange's race)."""
    if actions.late or actions.world.exchange.behaviour.oco_race != "none":
        return
    orders = rows.orders_by_lot(actions)
    sales = [lot for lot in rows.lots if lot.side == "SELL"]
    for entry in {lot.entry_order_id for lot in sales}:
        lots = [lot for lot in sales if lot.entry_order_id == entry]
        trades = {trade for lot in lots for trade in rows.sale_trades.get(lot.pk, ())}
        maximum = sum((can_cost(orders.get(lot.pk, [])) for lot in lots), ZERO)
        if maximum > sale_proceeds(actions, trades):
            yield f"The sale {entry} brought {sale_proceeds(actions, trades)}, and its buy-back can cost {maximum}."


def can_cost(orders: list[Order]) -> Decimal:
    """What these orders paid and can still pay."""
    lists: dict[str, Decimal] = {}
    for order in orders:
        key = order.list_id or order.order_id
        rest = order.remaining * (order.limit_price or ZERO) if order.is_open else ZERO
        lists[key] = max(lists.get(key, ZERO), rest)
    return sum((order.cumulative_value for order in orders), ZERO) + sum(lists.values(), ZERO)


def sale_proceeds(actions: AccountActions, trades: set[str]) -> Decimal:
    rows = [row for row in actions.world.exchange.trades.rows if row.trade_id in trades]
    value = sum((row.quantity * row.price for row in rows), ZERO)
    quote = actions.world.exchange.instruments[rows[0].instrument_name].quote if rows else ""
    return value + sum((row.fee for row in rows if row.fee_instrument_name == quote), ZERO)


def no_own_sales_bought_back(actions: AccountActions, rows: Rows) -> Iterator[str]:
    """Sales of our own orders are never bought back."""
    mine = {f"{order.name_space}/{order.order_id}" for order in ours(actions.world)}
    taken = {trade for trades in rows.sale_trades.values() for trade in trades}
    for trade in actions.world.exchange.trades.rows:
        if trade.trade_id in taken and trade.owner in mine:
            yield f"Trade {trade.trade_id} is our own sale, and is bought back."


def final_groups_have_no_orders(actions: AccountActions, rows: Rows) -> Iterator[str]:
    for order in ours(actions.world):
        group = rows.group_by_client_oid.get(order.client_oid)
        if group and is_final(group.state) and order.is_open and not actions.late:
            yield f"{order.order_type} {order.client_oid} is open, and its group is {group.state}."


def closed_for_a_reason(actions: AccountActions, rows: Rows) -> Iterator[str]:
    """Groups are released only by the user, and closed manually only when coins were withdrawn."""
    for group in rows.groups:
        if group.state == State.RELEASED and not _was_released(actions, group):
            yield f"Group {group.pk} was released without a request: {group.stored_reason}"
        if group.state == State.CLOSED_BY_HAND and not group.lot.gone:
            yield f"Group {group.pk} is closed manually, but its coins are not gone."


def _was_released(actions: AccountActions, group: OcoGroup) -> bool:
    names = set(group.legs.values_list("client_oid", flat=True))
    cancelled_manually = group.pk in actions.released_groups or bool(names & actions.cancelled_manually)
    return (
        cancelled_manually or group.lot.merging or actions.forced or actions.lied
    )  # without its coins the exchange itself cancels (6.2)


def shrunk_for_a_reason(actions: AccountActions, rows: Rows) -> Iterator[str]:
    """Lots shrink only by coins that left the account other than through our orders."""
    for currency in COINS:
        lots = [
            lot
            for lot in rows.lots
            if lot.base_ccy == currency and lot.side == "BUY" and lot.merged_into_id is None
        ]
        gone = sum((lot.gone for lot in lots), ZERO)
        # The user may protect coins of an entry that is not read yet: one of the two lots shrinks.
        left = outflow(actions, currency) + sum((lot.bought for lot in lots if lot.by_person), ZERO)
        if gone > left and not actions.lied:
            yield f"Lots count {gone} {currency} as gone, and {left} left."


def spent_for_a_reason(actions: AccountActions, rows: Rows) -> Iterator[str]:
    """Buy-backs shrink only by money that left otherwise, or that both legs of a pair spent."""
    for currency in MONEY:
        lots = [lot for lot in rows.lots if lot.quote_ccy == currency and lot.merged_into_id is None]
        gone = sum((lot.gone * lot.spent_per_coin for lot in lots), ZERO)
        if gone > outflow(actions, currency) + sum((paid(order) for order in ours(actions.world)), ZERO):
            yield f"Lots count {gone} {currency} as gone, and less left."


def paid(order: Order) -> Decimal:
    return order.cumulative_value if order.side == "BUY" else ZERO


def outflow(actions: AccountActions, currency: str) -> Decimal:
    exchange = actions.world.exchange
    mine = {f"{order.name_space}/{order.order_id}" for order in ours(actions.world)}
    left = actions.withdrawn.get(currency, ZERO)
    for trade in exchange.trades.rows:
        pair = exchange.instruments[trade.instrument_name]
        if trade.side == "SELL" and pair.base == currency and trade.owner not in mine:
            left += trade.quantity
        if trade.side == "BUY" and pair.quote == currency:
            left += trade.quantity * trade.price
    return left + raced(actions, currency)


def raced(actions: AccountActions, currency: str) -> Decimal:
    """What both legs of pairs sold beyond the quantity of one."""
    lists: dict[str, list[Order]] = {}
    for order in ours(actions.world):
        if order.list_id and order.instrument_name.startswith(f"{currency}_"):
            lists.setdefault(order.list_id, []).append(order)
    pairs = [
        (sum((leg.cumulative_quantity for leg in legs), ZERO), legs[0].quantity) for legs in lists.values()
    ]
    return sum((max(sold - quantity, ZERO) for sold, quantity in pairs), ZERO)


# after enough cycles without faults


def unfinished(actions: AccountActions) -> list[str]:
    """What is still missing after enough cycles without faults."""
    return [*unprotected(actions), *missed_entries(actions), *orphans(actions), *wrong_perpetuals(actions)]


def is_pair_retried() -> bool:
    """Whether a stop that rests alone is being replaced by a pair, as rule 7 does from time to time."""
    retrying = OcoGroup.objects.filter(closed_at=None, reason_code=ReasonCode.PAIR_POSSIBLE_REPLACING)
    return bool(retrying.exists())


def unprotected(actions: AccountActions) -> Iterator[str]:
    orders = Rows.read().orders_by_lot(actions)
    for lot, allowed in allowances(actions):
        group = lot.groups.filter(closed_at=None).first()
        live = [order for order in orders.get(lot.pk, []) if order.is_open]
        if group is None:
            yield f"Lot {lot.pk} is open and has no open group."
            continue
        stops = [order for order in live if order.order_type in STOP_ORDER_TYPES]
        resting = sum((order.remaining for order in stops), ZERO)
        if not is_placeable(actions, lot.instrument_name, allowed, group.stop_price):
            over = allowed == whole_open_quantity(actions, lot) and lot.owned < lot.bought and not live
            if resting > max(allowed, lot.owned) or over:
                yield f"Lot {lot.pk}: {allowed} is too little, group {group.state}, {resting} rests."
        elif lot.exit_side.stop_reached(
            actions.world.prices.mark(lot.instrument_name, actions.world.exchange.at_ms),
            stop_on_grid(actions, group),
        ):
            if not stops and group.state != State.STOP_FAILED:
                yield f"Lot {lot.pk} is past its stop and {group.state}: {group.stored_reason}"
        elif group.state == State.STOP_FAILED and group.reason_code == "STOP_WITHIN_SPREAD":
            continue  # a person has to choose another stop (rule 3)
        elif group.state != State.ACTIVE or not is_whole(lot, resting, allowed):
            yield f"Lot {lot.pk} owns {lot.owned}: {resting} of {allowed} rests, {group.state}: {group.stored_reason}"


def is_whole(lot: Lot, resting: Decimal, allowed: Decimal) -> bool:
    """Orders that were placed before the lot size grew rest for more of the lot."""
    return allowed <= resting <= max(allowed, lot.owned)


def stop_on_grid(actions: AccountActions, group: OcoGroup) -> Decimal:
    tick = actions.world.exchange.instruments[group.instrument_name].price_tick
    return round_towards_target(group.stop_price, tick, group.lot.exit_side)


def whole_open_quantity(actions: AccountActions, lot: Lot) -> Decimal:
    return floor_to(lot.owned, actions.world.exchange.instruments[lot.instrument_name].lot)


def allowances(actions: AccountActions) -> Iterator[tuple[Lot, Decimal]]:
    """Open lots, oldest first, with what each may sell or buy back: balance less what external orders reserve."""
    currencies = (*COINS, *MONEY)
    free = {
        currency: actions.world.balance(currency) - reserved_by_others(actions, currency)
        for currency in currencies
    }
    for lot in Lot.objects.filter(closed_at=None).order_by("opened_at", "pk"):
        required = whole_open_quantity(actions, lot) * lot.spent_per_coin
        share = min(required, max(free[lot.spent_currency], ZERO)) / lot.spent_per_coin
        free[lot.spent_currency] -= required
        yield lot, floor_to(share, actions.world.exchange.instruments[lot.instrument_name].lot)


def reserved_by_others(actions: AccountActions, currency: str) -> Decimal:
    lists: dict[str, Decimal] = {}
    for order in actions.external_orders():
        pair = actions.world.exchange.instruments[order.instrument_name]
        takes = ZERO
        if order.side == "SELL" and pair.base == currency:
            takes = order.remaining
        elif order.side == "BUY" and pair.quote == currency:
            takes = order.remaining * (order.limit_price or ZERO)
        key = order.list_id or order.order_id
        lists[key] = max(lists.get(key, ZERO), takes)
    return sum(lists.values(), ZERO)


def is_placeable(actions: AccountActions, symbol: str, quantity: Decimal, price: Decimal) -> bool:
    pair = actions.world.exchange.instruments[symbol]
    return (
        quantity >= pair.lot and quantity * price * actions.world.exchange.usd(pair.quote) >= MIN_ORDER_VALUE
    )


def missed_entries(actions: AccountActions) -> Iterator[str]:
    """Buys that are large enough but have no lot."""
    since = Watermark.objects.get().since_ns
    known = set(LotTrade.objects.values_list("trade_id", flat=True))
    missing: dict[str, list] = {}
    for trade in actions.world.exchange.trades.rows:
        if trade.side == "BUY" and trade.create_time_ns >= since and trade.trade_id not in known:
            missing.setdefault(trade.owner, []).append(trade)
    for owner, trades in missing.items():
        base = actions.world.exchange.instruments[trades[0].instrument_name].base
        net = sum((t.quantity + (t.fee if t.fee_instrument_name == base else ZERO) for t in trades), ZERO)
        price = min(trade.price for trade in trades) * Decimal("0.94")
        whole = floor_to(net, actions.world.exchange.instruments[trades[0].instrument_name].lot)
        if is_placeable(actions, trades[0].instrument_name, whole, price):
            yield f"{net} {base} of {owner} were bought and have no lot."


def orphans(actions: AccountActions) -> Iterator[str]:
    """Open orders of ours without an open group, and lots with two protective orders."""
    protected = set(OcoLeg.objects.filter(group__closed_at=None).values_list("client_oid", flat=True))
    for order in ours(actions.world):
        if order.is_open and order.client_oid not in protected:
            yield f"{order.order_type} {order.client_oid} is open and protects nothing."
    for lot, orders in Rows.read().orders_by_lot(actions).items():
        if len({order.list_id or order.order_id for order in orders if order.is_open}) > 1:
            yield f"Lot {lot} has two protective orders."


def wrong_perpetuals(actions: AccountActions) -> Iterator[str]:
    """Perpetual positions that differ from those stored."""
    positions = {name: position.quantity for name, position in actions.world.exchange.positions.items()}
    shown = dict(perpetuals_open().values_list("instrument_name", "quantity"))
    if shown != positions:
        yield f"Perpetual positions are {positions}, stored are {shown}."
