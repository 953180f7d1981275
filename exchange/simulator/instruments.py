"""Instruments as the order rules see them, the price feed they rely on, and exact decimal arithmetic."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, Decimal, InvalidOperation
from typing import Any, Protocol

from exchange.simulator.config import Refusal

PricePoint = tuple[int, Decimal, Decimal]
ZERO = Decimal(0)
MAX_VALUE, MIN_EXPONENT = Decimal(10) ** 15, -18


class Feed(Protocol):
    """The market as the exchange uses it; implemented by market_data.Prices. Times are milliseconds, rows wire rows."""

    @property
    def symbols(self) -> Sequence[str]: ...

    def last(self, symbol: str, ms: int) -> Decimal: ...
    def mark(self, symbol: str, ms: int) -> Decimal: ...
    def bid(self, symbol: str, ms: int) -> Decimal: ...
    def ask(self, symbol: str, ms: int) -> Decimal: ...
    def path(self, symbol: str, from_ms: int, to_ms: int, max_steps: int = 600) -> Iterator[PricePoint]: ...
    def set_price(self, symbol: str, ms: int, price: Decimal) -> None: ...
    def move(self, symbol: str, ms: int, percent: Decimal) -> None: ...
    def set_mark_gap(self, symbol: str, ratio: Decimal | None) -> None: ...
    def set_spread(self, symbol: str, ratio: Decimal | None) -> None: ...
    def change_rules(self, symbol: str, changes: Mapping[str, Any]) -> None: ...
    def instruments_rows(self) -> list[dict[str, Any]]: ...
    def ticker_row(self, symbol: str, ms: int) -> dict[str, Any]: ...
    def candle_rows(
        self,
        symbol: str,
        timeframe: str,
        *,
        count: int,
        start_ms: int | None,
        end_ms: int | None,
        now_ms: int,
    ) -> list[dict[str, Any]]: ...
    def book(self, symbol: str, ms: int, depth: int) -> dict[str, Any]: ...
    def valuation_rows(
        self,
        symbol: str,
        valuation_type: str,
        count: int,
        start_ms: int | None,
        end_ms: int | None,
        now_ms: int,
    ) -> list[dict[str, Any]]: ...
    def to_state(self) -> dict[str, Any]: ...


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


def instrument_from_row(row: dict[str, Any]) -> Instrument:
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
    """The value of one unit in USD at the mark price; zero when no pair has the currency."""
    if currency == "USD":
        return Decimal(1)
    if f"{currency}_USD" in instruments:
        return feed.mark(f"{currency}_USD", ms)
    if f"{currency}_USDT" in instruments and currency != "USDT":
        return feed.mark(f"{currency}_USDT", ms) * usd_price(feed, instruments, "USDT", ms)
    return Decimal(1) if currency in ("USDT", "USDC") else Decimal(0)


# Price ticks and quantity lots (dossier 5.11.5)


def check_on_tick(price: Decimal | None, instrument: Instrument, code: int) -> Decimal:
    """The price, or a refusal: 40004 when missing, `code` when off the tick."""
    if price is None:
        raise Refusal(40004, "Missing price")
    if not is_multiple(price, instrument.price_tick):
        raise Refusal(code)
    return price


def check_on_lot(quantity: Decimal | None, instrument: Instrument) -> Decimal:
    """The quantity, or a refusal: 40004 when missing, 213 when off the lot."""
    if quantity is None:
        raise Refusal(40004, "Missing quantity")
    if not is_multiple(quantity, instrument.lot):
        raise Refusal(213, "Invalid quantity format")
    return quantity


def round_down(price: Decimal, instrument: Instrument) -> Decimal:
    return floor_to(price, instrument.price_tick)


def round_up(price: Decimal, instrument: Instrument) -> Decimal:
    return ceil_to(price, instrument.price_tick)


def quantity_for_value(value: Decimal, price: Decimal, instrument: Instrument) -> Decimal:
    """The whole lots that a quote amount buys, rounded down."""
    return floor_to(value / price, instrument.lot)


# Decimals


def parse_decimal(text: str) -> Decimal | None:
    """A finite number within MAX_VALUE and MIN_EXPONENT, or None."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    sensible = value.is_finite() and abs(value) < MAX_VALUE and _exponent(value) >= MIN_EXPONENT
    return value if sensible else None


def decimal_text(value: Decimal) -> str:
    """Without exponent, digits as they are: Decimal("1.0780") gives "1.0780"."""
    return format(value, "f")


def trimmed_text(value: Decimal) -> str:
    """Without exponent and without trailing zeros."""
    return decimal_text(value.normalize()) if value else "0"


def normalized(value: Decimal) -> Decimal:
    """The same number with trailing zeros gone and no positive exponent."""
    value = value.normalize()
    return value.quantize(Decimal(1)) if _exponent(value) > 0 else value


def is_multiple(value: Decimal, step: Decimal) -> bool:
    return value % step == 0


def floor_to(value: Decimal, step: Decimal) -> Decimal:
    return (value / step).to_integral_value(ROUND_FLOOR) * step


def ceil_to(value: Decimal, step: Decimal) -> Decimal:
    return (value / step).to_integral_value(ROUND_CEILING) * step


def quantize_to_step(value: Decimal, step: Decimal) -> Decimal:
    """With as many decimals as the step has: 0.0375 on 0.00001 is 0.03750; a step of 10000 has none."""
    return value.quantize(Decimal(1).scaleb(min(0, _exponent(step.normalize()))))


def on_grid(value: Decimal, step: Decimal) -> Decimal:
    """With as many decimals as the step has, unless it is older than the step and needs more."""
    rounded = quantize_to_step(value, step)
    return rounded if rounded == value else value


def truncate_to_8(value: Decimal) -> Decimal:
    """Cut (not rounded) to 8 decimals, as market values are shown (dossier 5.6)."""
    return value.quantize(Decimal("0.00000001"), rounding=ROUND_DOWN)


def _exponent(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0
