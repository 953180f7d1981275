"""What is made of pip-audit's answer."""

from tests.pip_audit import summarize

FINE = {"name": "django", "version": "5.2.19", "vulns": []}
HOLE = {"name": "x", "version": "1", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2"]}]}
UNKNOWN = {"name": "y", "skip_reason": "not found"}


def test_a_hole_fails_and_says_where_it_is_mended():
    lines, code = summarize([FINE, HOLE])
    assert code == 1
    assert lines[0] == "x 1: PYSEC-1, mended in 2"


def test_what_was_not_looked_at_is_said():
    assert summarize([FINE, UNKNOWN])[0] == [("pip-audit: 1 packages, 0 known holes, 1 packages unknown.")]


def test_when_nothing_is_known_that_is_no_clean_bill():
    lines, code = summarize([UNKNOWN])
    assert code == 0
    assert "nothing was looked at" in lines[0]
