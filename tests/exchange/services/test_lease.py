"""Only one holder at a time talks to the exchange, and whoever lost the lease finds out before it acts."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models.functions import Now

from exchange.models import Lease
from exchange.services import LeaseLost, lease_holder, lease_take
from exchange.services.lease import LIFE


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
    assert timedelta(seconds=30) == LIFE
    first = lease_take(purpose="cycle")
    expire()
    second = lease_take(purpose="cycle")
    assert second is not None
    assert lease_holder() == second.holder != first.holder


@pytest.mark.django_db
def test_the_token_grows_with_every_holder():
    tokens = []
    for _ in range(3):
        held = lease_take(purpose="cycle")
        tokens.append(held.token)
        held.release()
    assert tokens == sorted(set(tokens))


@pytest.mark.django_db
def test_renewing_moves_the_end():
    held = lease_take(purpose="cycle")
    expire()
    held.renew()
    assert lease_holder() == held.holder
    assert lease_take(purpose="cycle") is None


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


@pytest.mark.django_db(transaction=True)
def test_of_many_takers_at_the_same_moment_exactly_one_wins():
    start, won, failed = threading.Barrier(6), [], []

    def take():
        try:
            start.wait()
            won.append(lease_take(purpose="cycle"))
        except Exception as error:
            failed.append(error)
        finally:
            connection.close()

    for _ in range(3):
        threads = [threading.Thread(target=take) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not failed
        (winner,) = [held for held in won if held is not None]
        winner.release()
        won.clear()
