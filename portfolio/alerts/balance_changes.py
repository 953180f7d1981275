"""Coins that came or went without a trade: not an error by itself, but how a stolen key or account would show."""

from datetime import datetime, timedelta
from decimal import Decimal

from django.utils import timezone
from django.utils.translation import gettext as _

from exchange.core.times import NS_PER_MS, from_ms
from exchange.fields import plain
from oco.engine.states import State
from oco.models import Lot, OcoEvent
from portfolio.accounting.balance_drift import News
from portfolio.alerts.conditions import Trouble, trouble_begin, trouble_end
from portfolio.models import Alert

BESIDE = timedelta(minutes=5)


def drift_tell(*, currency: str, news: News, price_usd: Decimal | None, now: datetime) -> None:
    """Once for each change, told by the coin and the moment at which it was first read."""
    condition = f"drift {currency} {news.since_ns}"
    if news.is_back:
        text = _("%(amount)s came or went the other way: nothing is missing or too much any more.")
        amount = _amount(currency, news, price_usd)
        trouble_end(condition=condition, text=text % {"amount": amount}, now=now)
        return
    trouble = Trouble(
        condition=condition,
        kind=Alert.Kind.DRIFT,
        title=_title(currency, news),
        text=_text(currency, news, price_usd),
    )
    trouble_begin(trouble=trouble, now=now)


def _title(currency: str, news: News) -> str:
    words = _("%(name)s: left without a trade") if news.change < 0 else _("%(name)s: came without a trade")
    return words % {"name": currency}


def _text(currency: str, news: News, price_usd: Decimal | None) -> str:
    values = {"amount": _amount(currency, news, price_usd), "since": _since(news)}
    if news.change > 0:
        words = _(
            "%(amount)s came into the account without a trade that we know, first seen at %(since)s: a deposit, a "
            "transfer, a reward, interest, or executions that we have not seen. If you do not know of it, look "
            "at the exchange."
        )
        return words % values
    words = _(
        "%(amount)s left the account without a trade that we know, first seen at %(since)s: a withdrawal, a "
        "transfer, or executions that we have not seen. If this was not you, somebody else is in your account: "
        "lock withdrawals, delete the keys and change the password at the exchange now."
    )
    return " ".join([words % values, *_ends_told(currency, news)])


def _ends_told(currency: str, news: News) -> list[str]:
    """The same departure may have ended a protection or a buy-back, which is an alert of its own."""
    closed = OcoEvent.objects.filter(new=State.CLOSED_BY_HAND, at__gt=_moment(news.since_ns) - BESIDE)
    found = []
    if closed.filter(group__lot__side=Lot.Side.BUY, group__lot__base_ccy=currency).exists():
        found.append(_("The protection that ended for lack of these coins is the same departure."))
    if closed.filter(group__lot__side=Lot.Side.SELL, group__lot__quote_ccy=currency).exists():
        found.append(_("The buy-back that ended for lack of this money is the same departure."))
    return found


def _amount(currency: str, news: News, price_usd: Decimal | None) -> str:
    """As `0.5 BTC (about $31,250.00)`."""
    held = f"{plain(abs(news.change).normalize())} {currency}"
    if price_usd is None:
        return held
    return _("%(amount)s (about %(value)s)") % {
        "amount": held,
        "value": f"${abs(news.change) * price_usd:,.2f}",
    }


def _since(news: News) -> str:
    return f"{timezone.localtime(_moment(news.since_ns)):%Y-%m-%d %H:%M:%S %Z}"


def _moment(at_ns: int) -> datetime:
    return from_ms(at_ns // NS_PER_MS)
