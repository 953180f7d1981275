"""Whatever bytes come back, they become an envelope or one clear word about why not."""

import json

import pytest

from exchange.client.responses import UnreadableResponse, parse_envelope

FULL = {"id": 11, "method": "private/x", "code": 0, "result": {"order_id": "1", "client_oid": "mine"}}


def read(**changes):
    return parse_envelope(json.dumps(FULL | changes).encode(), str)


def test_a_complete_answer():
    found = read()
    assert (found.code, found.method, found.request_id) == (0, "private/x", 11)
    assert (found.order_id, found.client_oid, found.list_id) == ("1", "mine", "")
    assert found.has_ids


@pytest.mark.parametrize("written", [40401, "40401", 40401.0])
def test_a_code_may_be_a_number_or_text(written):
    assert read(code=written).code == 40401


def test_a_code_may_even_be_a_word():
    found = read(code="USER_NOT_FOUND")
    assert (found.code, found.exchange_message) == (None, "USER_NOT_FOUND")


@pytest.mark.parametrize("written", [None, "", True, [], {}, 1.5, "oops", 2**31, str(-(2**31) - 1), 10**18])
def test_without_a_result_code_there_is_no_envelope(written):
    with pytest.raises(UnreadableResponse, match="carries no result code"):
        read(code=written)


@pytest.mark.parametrize("written", [None, -1, 0, "-1", "abc", [], True, 1.5])
def test_an_id_that_names_no_request_is_none(written):
    assert read(id=written).request_id is None


def test_the_maintenance_body_has_neither_id_nor_method():
    body = b'{"code":9010001,"message":"SYSTEM_MAINTENANCE","details":"back soon"}'
    found = parse_envelope(body, str)
    assert (found.code, found.exchange_message, found.request_id, found.method) == (
        9010001,
        "SYSTEM_MAINTENANCE",
        None,
        "",
    )


def test_a_gateway_writes_msg():
    found = parse_envelope(b'{"code":"10001","msg":"SYS_ERROR"}', str)
    assert (found.code, found.exchange_message) == (10001, "SYS_ERROR")


@pytest.mark.parametrize("written", [17, None, ["x"], {"a": 1}])
def test_a_message_that_is_no_text_is_no_message(written):
    assert read(message=written).exchange_message == ""


def test_a_long_message_is_cleaned_before_it_is_cut():
    found = parse_envelope(
        json.dumps(FULL | {"message": "x" * 195 + " secret " + "y" * 50}).encode(),
        lambda text: text.replace("secret", "***"),
    )
    assert len(found.exchange_message) == 200
    assert "sec" not in found.exchange_message


def test_the_copy_of_the_request_is_not_kept():
    found = read(code=40004, original='{"api_key":"KEY","sig":"SIG"}')
    assert "KEY" not in repr(found)


@pytest.mark.parametrize("result", [None, [], "text", 5, {"order_id": ["1"]}, {"order_id": ""}])
def test_a_result_without_usable_ids_has_none(result):
    assert not read(result=result).has_ids


def test_an_id_beyond_2_to_the_53_keeps_its_digits_even_as_a_number():
    assert read(result={"order_id": 6498090546073120100}).order_id == "6498090546073120100"


def test_fractions_are_read_exactly():
    found = parse_envelope(b'{"code":0,"result":{"v":0.1000000000000000055}}', str)
    assert str(found.result["v"]) == "0.1000000000000000055"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "the body is empty"),
        (b"  \r\n", "the body is empty"),
        (b"<html>502 Bad Gateway</html>", "a web page came instead of data"),
        (b"\n <!DOCTYPE html>", "a web page came instead of data"),
        (b'{"id":1,"code":0,"result":{"data":[{"i":"BT', "cut off or damaged"),
        (b'{"code":0,"result":NaN}', "cut off or damaged"),
        (b'{"code":0,"result":{"data":[{"a":-Infinity}]}}', "cut off or damaged"),
        (b'{"code":0,"result":{"data":[{"a":1e999999999}]}}', "cut off or damaged"),
        (b'{"code":0,"result":{"data":[{"a":[1e9999999999999999999]}]}}', "cut off or damaged"),
        (b"[1,2]", "cut off or damaged"),
        (b"null", "cut off or damaged"),
        (b"\xff\xfe\x00garbage", "cut off or damaged"),
        (b"[" * 100_000, "cut off or damaged"),
        (b'{"code":0,"id":' + b"9" * 5000 + b"}", "cut off or damaged"),
    ],
)
def test_what_is_not_an_envelope_is_named_and_not_quoted(body, reason):
    with pytest.raises(UnreadableResponse, match=reason) as caught:
        parse_envelope(body, str)
    assert caught.value.__context__ is None
