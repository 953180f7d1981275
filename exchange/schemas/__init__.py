"""The wire as frozen values: decimals from text, unknown fields ignored, numbers or strings accepted.

A row without what identifies it is a ValueError; the client turns that into BadResponse or UnknownOutcome.
"""

from exchange.schemas.account import AccountBalance, AccountInfo, FeeRate, Position, PositionBalance
from exchange.schemas.market import Book, BookLevel, Candle, Instrument, PricePoint, Ticker, Valuation
from exchange.schemas.orders import (
    CLIENT_OID_LENGTH,
    METHOD_PREFIXES,
    OPEN_STATUSES,
    TERMINAL_STATUSES,
    Ack,
    NameSpace,
    NewOrder,
    Order,
    Trade,
    is_terminal,
)

__all__ = [
    "CLIENT_OID_LENGTH",
    "METHOD_PREFIXES",
    "OPEN_STATUSES",
    "TERMINAL_STATUSES",
    "AccountBalance",
    "AccountInfo",
    "Ack",
    "Book",
    "BookLevel",
    "Candle",
    "FeeRate",
    "Instrument",
    "NameSpace",
    "NewOrder",
    "Order",
    "Position",
    "PositionBalance",
    "PricePoint",
    "Ticker",
    "Trade",
    "Valuation",
    "is_terminal",
]
