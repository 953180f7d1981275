"""Reads: how they are asked, what is repeated, and what each broken answer becomes."""

import json
import random
from decimal import Decimal
from urllib.parse import parse_qs, urlparse

import pytest
import requests

from exchange.client.errors import (
    AuthError,
    BadResponse,
    Maintenance,
    NotFound,
    RateLimited,
    Refused,
    TryLater,
    Unreachable,
)
from exchange.client.ratelimit import Limiter
from exchange.schemas import NameSpace
from tests.exchange.replay import ORDER, Clock, Replay, client_of, envelope, error_response, ok, raw, rows

TICKER = {"i": "CRO_USD", "a": "0.05", "t": 1786916797818}
BALANCE = {"position_balances": [{"instrument_name": "USD", "quantity": "1"}]}
BROKEN_ANSWERS = [
    (raw(b"<html>502</html>", 502), Unreachable),
    (raw(b"", 504), Unreachable),
    (raw(b"", 302, Location="http://elsewhere.test/"), Unreachable),
    (raw(b"Forbidden", 403), Unreachable),
    (raw(b"slow down", 429), RateLimited),
    (raw(b'{"id":1,"code":0,"resu', 200), BadResponse),
    (raw(b"<html>login</html>", 200), BadResponse),
    (raw(b"[]", 200), BadResponse),
    (raw(b'{"code":0,"result":{"data":[{"v":NaN}]}}', 200), BadResponse),
    (raw(b'{"code":0,"result":{"data":[{"v":1e999999999}]}}', 200), BadResponse),
    (raw(b'{"code":0,"result":{"data":[{"v":1e9999999999999999999}]}}', 200), BadResponse),
    (envelope(id=77), BadResponse),
    (envelope(method="private/other"), BadResponse),
    (error_response(42901, 429), RateLimited),
    (error_response(40801, 408), Unreachable),
    (error_response(50001, 500), Unreachable),
    (raw(b'{"code":9010001,"message":"SYSTEM_MAINTENANCE"}', 503), Maintenance),
    (requests.ConnectTimeout(), Unreachable),
    (requests.ReadTimeout(), Unreachable),
    (requests.ConnectionError(), Unreachable),
    (requests.exceptions.ChunkedEncodingError(), Unreachable),
    (requests.exceptions.SSLError(), Unreachable),
]


def test_public_methods_are_asked_by_get_with_a_query():
    replay = Replay(rows(TICKER))
    client_of(replay).tickers("CRO_USD")
    (request,) = replay.sent
    assert request.method == "GET"
    assert request.url == "http://exchange.test/exchange/v1/public/get-tickers?instrument_name=CRO_USD"
    assert request.body is None


def test_candles_are_asked_with_their_count_and_end():
    replay = Replay(rows({"t": 1, "o": 1, "h": 2, "l": 1, "c": "2", "v": "0"}))
    (candle,) = client_of(replay).candles("CRO_USD", "1D", end_ms=99)
    query = parse_qs(urlparse(replay.sent[0].url).query)
    assert query == {
        "instrument_name": ["CRO_USD"],
        "timeframe": ["1D"],
        "count": ["300"],
        "end_ts": ["99"],
    }
    assert candle.close == Decimal(2)


def test_private_methods_are_asked_by_post_with_params_even_when_empty():
    replay = Replay(rows(BALANCE))
    client_of(replay).balance()
    (request,) = replay.sent
    assert request.method == "POST"
    assert request.url.endswith("/exchange/v1/private/user-balance")
    assert request.headers["Content-Type"] == "application/json"
    body = json.loads(request.body)
    assert body["method"] == "private/user-balance"
    assert body["params"] == {}
    assert isinstance(body["id"], int)
    assert isinstance(body["nonce"], int)
    assert len(body["sig"]) == 64


def test_a_limit_is_a_json_number_and_times_are_text():
    replay = Replay(rows(), rows(), rows())
    client = client_of(replay)
    client.trades(start_ns=1619089031996081486, end_ns=1619200052124211357)
    client.order_history(NameSpace.ADVANCED, limit=20, instrument_name="BTC_USD")
    client.order_list_detail(["4611686018427705308", "4611686018427705309"])
    assert [body["method"] for body in replay.bodies] == [
        "private/get-trades",
        "private/advanced/get-order-history",
        "private/advanced/get-order-list-detail",
    ]
    assert [body["params"] for body in replay.bodies] == [
        {"start_time": "1619089031996081486", "end_time": "1619200052124211357", "limit": 100},
        {"limit": 20, "instrument_name": "BTC_USD"},
        {"list_id_list": ["4611686018427705308", "4611686018427705309"]},
    ]


def test_every_request_has_both_timeouts_and_follows_no_redirect():
    replay = Replay(rows(TICKER))
    client_of(replay).tickers()
    assert replay.options[0]["timeout"] == (5.0, 10.0)
    assert client_of(Replay())._transport._session.trust_env is False


def test_within_a_time_reads_wait_and_are_repeated_no_longer_and_writes_as_always():
    replay, clock = Replay(ok({}), ok({}), ok({}), *[requests.ReadTimeout()] * 2), Clock()
    client = client_of(replay, clock, rng=random.Random(1))
    with client.answer_within(3):
        client.order_detail(NameSpace.PLAIN, order_id="1")
        with client.answer_within(60):
            client.order_detail(NameSpace.PLAIN, order_id="1")
        client.oco_cancel("1")
        clock.ms += 2000
        with pytest.raises(Unreachable):
            client.order_detail(NameSpace.PLAIN, order_id="1")
    assert [options["timeout"][1] for options in replay.options[:4]] == [3, 3, 10, 1]
    assert len(replay.sent) == 5
    assert clock.ms - Clock().ms <= 3000


@pytest.mark.parametrize(("answer", "failure"), BROKEN_ANSWERS)
def test_a_read_is_asked_again_and_succeeds(answer, failure):
    clock = Clock()
    client = client_of(Replay(answer, answer, ok({"data": []})), clock)
    assert client.open_orders(NameSpace.PLAIN) == []
    assert client.requests == 3
    assert client.last_error is None
    assert 0 < clock.slept[0] < clock.slept[-1]


@pytest.mark.parametrize(("answer", "failure"), BROKEN_ANSWERS)
def test_a_read_gives_up_after_three_requests_with_one_kind_of_failure(answer, failure):
    client = client_of(Replay(answer, answer, answer))
    with pytest.raises(failure) as caught:
        client.open_orders(NameSpace.PLAIN)
    assert type(caught.value) is failure
    assert caught.value.method == "private/get-open-orders"
    assert client.requests == 3
    assert client.last_error is caught.value


@pytest.mark.parametrize(
    ("code", "failure"),
    [(40004, Refused), (207, TryLater), (40101, AuthError), (40401, NotFound), (55555, Refused)],
)
def test_a_definite_no_is_not_asked_again(code, failure):
    client = client_of(Replay(error_response(code, 500)))
    with pytest.raises(failure) as caught:
        client.positions()
    assert caught.value.code == code
    assert client.requests == 1


def test_the_code_decides_and_not_the_http_status():
    assert client_of(Replay(envelope(500, result={"data": []}))).positions() == []
    with pytest.raises(Refused):
        client_of(Replay(error_response(40003, 200))).positions()


def test_each_request_has_an_id_of_its_own_and_a_failure_names_it():
    replay = Replay(rows(), error_response("40004", message="bad"))
    client = client_of(replay)
    client.positions()
    with pytest.raises(Refused) as caught:
        client.positions()
    first, second = (body["id"] for body in replay.bodies)
    assert first != second
    assert caught.value.request_id == second


def test_an_answer_with_id_and_code_as_text_is_as_good():
    def in_text(request):
        return envelope(id=str(json.loads(request.body)["id"]), code="0", result={"data": []})(request)

    assert client_of(Replay(in_text)).positions() == []


def test_an_answer_without_id_and_method_is_accepted():
    assert client_of(Replay(raw(b'{"code":0,"result":{"data":[]}}'))).positions() == []


@pytest.mark.parametrize(
    "result",
    [None, {}, [], "text", {"data": None}, {"data": {}}, {"data": [7]}, {"data": [{"status": "NEW"}]}],
)
def test_a_result_that_cannot_be_understood_is_a_bad_answer_and_no_empty_list(result):
    client = client_of(Replay(envelope(result=result)))
    with pytest.raises(BadResponse) as caught:
        client.open_orders(NameSpace.PLAIN)
    assert client.last_error is caught.value


def test_one_unreadable_order_spoils_the_list_so_that_none_looks_closed():
    with pytest.raises(BadResponse, match="field order_id is missing"):
        client_of(Replay(rows(ORDER, ORDER | {"order_id": ""}))).open_orders(NameSpace.PLAIN)


def test_one_unreadable_ticker_does_not_hide_the_others(caplog):
    found = client_of(Replay(rows(TICKER, {"i": "NEW_KIND"}))).tickers()
    assert [ticker.instrument_name for ticker in found] == ["CRO_USD"]
    assert "1 of 2 rows left out" in caplog.text


def test_only_unreadable_tickers_are_a_bad_answer():
    with pytest.raises(BadResponse, match="no row is readable"):
        client_of(Replay(rows({"x": 1}, {"x": 2}))).tickers()


def test_an_empty_balance_answer_is_no_empty_account():
    with pytest.raises(BadResponse, match="field data is empty"):
        client_of(Replay(rows())).balance()


@pytest.mark.parametrize("answer", [error_response(40401, 200), error_response("40401", 404), ok({}), ok([])])
def test_an_unknown_order_is_none(answer):
    client = client_of(Replay(answer))
    assert client.order_detail(NameSpace.PLAIN, client_oid="mine-1") is None
    assert client.last_error is None


@pytest.mark.parametrize("answer", [envelope(), envelope(result=None), ok({"status": "ACTIVE"})])
def test_an_answer_that_says_nothing_is_not_an_unknown_order(answer):
    with pytest.raises(BadResponse):
        client_of(Replay(answer)).order_detail(NameSpace.PLAIN, order_id="1")


def test_an_order_is_looked_up_by_either_id_in_either_family():
    replay = Replay(ok(ORDER), ok(ORDER))
    client = client_of(replay)
    assert client.order_detail(NameSpace.PLAIN, order_id="49").name_space is NameSpace.PLAIN
    assert client.order_detail(NameSpace.ADVANCED, client_oid="mine-1").name_space is NameSpace.ADVANCED
    assert [(body["method"], body["params"]) for body in replay.bodies] == [
        ("private/get-order-detail", {"order_id": "49"}),
        ("private/advanced/get-order-detail", {"client_oid": "mine-1"}),
    ]


@pytest.mark.parametrize("ids", [{}, {"order_id": "1", "client_oid": "2"}])
def test_an_order_is_named_by_exactly_one_id(ids):
    with pytest.raises(ValueError, match="exactly one"):
        client_of(Replay()).order_detail(NameSpace.PLAIN, **ids)


def test_the_caller_is_asked_before_each_request_and_may_stop_it():
    asked = []

    def lease_lost(method):
        asked.append(method)
        if len(asked) == 2:
            raise RuntimeError("the lease is gone")

    client = client_of(Replay(error_response(50001, 500)), before_request=lease_lost)
    with pytest.raises(RuntimeError, match="the lease is gone"):
        client.positions()
    assert asked == ["private/get-positions"] * 2
    assert client.requests == 1


def test_repetitions_are_spread_and_grow():
    pauses = []
    for seed in range(5):
        clock = Clock()
        answers = [error_response(50001, 500)] * 3
        with pytest.raises(Unreachable):
            client_of(Replay(*answers), clock, rng=random.Random(seed)).positions()
        assert 0.5 <= clock.slept[0] <= 0.75
        assert 1.0 <= clock.slept[1] <= 1.5
        pauses.append(clock.slept[0])
    assert len(set(pauses)) == 5


def test_after_42901_the_whole_method_is_held_back():
    clock = Clock()
    limiter = Limiter(clock.now, lambda seconds: waited.append(seconds))
    waited = []
    client = client_of(
        Replay(error_response(42901, 429), rows()), clock, limiter=limiter, rng=random.Random(1)
    )
    client.positions()
    assert 1.0 <= clock.slept[0] <= 1.5
    limiter.penalise("private/get-positions", 3)
    limiter.acquire("private/get-positions", True)
    assert waited == [3.0]


class Watching(Limiter):
    """Notes who asked for the reserved share, and lets everybody through."""

    def __init__(self) -> None:
        super().__init__(int, float)
        self.seen = []

    def acquire(self, method, use_reserved):
        self.seen.append(use_reserved)


@pytest.mark.parametrize(("background", "shares"), [(False, [True, True, False]), (True, [False] * 3)])
def test_only_order_calls_use_the_reserved_share_and_none_in_the_background(background, shares):
    limiter = Watching()
    client = client_of(Replay(ok({}), rows(), rows()), limiter=limiter)
    client.background = background
    client.order_detail(NameSpace.PLAIN, order_id="1")
    client.open_orders(NameSpace.ADVANCED)
    client.positions()
    assert limiter.seen == shares
