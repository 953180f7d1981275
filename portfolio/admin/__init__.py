"""What is held, what must be told and what is watched, in the admin; and the forms that need to know what is held."""

from portfolio.admin.accounting import (
    CoinDriftAdmin,
    CostCursorAdmin,
    CostEntryAdmin,
    PositionCostAdmin,
    SnapshotAdmin,
)
from portfolio.admin.alerts import AlertAdmin, AlertMessageAdmin
from portfolio.admin.balance import BalanceAdmin
from portfolio.admin.perpetuals import PerpetualAdmin
from portfolio.admin.policy import HeldPolicyAdmin
from portfolio.admin.signals import SignalAdmin
from portfolio.admin.tokens import ApiTokenAdmin
from portfolio.admin.watchlist import WatchlistItemAdmin

__all__ = [
    "AlertAdmin",
    "AlertMessageAdmin",
    "ApiTokenAdmin",
    "BalanceAdmin",
    "CoinDriftAdmin",
    "CostCursorAdmin",
    "CostEntryAdmin",
    "HeldPolicyAdmin",
    "PerpetualAdmin",
    "PositionCostAdmin",
    "SignalAdmin",
    "SnapshotAdmin",
    "WatchlistItemAdmin",
]
