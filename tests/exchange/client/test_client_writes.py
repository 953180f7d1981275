"""Writes: sent once, signed as sent, and every doubt about what happened is an UnknownOutcome."""

import hashlib
import hmac
import json
from decimal import Decimal

import pytest
import requests
from urllib3.exceptions import MaxRetryError, NewConnectionError, ProtocolError

from exchange.client.errors import (
    AuthError,
    DuplicateOrder,
    NotActive,
    NotFound,
    NotSent,
    RateLimited,
    Refused,
    TryLater,
    UnknownOutcome,
)
from exchange.client.ratelimit import Limiter
from exchange.schemas import Ack, NameSpace, NewOrder
from tests.exchange.replay import KEY, SECRET, Clock, Replay, client_of, envelope, error_response, ok, raw

BUY = NewOrder(
    instrument_name="BTC_USD",
    side="BUY",
    type="LIMIT",
    client_oid="mine-1",
    price=Decimal("50000.00"),
    quantity=Decimal("0.00100"),
    exec_inst=("POST_ONLY",),
)
TARGET = NewOrder(
    instrument_name="BTC_USD",
    side="SELL",
    type="LIMIT",
    client_oid="leg-1",
    price=Decimal(93000),
    quantity=Decimal("0.1"),
)
STOP = NewOrder(
    instrument_name="BTC_USD",
    side="SELL",
    type="STOP_LOSS",
    client_oid="leg-2",
    ref_price=Decimal(80000),
    quantity=Decimal("0.1"),
)
IDS = {"order_id": "6530219466236720401", "client_oid": "mine-1"}
DOUBTS = [
    requests.ReadTimeout(),
    requests.ConnectionError(ProtocolError("Connection aborted.")),
    requests.exceptions.ChunkedEncodingError(),
    requests.exceptions.SSLError(),
    raw(b"<html>502</html>", 502),
    raw(b"", 500),
    raw(b"Forbidden", 403),
    raw(b"slow down", 429),
    raw(b'{"id":1,"code":0,"resu', 200),
    raw(b'{"id":1,"method":"private/create-order"}', 200),
    raw(b'{"code":0,"result":{"data":[{"v":NaN}]}}', 200),
    raw(b'{"code":0,"result":{"data":[{"v":1e999999999}]}}', 200),
    raw(b'{"code":0,"result":{"data":[{"v":1e9999999999999999999}]}}', 200),
    raw(b'{"code":9010001,"message":"SYSTEM_MAINTENANCE"}', 200),
    raw(b'{"code":"10001","msg":"SYS_ERROR"}', 200),
    error_response(40801, 408),
    error_response(50001, 500),
    error_response(120009, 500),
    error_response(40006),
    error_response(77777, 500),
    error_response("SOMETHING_NEW", 400),
    error_response(306, 500, result=IDS),
    error_response(40101, 401, result=IDS),
    error_response(42901, 429, result=IDS),
    error_response(325, 400, result={"order_id": 6530219466236720401}),
    envelope(id=77, result=IDS),
]


def create(replay: Replay, **options) -> Ack:
    return client_of(replay, **options).order_create(NameSpace.PLAIN, BUY)


def refused_connection() -> requests.ConnectionError:
    reason = NewConnectionError(None, "Connection refused")
    return requests.ConnectionError(MaxRetryError(None, "/", reason))


def test_an_order_is_acknowledged_with_both_ids():
    ack = create(Replay(envelope(result=IDS, message="NO_ERROR")))
    assert ack == Ack(**IDS, code=0, message="NO_ERROR")


@pytest.mark.parametrize(
    ("name_space", "method"),
    [
        (NameSpace.PLAIN, "private/create-order"),
        (NameSpace.ADVANCED, "private/advanced/create-order"),
    ],
)
def test_what_is_sent_is_what_was_signed(name_space, method):
    replay = Replay(ok(IDS))
    client_of(replay).order_create(name_space, BUY)
    (body,) = replay.bodies
    assert body["method"] == method
    assert body["params"] == BUY.to_params()
    text = (
        f"{method}{body['id']}{KEY}client_oidmine-1exec_instPOST_ONLYinstrument_nameBTC_USD"
        f"price50000.00quantity0.00100sideBUYtypeLIMIT{body['nonce']}"
    )
    assert body["sig"] == hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()


@pytest.mark.parametrize("answer", DOUBTS)
def test_a_doubtful_answer_is_an_unknown_outcome_and_nothing_is_sent_again(answer):
    replay = Replay(answer, ok(IDS))
    with pytest.raises(UnknownOutcome) as caught:
        create(replay)
    assert len(replay.sent) == 1
    assert caught.value.client_oid == "mine-1"
    assert caught.value.method == "private/create-order"


@pytest.mark.parametrize(
    "result", [None, {}, {"client_oid": "mine-1"}, {"order_id": ""}, {"order_id": []}, []]
)
def test_success_without_an_order_id_is_an_unknown_outcome(result):
    replay = Replay(envelope(result=result))
    client = client_of(replay)
    with pytest.raises(UnknownOutcome, match="without an order id") as caught:
        client.order_create(NameSpace.PLAIN, BUY)
    assert caught.value.client_oid == "mine-1"
    assert client.last_error is caught.value


def test_success_for_another_client_oid_is_an_unknown_outcome():
    with pytest.raises(UnknownOutcome, match="names another order"):
        create(Replay(ok(IDS | {"client_oid": "somebody-else"})))


def test_an_answer_that_echoes_no_client_oid_is_still_ours():
    assert create(Replay(ok({"order_id": 6530219466236720401}))).client_oid == "mine-1"


def test_the_ids_of_a_refused_order_are_kept():
    with pytest.raises(UnknownOutcome) as caught:
        create(Replay(error_response(315, 400, result={"order_id": 6530219466236720401})))
    assert caught.value.order_id == "6530219466236720401"
    assert caught.value.code == 315


@pytest.mark.parametrize("lost", [requests.ConnectTimeout(), refused_connection()])
def test_what_never_left_was_not_sent(lost):
    replay = Replay(lost)
    with pytest.raises(NotSent, match="was not sent"):
        create(replay)
    assert len(replay.sent) == 1


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (error_response(306, 500), Refused),
        (error_response("308", 400), Refused),
        (error_response(318, 400), TryLater),
        (error_response(204, 400), DuplicateOrder),
        (error_response(40101, 401), AuthError),
        (error_response(40103, 401), AuthError),
        (error_response("USER_NOT_FOUND", 401), AuthError),
        (error_response(42901, 429), RateLimited),
    ],
)
def test_a_clear_refusal_is_told_at_once(answer, failure):
    replay = Replay(answer)
    with pytest.raises(failure):
        create(replay)
    assert len(replay.sent) == 1


def test_a_write_refused_for_the_rate_holds_the_method_back_but_does_not_sleep():
    clock = Clock()
    limiter = Limiter(clock.now, clock.sleep)
    with pytest.raises(RateLimited):
        client_of(Replay(error_response(42901, 429)), clock, limiter=limiter).order_create(
            NameSpace.PLAIN, BUY
        )
    assert clock.slept == []
    limiter.acquire("private/create-order", True)
    assert clock.slept[0] >= 1


@pytest.mark.parametrize(
    ("name_space", "method"),
    [
        (NameSpace.PLAIN, "private/cancel-order"),
        (NameSpace.ADVANCED, "private/advanced/cancel-order"),
    ],
)
def test_a_cancel_names_the_order_by_either_id(name_space, method):
    replay = Replay(ok(IDS), ok())
    client = client_of(replay)
    assert client.order_cancel(name_space, client_oid="mine-1").order_id == IDS["order_id"]
    assert client.order_cancel(name_space, order_id="49").order_id == "49"
    assert [(body["method"], body["params"]) for body in replay.bodies] == [
        (method, {"client_oid": "mine-1"}),
        (method, {"order_id": "49"}),
    ]


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (error_response(316, 500), NotActive),
        (error_response(316, 500, result=IDS), NotActive),
        (error_response(212, 500), NotActive),
        (error_response(40401, 200), NotFound),
        (error_response(50001, 500), UnknownOutcome),
        (requests.ReadTimeout(), UnknownOutcome),
    ],
)
def test_a_cancel_that_fails(answer, failure):
    replay = Replay(answer)
    with pytest.raises(failure) as caught:
        client_of(replay).order_cancel(NameSpace.PLAIN, order_id="49")
    assert type(caught.value) is failure
    assert caught.value.order_id in ("49", IDS["order_id"])
    assert len(replay.sent) == 1


def test_all_orders_of_a_family_are_cancelled_with_or_without_a_filter():
    replay = Replay(envelope(), ok(), envelope())
    client = client_of(replay)
    client.orders_cancel_all(NameSpace.PLAIN)
    client.orders_cancel_all(NameSpace.ADVANCED, instrument_name="BTC_USD", kind="TRIGGER")
    client.oco_cancel("6498090546073120100")
    assert [(body["method"], body["params"]) for body in replay.bodies] == [
        ("private/cancel-all-orders", {}),
        ("private/advanced/cancel-all-orders", {"instrument_name": "BTC_USD", "type": "TRIGGER"}),
        ("private/advanced/cancel-oco", {"list_id": "6498090546073120100"}),
    ]


@pytest.mark.parametrize("written", ["6498090546073120100", 6498090546073120100])
def test_an_oco_is_answered_with_its_list(written):
    replay = Replay(ok({"list_id": written}))
    assert client_of(replay).oco_create(TARGET, STOP) == "6498090546073120100"
    (body,) = replay.bodies
    assert body["method"] == "private/advanced/create-oco"
    assert [leg["client_oid"] for leg in body["params"]["order_list"]] == ["leg-1", "leg-2"]
    assert body["params"]["order_list"][1]["ref_price"] == "80000"


@pytest.mark.parametrize(
    "answer", [ok(), envelope(), error_response(306, 500, result={"list_id": "1"}), requests.ReadTimeout()]
)
def test_an_oco_in_doubt_is_an_unknown_outcome(answer):
    replay = Replay(answer)
    with pytest.raises(UnknownOutcome):
        client_of(replay).oco_create(TARGET, STOP)
    assert len(replay.sent) == 1


def test_an_oco_leg_with_exec_inst_is_refused_before_anything_is_sent():
    replay = Replay()
    with pytest.raises(ValueError, match="exec_inst"):
        client_of(replay).oco_create(BUY, STOP)
    assert replay.sent == []


def test_numbers_leave_as_text():
    replay = Replay(ok(IDS))
    create(replay)
    params = json.loads(replay.sent[0].body, parse_float=repr, parse_int=repr)["params"]
    assert (params["price"], params["quantity"]) == ("50000.00", "0.00100")
    assert b'"price": "50000.00"' in replay.sent[0].body
