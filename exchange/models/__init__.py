"""Our mirror of the exchange, and the record of how it was read."""

from exchange.models.account import AccountBinding
from exchange.models.history import HistoryGap, HistoryRange, SyncCursor
from exchange.models.instrument import Instrument
from exchange.models.order import ExchangeOrder
from exchange.models.run import Heartbeat, Lease, SyncRun
from exchange.models.switch import TradingSwitch
from exchange.models.trade import Trade

__all__ = [
    "AccountBinding",
    "ExchangeOrder",
    "Heartbeat",
    "HistoryGap",
    "HistoryRange",
    "Instrument",
    "Lease",
    "SyncCursor",
    "SyncRun",
    "Trade",
    "TradingSwitch",
]
