"""What a sale costs: the fee rates as last charged."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from exchange.models import Trade

LOOKED_AT = 50
MAKER, TAKER = Decimal("0.0025"), Decimal("0.005")
"""Of the lowest tier (dossier 5.9), for an account that has not traded yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeRates:
    """As shares of the value. `is_known`: both as charged in our own trades."""

    maker: Decimal = MAKER
    taker: Decimal = TAKER
    is_known: bool = False


def fee_rates() -> FeeRates:
    """From the newest trades: one bounded query. A fee in a third currency tells nothing."""
    newest = Trade.objects.order_by("-create_time_ns", "-id")
    columns = ("instrument_name", "taker_side", "quantity", "price", "fee", "fee_currency")
    return rates_of(newest.only(*columns)[:LOOKED_AT])


def rates_of(trades: Iterable[Trade]) -> FeeRates:
    """The first rate of either side, newest first; what is missing is taken from the lowest tier."""
    found: dict[str, Decimal] = {}
    for trade in trades:
        rate = _rate(trade)
        if rate is not None:
            found.setdefault(trade.taker_side, rate)
    return FeeRates(
        maker=found.get("MAKER", MAKER),
        taker=found.get("TAKER", TAKER),
        is_known={"MAKER", "TAKER"} <= found.keys(),
    )


def _rate(trade: Trade) -> Decimal | None:
    base, _, quote = trade.instrument_name.partition("_")
    traded = {base: trade.quantity, quote: trade.quantity * trade.price}.get(trade.fee_currency)
    return -trade.fee / traded if traded else None
