"""A reason is stored as data and told in the reader's language: no code is forgotten."""

import ast
import re
from pathlib import Path

import pytest
from django.utils.translation import override

from exchange.client.error_codes import CODES as EXCHANGE_CODES
from exchange.core.reasons import OrderReason, Reason, reason, stored_reason
from oco.engine.pricing import ExitSide
from oco.engine.reason_codes import PolicyChange, ReasonCode, Violation
from oco.engine.types import Role
from oco.presentation.reasons import REASON_TEXTS, render_reason
from tests.messages import catalogue

ROOT = Path(__file__).parents[3]
NAMES = re.compile(r"%\((\w+)\)s")
CODES = [*ReasonCode, *OrderReason, *Violation, *PolicyChange]
VARIANTS = [set(ExitSide), set(Role)]


def texts(code):
    """English, of every variant."""
    found = REASON_TEXTS[code]
    with override("en"):
        return [str(text) for text in (found.values() if isinstance(found, dict) else [found])]


def calls():
    """Every `reason(CODE, …)` of the program: the code, and the names of its parameters."""
    for app in ("exchange", "oco", "portfolio"):
        for path in (ROOT / app).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and ast.unparse(node.func) == "reason" and node.args:
                    enum, _, name = ast.unparse(node.args[0]).rpartition(".")
                    if enum in ("ReasonCode", "OrderReason"):
                        yield name, {one.arg for one in node.keywords} - {"exchange_code"}


@pytest.mark.parametrize("code", CODES)
def test_every_code_has_words_in_both_languages(code):
    spanish = catalogue("es")
    for text in texts(code):
        assert text.endswith(".")
        translated = spanish[text].string
        assert set(NAMES.findall(translated)) == set(NAMES.findall(text))


def test_the_table_holds_no_other_codes():
    assert {str(code) for code in REASON_TEXTS} == {str(code) for code in CODES}


def test_a_code_has_a_text_for_every_side_or_role():
    tables = [set(table) for table in REASON_TEXTS.values() if isinstance(table, dict)]
    assert len(tables) > 15
    assert [table for table in tables if table not in VARIANTS] == []


def test_who_gives_a_reason_gives_all_that_its_words_need():
    found = list(calls())
    assert len({code for code, _ in found}) > 45
    wanting = {
        code: missing
        for code, given in found
        if (missing := {name for text in texts(code) for name in NAMES.findall(text)} - given)
    }
    assert wanting == {}
    sided = {code for code, table in REASON_TEXTS.items() if isinstance(table, dict)}
    assert {code for code, given in found if code in sided and not given & {"side", "role"}} == set()


def test_it_is_told_in_the_language_of_the_reader():
    total = reason(ReasonCode.PLACING_PAIR, stop="1778.18", target="2058.94", quantity="2.9775")
    with override("es"):
        assert render_reason(total) == "Se coloca el stop 1.778,18 y el take profit 2.058,94 para 2,9775."


def test_a_refusal_names_code_meaning_and_remedy():
    total = reason(OrderReason.ORDER_REFUSED, exchange_code=306, answer="") + reason(
        ReasonCode.RETRY_NEXT_CYCLE
    )
    with override("en"):
        assert render_reason(total) == (
            "The exchange rejected the order. Exchange code 306: not enough available balance. "
            "Free some balance or make the order smaller. Retrying in the next cycle."
        )
    with override("es"):
        words = render_reason(total)
    assert "306" in words
    assert "balance" not in words


def test_the_own_words_of_the_exchange_are_added_once():
    with override("en"):
        known = reason(
            OrderReason.ORDER_REFUSED, exchange_code=308, answer=f"{EXCHANGE_CODES[308].meaning} (PX)"
        )
        assert render_reason(known).count("price invalid") == 1
        assert "Exchange message: PX." in render_reason(known)
        same = reason(OrderReason.ORDER_REFUSED, exchange_code=415, answer="below minimum order size")
        assert "Exchange message" not in render_reason(same)
        unknown = reason(OrderReason.OUTCOME_UNKNOWN, exchange_code=424242, answer="WHAT")
        assert render_reason(unknown).endswith(
            "Exchange code 424242: unknown exchange code. Exchange message: WHAT."
        )
        silent = reason(OrderReason.OUTCOME_UNKNOWN, answer="read timed out")
        assert render_reason(silent).endswith("Read timed out.")


@pytest.mark.parametrize(("side", "word"), [(ExitSide.SELL, "sold"), (ExitSide.BUY, "bought")])
def test_the_side_chooses_the_words(side, word):
    with override("en"):
        assert word in render_reason(reason(ReasonCode.CLOSED_BY_STOP, side=side))


def test_an_old_text_is_shown_as_it_was_written():
    with override("es"):
        assert render_reason(stored_reason("", {}, text="Refused. [306]")) == "Refused. [306]"
        assert render_reason(stored_reason("", {}, text="100 % of it")) == "100 % of it"
        assert render_reason(stored_reason("", {}, text="")) == ""


def test_the_code_is_not_repeated_after_an_old_text_that_names_it():
    assert render_reason(Reason("", {"text": "Refused. [306]"}, 306)) == "Refused. [306]"
    with override("en"):
        assert "Exchange code 306" in render_reason(Reason("", {"text": "Refused 1306 times."}, 306))


def test_what_an_older_program_cannot_know_is_shown_as_its_code():
    assert render_reason(Reason("NEW_IN_THE_NEXT_RELEASE", {"x": 1})) == "NEW_IN_THE_NEXT_RELEASE"
    assert render_reason(Reason("RELEASED_BY", {})) == "RELEASED_BY"
    assert render_reason(Reason("CLOSED_BY_STOP", {})) == "CLOSED_BY_STOP"
