"""The door of the exchange: verbs, envelope, signature, nonce, codes with their HTTP statuses."""

import json
from pathlib import Path

import pytest

from exchange.simulator.access import param_text, signature
from tests.exchange.simulator import raw
from tests.exchange.simulator.world import KEY, SECRET, World

FIXTURES = Path(__file__).parents[2] / "fixtures"
VECTORS = json.loads((FIXTURES / "signing-vectors.json").read_text(encoding="utf-8"))["vectors"]
AGREED = [vector for vector in VECTORS if vector["kind"] == "vector"]
ORDER = {"instrument_name": "CRO_USD", "side": "BUY", "type": "LIMIT", "quantity": "27", "price": "0.04"}


def test_public_is_get_only():
    assert raw.send(World(), "POST", "public/get-tickers", data="{}")[1]["code"] == 50001


def test_private_is_post_only():
    assert raw.get(World(), "private/user-balance")[1]["code"] == 40003


def test_an_unknown_method():
    assert raw.post(World(), "private/get-rich") == (
        400,
        {"id": 7, "method": "private/get-rich", "code": 40002, "message": "METHOD_NOT_FOUND"},
    )


def test_the_id_comes_back_as_a_number_and_a_get_has_minus_one():
    world = World()
    assert raw.post(world, "private/user-balance", id="12")[1]["id"] == 12
    assert raw.get(world, "public/get-tickers", instrument_name="BTC_USD")[1]["id"] == -1


def test_text_ids_are_refused_where_the_option_says_so():
    assert raw.code(raw.post(World(id_type="number"), "private/user-balance", id="12")) == 40001


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"sig": "0" * 64}, 40101),
        ({"api_key": "stranger"}, 40101),
        ({"nonce": 1.5}, 40101),
        ({"id": -1}, 40001),
        ({"id": "abc"}, 40001),
        ({"params": []}, 40001),
        ({"method": "private/get-accounts"}, 40001),
    ],
)
def test_what_is_wrong_with_an_envelope(fields, expected):
    assert raw.code(raw.post(World(), "private/user-balance", **fields)) == expected


@pytest.mark.parametrize(("rule", "code"), [("taken", 0), ("refused", 10004)])
def test_no_params_at_all_are_none_or_another_code(rule, code):
    world = World(missing_params=rule)
    body = {"id": 1, "method": "private/user-balance", "api_key": KEY, "nonce": world.now_ms()}
    body["sig"] = signature(body, SECRET)
    assert raw.code(raw.send(world, "POST", "private/user-balance", data=json.dumps(body))) == code


def test_a_body_that_is_no_json_or_not_called_json():
    world = World()
    assert raw.code(raw.send(world, "POST", "private/user-balance", data="nonsense")) == 40001
    assert raw.code(raw.send(world, "POST", "private/user-balance", data="{}", headers={})) == 40001


@pytest.mark.parametrize(
    ("off_ms", "expected"), [(60_000, 0), (-60_000, 0), (60_001, 40102), (-60_001, 40102)]
)
def test_the_nonce_may_be_a_minute_off(off_ms, expected):
    world = World()
    assert raw.code(raw.post(world, "private/user-balance", nonce=world.now_ms() + off_ms)) == expected


@pytest.mark.parametrize("rule", ["unique", "increasing"])
def test_a_nonce_used_twice_where_the_option_forbids_it(rule):
    world = World(nonce_rule=rule)
    assert [raw.code(raw.post(world, "private/user-balance")) for _ in range(2)] == [0, 40006]


def test_an_address_that_is_not_on_the_list():
    world = World()
    world.control("access", ip_allowed=False)
    assert raw.post(world, "private/user-balance")[0] == 401
    assert raw.code(raw.post(world, "private/user-balance")) == 40103


def test_the_public_door_needs_no_key():
    world = World()
    world.control("access", ip_allowed=False)
    assert raw.code(raw.get(world, "public/get-instruments")) == 0


@pytest.mark.parametrize("vector", AGREED, ids=lambda vector: vector["name"])
def test_signatures_we_did_not_make(vector):
    body = {name: vector[name] for name in ("id", "method", "api_key", "nonce", "params")}
    assert param_text(body["params"]) == vector["param_string"]
    assert signature(body, vector["secret"]) == vector["sig"]


def test_capital_letters_in_a_signature_do_not_matter():
    world = World()
    asked = {"id": 7, "method": "private/user-balance", "nonce": world.now_ms(), "params": {}}
    sig = signature(asked | {"api_key": "simulator-key"}, "simulator-secret").upper()
    assert raw.code(raw.post(world, "private/user-balance", sig=sig)) == 0


def test_unknown_parameters_are_ignored():
    assert raw.code(raw.post(World(), "private/create-order", {**ORDER, "broker_id": "CCXT"})) == 0


@pytest.mark.parametrize(("name", "value", "expected"), [("quantity", 27, 40101), ("price", 0.04, 308)])
def test_numbers_that_had_to_be_text(name, value, expected):
    assert raw.code(raw.post(World(), "private/create-order", ORDER | {name: value})) == expected


def test_refusals_keep_their_http_status():
    world = World()
    detail = "private/get-order-detail"
    assert raw.post(world, detail, {"order_id": "1"})[0] == 200
    assert raw.post(World(http_40401=404), detail, {"order_id": "1"})[0] == 404
    assert raw.post(world, "private/cancel-order", {"order_id": "1"})[0] == 500


def test_rate_limits_bite_only_when_switched_on():
    world = World()
    assert [raw.code(raw.post(world, "private/get-trades")) for _ in range(3)] == [0, 0, 0]
    world.control("rate_limits", enabled=True)
    assert [raw.code(raw.post(world, "private/get-trades")) for _ in range(2)] == [0, 42901]
    world.tick(1)
    assert raw.code(raw.post(world, "private/get-trades")) == 0


def test_a_refused_call_counts_where_the_option_says_so():
    world = World(rate_refused_calls="counted")
    world.control("rate_limits", enabled=True)
    codes = []
    for _ in range(3):
        codes.append(raw.code(raw.post(world, "private/get-trades")))
        world.tick(0.6)
    assert codes == [0, 42901, 42901]


def test_the_date_header_is_the_exchanges_own_clock():
    world = World()
    world.control("clock", skew_ms=61_000)
    assert (
        raw.raw_text(world, "GET", "/exchange/v1/public/get-tickers").headers["Date"].endswith("12:29:11 GMT")
    )
    assert raw.code(raw.post(world, "private/user-balance")) == 40102


def test_currency_networks_answer_in_strings_as_wallet_methods_do():
    body = raw.post(World(), "private/get-currency-networks")[1]
    assert (body["id"], body["code"]) == ("7", "0")
    assert body["result"]["currency_map"]["BTC"]["network_list"][0]["network_id"] == "ETH"
