"""What a position is called, and what of it has no stop (rules 2 and 5)."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from exchange.core.reasons import reason
from oco.engine.allocation import ExternalReservation, ExternalStop
from oco.engine.coverage import (
    CoinHolding,
    CoverageStatus,
    GroupCoverage,
    coverage_of,
)
from oco.engine.pricing import Grid
from oco.engine.reason_codes import ReasonCode
from oco.engine.states import State

D = Decimal
NOON = datetime(2026, 8, 1, 12, tzinfo=UTC)
WHY = reason(ReasonCode.NO_PRICE)


def group(state=State.ACTIVE, quantity="1", **changes):
    told = {
        "instrument_name": "ETH_USD",
        "state": state,
        "quantity": D(quantity),
        "owned": D(quantity),
        "is_sent": state is State.PENDING,
        "reason": WHY,
        "since": NOON,
    }
    return GroupCoverage(**(told | changes))


def covered(held="1", *groups, price="3000", waiting="0", **external):
    return coverage_of(
        CoinHolding(
            currency="ETH",
            instrument_name="ETH_USD",
            held=D(held),
            price_usd=None if price is None else D(price),
            grid=Grid(price_tick=D("0.01"), quantity_tick=D("0.0001")),
            external=ExternalReservation(
                total=D(external.get("total", 0)),
                stops=(ExternalStop(quantity=D(external.get("covered", 0)), price=None, quote="USD"),),
            ),
            groups=groups,
            waiting=D(waiting),
        )
    )


@pytest.mark.parametrize(
    ("groups", "coverage_status"),
    [
        ([], CoverageStatus.UNPROTECTED),
        ([group()], CoverageStatus.PROTECTED),
        ([group(quantity="0.4")], CoverageStatus.PARTLY),
        ([group(State.PENDING)], CoverageStatus.WAITING),
        ([group(State.PENDING, is_sent=False)], CoverageStatus.UNPROTECTED),
        ([group(quantity="0.4"), group(State.REPLACING, "0.6", is_sent=True)], CoverageStatus.WAITING),
        ([group(quantity="0.4"), group(State.UNKNOWN, "0.6")], CoverageStatus.UNKNOWN),
        (
            [group(quantity="0.4"), group(State.UNKNOWN, "0.3"), group(State.STOP_FAILED, "0.3")],
            CoverageStatus.STOP_FAILED,
        ),
    ],
)
def test_the_worst_gives_the_name(groups, coverage_status):
    assert covered("1", *groups).coverage_status is coverage_status


def test_only_what_was_read_back_open_is_protected():
    found = covered("1", group(quantity="0.4"), group(State.PENDING, "0.6"))
    assert (found.protected, found.unprotected) == (D("0.4"), D("0.6"))
    (row,) = found.unprotected_parts
    assert (row.quantity, row.market_value_usd, row.since, row.reason) == (D("0.6"), D("1800.0"), NOON, WHY)


def test_a_stop_of_someone_else_is_cover_and_a_bare_sell_is_a_lock():
    found = covered("1", total="0.7", covered="0.5")
    assert (found.protected, found.coverage_status) == (D("0.5"), CoverageStatus.PARTLY)
    assert [(row.quantity, row.reason.code) for row in found.unprotected_parts] == [
        (D("0.2"), "RESERVED_BY_ORDER"),
        (D("0.3"), "HELD_BEFORE_START"),
    ]


def test_a_stop_of_someone_else_stands_for_a_group_that_has_none():
    found = covered("1", group(State.REPLACING, "1"), total="1", covered="1")
    assert (found.protected, found.coverage_status, found.unprotected_parts) == (
        D(1),
        CoverageStatus.PROTECTED,
        (),
    )


def test_cover_is_never_more_than_is_held():
    found = covered("0.3", group(quantity="1"), total="5", covered="5")
    assert (found.protected, found.unprotected, found.unprotected_parts) == (D("0.3"), D(0), ())


def test_what_the_stop_has_sold_already_is_not_counted_as_cover():
    assert covered("1", group(quantity="1", owned=D("0.4"))).protected == D("0.4")


def test_a_part_of_a_group_is_not_called_held_before_and_is_not_up_for_a_request():
    found = covered("1", group(quantity="0.6", owned=D("1")))
    (row,) = found.unprotected_parts
    assert (row.quantity, row.reason.code, row.state) == (D("0.4"), "PART_WITHOUT_STOP", State.ACTIVE)
    assert (found.coverage_status, found.may_be_protected) == (CoverageStatus.PARTLY, False)


def test_an_external_stop_covers_the_oldest_group_first_and_each_coin_once():
    groups = [group(State.REPLACING, "0.6", instrument_name="ETH_USDT"), group(State.REPLACING, "0.4")]
    found = covered("1", *groups, total="0.7", covered="0.7")
    assert [(row.instrument_name, row.quantity) for row in found.unprotected_parts] == [("ETH_USD", D("0.3"))]


def test_dust_is_no_alarm():
    found = covered("1.00005", group())
    assert (found.coverage_status, found.unprotected_parts, found.unprotected) == (
        CoverageStatus.PROTECTED,
        (),
        D("0.00005"),
    )


def test_too_little_for_an_order_is_dust_too():
    assert covered("1.0003", group()).coverage_status is CoverageStatus.PROTECTED
    assert covered("1.0004", group()).coverage_status is CoverageStatus.PARTLY


def test_without_a_price_nothing_is_called_dust_and_nothing_is_worth_zero():
    found = covered("1.00005", group(), price=None)
    assert (found.coverage_status, found.unprotected_parts[0].market_value_usd, found.unprotected_usd) == (
        CoverageStatus.PARTLY,
        None,
        None,
    )


def test_what_a_person_just_asked_for_says_what_it_waits_for():
    (row,) = covered("1", group(State.PENDING, is_sent=False, reason=None)).unprotected_parts
    assert row.reason.code == "WAITING_FOR_CYCLE"


def test_what_waits_for_the_next_purchase_is_told_with_its_value_and_is_no_alarm():
    found = covered("1.0003", group(), waiting="0.0003")
    assert (found.coverage_status, found.unprotected_parts) == (CoverageStatus.PROTECTED, ())
    assert found.too_small.quantity == D("0.0003")
    assert found.too_small.reason == reason(
        ReasonCode.TOO_SMALL_ALONE, quantity=D("0.0003"), coin="ETH", value=D("0.90")
    )


def test_what_is_below_the_minimum_of_the_policy_only_is_unprotected_and_says_so():
    found = covered("1.5", group(), waiting="0.2")
    assert [(row.quantity, row.reason.code, row.is_unallocated) for row in found.unprotected_parts] == [
        (D("0.3"), ReasonCode.HELD_BEFORE_START, True),
        (D("0.2"), ReasonCode.BELOW_POLICY_MINIMUM, True),
    ]
    assert found.too_small is None


def test_no_more_waits_than_is_there():
    found = covered("1.0001", group(), waiting="0.2")
    assert found.too_small.quantity == D("0.0001")
