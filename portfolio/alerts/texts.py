"""What alerts say: one table from reason codes to texts, rendered in the language that is active when shown.

The texts of a code get the parameters of the reason as placeholders, each formatted by `FORMATS`. A text that depends
on the exit side has two versions. Reasons that follow the first one add a line each (`LINES`); they see its parameters
as well. A code is stored with each alert: it may be added, but not renamed.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext_lazy
from django.utils.translation import gettext_lazy as _

from exchange.core.numbers import number_format, number_text
from exchange.core.reasons import Reason
from exchange.error_texts import code_text, stored_errors_text, stored_problem_text
from oco.engine.pricing import ExitSide
from oco.presentation.reasons import render_stored
from portfolio.formatting import amount_text, instrument_label, percent_text, signed, usd_text
from portfolio.models import Alert

logger = logging.getLogger("alerts")

Params = Mapping[str, Any]
Text = Promise | str
Template = Text | Mapping[ExitSide, Text]
SELL, BUY = ExitSide.SELL, ExitSide.BUY


@dataclass(frozen=True, slots=True)
class AlertText:
    title: Template
    text: Template = ""


REASON = "%(reason)s"
RESOLVED = _("Resolved: %(resolved)s")
RESOLVED_GROUP = _("Resolved: %(instrument)s")

TEXTS: dict[str, AlertText] = {
    # groups
    "CLOSED_BY_STOP": AlertText(
        {
            SELL: _("%(instrument)s: stop hit%(result)s"),
            BUY: _("%(instrument)s: bought back at the stop%(result)s"),
        }
    ),
    "CLOSED_BY_TARGET": AlertText(
        {
            SELL: _("%(instrument)s: take profit hit%(result)s"),
            BUY: _("%(instrument)s: bought back at the take profit%(result)s"),
        }
    ),
    "CLOSED_BY_EXIT": AlertText(
        {
            SELL: _("%(instrument)s: sold at market%(result)s"),
            BUY: _("%(instrument)s: bought back at market%(result)s"),
        }
    ),
    "CLOSED_BY_HAND": AlertText(
        {SELL: _("%(instrument)s: position closed"), BUY: _("%(instrument)s: buy-back closed")}, REASON
    ),
    "RELEASED": AlertText(
        {SELL: _("%(instrument)s: protection removed"), BUY: _("%(instrument)s: buy-back removed")}, REASON
    ),
    "MOVED": AlertText(_("%(instrument)s: an order was moved on the exchange"), REASON),
    "REOPENED": AlertText(_("%(instrument)s: not sold, protected again"), REASON),
    "STOP_FAILED": AlertText(_("%(instrument)s: stop could not be placed"), REASON),
    "UNKNOWN": AlertText(_("%(instrument)s: order status unknown"), REASON),
    "UNPROTECTED": AlertText(
        {
            SELL: _("%(instrument)s: %(quantity)s without a stop"),
            BUY: _("%(instrument)s: %(quantity)s without a buy-back order"),
        },
        {
            SELL: _("%(quantity)s, worth %(value)s, unprotected since %(since)s. %(reason)s"),
            BUY: _("%(quantity)s sold, worth %(value)s: no buy-back order since %(since)s. %(reason)s"),
        },
    ),
    "ABOVE_LIMIT": AlertText(
        _("%(instrument)s: price above the buy-back limit"),
        _(
            "The buy-back pays at most %(ceiling)s per coin and the price is higher: nothing is "
            "bought until it drops. Wait, remove the buy-back, or buy manually."
        ),
    ),
    "INCONSISTENT_RECORDS": AlertText(_("The protection records are inconsistent"), "%(violation)s"),
    # the installation
    "SYNC_FAILING": AlertText(
        _("Sync with the exchange failing"),
        _(
            "No complete cycle in %(count)d intervals; last one: %(last_success)s. Open orders stay on "
            "the exchange; nothing new is protected until sync works again. Error: %(error)s"
        ),
    ),
    "SYNC_INCOMPLETE": AlertText(
        _("Sync with the exchange incomplete"),
        _(
            "Some reads fail in every cycle; last complete one: %(last_success)s. New purchases are protected as long "
            "as open orders, trades and balances can be read. Error: %(error)s"
        ),
    ),
    "ROWS_NOT_BELIEVED": AlertText(
        _("The exchange sent impossible data"),
        _(
            "Not believed in the last cycle: %(count)d. The newest: %(method)s, id %(row)s: %(problem)s. "
            "It changed nothing and is kept in the admin under “Unreadable rows”. Compare that order or "
            "trade with the exchange's own app."
        ),
    ),
    "KEY_REJECTED": AlertText(
        _("The exchange rejects the API key"),
        _("This key cannot read or protect anything. Run `manage.py check_connection` for details."),
    ),
    "KEY_MAY_NOT_TRADE": AlertText(
        _("The API key may not trade"),
        _(
            "The exchange lets this key read but refuses its orders: nothing is protected, replaced or "
            "cancelled. Orders open on the exchange stay there. Allow the key to trade in the exchange's "
            "settings, or use one that may."
        ),
    ),
    "CLOCK_WRONG": AlertText(
        _("This machine's clock is out of sync"),
        _(
            "Clock difference with the exchange: %(clock_offset)s. Set this machine's clock (NTP): "
            "at 60 s the exchange rejects every request, and nothing can be protected."
        ),
    ),
    "CLOCK_REFUSED": AlertText(
        _("The exchange refuses this machine's clock"),
        _(
            "Clock difference by the Date header of its answers: %(clock_offset)s, but it refuses the time that is "
            "sent with each call, and nothing can be protected. Compare this machine's clock with NTP; if it is "
            "right, the exchange's own clocks disagree, or a proxy writes the header."
        ),
    ),
    "WORKER_SILENT": AlertText(
        _("The worker is not responding"),
        _(
            "No heartbeat since %(since)s. Nothing is read, and no stop is placed or replaced "
            "until it is back; stops open on the exchange stay there. Start the worker and check "
            "its log."
        ),
    ),
    "CHECK_FAILING": AlertText(
        _("A monitoring check is failing"),
        _(
            "This check failed, so its alerts are not being raised: %(check)s (%(error)s). "
            "See the worker log for details."
        ),
    ),
    "TRADING_OFF": AlertText(
        _("Trading was switched off"),
        _("%(name)s turned trading off: no new orders are created. Open orders stay open. Reason: %(note)s"),
    ),
    "TRADING_ON": AlertText(
        _("Trading was switched on"),
        _("%(name)s turned trading on: new orders are created again. Reason: %(note)s"),
    ),
    # the records of the account
    "UNKNOWN_INSTRUMENT": AlertText(
        _("%(instrument)s: not in the exchange's list of instruments"),
        _(
            "The account holds or trades %(instrument)s, but the exchange's list of instruments does not contain "
            "it. Nothing of it can be protected until it does: the list is read again in every cycle. Until then, "
            "place a stop on the exchange yourself."
        ),
    ),
    "MISSING_FILLS": AlertText(
        _("%(instrument)s: missing fills"),
        _(
            "The exchange reports %(executed)s filled for order %(order)s, but the fills read so "
            "far add up to %(recorded)s. The difference may have no stop: check the exchange."
        ),
    ),
    "BALANCE_DECREASED": AlertText(
        _("%(currency)s: unexplained balance decrease"),
        _(
            "Balance decreased by %(amount)s with no matching fill, first seen at %(since)s. "
            "Possible causes: a withdrawal, a transfer, or fills not read yet. If this was not "
            "you, someone else has access to your account: lock withdrawals, delete the API keys "
            "and change your exchange password now."
        ),
    ),
    "BALANCE_INCREASED": AlertText(
        _("%(currency)s: unexplained balance increase"),
        _(
            "Balance increased by %(amount)s with no matching fill, first seen at %(since)s. "
            "Possible causes: a deposit, a transfer, a reward, interest, or fills not read "
            "yet. If you do not recognise it, check the exchange."
        ),
    ),
    # incidents that are over
    "GROUP_COVERED": AlertText(RESOLVED_GROUP, REASON),
    "POSITION_COVERED": AlertText(RESOLVED_GROUP, _("It has a stop now, or the position is closed.")),
    "WITHIN_LIMIT": AlertText(RESOLVED, _("The price is no longer above its limit.")),
    "ORDERS_CLOSED": AlertText(RESOLVED, _("Its orders are no longer open; see its page for details.")),
    "RECORDS_CONSISTENT": AlertText(RESOLVED, _("The records match again.")),
    "SYNC_WORKS": AlertText(RESOLVED, _("The last cycle was complete.")),
    "ROWS_BELIEVED": AlertText(RESOLVED, _("The last cycle read nothing impossible.")),
    "KEY_ACCEPTED": AlertText(RESOLVED, _("The exchange accepts the API key.")),
    "KEY_MAY_TRADE": AlertText(RESOLVED, _("The exchange accepts its orders, or no order is waiting.")),
    "CLOCK_RIGHT": AlertText(RESOLVED, _("Clock difference with the exchange: %(clock_offset)s.")),
    "WORKER_RUNS": AlertText(RESOLVED, _("The worker is running again.")),
    "CHECK_WORKS": AlertText(RESOLVED, _("The check is working again.")),
    "INSTRUMENT_KNOWN": AlertText(
        RESOLVED, _("It is in the exchange's list of instruments now, or no longer in the account.")
    ),
    "FILLS_RECORDED": AlertText(RESOLVED, _("The missing fills are now recorded.")),
    "BALANCE_REVERTED": AlertText(
        RESOLVED,
        _("A change of %(amount)s in the opposite direction was recorded: the balance adds up again."),
    ),
    # the daily report
    "DAILY_PROTECTED": AlertText(_("Everything is protected")),
    "DAILY_UNPROTECTED": AlertText(
        ngettext_lazy("%(count)d unprotected position", "%(count)d unprotected positions", "count")
    ),
    "DAILY_OUTDATED": AlertText(_("The data is old.")),
}

LINES: dict[str, Template] = {
    # how a group was closed
    "REASON": REASON,
    "FILL": {
        SELL: _("%(quantity)s %(coin)s sold at an average price of %(price)s."),
        BUY: _("%(quantity)s %(coin)s bought back at an average price of %(price)s."),
    },
    "FILL_WITHOUT_PRICE": {
        SELL: _("%(quantity)s %(coin)s sold; price not available yet."),
        BUY: _("%(quantity)s %(coin)s bought back; price not available yet."),
    },
    "RESULT": {
        SELL: _("P&L %(usd)s (%(percent)s) from the entry at %(entry)s, before fees."),
        BUY: _("P&L %(usd)s (%(percent)s) vs. the sale at %(entry)s, before fees."),
    },
    "RESULT_UNKNOWN": {
        SELL: _("P&L not known yet. Entry price: %(entry)s."),
        BUY: _("P&L not known yet. Sale price: %(entry)s."),
    },
    "NO_ENTRY_PRICE": _("P&L not available: protection was requested manually, so there is no entry price."),
    "STOP_CROSSED": {
        SELL: _("The price was past its stop at %(stop)s, so Exchange Desk sold it at market."),
        BUY: _("The price was past its stop at %(stop)s, so Exchange Desk bought it back at market."),
    },
    "STOP_ONLY": {
        SELL: _("It was protected by a stop at %(stop)s, without a take profit."),
        BUY: _("Its buy-back had a stop at %(stop)s, without a take profit."),
    },
    "STOP_AND_TARGET": {
        SELL: _("It was protected by a stop at %(stop)s and a take profit at %(target)s."),
        BUY: _("Its buy-back had a stop at %(stop)s and a take profit at %(target)s."),
    },
    # what an unexplained balance change closed
    "CLOSED_PROTECTION": _("The protection that closed because these coins were missing has the same cause."),
    "CLOSED_BUY_BACK": _("The buy-back that closed because these funds were missing has the same cause."),
    # the daily report
    "OUTDATED": _("These figures are outdated: the last complete sync was %(last_success)s."),
    "NO_UNPROTECTED": ngettext_lazy(
        "No unprotected positions: %(count)d group active.",
        "No unprotected positions: %(count)d groups active.",
        "count",
    ),
    "UNPROTECTED_VALUE": _("Without a stop, total value %(value)s:"),
    "UNPROTECTED_POSITION": _("• %(instrument)s: %(quantity)s, worth %(value)s, since %(since)s. %(reason)s"),
    "RELEASED_POSITIONS": _("Protection removed manually and not restored:"),
    "RELEASED_POSITION": _("• %(instrument)s: %(quantity)s, since %(since)s. %(reason)s"),
    "BUY_BACKS_ACTIVE": ngettext_lazy(
        "%(count)d buy-back is active.", "%(count)d buy-backs are active.", "count"
    ),
    "BUY_BACKS_INCOMPLETE": _("Sold, with no open orders buying all of it back:"),
    "BUY_BACK_INCOMPLETE": _("• %(instrument)s: %(quantity)s. %(reason)s"),
    "UNSENT_ALERTS": ngettext_lazy(
        "%(count)d earlier alert could not be sent; see it in Exchange Desk.",
        "%(count)d earlier alerts could not be sent; see them in Exchange Desk.",
        "count",
    ),
}

CHECK_LABELS: dict[str, Promise] = {
    "desk": _("sync, key and clock"),
    "groups": _("positions"),
    "prices": _("buy-back prices"),
    "books": _("recorded fills"),
    "daily": _("daily report"),
}


def alert_title(alert: Alert) -> str:
    return _rendered(alert)[0]


def alert_text(alert: Alert) -> str:
    return _rendered(alert)[1]


def _rendered(alert: Alert) -> tuple[str, str]:
    """An alert of an earlier version, or of a later one whose code is not known here, is shown as it was stored."""
    if alert.reason_code not in TEXTS:
        return alert.title or str(alert), alert.text
    reason = Reason.from_stored(alert.reason_code, alert.reason_params, alert.exchange_code)
    try:
        return render_title(reason), render_text(reason)
    except (KeyError, TypeError, ValueError, ArithmeticError, AttributeError):
        # one damaged row must not keep the others from being sent
        logger.exception("Alerts: alert %d cannot be rendered", alert.pk)
        return str(alert), ""


def render_title(reason: Reason) -> str:
    return _fill(TEXTS[reason.code].title, reason.params)


def render_text(reason: Reason) -> str:
    """The text of its code, a line for each reason that follows, and what the exchange answered."""
    lines = [
        _fill(TEXTS[reason.code].text, reason.params),
        *(_fill(LINES[line.code], {**reason.params, **line.params}) for line in reason.following),
        # a reason inside this one brings the answer itself
        "" if "reason" in reason.params else code_text(reason.exchange_code),
    ]
    return "\n".join(line for line in lines if line)


def reason_param(why: Reason | None) -> dict[str, Any]:
    """The reason of a group, an event or a position as a parameter of an alert's reason."""
    return (why or Reason("")).stored


def _fill(template: Template, params: Params) -> str:
    if isinstance(template, Mapping):
        template = template[ExitSide(params.get("side", SELL))]
    if not template:
        return ""
    return str(template % _Formatted(params))


class _Formatted(dict[str, Any]):
    """The parameters as texts, each formatted when a template asks for it."""

    def __init__(self, params: Params) -> None:
        super().__init__(params)
        self.params = params

    def __getitem__(self, name: str) -> Any:
        format_value = FORMATS.get(name)
        return self.params[name] if format_value is None else format_value(self.params, name)


def _instrument(params: Params, name: str) -> str:
    return instrument_label(params[name])


def _quantity(params: Params, name: str) -> str:
    return amount_text(Decimal(params[name]), params.get("quantity_decimals"))


def _price(params: Params, name: str) -> str:
    """In the quote currency, as `56,900.00 USD`."""
    quote = params["instrument"].partition("_")[2]
    return f"{amount_text(Decimal(params[name]), params.get('price_decimals'))} {quote}"


def _value(params: Params, name: str) -> str:
    value = params[name]
    return gettext("an unknown amount") if value is None else usd_text(Decimal(value))


def _gain(params: Params, name: str) -> str:
    value = Decimal(params[name])
    return signed(usd_text(value), value)


def _percent(params: Params, name: str) -> str:
    value = Decimal(params[name])
    return signed(percent_text(value), value)


def _result(params: Params, _name: str) -> str:
    """The result in a title, where it is known: `, −$1.20`."""
    return "" if params.get("usd") is None else f", {_gain(params, 'usd')}"


def _amount(params: Params, name: str) -> str:
    """As `0.5 BTC (about $31,250.00)`."""
    quantity = number_text(Decimal(f"{Decimal(params[name]).normalize():f}"))
    amount = f"{quantity} {params['currency']}"
    if params["value"] is None:
        return amount
    return gettext("%(amount)s (about %(value)s)") % {"amount": amount, "value": _value(params, "value")}


def _time(params: Params, name: str) -> str:
    return gettext("unknown date") if params[name] is None else _local_time(params[name])


def _time_or_never(params: Params, name: str) -> str:
    return gettext("never") if params[name] is None else _local_time(params[name])


def _local_time(text: str) -> str:
    return f"{timezone.localtime(datetime.fromisoformat(text)):%Y-%m-%d %H:%M:%S %Z}"


def _clock_offset(params: Params, name: str) -> str:
    """In seconds, from milliseconds."""
    return f"{params[name] / 1000:+.1f} s".replace(".", number_format().decimal)


def _check(params: Params, name: str) -> str:
    return str(CHECK_LABELS.get(params[name], params[name]))


def _reason(params: Params, name: str) -> str:
    return render_stored(params[name])


def _resolved(params: Params, name: str) -> str:
    """The title of the alert that this one closes."""
    closed = params[name]
    if "code" not in closed:
        return str(closed["text"])
    return render_title(Reason.from_stored(closed["code"], closed["params"]))


FORMATS: dict[str, Callable[[Params, str], str]] = {
    "instrument": _instrument,
    **dict.fromkeys(("quantity", "executed", "recorded"), _quantity),
    **dict.fromkeys(("price", "entry", "stop", "target", "ceiling"), _price),
    "value": _value,
    "usd": _gain,
    "percent": _percent,
    "result": _result,
    "amount": _amount,
    "since": _time,
    "last_success": _time_or_never,
    "clock_offset": _clock_offset,
    "check": _check,
    **dict.fromkeys(("reason", "violation"), _reason),
    "error": stored_errors_text,
    "problem": stored_problem_text,
    "resolved": _resolved,
}
