"""Admin of balances, costs, signals, watchlist, alerts, tokens and the queue, and of what needs the balances."""

from portfolio.admin.accounting import (
    BalanceChangeAdmin,
    CoinDriftAdmin,
    CostCursorAdmin,
    CostEntryAdmin,
    PositionCostAdmin,
    SnapshotAdmin,
)
from portfolio.admin.alerts import AlertAdmin, AlertDismissalAdmin, AlertMessageAdmin
from portfolio.admin.holdings import BalanceAdmin, HoldingsPolicyAdmin, PerpetualAdmin
from portfolio.admin.market import SignalAdmin, WatchlistItemAdmin
from portfolio.admin.queue import ScheduleAdmin, TaskAdmin
from portfolio.admin.users import ApiTokenAdmin, DeskGroupAdmin, DeskUserAdmin

__all__ = [
    "AlertAdmin",
    "AlertDismissalAdmin",
    "AlertMessageAdmin",
    "ApiTokenAdmin",
    "BalanceAdmin",
    "BalanceChangeAdmin",
    "CoinDriftAdmin",
    "CostCursorAdmin",
    "CostEntryAdmin",
    "DeskGroupAdmin",
    "DeskUserAdmin",
    "HoldingsPolicyAdmin",
    "PerpetualAdmin",
    "PositionCostAdmin",
    "ScheduleAdmin",
    "SignalAdmin",
    "SnapshotAdmin",
    "TaskAdmin",
    "WatchlistItemAdmin",
]
