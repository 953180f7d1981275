"""Everything that writes the mirror of the exchange."""

from exchange.services.account import WrongAccount, account_bind, account_check, account_is_due
from exchange.services.audit import audit_record
from exchange.services.candles import candle_record_all, candles_thin
from exchange.services.heartbeat import heartbeat_record
from exchange.services.history import cursor_advance, gap_record_all, range_open, range_progress
from exchange.services.instruments import instrument_record_all
from exchange.services.lease import Held, LeaseLost, lease_holder, lease_is_silent, lease_take
from exchange.services.orders import order_missing_all, order_record_all
from exchange.services.quotes import quote_record_all
from exchange.services.record import (
    Counts,
    Draft,
    catalogue_record,
    one_picture,
    snapshot_draft,
    snapshot_record,
)
from exchange.services.runs import run_finish, run_start
from exchange.services.trades import trade_record_all

__all__ = [
    "Counts",
    "Draft",
    "Held",
    "LeaseLost",
    "WrongAccount",
    "account_bind",
    "account_check",
    "account_is_due",
    "audit_record",
    "candle_record_all",
    "candles_thin",
    "catalogue_record",
    "cursor_advance",
    "gap_record_all",
    "heartbeat_record",
    "instrument_record_all",
    "lease_holder",
    "lease_is_silent",
    "lease_take",
    "one_picture",
    "order_missing_all",
    "order_record_all",
    "quote_record_all",
    "range_open",
    "range_progress",
    "run_finish",
    "run_start",
    "snapshot_draft",
    "snapshot_record",
    "trade_record_all",
]
