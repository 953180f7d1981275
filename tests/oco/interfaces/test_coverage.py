"""What a position is called, and what of it has no stop (rules 2 and 5)."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from oco.engine.allocation import Committed, Stop
from oco.engine.coverage import BEFORE_US, LOCKED, NEXT_CYCLE, Coin, Cover, Guard, covered_of
from oco.engine.pricing import Grid
from oco.engine.states import State

D = Decimal
NOON = datetime(2026, 8, 1, 12, tzinfo=UTC)


def guard(state=State.ACTIVE, quantity="1", **changes):
    told = {
        "instrument_name": "ETH_USD",
        "state": state,
        "quantity": D(quantity),
        "owned": D(quantity),
        "is_sent": state is State.PENDING,
        "reason": "why",
        "since": NOON,
    }
    return Guard(**(told | changes))


def covered(held="1", *guards, price="3000", **foreign):
    return covered_of(
        Coin(
            currency="ETH",
            instrument_name="ETH_USD",
            held=D(held),
            price_usd=None if price is None else D(price),
            grid=Grid(price_tick=D("0.01"), quantity_tick=D("0.0001")),
            foreign=Committed(
                total=D(foreign.get("total", 0)),
                stops=(Stop(quantity=D(foreign.get("covered", 0)), price=None, quote="USD"),),
            ),
            guards=guards,
        )
    )


@pytest.mark.parametrize(
    ("guards", "cover"),
    [
        ([], Cover.UNPROTECTED),
        ([guard()], Cover.PROTECTED),
        ([guard(quantity="0.4")], Cover.PARTLY),
        ([guard(State.PENDING)], Cover.WAITING),
        ([guard(State.PENDING, is_sent=False)], Cover.UNPROTECTED),
        ([guard(quantity="0.4"), guard(State.REPLACING, "0.6", is_sent=True)], Cover.WAITING),
        ([guard(quantity="0.4"), guard(State.UNKNOWN, "0.6")], Cover.UNKNOWN),
        (
            [guard(quantity="0.4"), guard(State.UNKNOWN, "0.3"), guard(State.STOP_FAILED, "0.3")],
            Cover.STOP_FAILED,
        ),
    ],
)
def test_the_worst_gives_the_name(guards, cover):
    assert covered("1", *guards).cover is cover


def test_only_what_was_read_back_open_is_protected():
    found = covered("1", guard(quantity="0.4"), guard(State.PENDING, "0.6"))
    assert (found.protected, found.unprotected) == (D("0.4"), D("0.6"))
    (row,) = found.bare
    assert (row.quantity, row.market_value_usd, row.since, row.reason) == (D("0.6"), D("1800.0"), NOON, "why")


def test_a_stop_of_someone_else_is_cover_and_a_bare_sell_is_a_lock():
    found = covered("1", total="0.7", covered="0.5")
    assert (found.protected, found.cover) == (D("0.5"), Cover.PARTLY)
    assert [(row.quantity, row.reason) for row in found.bare] == [(D("0.2"), LOCKED), (D("0.3"), BEFORE_US)]


def test_a_stop_of_someone_else_stands_for_a_group_that_has_none():
    found = covered("1", guard(State.REPLACING, "1"), total="1", covered="1")
    assert (found.protected, found.cover, found.bare) == (D(1), Cover.PROTECTED, ())


def test_cover_is_never_more_than_is_held():
    found = covered("0.3", guard(quantity="1"), total="5", covered="5")
    assert (found.protected, found.unprotected, found.bare) == (D("0.3"), D(0), ())


def test_what_the_stop_has_sold_already_is_not_counted_as_cover():
    assert covered("1", guard(quantity="1", owned=D("0.4"))).protected == D("0.4")


def test_dust_is_no_alarm():
    found = covered("1.00005", guard())
    assert (found.cover, found.bare, found.unprotected) == (Cover.PROTECTED, (), D("0.00005"))


def test_too_little_for_an_order_is_dust_too():
    assert covered("1.0003", guard()).cover is Cover.PROTECTED
    assert covered("1.0004", guard()).cover is Cover.PARTLY


def test_without_a_price_nothing_is_called_dust_and_nothing_is_worth_zero():
    found = covered("1.00005", guard(), price=None)
    assert (found.cover, found.bare[0].market_value_usd, found.bare_usd) == (Cover.PARTLY, None, None)


def test_what_a_person_just_asked_for_says_what_it_waits_for():
    (row,) = covered("1", guard(State.PENDING, is_sent=False, reason="")).bare
    assert row.reason == NEXT_CYCLE
