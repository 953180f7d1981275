"""However late and in whatever order reports about an order come in, it ends as it ended on the exchange."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.schemas import TERMINAL_STATUSES, is_terminal
from exchange.sync.order_merge import changed_fields
from tests.share import examples

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
BLANK = {
    "client_oid": "",
    "list_id": "",
    "exec_inst": [],
    "maker_fee_rate": None,
    "reason": None,
    "price": None,
}


def report(status="ACTIVE", *, second=0, filled="0", value=None, price=None, **rest):
    filled = Decimal(filled)
    return {
        **BLANK,
        "status": status,
        "updated_at": NOON + timedelta(seconds=second),
        "filled_quantity": filled,
        "filled_value": None if value is None else Decimal(value),
        "average_price": None if price is None else Decimal(price),
        "cumulative_fee": None,
        **rest,
    }


def merged(*reports):
    row = dict(reports[0])
    for each in reports[1:]:
        row |= changed_fields(row, each)
    return row


def test_the_same_report_twice_is_no_news():
    assert changed_fields(report(filled="1.0"), report(filled="1.00")) == {}


def test_a_stale_open_report_does_not_reopen_a_finished_order():
    """Not even one that carries a later time: the exchange's clocks are not ours to trust."""
    done = report("FILLED", second=5, filled="2", value="20", price="10")
    assert changed_fields(done, report("ACTIVE", second=3, filled="1", value="10", price="10")) == {}
    assert changed_fields(done, report("ACTIVE", second=9, filled="2", value="20", price="10")) == {}


def test_an_end_counts_even_when_it_is_dated_before_what_we_know():
    row = merged(report("ACTIVE", second=9), report("CANCELED", second=3))
    assert row["status"] == "CANCELED"


def test_within_a_millisecond_the_order_of_life_decides():
    for reports in (("PENDING", "NEW", "ACTIVE"), ("ACTIVE", "NEW", "PENDING"), ("NEW", "ACTIVE", "PENDING")):
        assert merged(*map(report, reports))["status"] == "ACTIVE"


def test_a_status_that_nobody_knows_is_kept_and_ends_nothing():
    row = merged(report("ACTIVE", second=1), report("HALTED", second=2))
    assert row["status"] == "HALTED"
    assert merged(row, report("CANCELED", second=3))["status"] == "CANCELED"


def test_a_status_that_nobody_knows_goes_when_the_exchange_takes_it_back():
    """At the same moment: an order that was shown as halted by mistake has not been updated since."""
    row = merged(report("ACTIVE", second=1), report("HALTED", second=1))
    assert row["status"] == "HALTED"
    assert merged(row, report("ACTIVE", second=1))["status"] == "ACTIVE"
    assert merged(row, report("ACTIVE", second=0))["status"] == "HALTED"


def test_a_later_stage_of_life_counts_even_when_it_is_dated_earlier():
    """A trigger that fires while the exchange's clock is set back must not look untriggered for ever."""
    assert merged(report("PENDING", second=9), report("ACTIVE", second=3))["status"] == "ACTIVE"
    assert merged(report("ACTIVE", second=9), report("PENDING", second=3))["status"] == "ACTIVE"


def test_a_stop_limit_amended_to_a_stop_loss_has_no_price_any_more():
    limit = report("PENDING", second=1, order_type="STOP_LIMIT", price=None) | {"price": Decimal(9)}
    market = report("PENDING", second=2, order_type="STOP_LOSS") | {"price": None}
    assert merged(limit, market)["price"] is None
    assert merged(market, limit)["price"] is None
    assert merged(limit, report("PENDING", second=2, order_type="STOP_LIMIT") | {"price": None})["price"] == 9


def test_what_a_report_leaves_out_stays():
    full = report(client_oid="by-hand", maker_fee_rate=Decimal("0.1"), exec_inst=["POST_ONLY"])
    assert merged(full, report("FILLED", second=1))["client_oid"] == "by-hand"
    assert merged(full, report("FILLED", second=1))["exec_inst"] == ["POST_ONLY"]


def test_an_older_report_tells_what_was_not_known_and_nothing_else():
    late = report("CANCELED", second=5, price=None)
    older = report("ACTIVE", second=1, client_oid="by-hand", price="9")
    row = merged(late, older)
    assert (row["client_oid"], row["status"]) == ("by-hand", "CANCELED")


def test_a_larger_quantity_without_a_value_makes_the_old_value_unknown():
    """The official history row has no `cumulative_value`; half of the value beside the whole quantity is a lie."""
    row = merged(
        report(filled="1", value="10", price="10"), report("FILLED", second=1, filled="2", price="11")
    )
    assert (row["filled_value"], row["average_price"]) == (None, Decimal("11"))
    told = merged(row, report("FILLED", second=1, filled="2", value="22", price="11"))
    assert told["filled_value"] == Decimal("22")


def test_an_answer_without_a_quantity_does_not_undo_a_fill():
    row = merged(report(filled="1", value="10"), report("CANCELED", second=1))
    assert (row["filled_quantity"], row["filled_value"]) == (Decimal("1"), Decimal("10"))


@st.composite
def lives(draw):
    """The reports of one order's life as different methods give them: each leaves out other lasting facts."""
    lasting = {"client_oid": "by-hand", "list_id": "6498", "maker_fee_rate": Decimal("0.25")}
    states, filled, second = [], Decimal(0), 0
    opening = ["PENDING", "NEW", *["ACTIVE"] * draw(st.integers(1, 4))]
    for status in [*opening, draw(st.sampled_from([*sorted(TERMINAL_STATUSES), "ACTIVE"]))]:
        if status not in ("PENDING", "NEW"):
            filled += draw(st.sampled_from([Decimal(0), Decimal("0.5"), Decimal("1.25")]))
            second += draw(st.integers(0, 2))
        states.append((status, second, filled))
    reports = []
    for status, at, quantity in states:
        left_out = draw(st.sets(st.sampled_from(sorted(lasting))))
        told = {name: value for name, value in lasting.items() if name not in left_out}
        amount = {"value": quantity * 10, "price": Decimal(10) if quantity else None}
        reason = 0 if is_terminal(status) else None
        reports.append(report(status, second=at, filled=quantity, **amount, reason=reason, **told))
    return reports


@settings(max_examples=examples(300))
@given(life=lives(), data=st.data())
def test_any_order_of_delivery_ends_in_the_same_row(life, data):
    again = data.draw(st.lists(st.sampled_from(life), max_size=6))
    delivered = data.draw(st.permutations([*life, *again]))
    assert merged(*delivered) == merged(*life)


@settings(max_examples=examples(300))
@given(life=lives(), data=st.data())
def test_on_the_way_nothing_falls_and_nothing_reopens(life, data):
    rows = [dict(data.draw(st.sampled_from(life)))]
    for each in data.draw(st.lists(st.sampled_from(life), max_size=12)):
        rows.append(rows[-1] | changed_fields(rows[-1], each))
    for before, after in pairwise(rows):
        assert after["filled_quantity"] >= before["filled_quantity"]
        assert is_terminal(after["status"]) or not is_terminal(before["status"])
        assert after["client_oid"] or not before["client_oid"]


@pytest.mark.parametrize("status", sorted(TERMINAL_STATUSES))
def test_every_end_is_an_end(status):
    row = merged(report(status, second=1), report("ACTIVE", second=2), report("NEW", second=3))
    assert row["status"] == status
