"""Our mirror of the exchange, and the record of how it was read."""

from exchange.models.account import AccountBinding
from exchange.models.audit import AuditEntry
from exchange.models.candle import Candle
from exchange.models.history import HistoryGap, HistoryRange, SyncCursor
from exchange.models.instrument import Instrument
from exchange.models.order import ExchangeOrder
from exchange.models.quote import Quote
from exchange.models.run import Heartbeat, Lease, SyncRun
from exchange.models.switch import TradingSwitch
from exchange.models.trade import Trade

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
    "SyncCursor",
    "SyncRun",
    "Trade",
    "TradingSwitch",
]
