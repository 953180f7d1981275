"""Names of what is going on, one inside the other."""

import threading

import pytest

from exchange.core.observability import correlated, correlation_id, from_address, new_correlation_id, trail


def test_outside_of_everything_there_is_no_name():
    assert (correlation_id(), trail(), from_address()) == ("", "", "")


def test_the_name_on_top_counts_and_the_trail_has_all():
    with correlated("run-1"):
        with correlated("req-a"):
            assert (correlation_id(), trail()) == ("req-a", "run-1 req-a")
        assert (correlation_id(), trail()) == ("run-1", "run-1")
    assert trail() == ""


@pytest.mark.parametrize("name", ["", "run-1"])
def test_no_name_or_the_same_one_adds_nothing(name):
    with correlated("run-1"), correlated(name):
        assert trail() == "run-1"


def test_the_address_is_known_to_what_lies_within():
    with correlated("req-a", address="192.0.2.7"), correlated("run-1"):
        assert from_address() == "192.0.2.7"
    assert from_address() == ""


def test_after_an_error_the_name_is_gone():
    with pytest.raises(ValueError, match="lost"), correlated("run-1"):
        raise ValueError("lost")
    assert trail() == ""


def test_another_thread_has_a_trail_of_its_own():
    seen = []
    with correlated("run-1"):
        thread = threading.Thread(target=lambda: seen.append(trail()))
        thread.start()
        thread.join()
    assert seen == [""]


def test_a_new_name_says_its_kind_and_is_new():
    assert new_correlation_id("req").startswith("req-")
    assert new_correlation_id("req") != new_correlation_id("req")
