"""A client that we did not write, pointed at the simulator and at nothing else."""

import ccxt
import pytest

from exchange.simulator.server import running_server
from tests.exchange.simulator.world import KEY, SECRET, World


def ccxt_client(world, root, session=None):
    """ccxt's own Crypto.com client; only its addresses, its clock and its transport are set from here."""
    client = ccxt.cryptocom({"apiKey": KEY, "secret": SECRET, "enableRateLimit": False})
    client.urls["api"] = dict.fromkeys(client.urls["api"], f"{root}/exchange/v1")
    client.milliseconds = world.now_ms
    client.session.trust_env = False
    if session is not None:
        client.session = session
    return client


@pytest.fixture
def world():
    return World({"USD": 10_000, "BTC": "0.5", "CRO": 5_000})


@pytest.fixture(params=["in_process", "socket"])
def ccxt_exchange(request, world):
    """Once through the adapter that our own tests use, once over a real loopback socket."""
    if request.param == "in_process":
        yield ccxt_client(world, "http://simulator", world.session())
        return
    with running_server(world.app) as address:
        client = ccxt_client(world, address)
        yield client
        client.session.close()
