"""The first rehearsal of the guide: buy in the simulator, see the pair, move the price, see the stop fill."""

import io
from decimal import Decimal

import pytest
from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.test import Client, RequestFactory
from django.utils import translation

from exchange.models import ExchangeOrder
from exchange.services.permissions import acting, groups_create_missing
from exchange.services.simulated_market import SimulationRefused, simulated_order_place, simulated_price_set
from exchange.simulator.server import running_server
from oco.models import OcoGroup
from tests.factories import WatchFactory
from tests.programs import free_port

ORDER = {"instrument_name": "BTC_USD", "side": "BUY", "amount_usd": "100"}


@pytest.fixture
def door(desk, world, settings):
    """The simulator on a port, as `run_desk` starts it."""
    settings.AUTO_PROTECT = True
    desk.sync_ok()
    with running_server(world.app) as address:
        settings.CRYPTO_COM_REST_URL = f"{address}/exchange/v1"
        yield world


def run(*words):
    out = io.StringIO()
    call_command(*words, stdout=out)
    return out.getvalue()


def group():
    return OcoGroup.objects.get()


def test_buy_sync_pair_price_stop_by_commands(desk, door):
    said = run("simulate_order", "btc_usd", "buy", "100")
    assert "Simulated: 0.00" in said
    assert "manage.py sync_exchange" in said
    desk.sync_ok()
    assert group().state == "ACTIVE"
    legs = {leg.order_role: leg for leg in group().legs.all()}
    assert set(legs) == {"STOP_LOSS", "TAKE_PROFIT"}

    assert run("simulate_price", "BTC_USD", "--percent", "-6").startswith("Simulated: BTC_USD is at ")
    desk.sync_ok()
    desk.sync_ok()
    assert group().state == "CLOSED_BY_STOP"
    statuses = dict(ExchangeOrder.objects.filter(origin="OURS").values_list("order_role", "status"))
    assert statuses == {"STOP_LOSS": "FILLED", "TAKE_PROFIT": "CANCELED"}


def test_bought_while_the_kill_switch_is_on_it_gets_its_pair_afterwards(desk, door):
    call_command("kill_switch", "on", stdout=io.StringIO())
    run("simulate_order", "BTC_USD", "buy", "100")
    desk.sync()
    assert not ExchangeOrder.objects.filter(origin="OURS").exists()
    call_command("kill_switch", "off", stdout=io.StringIO())
    desk.sync()
    assert group().state == "ACTIVE"


def test_the_order_is_somebody_elses(desk, door):
    run("simulate_order", "BTC_USD", "buy", "100")
    desk.sync_ok()
    bought = ExchangeOrder.objects.get(side="BUY")
    assert (bought.origin, bought.order_role, bought.order_type) == ("FOREIGN", "ENTRY", "MARKET")
    assert abs(bought.filled_quantity * bought.average_price - 100) < 1


def test_what_was_bought_is_sold_again(desk, door):
    run("simulate_order", "BTC_USD", "buy", "100")
    said = run("simulate_order", "BTC_USD", "sell", "50")
    assert " BTC sold for " in said


def test_a_price_is_set(door):
    assert "BTC_USD is at 50000.00" in run("simulate_price", "BTC_USD", "--to", "50000")


@pytest.mark.parametrize("mode", ["LIVE", "SANDBOX"])
@pytest.mark.parametrize(
    "words", [("simulate_order", "BTC_USD", "buy", "100"), ("simulate_price", "BTC_USD", "--percent", "-6")]
)
def test_a_real_account_is_refused_with_a_sentence(door, settings, mode, words):
    settings.ENVIRONMENT = mode
    with pytest.raises(CommandError, match="in a dry run only: LIVE and SANDBOX have no simulator"):
        run(*words)
    assert not door.exchange.stores["plain"].by_id


def test_no_other_machine_is_ever_asked(door, settings):
    settings.CRYPTO_COM_REST_URL = "http://192.0.2.1/exchange/v1"
    with pytest.raises(CommandError, match="Nothing was sent"):
        run("simulate_order", "BTC_USD", "buy", "100")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("NO_SUCH", "buy", "100"), "does not know NO_SUCH"),
        (("BTC_USD", "buy", "0.0001"), "less than the smallest quantity of BTC_USD"),
        (("BTC_USD", "buy", "50000"), "does not have that much available"),
        (("BTC_USD", "buy", "2000000"), "at most 1,000,000 USD"),
        (("BTC_USD", "buy", "-5"), "above 0"),
        (("BTC_USD", "buy", "1e5"), "invalid plain_decimal value"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(door, words, sentence):
    with pytest.raises(CommandError, match=sentence):
        run("simulate_order", *words)


@pytest.mark.parametrize("percent", ["-91", "901"])
def test_a_price_moves_within_bounds(door, percent):
    with pytest.raises(CommandError, match="fall by at most 90"):
        run("simulate_price", "BTC_USD", "--percent", percent)


def test_without_a_simulator_it_says_so(db, settings):
    settings.CRYPTO_COM_REST_URL = f"http://127.0.0.1:{free_port()}/exchange/v1"
    with pytest.raises(CommandError, match="Is the desk running"):
        run("simulate_order", "BTC_USD", "buy", "100")


def test_it_speaks_the_language_of_the_reader(db, settings):
    settings.ENVIRONMENT = "LIVE"
    with translation.override("es"), pytest.raises(SimulationRefused, match="simulación"):
        simulated_price_set(instrument_name="BTC_USD", percent=Decimal(1))


def browser(group_name, **options):
    groups_create_missing()
    user = User.objects.create_user(group_name, password="x")
    user.groups.add(*Group.objects.filter(name=group_name))
    client = Client(**options)
    client.force_login(user)
    return client


@pytest.fixture
def queued(monkeypatch):
    found = []
    monkeypatch.setattr(
        "portfolio.worker.sync_requests.async_task", lambda *args, **_: found.append(args) or "1"
    )
    return found


class TestPage:
    def test_a_trader_buys_and_a_sync_is_requested(self, desk, door, queued):
        client = browser("trader")
        answer = client.post("/simulator/order/", ORDER, follow=True)
        assert "Simulated: 0.00" in answer.content.decode()
        assert [words[0] for words in queued] == ["portfolio.tasks.sync_now"]
        desk.sync_ok()
        assert group().state == "ACTIVE"

    def test_a_trader_moves_a_price(self, door, queued):
        before = door.price("BTC_USD")
        changes = {"instrument_name": "BTC_USD", "percent": "-6"}
        answer = browser("trader").post("/simulator/price/", changes, follow=True)
        assert "Simulated: BTC/USD is now at " in answer.content.decode()
        assert door.price("BTC_USD") < before * Decimal("0.95")
        assert len(queued) == 1

    @pytest.mark.parametrize(
        "changes",
        [
            {"amount_usd": "1,000"},
            {"amount_usd": ""},
            {"amount_usd": "0"},
            {"side": "HOLD"},
            {"instrument_name": "../state"},
            {"instrument_name": "NO_SUCH"},
        ],
    )
    def test_what_cannot_be_done_is_said_and_nothing_is_sent(self, door, queued, changes):
        answer = browser("trader").post("/simulator/order/", ORDER | changes, follow=True)
        assert answer.status_code == 200
        assert 'class="alert crit"' in answer.content.decode()
        assert not door.exchange.stores["plain"].by_id
        assert queued == []

    @pytest.mark.parametrize("address", ["/simulator/order/", "/simulator/price/"])
    def test_only_users_who_may_trade(self, door, queued, address):
        assert browser("viewer").post(address, ORDER | {"percent": "-6"}).status_code == 403
        assert Client().post(address, ORDER).headers["Location"].startswith("/login/")
        assert browser("trader", enforce_csrf_checks=True).post(address, ORDER).status_code == 403
        assert browser("owner").get(address).status_code == 405
        assert queued == []
        assert not door.exchange.stores["plain"].by_id

    def test_the_services_ask_for_the_right_as_well(self, door):
        request = RequestFactory().post("/")
        with acting(request), pytest.raises(PermissionDenied):
            simulated_order_place(instrument_name="BTC_USD", side="BUY", amount_usd=Decimal(100))
        with acting(request), pytest.raises(PermissionDenied):
            simulated_price_set(instrument_name="BTC_USD", percent=Decimal(1))

    def test_the_dashboard_of_a_dry_run_has_the_form_for_users_who_may_trade(self, db, settings):
        settings.DASHBOARD_PUBLIC = "true"
        WatchFactory(instrument_name="BTC_USD")
        assert "Buy in the simulator" in browser("trader").get("/").content.decode()
        assert "Only users who may trade" in browser("viewer").get("/").content.decode()
        assert "to buy and sell in the simulator" in Client().get("/").content.decode()

    def test_a_real_account_has_neither_form_nor_address(self, db, settings, queued):
        settings.ENVIRONMENT = "LIVE"
        client = browser("owner")
        assert "simulator" not in client.get("/").content.decode().lower()
        assert client.post("/simulator/order/", ORDER).status_code == 404
        assert client.post("/simulator/price/", {**ORDER, "percent": "-6"}).status_code == 404
