"""Rows decoded at once are those that are read one by one; what is odd is left to reading one by one."""

import json

import pytest

from exchange.client.errors import ExchangeError
from exchange.client.typed_rows import RowsDecoder
from exchange.schemas import NameSpace
from tests.exchange.replay import ORDER, START_MS, TRADE, Replay, client_of, rows

BUY = TRADE | {
    "fees": "-0.1",
    "create_time": 1787587305885,
    "create_time_ns": "1787587305885123456",
    "match_count": 1,
}
USUAL = [
    {},
    {"unknown": [1, {"a": 2}]},
    {"client_oid": ""},
    {"quantity": 5},
    {"quantity": 0.10000000000000000001},
    {"limit_price": "0", "avg_price": "0.000", "ref_price": "0E-8"},
    {"ref_price_type": "NULL_VAL"},
    {"name_space": "ADVANCED"},
    {"match_count": "3", "match_index": 2},
]
ODD = [
    {"create_time_ns": "1787587305885123457.0"},
    {"create_time_ns": None},
    {"create_time_ns": "0"},
    {"create_time": "1787587305885.0"},
    {"create_time": 1787587305885.0},
    {"create_time": 17875873058850},
    {"create_time": 17},
    {"create_time": None},
    {"update_time": None},
    {"update_time": "x"},
    {"order_id": 9007199254740993},
    {"order_id": ""},
    {"trade_id": ""},
    {"instrument_name": ""},
    {"instrument_name": None},
    {"client_oid": None},
    {"quantity": "NaN"},
    {"quantity": "1e59", "traded_quantity": "1e59"},
    {"quantity": True},
    {"quantity": "-1", "traded_quantity": "-1"},
    {"cumulative_quantity": "99"},
    {"status": "UNHEARD_OF"},
    {"side": "buy"},
    {"reason": "43003 too late"},
    {"reason": "306"},
    {"reason": "null"},
    {"exec_inst": "POST_ONLY"},
    {"exec_inst": None},
    {"leverage": "5E+1"},
    {"match_count": 2**80},
    {"fees": "Infinity", "cumulative_fee": "Infinity"},
    {"traded_price": "0"},
]


def answer(read, changes):
    """What one read gives, and what it puts aside."""
    base = BUY if read == "trades" else ORDER | {"order_id": "1", "update_time": START_MS}
    second = base | {"trade_id": "3", "order_id": "4"}
    client = client_of(Replay(*[rows(base | changes, second)] * 3))
    try:
        found = client.trades() if read == "trades" else client.order_history(NameSpace(read))
        result = (list(found), found.received)
    except ExchangeError as error:
        result = (str(error), error.code)
    aside = [(each.row_id, each.problem, each.raw) for each in client.take_unreadable_rows()]
    return result, aside


@pytest.mark.parametrize("changes", [*USUAL, *ODD], ids=lambda changes: json.dumps(changes, default=str)[:60])
@pytest.mark.parametrize("read", ["PLAIN", "ADVANCED", "trades"])
def test_either_way_gives_the_same(read, changes, monkeypatch):
    at_once = answer(read, changes)
    monkeypatch.setattr(RowsDecoder, "decode", lambda *_: None)
    assert at_once == answer(read, changes)


@pytest.mark.parametrize("changes", USUAL, ids=str)
def test_usual_rows_are_decoded_at_once(changes, monkeypatch):
    found, decode = [], RowsDecoder.decode

    def noted(self, body, latest_ms):
        found.append(decode(self, body, latest_ms))
        return found[-1]

    monkeypatch.setattr(RowsDecoder, "decode", noted)
    answer("PLAIN", changes)
    answer("trades", changes)
    assert None not in found
    assert len(found) == 2
