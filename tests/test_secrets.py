"""Keys are planted, everything is run and everything breaks: nothing that comes out may contain them."""

import io
import json
import logging
import traceback
from decimal import Decimal

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.test import Client as Browser

from exchange.client import auth
from exchange.client.errors import ExchangeError
from exchange.core.observability import JsonFormatter, traceback_show
from exchange.models import ExchangeOrder, SyncRun
from exchange.schemas import NameSpace, NewOrder
from portfolio.tasks import read_history, sync_cycle
from tests.exchange.simulator.world import World
from tests.factories import UserFactory
from tests.support import Desk, price_at_ratio

KEY, SECRET, DJANGO = "PlantedKey7f3a9c1eTAIL", "PlantedSecret<8b4d>&2c", "PlantedDjango-5e6f7a8b9c"
TAIL = KEY[-4:]
FRAGMENTS = ("plantedkey", "plantedsecret", "planteddjango", "8b4d&gt;", "7f3a9c1e")
TROUBLES = {
    "none": [],
    "lost": [{"kind": "drop_before"}],
    "html": [{"kind": "http", "status": 502, "body": "html"}],
    "garbage": [{"kind": "garbage"}],
    "cut": [{"kind": "truncate"}],
    "maintenance": [{"kind": "maintenance"}],
    "internal": [{"kind": "refuse", "code": 50001}],
    "often": [{"kind": "refuse", "code": 42901}],
    "refused": [{"kind": "refuse", "method": "private/*", "code": 40101}],
    "address": [{"kind": "refuse", "method": "private/*", "code": 40103}],
    "echo": [{"kind": "refuse", "method": "private/*", "code": 40101, "message": f"{KEY} {SECRET}"}],
    "part": [{"kind": "garbage", "method": "private/get-trades"}],
}
COMMANDS = (
    "sync_exchange",
    "sync_exchange --json",
    "check_connection",
    "backfill_orders --since=2026-07-25",
    "oco_plan",
    "oco_plan --apply",
    "kill_switch on --cancel-all --yes",
    "kill_switch off",
    "kill_switch status",
    "send_alerts",
    "backup /nowhere/desk.backup",
    "restore /nowhere/desk.backup --yes",
)
PAGES = [
    "/",
    "/health",
    "/api/dashboard/state",
    "/api/orders/",
    "/api/trades/",
    "/api/balances/",
    "/audit/",
    "/api/nowhere/",
    "/nowhere/",
    "/admin/",
    *(
        f"/admin/exchange/{name}/"
        for name in ("exchangeorder", "trade", "syncrun", "accountbinding", "lease", "auditentry")
    ),
    "/admin/django_q/failure/",
    "/admin/django_q/success/",
]


@pytest.fixture
def printed(capsys):
    """Takes what was printed and logged since the last time, the log in the form that the settings give it."""
    (console,) = [
        handler for handler in logging.getLogger().handlers if type(handler) is logging.StreamHandler
    ]
    lines = io.StringIO()
    before = console.setStream(lines)

    def take():
        text = lines.getvalue()
        lines.seek(0)
        lines.truncate()
        return [text, *capsys.readouterr()]

    yield take
    console.setStream(before)


@pytest.fixture
def in_json():
    """The log as LOG_FORMAT=json gives it."""
    (console,) = [one for one in logging.getLogger().handlers if type(one) is logging.StreamHandler]
    before = console.formatter
    console.setFormatter(JsonFormatter())
    yield
    console.setFormatter(before)


@pytest.fixture
def signatures(monkeypatch):
    """Every signature that is made."""
    made, original = [], auth.sign

    def sign(*args, **kwargs):
        made.append(original(*args, **kwargs))
        return made[-1]

    monkeypatch.setattr("exchange.client.auth.sign", sign)
    return made


@pytest.fixture
def world(monkeypatch):
    for where in ("tests.exchange.simulator.world", "tests.support"):
        monkeypatch.setattr(f"{where}.KEY", KEY)
        monkeypatch.setattr(f"{where}.SECRET", SECRET)
    return World()


@pytest.fixture
def planted(desk, world, settings, monkeypatch) -> Desk:
    settings.SECRET_KEY = DJANGO
    monkeypatch.setattr("exchange.management.commands.backfill_orders.time.sleep", desk.tick)
    for name in ("oco_plan", "kill_switch"):
        monkeypatch.setattr(f"oco.management.commands.{name}.client_from_settings", desk.client)
    monkeypatch.setattr("portfolio.tasks.async_task", lambda *_, **__: None)
    world.deposit("BTC", 1)
    world.buy("BTC_USD", "0.01")
    world.buy("BTC_USD", "0.01", price_at_ratio(world))
    return desk


def commands():
    """Whatever the commands raise is something that a person would read."""
    for line in COMMANDS:
        yield from shown(*line.split())


def shown(*words):
    try:
        call_command(*words)
    except SystemExit:
        return
    except CommandError as error:
        yield from told(error)
    except Exception as error:  # noqa: BLE001  # as manage.py has it shown
        traceback_show(type(error), error, error.__traceback__)


def told(error):
    yield str(error)
    yield repr(error)
    yield repr(vars(error))
    yield "".join(traceback.format_exception(error))


def calls(client):
    """Every method of the client, reads and writes, and what it raises."""
    order = NewOrder(
        instrument_name="BTC_USD",
        side="BUY",
        type="LIMIT",
        client_oid="x",
        quantity=Decimal(1),
        price=Decimal(1),
    )
    asked = [
        client.balance,
        client.accounts,
        client.tickers,
        lambda: client.open_orders(NameSpace.PLAIN),
        lambda: client.order_create(NameSpace.PLAIN, order),
        lambda: client.order_cancel(NameSpace.PLAIN, order_id="1"),
    ]
    yield repr(client)
    for ask in asked:
        try:
            ask()
        except ExchangeError as error:
            yield from told(error)
        yield repr(client.last_error)


def database():
    for model in apps.get_models():
        for row in model.objects.values():
            yield f"{model.__name__} {row}"


def pages():
    browsers = [Browser(raise_request_exception=False), Browser(raise_request_exception=False)]
    browsers[0].force_login(UserFactory())
    for browser in browsers:
        for path in [*PAGES, f"/api/orders/{ExchangeOrder.objects.first().pk}/"]:
            answer = browser.get(path, follow=True)
            assert answer.status_code in ((404,) if "nowhere" in path else (200,)), path
            yield f"{path} {answer.headers} {answer.content.decode()}"


def leaks(texts, signatures):
    forbidden = [*FRAGMENTS, SECRET.lower(), *signatures]
    return [(word, text[:300]) for text in texts for word in forbidden if word in text.lower()]


def searched(printed, signatures, *sources):
    texts = [text for source in sources for text in source]
    return leaks([*texts, *printed()], signatures)


@pytest.mark.parametrize("trouble", TROUBLES)
def test_nothing_that_comes_out_contains_a_key(planted, world, signatures, printed, trouble):
    planted.sync_ok()
    for rule in TROUBLES[trouble]:
        world.faults.add(**rule)
    planted.tick(60)
    texts = [*commands(), *calls(world.client()), sync_cycle(), read_history()]
    world.faults.clear()
    assert len(signatures) > 10
    assert searched(printed, signatures, texts, database(), pages()) == []


class Broken(Exception):
    """Something of ours that was never thought of, and says too much."""


def test_an_error_that_nobody_expected_says_too_much(planted, world, signatures, printed, monkeypatch):
    """The traceback of the log is cleaned; run, command, page and table show only its kind."""

    def broken(**_):
        secrets = {"key": KEY, "secret": SECRET}
        raise Broken(f"cannot store {secrets}")

    monkeypatch.setattr("exchange.sync.store.trade_store", broken)
    run = planted.sync()
    assert run.errors == ["An unexpected error ended the cycle: Broken. The log has the details."]
    log, *_ = printed()
    assert "cannot store" in log
    assert "[CRYPTO_COM_SECRET_KEY]" in log
    assert leaks([log], signatures) == []
    assert searched(printed, signatures, list(commands()), database(), pages()) == []


def test_in_json_the_log_says_no_more(planted, world, signatures, printed, monkeypatch, in_json):
    def broken(**_):
        raise Broken(f"cannot store {KEY} {SECRET!r}")

    world.faults.add(kind="refuse", method="private/*", code=40101, message=f"{KEY} {SECRET}")
    planted.sync()
    world.faults.clear()
    monkeypatch.setattr("exchange.sync.store.trade_store", broken)
    planted.sync()
    log, *_ = printed()
    lines = [json.loads(line) for line in log.splitlines()]
    runs = {f"run-{pk}" for pk in SyncRun.objects.values_list("pk", flat=True)}
    assert {line["correlation_id"] for line in lines if line["logger"] == "exchange_sync"} == runs
    assert len(runs) == 2
    assert "[CRYPTO_COM_SECRET_KEY]" in log
    assert leaks([log, *(str(line) for line in lines)], signatures) == []


@pytest.mark.parametrize("debug", [True, False])
def test_a_page_that_breaks_shows_no_key(planted, signatures, printed, monkeypatch, settings, debug):
    settings.DEBUG = debug

    def broken(**_):
        key, secret = KEY, SECRET
        raise Broken(f"{key} {secret}")

    planted.sync_ok()
    monkeypatch.setattr("portfolio.views.dashboard.load_dashboard", broken)
    monkeypatch.setattr("portfolio.api.state.load_dashboard", broken)
    answers = [Browser(raise_request_exception=False).get(path) for path in ("/", "/api/dashboard/state")]
    assert [answer.status_code for answer in answers] == [500, 500]
    assert searched(printed, signatures, [answer.content.decode() for answer in answers]) == []


def test_the_search_would_find_a_key():
    """The net has no hole: each planted text is found where it stands, escaped or not."""
    for text in (KEY, SECRET, DJANGO, "PlantedSecret&lt;8b4d&gt;", "A" * 64):
        assert leaks([f"… {text} …"], ["a" * 64]) != []
    assert leaks([f"key …{TAIL}"], []) == []
