"""What a policy would mean for the current holdings: as if just bought, or, for a policy for sales, just sold."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from exchange.models import Instrument
from exchange.selectors import UsdPrices
from oco.engine.lots import Fill, LotDraft, lot_draft_of_sale
from oco.engine.pricing import (
    FEE_PCT,
    HUNDRED,
    ExitSide,
    Grid,
    is_placeable,
    round_down,
    round_to_lot_size,
    stop_of,
    target_of,
)
from oco.models import Lot, ProtectionPolicy
from oco.policies import policies_read
from oco.presentation.positions import pairs_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """Quantity and USD price by currency; cash is no position."""

    held: Mapping[str, Decimal]
    usd: UsdPrices
    cash: Collection[str]

    @property
    def currencies(self) -> list[str]:
        return sorted(name for name, amount in self.held.items() if amount > 0 and name not in self.cash)


NO_HOLDINGS = Holdings(held={}, usd={}, cash=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """Prices in the pair's quote currency, `loss_usd` from the current price down to the stop."""

    instrument_name: str
    quantity: Decimal
    price: Decimal
    stop: Decimal
    target: Decimal | None
    loss_usd: Decimal
    is_placeable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedHolding:
    """One coin on the grid of a pair, and its current price in the quote currency."""

    grid: Grid
    quantity: Decimal
    price: Decimal
    quote_usd: Decimal


def unallocated(holdings: Holdings) -> Holdings:
    held = dict(holdings.held)
    for lot in Lot.objects.filter(closed_at=None, side=Lot.Side.BUY):
        held[lot.base_ccy] = held.get(lot.base_ccy, Decimal()) - lot.owned
    return replace(holdings, held=held)


def policy_previews(policy: ProtectionPolicy, holdings: Holdings) -> list[Preview]:
    """For each coin under `policy`, a policy for purchases; a coin without a known price is left out."""
    chosen = pairs_for_policy(policy, pairs_of(holdings.currencies))
    found = (coin_preview(pair, policy, holdings) for pair in chosen)
    return [each for each in found if each is not None]


def pairs_for_policy(policy: ProtectionPolicy, pairs: Mapping[str, list[Instrument]]) -> Iterable[Instrument]:
    """One of `pairs` for each coin under `policy`."""
    return _named(policy, pairs) if policy.instrument_name else _all_others(policy, pairs)


def _named(policy: ProtectionPolicy, pairs: Mapping[str, list[Instrument]]) -> Iterator[Instrument]:
    return (pair for rows in pairs.values() for pair in rows if pair.symbol == policy.instrument_name)


def _all_others(policy: ProtectionPolicy, pairs: Mapping[str, list[Instrument]]) -> Iterable[Instrument]:
    own = policies_read().own(policy.side)
    others = ([pair for pair in rows if pair.symbol not in own] for rows in pairs.values())
    return [rows[0] for rows in others if rows]


def coin_preview(pair: Instrument, policy: ProtectionPolicy, holdings: Holdings) -> Preview | None:
    """At the current price, as if all holdings had just been bought."""
    now = priced_holding(pair, holdings)
    if now is None:
        return None
    grid, price, quantity = now.grid, now.price, now.quantity
    stop = stop_of(price, policy.stop_pct, grid.price_tick)
    return Preview(
        instrument_name=pair.symbol,
        quantity=quantity,
        price=price,
        stop=stop,
        target=policy.target_pct and target_of(price, policy.target_pct, grid.price_tick),
        loss_usd=(price - stop) * quantity * now.quote_usd,
        is_placeable=is_placeable(quantity, stop, grid),
    )


def priced_holding(pair: Instrument, holdings: Holdings) -> PricedHolding | None:
    base, quote = holdings.usd.get(pair.base_ccy), holdings.usd.get(pair.quote_ccy)
    if not base or not quote:
        return None
    grid = Grid.of(pair, quote)
    return PricedHolding(
        grid=grid,
        quantity=round_to_lot_size(holdings.held.get(pair.base_ccy, Decimal()), grid.quantity_tick),
        price=round_down(base / quote, grid.price_tick),
        quote_usd=quote,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SalePreview:
    """`quantity` sold at `price`, and the part that is bought back; prices in the pair's quote currency.

    `extra_cost_usd` is the cost of buying back at the stop above the proceeds for as many coins,
    `max_cost_usd` the same at the max buy price, with the fee. `bought_back` is zero if it is below the
    minimum order.
    """

    instrument_name: str
    quantity: Decimal
    price: Decimal
    stop: Decimal
    target: Decimal | None
    bought_back: Decimal
    extra_cost_usd: Decimal
    max_cost_usd: Decimal


def sale_previews(policy: ProtectionPolicy, holdings: Holdings) -> list[SalePreview]:
    """For each coin under `policy`; a coin without a known price is left out.

    Only sales for cash are bought back (rule 4).
    """
    pairs = {
        currency: [pair for pair in rows if pair.quote_ccy in holdings.cash]
        for currency, rows in pairs_of(holdings.currencies).items()
    }
    found = (sale_preview(pair, policy, holdings) for pair in pairs_for_policy(policy, pairs))
    return [each for each in found if each is not None]


def sale_preview(pair: Instrument, policy: ProtectionPolicy, holdings: Holdings) -> SalePreview | None:
    """At the current price, with the fee of the lowest tier."""
    now = priced_holding(pair, holdings)
    if now is None:
        return None
    tick, price = now.grid.price_tick, now.price
    stop = stop_of(price, policy.stop_pct, tick, ExitSide.BUY)
    target = policy.target_pct and target_of(price, policy.target_pct, tick, ExitSide.BUY)
    lot_draft = _lot_draft(pair, policy, now)
    bought_back, cost = (lot_draft.bought, lot_draft.unit_cost or price) if lot_draft else (Decimal(), price)
    return SalePreview(
        instrument_name=pair.symbol,
        quantity=now.quantity,
        price=price,
        stop=stop,
        target=target if target and target > 0 else None,
        bought_back=bought_back,
        extra_cost_usd=(stop - price) * bought_back * now.quote_usd,
        max_cost_usd=(cost - price) * bought_back * now.quote_usd,
    )


def _lot_draft(pair: Instrument, policy: ProtectionPolicy, now: PricedHolding) -> LotDraft | None:
    if not now.quantity:
        return None
    fee = -now.quantity * now.price * FEE_PCT / HUNDRED
    sale = Fill(
        trade_id="", quantity=now.quantity, price=now.price, fee=fee, fee_currency=pair.quote_ccy, at_ns=0
    )
    return lot_draft_of_sale([sale], quote=pair.quote_ccy, grid=now.grid, stop_pct=policy.stop_pct)
