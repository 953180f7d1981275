"""Alerts as text, rendered in the language that is active when they are shown, from the table of `text_table`."""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext

from exchange.core.numbers import number_format, number_text
from exchange.core.reasons import Reason
from exchange.error_texts import code_text, stored_errors_text, stored_problem_text
from oco.engine.pricing import ExitSide
from oco.presentation.reasons import render_stored
from portfolio.alerts.text_table import CHECK_LABELS, LINES, SELL, TEXTS, Template
from portfolio.formatting import amount_text, instrument_label, percent_text, signed, usd_text
from portfolio.models import Alert

logger = logging.getLogger("alerts")

Params = Mapping[str, Any]


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
