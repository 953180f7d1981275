"""What the first page may weigh (gzip), and what it may not hold."""

import gzip
import hashlib
import re
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from django.utils import timezone

from portfolio.views.dashboard import ORDERS_SHOWN
from tests.factories import (
    AlertFactory,
    BalanceFactory,
    InstrumentFactory,
    LegFactory,
    OrderFactory,
    SaleFactory,
    SignalFactory,
    SnapshotFactory,
    SyncRunFactory,
    WatchFactory,
)
from tests.portfolio.pages import Page
from tests.support import queries

pytestmark = pytest.mark.django_db

KB = 1024
COINS = ("BTC", "ETH", "SOL", "XRP", "CRO", "LTC", "ADA", "DOT")
QUERIES = 27  # one asks whether every execution is decided, only for coins outside every group
VENDOR = Path("portfolio/static/vendor")


@pytest.fixture
def busy():
    """More of everything than the page shows."""
    SyncRunFactory()
    for coin in COINS:
        InstrumentFactory(symbol=f"{coin}_USD", base_ccy=coin)
        BalanceFactory(currency=coin)
        LegFactory(group__instrument_name=f"{coin}_USD", group__lot__base_ccy=coin)
        WatchFactory(instrument_name=f"{coin}_USD")
        SignalFactory(instrument_name=f"{coin}_USD")
        OrderFactory.create_batch(2, instrument_name=f"{coin}_USD")
        OrderFactory.create_batch(2, instrument_name=f"{coin}_USD", filled=True)
    for hours in range(60):
        SnapshotFactory(at=timezone.now() - timedelta(hours=hours))


def page(address="/"):
    return Client().get(address).content.decode()


def zipped(html):
    return len(gzip.compress(html.encode(), 6))


def static_files(html):
    """What a browser loads with the page: each once."""
    found = re.findall(r'(?:src|href)="/static/([^"#]+)', html)
    return {name for name in found if "LICENSE" not in name}


def weight(name):
    return len(gzip.compress(Path(finders.find(name)).read_bytes(), 9))


def test_the_first_load_is_at_most_60_kb_in_six_requests(busy):
    html = page()
    loaded = {name: weight(name) for name in static_files(html)}
    by_kind = {
        kind: sum(size for name, size in loaded.items() if name.endswith(kind))
        for kind in ("css", "js", "svg")
    }
    assert zipped(html) <= 20 * KB
    assert by_kind["css"] <= 10 * KB
    assert by_kind["js"] <= 25 * KB
    assert by_kind["svg"] <= 5 * KB
    assert zipped(html) + sum(loaded.values()) <= 60 * KB
    assert 1 + len(loaded) <= 6


def test_our_own_script_is_small():
    assert weight("desk/desk.js") <= 5 * KB


def test_the_changed_panels_are_small(busy):
    answer = Client().get("/", headers={"X-Live": "other"})
    assert answer.status_code == 200
    assert zipped(answer.content.decode()) <= 12 * KB


class Counter(HTMLParser):
    count = 0

    def handle_starttag(self, tag, attrs):
        self.count += 1


def test_it_has_few_elements(busy):
    counter = Counter()
    counter.feed(page())
    assert counter.count <= 1500


def test_nothing_is_inline_and_nothing_from_elsewhere(busy):
    for address in ("/", "/login/", "/nothing/"):
        found = Page(page(address))
        assert (found.inline, found.external) == ([], [])


def cost(client):
    with queries() as asked:
        assert client.get("/").status_code == 200
    return len(asked)


def test_it_takes_few_queries_however_many_rows(busy, admin_client):
    SaleFactory()
    before = cost(admin_client)
    OrderFactory.create_batch(30)
    OrderFactory.create_batch(10, filled=True)
    for _ in range(5):
        LegFactory()
    assert ORDERS_SHOWN < 30
    AlertFactory.create_batch(5)
    assert cost(admin_client) == before <= QUERIES


def test_the_files_of_others_are_as_they_came():
    listed = [line.split() for line in (VENDOR / "CHECKSUMS").read_text().splitlines()]
    assert {name: hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() for _, name in listed} == {
        name: checksum for checksum, name in listed
    }
    there = {str(path.relative_to(VENDOR)) for path in VENDOR.rglob("*") if path.is_file()}
    assert there - {"CHECKSUMS"} == {name for _, name in listed}
    assert {path.parent.name for path in VENDOR.rglob("LICENSE")} == {
        path.name for path in VENDOR.iterdir() if path.is_dir()
    }


def test_every_picture_that_is_asked_for_is_in_the_sprite():
    known = set(re.findall(r'<symbol id="([^"]+)"', (VENDOR / "lucide/icons.svg").read_text()))
    sources = [*Path("templates").rglob("*.html"), *Path("portfolio/templatetags").glob("*.py")]
    asked = {name for path in sources for name in re.findall(r'{% icon "([^"]+)" %}', path.read_text())}
    assert asked <= known
