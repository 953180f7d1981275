"""What everybody may see: instruments, tickers, candles, books, valuations (dossier 5.1 to 5.5)."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Self

from exchange.schemas import parsing
from exchange.schemas.parsing import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """One pair or contract. The tick sizes are the grids; decimals are for display only (dossier 5.1)."""

    symbol: str
    inst_type: str
    base_ccy: str
    quote_ccy: str
    display_name: str
    quote_decimals: int
    quantity_decimals: int
    price_tick_size: Decimal
    qty_tick_size: Decimal
    max_leverage: Decimal | None
    tradable: bool
    expiry_timestamp_ms: int
    margin_buy_enabled: bool
    margin_sell_enabled: bool
    beta_product: bool
    underlying_symbol: str
    contract_size: Decimal | None
    product_type: str

    @classmethod
    def from_row(cls, row: Row) -> Self:
        return cls(
            symbol=parsing.required_text(row, "symbol"),
            inst_type=parsing.text(row, "inst_type"),
            base_ccy=parsing.text(row, "base_ccy"),
            quote_ccy=parsing.text(row, "quote_ccy"),
            display_name=parsing.text(row, "display_name"),
            quote_decimals=parsing.integer(row, "quote_decimals") or 0,
            quantity_decimals=parsing.integer(row, "quantity_decimals") or 0,
            price_tick_size=_tick(row, "price_tick_size"),
            qty_tick_size=_tick(row, "qty_tick_size"),
            max_leverage=parsing.number(row, "max_leverage"),
            tradable=parsing.boolean(row, "tradable") is True,
            expiry_timestamp_ms=parsing.integer(row, "expiry_timestamp_ms") or 0,
            margin_buy_enabled=parsing.boolean(row, "margin_buy_enabled") is True,
            margin_sell_enabled=parsing.boolean(row, "margin_sell_enabled") is True,
            beta_product=parsing.boolean(row, "beta_product") is True,
            underlying_symbol=parsing.text(row, "underlying_symbol"),
            contract_size=parsing.number(row, "contract_size"),
            product_type=parsing.text(row, "product_type"),
        )


def _tick(row: Row, name: str) -> Decimal:
    tick = parsing.required_number(row, name)
    if tick <= 0:
        raise ValueError(f"field {name} is not positive")
    return tick


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticker:
    """24 hours of one instrument; `change_24h` is a ratio, None means nothing to report (dossier 5.2)."""

    instrument_name: str
    last: Decimal | None
    bid: Decimal | None
    ask: Decimal | None
    high: Decimal | None
    low: Decimal | None
    change_24h: Decimal | None
    volume: Decimal | None
    volume_usd: Decimal | None
    open_interest: Decimal | None
    time_ms: int

    @classmethod
    def from_row(cls, row: Row) -> Self:
        return cls(
            instrument_name=parsing.required_text(row, "i"),
            last=parsing.number(row, "a"),
            bid=parsing.number(row, "b"),
            ask=parsing.number(row, "k"),
            high=parsing.number(row, "h"),
            low=parsing.number(row, "l"),
            change_24h=parsing.number(row, "c"),
            volume=parsing.number(row, "v"),
            volume_usd=parsing.number(row, "vv"),
            open_interest=parsing.number(row, "oi"),
            time_ms=parsing.required_integer(row, "t"),
        )

    @property
    def price(self) -> Decimal | None:
        """The last trade, else the middle of bid and ask; None when there is neither."""
        if self.last is not None or self.bid is None or self.ask is None:
            return self.last
        return (self.bid + self.ask) / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Candle:
    """One bar; `time_ms` is its start, the newest bar is unfinished (dossier 5.3)."""

    time_ms: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal

    @classmethod
    def from_row(cls, row: Row) -> Self:
        return cls(
            time_ms=parsing.required_integer(row, "t"),
            open=parsing.required_number(row, "o"),
            high=parsing.required_number(row, "h"),
            low=parsing.required_number(row, "l"),
            close=parsing.required_number(row, "c"),
            volume=parsing.required_number(row, "v"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BookLevel:
    """One price level; `orders` is how many orders rest there, 0 when unknown."""

    price: Decimal
    quantity: Decimal
    orders: int

    @classmethod
    def from_row(cls, row: object) -> Self:
        """From the wire's list `[price, quantity, order count]` (dossier 5.4)."""
        if not isinstance(row, Sequence) or isinstance(row, str) or len(row) < 2:
            raise ValueError("a book level is not a list of price and quantity")
        return cls(
            price=parsing.exact_decimal("price", row[0]),
            quantity=parsing.exact_decimal("quantity", row[1]),
            orders=int(parsing.exact_decimal("orders", row[2])) if len(row) > 2 else 0,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """Both sides of the order book, best price first (dossier 5.4)."""

    instrument_name: str
    bids: tuple[BookLevel, ...]
    asks: tuple[BookLevel, ...]
    time_ms: int | None

    @classmethod
    def from_row(cls, row: Row) -> Self:
        """From the whole `result`, whose first data row holds the two sides."""
        sides = next(iter(parsing.rows(row, "data")), None)
        if sides is None:
            raise ValueError("field data is missing")
        return cls(
            instrument_name=parsing.required_text(row, "instrument_name"),
            bids=_levels(sides, "bids"),
            asks=_levels(sides, "asks"),
            time_ms=parsing.integer(sides, "t"),
        )


def _levels(sides: Row, name: str) -> tuple[BookLevel, ...]:
    levels = sides.get(name)
    if not isinstance(levels, list):
        raise ValueError(f"field {name} is not a list")
    return tuple(BookLevel.from_row(level) for level in levels)


@dataclass(frozen=True, slots=True, kw_only=True)
class Valuation:
    """One point of a mark, index or funding series (dossier 5.5)."""

    value: Decimal
    time_ms: int

    @classmethod
    def from_row(cls, row: Row) -> Self:
        return cls(value=parsing.required_number(row, "v"), time_ms=parsing.required_integer(row, "t"))
