"""Troubles of the streams on demand: each does what its name says, and harms nothing else."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

import pytest
from websockets.exceptions import ConnectionClosed

from exchange.simulator import stream_faults, stream_server
from exchange.simulator.faults import FaultRule
from exchange.simulator.stream_faults import Message, Outgoing, kinds_for, outgoing
from exchange.simulator.stream_options import STREAM_KINDS
from tests.exchange.simulator.streams import Stream, Streams, streams_of
from tests.exchange.simulator.world import World
from tests.programs import wait_until

QUIET_S = 0.1


@pytest.fixture
def world() -> World:
    return World({"USD": 10_000})


@pytest.fixture
def streams(world: World) -> Iterator[Streams]:
    with streams_of(world) as streams:
        yield streams


def amounts(stream: Stream, count: int) -> list[str]:
    """The next deposits that the journal shows."""
    results = [stream.receive()["result"] for _ in range(count)]
    return [result["data"][0]["transaction_qty"] for result in results]


def nothing_comes(stream: Stream) -> bool:
    try:
        stream.receive(timeout=QUIET_S)
    except TimeoutError:
        return True
    return False


def test_every_kind_is_known_and_no_other(streams: Streams) -> None:
    for kind in STREAM_KINDS:
        streams.fault(kind, "nothing")
    with pytest.raises(AssertionError, match="no fault is called thunder"):
        streams.fault("thunder")
    with pytest.raises(AssertionError, match="no fault is called mute"):
        streams.world.control("faults", kind="mute")


@pytest.mark.parametrize("code", [40101, 40102, 40103])
def test_logging_in_is_refused_with_any_code(streams: Streams, code: int) -> None:
    streams.fault("refuse", "public/auth", code=code, times=1)
    with streams.open() as stream:
        assert stream.log_in()["code"] == code
        assert stream.log_in()["code"] == 0


def test_one_channel_is_refused(streams: Streams) -> None:
    streams.fault("refuse", "user.trade", code=40003, message="Unsupported instrument")
    with streams.user() as stream:
        order, trade = stream.subscribe("user.order", "user.trade")
    assert (order["code"], trade["code"]) == (0, 40003)
    assert (trade["channel"], trade["message"]) == ("user.trade", "Unsupported instrument")


def test_a_mute_stream_answers_and_beats_and_shows_nothing(world: World, streams: Streams) -> None:
    streams.options(first_heartbeat_s=0.05, heartbeat_s=0.05, account_risk_s=0.02)
    streams.fault("mute")
    with streams.user() as stream:
        stream.send("subscribe", params={"channels": ["user.balance", "user.account_risk", "user.trade"]})
        world.deposit("USD", 1)
        seen = [stream.receive() for _ in range(4)]
    answers = [message for message in seen if message["method"] != "public/heartbeat"]
    assert [message["channel"] for message in answers] == ["user.trade"]


def test_heartbeats_and_pings_can_stop_alone(world: World, streams: Streams) -> None:
    streams.options(first_heartbeat_s=0.01, heartbeat_s=0.01, ping_s=0.01, answer_s=5)
    streams.fault("drop", "public/heartbeat")
    streams.fault("drop", "ping")
    with streams.user("user.transactions") as stream:
        assert nothing_comes(stream)
        world.deposit("USD", 1)
        assert amounts(stream, 1) == ["1"]


def test_a_dead_socket_stays_open_and_nothing_comes(world: World, streams: Streams) -> None:
    streams.options(first_heartbeat_s=0.01, heartbeat_s=0.02)
    streams.fault("dead", "user.transactions", nth=2)
    with streams.user("user.transactions") as stream:
        world.deposit("USD", 1)
        for _ in range(100):  # heartbeats that were on their way
            if nothing_comes(stream):
                break
        assert nothing_comes(stream)
        assert not stream.socket.ping().wait(QUIET_S)
        stream.send("subscribe", params={"channels": ["user.order"]})
        assert nothing_comes(stream)
        stream.socket.close_socket()


@pytest.mark.parametrize("code", [1000, 1013])
def test_the_connection_is_closed_with_a_code(world: World, streams: Streams, code: int) -> None:
    streams.fault("close", "user.transactions", nth=2, code=code)
    with streams.user("user.transactions") as stream:
        world.deposit("USD", 1)
        assert stream.closed() == code


def test_the_connection_is_reset(world: World, streams: Streams) -> None:
    streams.fault("reset", "user.transactions", nth=2)
    with streams.user("user.transactions") as stream:
        world.deposit("USD", 1)
        with pytest.raises(ConnectionClosed) as broken:
            stream.receive()
    assert broken.value.rcvd is None
    assert isinstance(broken.value.__cause__, ConnectionResetError)


def test_open_connections_are_dropped_by_hand(world: World, streams: Streams) -> None:
    with streams.user("user.order") as first, streams.open("market") as second:
        wait_until(
            lambda: len(world.control("stream")["sessions"]) == 2
        )  # the second has asked for nothing yet
        (open_one, _) = world.control("stream")["sessions"]
        assert open_one["channels"] == ["user.order"]
        world.control("stream", close=1013, reason="restart")
        assert (first.closed(), second.closed()) == (1013, 1013)
    with streams.user() as third:
        world.control("stream", reset=True)
        assert third.closed() is None


def test_a_delayed_message_comes_late(world: World, streams: Streams) -> None:
    streams.fault("delay", "user.balance", ms=150)
    with streams.user() as stream:
        began = time.monotonic()
        stream.send("subscribe", params={"channels": ["user.balance", "user.order"]})
        channels = [stream.receive()["result"]["channel"] for _ in range(2)]
    assert channels == ["user.order", "user.balance"]
    assert time.monotonic() - began >= 0.15


def test_only_the_first_message_of_a_channel_comes_late(world: World, streams: Streams) -> None:
    streams.fault("late_snapshot", "user.balance", ms=150)
    with streams.user() as stream:
        stream.send("subscribe", params={"channels": ["user.balance"]})
        stream.subscribe("user.trade")
        world.deposit("USD", 1)
        update, snapshot = stream.receive()["result"], stream.receive()["result"]
    assert "account_id" in update
    assert "account_id" not in snapshot


def test_a_message_comes_twice_or_after_the_next_one(world: World, streams: Streams) -> None:
    streams.fault("duplicate", "user.transactions", nth=2)
    streams.fault("reorder", "user.transactions", nth=3)
    with streams.user("user.transactions") as stream:
        for amount in (1, 2, 3):
            world.deposit("USD", amount)
        assert amounts(stream, 4) == ["1", "1", "3", "2"]


def test_a_share_of_messages_is_lost_the_same_with_the_same_seed(world: World, streams: Streams) -> None:
    lost = []
    for _ in range(2):
        world.control("stream_faults", clear=True, seed=7)
        with streams.user("user.transactions") as stream:
            streams.fault("drop", "user.transactions", probability=0.5)
            for amount in range(1, 21):
                world.deposit("USD", amount)
            world.control("stream_faults", clear=True)
            world.deposit("CRO", 99)
            seen = []
            while not seen or seen[-1] != "99":
                seen += amounts(stream, 1)
        lost.append(seen)
    assert lost[0] == lost[1]
    assert 4 <= len(lost[0]) <= 17


def test_unknown_fields_channels_and_numbers(world: World, streams: Streams) -> None:
    streams.fault("unknown_fields", "user.trade", times=1)
    streams.fault("unknown_channel", "user.balance")
    streams.fault("numbers", "user.balance")
    with streams.user() as stream:
        (answer,) = stream.subscribe("user.trade")
        assert "zz_new_field" in answer
        surprise = stream.send("subscribe", params={"channels": ["user.balance"]})
        assert stream.receive()["result"]["channel"] == "user.surprise"
        balance = stream.receive()
    assert balance["id"] == surprise
    assert balance["result"]["data"][0]["total_cash_balance"] == 10_000


def test_text_that_is_broken(world: World, streams: Streams) -> None:
    streams.fault("garbage", "user.transactions", nth=2)
    streams.fault("truncate", "user.transactions", nth=3, keep=0.3)
    with streams.user("user.transactions") as stream:
        for amount in (1, 2, 3):
            world.deposit("USD", amount)
        texts = [stream.socket.recv(timeout=5) for _ in range(3)]
    assert "not json" in texts[0]
    assert len(texts[1]) < len(texts[2]) / 2
    assert '"transaction_qty":"3"' in texts[2]


def test_a_slow_reader_holds_up_nobody_and_is_cut_off(
    world: World, streams: Streams, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_text = stream_faults.as_text
    # Long messages, so that what the kernel holds is soon full.
    monkeypatch.setattr(stream_faults, "as_text", lambda body: as_text(body) + " " * 200_000)
    monkeypatch.setattr(stream_server, "MAX_WAITING", 20)
    channel, longest = "user.transactions", 0.0
    with streams.user(channel) as quick, streams.open(max_queue=1) as slow:
        slow.log_in()
        slow.subscribe(channel)
        for _ in range(500):
            asked = time.monotonic()
            world.deposit("USD", 1)
            longest = max(longest, time.monotonic() - asked)
            assert quick.receive()["result"]["channel"] == channel
            if len(world.exchange.account_feed.sessions) == 1:
                break
        assert len(world.exchange.account_feed.sessions) == 1
        assert longest < 2
        world.deposit("USD", 1)
        assert quick.receive()["result"]["channel"] == channel


def test_a_connection_that_nobody_reads_does_not_hold_up_the_end(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_server, "CLOSE_TIMEOUT_S", 0.2)
    as_text = stream_faults.as_text
    monkeypatch.setattr(stream_faults, "as_text", lambda body: as_text(body) + " " * 500_000)
    with contextlib.ExitStack() as connections:
        with streams_of(world) as streams:
            slow = connections.enter_context(streams.open(max_queue=1))
            slow.log_in()
            slow.subscribe("user.transactions")
            for _ in range(30):
                world.deposit("USD", 1)
            began = time.monotonic()
        assert time.monotonic() - began < 10


def test_a_rule_counts_only_what_it_can_happen_to() -> None:
    every = list(STREAM_KINDS)
    update, ping = Message("user.order", "update", {}), Message("ping", "ping", {})
    assert {"mute", "reorder"} <= set(kinds_for(update, every))
    assert not {"refuse", "late_snapshot"} & set(kinds_for(update, every))
    assert set(kinds_for(ping, every)) == {"drop", "delay", "close", "reset", "dead"}
    rule = FaultRule(1, "delay", detail={"ms": 2000})
    assert outgoing(ping, [rule]) == [Outgoing("ping", delay_s=2.0)]
    body = {"result": {"data": [{"quantity": "0.10"}]}}
    (sent,) = outgoing(Message("user.order", "update", body), [FaultRule(1, "numbers")])
    assert sent.text == '{"result":{"data":[{"quantity":0.1}]}}'
