"""Reading protection for display."""

from datetime import timedelta

import pytest
from django.utils import timezone

from oco.selectors import group_rows, groups_shown
from tests.oco.factories import GroupFactory, LegFactory

pytestmark = pytest.mark.django_db


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
