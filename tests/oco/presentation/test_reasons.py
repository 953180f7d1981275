"""What the record says is told in the reader's language: no reason is forgotten."""

import ast
from pathlib import Path

import pytest
from django.utils.translation import override

from oco.engine.pricing import ExitSide
from oco.presentation.reasons import PATTERNS, SENTENCE_GAP, SENTENCES, translate_reason

ROOT = Path(__file__).parents[3]
SPEAKERS = [
    *(f"oco/engine/{name}.py" for name in ("context", "coverage", "pricing", "rules")),
    *(f"oco/reconcile/{name}.py" for name in ("allocation", "entries", "execution", "loop")),
    "oco/services/groups.py",
    "exchange/services/order_execution.py",
]
BEGIN_WITH_A_VALUE = [
    "admin asked to take the protection away.",
    "admin asked to take the buy-back away.",
    "admin set the stop 95 and no target.",
    "admin set the stop 95 and the target 110.",
    "0.5 ETH came in at 1800.",
    "Stop 95 and target 110 for 0.5 is placed.",
    "A stop alone at 95 for 0.5 is placed.",
    "A sale at the market for 0.5 is placed.",
    "0.001 at 95 is below what the exchange takes.",
    "The target sold 0.1 of 0.5 and is near: it works one more cycle.",
    "The target sold 0.1 of 0.5. The rest is too little for a stop: it works on.",
    "The target sold 0.1 of 0.5. It is cancelled to protect the rest again.",
    "0.4 is covered, 0.5 may be sold: it is replaced.",
    "0.4 is covered, 0.5 may be sold. No price could be read.",
    "0.1 ETH left the account otherwise; the lot owns 0.4 now.",
    "The stop sold the lot. 0.001 stays: too little for an order.",
    "ETH was sold at 1800: what that brought buys 0.47 back.",
    "A purchase at the market for 0.5 is placed.",
    "The target bought 0.1 of 0.5 and is near: it works one more cycle.",
    "The target bought 0.1 of 0.5. It is cancelled to protect the rest again.",
    "0.4 is covered, 0.5 may be bought: it is replaced.",
    "The money for 0.1 ETH left the account otherwise; it buys 0.4 back now.",
    "The stop bought the lot. 0.001 stays: too little for an order.",
]


def texts(node, exit_side):
    """Every text of the code but docstrings and what gettext has, for one way; an unknown value is 1."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "_":
        return
    if isinstance(node, ast.Constant):
        yield str(node.value).replace("{done}", exit_side.done).replace("{means}", exit_side.means)
    elif isinstance(node, ast.JoinedStr):
        yield "".join(
            one.value if isinstance(one, ast.Constant) else value(one, exit_side) for one in node.values
        )
    else:
        for child in ast.iter_child_nodes(node):
            yield from texts(child, exit_side)


def value(place, exit_side):
    """What stands there: a word of the way, as `case.way.done`, or 1."""
    of, _, word = ast.unparse(place.value).rpartition(".")
    return getattr(exit_side, word) if of.rpartition(".")[2] == "exit_side" else "1"


def sentences(path, exit_side):
    for text in texts(ast.parse((ROOT / path).read_text(encoding="utf-8")), exit_side):
        if text[:1].isupper() and text.endswith(".") and " " in text:
            yield from SENTENCE_GAP.split(text)


def is_listed(text):
    return text in SENTENCES or any(shape.fullmatch(text) for shape, _ in PATTERNS)


@pytest.mark.parametrize("exit_side", ExitSide)
def test_every_sentence_that_is_written_down_is_listed(exit_side):
    found = {text: path for path in SPEAKERS for text in sentences(path, exit_side)}
    assert len(found) > 30
    assert {text: path for text, path in found.items() if not is_listed(text)} == {}


@pytest.mark.parametrize("record", BEGIN_WITH_A_VALUE)
def test_so_is_one_that_begins_with_a_value(record):
    assert [text for text in SENTENCE_GAP.split(record) if not is_listed(text)] == []


def test_each_sentence_is_told_in_spanish_with_its_values():
    with override("es"):
        told = translate_reason("Stop 1778.18 and target 2058.94 for 2.9775 is placed. Refused.")
    assert told == "Se pone el stop 1778.18 y el objetivo 2058.94 para 2.9775. Rechazado."


def test_in_english_the_record_is_as_it_was_written():
    record = "The stop 95 is less than 5 % from mark 99, too near for a pair."
    with override("en"):
        assert translate_reason(record) == record


def test_what_is_not_listed_is_told_as_it_was_written():
    with override("es"):
        assert translate_reason("private/create-order: the exchange said 306.") == (
            "private/create-order: the exchange said 306."
        )
        assert translate_reason("") == ""
