"""Why a request would be refused now: the account, the key, the worker, the age of the data."""

from datetime import datetime

from django.utils.translation import gettext as _

from oco.presentation.reasons import render_reason
from portfolio.formatting import age
from portfolio.status.sync_status import Freshness, LastModified, SyncState, worker_is_silent
from portfolio.status.trading_mode import Trading


def trading_off_reason(trading: Trading) -> str:
    """By the settings or the kill switch; empty while orders can be created."""
    if trading.enabled:
        return ""
    return _("Trading is off, so no order can be placed. %(reason)s") % {
        "reason": render_reason(trading.reason)
    }


def key_reason(last_modified: LastModified) -> str:
    """What the exchange said about the key in the newest cycles; empty while it is accepted."""
    if last_modified.key_alert == "KEY_MAY_NOT_TRADE":
        return _(
            "The API key may not trade: the exchange refuses its orders. Allow it to trade in the exchange's settings."
        )
    if last_modified.key_alert:
        return _("The exchange rejects the API key, so no order can be placed.")
    return ""


def worker_reason(last_modified: LastModified, *, now: datetime) -> str:
    """Empty while the worker is alive, or something else syncs."""
    if not worker_is_silent(last_modified, now=now):
        return ""
    return _("The worker is not running, so nothing is read or sent. Start it, then try again.")


def stale_reason(sync: SyncState) -> str:
    """Why the data is too old to place or remove orders; empty when it is fresh."""
    if sync.status is Freshness.NEVER:
        return _("No data read from the exchange yet. Orders are blocked until the first sync succeeds.")
    if sync.status is Freshness.OLD:
        template = _("The data is %(age)s old. Orders are blocked until a sync succeeds.")
        return template % {"age": age(sync.age_seconds)}
    return ""


def orders_blocked_reason(*, trading: Trading, last_modified: LastModified, now: datetime) -> str:
    """Why no order can be placed, apart from the age of the data; empty when one can."""
    return trading_off_reason(trading) or key_reason(last_modified) or worker_reason(last_modified, now=now)
