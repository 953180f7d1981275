"""What has had no stop for too long (invariant *No silent nakedness*)."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from oco.selectors import unprotected_groups_read
from tests.factories import InstrumentFactory, OrderFactory
from tests.oco.factories import GroupFactory, LotFactory

pytestmark = pytest.mark.django_db
D = Decimal


def naked(now):
    return [lack.group for lack in unprotected_groups_read(now=now, longer_than=timedelta(minutes=2))]


def test_naked_is_what_has_waited_too_long():
    now = timezone.now()
    late = GroupFactory(uncovered_since=now - timedelta(minutes=3))
    GroupFactory(covered=True)
    GroupFactory()
    assert naked(now) == [late]


def test_a_foreign_stop_makes_it_not_naked():
    now = timezone.now()
    lot = LotFactory(bought=D("0.01"))
    GroupFactory(lot=lot, uncovered_since=now - timedelta(minutes=3))
    OrderFactory(advanced=True, order_type="STOP_LOSS", quantity=D("0.01"))
    assert naked(now) == []


def test_a_foreign_stop_covers_its_coins_once():
    """Two groups of one coin, and a stop of somebody else that is large enough for either, not for both."""
    now = timezone.now()
    _early, late = (
        GroupFactory(
            lot=LotFactory(bought=D("0.006")),
            uncovered_since=now - timedelta(minutes=3),
            created_at=now - timedelta(minutes=minutes),
        )
        for minutes in (9, 3)
    )
    OrderFactory(advanced=True, order_type="STOP_LOSS", quantity=D("0.01"))
    assert naked(now) == [late]


def test_a_foreign_stop_leaves_what_it_does_not_reach():
    now = timezone.now()
    GroupFactory(lot=LotFactory(bought=D("0.01")), uncovered_since=now - timedelta(minutes=3))
    OrderFactory(advanced=True, order_type="STOP_LOSS", quantity=D("0.004"))
    (lack,) = unprotected_groups_read(now=now, longer_than=timedelta(minutes=2))
    assert lack.quantity == D("0.006")


@pytest.fixture
def partly():
    """Of 1 bitcoin 0.6 have a stop, for three minutes now."""
    InstrumentFactory(symbol="BTC_USD", qty_tick_size=D("0.001"))
    lot = LotFactory(bought=D("1.0004"), short_since=timezone.now() - timedelta(minutes=3))
    return GroupFactory(
        covered=True, lot=lot, quantity=D("0.6"), state_since=timezone.now() - timedelta(hours=1)
    )


def test_a_part_that_no_order_is_for_is_naked(partly):
    (lack,) = unprotected_groups_read(now=timezone.now(), longer_than=timedelta(minutes=2))
    assert (lack.group, lack.quantity, lack.is_partial) == (partly, D("0.4"), True)


def test_not_dust_and_not_at_once(partly):
    partly.quantity = D(1)
    partly.save()
    assert naked(timezone.now()) == []
    partly.quantity = D("0.6")
    partly.save()
    assert naked(timezone.now() - timedelta(minutes=2)) == []


def test_nor_behind_the_stop_of_somebody_else(partly):
    OrderFactory(advanced=True, order_type="STOP_LOSS", quantity=D("0.4"))
    assert naked(timezone.now()) == []


def test_what_nothing_buys_back_is_told_whatever_others_cover():
    now = timezone.now()
    late = GroupFactory(buys_back=True, uncovered_since=now - timedelta(minutes=3))
    OrderFactory(advanced=True, order_type="STOP_LOSS", quantity=D(5))
    assert naked(now) == [late]
