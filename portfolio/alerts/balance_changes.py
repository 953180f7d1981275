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
        text = _("A change of %(amount)s in the opposite direction was recorded: the balance adds up again.")
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
        _("%(name)s: unexplained balance decrease")
        if drift_change.change < 0
        else _("%(name)s: unexplained balance increase")
    )
    return template % {"name": currency}


def _text(currency: str, drift_change: DriftChange, price_usd: Decimal | None) -> str:
    values = {"amount": _amount(currency, drift_change, price_usd), "since": _since(drift_change)}
    if drift_change.change > 0:
        template = _(
            "Balance increased by %(amount)s with no matching fill, first seen at %(since)s. "
            "Possible causes: a deposit, a transfer, a reward, interest, or fills not read "
            "yet. If you do not recognise it, check the exchange."
        )
        return template % values
    template = _(
        "Balance decreased by %(amount)s with no matching fill, first seen at %(since)s. "
        "Possible causes: a withdrawal, a transfer, or fills not read yet. If this was not "
        "you, someone else has access to your account: lock withdrawals, delete the API keys "
        "and change your exchange password now."
    )
    return " ".join([template % values, *_related_closures(currency, drift_change)])


def _related_closures(currency: str, drift_change: DriftChange) -> list[str]:
    """The same departure may have ended a protection or a buy-back, which is an alert of its own."""
    closed = OcoEvent.objects.filter(
        new=State.CLOSED_BY_HAND, at__gt=_moment(drift_change.since_ns) - MATCH_WINDOW
    )
    found = []
    if closed.filter(group__lot__side=Lot.Side.BUY, group__lot__base_ccy=currency).exists():
        found.append(_("The protection that closed because these coins were missing has the same cause."))
    if closed.filter(group__lot__side=Lot.Side.SELL, group__lot__quote_ccy=currency).exists():
        found.append(_("The buy-back that closed because these funds were missing has the same cause."))
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
