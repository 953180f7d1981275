"""The API is asked everything that its description allows, and what it does not; answers are as described."""

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from portfolio.api.openapi import openapi_document
from tests.factories import (
    ApiTokenFactory,
    BalanceFactory,
    InstrumentFactory,
    LegFactory,
    OrderFactory,
    SignalFactory,
    TradeFactory,
    WatchFactory,
)

pytestmark = pytest.mark.django_db

api = schemathesis.openapi.from_dict(openapi_document())
api.app = get_wsgi_application()


@pytest.fixture(autouse=True)
def one_transaction():
    """As the test client does it: a request does not end the connection of the test."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture(params=["nobody", "read", "trade"])
def headers(request, monkeypatch):
    """Who asks; of everything there is one, and one may ask as often as one likes."""
    monkeypatch.setattr("portfolio.api.throttling.BaseThrottle.allow_request", lambda *_: True)
    market = (InstrumentFactory, WatchFactory, SignalFactory)
    for factory in (*market, BalanceFactory, OrderFactory, TradeFactory, LegFactory):
        factory()
    if request.param == "nobody":
        return {}
    return {"Authorization": f"Token {ApiTokenFactory(scope=request.param).text}"}


@api.parametrize()
@settings(max_examples=8, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_answer_is_as_described(case, headers):
    case.call_and_validate(
        headers=headers, excluded_checks=[positive_data_acceptance, negative_data_rejection]
    )
