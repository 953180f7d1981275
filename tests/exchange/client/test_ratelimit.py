"""No window of the exchange's limits is ever overrun, and orders always find a place in it (dossier 4)."""

from random import Random

import pytest

from exchange.client.ratelimit import Limiter, limit_of
from exchange.schemas import NameSpace
from tests.exchange.replay import Clock


def limiter_of(clock, **options) -> Limiter:
    if isinstance(clock, Clock):
        return Limiter(clock.now, clock.sleep, **options)
    return Limiter(clock.now_ms, clock.tick, **options)


def calls(method: str, count: int, use_reserved: bool) -> list[int]:
    """When each of `count` calls made as fast as possible was let through."""
    clock = Clock(0)
    limiter = limiter_of(clock)
    times = []
    for _ in range(count):
        limiter.acquire(method, use_reserved)
        times.append(clock.ms)
    return times


@pytest.mark.parametrize(
    ("method", "limit", "window_ms"),
    [
        ("private/create-order", 15, 100),
        ("private/cancel-order", 15, 100),
        ("private/cancel-all-orders", 15, 100),
        ("private/get-order-detail", 30, 100),
        ("private/get-trades", 1, 1000),
        ("private/get-order-history", 1, 1000),
        ("private/user-balance", 3, 100),
        ("private/get-open-orders", 3, 100),
        ("private/advanced/create-order", 3, 100),
        ("private/advanced/get-order-history", 3, 100),
        ("public/get-tickers", 100, 1000),
    ],
)
def test_no_window_holds_more_calls_than_the_exchange_allows(method, limit, window_ms):
    times = calls(method, 4 * limit, use_reserved=True)
    assert times[limit - 1] == 0
    assert all(times[i + limit] - times[i] >= window_ms * 1.05 for i in range(3 * limit))


@pytest.mark.parametrize("method", ["private/create-order", "private/advanced/get-order-detail"])
def test_other_calls_leave_a_share_for_orders(method):
    clock = Clock(0)
    limiter = limiter_of(clock)
    free = limit_of(method).calls - limit_of(method).reserved
    for _ in range(free):
        limiter.acquire(method, False)
    for _ in range(limit_of(method).reserved):
        limiter.acquire(method, True)
    assert clock.slept == []
    limiter.acquire(method, True)
    assert clock.slept == [0.105]


def test_other_calls_wait_before_they_touch_the_share():
    assert calls("private/advanced/get-order-detail", 3, use_reserved=False) == [0, 0, 105]


def test_a_limit_of_one_is_not_shared():
    assert calls("private/get-trades", 3, use_reserved=False) == [0, 1050, 2100]


def test_the_window_begins_with_the_answer():
    """A call counts when it arrives: at the latest when it is answered."""
    clock = Clock(0)
    limiter = limiter_of(clock)
    limiter.acquire("private/get-trades", False)
    clock.ms += 400
    limiter.answered("private/get-trades")
    limiter.acquire("private/get-trades", False)
    assert clock.slept == [1.05]


def test_after_another_process_a_window_is_waited_for_and_no_more():
    clock = Clock(0)
    limiter = limiter_of(clock)
    limiter.assume_idle(300)
    limiter.acquire("private/get-trades", False)
    limiter.acquire("private/user-balance", False)
    assert clock.slept == [0.75]


def test_a_window_of_our_own_is_full_too_when_another_process_has_called_since():
    """A client that is kept between two leases."""
    clock = Clock(0)
    limiter = limiter_of(clock)
    limiter.acquire("private/get-trades", False)
    limiter.acquire("private/user-balance", False)
    clock.ms = 60_000
    limiter.assume_idle(10)
    limiter.acquire("private/user-balance", True)
    limiter.acquire("private/get-trades", False)
    assert clock.slept == [0.095, 0.945]


def test_calls_of_our_own_after_those_of_others_count_as_well():
    clock = Clock(0)
    limiter = limiter_of(clock)
    for _ in range(3):
        limiter.acquire("private/user-balance", True)
    limiter.assume_idle(50)
    limiter.acquire("private/user-balance", True)
    assert clock.slept == [0.105]


@pytest.mark.parametrize("kept", [False, True], ids=["new client", "kept client"])
@pytest.mark.parametrize("seed", range(3))
def test_two_processes_with_one_key_are_never_refused(world, seed, kept):
    """They take turns under the lease; each call is up to 80 ms on its way, and so is its answer."""
    rng = Random(seed)
    world.exchange.limits.enabled = True
    released_ms, refused = None, []

    def new_client():
        return world.client(
            limiter=limiter_of(world), before_request=lambda _: world.tick(rng.uniform(0.005, 0.08))
        )

    clients = [new_client(), new_client()]
    for turn in range(100):
        client = clients[turn % 2] if kept else new_client()
        if released_ms is not None:
            client.assume_idle(world.now_ms() - released_ms)
        for read in (client.trades, lambda: client.order_history(NameSpace.PLAIN), client.balance):  # noqa: B023
            for _ in range(rng.randint(1, 4)):
                read()
        refused += client.error_codes
        released_ms = world.now_ms()
        world.tick(rng.uniform(0, 1))
    assert refused == []


def test_methods_do_not_wait_for_each_other():
    clock = Clock(0)
    limiter = limiter_of(clock)
    limiter.acquire("private/get-trades", False)
    limiter.acquire("private/get-order-history", False)
    assert clock.slept == []


def test_after_a_refusal_the_method_is_held_back_and_others_are_not():
    clock = Clock(0)
    limiter = limiter_of(clock)
    limiter.penalise("private/create-order", 2.5)
    limiter.acquire("private/cancel-order", True)
    assert clock.slept == []
    limiter.acquire("private/create-order", True)
    assert clock.slept == [2.5]


def test_a_clock_that_is_set_back_costs_at_most_one_window():
    clock = Clock(1_000_000)
    limiter = limiter_of(clock)
    limiter.acquire("private/get-trades", False)
    clock.ms = 0
    limiter.acquire("private/get-trades", False)
    assert clock.slept == [1.05]


def test_it_can_be_switched_off():
    clock = Clock(0)
    limiter = limiter_of(clock, enabled=False)
    for _ in range(10):
        limiter.acquire("private/get-trades", False)
    assert clock.slept == []
