"""Local copy of the exchange's data, and the record of how it was read."""

from exchange.models.audit import AuditEntry, TradingSwitch
from exchange.models.market import Candle, Instrument, Quote
from exchange.models.orders import ExchangeOrder, Trade
from exchange.models.sync import (
    AccountBinding,
    Heartbeat,
    HistoryGap,
    HistoryRange,
    Lease,
    StreamRecord,
    SyncCursor,
    SyncRun,
    UnreadableRow,
)

__all__ = [
    "AccountBinding",
    "AuditEntry",
    "Candle",
    "ExchangeOrder",
    "Heartbeat",
    "HistoryGap",
    "HistoryRange",
    "Instrument",
    "Lease",
    "Quote",
    "StreamRecord",
    "SyncCursor",
    "SyncRun",
    "Trade",
    "TradingSwitch",
    "UnreadableRow",
]
