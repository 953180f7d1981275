"""The user stream itself: logging in, subscribing, heartbeats, limits, and being refused."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest
from websockets.exceptions import InvalidStatus

from exchange.simulator.stream_options import StreamOptions
from tests.exchange.simulator.streams import Streams, streams_of
from tests.exchange.simulator.world import World


@pytest.fixture
def world() -> World:
    return World({"USD": 10_000})


@pytest.fixture
def streams(world: World) -> Iterator[Streams]:
    with streams_of(world) as streams:
        yield streams


def test_logging_in_answers_with_the_id(streams: Streams) -> None:
    with streams.open() as stream:
        assert stream.log_in(id=77) == {"id": 77, "method": "public/auth", "code": 0}


def test_wrong_keys_times_and_addresses_are_refused(world: World, streams: Streams) -> None:
    with streams.open() as stream:
        assert stream.log_in(secret="wrong")["code"] == 40101
        assert stream.log_in(key="unknown")["code"] == 40101
        assert stream.log_in(nonce=world.now_ms() - 120_000)["code"] == 40102
        world.control("access", ip_allowed=False)
        assert stream.log_in()["code"] == 40103
        world.control("access", ip_allowed=True)
        assert stream.log_in()["code"] == 0


def test_nothing_is_shown_before_logging_in(world: World, streams: Streams) -> None:
    with streams.open() as stream:
        (answer,) = stream.subscribe("user.balance")
        assert (answer["code"], answer["method"]) == (40101, "subscribe")
        world.deposit("USD", 1)
        with pytest.raises(TimeoutError):
            stream.receive(timeout=0.05)


def test_each_channel_has_an_answer_of_its_own(streams: Streams) -> None:
    with streams.user() as stream:
        answers = stream.subscribe(
            "user.order", "user.oder", "user.trade.NO_COIN", "user.balance", "ticker.BTC_USD"
        )
    assert [each["code"] for each in answers] == [0, 40003, 40003, 0, 40003]
    assert [each.get("message") for each in answers] == [
        *(None, "Unrecognized channel", "Unknown symbol", None, "Unrecognized channel")
    ]
    assert answers[1] == {
        "id": answers[0]["id"],
        "method": "subscribe",
        "code": 40003,
        "channel": "user.oder",
        "message": "Unrecognized channel",
    }


@pytest.mark.parametrize("accepted", ["user.advance.order", "user.advanced.order"])
def test_one_spelling_alone_may_be_known(streams: Streams, accepted: str) -> None:
    streams.options(advanced_spelling=accepted)
    names = ["user.advance.order", "user.advanced.order"]
    with streams.user() as stream:
        codes = dict(zip(names, [each["code"] for each in stream.subscribe(*names)], strict=True))
    assert codes == {name: 0 if name == accepted else 40003 for name in names}


def test_what_is_unsubscribed_is_shown_no_longer(world: World, streams: Streams) -> None:
    with streams.user("user.balance", "user.transactions") as stream:
        number = stream.send("unsubscribe", params={"channels": ["user.balance"]})
        assert stream.receive() == {"id": number, "method": "unsubscribe", "code": 0}
        world.deposit("USD", 1)
        assert stream.receive()["result"]["channel"] == "user.transactions"


def test_requests_without_method_id_or_sense(streams: Streams) -> None:
    with streams.user() as stream:
        stream.socket.send("no json")
        stream.socket.send("[]")
        stream.socket.send('{"id": 5}')
        answer = stream.receive()
        assert (answer["id"], answer["method"], json.loads(answer["original"])) == (-1, "ERROR", {"id": 5})
        stream.socket.send('{"method": "subscribe", "params": {"channels": ["user.trade"]}}')
        assert stream.receive() == {"id": -1, "method": "subscribe", "code": 0, "channel": "user.trade"}
        stream.socket.send('{"id": 6, "method": "private/nothing"}')
        assert stream.receive()["code"] == 40002
        stream.socket.send('{"id": 7, "method": "subscribe", "params": {"channels": []}}')
        assert stream.receive()["code"] == 40004


def test_subscriptions_have_a_limit(streams: Streams) -> None:
    streams.options(max_subscriptions=1)
    with streams.user("user.order") as stream:
        again, more = stream.subscribe("user.order", "user.trade")
    assert (again["code"], more["code"], more["message"]) == (0, 40107, "Maximum subscriptions exceeded")


def test_there_are_two_streams_and_no_more(streams: Streams) -> None:
    with pytest.raises(InvalidStatus, match="404"), streams.open("other"):
        pass
    with pytest.raises(InvalidStatus, match="403"), streams.open(origin="http://page.example"):
        pass


# Heartbeats


def test_an_answered_heartbeat_keeps_the_connection(streams: Streams) -> None:
    streams.options(first_heartbeat_s=0.02, heartbeat_s=0.05, answer_s=0.2)
    with streams.open() as stream:
        beats = [stream.receive() for _ in range(5)]
    assert {beat["method"] for beat in beats} == {"public/heartbeat"}
    assert all(beat["id"] >= streams.world.now_ms() for beat in beats)


def test_one_that_is_not_answered_in_time_closes_it(streams: Streams) -> None:
    streams.options(first_heartbeat_s=0.02, heartbeat_s=10, answer_s=0.05)
    with streams.open() as stream:
        stream.answers = False
        assert stream.closed() == 1000


def test_or_only_the_third_closes_it(streams: Streams) -> None:
    streams.options(first_heartbeat_s=0.02, heartbeat_s=0.05, answer_s=0.01, unanswered="closed_at_third")
    with streams.open() as stream:
        stream.answers = False
        assert [stream.receive()["method"] for _ in range(2)] == ["public/heartbeat"] * 2
        assert stream.closed() == 1000


def test_an_answer_to_another_heartbeat_is_none(streams: Streams) -> None:
    streams.options(first_heartbeat_s=0.02, heartbeat_s=10, answer_s=0.1)
    with streams.open() as stream:
        stream.answers = False
        stream.receive()
        stream.socket.send('{"id": 1, "method": "public/respond-heartbeat"}')
        assert stream.closed() == 1000


def test_protocol_pings_come_too(streams: Streams) -> None:
    streams.options(ping_s=0.02)
    with streams.user() as stream:
        seen: list[bytes] = []
        protocol = stream.socket.protocol
        received = protocol.events_received

        def recorded() -> object:
            events = received()
            seen.extend(event.data for event in events if getattr(event, "opcode", None) == 9)
            return events

        protocol.events_received = recorded
        end = time.monotonic() + 5
        while len(seen) < 2 and time.monotonic() < end:
            time.sleep(0.01)
    assert len(seen) >= 2


# Limits


def test_the_second_of_connecting_allows_its_share_only(world: World, streams: Streams) -> None:
    world.control("rate_limits", enabled=True)
    world.tick(0.98)
    with streams.open() as stream:
        codes = [stream.log_in()["code"] for _ in range(4)]
        assert codes == [0, 0, 0, 42901]
        world.tick(0.02)
        assert stream.log_in()["code"] == 0


def test_a_full_second_allows_a_hundred_and_fifty(world: World, streams: Streams) -> None:
    world.control("rate_limits", enabled=True)
    with streams.open() as stream:
        for _ in range(151):
            stream.send("unsubscribe", params={"channels": ["x"]})
        codes = [stream.receive()["code"] for _ in range(151)]
    assert codes == [*[40101] * 150, 42901]


# The market stream


def test_market_channels_repeat(world: World, streams: Streams) -> None:
    streams.options(market_s=0.02)
    with streams.open("market") as stream:
        ticker, mark, wrong = stream.subscribe("ticker.BTC_USD", "mark.BTC_USD", "user.order")
        world.set_price("BTC_USD", 61_000)
        moved = stream.until(lambda message: message["result"]["data"][0].get("a") == "61000.00")
    (row,) = ticker["result"]["data"]
    assert set(row) == {*"hlacbkitv", "vv", "oi", "bs", "ks"}
    assert ticker["result"]["instrument_name"] == "BTC_USD"
    assert ticker["result"]["channel"] == "ticker"
    assert set(mark["result"]["data"][0]) == {"v", "t"}
    assert mark["result"]["data"][0]["t"] % 1000 == 0
    assert wrong["code"] == 40003
    assert moved["id"] == -1


def test_there_is_no_logging_in_on_the_market_stream(streams: Streams) -> None:
    with streams.open("market") as stream:
        assert stream.log_in()["code"] == 40002


# Options


@pytest.mark.parametrize(
    "changes",
    [{"heartbeat_s": 0}, {"heartbeat_s": True}, {"unanswered": "never"}, {"colour": 1}, {"tick_s": "soon"}],
)
def test_an_option_has_a_name_and_a_value(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        StreamOptions().with_changes(changes)
