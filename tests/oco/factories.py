"""Rows of protection for tests: a lot of 1 BTC bought at 100, and its group and stop."""

from __future__ import annotations

from decimal import Decimal

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from oco.models import Lot, OcoGroup, OcoLeg

Now = factory.LazyFunction(timezone.now)


class LotFactory(DjangoModelFactory[Lot]):
    class Meta:
        model = Lot

    class Params:
        buys_back = factory.Trait(side="SELL", quote_ccy="USD", unit_cost=Decimal("108.69075"))

    entry_order_id = factory.Sequence(lambda n: str(4_989_988_582_751_280_000 + n))
    instrument_name = "BTC_USD"
    base_ccy = "BTC"
    first_trade_id = factory.Sequence(lambda n: str(4_611_686_018_427_000_000 + n))
    bought = Decimal("1")
    dust = Decimal("0")
    average_price = Decimal("100")
    entered_at = Now
    opened_at = Now


class GroupFactory(DjangoModelFactory[OcoGroup]):
    class Meta:
        model = OcoGroup

    class Params:
        covered = factory.Trait(state="ACTIVE", uncovered_since=None, last_active_at=Now)
        buys_back = factory.Trait(
            lot=factory.SubFactory(LotFactory, buys_back=True),
            stop_price=Decimal("105"),
            take_profit_price=Decimal("90"),
        )

    lot = factory.SubFactory(LotFactory)
    generation = 1
    instrument_name = "BTC_USD"
    quantity = Decimal("1")
    entry_price = Decimal("100")
    stop_price = Decimal("95")
    take_profit_price = Decimal("110")
    state_since = Now
    uncovered_since = Now
    created_at = Now


class LegFactory(DjangoModelFactory[OcoLeg]):
    class Meta:
        model = OcoLeg

    group = factory.SubFactory(GroupFactory)
    generation = 1
    order_role = "STOP_LOSS"
    name_space = "ADVANCED"
    client_oid = factory.Sequence(lambda n: f"xd-{n}")
    type = "STOP_LOSS"
    side = "SELL"
    quantity = Decimal("1")
    trigger_price = Decimal("95")
    sent_at = Now
