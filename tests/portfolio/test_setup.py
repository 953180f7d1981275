"""`manage.py setup` creates what is missing and leaves the rest alone."""

import io
import re
import stat

import pytest
from django.contrib.auth.models import User
from django.contrib.staticfiles.finders import get_finder
from django.core.management import call_command
from django_q.models import Schedule

from portfolio.management.commands.setup import _collect_static

pytestmark = pytest.mark.django_db


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture(autouse=True)
def var(settings, tmp_path):
    settings.VAR_DIR = tmp_path / "var"
    return settings.VAR_DIR


def setup(out=None):
    out = out or io.StringIO()
    call_command("setup", no_static=True, stdout=out)
    return out.getvalue()


def test_on_a_terminal_the_password_is_shown_once_and_works(var, client):
    password = re.search(r"password  (\S+)", setup(Terminal()))[1]
    assert client.login(username="admin", password=password)
    assert "password" not in setup(Terminal())
    assert list(var.iterdir()) == []


def test_without_a_terminal_it_goes_to_a_file_for_its_owner_alone(var, client):
    said = setup()
    file = var / "admin_password"
    password = file.read_text().strip()
    assert str(file) in said
    assert password not in said
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert client.login(username="admin", password=password)


def test_in_live_no_user_is_invented(settings, var):
    settings.ENVIRONMENT = "LIVE"
    assert "manage.py createsuperuser" in setup()
    assert not User.objects.exists()
    assert list(var.iterdir()) == []


def test_an_administrator_of_any_name_is_enough(admin_user):
    assert "password" not in setup()
    assert User.objects.count() == 1


def test_a_second_time_changes_nothing():
    setup()
    before = list(Schedule.objects.values()), list(User.objects.values())
    assert setup() == ""
    assert (list(Schedule.objects.values()), list(User.objects.values())) == before


def test_the_directory_is_for_its_owner_alone(var):
    setup()
    assert stat.S_IMODE(var.stat().st_mode) == 0o700


@pytest.mark.any_database
def test_the_database_is_for_its_owner_alone_also_one_of_an_earlier_version(tmp_path, templates):
    installation = templates.installation(tmp_path)
    old = tmp_path / "dry_run.sqlite3"
    old.chmod(0o644)
    assert installation.run("setup", "--no-static")[0] == 0
    assert stat.S_IMODE(old.stat().st_mode) == 0o600
    old.unlink()
    assert installation.run("setup", "--no-static")[0] == 0
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) & 0o077 for file in tmp_path.iterdir()}
    assert set(modes.values()) == {0}


def test_static_files_are_collected_only_when_they_have_changed(tmp_path, settings, monkeypatch):
    settings.VAR_DIR, settings.STATIC_ROOT = tmp_path, tmp_path / "static"
    manifest, collected = settings.STATIC_ROOT / "staticfiles.json", []

    def collect(*words, **_options):
        collected.append(words)
        settings.STATIC_ROOT.mkdir(exist_ok=True)
        manifest.touch()

    monkeypatch.setattr("portfolio.management.commands.setup.call_command", collect)
    for _ in range(2):
        _collect_static()
    assert collected == [("collectstatic",)]
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "more.css").touch()
    settings.STATICFILES_DIRS = [tmp_path / "own"]
    get_finder.cache_clear()
    try:
        _collect_static()
        assert len(collected) == 2
        manifest.unlink()
        _collect_static()
        assert len(collected) == 3
    finally:
        get_finder.cache_clear()
