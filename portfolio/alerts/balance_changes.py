"""Coins that came or went without a trade: not an error by itself, but how a stolen key or account would show."""

from datetime import datetime, timedelta
from decimal import Decimal

from django.utils import timezone
from django.utils.translation import gettext as _

from exchange.core.times import NS_PER_MS, from_ms
from exchange.fields import format_decimal
from oco.engine.states import State
from oco.models import Lot, OcoEvent
from portfolio.accounting.balance_drift import DriftChange
from portfolio.alerts.conditions import Incident, incident_open, incident_resolve
from portfolio.models import Alert

MATCH_WINDOW = timedelta(minutes=5)


def report_balance_change(
    *, currency: str, drift_change: DriftChange, price_usd: Decimal | None, now: datetime
) -> None:
    """Once for each change, told by the coin and the moment at which it was first read."""
    condition = f"drift {currency} {drift_change.since_ns}"
    if drift_change.is_back:
        text = _("%(amount)s came or went the other way: nothing is missing or too much any more.")
        amount = _amount(currency, drift_change, price_usd)
        incident_resolve(condition=condition, text=text % {"amount": amount}, now=now)
        return
    incident = Incident(
        condition=condition,
        kind=Alert.Kind.DRIFT,
        title=_title(currency, drift_change),
        text=_text(currency, drift_change, price_usd),
    )
    incident_open(incident=incident, now=now)


def _title(currency: str, drift_change: DriftChange) -> str:
    template = (
        _("%(name)s: left without a trade")
        if drift_change.change < 0
        else _("%(name)s: came without a trade")
    )
    return template % {"name": currency}


def _text(currency: str, drift_change: DriftChange, price_usd: Decimal | None) -> str:
    values = {"amount": _amount(currency, drift_change, price_usd), "since": _since(drift_change)}
    if drift_change.change > 0:
        template = _(
            "%(amount)s came into the account without a trade that we know, first seen at %(since)s: a deposit, a "
            "transfer, a reward, interest, or executions that we have not seen. If you do not know of it, look "
            "at the exchange."
        )
        return template % values
    template = _(
        "%(amount)s left the account without a trade that we know, first seen at %(since)s: a withdrawal, a "
        "transfer, or executions that we have not seen. If this was not you, somebody else is in your account: "
        "lock withdrawals, delete the keys and change the password at the exchange now."
    )
    return " ".join([template % values, *_related_closures(currency, drift_change)])


def _related_closures(currency: str, drift_change: DriftChange) -> list[str]:
    """The same departure may have ended a protection or a buy-back, which is an alert of its own."""
    closed = OcoEvent.objects.filter(
        new=State.CLOSED_BY_HAND, at__gt=_moment(drift_change.since_ns) - MATCH_WINDOW
    )
    found = []
    if closed.filter(group__lot__side=Lot.Side.BUY, group__lot__base_ccy=currency).exists():
        found.append(_("The protection that ended for lack of these coins is the same departure."))
    if closed.filter(group__lot__side=Lot.Side.SELL, group__lot__quote_ccy=currency).exists():
        found.append(_("The buy-back that ended for lack of this money is the same departure."))
    return found


def _amount(currency: str, drift_change: DriftChange, price_usd: Decimal | None) -> str:
    """As `0.5 BTC (about $31,250.00)`."""
    quantity_text = f"{format_decimal(abs(drift_change.change).normalize())} {currency}"
    if price_usd is None:
        return quantity_text
    return _("%(amount)s (about %(value)s)") % {
        "amount": quantity_text,
        "value": f"${abs(drift_change.change) * price_usd:,.2f}",
    }


def _since(drift_change: DriftChange) -> str:
    return f"{timezone.localtime(_moment(drift_change.since_ns)):%Y-%m-%d %H:%M:%S %Z}"


def _moment(at_ns: int) -> datetime:
    return from_ms(at_ns // NS_PER_MS)
