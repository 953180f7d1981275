"""Each invariant can fail, and says so."""

from dataclasses import replace

import pytest

from oco.engine.invariants import GroupFact, InvariantData, LegFact, LotFact, OrderFact, converged, violations
from oco.engine.states import State
from oco.engine.types import Role
from tests.oco.values import D

LOT = LotFact(id=1, currency="BTC", bought=D(1), owned=D(1), sold=D(0), tick=D("0.01"), is_closed=False)
GROUP = GroupFact(id="g", lot_id=1, state=State.ACTIVE)
STOP = LegFact(group_id="g", client_oid="stop", role=Role.STOP_LOSS, status="OPEN", executed=D(0))
TARGET = LegFact(group_id="g", client_oid="target", role=Role.TAKE_PROFIT, status="OPEN", executed=D(0))
RESTS = OrderFact(client_oid="stop", is_open=True, status="PENDING", quantity=D(1), executed=D(0))
GOOD = InvariantData(
    lots=[LOT],
    groups=[GROUP],
    legs=[STOP, TARGET],
    orders=[RESTS, replace(RESTS, client_oid="target", status="ACTIVE")],
    held={"BTC": D(1)},
)


def test_a_covered_lot_breaks_nothing():
    assert violations(GOOD) == []
    assert list(converged(GOOD)) == []


def ended(**changes):
    return replace(GOOD, groups=[replace(GROUP, state=State.RELEASED)], **changes)


@pytest.mark.parametrize(
    ("invariant_data", "words"),
    [
        (replace(GOOD, groups=[GROUP, replace(GROUP, id="h")]), "2 open groups"),
        (
            replace(
                GOOD,
                legs=[STOP, replace(STOP, client_oid="second")],
                orders=[RESTS, replace(RESTS, client_oid="second")],
            ),
            "two live orders",
        ),
        (replace(GOOD, legs=[STOP]), "never written down"),
        (replace(GOOD, legs=[replace(STOP, status="FILLED"), TARGET]), "ended FILLED"),
        (ended(legs=[replace(STOP, status="SENT")]), "is unknown"),
        (replace(GOOD, lots=[replace(LOT, sold=D("0.5"))]), "counts 0.5 executed"),
        (ended(), "rests behind"),
        (replace(GOOD, orders=[replace(RESTS, quantity=D(2))]), "may take 2"),
        (replace(GOOD, held={"BTC": D("0.5")}), "0.5 are held"),
        (replace(GOOD, orders=[]), "covers 0"),
    ],
)
def test_every_breach_is_told(invariant_data, words):
    assert any(words in each for each in violations(invariant_data))


def test_converged_means_wholly_covered():
    part = replace(GOOD, orders=[replace(order, quantity=D("0.5")) for order in GOOD.orders])
    assert violations(part) == []
    assert list(converged(part)) == ["Group g covers 0.5 of 1."]
    waiting = replace(GOOD, groups=[replace(GROUP, state=State.PENDING)])
    assert list(converged(waiting)) == ["Group g is PENDING."]
