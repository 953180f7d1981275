"""Public reads in the background: started at once, collected when they are wanted."""

import os
import subprocess
import sys
from threading import Event, get_ident

import pytest

from exchange.client.client import BackgroundReads, PublicClient
from exchange.client.errors import Refused
from tests.exchange.simulator.world import URL

NAME = "BTC_USD"


def tickers(calls):
    return calls.tickers(NAME)


@pytest.fixture
def client(world):
    return world.client()


@pytest.fixture
def background_reads(world, client):
    client.background_reads = BackgroundReads(
        PublicClient(URL, "", "", session=world.session(), now_ms=world.now_ms)
    )
    yield client.background_reads
    client.close()


def test_without_a_background_thread_it_is_read_when_it_is_wanted(client):
    future = client.start_read("public/get-tickers", tickers)
    assert client.requests == 0
    assert [row.instrument_name for row in future.result()] == [NAME]
    assert client.requests == 1


def test_it_is_read_by_another_thread_while_this_one_goes_on(client, background_reads):
    go, readers = Event(), []

    def read(calls):
        readers.append(get_ident())
        go.wait()
        return tickers(calls)

    future = client.start_read("public/get-tickers", read)
    client.balance()
    go.set()
    assert [row.instrument_name for row in future.result()] == [NAME]
    assert readers != [get_ident()]
    assert client.requests == 2


def test_what_goes_wrong_is_raised_where_the_answer_is_wanted(client, background_reads, world):
    world.faults.add("refuse", "public/get-tickers", code=40003)
    future = client.start_read("public/get-tickers", tickers)
    client.balance()
    with pytest.raises(Refused):
        future.result()


def test_the_lease_is_asked_before_by_the_thread_that_holds_it(world):
    asked = []
    client = world.client(before_request=lambda method: asked.append((method, get_ident())))
    client.background_reads = BackgroundReads(
        PublicClient(URL, "", "", session=world.session(), now_ms=world.now_ms)
    )
    client.start_read("public/get-tickers", tickers).result()
    assert asked == [("public/get-tickers", get_ident())]
    client.close()


def test_several_are_read_one_after_the_other(client, background_reads):
    order = []
    futures = [client.start_read("public/get-tickers", lambda _, n=n: order.append(n)) for n in range(5)]
    for future in futures:
        future.result()
    assert order == [0, 1, 2, 3, 4]


def test_closed_it_finishes_what_is_under_way_and_can_begin_again(client, background_reads):
    started, go = Event(), Event()

    def read(calls):
        started.set()
        go.wait()
        return tickers(calls)

    future = client.start_read("public/get-tickers", read)
    started.wait()
    waiting = client.start_read("public/get-tickers", tickers)
    client.close()
    go.set()
    assert future.result()
    assert waiting.cancelled()
    assert client.start_read("public/get-tickers", tickers).result()


HANGING_READ = """
import sys, threading, time
from exchange.client.client import BackgroundReads

started = threading.Event()
background = BackgroundReads.for_url("http://127.0.0.1:9")
background.start_read(lambda client: (started.set(), time.sleep(1)))
for _ in range(100):
    background.start_read(lambda client: time.sleep(1))
started.wait()
background.close()
print("closed", flush=True)
"""


def test_a_hanging_read_holds_up_the_exit_only_until_its_own_timeout():
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    done = subprocess.run(
        [sys.executable, "-c", HANGING_READ], env=environment, capture_output=True, text=True, timeout=60
    )
    assert (done.stdout.strip(), done.stderr, done.returncode) == ("closed", "", 0)


def test_it_has_no_keys(client, background_reads):
    assert not any("secret" in repr(value) for value in vars(background_reads._public_client).values())
    assert background_reads._public_client._credentials.redact("simulator-secret") == "simulator-secret"
