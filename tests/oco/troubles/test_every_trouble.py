"""No trouble that a release must survive is left out (protection chapter 4)."""

from pathlib import Path

from tests.oco.troubles import conftest

HERE = Path(conftest.__file__).parent
TROUBLES = range(1, 26)


def told() -> list[int]:
    """The numbers in the names of the files that tell a trouble."""
    words = (part for path in HERE.glob("test_trouble_*.py") for part in path.stem.split("_"))
    return sorted(int(word) for word in words if word.isdecimal())


def test_each_of_them_has_its_story_once():
    assert told() == list(TROUBLES)


def test_every_file_tells_something():
    for path in HERE.glob("test_trouble_*.py"):
        assert "\ndef test_" in path.read_text(encoding="utf-8"), path.name
