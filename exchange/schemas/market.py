"""Public data: instruments, tickers, candles, books, valuations (dossier 5.1 to 5.5)."""

from decimal import Decimal
from typing import Self

from msgspec import field

from exchange.core.instrument_names import base_of, quote_of
from exchange.core.reasons import Problem
from exchange.schemas import parsing
from exchange.schemas.parsing import PlainStruct, Row, WireStruct

SPOT = "CCY_PAIR"
FLAGS = ("tradable", "margin_buy_enabled", "margin_sell_enabled", "beta_product")


class Instrument(WireStruct, frozen=True, kw_only=True):
    """One pair or contract. The tick sizes are the grids; decimals are for display only (dossier 5.1)."""

    PRICES = ("price_tick_size", "qty_tick_size")

    symbol: str
    price_tick_size: Decimal
    qty_tick_size: Decimal
    inst_type: str = ""
    base_ccy: str = ""
    quote_ccy: str = ""
    display_name: str = ""
    quote_decimals: int = 0
    quantity_decimals: int = 0
    max_leverage: Decimal | None = None
    tradable: bool = False
    expiry_timestamp_ms: int = 0
    margin_buy_enabled: bool = False
    margin_sell_enabled: bool = False
    beta_product: bool = False
    underlying_symbol: str = ""
    contract_size: Decimal | None = None
    product_type: str = ""

    def __post_init__(self) -> None:
        """A spot pair is named after its two currencies, a derivative is not (dossier 5.1)."""
        super().__post_init__()
        if not self.inst_type:
            raise self.impossible("inst_type", Problem.EMPTY)
        if self.inst_type == SPOT and self.base_ccy != base_of(self.symbol):
            raise self.impossible("base_ccy", Problem.NOT_ITS_NAME)
        if self.inst_type == SPOT and self.quote_ccy != quote_of(self.symbol):
            raise self.impossible("quote_ccy", Problem.NOT_ITS_NAME)

    @classmethod
    def from_row(cls, row: Row) -> Self:
        return cls.parse(row, **{name: parsing.boolean(row, name) for name in FLAGS})


class Ticker(PlainStruct, frozen=True, kw_only=True):
    """24 hours of one instrument; `change_24h` is a ratio, None means nothing to report (dossier 5.2).

    A price of 0 is no price: nothing was traded, or nobody is on that side of the book.
    """

    PRICES = ("last", "bid", "ask", "high", "low")
    AMOUNTS = ("volume", "volume_usd", "open_interest")
    ZERO_IS_ABSENT = PRICES

    instrument_name: str = field(name="i")
    time_ms: int = field(name="t")
    last: Decimal | None = field(name="a", default=None)
    bid: Decimal | None = field(name="b", default=None)
    ask: Decimal | None = field(name="k", default=None)
    high: Decimal | None = field(name="h", default=None)
    low: Decimal | None = field(name="l", default=None)
    change_24h: Decimal | None = field(name="c", default=None)
    volume: Decimal | None = field(name="v", default=None)
    volume_usd: Decimal | None = field(name="vv", default=None)
    open_interest: Decimal | None = field(name="oi", default=None)

    @property
    def price(self) -> Decimal | None:
        """The last trade, else the middle of bid and ask; None when there is neither."""
        if self.last is not None or self.bid is None or self.ask is None:
            return self.last
        return (self.bid + self.ask) / 2


class Candle(PlainStruct, frozen=True, kw_only=True):
    """One bar; `time_ms` is its start, the newest bar is unfinished (dossier 5.3)."""

    PRICES = ("open", "high", "low", "close")
    AMOUNTS = ("volume",)

    time_ms: int = field(name="t")
    open: Decimal = field(name="o")
    high: Decimal = field(name="h")
    low: Decimal = field(name="l")
    close: Decimal = field(name="c")
    volume: Decimal = field(name="v")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.high < self.low:
            raise self.impossible("high", Problem.HIGH_BELOW_LOW)


class BookLevel(WireStruct, frozen=True, kw_only=True, array_like=True):
    """One price level, a list on the wire (dossier 5.4); `orders` rest there, 0 when unknown."""

    PRICES = ("price",)
    AMOUNTS = ("quantity",)

    price: Decimal
    quantity: Decimal
    orders: int = 0


class Book(WireStruct, frozen=True, kw_only=True):
    """Both sides of the order book, best price first (dossier 5.4)."""

    instrument_name: str
    bids: tuple[BookLevel, ...]
    asks: tuple[BookLevel, ...]
    time_ms: int | None = field(name="t", default=None)

    @classmethod
    def from_row(cls, row: Row) -> Self:
        """From the whole `result`, whose first data row holds the two sides."""
        sides = next(iter(parsing.rows(row, "data")), None)
        if sides is None:
            raise parsing.bad_field(Problem.MISSING, "data")
        return cls.parse(sides, instrument_name=row.get("instrument_name"))


class Valuation(PlainStruct, frozen=True, kw_only=True):
    """One point of a mark, index or funding series (dossier 5.5); only a funding rate may be negative."""

    value: Decimal = field(name="v")
    time_ms: int = field(name="t")


class PricePoint(Valuation, frozen=True, kw_only=True):
    """One point of a mark or index series."""

    PRICES = ("value",)
