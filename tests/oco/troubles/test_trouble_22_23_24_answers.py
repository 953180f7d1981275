"""Troubles 22 to 24: answers that are malformed, orders that are refused, dollars that buy dollars.

The pair refused, and everything refused, are told in tests/oco/stories/test_refused.py; dollars in test_main_path.py.
"""

import pytest

from oco.models import OcoGroup

MALFORMED = [
    ("maintenance", {}),
    ("http", {"status": 502}),
    ("process_then_http", {"status": 502}),
    ("truncate", {"keep": 0.5}),
    ("truncate", {"keep": 0.97}),
    ("garbage", {}),
    ("empty", {}),
    ("slow_body", {"seconds": 12}),
    ("unknown_status", {"status": "SUSPENDED"}),
    *(("missing_fields", {"fields": [name]}) for name in ("client_oid", "status", "list_id", "quantity")),
]
HARMLESS = ["strings", "numbers", "unknown_fields"]
WHERE = ["*", "*/create-oco"]


@pytest.mark.parametrize("kind", HARMLESS)
def test_numbers_as_strings_strings_as_numbers_and_new_fields_change_nothing(bought, kind):
    bought.add_fault(kind)
    bought.sync()
    assert OcoGroup.objects.get().state == "ACTIVE"
    bought.must_converge()


@pytest.mark.parametrize("method", WHERE)
@pytest.mark.parametrize(("kind", "detail"), MALFORMED, ids=lambda each: str(each))
def test_a_malformed_answer_delays_and_doubles_nothing(bought, kind, detail, method):
    bought.add_fault(kind, method, **detail, every=2)
    for _ in range(3):
        bought.sync()
    bought.clear_faults()
    bought.sync()
    assert len(bought.resting()) <= 2
    bought.must_converge()
    assert OcoGroup.objects.get().state == "ACTIVE"


def test_refused_without_end_it_is_tried_once_a_cycle(bought):
    bought.add_fault("refuse", "*/create-*", code=50007)
    for _ in range(5):
        bought.sync()
        assert bought.requests("/create-") <= 2
    assert OcoGroup.objects.get().state == "STOP_FAILED"
    bought.must_converge()
