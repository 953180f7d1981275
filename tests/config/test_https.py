"""Behind a proxy that does https: what holds then, and what must not be believed otherwise."""

import pytest
from django.test import Client

from tests.config.test_start import LIVE, run

pytestmark = [pytest.mark.any_database, pytest.mark.slow]
BEHIND = {
    **LIVE,
    "BEHIND_HTTPS": "true",
    "ALLOWED_HOSTS": "desk.example.com,localhost,127.0.0.1",
    "CSRF_TRUSTED_ORIGINS": "https://desk.example.com",
    "ALERT_URLS": "ntfy://ntfy.sh/desk",
}
SHOW = (
    "from config.settings import *; print(SESSION_COOKIE_SECURE, CSRF_COOKIE_SECURE, SECURE_PROXY_SSL_HEADER)"
)


def test_the_deploy_check_is_clean_in_live_behind_https(tmp_path):
    code, text = run(tmp_path, "manage.py", "check", "--deploy", "--fail-level", "WARNING", **BEHIND)
    assert (code, text) == (0, "System check identified no issues (1 silenced).\n")


def test_without_https_nothing_is_believed_of_a_proxy(tmp_path):
    assert run(tmp_path, "-c", SHOW, **LIVE) == (0, "False False None\n")


@pytest.fixture
def behind(settings):
    """As config/settings.py sets it with BEHIND_HTTPS=true."""
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_HSTS_SECONDS = 31_536_000
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    return Client()


@pytest.mark.django_db
def test_plain_http_is_sent_to_https(behind):
    answer = behind.get("/login/", headers={"X-Forwarded-Proto": "http"})
    assert (answer.status_code, answer["Location"]) == (301, "https://testserver/login/")


@pytest.mark.django_db
def test_https_is_answered_and_asked_to_stay(behind):
    answer = behind.get("/login/", headers={"X-Forwarded-Proto": "https"})
    assert answer.status_code == 200
    assert answer["Strict-Transport-Security"].startswith("max-age=31536000")


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/health", "/api/dashboard/state"])
def test_a_program_on_this_machine_is_not_redirected(behind, address):
    assert behind.get(address).status_code == 200


@pytest.mark.django_db
def test_without_the_setting_a_visitor_cannot_say_that_it_is_https():
    answer = Client().get("/login/", headers={"X-Forwarded-Proto": "https"})
    assert "Strict-Transport-Security" not in answer
    assert not answer.wsgi_request.is_secure()
