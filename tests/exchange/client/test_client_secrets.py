"""Neither key nor secret nor signature is ever shown, whatever fails and however."""

import json
import logging
import traceback
from decimal import Decimal

import pytest
import requests
from urllib3.exceptions import ProtocolError

from exchange.client.auth import Credentials
from exchange.client.errors import ExchangeError
from exchange.client.transport import NoResponse, Transport
from exchange.schemas import NameSpace, NewOrder
from tests.exchange.replay import BASE_URL, KEY, SECRET, Replay, client_of, error_response, ok, raw

ORDER = NewOrder(
    instrument_name="BTC_USD", side="BUY", type="MARKET", client_oid="mine-1", notional=Decimal(5)
)


def telling(request: requests.PreparedRequest) -> requests.Response:
    """An exchange that repeats the whole request, and the secret, wherever it can."""
    text = f"{request.body.decode()} {SECRET}"
    return error_response(40101, 401, message=text, original=text, result={"note": text})(request)


def telling_page(request: requests.PreparedRequest) -> requests.Response:
    return raw(b"<html>" + request.body + SECRET.encode(), 502)(request)


def telling_garbage(request: requests.PreparedRequest) -> requests.Response:
    return raw(request.body[:-1] + SECRET.encode(), 200)(request)


def telling_row(request: requests.PreparedRequest) -> requests.Response:
    return ok({"data": [{"order_id": [request.body.decode(), SECRET]}], "order_id": SECRET})(request)


def telling_error(request: requests.PreparedRequest) -> requests.Response:
    raise requests.ConnectionError(ProtocolError(f"aborted {request.body!r} {SECRET}"), request=request)


ALL = [telling, telling_page, telling_garbage, telling_row, telling_error]


def everything_about(error: BaseException) -> str:
    """All that a log, an error page or a person could get to see, causes and contexts included."""
    parts = ["".join(traceback.format_exception(error)), repr(error), str(error), repr(error.args)]
    parts.append(repr(vars(error)))
    for linked in (error.__cause__, error.__context__):
        if linked is not None:
            parts.append(everything_about(linked))
    return " ".join(parts)


def signatures(replay: Replay) -> list[str]:
    return [json.loads(request.body)["sig"] for request in replay.sent]


@pytest.mark.parametrize("answer", ALL)
def test_a_failed_read_shows_nothing(answer, caplog):
    caplog.set_level(logging.DEBUG)
    replay = Replay(*[answer] * 3)
    with pytest.raises(ExchangeError) as caught:
        client_of(replay).open_orders(NameSpace.PLAIN)
    shown = everything_about(caught.value) + caplog.text
    assert not [word for word in (KEY, SECRET, *signatures(replay)) if word in shown]


@pytest.mark.parametrize("answer", [telling, telling_page, telling_garbage, telling_error])
def test_a_failed_write_shows_nothing(answer, caplog):
    caplog.set_level(logging.DEBUG)
    replay = Replay(answer)
    with pytest.raises(ExchangeError) as caught:
        client_of(replay).order_create(NameSpace.PLAIN, ORDER)
    shown = everything_about(caught.value) + caplog.text
    assert not [word for word in (KEY, SECRET, *signatures(replay)) if word in shown]


@pytest.mark.parametrize("answer", ALL)
def test_no_failure_drags_along_the_request(answer):
    with pytest.raises(ExchangeError) as caught:
        client_of(Replay(*[answer] * 3)).open_orders(NameSpace.PLAIN)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_a_lost_answer_does_not_hold_the_error_of_the_http_library():
    session = requests.Session()
    session.mount("http://", Replay(telling_error))
    with pytest.raises(NoResponse) as caught:
        Transport(BASE_URL, session, (5.0, 10.0)).post("private/x", KEY.encode())
    assert caught.value.__context__ is None
    assert KEY not in everything_about(caught.value)


def test_the_client_shows_its_address_only():
    client = client_of(Replay())
    assert repr(client) == "<Client http://exchange.test/exchange/v1>"
    assert KEY not in repr(vars(client))
    assert SECRET not in repr(vars(client))


def test_the_credentials_do_not_show_themselves():
    assert str(Credentials(KEY, SECRET)) == "Credentials(***)"


def test_a_repeated_key_is_blotted_out_and_the_rest_stays_readable():
    credentials = Credentials(KEY, SECRET)
    assert credentials.redact(f"key {KEY} sig {'a1' * 32} ok") == "key *** sig *** ok"
    assert Credentials("", "").redact("plain words") == "plain words"
