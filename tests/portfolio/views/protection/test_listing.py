"""The list of protections."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone

from tests.factories import (
    BalanceFactory,
    GroupFactory,
    InstrumentFactory,
    LegFactory,
    SyncRunFactory,
    TradingSwitchFactory,
)
from tests.portfolio.pages import Page
from tests.portfolio.views.protection.steps import text
from tests.support import queries

pytestmark = pytest.mark.django_db


def listed(**query):
    """The words of the table of groups and what stands around it."""
    return text(Client().get("/protection/", query)).split("All groups")[-1]


@pytest.fixture
def groups(bitcoin):
    """One of each kind that is asked for."""
    for name, state in (
        ("BTC_USD", "ACTIVE"),
        ("ETH_USD", "UNKNOWN"),
        ("SOL_USD", "STOP_FAILED"),
        ("XRP_USD", "PENDING"),
    ):
        GroupFactory(instrument_name=name, state=state, reason=f"told of {name}")
    GroupFactory(instrument_name="CRO_USD", closed=True, reason="told of CRO_USD")


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, {"BTC", "ETH", "SOL", "XRP", "CRO"}),
        ({"danger": "unprotected"}, {"ETH", "SOL", "XRP"}),
        ({"danger": "unknown"}, {"ETH"}),
        ({"danger": "stop-failed"}, {"SOL"}),
        ({"state": "CLOSED_BY_TARGET"}, {"CRO"}),
        ({"instrument": "XRP_USD"}, {"XRP"}),
        ({"danger": "unprotected", "instrument": "ETH_USD"}, {"ETH"}),
        ({"danger": "made-up", "state": "made-up"}, {"BTC", "ETH", "SOL", "XRP", "CRO"}),
    ],
)
def test_it_is_filtered_by_what_the_worried_ask(groups, query, names):
    words = listed(**query)
    assert {name for name in ("BTC", "ETH", "SOL", "XRP", "CRO") if f"told of {name}_USD" in words} == names


def test_positions_come_worst_first(bitcoin):
    BalanceFactory(currency="ETH", price_usd=Decimal(2000))
    InstrumentFactory(symbol="ETH_USD")
    GroupFactory(instrument_name="ETH_USD", state="STOP_FAILED", lot__bought=Decimal("0.1"))
    words = text(Client().get("/protection/")).rsplit("All groups", 1)[0]
    assert words.index("Stop failed ETH /USD") < words.index("Unprotected BTC /USD")


def test_open_ones_come_first_then_the_newest(bitcoin):
    now = timezone.now()
    for days in (3, 1, 2):
        GroupFactory(
            closed=True,
            reason=f"day {days}",
            created_at=now - timedelta(days=days),
            closed_at=now - timedelta(days=days),
        )
    GroupFactory(reason="open one", created_at=now - timedelta(days=9))
    words = listed()
    places = [words.index(part) for part in ("open one", "day 1", "day 2", "day 3")]
    assert places == sorted(places)


def test_twenty_five_are_a_page_and_the_filter_stays(bitcoin):
    GroupFactory.create_batch(26, state="PENDING")
    first = Client().get("/protection/?danger=unprotected")
    assert first.content.decode().count('class="inst" href="/protection/') >= 25
    assert "Page 1 of 2" in text(first)
    assert 'href="?danger=unprotected&amp;page=2#groups"' in first.content.decode()
    second = Client().get("/protection/?danger=unprotected&page=2")
    assert "Page 2 of 2" in text(second)
    assert "Page 2 of 2" in listed(danger="unprotected", page="999")
    assert "Page 1 of 2" in listed(danger="unprotected", page="x")


def test_empty_says_that_it_looked(db):
    SyncRunFactory(age=23)
    assert "No protection yet Checked 23 s ago." in listed()
    assert "No matching groups" in listed(danger="unknown")


def test_who_may_not_read_is_asked_to_log_in(settings):
    settings.DASHBOARD_PUBLIC = "false"
    assert Client().get("/protection/")["Location"].startswith("/login/")


def test_nothing_in_it_breaks_the_strict_policy(groups, alice):
    found = Page(alice.get("/protection/").content.decode())
    assert (found.inline, found.external) == ([], [])


def test_its_queries_do_not_grow_with_its_rows(bitcoin):
    TradingSwitchFactory(is_off=False)
    LegFactory(group=GroupFactory())
    listed()
    with queries() as few:
        listed()
    for number in range(12):
        name = f"C{number}"
        BalanceFactory(currency=name, price_usd=Decimal(10))
        InstrumentFactory(symbol=f"{name}_USD")
        LegFactory(group=GroupFactory(instrument_name=f"{name}_USD"))
        GroupFactory(instrument_name=f"{name}_USD", closed=True)
    listed()  # what is kept until something changes is read again
    with queries() as many:
        listed()
    assert len(many) == len(few) <= 25


@pytest.mark.parametrize(
    ("group", "leg", "word"),
    [
        ({"state": "PENDING"}, None, "Unprotected"),
        ({"state": "PENDING"}, "SENT", "Pending"),
        ({"state": "REPLACING"}, "CANCELED", "Unprotected"),
        ({}, "OPEN", "Protected"),
        ({"quantity": Decimal("0.004")}, "OPEN", "Partial"),
    ],
)
def test_a_group_is_called_what_its_own_page_calls_it(bitcoin, group, leg, word):
    """Not on its way before anything was sent, and not protected for less than it owns."""
    group = GroupFactory(reason="told of it", **group)
    if leg:
        LegFactory(group=group, status=leg)
    for path in ("/protection/", f"/protection/{group.pk}/"):
        words = text(Client().get(path))
        assert f"told of it {word}" in words or f"BTC/USD {word}" in words, path
