"""Every official, recorded and third-party payload of the methods we use goes through a whole client call."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from exchange.client.client import Client
from exchange.client.errors import AuthError, ExchangeError, RateLimited, Refused, UnknownOutcome, Unreachable
from exchange.schemas import Candle, NameSpace, NewOrder, Order, Ticker, Trade
from tests.exchange.replay import Replay, client_of, envelope

FIXTURES = Path(__file__).parents[2] / "fixtures"
PLAIN, ADVANCED = NameSpace.PLAIN, NameSpace.ADVANCED
CLIENT_OID = "c5f682ed-7108-4f1c-b755-972fcdca0f02"


def sell(client_oid: str = CLIENT_OID) -> NewOrder:
    return NewOrder(
        instrument_name="CRO_USD", side="SELL", type="MARKET", quantity=Decimal(1), client_oid=client_oid
    )


CALLS = {
    "public/get-instruments": lambda client, oid: client.instruments(),
    "public/get-tickers": lambda client, oid: client.tickers(),
    "public/get-candlestick": lambda client, oid: client.candles("CRO_USD", "1D"),
    "public/get-book": lambda client, oid: client.book("CRO_USD"),
    "public/get-valuations": lambda client, oid: client.valuations("BTCUSD-INDEX", "index_price"),
    "private/user-balance": lambda client, oid: client.balance(),
    "private/get-accounts": lambda client, oid: client.accounts(),
    "private/get-fee-rate": lambda client, oid: client.fee_rate(),
    "private/get-positions": lambda client, oid: client.positions(),
    "private/get-open-orders": lambda client, oid: client.open_orders(PLAIN),
    "private/get-order-detail": lambda client, oid: client.order_detail(PLAIN, order_id="1"),
    "private/get-order-history": lambda client, oid: client.order_history(PLAIN),
    "private/get-trades": lambda client, oid: client.trades(),
    "private/create-order": lambda client, oid: client.order_create(PLAIN, sell(oid)),
    "private/cancel-order": lambda client, oid: client.order_cancel(PLAIN, client_oid=oid),
    "private/cancel-all-orders": lambda client, oid: client.orders_cancel_all(PLAIN),
    "private/advanced/create-order": lambda client, oid: client.order_create(ADVANCED, sell(oid)),
    "private/advanced/create-oco": lambda client, oid: client.oco_create(sell("1"), sell("2")),
    "private/advanced/cancel-oco": lambda client, oid: client.oco_cancel("1"),
    "private/advanced/cancel-order": lambda client, oid: client.order_cancel(ADVANCED, client_oid=oid),
    "private/advanced/cancel-all-orders": lambda client, oid: client.orders_cancel_all(ADVANCED),
    "private/advanced/get-open-orders": lambda client, oid: client.open_orders(ADVANCED),
    "private/advanced/get-order-detail": lambda client, oid: client.order_detail(ADVANCED, order_id="1"),
    "private/advanced/get-order-history": lambda client, oid: client.order_history(ADVANCED),
    "private/advanced/get-order-list-detail": lambda client, oid: client.order_list_detail(["1"]),
}
ON_READ = {400: Refused, 401: AuthError, 408: Unreachable, 429: RateLimited, 500: Unreachable}
ON_WRITE = ON_READ | {408: UnknownOutcome, 500: UnknownOutcome}


def load(path: Path):
    return json.loads(path.read_text())


def official(path: Path):
    """(method, HTTP status, body) of each official answer."""
    fixture = load(path)
    return [(fixture["method"], one["http_status"], one["body"]) for one in fixture["responses"]]


def recorded(path: Path):
    """(method, 200, body) of each production recording; samples of rows stand for the whole."""
    fixture = load(path)
    for event in fixture.get("events") or fixture["items"]:
        data = event.get("result.data", event.get("result.data_sample"))
        result = event.get("result") if data is None else {"data": data, "instrument_name": "CRO_USDT"}
        if event["verb"] != "WS":
            yield event["method"], 200, {"method": event["method"], "code": 0, "result": result}


OFFICIAL = [one for path in sorted((FIXTURES / "examples").glob("p*.json")) for one in official(path)]
LIVE = [one for path in sorted((FIXTURES / "live-recorded").glob("*.json")) for one in recorded(path)]
CCXT = [
    (one["response"]["method"], 200, one["response"])
    for one in load(FIXTURES / "ccxt-recorded" / "response.json")["responses"]
]
OURS = [one for one in OFFICIAL + LIVE + CCXT if one[0] in CALLS]
ACCEPTED = [one for one in OURS if one[1] == 200]
REFUSED = [one for one in OURS if one[1] != 200]


def ask(method: str, status: int, body: dict):
    """One client call answered by the recorded body, its id replaced by that of our request."""
    fields = {name: value for name, value in body.items() if name != "id"}
    result = fields.get("result")
    client_oid = result.get("client_oid", CLIENT_OID) if isinstance(result, dict) else CLIENT_OID
    client: Client = client_of(Replay(*[envelope(status, **fields)] * 3))
    return CALLS[method](client, client_oid)


def name_of(one) -> str:
    return f"{one[0]}-{one[1]}" if isinstance(one, tuple) else ""


@pytest.mark.parametrize("one", ACCEPTED, ids=name_of)
def test_a_recorded_answer_becomes_values(one):
    method, _, body = one
    found = ask(*one)
    data = (body.get("result") or {}).get("data")
    if isinstance(found, list):
        assert len(found) == len(data)
    elif "/get-" in method or method.endswith("user-balance"):
        assert found is not None


@pytest.mark.parametrize("one", REFUSED, ids=name_of)
def test_an_official_refusal_becomes_the_promised_failure(one):
    method, status, body = one
    expected = ON_WRITE if "/create-" in method or "/cancel-" in method else ON_READ
    with pytest.raises(ExchangeError) as caught:
        ask(*one)
    assert type(caught.value) is expected[status]
    assert caught.value.code == int(body["code"])


def test_each_method_has_an_example():
    assert {one[0] for one in ACCEPTED} == set(CALLS)
    assert len(ACCEPTED) > 80


def test_the_recorded_notional_buy_ends_cancelled_with_fills():
    path = FIXTURES / "live-recorded" / "spot-market-notional-buy-then-sell-2026-08-01.json"
    details = [ask(*one) for one in recorded(path) if one[0] == "private/get-order-detail"]
    assert details[0].status == "CANCELED"
    assert details[0].cumulative_quantity == 18 > details[0].quantity
    assert details[0].limit_price is None
    assert details[0].reason == 0


def test_the_official_list_has_an_untriggered_leg_with_its_trigger():
    (one,) = [one for one in OFFICIAL if one[0].endswith("get-order-list-detail") and one[1] == 200]
    limit, stop = ask(*one)
    assert (limit.status, stop.status) == ("FILLED", "PENDING")
    assert (stop.limit_price, stop.ref_price) == (None, Decimal(90000))
    assert limit.list_id == stop.list_id == "4611686018427705309"
    assert limit.cumulative_fee == Decimal("-2.5")


def test_the_recorded_trade_has_the_right_fee():
    path = FIXTURES / "live-recorded" / "spot-market-notional-buy-then-sell-2026-08-01.json"
    ((_, bought),) = [ask(*one) for one in recorded(path) if one[0] == "private/get-trades"]
    assert (bought.fee, bought.fee_instrument_name) == (Decimal("-0.0045333"), "USD")
    assert bought.create_time_ns == 1785587305885541440


def streamed(channel: str):
    """Rows pushed on one channel, official and recorded."""
    items = load(FIXTURES / "examples" / "websocket.json")["items"]
    results = [item.get("message", {}).get("result", {}) for item in items]
    for path in sorted((FIXTURES / "live-recorded").glob("*.json")):
        fixture = load(path)
        events = fixture.get("events") or fixture["items"]
        results += [
            event.get("result") or event.get("result_sample") for event in events if event["verb"] == "WS"
        ]
    return [row for result in results if result.get("channel") == channel for row in result["data"]]


@pytest.mark.parametrize(
    ("channel", "build"),
    [
        ("user.order", lambda row: Order.from_row(row, PLAIN).order_id),
        ("user.advance.order", lambda row: Order.from_row(row, ADVANCED).order_id),
        ("user.trade", lambda row: Trade.from_row(row).trade_id),
        ("ticker", lambda row: Ticker.from_row(row).instrument_name),
        ("candlestick", lambda row: Candle.from_row(row).time_ms),
    ],
)
def test_streamed_rows_have_the_same_shape(channel, build):
    found = [build(row) for row in streamed(channel)]
    assert found
    assert all(found)
