"""Where the parts listen, and how they are started."""

import pytest

from portfolio.status.startup import local_url
from portfolio.worker import processes


def test_a_dry_run_has_a_simulator_where_its_address_says(settings):
    settings.CRYPTO_COM_REST_URL = "http://localhost:9003/exchange/v1"
    settings.CRYPTO_COM_WS_USER_URL = "ws://127.0.0.1:9009/exchange/v1/user"
    assert processes.listen_addresses() == [
        ("PORT", "127.0.0.1", 8002),
        ("CRYPTO_COM_REST_URL", "localhost", 9003),
        ("CRYPTO_COM_WS_USER_URL", "127.0.0.1", 9009),
    ]
    words = processes.simulator_command()
    assert words[words.index("--port") + 1] == "9003"
    assert words[words.index("--stream-port") + 1] == "9009"


@pytest.mark.parametrize("mode", ["LIVE", "SANDBOX"])
def test_with_a_real_exchange_there_is_no_simulator(settings, mode):
    settings.ENVIRONMENT = mode
    assert not processes.has_simulator()
    assert processes.listen_addresses() == [("PORT", "127.0.0.1", 8002)]


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8002/"),
        ("0.0.0.0", "http://127.0.0.1:8002/"),
        ("::", "http://[::1]:8002/"),
    ],
)
def test_the_web_is_reached_from_here(settings, host, url):
    settings.HOST = host
    assert local_url() == url
