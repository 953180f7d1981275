"""Whether an order form may be used now: not on data that is old, and not while trading is off.

The form asks here, and so does the button that sends.
"""

from datetime import datetime

from django.utils.translation import gettext as _

from oco.presentation.reasons import said
from portfolio.status.freshness import Freshness, sync_state
from portfolio.status.trading_mode import trading_now
from portfolio.templatetags.moments import age


def why_no_data(*, now: datetime) -> str:
    """In words for the person, or nothing."""
    sync = sync_state(now=now)
    if sync.status is Freshness.NEVER:
        return _(
            "Nothing has been read from the exchange yet. Orders are blocked until the first sync succeeds."
        )
    if sync.status is Freshness.OLD:
        words = _("The data is %(age)s old. Orders are blocked until a sync succeeds.")
        return words % {"age": age(sync.age_seconds)}
    return ""


def why_no_orders() -> str:
    trading = trading_now()
    if trading.enabled:
        return ""
    return _("Trading is switched off, so no order can be placed. %(reason)s") % {
        "reason": said(trading.reason or "")
    }
