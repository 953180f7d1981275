"""How the program starts, or says in a sentence why it does not: real processes, an empty environment."""

import os
import subprocess
import sys

import pytest
from django.conf import settings

pytestmark = pytest.mark.slow
REFUSED = 1
CANNOT_BOOT = 3
LIVE = {
    "LIVE_TRADING": "true",
    "CRYPTO_COM_API_KEY": "the-live-key",
    "CRYPTO_COM_SECRET_KEY": "the-live-secret",
}


def run(place, *command, **values):
    """The command with only these settings; everything it writes."""
    environment = {"PATH": os.defpath, "ENV_FILE": os.devnull, "VAR_DIR": str(place), **values}
    done = subprocess.run(
        [sys.executable, *command],
        cwd=settings.BASE_DIR,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [("LIVE_TRADING", "maybe"), ("PORT", "abc"), ("TIME_ZONE", "Mars/Olympus"), ("LANGUAGE_CODE", "xx")],
)
def test_an_unreadable_setting_is_one_sentence(tmp_path, name, value):
    code, text = run(tmp_path, "manage.py", "check", **{name: value})
    assert code == REFUSED
    assert text.startswith(f"{name} must be ")
    assert len(text.splitlines()) == 1


def test_live_without_keys_refuses_and_says_what_to_do(tmp_path):
    code, text = run(tmp_path, "manage.py", "run_desk", LIVE_TRADING="true")
    assert code == REFUSED
    assert "exchange.E001" in text
    assert "Put both keys" in text
    assert not (tmp_path / "live.sqlite3").exists()


@pytest.mark.parametrize(
    "values",
    [{"LIVE_TRADING": "true"}, {"PORT": "abc"}, {"SYNC_INTERVAL_SECONDS": "5"}, {"STOP_LOSS_PCT": "0"}],
)
def test_a_web_server_refuses_too(tmp_path, values):
    code, text = run(tmp_path, "-c", "import config.wsgi", **values)
    assert code == CANNOT_BOOT
    assert "Traceback" not in text


def test_a_web_server_starts_with_good_settings(tmp_path):
    (tmp_path / "static").mkdir()
    assert run(tmp_path, "-c", "import config.wsgi; assert config.wsgi.application") == (0, "")


@pytest.mark.parametrize(
    ("values", "mode", "address"),
    [
        ({}, "DRY_RUN", "http://127.0.0.1:8003/exchange/v1"),
        (LIVE, "LIVE", "https://api.crypto.com/exchange/v1"),
        ({**LIVE, "CRYPTO_COM_USE_SANDBOX": "true"}, "SANDBOX", "https://uat-api.3ona.co/exchange/v1"),
    ],
)
def test_each_mode_has_its_address_and_its_database(tmp_path, values, mode, address):
    show = (
        "from config.settings import *; print(ENVIRONMENT, CRYPTO_COM_REST_URL, DATABASES['default']['NAME'])"
    )
    _, text = run(tmp_path, "-c", show, **values)
    assert text.split() == [mode, address, str(tmp_path / f"{mode.lower()}.sqlite3")]


@pytest.mark.parametrize(
    ("values", "user", "market"),
    [
        ({}, "ws://127.0.0.1:8004/exchange/v1/user", "ws://127.0.0.1:8004/exchange/v1/market"),
        (
            {"CRYPTO_COM_REST_URL": "http://localhost:9100/exchange/v1"},
            "ws://127.0.0.1:9101/exchange/v1/user",
            "ws://127.0.0.1:9101/exchange/v1/market",
        ),
        (
            {"CRYPTO_COM_WS_USER_URL": "ws://127.0.0.1:9/exchange/v1/user/"},
            "ws://127.0.0.1:9/exchange/v1/user",
            "ws://127.0.0.1:9/exchange/v1/market",
        ),
        (LIVE, "wss://stream.crypto.com/exchange/v1/user", "wss://stream.crypto.com/exchange/v1/market"),
        (
            {**LIVE, "CRYPTO_COM_USE_SANDBOX": "true"},
            "wss://uat-stream.3ona.co/exchange/v1/user",
            "wss://uat-stream.3ona.co/exchange/v1/market",
        ),
    ],
)
def test_each_mode_has_its_streams(tmp_path, values, user, market):
    show = (
        "from config.settings import *; "
        "print(STREAM_ENABLED, CRYPTO_COM_WS_USER_URL, CRYPTO_COM_WS_MARKET_URL)"
    )
    _, text = run(tmp_path, "-c", show, **values)
    assert text.split() == ["True", user, market]


def test_a_dry_run_does_not_even_read_the_real_keys(tmp_path):
    show = "from config.settings import *; print(CRYPTO_COM_API_KEY, CRYPTO_COM_SECRET_KEY)"
    _, text = run(tmp_path, "-c", show, **{**LIVE, "LIVE_TRADING": "false"})
    assert text.split() == ["dry-run-key", "dry-run-secret"]


def test_no_command_shows_a_key(tmp_path):
    database = {"DATABASE_URL": "postgres://desk:the-database-password@localhost/desk"}
    _, text = run(
        tmp_path, "manage.py", "diffsettings", "--all", **LIVE, **database, SECRET_KEY="the-signing-key"
    )
    assert "CRYPTO_COM_SECRET_KEY" in text
    assert not [
        word for word in ("the-live-key", "the-live-secret", "the-signing", "the-database") if word in text
    ]
