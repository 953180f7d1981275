"""Public reads beside the signed ones: begun at once, collected when they are wanted."""

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


def test_where_nothing_runs_beside_it_is_read_when_it_is_wanted(client):
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


def test_closed_it_finishes_what_is_on_its_way_and_can_begin_again(client, background_reads):
    future = client.start_read("public/get-tickers", tickers)
    client.close()
    assert future.result()
    assert client.start_read("public/get-tickers", tickers).result()


def test_it_has_no_keys(client, background_reads):
    assert not any("secret" in repr(value) for value in vars(background_reads._public_client).values())
    assert background_reads._public_client._credentials.redact("simulator-secret") == "simulator-secret"
