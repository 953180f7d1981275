"""The admin's list of models by what a person looks for, instead of by app, and the names that models have there.

Names, help texts and choices of models are in the reader's language and in words that are used elsewhere too. Django
derives most of these texts from the names of columns and classes, and libraries bring theirs in English. Only what is
shown is replaced: migrations compare what a field was declared with. `tests.messages` extracts the texts from the
models, so none can be forgotten.
"""

from typing import Any

from django.apps import apps
from django.contrib.admin import AdminSite
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy, override
from django.utils.translation import gettext_lazy as _

SECTIONS = (
    (
        "trading",
        _("Trading and protection"),
        (
            *("exchange.ExchangeOrder", "exchange.Trade", "portfolio.Balance", "portfolio.Perpetual"),
            *("oco.OcoGroup", "oco.ProtectionPolicy", "exchange.TradingSwitch"),
            *("portfolio.Alert", "portfolio.WatchlistItem", "portfolio.Signal"),
        ),
    ),
    (
        "records",
        _("Records"),
        (
            *("exchange.AuditEntry", "oco.OcoEvent", "oco.OcoLeg", "oco.Lot"),
            *("portfolio.PositionCost", "portfolio.CostEntry", "portfolio.BalanceChange"),
            *("portfolio.PortfolioSnapshot", "exchange.Instrument", "exchange.Quote", "exchange.Candle"),
        ),
    ),
    ("access", _("Users and access"), ("auth.User", "auth.Group", "portfolio.ApiToken")),
)
INTERNAL = ("internal", _("Internal"))
"""Every other model: what the program keeps for itself."""
TRANSLATED_BY_DJANGO = "django."  # its own apps, by the start of their names
STANDARD_LABELS = {
    "at": "time",
    "at ms": "time ms",
    "at ns": "time ns",
    "open": "open price",
    "high": "high price",
    "low": "low price",
    "close": "close price",
    "inst type": "instrument type",
    "base ccy": "base currency",
    "quote ccy": "quote currency",
    "qty tick size": "quantity step",
    "price tick size": "price step",
    "exec inst": "execution instructions",
    "oco group": "protection group",
    "oco groups": "protection groups",
    "oco group id": "protection group id",
    "oco leg": "order of a protection",
    "oco legs": "orders of protections",
    "oco event": "protection event",
    "oco events": "protection event log",
    "uncovered since": "unprotected since",
    "on breach": "if the price is past the stop",
    "on hand cancel": "if an order is cancelled manually",
    "by person": "requested by a user",
    "gone": "withdrawn quantity",
    "owned": "open quantity",
    "short since": "balance shortfall since",
    "short missing": "balance shortfall",
    "told": "reported",
    "told ns": "reported ns",
    "looks": "lookups",
    "looked at": "last lookup at",
    "cancel answer": "response to the cancellation",
    "beat at": "last seen at",
    "stream record": "live stream",
    "stream records": "live stream",
    "is mirror": "is a duplicate listing",
    "is new": "is not processed yet",
    "key tail": "end of the key",
    "took": "accepted",
    "stock": "quantity after it",
    "stock cost usd": "cost of that quantity usd",
    "stock uncosted": "part of it without a cost",
    "uncosted": "quantity without a cost",
    "perpetual": "derivative position",
    "perpetuals": "derivative positions",
    "coin drift": "unexplained difference",
    "coin drifts": "unexplained differences",
    "watermark": "start of automatic protection",
    "watermarks": "start of automatic protection",
    "old": "state before",
    "new": "state after",
    "what": "action",
    "why": "reason",
    "claim": "sender",
    "grain": "kept as",
    "candle time": "candle",
}
"""Texts that Django derives from a column or a class whose name is short or older than the standard term."""

# The list of models


class DeskAdminSite(AdminSite):
    site_header = site_title = "Exchange Desk"

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """In sections for the index and the side bar; by app for the page of one app."""
        listed = super().get_app_list(request, app_label)
        if app_label:
            return listed
        rows = {row["model"]._meta.label: row for app in listed for row in app["models"]}
        sections = [
            _section(key, name, [rows.pop(label) for label in labels if label in rows])
            for key, name, labels in SECTIONS
        ]
        return [
            section for section in [*sections, _section(*INTERNAL, list(rows.values()))] if section["models"]
        ]


def _section(key: str, name: Any, models: list[Any]) -> dict[str, Any]:
    address = reverse("admin:index")
    return {
        "name": name,
        "app_label": key,
        "app_url": f"{address}#{key}",
        "has_module_perms": True,
        "models": models,
    }


# Names, help texts and choices of models


def translate_models() -> None:
    """Make every text of every model lazy, as if it had been declared with `gettext_lazy`."""
    for app in apps.get_app_configs():
        if app.name.startswith(TRANSLATED_BY_DJANGO):
            continue
        app.verbose_name = _lazy(app.verbose_name)
        for model in app.get_models():
            _translate(model)


def _translate(model: type[Model]) -> None:
    names = model._meta
    if "verbose_name_plural" not in names.original_attrs:
        with override(None):
            names.verbose_name_plural = str(names.verbose_name_plural)  # Django adds an "s" to the name
    names.verbose_name, names.verbose_name_plural = (
        _lazy(names.verbose_name),
        _lazy(names.verbose_name_plural),
    )
    for field in names.fields:
        field.verbose_name, field.help_text = _lazy(field.verbose_name), _lazy(field.help_text)
        if field.choices:
            field.choices = [
                (value, label if label == value else _lazy(label)) for value, label in field.flatchoices
            ]


def _lazy(text: Any) -> Any:
    if not isinstance(text, str) or not text:
        return text  # lazy already
    return gettext_lazy(STANDARD_LABELS.get(text, text))
