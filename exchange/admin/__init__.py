"""The admin shows every record and changes none."""

from exchange.admin.market import AuditEntryAdmin, CandleAdmin, InstrumentAdmin, QuoteAdmin
from exchange.admin.orders import ExchangeOrderAdmin, TradeAdmin
from exchange.admin.sync import (
    AccountBindingAdmin,
    HeartbeatAdmin,
    HistoryGapAdmin,
    HistoryRangeAdmin,
    LeaseAdmin,
    SyncCursorAdmin,
    SyncRunAdmin,
)

__all__ = [
    "AccountBindingAdmin",
    "AuditEntryAdmin",
    "CandleAdmin",
    "ExchangeOrderAdmin",
    "HeartbeatAdmin",
    "HistoryGapAdmin",
    "HistoryRangeAdmin",
    "InstrumentAdmin",
    "LeaseAdmin",
    "QuoteAdmin",
    "SyncCursorAdmin",
    "SyncRunAdmin",
    "TradeAdmin",
]
