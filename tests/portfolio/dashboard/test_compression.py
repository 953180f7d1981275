"""What goes over the wire is compressed, apart from the pages that hold a secret."""

import gzip

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from tests.factories import (
    AlertFactory,
    BalanceFactory,
    InstrumentFactory,
    LegFactory,
    OrderFactory,
    SyncRunFactory,
)
from tests.first_load import first_load

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
GZIP = {"headers": {"accept-encoding": "gzip"}}


def get(address, client=None):
    return (client or Client()).get(address, **GZIP)


@pytest.mark.parametrize("address", ["/", "/api/dashboard/state", "/login/", "/orders/?format=csv"])
def test_pages_and_api_are_compressed(address):
    answer = get(address)
    assert answer["Content-Encoding"] == "gzip"
    body = answer.getvalue()
    assert gzip.decompress(body)
    assert "Accept-Encoding" in answer["Vary"]


def test_who_cannot_read_it_gets_it_plain():
    assert "Content-Encoding" not in Client().get("/").headers


def test_the_same_page_has_another_length_each_time():
    lengths = {len(get("/about/").content) for _ in range(12)}
    assert len(lengths) > 3


def test_control_characters_are_still_shown_as_escapes():
    SyncRunFactory()
    AlertFactory(title="BTC\u202eUSD")
    html = gzip.decompress(get("/").content).decode()
    assert "\u202e" not in html


def test_the_token_of_a_form_is_masked_anew_in_each_page():
    client = Client()
    assert len({get("/login/", client).context["csrf_token"].__str__() for _ in range(3)}) == 3


def test_pages_with_a_secret_are_not_compressed(admin_client):
    address = reverse("admin:portfolio_apitoken_add")
    assert "Content-Encoding" not in get(address, admin_client).headers
    assert "Content-Encoding" not in get("/sudo/", admin_client).headers
    held = admin_client.post(address, {"scope": "read", "days": "1", "label": "x" * 300}, **GZIP)
    assert held.status_code == 200
    assert "Content-Encoding" not in held.headers


@pytest.fixture
def shipped(settings, tmp_path):
    """The static files as `make run` collects them."""
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}
    }
    call_command("collectstatic", interactive=False, verbosity=0, ignore_patterns=["drf_spectacular_sidecar"])


def test_the_first_load_over_the_wire_is_at_most_60_kb(shipped):
    SyncRunFactory()
    for coin in ("BTC", "ETH", "SOL", "XRP", "CRO", "LTC", "ADA", "DOT"):
        InstrumentFactory(symbol=f"{coin}_USD", base_ccy=coin)
        BalanceFactory(currency=coin)
        LegFactory(group__instrument_name=f"{coin}_USD", group__lot__base_ccy=coin)
        OrderFactory.create_batch(2, instrument_name=f"{coin}_USD")
        OrderFactory.create_batch(2, instrument_name=f"{coin}_USD", filled=True)

    def fetch(address):
        answer = get(address)
        assert answer.status_code == 200, address
        return answer.headers, answer.getvalue()

    loaded = first_load(fetch)
    assert len(loaded) == 6
    assert sum(loaded.values()) <= 60 * 1024
