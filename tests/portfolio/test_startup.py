"""The last words of a start: address, user, where the password is, next step."""

from datetime import timedelta

import pytest
from django.utils import timezone, translation

from portfolio.status.startup import startup_lines
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
PASSWORD = "correct-horse-battery"


@pytest.fixture(autouse=True)
def var(settings, tmp_path):
    settings.VAR_DIR = tmp_path
    return tmp_path


@pytest.fixture
def admin():
    user = UserFactory(username="ana", is_superuser=True)
    user.set_password(PASSWORD)
    user.save()
    return user


def block(age=timedelta(hours=1)):
    return "\n".join(startup_lines(began=timezone.now() + age))


def test_a_password_in_the_file_is_not_printed_but_its_place_is(admin, var):
    file = var / "admin_password"
    file.write_text(PASSWORD + "\n")
    text = block()
    assert "http://127.0.0.1:8002/" in text
    assert "User      ana" in text
    assert f"Password  in {file}" in text
    assert PASSWORD not in text


def test_a_password_that_was_changed_since_is_not_looked_for_in_the_file(admin, var):
    (var / "admin_password").write_text("of the first day\n")
    assert "yours; if it is lost:  manage.py changepassword ana" in block()
    assert "admin_password" not in block()


def test_a_password_that_this_start_has_shown_on_the_terminal(admin):
    assert "Password  shown above, only once" in block(age=-timedelta(hours=1))


def test_the_next_step_of_a_dry_run_is_the_rehearsal(admin):
    assert "manage.py simulate_order BTC_USD buy 100" in block()


def test_a_live_desk_without_a_user_says_how_to_create_one(settings):
    settings.ENVIRONMENT = "LIVE"
    text = block()
    assert "User  none yet" in text
    assert "create a user:  manage.py createsuperuser" in text
    assert "Password" not in text
    assert "simulat" not in text


def test_a_live_desk_checks_the_connection_first(settings, admin):
    settings.ENVIRONMENT, settings.TRADING_ENABLED = "LIVE", False
    text = block()
    assert "Exchange Desk (LIVE, READ_ONLY) is open" in text
    assert "manage.py check_connection" in text
    assert "simulat" not in text


def test_it_is_in_the_configured_language(admin):
    with translation.override("es"):
        text = block()
    assert "Exchange Desk (DRY_RUN) está abierto" in text
    assert "Contraseña" in text
    assert "Siguiente" in text
