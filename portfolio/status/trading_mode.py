"""The trading mode: is this real money, and can orders be created?"""

from dataclasses import dataclass

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from exchange.core.reasons import Reason
from exchange.services.order_execution import create_blocked_reason
from oco.presentation.reasons import render_reason

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
