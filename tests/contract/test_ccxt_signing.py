"""Our signed requests are those of ccxt for the same call, time and id, but for how two numbers are written."""

import json
from decimal import Decimal

import pytest

from exchange.schemas import NameSpace, NewOrder
from tests.contract.conftest import ccxt_client

PLAIN, ADVANCED = NameSpace.PLAIN, NameSpace.ADVANCED
NS = 1_785_000_000_000_000_000


def limit(**changes):
    values = {
        "instrument_name": "BTC_USD",
        "side": "SELL",
        "type": "LIMIT",
        "quantity": Decimal("0.01"),
        "price": Decimal("65000.00"),
        "client_oid": "leg-1",
    }
    return NewOrder(**values | changes)


def stop(**changes):
    return limit(type="STOP_LOSS", price=None, ref_price=Decimal("60000.00"), client_oid="leg-2", **changes)


CALLS = {
    "balance": lambda client: client.balance(),
    "accounts": lambda client: client.accounts(),
    "fee_rate": lambda client: client.fee_rate(),
    "positions": lambda client: client.positions(),
    "open_orders": lambda client: client.open_orders(PLAIN),
    "advanced_open_orders": lambda client: client.open_orders(ADVANCED),
    "order_detail": lambda client: client.order_detail(PLAIN, order_id="6530219466236720401"),
    "order_detail_by_client_oid": lambda client: client.order_detail(ADVANCED, client_oid="é-1"),
    "order_history": lambda client: client.order_history(PLAIN, start_ns=NS, end_ns=NS + 1, limit=20),
    "trades": lambda client: client.trades(start_ns=NS, end_ns=NS + 1, instrument_name="BTC_USD"),
    "list_detail": lambda client: client.order_list_detail(["4611686018427705308", "4611686018427705309"]),
    "limit": lambda client: client.order_create(PLAIN, limit()),
    "post_only": lambda client: client.order_create(PLAIN, limit(exec_inst=("POST_ONLY",))),
    "stop": lambda client: client.order_create(ADVANCED, stop()),
    "oco": lambda client: client.oco_create(limit(), stop()),
    "cancel_all": lambda client: client.orders_cancel_all(PLAIN, instrument_name="BTC_USD", kind="ALL"),
}


@pytest.fixture
def wire(world):
    """The signed requests that leave through a session, as method of the exchange and parsed body."""

    class Wire:
        def __init__(self):
            self.sent = []

        def session(self):
            session = world.session()
            session.hooks["response"].append(self.note)
            return session

        def note(self, response, *args, **kwargs):
            if response.request.body:
                self.sent.append((response.request.path_url, json.loads(response.request.body)))

    return Wire()


@pytest.mark.parametrize("name", CALLS)
def test_a_request_is_signed_as_ccxt_signs_it(world, wire, name):
    CALLS[name](world.client(session=wire.session()))
    path, ours = wire.sent[0]
    ccxt_exchange = ccxt_client(world, "http://simulator")
    signed = ccxt_exchange.sign(ours["method"], ["v1", "private"], "POST", ours["params"])
    theirs = json.loads(signed["body"])

    assert signed["url"] == f"http://simulator{path}"
    assert ours.pop("sig") == theirs.pop("sig")
    assert ours["params"] == theirs["params"]
    # The one difference: ccxt writes id and nonce as text. What is signed is the same text, and a string id
    # was measured to answer 40001 (dossier 1.2, D2), so ours stay JSON numbers.
    assert (type(ours["id"]), type(ours["nonce"])) == (int, int)
    assert (type(theirs["id"]), type(theirs["nonce"])) == (str, str)
    assert {name: str(value) for name, value in ours.items() if name != "params"} == {
        name: value for name, value in theirs.items() if name != "params"
    }


def test_the_same_order_placed_by_both_differs_only_in_what_ccxt_adds(world, wire):
    world.set_price("BTC_USD", "64000.00")
    world.client(session=wire.session()).order_create(PLAIN, limit())
    world.tick(1)
    ccxt_exchange = ccxt_client(world, "http://simulator", wire.session())
    ccxt_exchange.load_markets()
    ccxt_exchange.create_order("BTC/USD", "limit", "sell", 0.01, 65000, {"client_oid": "leg-3"})
    (_, ours), (_, theirs) = wire.sent[0], wire.sent[-1]

    # ccxt names its broker and the default margin mode; it cuts trailing zeros where we send the tick's digits.
    assert theirs["params"].keys() - ours["params"].keys() == {"broker_id", "spot_margin"}
    assert theirs["params"]["spot_margin"] == "SPOT"
    assert ours["params"].keys() <= theirs["params"].keys()
    same = [name for name in ours["params"] if name not in ("client_oid", "price")]
    assert {name: ours["params"][name] for name in same} == {name: theirs["params"][name] for name in same}
    assert Decimal(ours["params"]["price"]) == Decimal(theirs["params"]["price"])


def test_the_simulator_takes_a_string_id_only_when_told(world):
    """A quirk of the protocol (dossier D2), not of one client: with numbers only, ccxt is refused."""
    world.set_behaviour(id_type="number")
    ccxt_exchange = ccxt_client(world, "http://simulator", world.session())
    answer = ccxt_exchange.session.post(
        "http://simulator/exchange/v1/private/user-balance",
        data=ccxt_exchange.sign("private/user-balance", ["v1", "private"], "POST")["body"],
        headers={"Content-Type": "application/json"},
    )
    assert answer.json()["code"] == 40001
    assert world.client().balance().positions
