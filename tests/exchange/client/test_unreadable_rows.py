"""A row that cannot be believed changes nothing about the others: it is put aside as it came."""

import pytest

from exchange.client.errors import BadResponse
from exchange.schemas import NameSpace
from tests.exchange.replay import KEY, ORDER, START_MS, TRADE, Clock, Replay, client_of, ok, rows

GOOD = ORDER | {"order_id": "1", "client_oid": "a"}
BAD = ORDER | {"order_id": "2", "client_oid": "b", "cumulative_quantity": "1e59"}


@pytest.mark.parametrize("read", ["open_orders", "order_history"])
def test_an_order_that_cannot_be_believed_is_put_aside(read):
    client = client_of(Replay(rows(GOOD, BAD)))
    found = getattr(client, read)(NameSpace.PLAIN)
    assert [each.order_id for each in found] == ["1"]
    assert found.received == 2
    (aside,) = client.take_unreadable_rows()
    assert (aside.row_id, aside.problem) == ("2", "field cumulative_quantity is not a usable number")
    assert '"cumulative_quantity": "1e59"' in aside.raw
    assert client.take_unreadable_rows() == []


def test_a_trade_that_cannot_be_believed_is_put_aside():
    client = client_of(Replay(rows(TRADE, TRADE | {"trade_id": "2", "traded_price": "-1"})))
    assert [each.trade_id for each in client.trades()] == ["1"]
    assert [each.row_id for each in client.take_unreadable_rows()] == ["2"]


def test_a_ticker_that_cannot_be_believed_is_put_aside():
    client = client_of(
        Replay(rows({"i": "A_USD", "t": START_MS, "a": "1"}, {"i": "B_USD", "t": START_MS, "a": "-1"}))
    )
    assert [each.instrument_name for each in client.tickers()] == ["A_USD"]
    assert [each.row_id for each in client.take_unreadable_rows()] == ["B_USD"]


def test_a_row_without_its_id_fails_the_read():
    client = client_of(Replay(rows(GOOD, BAD | {"order_id": None})))
    with pytest.raises(BadResponse):
        client.open_orders(NameSpace.PLAIN)


def test_one_order_that_cannot_be_believed_is_no_answer_and_is_kept():
    client = client_of(Replay(ok(BAD)))
    with pytest.raises(BadResponse):
        client.order_detail(NameSpace.PLAIN, order_id="2")
    assert "1e59" in client.take_unreadable_rows()[0].raw


def test_what_happened_later_than_now_by_the_clock_of_the_exchange_is_not_believed():
    later = START_MS + 2 * 3_600_000
    client = client_of(Replay(rows(GOOD | {"create_time": START_MS, "update_time": later})), Clock())
    assert client.order_history(NameSpace.PLAIN) == []
    assert client.take_unreadable_rows()[0].problem == "field update_time is in the future"


def test_a_key_in_such_a_row_is_not_kept():
    client = client_of(Replay(rows(BAD | {"client_oid": KEY})))
    client.open_orders(NameSpace.PLAIN)
    assert KEY not in client.take_unreadable_rows()[0].raw


START_NS, DAY_NS = START_MS * 1_000_000, 86_400 * 10**9
OUTSIDE = {"create_time": START_MS - 2 * 86_400_000, "create_time_ns": str(START_NS - 2 * DAY_NS)}


@pytest.mark.parametrize("odd", [OUTSIDE, {"instrument_name": "ETH_USD"}], ids=["time", "instrument"])
def test_a_trade_that_was_not_asked_for_is_put_aside(odd):
    inside = TRADE | {"create_time": START_MS, "create_time_ns": str(START_NS), "instrument_name": "CRO_USD"}
    client = client_of(Replay(rows(inside, inside | {"trade_id": "2"} | odd)), Clock())
    found = client.trades(start_ns=START_NS - DAY_NS, end_ns=START_NS + 1, instrument_name="CRO_USD")
    assert ([each.trade_id for each in found], found.received) == (["1"], 2)
    (aside,) = client.take_unreadable_rows()
    assert (aside.row_id, "asked for" in aside.problem) == ("2", True)


@pytest.mark.parametrize(
    ("created", "updated", "is_asked_for"),
    [(0, 0, True), (-3, 0, True), (-3, 3, True), (-3, -2, False), (2, 2, False)],
)
def test_an_order_outside_the_period_is_put_aside(created, updated, is_asked_for):
    """In days; the period may be one of creation or of update."""
    day_ms = 86_400_000
    times = {"create_time": START_MS + created * day_ms, "update_time": START_MS + updated * day_ms}
    client = client_of(Replay(rows(GOOD | times)), Clock(START_MS + 4 * day_ms))
    found = client.order_history(NameSpace.PLAIN, start_ns=START_NS - DAY_NS, end_ns=START_NS + DAY_NS)
    assert [each.order_id for each in found] == (["1"] if is_asked_for else [])
    assert len(client.take_unreadable_rows()) == (not is_asked_for)
