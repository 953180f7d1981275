"""Filters of the long lists, sent by GET so that every view has its own address."""

from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from exchange.models import ExchangeOrder
from exchange.schemas import OPEN_STATUSES, TERMINAL_STATUSES
from exchange.selectors import UNKNOWN
from portfolio.formatting import LABELS, ORDER_PILLS

Role, Origin = ExchangeOrder.Role, ExchangeOrder.Origin
ANY = ("", _("Any"))
SHOW_CHOICES = (("", _("All")), ("open", _("Open")), ("executed", _("Executed")))
SIDE_CHOICES = (ANY, ("BUY", pgettext_lazy("side", "Buy")), ("SELL", pgettext_lazy("side", "Sell")))
LAST_DAY = date(9998, 12, 30)  # a day later is still a date, in every time zone
FIRST_DAY = date(1970, 1, 2)


def _label_choices(values: Any) -> tuple[Any, ...]:
    return (ANY, *((value, LABELS[value]) for value in values))


def _status_choices() -> tuple[Any, ...]:
    # Each label once; `PENDING` has the same as `NEW`.
    known = (OPEN_STATUSES | TERMINAL_STATUSES | {UNKNOWN}) - {"PENDING"}
    return (ANY, *((value, ORDER_PILLS[value][2]) for value in sorted(known)))


class DayField(forms.DateField):
    """A day in TIME_ZONE."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
        super().__init__(required=False, input_formats=["%Y-%m-%d"], widget=widget, **kwargs)

    def validate(self, value: date | None) -> None:
        super().validate(value)
        if value is not None and not FIRST_DAY <= value <= LAST_DAY:
            raise forms.ValidationError(_("Date out of range."))


class PeriodFilterForm(forms.Form):
    """From the start of one day to the end of another."""

    instrument = forms.CharField(required=False, max_length=64, label=_("Instrument"))
    since = DayField(label=_("From"))
    until = DayField(label=_("To"))

    def clean_instrument(self) -> str:
        """`eth/usd` is ETH_USD."""
        return str(self.cleaned_data["instrument"]).strip().upper().replace("/", "_")

    @property
    def period_start(self) -> datetime | None:
        day = self.cleaned_data.get("since")
        return None if day is None else _midnight(day)

    @property
    def period_end(self) -> datetime | None:
        """Start of the following day."""
        day = self.cleaned_data.get("until")
        return None if day is None else _midnight(day + timedelta(days=1))


class OrderFilterForm(PeriodFilterForm):
    """The period is that of the last update."""

    show = forms.ChoiceField(required=False, choices=SHOW_CHOICES, label=_("Show"))
    status = forms.ChoiceField(required=False, choices=_status_choices, label=_("Status"))
    side = forms.ChoiceField(required=False, choices=SIDE_CHOICES, label=_("Side"))
    role = forms.ChoiceField(required=False, choices=_label_choices(Role.values), label=_("Role"))
    origin = forms.ChoiceField(required=False, choices=_label_choices(Origin.values), label=_("Sent by"))
    group = forms.UUIDField(required=False, label=_("Protection"), widget=forms.HiddenInput)

    field_order = ("show", "instrument", "side", "status", "role", "origin", "since", "until", "group")


class ActivityFilterForm(PeriodFilterForm):
    """Which kinds of activity."""

    FILLS, PROTECTION, SYNC = "fills", "protection", "sync"
    kind = forms.ChoiceField(
        required=False,
        label=_("Type"),
        choices=(
            ("", _("All")),
            (FILLS, _("Buys and sells")),
            (PROTECTION, _("Protection")),
            (SYNC, _("Sync errors")),
        ),
    )

    field_order = ("kind", "instrument", "since", "until")


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time()))
