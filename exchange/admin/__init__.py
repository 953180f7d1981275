"""The admin is for the worried: it reads everything and changes nothing of the record."""

from exchange.admin.market import InstrumentAdmin
from exchange.admin.orders import ExchangeOrderAdmin, TradeAdmin
from exchange.admin.record import (
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
    "ExchangeOrderAdmin",
    "HeartbeatAdmin",
    "HistoryGapAdmin",
    "HistoryRangeAdmin",
    "InstrumentAdmin",
    "LeaseAdmin",
    "SyncCursorAdmin",
    "SyncRunAdmin",
    "TradeAdmin",
]
