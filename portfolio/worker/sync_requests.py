"""How the web asks the worker for a cycle: it never sends anything to the exchange itself."""

from django_q.tasks import async_task

from exchange.core.observability import correlation_id
from exchange.services.permissions import Right, require


def sync_request(*, requested_by: str) -> str:
    """Queue a cycle for now; returns the id of the task. The web process never sends anything itself.

    Raises PermissionDenied.
    """
    require(Right.TRADE)
    return str(async_task("portfolio.tasks.sync_now", requested_by, correlation_id(), group="sync"))
