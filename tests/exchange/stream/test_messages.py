"""Every recorded and documented message of the stream, and what no document describes."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exchange.client.responses import UnreadableResponse
from exchange.schemas import NameSpace, Order, Trade
from exchange.stream.messages import (
    ESSENTIAL,
    Answer,
    Channel,
    Heartbeat,
    StreamEvent,
    UnknownMessage,
    channel_of,
    parse_message,
)

FIXTURES = Path(__file__).parent.parent.parent / "fixtures"
OFFICIAL = json.loads((FIXTURES / "examples/websocket.json").read_text())["items"]
RECORDED = [
    event["result"]
    for path in sorted((FIXTURES / "live-recorded").glob("*.json"))
    for event in json.loads(path.read_text()).get("events", ())
    if event.get("verb") == "WS" and str(event["result"].get("channel", "")).startswith("user.")
]


def read(message):
    text = message if isinstance(message, str | bytes) else json.dumps(message)
    return parse_message(text, lambda text: text)


def push(result, request_id=-1):
    return {"id": request_id, "method": "subscribe", "code": 0, "result": result}


def test_recorded_snapshots_and_updates_are_events_of_their_channel():
    assert len(RECORDED) >= 4
    for result in RECORDED:
        (event,) = read(push(result))
        assert isinstance(event, StreamEvent)
        assert event.channel == channel_of(result["subscription"])
        assert list(event.rows) == result["data"]
        assert event.unreadable == 0


def test_recorded_rows_are_rows_of_the_schemas():
    """What the stream keeps of orders, the client reads as well; ids beyond 2^53 stay exact."""
    rows = {channel: [] for channel in Channel}
    for result in RECORDED:
        (event,) = read(push(result))
        rows[event.channel] += event.rows
    assert rows[Channel.ORDERS]
    for row in rows[Channel.ORDERS]:
        assert Order.from_row(row, NameSpace.PLAIN).order_id == row["order_id"]
    for row in rows[Channel.TRADES]:
        assert Trade.from_row(row).trade_id == row["trade_id"]


def test_the_first_rows_of_a_channel_answer_its_subscription_as_well():
    snapshot = {"subscription": "user.order.CRO_USD", "channel": "user.order.CRO_USD", "data": []}
    answer, event = read(push(snapshot, request_id=7))
    assert (answer.envelope.request_id, answer.envelope.code, answer.channel) == (7, 0, Channel.ORDERS)
    assert event == StreamEvent(Channel.ORDERS, [])


@pytest.mark.parametrize(
    "message",
    [one["message"] for one in OFFICIAL if one["name"].startswith("user.")],
    ids=lambda message: message["result"]["channel"],
)
def test_documented_messages_are_answer_and_event(message):
    answer, event = read(message)
    assert isinstance(answer, Answer)
    assert answer.channel is event.channel is channel_of(message["result"]["channel"])
    assert list(event.rows) == json.loads(json.dumps(message["result"]["data"]))
    assert event.instrument_name == message["result"].get("instrument_name", "")


def test_a_documented_answer_to_a_subscription_names_no_channel():
    (documented,) = (one["initial_response"] for one in OFFICIAL if one["name"] == "subscribe")
    (answer,) = read(documented)
    assert (answer.envelope.code, answer.channel) == (0, None)


def test_an_answer_without_data_names_its_channel():
    (answer,) = read({"id": 7, "method": "subscribe", "code": 0, "channel": "user.trade"})
    assert (answer.channel, answer.envelope.code) == (Channel.TRADES, 0)


def test_a_refused_channel_says_so_with_its_code():
    refused = {"id": 7, "method": "subscribe", "code": 40003, "channel": "user.advance.order"}
    (answer,) = read(refused | {"message": "Unrecognized channel"})
    assert answer.channel is Channel.ADVANCED_ORDERS
    assert (answer.envelope.code, answer.envelope.exchange_message) == (40003, "Unrecognized channel")


def test_an_error_without_an_id_is_seen():
    error = {"id": -1, "method": "ERROR", "code": 10004, "message": "BAD_REQUEST", "original": "{…}"}
    (answer,) = read(error)
    assert isinstance(answer, Answer)
    assert (answer.envelope.request_id, answer.envelope.code, answer.channel) == (None, 10004, None)


@pytest.mark.parametrize("number", [12, "12", 9007199254740993])
def test_a_heartbeat_is_answered_with_the_same_id(number):
    assert read({"id": number, "method": "public/heartbeat", "code": 0}) == [Heartbeat(int(number))]


@pytest.mark.parametrize(
    ("name", "channel"),
    [
        ("user.order", Channel.ORDERS),
        ("user.order.BTC_USD", Channel.ORDERS),
        ("user.advance.order", Channel.ADVANCED_ORDERS),
        ("user.advanced.order.BTCUSD-PERP", Channel.ADVANCED_ORDERS),
        ("user.orders", None),
        ("user.balance", Channel.BALANCE),
        ("user.position_balance", None),
        ("user", None),
        ("", None),
        (None, None),
        (["user.order"], None),
    ],
)
def test_a_channel_is_known_alone_and_with_an_instrument(name, channel):
    assert channel_of(name) is channel


def test_the_subscription_decides_where_the_channel_says_something_else():
    result = {
        "subscription": "user.advance.order.BTCUSD",
        "channel": "user.advanced.order",
        "data": [{"a": 1}],
    }
    (event,) = read(push(result))
    assert event.channel is Channel.ADVANCED_ORDERS


@pytest.mark.parametrize(
    "message",
    [
        {"method": "public/news", "result": "hello"},
        push({"subscription": "user.surprise", "data": [{}]}),
        push({"data": [{}]}),
        {"id": 1},
        {},
    ],
)
def test_what_nobody_described_is_survived(message):
    (one,) = read(message)
    assert isinstance(one, UnknownMessage)


def test_rows_that_are_none_are_counted():
    result = {"subscription": "user.trade", "data": [{"trade_id": 1}, "surprise", None]}
    (event,) = read(push(result))
    assert (list(event.rows), event.unreadable) == ([{"trade_id": 1}], 2)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not json",
        "<html>",
        "[]",
        '{"id": 1, "code": NaN}',
        b"\xff\xfe",
        '{"method": "public/heartbeat"}',
        "[" * 9999,
    ],
)
def test_what_is_not_a_message_is_one_kind_of_error(text):
    with pytest.raises(UnreadableResponse):
        read(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
WORDS = st.sampled_from(["subscribe", "public/auth", "public/heartbeat", "ERROR"]) | JSON
NAMES = st.sampled_from(sorted(ESSENTIAL)) | JSON


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=60)
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "id": JSON,
            "method": WORDS,
            "code": JSON,
            "channel": NAMES,
            "result": JSON
            | st.fixed_dictionaries({}, optional={"subscription": NAMES, "channel": NAMES, "data": JSON}),
        },
    )
)
def test_whatever_comes_is_read_or_refused(message):
    try:
        found = read(json.dumps(message))
    except UnreadableResponse:
        return
    assert found
