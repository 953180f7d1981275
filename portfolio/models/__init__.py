"""Balances, costs, signals, watchlist, alerts and API tokens."""

from portfolio.models.accounting import (
    Balance,
    BalanceChange,
    CoinDrift,
    CostCursor,
    CostEntry,
    Perpetual,
    PortfolioSnapshot,
    PositionCost,
)
from portfolio.models.alerts import Alert, AlertDismissal, AlertMessage
from portfolio.models.market import Signal, WatchlistItem
from portfolio.models.tokens import ApiToken

__all__ = [
    "Alert",
    "AlertDismissal",
    "AlertMessage",
    "ApiToken",
    "Balance",
    "BalanceChange",
    "CoinDrift",
    "CostCursor",
    "CostEntry",
    "Perpetual",
    "PortfolioSnapshot",
    "PositionCost",
    "Signal",
    "WatchlistItem",
]
