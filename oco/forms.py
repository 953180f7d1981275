"""What a person fills in: a policy, or the protection of one position. Refusals explain themselves."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from exchange.models import Instrument
from oco.models import ProtectionPolicy
from oco.services import SPOT

if TYPE_CHECKING:
    PolicyModelForm = forms.ModelForm[ProtectionPolicy]
else:
    PolicyModelForm = forms.ModelForm  # not subscriptable when it runs

LOWEST, LOWEST_STOP, HIGHEST_TARGET = Decimal("0.1"), Decimal(99), Decimal(900)
NOT_OFFERED = _(
    "Pairs that buy back what was sold are not offered yet: leave it off. Nothing is done about a sale by itself."
)
DIGITS: dict[str, Any] = {"max_digits": 40, "decimal_places": 20}


class PolicyForm(PolicyModelForm):
    """Side and instrument of the policy for every other instrument cannot be changed, hence may be missing."""

    class Meta:
        model = ProtectionPolicy
        fields = "__all__"  # the admin narrows it

    def clean_instrument_name(self) -> str:
        name = str(self.cleaned_data["instrument_name"]).strip()
        if name and not Instrument.objects.filter(symbol=name, inst_type=SPOT).exists():
            raise ValidationError(
                f"{name} is not a spot pair of the exchange. Pairs are written like BTC_USD; the catalogue is "
                "read once a day."
            )
        return name

    def clean_stop_pct(self) -> Decimal:
        stop: Decimal = self.cleaned_data["stop_pct"]
        if not 0 < stop < 100:
            raise ValidationError(
                "The stop lies below the price paid: more than 0 and less than 100 per cent."
            )
        if not LOWEST <= stop <= LOWEST_STOP:
            raise ValidationError(f"Between {LOWEST} and {LOWEST_STOP}: beyond that no order has room.")
        return stop

    def clean_target_pct(self) -> Decimal | None:
        target: Decimal | None = self.cleaned_data["target_pct"]
        if target is not None and target <= 0:
            raise ValidationError("The target lies above the price paid: more than 0. Blank: a stop alone.")
        if target is not None and not LOWEST <= target <= HIGHEST_TARGET:
            raise ValidationError(
                f"Between {LOWEST} and {HIGHEST_TARGET}: the exchange takes no price above ten times the market."
            )
        return target

    def clean(self) -> dict[str, Any]:
        cleaned = dict(super().clean() or {})
        stop, distance = cleaned.get("stop_pct"), cleaned.get("distance_pct")
        if stop is not None and distance is not None and distance >= stop:
            self.add_error("distance_pct", "Less than the stop: or no pair could ever be placed.")
        self._refuse_second(cleaned)
        self._refuse_sales(cleaned)
        return cleaned

    def _refuse_sales(self, cleaned: Mapping[str, Any]) -> None:
        """Rule 4: no pair that buys back is offered yet, so that a policy for sales cannot be on."""
        side = cleaned.get("side", self.instance.side)
        if side == ProtectionPolicy.Side.SELL and cleaned.get("enabled"):
            self.add_error("enabled", NOT_OFFERED)

    def _refuse_second(self, cleaned: Mapping[str, Any]) -> None:
        """One policy for each instrument and side."""
        if "instrument_name" not in cleaned or "side" not in cleaned:
            return
        name, side = cleaned["instrument_name"], cleaned["side"]
        others = ProtectionPolicy.objects.filter(instrument_name=name, side=side).exclude(pk=self.instance.pk)
        if others.exists():
            what = name or "every other instrument"
            self.add_error("instrument_name", f"There is a policy for {what} already: change that one.")


class ProtectForm(forms.Form):
    """Stop and target for coins that are held. `key` makes one group of two presses."""

    instrument_name = forms.ChoiceField(label="Pair")
    quantity = forms.DecimalField(**DIGITS)
    stop_price = forms.DecimalField(
        **DIGITS, help_text="Below the price now. When mark reaches it, the coins are sold."
    )
    take_profit_price = forms.DecimalField(
        **DIGITS, required=False, label="Target price", help_text="Blank: a stop alone."
    )
    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)

    def __init__(self, *args: Any, pairs: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice = self.fields["instrument_name"]
        assert isinstance(choice, forms.ChoiceField)
        choice.choices = [(name, name) for name in pairs]

    def asked(self) -> dict[str, Any]:
        """What `group_create` takes, once the form is valid."""
        names = ("instrument_name", "quantity", "stop_price", "take_profit_price")
        return {
            **{name: self.cleaned_data[name] for name in names},
            "idempotency_key": f"form {self.cleaned_data['key']}",
        }
