"""What is wrong with a group, in words."""

from decimal import Decimal

import pytest

from exchange.error_texts import code_text
from oco.engine.states import FINAL, State
from oco.presentation.banners import BannerInput, banner_of
from oco.presentation.reasons import order_text

D = Decimal


def plight(state, **changes):
    usual = {
        "currency": "ETH",
        "reason": "",
        "unprotected": D(0),
        "is_sent": False,
        "has_target": True,
    }
    return BannerInput(state=state, **(usual | changes))


def said(state, **changes):
    banner = banner_of(plight(state, **changes))
    return (banner.tone, " ".join([banner.title, *banner.lines]))


@pytest.mark.parametrize("state", [State.ACTIVE, *sorted(FINAL)])
def test_where_nothing_is_wrong_nothing_is_said(state):
    assert banner_of(plight(state)) is None


def test_the_retry_is_named_once():
    assert "The worker retries in the next cycle." in said(State.PENDING, reason="No price.")[1]
    retried = said(State.PENDING, reason="No price. Retrying in the next cycle.", names_retry=True)[1]
    assert retried.count("next cycle") == 1


def test_a_failed_stop_says_what_a_fall_would_do():
    tone, words = said(
        State.STOP_FAILED, reason="Rejected.", refusal=code_text(306), resting_target=D("2.4150")
    )
    assert tone == "crit"
    for part in (
        "If ETH falls, no stop will sell it",
        "Rejected. Exchange code 306: not enough available balance.",
        "reserves 2.4150 ETH and is still active",
    ):
        assert part in words


@pytest.mark.parametrize(
    ("state", "changes", "tone", "words"),
    [
        (State.UNKNOWN, {}, "warn", "It is unknown whether the stop exists"),
        (State.EXITING, {}, "warn", "ETH is being sold at market"),
        (State.PENDING, {}, "warn", "If ETH falls now, no stop will sell it"),
        (State.REPLACING, {"is_sent": True}, "warn", "Placing the stop"),
        (State.ACTIVE, {"unprotected": D("0.5")}, "warn", "0.5 ETH of this position have no stop"),
        (State.ACTIVE, {"has_target": False}, "info", "Stop only: no take profit is open"),
        (
            State.ACTIVE,
            {"release_requested_by": "alice"},
            "warn",
            ("alice requested removal of this protection"),
        ),
    ],
)
def test_each_state_is_told(state, changes, tone, words):
    found = said(state, **changes)
    assert found[0] == tone
    assert words in found[1]


def test_a_stop_that_was_wished_alone_is_as_it_should_be():
    assert banner_of(plight(State.ACTIVE, has_target=False, wants_target=False)) is None


def test_codes_and_kinds_have_words_even_unknown_ones():
    assert code_text(None) == ""
    assert code_text(315) == "Exchange code 315: limit price too far from the market."
    assert "unknown exchange code" in code_text(424242)
    assert [order_text("SELL", "LIMIT"), order_text("SELL", "ICEBERG")] == ["Sell limit", "SELL ICEBERG"]
