"""The trading mode: is this real money, can orders be created, and why would a request of a user be refused now?"""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from exchange.core.reasons import OrderReason, Reason
from exchange.services.order_execution import create_blocked_reason
from oco.presentation.reasons import render_reason
from portfolio.formatting import age
from portfolio.status.sync_status import Freshness, LastModified, SyncState, worker_is_silent

MODE_SUMMARIES: dict[str, Promise] = {
    "DRY_RUN": gettext_lazy("Nothing here is real"),
    "LIVE": gettext_lazy("Real money"),
    "SANDBOX": gettext_lazy("The exchange's test environment"),
    "READ_ONLY": gettext_lazy("No orders are created"),
}
MODE_DETAILS: dict[str, Promise] = {
    "DRY_RUN": gettext_lazy("Account, orders and prices come from the built-in simulator"),
    "LIVE": gettext_lazy("Orders sent here go to your Crypto.com Exchange account"),
    "SANDBOX": gettext_lazy("Test orders, no real money"),
    "READ_ONLY": gettext_lazy("You can still cancel orders"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """`name` is DRY_RUN, LIVE, SANDBOX or READ_ONLY; the texts are for the strip on every page.

    `short` fits on a narrow screen and `detail` continues it. `is_off`: no orders are created; `by_settings`: only the
    settings can change that.
    """

    name: str
    short: str
    detail: str
    account: str
    is_off: bool
    by_settings: bool = False

    @property
    def label(self) -> str:
        return self.name.replace("_", " ")

    @property
    def css_class(self) -> str:
        return self.name.lower().replace("_", "-")

    @property
    def icon(self) -> str:
        return f"desk/{self.css_class}.svg"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trading:
    """Whether new orders can be created, and if not, why not."""

    enabled: bool
    auto_protect: bool
    reason: Reason | None

    @property
    def is_known(self) -> bool:
        """False while the kill switch cannot be read: it counts as on until then."""
        return self.reason is None or self.reason.code != OrderReason.KILL_SWITCH_UNREADABLE


def current_trading() -> Trading:
    """From the settings and the kill switch, one query. A switch that cannot be read counts as on."""
    blocked = create_blocked_reason()
    return Trading(enabled=blocked is None, auto_protect=settings.AUTO_PROTECT, reason=blocked)


def current_mode(trading: Trading | None = None) -> Mode:
    """READ_ONLY is a real account on which no orders can be created; a dry run stays a dry run."""
    trading = trading or current_trading()
    real = settings.ENVIRONMENT != "DRY_RUN"
    name = "READ_ONLY" if real and not trading.enabled else settings.ENVIRONMENT
    parts = (
        [str(MODE_DETAILS[name])]
        if trading.reason is None
        else [str(MODE_DETAILS[name]), render_reason(trading.reason).rstrip(".")]
    )
    return Mode(
        name=name,
        short=str(MODE_SUMMARIES[name]),
        detail="".join(f". {words}" for words in parts),
        account=_account(),
        is_off=not trading.enabled,
        by_settings=not settings.TRADING_ENABLED,
    )


def _account() -> str:
    # No more of the key than its last four characters.
    if settings.ENVIRONMENT == "DRY_RUN":
        return _("Simulated account")
    place = _("Test account") if settings.ENVIRONMENT == "SANDBOX" else _("Crypto.com Exchange account")
    tail = _("key …%s") % settings.CRYPTO_COM_API_KEY[-4:]
    return f"{place}, {tail}"


# Why a request would be refused now, whoever asks: the account, the key, the worker, the age of the data


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
