"""What a policy for sales would mean, had the coins that are held now just been sold."""

from dataclasses import dataclass
from decimal import Decimal

from exchange.models import Instrument
from oco.engine.lots import Draft, Fill, draft_of_sale
from oco.engine.pricing import FEE_PCT, HUNDRED, Way, stop_of, target_of
from oco.models.policy import ProtectionPolicy
from oco.presentation.positions import pairs_of
from oco.presentation.preview import HeldNow, Holdings, held_now, pairs_under


@dataclass(frozen=True, slots=True, kw_only=True)
class SalePreview:
    """`quantity` sold at `price`, and how much of it is bought back; prices in the pair's quote currency.

    `more_usd` is what buying back at the stop costs above what the sale brought for as many coins, `most_usd` the
    same at the highest price that it pays, with the fee. Nothing is `back` where it is too little for an order.
    """

    instrument_name: str
    quantity: Decimal
    price: Decimal
    stop: Decimal
    target: Decimal | None
    back: Decimal
    more_usd: Decimal
    most_usd: Decimal


def sale_previews(policy: ProtectionPolicy, holdings: Holdings) -> list[SalePreview]:
    """For each coin that `policy` is for; a coin without a known price is left out. Only what is sold for cash is
    bought back (rule 4).
    """
    pairs = {
        currency: [pair for pair in rows if pair.quote_ccy in holdings.cash]
        for currency, rows in pairs_of(holdings.currencies).items()
    }
    found = (sale_preview(pair, policy, holdings) for pair in pairs_under(policy, pairs))
    return [each for each in found if each is not None]


def sale_preview(pair: Instrument, policy: ProtectionPolicy, holdings: Holdings) -> SalePreview | None:
    """Reckoned from the price now, at the fee of the lowest tier."""
    now = held_now(pair, holdings)
    if now is None:
        return None
    tick, price = now.grid.price_tick, now.price
    stop = stop_of(price, policy.stop_pct, tick, Way.BUYS)
    target = policy.target_pct and target_of(price, policy.target_pct, tick, Way.BUYS)
    draft = _draft(pair, policy, now)
    back, cost = (draft.bought, draft.unit_cost or price) if draft else (Decimal(), price)
    return SalePreview(
        instrument_name=pair.symbol,
        quantity=now.quantity,
        price=price,
        stop=stop,
        target=target if target and target > 0 else None,
        back=back,
        more_usd=(stop - price) * back * now.quote_usd,
        most_usd=(cost - price) * back * now.quote_usd,
    )


def _draft(pair: Instrument, policy: ProtectionPolicy, now: HeldNow) -> Draft | None:
    """What the worker would make of that sale."""
    if not now.quantity:
        return None
    fee = -now.quantity * now.price * FEE_PCT / HUNDRED
    sale = Fill(
        trade_id="", quantity=now.quantity, price=now.price, fee=fee, fee_currency=pair.quote_ccy, at_ns=0
    )
    return draft_of_sale([sale], quote=pair.quote_ccy, grid=now.grid, stop_pct=policy.stop_pct)
