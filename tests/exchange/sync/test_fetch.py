"""One pull: every read of the cycle, in order, each part complete or with the reason why not."""

from datetime import timedelta
from decimal import Decimal

import pytest

from exchange.client.errors import AuthError
from exchange.core.times import NS_PER_DAY, NS_PER_MS, from_ms
from exchange.models.sync import Stream
from exchange.schemas import NameSpace
from exchange.sync.fetch import MAX_LOOKUPS, FetchPlan, fetch_account
from exchange.sync.pagination import TimeWindow
from tests.support import price_at_ratio

READS = [
    "private/get-open-orders",
    "private/advanced/get-open-orders",
    "private/get-trades",
    "private/user-balance",
    "public/get-tickers",
    "private/get-order-history",
    "private/advanced/get-order-history",
]
LOOK_UPS = 5  # before the histories


class Pulled:
    def __init__(self, world, *, keys=(), known=(), **due):
        self.requested = []
        end = (world.clock_ms + 60_000) * NS_PER_MS
        window = TimeWindow(start_ns=end - NS_PER_DAY, end_ns=end)
        fetch_plan = FetchPlan(
            windows=dict.fromkeys(Stream, window),
            open_keys=keys,
            known_instruments=known,
            **due,
        )
        client = world.client(before_request=self.requested.append)
        self.snapshot = fetch_account(
            client=client, fetch_plan=fetch_plan, clock=lambda: from_ms(world.clock_ms)
        )


def key(order):
    return order.name_space.upper(), order.order_id


def test_the_reads_and_their_order(world):
    """What protection needs first, and of it the balance after the trades that explain it; histories last."""
    pulled = Pulled(world, with_catalogue=True)
    assert pulled.requested == [*READS[:5], "public/get-instruments", *READS[5:]]
    assert pulled.snapshot.errors == []
    assert len(pulled.snapshot.instruments.value) > 40
    assert not pulled.snapshot.is_unanswered


def test_without_need_the_catalogue_is_not_read(world):
    assert Pulled(world).snapshot.instruments is None


@pytest.mark.parametrize("method", READS)
def test_a_part_that_fails_is_not_an_empty_one(world, method):
    world.buy("BTC_USD", "0.01")
    world.faults.add("refuse", method, code=40003)
    snapshot = Pulled(world).snapshot
    parts = [
        snapshot.open_orders[NameSpace.PLAIN],
        snapshot.open_orders[NameSpace.ADVANCED],
        snapshot.trades,
        snapshot.balance,
        snapshot.tickers,
        snapshot.histories[Stream.ORDERS],
        snapshot.histories[Stream.ADVANCED],
    ]
    assert [part.is_complete for part in parts] == [each != method for each in READS]
    failed = parts[READS.index(method)]
    assert failed.value is None
    assert snapshot.errors == [failed.error]
    assert "[40003]" in failed.error


def test_after_two_silences_the_rest_is_not_tried(world):
    world.faults.add("drop_before")
    pulled = Pulled(world)
    assert set(pulled.requested) == set(READS[:2])
    assert pulled.snapshot.is_unanswered
    assert len(pulled.snapshot.errors) == len(READS)
    assert "not tried" in pulled.snapshot.errors[-1]


def test_one_silence_is_not_a_dead_exchange(world):
    for method in (READS[1], READS[3], READS[5]):
        world.faults.add("drop_before", method)
    pulled = Pulled(world)
    assert set(pulled.requested) == set(READS)
    assert len(pulled.snapshot.errors) == 3


def test_what_takes_too_long_is_left_for_the_next_cycle(world):
    world.faults.add("delay", seconds=9)
    pulled = Pulled(world)
    assert pulled.requested == READS[:6]
    assert [error.split(":")[0] for error in pulled.snapshot.errors] == ["Order history (advanced orders)"]
    assert timedelta(milliseconds=world.clock_ms) >= timedelta(seconds=45)


def test_a_refused_key_ends_it_at_once(world):
    """Twice, before anything was answered: then it is the key, and not what it may read."""
    world.faults.add("refuse", "private/*", code=40101)
    with pytest.raises(AuthError):
        Pulled(world)
    assert sum(rule["struck"] for rule in world.faults.rows()) == 2


@pytest.mark.parametrize("method", [one for one in READS if one.startswith("private/")])
def test_a_key_that_may_not_read_one_part_reads_the_others(world, method):
    world.faults.add("refuse", method, code=40101)
    pulled = Pulled(world)
    assert set(pulled.requested) == set(READS)
    assert len(pulled.snapshot.errors) == 1


def test_orders_that_a_list_names_or_a_history_ends_are_not_looked_up(world):
    resting, ended = world.buy("BTC_USD", "0.01", price_at_ratio(world)), world.buy("BTC_USD", "0.01")
    pulled = Pulled(world, keys=[key(resting), key(ended)], late_keys=[key(ended)])
    assert pulled.requested == READS
    assert pulled.snapshot.looked_up == {}


def test_others_are_looked_up_in_their_name_space(world):
    keys = [("PLAIN", "4711"), ("ADVANCED", "4711")]
    pulled = Pulled(world, keys=keys)
    details = ["private/get-order-detail", "private/advanced/get-order-detail"]
    assert pulled.requested[LOOK_UPS : LOOK_UPS + 2] == details
    assert pulled.snapshot.looked_up == dict.fromkeys(keys)


def test_a_failed_list_makes_nobody_look_for_its_orders(world):
    world.faults.add("garbage", READS[0])
    pulled = Pulled(world, keys=[("PLAIN", "4711"), ("ADVANCED", "4712")])
    assert list(pulled.snapshot.looked_up) == [("ADVANCED", "4712")]


def test_a_look_that_fails_proves_nothing(world):
    world.faults.add("garbage", "private/get-order-detail")
    pulled = Pulled(world, keys=[("PLAIN", "4711")])
    assert pulled.snapshot.looked_up == {}
    assert pulled.snapshot.errors[0].startswith("Order 4711: ")


def test_no_more_are_looked_up_than_a_cycle_has_time_for(world):
    pulled = Pulled(world, keys=[("PLAIN", str(n)) for n in range(MAX_LOOKUPS + 20)])
    assert list(pulled.snapshot.looked_up) == [("PLAIN", str(n)) for n in range(MAX_LOOKUPS)]


def test_a_long_history_is_left_where_it_was(world):
    """Five pages a cycle; what is left is told, so that nobody takes it for read."""
    for _ in range(620):
        world.buy("BTC_USD", "0.0001")
        world.tick(1)
    heard = Pulled(world).snapshot.trades.value
    oldest = min(trade.create_time_ns for trade in heard.rows)
    assert len({trade.trade_id for trade in heard.rows}) < 500
    assert heard.left_until_ns <= oldest + 2 * NS_PER_MS
    assert heard.left_until_ns > (world.clock_ms * NS_PER_MS) - NS_PER_DAY


POSITIONS = "private/get-positions"


def test_derivatives_are_asked_for_where_margin_is_tied_up(world):
    assert Pulled(world).snapshot.positions is None
    world.control("position", instrument_name="BTCUSD-PERP", quantity="-0.5", entry_price="60000")
    pulled = Pulled(world)
    assert pulled.requested == [*READS[:5], POSITIONS, *READS[5:]]
    assert [row.quantity for row in pulled.snapshot.positions.value] == [Decimal("-0.5")]


@pytest.mark.parametrize("name", ["total_position_im", "total_position_cost"])
def test_also_where_the_account_does_not_say(world, name):
    world.faults.add("missing_fields", "private/user-balance", fields=[name])
    assert POSITIONS in Pulled(world).requested


def test_and_where_one_was_known_even_if_the_balance_cannot_be_read(world):
    world.faults.add("refuse", "private/user-balance", code=40003)
    assert POSITIONS not in Pulled(world).requested
    assert POSITIONS in Pulled(world, with_positions=True).requested


def test_a_key_that_may_not_ask_for_them_ends_nothing(world):
    world.faults.add("refuse", POSITIONS, code=40101)
    snapshot = Pulled(world, with_positions=True).snapshot
    assert not snapshot.positions.is_complete
    assert snapshot.balance.is_complete
