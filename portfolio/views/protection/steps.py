"""Set, Review, Result: the three steps of every order form, each a page of its own, none needing a script."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any, ClassVar

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from exchange.models import Instrument
from exchange.selectors import decimals_of
from exchange.services.lease import Held
from oco.forms import LevelsForm
from oco.models import OcoGroup
from oco.presentation.risk_reward import Proposal, Terms
from oco.services.confirmations import Review
from oco.services.validation import price_check, wish_check
from portfolio.views.protection.gate import why_no_data, why_no_orders
from portfolio.views.protection.protection_account import Account, account_now, terms_of

NAME_LENGTH = 64
Values = Mapping[str, Any]


class Steps(ABC):
    """One order form: what it asks for, what that would mean, and what its last button does."""

    kind: ClassVar[str]
    form_class: ClassVar[type[LevelsForm]]

    def __init__(self, request: HttpRequest, instrument: Instrument) -> None:
        self.request, self.instrument = request, instrument
        self.account: Account = account_now()
        self.now: datetime = timezone.now()

    @cached_property
    def terms(self) -> Terms | None:
        return terms_of(self.instrument, self.account)

    @cached_property
    def refusal(self) -> str:
        """Why nothing can be asked for now, or nothing."""
        return self.stale or why_no_orders() or self.why_not()

    @cached_property
    def stale(self) -> str:
        """Why the data cannot be relied on: a sync may help."""
        return why_no_data(now=self.now)

    @property
    def price_decimals(self) -> int:
        return decimals_of(self.instrument.price_tick_size)

    @property
    def quantity_decimals(self) -> int:
        return decimals_of(self.instrument.qty_tick_size)

    @property
    def user_name(self) -> str:
        return self.request.user.get_username()[:NAME_LENGTH]

    def why_not(self) -> str:
        if self.terms is None:
            return _("No price is known for it, so no order can be weighed.")
        return ""

    @property
    @abstractmethod
    def address(self) -> str:
        """Of the first step; the others lie below it."""

    @property
    def purpose(self) -> str:
        """What a token is for, and for nothing else."""
        return f"{self.kind} {self.address}"

    @abstractmethod
    def initial(self) -> dict[str, Decimal | None]:
        """What is filled in beforehand, by the policy."""

    @abstractmethod
    def quantity(self, values: Values) -> Decimal: ...

    @abstractmethod
    def seen(self) -> str:
        """What the review rests on: when it changes, it must be looked at again."""

    def alone(self) -> AbstractContextManager[Held | None]:
        """Around the transaction that writes it down, where no cycle may run meanwhile."""
        return nullcontext()

    @abstractmethod
    def commit(self, review: Review, values: Values, held: Held | None) -> OcoGroup:
        """Write down what was agreed to. Raises NotPossible."""

    @abstractmethod
    def committed(self, review: Review) -> OcoGroup | None:
        """What an earlier press of the same button wrote down."""

    def form(self, given: Mapping[str, Any] | None = None) -> LevelsForm:
        texts = {
            name: self.written(name, value) for name, value in self.initial().items() if value is not None
        }
        return self.form_class(given, initial=texts)

    def written(self, name: str, value: Decimal) -> str:
        """In plain digits, with the decimals of the instrument."""
        tick = self.instrument.qty_tick_size if name == "quantity" else self.instrument.price_tick_size
        return f"{value:.{decimals_of(tick)}f}"

    def proposal(self, values: Values) -> Proposal | None:
        if self.terms is None:
            return None
        return Proposal(
            terms=self.terms,
            quantity=self.quantity(values),
            stop=values["stop_price"],
            target=values["take_profit_price"],
        )

    def check(self, values: Values) -> None:
        """Whether the exchange could take it where the price is now. Raises NotPossible with the field."""
        stop, target, quantity = values["stop_price"], values["take_profit_price"], self.quantity(values)
        wish_check(instrument=self.instrument, quantity=quantity, stop=stop, target=target)
        mark = self.terms.mark if self.terms else None
        price_check(instrument=self.instrument, stop=stop, target=target, mark=mark)
