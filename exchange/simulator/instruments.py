"""The few facts of an instrument that order rules need, read from the market's own rows."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from exchange.simulator.feed import Feed


@dataclass(frozen=True, slots=True)
class Instrument:
    """`collateral` instruments have the narrower 5 % price band (dossier 5.11.6)."""

    symbol: str
    inst_type: str
    base: str
    quote: str
    price_tick: Decimal
    lot: Decimal
    tradable: bool
    collateral: bool

    @property
    def is_spot(self) -> bool:
        return self.inst_type == "CCY_PAIR"

    @property
    def band(self) -> Decimal:
        return Decimal("0.05") if self.collateral else Decimal("0.15")


def from_row(row: dict[str, Any]) -> Instrument:
    return Instrument(
        symbol=row["symbol"],
        inst_type=row["inst_type"],
        base=row["base_ccy"],
        quote=row["quote_ccy"],
        price_tick=Decimal(row["price_tick_size"]),
        lot=Decimal(row["qty_tick_size"]),
        tradable=row["tradable"],
        collateral=row["margin_buy_enabled"] or row["margin_sell_enabled"],
    )


def usd_price(feed: Feed, instruments: dict[str, Instrument], currency: str, ms: int) -> Decimal:
    """What one unit is worth in USD at the mark price; a dollar for USD, zero when no pair knows."""
    if currency == "USD":
        return Decimal(1)
    if f"{currency}_USD" in instruments:
        return feed.mark(f"{currency}_USD", ms)
    if f"{currency}_USDT" in instruments and currency != "USDT":
        return feed.mark(f"{currency}_USDT", ms) * usd_price(feed, instruments, "USDT", ms)
    return Decimal(1) if currency in ("USDT", "USDC") else Decimal(0)
