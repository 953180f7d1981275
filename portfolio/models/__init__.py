"""What the person sees and is told."""

from portfolio.models.alerts import Alert, AlertMessage
from portfolio.models.balance import Balance
from portfolio.models.cost import CostCursor, CostEntry, PositionCost
from portfolio.models.drift import CoinDrift
from portfolio.models.perpetual import Perpetual
from portfolio.models.signal import Signal
from portfolio.models.snapshot import PortfolioSnapshot
from portfolio.models.tokens import ApiToken
from portfolio.models.watch import WatchlistItem

__all__ = [
    "Alert",
    "AlertMessage",
    "ApiToken",
    "Balance",
    "CoinDrift",
    "CostCursor",
    "CostEntry",
    "Perpetual",
    "PortfolioSnapshot",
    "PositionCost",
    "Signal",
    "WatchlistItem",
]
