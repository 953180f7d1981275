"""What the person sees and is told."""

from portfolio.models.alert import Alert
from portfolio.models.balance import Balance

__all__ = ["Alert", "Balance"]
