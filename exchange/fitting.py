"""Makes what the exchange says fit the columns that keep it: an odd text or code must not stop every cycle.

SQLite would take anything; PostgreSQL refuses the whole chunk.
"""

from collections.abc import Mapping
from typing import Any

from django.db import models

SMALL = 2**31


def fitting(model: type[models.Model], values: Mapping[str, Any]) -> dict[str, Any]:
    """`values` with texts cut to their columns and without NUL; a number beyond its column is not known."""
    return {name: _fit(model._meta.get_field(name), value) for name, value in values.items()}


def _fit(field: Any, value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "")[: field.max_length]
    if field.get_internal_type() == "IntegerField" and value is not None and not -SMALL <= value < SMALL:
        return None
    return value
