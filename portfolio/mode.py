"""The trading mode in words: is this real money, and may orders be created?"""

from dataclasses import dataclass

from django.conf import settings

from exchange.services.send import why_no_create

WORDS = {
    "DRY_RUN": "Nothing here is real. Account, orders and prices come from the built-in simulator",
    "LIVE": "Real money. Orders sent here go to your Crypto.com Exchange account",
    "SANDBOX": "The exchange's test environment. Orders are real there and worth nothing",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """`name` is DRY_RUN, LIVE, SANDBOX or READ_ONLY; `words` and `account` are for the strip on every page."""

    name: str
    words: str
    account: str

    @property
    def label(self) -> str:
        return self.name.replace("_", " ")

    @property
    def look(self) -> str:
        return self.name.lower().replace("_", "-")

    @property
    def icon(self) -> str:
        return f"desk/{self.look}.svg"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trading:
    """Whether new orders may be created, and if not, why not."""

    enabled: bool
    auto_protect: bool
    reason: str | None


def trading_now() -> Trading:
    """What the settings and the kill switch allow: one query. A switch that cannot be read counts as on."""
    reason = why_no_create()
    return Trading(enabled=not reason, auto_protect=settings.AUTO_PROTECT, reason=reason or None)


def mode_now(trading: Trading | None = None) -> Mode:
    """READ_ONLY is a real account on which no order may be created; a dry run stays a dry run."""
    environment, trading = settings.ENVIRONMENT, trading or trading_now()
    if trading.enabled or environment == "DRY_RUN":
        words = WORDS[environment] if trading.enabled else f"{WORDS[environment]}. {trading.reason}"
        return Mode(name=environment, words=words, account=_account())
    words = f"{trading.reason} No order is created; cancelling stays possible"
    return Mode(name="READ_ONLY", words=words, account=_account())


def _account() -> str:
    """Whose account the page is about, with no more of the key than its last four characters."""
    if settings.ENVIRONMENT == "DRY_RUN":
        return "Simulated account"
    place = "Test account" if settings.ENVIRONMENT == "SANDBOX" else "Crypto.com Exchange account"
    return f"{place}, key …{settings.CRYPTO_COM_API_KEY[-4:]}"
