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
