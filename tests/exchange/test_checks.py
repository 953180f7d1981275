"""Settings that contradict each other are named, with a hint."""

from decimal import Decimal

import pytest
from django.core.checks import run_checks

from config.env import secret_key
from exchange.checks import TAG, is_loopback, settings_errors

LIVE = {
    "LIVE_TRADING": True,
    "ENVIRONMENT": "LIVE",
    "CRYPTO_COM_REST_URL": "https://api.crypto.com/exchange/v1",
    "DASHBOARD_PUBLIC": "loopback",
}


def found(settings, **values):
    for name, value in values.items():
        setattr(settings, name, value)
    messages = run_checks(tags=[TAG])
    assert all(message.hint for message in messages)
    return [message.id for message in messages]


def test_the_defaults_are_in_order(settings):
    assert found(settings) == []


def test_live_with_both_keys_is_in_order(settings):
    assert found(settings, **LIVE) == []


@pytest.mark.parametrize("missing", ["CRYPTO_COM_API_KEY", "CRYPTO_COM_SECRET_KEY"])
def test_live_needs_both_keys(settings, missing):
    assert found(settings, **LIVE, **{missing: ""}) == ["exchange.E001"]
    assert f"there is no {missing}. Put both keys" in settings_errors()


def test_plain_http_stays_on_this_machine(settings):
    assert found(settings, **{**LIVE, "CRYPTO_COM_REST_URL": "http://api.crypto.com/exchange/v1"}) == [
        "exchange.E002"
    ]
    assert found(settings, CRYPTO_COM_REST_URL="http://localhost:8003/exchange/v1") == []


def test_a_dry_run_talks_only_to_this_machine(settings):
    assert found(settings, CRYPTO_COM_REST_URL="https://api.crypto.com/exchange/v1") == ["exchange.E003"]


@pytest.mark.parametrize("name", ["CRYPTO_COM_WS_USER_URL", "CRYPTO_COM_WS_MARKET_URL"])
def test_the_streams_have_the_same_bounds(settings, name):
    assert found(settings, **{name: "ws://[::1]:9000/exchange/v1/user"}) == []
    assert found(settings, **{name: "http://127.0.0.1:9000/exchange/v1/user"}) == ["exchange.E006"]
    assert found(settings, **{name: "ws://127.0.0.1:port/exchange/v1/user"}) == ["exchange.E006"]
    assert found(settings, **{name: "wss://stream.crypto.com/exchange/v1/user"}) == ["exchange.E003"]
    assert found(settings, **LIVE, **{name: "wss://stream.crypto.com/exchange/v1/user"}) == []
    assert found(settings, **LIVE, **{name: "ws://stream.crypto.com/exchange/v1/user"}) == ["exchange.E002"]


def test_in_a_dry_run_each_server_has_its_own_port(settings):
    assert found(settings, CRYPTO_COM_REST_URL="http://127.0.0.1:8002/exchange/v1") == ["exchange.E009"]
    settings.CRYPTO_COM_REST_URL = "http://127.0.0.1:8004/exchange/v1"
    assert found(settings, CRYPTO_COM_WS_USER_URL="ws://127.0.0.1:8004/exchange/v1/user") == ["exchange.E009"]
    assert "CRYPTO_COM_REST_URL and CRYPTO_COM_WS_USER_URL have the same port, 8004." in settings_errors()
    assert found(settings, **LIVE) == []


@pytest.mark.parametrize("address", ["api.crypto.com", "ftp://127.0.0.1/", "http://"])
def test_an_address_has_a_scheme_and_a_host(settings, address):
    assert found(settings, CRYPTO_COM_REST_URL=address) == ["exchange.E006"]


@pytest.mark.parametrize(
    ("name", "lowest", "highest", "step"),
    [
        ("SYNC_INTERVAL_SECONDS", 30, 120, 1),
        ("STOP_LOSS_PCT", Decimal("0.1"), Decimal(99), Decimal("0.01")),
        ("TAKE_PROFIT_PCT", Decimal("0.1"), Decimal(900), Decimal("0.01")),
        ("PORT", 1, 65535, 1),
        ("RETENTION_DAYS", 1, 3650, 1),
    ],
)
def test_a_number_has_bounds(settings, name, lowest, highest, step):
    for value in (lowest - step, highest + step):
        assert found(settings, **{name: value}) == ["exchange.E004"]
        assert f"{name} is {value}. Choose a value from {lowest} to {highest}." in settings_errors()
    for value in (lowest, highest):
        assert found(settings, **{name: value}) == []


def test_who_may_read_is_one_of_three_words(settings):
    assert found(settings, DASHBOARD_PUBLIC="sometimes") == ["exchange.E005"]


def test_an_open_dashboard_on_an_open_address_is_worth_a_warning(settings):
    assert found(settings, **{**LIVE, "DASHBOARD_PUBLIC": "true"}, HOST="0.0.0.0") == ["exchange.W001"]
    assert found(settings, HOST="127.0.0.1") == []


def test_a_sandbox_that_is_not_used_is_worth_a_warning(settings):
    assert found(settings, USE_SANDBOX=True) == ["exchange.W002"]


def test_debug_with_real_money_is_refused_and_in_the_sandbox_worth_a_warning(settings):
    assert found(settings, **LIVE, DEBUG=True) == ["exchange.E008"]
    assert found(settings, **{**LIVE, "ENVIRONMENT": "SANDBOX"}, DEBUG=True) == ["exchange.W003"]


@pytest.mark.parametrize(
    "key", ["short", "a" * 60, "changeme" * 8, "django-insecure-" + "0123456789abcdef" * 4]
)
def test_a_weak_secret_key_is_refused_with_real_money(settings, key):
    assert found(settings, **LIVE, SECRET_KEY=key) == ["exchange.E007"]
    assert key not in settings_errors()
    assert found(settings, **{**LIVE, "ENVIRONMENT": "DRY_RUN", "LIVE_TRADING": False}, SECRET_KEY=key) == [
        "exchange.E003"
    ]


def test_the_key_that_is_generated_is_strong(settings, tmp_path):
    assert found(settings, **LIVE, SECRET_KEY=secret_key(tmp_path / "key")) == []


def test_a_file_with_keys_is_for_its_owner_alone(settings, tmp_path):
    file = tmp_path / ".env"
    file.touch(mode=0o600)
    assert found(settings, ENV_FILE=file) == []
    file.chmod(0o640)
    assert found(settings, ENV_FILE=file) == ["exchange.W004"]


def test_warnings_do_not_stop_a_server(settings):
    settings.USE_SANDBOX = True
    assert settings_errors() == ""


@pytest.mark.parametrize("host", ["localhost", "127.8.9.1", "[::1]", "::1"])
def test_loopback_never_leaves_this_machine(host):
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "10.0.0.1", "localhost.example.com", "", None])
def test_anything_else_may(host):
    assert not is_loopback(host)
