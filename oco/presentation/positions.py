"""Protection on the dashboard: six queries at most, for any number of rows."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from functools import cache
from uuid import UUID

from exchange.core.numbers import complete_sum
from exchange.models import ExchangeOrder, Instrument
from exchange.schemas.market import SPOT
from exchange.selectors import UsdPrices, decimals_of
from oco.engine.allocation import ExternalReservation, ExternalStop
from oco.engine.coverage import (
    RANK,
    CoinCoverage,
    CoinHolding,
    CoverageStatus,
    GroupCoverage,
    Unprotected,
    coverage_of,
    coverage_status_of,
)
from oco.engine.lots import is_large_enough
from oco.engine.pricing import ExitSide, Grid, round_to_lot_size
from oco.engine.states import State
from oco.models import POSSIBLY_OPEN, OcoGroup
from oco.policies import Policies, policies_read
from oco.selectors import (
    GroupRow,
    UndecidedTrades,
    external_reservations_read,
    group_coverage,
    group_rows,
    groups_shown,
    undecided_trades,
)

ZERO = Decimal(0)
QUOTES = ("USD", "USDT", "USDC")  # preferred quote currencies for protection


@dataclass(frozen=True, slots=True, kw_only=True)
class RestingStop:
    """A stop that was read back open, ours or external: it sells `quantity` coins at `price_usd` each, before slippage
    and fees. `entry_usd` is what they cost; None if that is not known of these coins. `target_usd` is its take profit.

    `price_usd` is None while the price of its quote currency or of the stop is unknown.
    """

    quantity: Decimal
    price_usd: Decimal | None
    entry_usd: Decimal | None = None
    target_usd: Decimal | None = None

    def max_loss(self, now_usd: Decimal | None) -> Decimal | None:
        """From the current price down to the stop, in USD."""
        if now_usd is None or self.price_usd is None:
            return None
        return (now_usd - self.price_usd) * self.quantity

    def result(self, average_cost_usd: Decimal | None) -> Decimal | None:
        """At the stop, against what these coins cost, else against the average cost of the coin, in USD."""
        return self._against_cost(self.price_usd, average_cost_usd)

    def result_at_target(self, average_cost_usd: Decimal | None) -> Decimal | None:
        return self._against_cost(self.target_usd, average_cost_usd)

    def _against_cost(self, price: Decimal | None, average_cost_usd: Decimal | None) -> Decimal | None:
        cost = average_cost_usd if self.entry_usd is None else self.entry_usd
        return None if price is None or cost is None else (price - cost) * self.quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """One coin: its coverage and its open groups. Decimals are those of its pair's grid.

    `stops` are external stops, `resting_stops` all that were read back open.
    """

    coverage: CoinCoverage
    groups: tuple[GroupRow, ...]
    stops: tuple[ExternalStop, ...] = ()
    resting_stops: tuple[RestingStop, ...] = ()
    price_decimals: int | None = None
    quantity_decimals: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BuyBack:
    """An open group that buys back what was sold (rule 4). `quantity` is still to be bought.

    Decimals are those of its pair's grid; None if that was not read.
    """

    group: GroupRow
    coverage_status: CoverageStatus
    quantity: Decimal
    base: str
    quote: str
    price_decimals: int | None = None
    quantity_decimals: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """`groups`: open, or closed in the last 24 h. `positions` and `buybacks`: the worst first.

    `loss_if_all_stops_hit` counts from current prices down to the stops as they rest, in USD. `loss_unknown` names the
    coins with a stop whose loss cannot be calculated; then there is no total.
    `too_small`, by currency, waits for the next purchase.
    """

    groups: tuple[GroupRow, ...]
    positions: tuple[Position, ...]
    buybacks: tuple[BuyBack, ...]
    loss_if_all_stops_hit: Decimal | None
    loss_unknown: tuple[str, ...] = ()
    too_small: Mapping[str, Unprotected] = field(default_factory=dict)

    @property
    def open_count(self) -> int:
        return sum(group.closed_at is None for group in self.groups)

    @property
    def unprotected(self) -> tuple[Unprotected, ...]:
        return tuple(row for position in self.positions for row in position.coverage.unprotected_parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageTables:
    """The rows read. `at_work` are the open groups that protect, by currency, `pairs` the spot pairs."""

    held: Mapping[str, Decimal]
    usd: UsdPrices
    rows: Mapping[OcoGroup, GroupRow]
    open_groups: Mapping[str, Sequence[OcoGroup]]
    pairs: Mapping[str, Sequence[Instrument]]
    external: Mapping[str, ExternalReservation]
    undecided: Callable[[], UndecidedTrades] = undecided_trades
    policies: Callable[[], Policies] = policies_read

    def position(self, currency: str) -> Position:
        groups, pair = self.open_groups.get(currency, ()), self._pair(currency)
        coverage = self._coverage(currency, self._coin_holding(currency, groups))
        external = self.external.get(currency, ExternalReservation()).stops
        return Position(
            coverage=coverage,
            groups=tuple(self.rows[group] for group in groups),
            stops=external,
            resting_stops=(
                *(self._own_stop(group) for group in groups if group.state == State.ACTIVE),
                *self._external_stops(external, coverage.external_protected),
            ),
            price_decimals=decimals_of(pair.price_tick_size) if pair else None,
            quantity_decimals=decimals_of(pair.qty_tick_size) if pair else None,
        )

    def _coverage(self, currency: str, holding: CoinHolding) -> CoinCoverage:
        """Where coins are outside every group: whether all was read, and what waits for the next purchase."""
        coverage = coverage_of(holding)
        if not (coverage.may_be_protected or holding.held > coverage.protected + holding.waiting):
            return coverage
        undecided = self.undecided()
        small = {name for name in undecided.bought if self._is_too_small(name, currency, undecided)}
        bought = sum((undecided.bought[name] for name in small), ZERO)
        return coverage_of(
            replace(
                holding,
                is_origin_known=not undecided.may_concern(currency, waiting=small),
                waiting=holding.waiting + undecided.rests_of(currency) + bought,
            )
        )

    def _is_too_small(self, name: str, currency: str, undecided: UndecidedTrades) -> bool:
        """Whether what was bought there is only too little for an order, or for the policy."""
        pair = next((pair for pair in self.pairs.get(currency, ()) if pair.symbol == name), None)
        price = self.usd.get(currency)
        if pair is None or price is None:
            return False
        quantity, policy = undecided.bought[name], self.policies().of(name)
        whole = round_to_lot_size(quantity, pair.qty_tick_size)
        return not is_large_enough(
            whole,
            price=price,
            stop=ExitSide.SELL.towards_stop(price, policy.stop_pct),
            grid=Grid.of(pair),  # both prices are in USD
            minimum_usd=policy.minimum_value_usd,
        )

    def buy_back(self, group: OcoGroup) -> BuyBack:
        lot, row = group.lot, self.rows[group]
        pairs = self.pairs.get(lot.base_ccy, ())
        pair = next((pair for pair in pairs if pair.symbol == group.instrument_name), None)
        return BuyBack(
            group=row,
            coverage_status=coverage_status_of(
                _group_coverage(group, row), tick=pair.qty_tick_size if pair else None
            ),
            quantity=round_to_lot_size(lot.owned, pair.qty_tick_size) if pair else lot.owned,
            base=lot.base_ccy,
            quote=lot.quote_ccy,
            price_decimals=decimals_of(pair.price_tick_size) if pair else None,
            quantity_decimals=decimals_of(pair.qty_tick_size) if pair else None,
        )

    def _pair(self, currency: str) -> Instrument | None:
        return next(iter(self.pairs.get(currency, ())), None)

    def _coin_holding(self, currency: str, groups: Sequence[OcoGroup]) -> CoinHolding:
        pair = self._pair(currency)
        return CoinHolding(
            currency=currency,
            instrument_name=pair.symbol if pair else f"{currency}_USD",
            held=self.held.get(currency, ZERO),
            price_usd=self.usd.get(currency),
            grid=Grid.of(pair) if pair else None,
            external=self.external.get(currency, ExternalReservation()),
            groups=[_group_coverage(group, self.rows[group]) for group in sorted(groups, key=_age)],
            waiting=sum((min(group.lot.dust, group.lot.owned) for group in groups), ZERO),
        )

    def _own_stop(self, group: OcoGroup) -> RestingStop:
        row, quote = self.rows[group], self._quote_usd(group)
        return RestingStop(
            quantity=min(group.quantity, group.lot.owned),
            price_usd=_times(row.stop_price, quote),
            entry_usd=_times(row.entry_price, quote),
            target_usd=_times(row.take_profit_price, quote),
        )

    def _quote_usd(self, group: OcoGroup) -> Decimal | None:
        quotes = {pair.symbol: pair.quote_ccy for pair in self.pairs.get(group.lot.base_ccy, ())}
        return self.usd.get(quotes.get(group.instrument_name, ""))

    def _external_stops(self, stops: Sequence[ExternalStop], left: Decimal) -> Iterator[RestingStop]:
        """For the `left` coins that only they protect: if they exceed that, the lowest stops count."""
        priced = [(_times(stop.price, self.usd.get(stop.quote)), stop) for stop in stops]
        for price, stop in sorted(priced, key=lambda one: (one[0] is not None, one[0] or ZERO)):
            quantity = min(stop.quantity, left)
            left -= quantity
            if quantity:
                yield RestingStop(
                    quantity=quantity,
                    price_usd=price,
                    target_usd=_times(stop.target, self.usd.get(stop.quote)),
                )


def _times(price: Decimal | None, quote_usd: Decimal | None) -> Decimal | None:
    return None if price is None or quote_usd is None else price * quote_usd


def overview(
    *,
    held: Mapping[str, Decimal],
    usd: UsdPrices,
    cash: Collection[str],
    now: datetime,
    others: Iterable[Position] = (),
    instruments: Mapping[str, Instrument] | None = None,
    open_order_rows: Iterable[ExchangeOrder] | None = None,
) -> Overview:
    """From the quantities `held` and the prices in `usd`, both by currency. Cash needs no stop.

    `others` are positions that nothing here protects, shown among them. Data already read saves queries:
    `instruments`, by symbol, are every pair of the holdings and of every open order; `opened` are those
    orders.
    """
    groups = list(groups_shown(now=now).select_related("lot"))
    rows = dict(zip(groups, group_rows(groups), strict=True))
    open_groups: dict[str, list[OcoGroup]] = defaultdict(list)
    buying: list[OcoGroup] = []
    for group in groups:
        if group.closed_at is None and group.lot.exit_side is ExitSide.BUY:
            buying.append(group)
        elif group.closed_at is None:
            open_groups[group.lot.base_ccy].append(group)
    currencies = {currency for currency in held if currency not in cash} | open_groups.keys()
    unread = {group.lot.base_ccy for group in buying if group.instrument_name not in (instruments or {})}
    tables = CoverageTables(
        held=held,
        usd=usd,
        rows=rows,
        open_groups=open_groups,
        pairs=_pairs(currencies | unread, held, instruments),
        external=external_reservations_read(instruments, open_order_rows),
        undecided=cache(undecided_trades),
        policies=cache(policies_read),
    )
    positions = [*(tables.position(currency) for currency in currencies), *others]
    losses = {
        position.coverage.currency: complete_sum(
            [stop.max_loss(usd.get(position.coverage.currency)) for stop in position.resting_stops]
        )
        for position in positions
        if position.resting_stops
    }
    return Overview(
        groups=tuple(rows.values()),
        positions=tuple(sorted(filter(_is_shown, positions), key=_worst_first)),
        buybacks=tuple(sorted(map(tables.buy_back, buying), key=_most_urgent)),
        loss_if_all_stops_hit=complete_sum(losses.values()),
        loss_unknown=tuple(sorted(coin for coin, loss in losses.items() if loss is None)),
        too_small={
            position.coverage.currency: position.coverage.too_small
            for position in positions
            if position.coverage.too_small
        },
    )


def _pairs(
    currencies: Collection[str], held: Collection[str], instruments: Mapping[str, Instrument] | None
) -> dict[str, list[Instrument]]:
    """Also those of a coin that is protected but not held."""
    if instruments is None:
        return pairs_of(currencies)
    known = _by_base(row for _, row in sorted(instruments.items()) if row.inst_type == SPOT)
    rest = [currency for currency in currencies if currency not in held]
    return known | pairs_of(rest) if rest else known


def pairs_of(currencies: Iterable[str]) -> dict[str, list[Instrument]]:
    """By base currency its spot pairs, the preferred one for protection first."""
    return _by_base(Instrument.objects.filter(base_ccy__in=currencies, inst_type=SPOT).order_by("symbol"))


def _by_base(pairs: Iterable[Instrument]) -> dict[str, list[Instrument]]:
    found: dict[str, list[Instrument]] = defaultdict(list)
    for row in pairs:
        found[row.base_ccy].append(row)
    for rows in found.values():
        rows.sort(key=lambda row: QUOTES.index(row.quote_ccy) if row.quote_ccy in QUOTES else len(QUOTES))
    return found


def _age(group: OcoGroup) -> tuple[datetime, UUID]:
    return group.created_at, group.pk


def _group_coverage(group: OcoGroup, row: GroupRow) -> GroupCoverage:
    return group_coverage(group, is_sent=any(leg.status in POSSIBLY_OPEN for leg in row.legs))


def _is_shown(position: Position) -> bool:
    """False for sold coins, and for dust only."""
    return bool(position.groups or position.coverage.protected or position.coverage.unprotected_parts)


def _worst_first(position: Position) -> tuple[int, Decimal, str]:
    coverage = position.coverage
    return RANK[coverage.coverage_status], -(coverage.unprotected_usd or ZERO), coverage.currency


def _most_urgent(row: BuyBack) -> tuple[int, str, datetime]:
    return RANK[row.coverage_status], row.group.instrument_name, row.group.created_at
