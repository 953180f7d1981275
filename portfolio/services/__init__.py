"""Everything that writes what the person sees."""

from portfolio.services.balances import EmptyBalance, balance_record_all
from portfolio.services.sync import sync_request, sync_run

__all__ = ["EmptyBalance", "balance_record_all", "sync_request", "sync_run"]
