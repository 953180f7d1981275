"""`make test` tries a share of what is many of a kind; `make soak` sets SOAK and tries all of it."""

import os
from typing import Any

import pytest

SOAK = bool(os.environ.get("SOAK"))


def examples(count: int) -> int:
    """How many random examples: a quarter in `make test`."""
    return count if SOAK else count // 4


def pairwise(every: list[Any], share: list[Any]) -> list[Any]:
    """Parameters: those of `share` always, the others of `every` only in `make soak`."""
    unknown = [one for one in share if one not in every]
    if unknown:
        raise ValueError(f"not among the values: {unknown}")
    return [one if one in share else pytest.param(*one, marks=pytest.mark.soak) for one in every]


def once(values: Any, *database: Any) -> list[Any]:
    """Parameters that PostgreSQL is asked as well only for `database`, except in `make soak`."""
    return [one if one in database else pytest.param(one, marks=pytest.mark.any_database) for one in values]
