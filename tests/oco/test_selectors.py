"""Reading protection for display."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from oco.selectors import group_rows, groups_naked, groups_shown
from tests.factories import OrderFactory
from tests.oco.factories import GroupFactory, LegFactory, LotFactory

pytestmark = pytest.mark.django_db
D = Decimal


def test_groups_are_shown_a_day_after_their_end():
    now = timezone.now()
    open_one = GroupFactory()
    recent = GroupFactory(state="RELEASED", closed_at=now - timedelta(hours=23))
    GroupFactory(state="RELEASED", closed_at=now - timedelta(hours=25))
    assert set(groups_shown(now=now)) == {open_one, recent}


def test_a_group_is_shown_with_its_newest_orders(django_assert_num_queries):
    group = GroupFactory(generation=2)
    LegFactory(group=group, generation=1, status="CANCELED")
    LegFactory(group=group, generation=2, status="OPEN")
    with django_assert_num_queries(1):
        (row,) = group_rows([group])
    assert [leg.status for leg in row.legs] == ["OPEN"]


def test_naked_is_what_has_waited_too_long():
    now = timezone.now()
    late = GroupFactory(uncovered_since=now - timedelta(minutes=3))
    GroupFactory(covered=True)
    GroupFactory()
    assert groups_naked(now=now, longer_than=timedelta(minutes=2)) == [late]


def test_a_foreign_stop_makes_it_not_naked():
    now = timezone.now()
    lot = LotFactory(bought=D("0.01"))
    GroupFactory(lot=lot, uncovered_since=now - timedelta(minutes=3))
    OrderFactory(advanced=True, order_type="STOP_LOSS", quantity=D("0.01"))
    assert groups_naked(now=now, longer_than=timedelta(minutes=2)) == []


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
    assert groups_naked(now=now, longer_than=timedelta(minutes=2)) == [late]
