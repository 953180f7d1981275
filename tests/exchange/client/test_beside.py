"""Public reads beside the signed ones: begun at once, collected when they are wanted."""

from threading import Event, get_ident

import pytest

from exchange.client.client import Beside, PublicCalls
from exchange.client.errors import Refused
from tests.exchange.simulator.world import URL

NAME = "BTC_USD"


def tickers(calls):
    return calls.tickers(NAME)


@pytest.fixture
def client(world):
    return world.client()


@pytest.fixture
def beside(world, client):
    client.beside = Beside(PublicCalls(URL, "", "", session=world.session(), now_ms=world.now_ms))
    yield client.beside
    client.close()


def test_where_nothing_runs_beside_it_is_read_when_it_is_wanted(client):
    later = client.begin("public/get-tickers", tickers)
    assert client.requests == 0
    assert [row.instrument_name for row in later.answer()] == [NAME]
    assert client.requests == 1


def test_it_is_read_by_another_thread_while_this_one_goes_on(client, beside):
    go, readers = Event(), []

    def read(calls):
        readers.append(get_ident())
        go.wait()
        return tickers(calls)

    later = client.begin("public/get-tickers", read)
    client.balance()
    go.set()
    assert [row.instrument_name for row in later.answer()] == [NAME]
    assert readers != [get_ident()]
    assert client.requests == 2


def test_what_goes_wrong_is_raised_where_the_answer_is_wanted(client, beside, world):
    world.faults.add("refuse", "public/get-tickers", code=40003)
    later = client.begin("public/get-tickers", tickers)
    client.balance()
    with pytest.raises(Refused):
        later.answer()


def test_the_lease_is_asked_before_by_the_thread_that_holds_it(world):
    asked = []
    client = world.client(before_request=lambda method: asked.append((method, get_ident())))
    client.beside = Beside(PublicCalls(URL, "", "", session=world.session(), now_ms=world.now_ms))
    client.begin("public/get-tickers", tickers).answer()
    assert asked == [("public/get-tickers", get_ident())]
    client.close()


def test_several_are_read_one_after_the_other(client, beside):
    order = []
    laters = [client.begin("public/get-tickers", lambda _, n=n: order.append(n)) for n in range(5)]
    for later in laters:
        later.answer()
    assert order == [0, 1, 2, 3, 4]


def test_closed_it_finishes_what_is_on_its_way_and_can_begin_again(client, beside):
    later = client.begin("public/get-tickers", tickers)
    client.close()
    assert later.answer()
    assert client.begin("public/get-tickers", tickers).answer()


def test_it_has_no_keys(client, beside):
    assert not any("secret" in repr(value) for value in vars(beside._calls).values())
    assert beside._calls._credentials.redact("simulator-secret") == "simulator-secret"
