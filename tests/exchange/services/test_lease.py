"""Only one holder at a time talks to the exchange, and whoever lost the lease finds out before it acts."""

import os
import subprocess
import sys
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models.functions import Now

from exchange.models import Lease
from exchange.services.lease import LEASE_DURATION, LeaseLost, lease_holder, lease_take


def expire():
    Lease.objects.update(expires_at=Now() - timedelta(seconds=1))


@pytest.mark.django_db
def test_the_second_taker_goes_away_empty():
    first = lease_take(purpose="cycle")
    assert lease_take(purpose="cycle") is None
    assert lease_holder() == first.holder
    assert first.holder.startswith("cycle ")


@pytest.mark.django_db
def test_released_it_is_free_at_once():
    lease_take(purpose="cycle").release()
    assert lease_holder() == ""
    assert lease_take(purpose="history") is not None


@pytest.mark.django_db
def test_a_dead_holder_blocks_for_thirty_seconds_and_not_longer():
    assert timedelta(seconds=30) == LEASE_DURATION
    first = lease_take(purpose="cycle")
    expire()
    second = lease_take(purpose="cycle")
    assert second is not None
    assert lease_holder() == second.holder != first.holder


@pytest.mark.django_db
def test_the_token_grows_with_every_holder():
    tokens = []
    for _ in range(3):
        lease = lease_take(purpose="cycle")
        tokens.append(lease.token)
        lease.release()
    assert tokens == sorted(set(tokens))


@pytest.mark.django_db
def test_renewing_moves_the_end():
    lease = lease_take(purpose="cycle")
    expire()
    lease.renew()
    assert lease_holder() == lease.holder
    assert lease_take(purpose="cycle") is None


@pytest.fixture
def clock(monkeypatch):
    times = {"now": 1000.0}
    monkeypatch.setattr("exchange.services.lease.seconds", lambda: times["now"])
    return times


@pytest.mark.django_db
def test_a_read_soon_after_a_renewal_does_without_one(clock, django_assert_num_queries):
    lease = lease_take(purpose="cycle")
    with django_assert_num_queries(1):
        lease.before_request("private/get-trades")
        lease.before_request("private/user-balance")
        clock["now"] += 1
        lease.before_request("public/get-tickers")
    clock["now"] += 0.1
    with django_assert_num_queries(1):
        lease.before_request("private/get-trades")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "method",
    [
        "private/create-order",
        "private/advanced/create-oco",
        "private/cancel-order",
        "private/advanced/amend-order",
        "private/whatever-comes",
    ],
)
def test_before_a_write_it_is_always_renewed(clock, method):
    sleeper = lease_take(purpose="cycle")
    sleeper.renew()
    expire()
    lease_take(purpose="cycle")
    sleeper.before_request("private/get-trades")
    with pytest.raises(LeaseLost):
        sleeper.before_request(method)


@pytest.mark.django_db
def test_whoever_slept_finds_out_at_the_next_read(clock):
    sleeper = lease_take(purpose="cycle")
    sleeper.renew()
    clock["now"] += 31
    expire()
    lease_take(purpose="cycle")
    with pytest.raises(LeaseLost):
        sleeper.before_request("private/get-trades")


@pytest.mark.django_db
def test_who_slept_through_the_end_must_not_go_on():
    sleeper = lease_take(purpose="cycle")
    expire()
    lease_take(purpose="cycle")
    with pytest.raises(LeaseLost, match="went to another holder"):
        sleeper.renew()


@pytest.mark.django_db
def test_who_slept_must_not_go_on_even_when_the_other_is_done_already():
    sleeper = lease_take(purpose="cycle")
    expire()
    lease_take(purpose="cycle").release()
    with pytest.raises(LeaseLost):
        sleeper.renew()


@pytest.mark.django_db
def test_a_stranger_releases_nothing():
    sleeper = lease_take(purpose="cycle")
    expire()
    holder = lease_take(purpose="cycle")
    sleeper.release()
    assert lease_holder() == holder.holder
    holder.renew()


RACE = """
import threading
from concurrent.futures import ThreadPoolExecutor

import django

django.setup()
from django.core.management import call_command
from django.db import connection

from exchange.services.lease import lease_take

start = threading.Barrier(6)


def take(_):
    start.wait()
    try:
        return lease_take(purpose="cycle")
    finally:
        connection.close()


call_command("migrate", "exchange", verbosity=0)
for _ in range(5):
    with ThreadPoolExecutor(6) as pool:
        (winner,) = [held for held in pool.map(take, range(6)) if held is not None]
    winner.release()
print("one winner each time")
"""


@pytest.mark.django_db
def test_of_many_takers_at_the_same_moment_exactly_one_wins(tmp_path):
    """In a process of its own: the tests' SQLite lives in memory, where there is no waiting for locks."""
    address = f"sqlite:///{tmp_path / 'race.sqlite3'}"
    if connection.vendor == "postgresql":
        address = os.environ["TEST_DATABASE_URL"]
    surroundings = {**os.environ, "TEST_DATABASE_URL": address, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    told = subprocess.run([sys.executable, "-c", RACE], env=surroundings, capture_output=True, text=True)
    assert told.stdout.strip() == "one winner each time", told.stderr


@pytest.mark.django_db
def test_the_next_holder_knows_since_when_nobody_calls():
    """The limits are the key's, not the process's."""
    first = lease_take(purpose="history")
    assert first.idle_ms is None
    first.release()
    Lease.objects.update(expires_at=Now() - timedelta(milliseconds=400))
    assert 400 <= lease_take(purpose="cycle").idle_ms < 5_000


@pytest.mark.django_db
def test_after_a_killed_holder_nobody_called_for_the_length_of_the_lease():
    lease_take(purpose="history")
    expire()
    assert lease_take(purpose="cycle").idle_ms >= 31_000
