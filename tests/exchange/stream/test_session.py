"""One connection to the simulator's user stream: how it begins, what it brings, and how it ends."""

import time

import pytest

from exchange.client.auth import Credentials
from exchange.client.errors import AuthError, ClockError, ExchangeError, Unreachable
from exchange.stream.messages import Channel
from exchange.stream.session import StreamSession, Timings
from tests.exchange.simulator.streams import streams_of
from tests.exchange.simulator.world import KEY, SECRET, World

QUICK = Timings(before_auth=0, answer=3, other_answers=0.3, poll=0.1, connect=3)


@pytest.fixture
def world():
    world = World({"USD": 10_000, "BTC": "0.5"})
    world.set_price("BTC_USD", 60_000)
    return world


@pytest.fixture
def streams(world):
    with streams_of(world) as streams:
        yield streams


def session_of(streams, *, key=KEY, secret=SECRET, timings=QUICK, **options):
    return StreamSession(
        f"{streams.root}/user",
        Credentials(key, secret),
        timings=timings,
        now_ms=streams.world.now_ms,
        **options,
    )


def events_until(session, wanted, seconds=5):
    """All events up to the first for which `wanted` is true."""
    found, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        event = session.receive()
        if event is not None:
            found.append(event)
            if wanted(event):
                return found
    raise AssertionError(f"it did not come, but {found}")


def test_a_fill_comes_as_order_trade_and_balance(world, streams):
    order = world.buy("BTC_USD", "0.01", 50_000)
    with session_of(streams) as session:
        world.fill(order)
        events = events_until(
            session, lambda event: event.channel is Channel.BALANCE and "0.50997575" in str(event.rows)
        )
    (trade,) = [row for event in events if event.channel is Channel.TRADES for row in event.rows]
    assert trade["order_id"] == order.order_id
    orders = [row for event in events if event.channel is Channel.ORDERS for row in event.rows]
    assert [(row["order_id"], row["status"]) for row in orders] == [
        (order.order_id, "ACTIVE"),
        (order.order_id, "FILLED"),
    ]


def test_stops_are_seen_under_their_own_channel(world, streams):
    with session_of(streams) as session:
        world.send_manually(
            "private/advanced/create-order",
            instrument_name="BTC_USD",
            side="SELL",
            type="STOP_LOSS",
            quantity="0.01",
            ref_price="55000",
        )
        (*_, event) = events_until(
            session, lambda event: event.channel is Channel.ADVANCED_ORDERS and event.rows
        )
    assert event.rows[0]["status"] in ("NEW", "PENDING", "ACTIVE")


@pytest.mark.parametrize("spelling", ["user.advance.order", "user.advanced.order"])
def test_either_spelling_of_the_advanced_channel_does(streams, spelling):
    streams.options(advanced_spelling=spelling)
    with session_of(streams) as session:
        assert session.report.refused == {}


def test_a_refused_essential_channel_ends_the_session_with_its_code(streams):
    streams.fault("refuse", "user.trade", code=40003)
    with pytest.raises(ExchangeError, match=r"\[40003\]"), session_of(streams):
        pass


def test_another_refused_channel_is_noted(streams):
    streams.fault("refuse", "user.transactions", code=40003, message="Unrecognized channel")
    with session_of(streams) as session:
        end = time.monotonic() + 5
        while not session.report.refused and time.monotonic() < end:
            session.receive()
        assert list(session.report.refused) == [Channel.TRANSACTIONS]
        assert session.report.refused[Channel.TRANSACTIONS].code == 40003


@pytest.mark.parametrize(("code", "error"), [(40101, AuthError), (40102, ClockError), (40103, AuthError)])
def test_a_refused_key_needs_a_person(streams, code, error):
    streams.fault("refuse", "public/auth", code=code)
    with pytest.raises(error, match=str(code)) as caught, session_of(streams):
        pass
    assert caught.value.remedy
    assert SECRET not in str(caught.value)
    assert KEY not in str(caught.value)


def test_a_wrong_secret_is_refused_as_the_exchange_does(streams):
    with pytest.raises(AuthError, match="40101"), session_of(streams, secret="wrong"):
        pass


def test_without_an_answer_to_the_key_it_gives_up(streams):
    streams.fault("drop", "public/auth")
    with (
        pytest.raises(Unreachable, match="no answer in time"),
        session_of(streams, timings=Timings(before_auth=0, answer=0.3, poll=0.1)),
    ):
        pass


def test_without_an_answer_for_a_channel_it_gives_up(streams):
    streams.fault("drop", "user.trade")
    with (
        pytest.raises(Unreachable, match=r"user\.trade: no answer in time"),
        session_of(streams, timings=Timings(before_auth=0, answer=0.5, poll=0.1)),
    ):
        pass


def test_nobody_at_the_address():
    session = StreamSession("ws://127.0.0.1:1/user", Credentials(KEY, SECRET), timings=QUICK)
    with pytest.raises(Unreachable, match="no connection"), session:
        pass


@pytest.mark.parametrize(("kind", "text"), [("close", "closed the connection"), ("reset", "broke")])
def test_an_ended_connection_is_an_error(world, streams, kind, text):
    with session_of(streams) as session:
        streams.fault(kind, "user.order")
        world.buy("BTC_USD", "0.01", 50_000)
        with pytest.raises(Unreachable, match=text):
            events_until(session, lambda event: False)


def test_heartbeats_are_answered(streams):
    """The simulator closes a connection that leaves one unanswered for 0.2 s."""
    streams.options(first_heartbeat_s=0.1, heartbeat_s=0.1, answer_s=0.2)
    with session_of(streams) as session:
        end = time.monotonic() + 1
        while time.monotonic() < end:
            session.receive()


def test_a_dead_connection_is_noticed_by_its_missing_pongs(streams):
    timings = Timings(before_auth=0, answer=3, poll=0.1, ping=0.2, ping_answer=0.3)
    with session_of(streams, timings=timings) as session:
        streams.fault("dead", "user.account_risk")
        streams.options(account_risk_s=0.05)
        began = time.monotonic()
        with pytest.raises(Unreachable):
            events_until(session, lambda event: False, seconds=10)
    assert time.monotonic() - began < 9


def test_a_peer_that_only_answers_pings_is_given_up_after_the_silence(streams):
    streams.options(account_risk_s=3600, first_heartbeat_s=3600)
    times = {"now": 0.0}
    with session_of(streams, monotonic=lambda: times["now"]) as session:
        while session.receive() is not None:
            pass
        times["now"] = 69
        assert session.receive() is None
        times["now"] = 71
        with pytest.raises(Unreachable, match="no message for 71 s"):
            session.receive()


@pytest.mark.parametrize(
    "kind", ["unknown_fields", "unknown_channel", "numbers", "duplicate", "late_snapshot"]
)
def test_what_is_unusual_is_survived(world, streams, kind):
    streams.fault(kind, "*", ms=50)
    order = world.buy("BTC_USD", "0.01", 50_000)
    with session_of(streams) as session:
        world.fill(order)
        events = events_until(session, lambda event: event.channel is Channel.TRADES and event.rows)
    assert events[-1].rows[0]["order_id"] == order.order_id


def test_damaged_messages_are_counted(world, streams):
    with session_of(streams) as session:
        streams.fault("garbage", "user.order")
        order = world.buy("BTC_USD", "0.01", 50_000)
        world.fill(order)
        events_until(session, lambda event: event.channel is Channel.TRADES and event.rows)
        assert session.report.unreadable >= 1
