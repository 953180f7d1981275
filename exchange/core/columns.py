"""Fits values from the exchange into database columns: an odd text or number must not fail a cycle."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from django.db import models

INT32_LIMIT = 2**31


def fit_to_columns(model: type[models.Model], values: Mapping[str, Any]) -> dict[str, Any]:
    """`values` with texts cut to their columns and without NUL; a number beyond its column is not known."""
    lengths, numbers = _column_limits(model)
    return {name: _fit_value(value, lengths.get(name), name in numbers) for name, value in values.items()}


@cache
def _column_limits(model: type[models.Model]) -> tuple[dict[str, int], frozenset[str]]:
    """How long each text may be, and which columns are small whole numbers."""
    columns = model._meta.concrete_fields
    lengths = {column.name: column.max_length for column in columns if column.max_length is not None}
    return lengths, frozenset(c.name for c in columns if c.get_internal_type() == "IntegerField")


def _fit_value(value: Any, length: int | None, is_int32: bool) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "")[:length]
    if is_int32 and value is not None and not -INT32_LIMIT <= value < INT32_LIMIT:
        return None
    return value
