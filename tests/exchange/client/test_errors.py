"""Every result code becomes exactly the exception its class promises, for a read, a create and a cancel."""

import pytest

from exchange.client.error_codes import CODES, ActionClass, action_of
from exchange.client.errors import (
    AuthError,
    ClockError,
    DuplicateOrder,
    ExchangeError,
    Maintenance,
    NotActive,
    NotFound,
    RateLimited,
    Refused,
    RequestKind,
    TryLater,
    UnknownOutcome,
    Unreachable,
    describe_code,
    error_class_for,
    remedy_for,
)

# Written from the tables of the dossier (3, 3.1), not from our code.
CLASSES = {
    "OK": "0",
    "WAIT": "207 222 309 318 325",
    "RECONCILE": "204 205 212 316 620 40006 40401 40801 50001 120009 130008 9010001",
    "AUTH": "40101 40102 40103 40104",
    "RATE": "618 40107 42901",
    "END": "43003 43004 43005 43012",
    "FINAL": """
        201 202 203 206 208 209 210 211 213 214 215 216 217 218 219 220 221 223 224 225 226 227 228 229 230
        301 302 303 304 305 306 307 308 310 311 312 313 314 315 317 319 320 321 401 406 407 408 409 410 411
        412 415 416 501 604 605 606 613 614 615 616 617 619 623 1110 10001 10004 30024 40001 40002 40003
        40004 40005 50002 50007 50010 140001 5000811
    """,
}
TABLE = {int(code): name for name, codes in CLASSES.items() for code in codes.split()}
FAILURES = sorted(set(TABLE) - {0})

ON_READ = {
    "FINAL": Refused,
    "WAIT": TryLater,
    "RECONCILE": Unreachable,
    "AUTH": AuthError,
    "RATE": RateLimited,
    "END": Refused,
}
ON_WRITE = ON_READ | {"RECONCILE": UnknownOutcome, "END": UnknownOutcome}
READ_EXCEPTIONS = {40102: ClockError, 40401: NotFound, 9010001: Maintenance}
CREATE_EXCEPTIONS = {40102: ClockError, 204: DuplicateOrder, 10001: UnknownOutcome}
CANCEL_EXCEPTIONS = {
    40102: ClockError,
    10001: UnknownOutcome,
    40401: NotFound,
    316: NotActive,
    212: NotActive,
}


def test_the_table_is_complete_and_classed_as_documented():
    assert {code: info.action.value for code, info in CODES.items()} == TABLE


def test_every_code_has_a_meaning_and_knows_its_number():
    assert all(info.code == code and info.meaning for code, info in CODES.items())


@pytest.mark.parametrize("code", FAILURES)
def test_a_code_on_a_read(code):
    assert error_class_for(RequestKind.READ, code) is READ_EXCEPTIONS.get(code, ON_READ[TABLE[code]])


@pytest.mark.parametrize("code", FAILURES)
def test_a_code_on_a_create(code):
    assert error_class_for(RequestKind.CREATE, code) is CREATE_EXCEPTIONS.get(code, ON_WRITE[TABLE[code]])


@pytest.mark.parametrize("code", FAILURES)
def test_a_code_on_a_cancel(code):
    assert error_class_for(RequestKind.CANCEL, code) is CANCEL_EXCEPTIONS.get(code, ON_WRITE[TABLE[code]])


@pytest.mark.parametrize("code", FAILURES)
def test_any_code_with_ids_on_a_create_is_an_unknown_outcome(code):
    assert issubclass(error_class_for(RequestKind.CREATE, code, has_ids=True), UnknownOutcome)


@pytest.mark.parametrize("code", [7, 40007, 10005, 20001, 999999999])
def test_a_code_nobody_documented_is_final_for_a_read_and_doubtful_for_a_write(code):
    assert error_class_for(RequestKind.READ, code) is Refused
    assert error_class_for(RequestKind.CREATE, code) is UnknownOutcome
    assert error_class_for(RequestKind.CANCEL, code) is UnknownOutcome


def test_ids_and_doubt_never_turn_success_into_failure():
    assert action_of(0, has_ids=True) is ActionClass.OK


def test_ids_change_nothing_on_a_read():
    assert action_of(306, has_ids=True, write=False) is ActionClass.FINAL


def test_the_sentence_names_the_method_the_meaning_and_the_code():
    error = Refused(method="private/create-order", message=describe_code(306, ""), code=306)
    assert str(error) == "private/create-order was refused: not enough available balance [306]"


def test_the_exchanges_own_words_are_added_when_they_say_more():
    assert describe_code(213, "INVALID_ORDERQTY") == ("quantity invalid or not a multiple of the tick")
    assert (
        describe_code(213, "Invalid quantity format")
        == "quantity invalid or not a multiple of the tick (Invalid quantity format)"
    )
    assert describe_code(77777, "SOMETHING_NEW") == "SOMETHING_NEW"
    assert describe_code(77777, "") == "a code without known meaning"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (40101, ["this environment", "UAT sandbox", "read and trade"]),
        (40103, ["allow-list", "IPv6"]),
        (40104, ["permissions"]),
        (40102, ["NTP"]),
    ],
)
def test_what_the_exchange_does_not_allow_comes_with_a_remedy(code, words):
    error = AuthError(method="m", message="x", code=code, remedy=remedy_for(code, None))
    assert all(word in str(error) for word in words)


@pytest.mark.parametrize(
    ("offset_ms", "words"), [(75_000, "75.0 s behind the"), (-61_500, "61.5 s ahead of the")]
)
def test_a_wrong_clock_is_told_with_its_offset(offset_ms, words):
    assert f"clock is about {words} exchange's" in remedy_for(40102, offset_ms)


def test_every_failure_is_one_kind():
    kinds = [AuthError, Maintenance, NotActive, NotFound, RateLimited, Refused, TryLater, UnknownOutcome]
    assert all(issubclass(kind, ExchangeError) for kind in kinds)
