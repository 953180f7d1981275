"""The frame holds: what is promised about settings, network and database is so."""

import os
import re
import socket
from pathlib import Path

import pytest
from django.db import connection
from pytest_socket import SocketConnectBlockedError

import config.settings

ROOT = Path(__file__).parent.parent


def text(name):
    return (ROOT / name).read_text(encoding="utf-8")


def settings_read():
    return set(re.findall(r'env\.\w+\(\s*"(\w+)"', text("config/settings.py")))


def test_the_tests_run_as_a_dry_run_whatever_the_environment_says(settings):
    assert settings.ENVIRONMENT == "DRY_RUN"
    assert settings.CRYPTO_COM_API_KEY == "dry-run-key"


def test_the_example_file_names_every_setting_and_no_other():
    named = set(re.findall(r"^#?([A-Z_]+)=", text(".env.example"), re.MULTILINE))
    assert named - {"DESK_UID", "DESK_GID"} == settings_read()  # those two are for compose.yaml


def test_the_example_file_as_it_is_changes_nothing(settings):
    live = re.findall(r"^([A-Z_]+)=(.*)$", text(".env.example"), re.MULTILINE)
    defaults = {
        "LIVE_TRADING": "false",
        "CRYPTO_COM_API_KEY": "",
        "CRYPTO_COM_SECRET_KEY": "",
        "TIME_ZONE": "UTC",
    }
    assert dict(live) == defaults


def test_one_version_is_told_everywhere(settings):
    assert f'version = "{settings.VERSION}"' in text("pyproject.toml")
    assert f"## {settings.VERSION} " in text("CHANGELOG.md")


REQUIREMENTS = ["requirements", "requirements-dev", "requirements-bench"]


@pytest.mark.parametrize("name", REQUIREMENTS)
def test_every_requirement_is_pinned_with_its_hashes(name):
    entries = text(f"{name}.txt").replace("\\\n", " ").splitlines()
    pattern = r"[\w.-]+==[\w.]+( ; [^\\]+?)?( +--hash=sha256:[0-9a-f]{64})+"
    assert entries
    assert [entry for entry in entries if not re.fullmatch(pattern, entry)] == []


@pytest.mark.parametrize("name", REQUIREMENTS)
def test_the_pins_with_hashes_are_those_that_were_chosen(name):
    chosen = set(re.findall(r"^([\w.-]+==[\w.]+)$", text(f"{name}.in"), re.MULTILINE))
    pinned = set(re.findall(r"^([\w.-]+==[\w.]+)", text(f"{name}.txt"), re.MULTILINE))
    assert {canonical(pin) for pin in chosen} <= {canonical(pin) for pin in pinned}


def test_only_packages_with_the_right_hash_are_installed():
    for name, count in (("Makefile", 3), ("Dockerfile", 1)):
        lines = [line for line in text(name).splitlines() if "pip install" in line]
        assert len(lines) == count
        assert [line for line in lines if "--require-hashes" not in line] == []


def canonical(pin):
    name, _, version = pin.partition("==")
    return re.sub(r"[._]", "-", name).lower(), version


def test_a_test_cannot_leave_this_machine():
    with pytest.warns(UserWarning, match="socket"), pytest.raises(SocketConnectBlockedError):
        socket.create_connection(("192.0.2.1", 443), timeout=1)


def test_a_test_may_talk_to_itself():
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), timeout=1).close()


@pytest.mark.django_db
def test_the_database_is_the_one_that_was_asked_for():
    wanted = "postgresql" if os.environ.get("TEST_DATABASE_URL") else "sqlite"
    assert connection.vendor == wanted
    with connection.cursor() as cursor:
        cursor.execute("SELECT version()" if wanted == "postgresql" else "SELECT sqlite_version()")
        assert cursor.fetchone()


@pytest.mark.skipif(bool(os.environ.get("TEST_DATABASE_URL")), reason="about SQLite")
@pytest.mark.django_db
def test_what_is_recorded_in_sqlite_survives_a_power_cut(tmp_path):
    """With the settings of the program: those of the tests leave it out."""
    options = config.settings.DATABASES["default"]["OPTIONS"]
    real = connection.copy()
    real.settings_dict |= {"NAME": tmp_path / "real.sqlite3", "OPTIONS": options}
    with real.cursor() as cursor:
        assert cursor.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert cursor.execute("PRAGMA synchronous").fetchone() == (2,)
    real.close()
