"""What a person fills in on a page: how much, which stop, which target."""

import re
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

PLAIN = re.compile(r"\d{1,20}(\.\d{1,20})?", re.ASCII)


class PlainDecimalField(forms.CharField):
    """A number in plain digits with a point: whether `3,120` is three or three thousand is not guessed."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
        super().__init__(widget=widget, max_length=41, **kwargs)

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        if not PLAIN.fullmatch(text):
            raise ValidationError(_("Write it in plain digits with a point, such as 3120.50."))
        return Decimal(text)


class LevelsForm(forms.Form):
    """Stop and target; without a target the stop stands alone."""

    stop_price = PlainDecimalField(
        label=gettext_lazy("Stop price"),
        help_text=gettext_lazy(
            "Below the price now. When the mark price falls to it, the coins are sold at the market."
        ),
    )
    take_profit_price = PlainDecimalField(
        label=gettext_lazy("Target price"),
        required=False,
        help_text=gettext_lazy("Above the price now. Left blank, the stop stands alone."),
    )


class WishForm(LevelsForm):
    """For so many coins."""

    quantity = PlainDecimalField(label=gettext_lazy("Quantity"))
    field_order = ("quantity", "stop_price", "take_profit_price")
