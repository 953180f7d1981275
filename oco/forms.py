"""Forms for users: a policy, the protection of a position, its prices. Error messages explain the refusal."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from exchange.core.numbers import number_text
from exchange.fields import NumberInputField
from exchange.models import Instrument
from exchange.schemas.market import SPOT
from oco.models import ProtectionPolicy

if TYPE_CHECKING:
    PolicyModelForm = forms.ModelForm[ProtectionPolicy]
else:
    PolicyModelForm = forms.ModelForm  # not subscriptable at run time

MIN_PCT, MAX_STOP_PCT, MAX_TARGET_PCT = Decimal("0.1"), Decimal(99), Decimal(900)
MAX_BUYBACK_TARGET_PCT = Decimal(90)  # after a sale: the exchange accepts no buy below a tenth of the market
BUY_BACK_NOTICE = _(
    "While a policy for sales is on, every sale of the coin for cash that Exchange Desk did "
    "not send is followed by orders that BUY the coin back with the proceeds of the sale: "
    "above the sale price at the stop, below it at the take profit. Leave it off unless you "
    "want this after every sale, including manual sales and sales by other apps."
)
STOP_AFTER_PURCHASE = _("The stop lies below the price paid: more than 0 and less than 100 per cent.")
STOP_AFTER_SALE = _("The stop lies above what the sale brought: more than 0 and less than 100 per cent.")
TARGET_AFTER_PURCHASE = _("The take profit lies above the price paid: more than 0. Blank: stop only.")
TARGET_AFTER_SALE = _("The take profit lies below what the sale brought: more than 0. Blank: stop only.")


class PolicyForm(PolicyModelForm):
    """For the default policies side and instrument cannot be changed, so those fields may be missing."""

    class Meta:
        model = ProtectionPolicy
        fields = "__all__"  # the admin narrows it

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "side" in self.fields:
            self.fields["side"].help_text = BUY_BACK_NOTICE
        elif "enabled" in self.fields and self.instance.side == ProtectionPolicy.Side.SELL:
            self.fields["enabled"].help_text = BUY_BACK_NOTICE

    @property
    def is_for_sales(self) -> bool:
        return bool(self.cleaned_data.get("side", self.instance.side) == ProtectionPolicy.Side.SELL)

    def clean_instrument_name(self) -> str:
        name = str(self.cleaned_data["instrument_name"]).strip()
        if name and not Instrument.objects.filter(symbol=name, inst_type=SPOT).exists():
            text = gettext(
                "{name} is not a spot pair of the exchange. Pairs are written like BTC_USD; the catalogue is read once "
                "a day."
            )
            raise ValidationError(text.format(name=name))
        return name

    def clean_stop_pct(self) -> Decimal:
        stop: Decimal = self.cleaned_data["stop_pct"]
        if not 0 < stop < 100:
            raise ValidationError(STOP_AFTER_SALE if self.is_for_sales else STOP_AFTER_PURCHASE)
        if not MIN_PCT <= stop <= MAX_STOP_PCT:
            text = gettext("Between {min} and {max}: outside that range no order can be placed.")
            raise ValidationError(text.format(min=number_text(MIN_PCT), max=number_text(MAX_STOP_PCT)))
        return stop

    def clean_target_pct(self) -> Decimal | None:
        target: Decimal | None = self.cleaned_data["target_pct"]
        if target is not None and target <= 0:
            raise ValidationError(TARGET_AFTER_SALE if self.is_for_sales else TARGET_AFTER_PURCHASE)
        if target is not None:
            self._check_target_range(target)
        return target

    def _check_target_range(self, target: Decimal) -> None:
        if self.is_for_sales and not MIN_PCT <= target < MAX_BUYBACK_TARGET_PCT:
            text = gettext(
                "At least {min} and less than {max}: the take profit lies below what the sale brought, and the "
                "exchange accepts no price below a tenth of the market."
            )
            raise ValidationError(
                text.format(min=number_text(MIN_PCT), max=number_text(MAX_BUYBACK_TARGET_PCT))
            )
        if not MIN_PCT <= target <= MAX_TARGET_PCT:
            text = gettext(
                "Between {min} and {max}: the exchange accepts no price above ten times the market."
            )
            raise ValidationError(text.format(min=number_text(MIN_PCT), max=number_text(MAX_TARGET_PCT)))

    def clean(self) -> dict[str, Any]:
        cleaned = dict(super().clean() or {})
        stop, distance = cleaned.get("stop_pct"), cleaned.get("distance_pct")
        if stop is not None and distance is not None and distance >= stop:
            self.add_error("distance_pct", gettext("Less than the stop, or no pair could ever be placed."))
        self._check_unique(cleaned)
        return cleaned

    def _check_unique(self, cleaned: Mapping[str, Any]) -> None:
        """One policy for each instrument and side."""
        if "instrument_name" not in cleaned or "side" not in cleaned:
            return
        name, side = cleaned["instrument_name"], cleaned["side"]
        others = ProtectionPolicy.objects.filter(instrument_name=name, side=side).exclude(pk=self.instance.pk)
        if others.exists():
            text = gettext("There is a policy for {name} already: change that one.")
            self.add_error("instrument_name", text.format(name=name or gettext("every other instrument")))


class ProtectForm(forms.Form):
    """Stop and target for held coins. `key` makes one group of two submits."""

    instrument_name = forms.ChoiceField(label=_("Pair"))
    quantity = NumberInputField(label=_("Quantity"))
    stop_price = NumberInputField(
        label=_("Stop price"),
        help_text=_(
            "Below the current price. When the mark price falls to it, the coins are sold at market."
        ),
    )
    take_profit_price = NumberInputField(
        required=False,
        label=_("Take profit price"),
        help_text=_("Above the current price. Leave blank for a stop only."),
    )
    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)

    def __init__(self, *args: Any, pairs: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice = self.fields["instrument_name"]
        assert isinstance(choice, forms.ChoiceField)
        choice.choices = [(name, name) for name in pairs]

    def group_values(self) -> dict[str, Any]:
        """Arguments for `group_create`, once the form is valid."""
        names = ("instrument_name", "quantity", "stop_price", "take_profit_price")
        return {
            **{name: self.cleaned_data[name] for name in names},
            "idempotency_key": f"form {self.cleaned_data['key']}",
        }


class PricesForm(forms.Form):
    """Stop and target; without a target it is a stop only."""

    stop_price = NumberInputField(
        label=_("Stop price"),
        help_text=_(
            "Below the current price. When the mark price falls to it, the coins are sold at market."
        ),
    )
    take_profit_price = NumberInputField(
        label=_("Take profit price"),
        required=False,
        help_text=_("Above the current price. Leave blank for a stop only."),
    )


class ProtectionForm(PricesForm):
    """Quantity, stop and target."""

    quantity = NumberInputField(label=_("Quantity"))
    field_order = ("quantity", "stop_price", "take_profit_price")
