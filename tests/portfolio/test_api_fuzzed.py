"""The API is asked everything that its description allows, and what it does not; answers are as described."""

from decimal import Decimal as D

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.test import Client
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance

from portfolio.api.openapi import openapi_document
from tests.factories import (
    ApiTokenFactory,
    BalanceFactory,
    InstrumentFactory,
    LegFactory,
    OrderFactory,
    SignalFactory,
    SyncRunFactory,
    TradeFactory,
    UserFactory,
    WatchFactory,
)

pytestmark = pytest.mark.django_db

api = schemathesis.openapi.from_dict(openapi_document())
api.app = get_wsgi_application()
PLAIN = {"Accept-Encoding": "identity"}  # the transport of schemathesis does not unpack what is compressed


@pytest.fixture(autouse=True)
def one_transaction():
    """As the test client does it: a request does not end the connection of the test."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def everything(monkeypatch):
    """Of everything there is one, and one may ask as often as one likes."""
    monkeypatch.setattr("portfolio.api.throttling.BaseThrottle.allow_request", lambda *_: True)
    market = (InstrumentFactory, WatchFactory, SignalFactory)
    for factory in (*market, BalanceFactory, OrderFactory, TradeFactory, LegFactory):
        factory()


@pytest.fixture(params=["nobody", "read", "trade"])
def headers(request, everything):
    """Who asks."""
    if request.param == "nobody":
        return PLAIN
    return PLAIN | {"Authorization": f"Token {ApiTokenFactory(scope=request.param).text}"}


@api.parametrize()
@settings(max_examples=8, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_answer_is_as_described(case, headers):
    """What is refused was not allowed; a change, or a time before another, may still be impossible."""
    is_described = case.method == "GET" and case.path != "/api/portfolio/history/"
    excluded = [] if is_described else [positive_data_acceptance]
    case.call_and_validate(headers=headers, excluded_checks=excluded)


GROUP = {
    "instrument_name": "BTC_USD",
    "quantity": "0.00010",
    "stop_price": "55000.00",
    "take_profit_price": "70000.00",
}
POSSIBLE = {
    ("POST", "/api/watchlist/"): ("body", {"instrument_name": "BTC_USD"}, {200, 201}),
    ("DELETE", "/api/watchlist/"): ("query", {"instrument_name": "BTC_USD"}, {204, 404}),
    ("POST", "/api/oco-groups/"): ("body", GROUP, {202, 409}),
    ("POST", "/api/oco-groups/{oco_group_id}/cancel/"): ("path_parameters", {}, {202, 409}),
    ("POST", "/api/sync/"): ("body", None, {202}),
}


def test_every_change_is_among_the_possible_ones():
    described = openapi_document()["paths"].items()
    assert set(POSSIBLE) == {
        (method.upper(), path) for path, methods in described for method in methods if method != "get"
    }


@pytest.fixture
def owner(everything):
    """A login with the password given just now, and an account of 0.1 bitcoin of which a pair holds some."""
    SyncRunFactory()
    client = Client()
    client.force_login(UserFactory())
    group = LegFactory(group__lot__bought=D("0.01")).group
    return client, str(group.pk)


@api.exclude(method="GET").parametrize()
@settings(max_examples=6, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_change_that_is_possible_is_made_and_answered_as_described(case, owner):
    """With whatever else the description allows: headers, notes, keys."""
    client, group = owner
    if (case.method, case.path) not in POSSIBLE or not case.meta.generation.mode.is_positive:
        return  # what is not allowed is asked above
    place, wanted, statuses = POSSIBLE[case.method, case.path]
    if place == "path_parameters":
        case.path_parameters = {"oco_group_id": group}
    elif wanted is not None:
        given = getattr(case, place)
        setattr(case, place, {**(given if isinstance(given, dict) else {}), **wanted})
    cookies = {name: morsel.value for name, morsel in client.cookies.items()}
    token = cookies.setdefault("csrftoken", "a" * 32)
    answer = case.call_and_validate(
        headers=PLAIN | {"X-CSRFToken": token, "Referer": "http://localhost/"},
        cookies=cookies,
        excluded_checks=[ignored_auth],  # these cookies are no secret of the generated case
    )
    assert answer.status_code in statuses, answer.text
