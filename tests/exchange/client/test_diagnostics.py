"""The look at the connection says for each step whether it works, and what to do when it does not."""

import pytest

from exchange.client.diagnostics import run_diagnostics

NAMES = [
    "address",
    "clock",
    "key accepted",
    "balance readable",
    "orders readable",
    "advanced orders readable",
    "IP address",
    "trading permission",
]


def look(world):
    return {step.name: step for step in run_diagnostics(world.client())}


def passed(found):
    return {name: step.passed for name, step in found.items()}


def test_all_is_well(world):
    found = look(world)
    assert list(found) == NAMES
    assert passed(found) == {**dict.fromkeys(NAMES, True), "trading permission": None}
    assert world.exchange.account_uuid in found["key accepted"].text
    assert "cannot be proved" in found["trading permission"].text


def test_no_order_is_sent(world):
    look(world)
    assert not list(world.exchange.all_orders())


def test_nobody_answers(world):
    world.faults.add("drop_before")
    found = look(world)
    assert set(passed(found).values()) == {False, None}
    assert "not be measured" in found["clock"].text
    assert found["IP address"].passed is None


@pytest.mark.parametrize(("skew_ms", "good"), [(0, True), (8_000, True), (30_000, False), (-30_000, False)])
def test_the_clock(world, skew_ms, good):
    world.control("clock", skew_ms=skew_ms)
    clock = look(world)["clock"]
    assert clock.passed is good
    assert float(clock.text.split()[4]) == pytest.approx(skew_ms / 1000, abs=0.6)
    assert ("NTP" in clock.text) is not good


def test_a_clock_too_far_off_is_refused_with_the_remedy(world):
    world.control("clock", skew_ms=90_000)
    found = look(world)
    assert found["key accepted"].passed is False
    assert "NTP" in found["key accepted"].text
    assert found["IP address"].passed is None


def test_a_refused_address_is_recognised(world):
    world.control("access", ip_allowed=False)
    found = look(world)
    assert found["address"].passed is True
    assert found["IP address"].passed is False
    assert "allow-list" in found["IP address"].text
    assert "IPv6" in found["key accepted"].text


def test_a_wrong_key_is_not_taken_for_a_wrong_address(world):
    world.exchange.keys.clear()
    found = look(world)
    assert found["key accepted"].passed is False
    assert "[40101]" in found["key accepted"].text
    assert found["IP address"].passed is None


@pytest.mark.parametrize(
    ("method", "name"),
    [
        ("private/user-balance", "balance readable"),
        ("private/get-open-orders", "orders readable"),
        ("private/advanced/get-open-orders", "advanced orders readable"),
        ("public/get-tickers", "address"),
    ],
)
def test_one_thing_does_not_work(world, method, name):
    world.faults.add("refuse", method, code=40104)
    found = look(world)
    assert [each for each, ok in passed(found).items() if ok is False] == [name]
    assert found[name].text.endswith(".") or "[40104]" in found[name].text


@pytest.mark.parametrize("offset_ms", [0, 300])
def test_a_nonce_that_is_refused_while_the_date_agrees_is_no_good_clock(world, offset_ms):
    """The exchange measures our clock by the nonce, we measure it by the Date header."""
    world.control("clock", skew_ms=offset_ms)
    world.faults.add("refuse", "private/*", code=40102)
    found = look(world)
    assert found["clock"].passed is False
    assert "[40102]" in found["clock"].text
    for text in (found["clock"].text, found["key accepted"].text):
        assert "behind" not in text
        assert "set the clock" not in text.lower()
        assert "proxy" in text
