"""The admin's list of models by what a person looks for, instead of by app."""

from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.urls import reverse
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
