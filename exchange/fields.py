"""A decimal column that keeps every digit on both databases, and the input for a number."""

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.lookups import Exact, IsNull
from django.utils.translation import gettext

from exchange.core.numbers import AmbiguousNumber, NotANumber, input_text, parse_number

if TYPE_CHECKING:
    AnyField = models.Field[Any, Any]
else:
    AnyField = models.Field  # not subscriptable when it runs


MAX_TYPED_LENGTH = 60
MAX_EXPONENT = 60  # of what is entered; printing a larger one in plain digits would fill the memory


def format_decimal(value: Decimal) -> str:
    """`value` in plain digits, never with an exponent: what the exchange reads and what we show."""
    return format(value if value else abs(value), "f")


class NumericExact(Exact):
    """1.0 is 1.00, although their texts differ."""

    def as_sqlite(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        left, left_params = self.process_lhs(compiler, connection)
        right, right_params = self.process_rhs(compiler, connection)
        params = (*left_params, *left_params, *left_params, *right_params, *right_params, *right_params)
        return f"{_without_trailing_zeros(left)} = {_without_trailing_zeros(right)}", params


def _without_trailing_zeros(sql: str) -> str:
    """SQL for the number in the text `sql` without zeros at the end of its fraction."""
    return f"CASE WHEN instr({sql}, '.') THEN rtrim(rtrim({sql}, '0'), '.') ELSE {sql} END"


class ExactDecimalField(AnyField):
    """A decimal of any size, as sent: trailing zeros kept.

    PostgreSQL stores `numeric`. SQLite would turn a `decimal` column into a float after 15 digits, so the
    column is text there and cannot be compared by size: only equality and null can be asked of the database,
    on either one.
    """

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        return "numeric" if connection.vendor == "postgresql" else "text"

    def get_lookup(self, lookup_name: str) -> type[Any] | None:
        return {"exact": NumericExact, "isnull": IsNull}.get(lookup_name)

    def to_python(self, value: Any) -> Decimal | None:
        if value is None or isinstance(value, Decimal):
            return value
        try:
            number = Decimal(str(value))
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite() or not -MAX_EXPONENT <= number.adjusted() <= MAX_EXPONENT:
            raise ValidationError("This is not a number.")
        return number

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Decimal | None:
        return Decimal(value) if type(value) is str else self.to_python(value)  # thousands a cycle

    def get_prep_value(self, value: Any) -> Decimal | None:
        plain_value = value is None or isinstance(value, Decimal)  # most are, and there are many
        return value if plain_value else self.to_python(super().get_prep_value(value))

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        value = value if prepared else self.get_prep_value(value)
        return (
            format_decimal(value)
            if isinstance(value, Decimal) and connection.vendor != "postgresql"
            else value
        )

    def value_to_string(self, obj: models.Model) -> str:
        value = self.value_from_object(obj)
        return "" if value is None else format_decimal(value)

    def formfield(self, **kwargs: Any) -> forms.Field | None:
        return super().formfield(**{"form_class": NumberInputField, **kwargs})


class NumberInputField(forms.Field):
    """A number as a person types it, with comma or point; what can be read in two ways is asked again.

    A text input: one for numbers takes no comma on some phones, and empties itself when it does not understand.
    """

    def __init__(self, **kwargs: Any) -> None:
        attributes = {"inputmode": "decimal", "autocomplete": "off", "maxlength": str(MAX_TYPED_LENGTH)}
        super().__init__(**{"widget": forms.TextInput(attrs=attributes), **kwargs})

    def prepare_value(self, value: Any) -> Any:
        return input_text(value) if isinstance(value, Decimal) else value

    def to_python(self, value: Any) -> Decimal | None:
        if value is None or isinstance(value, Decimal) or not str(value).strip():
            return value if isinstance(value, Decimal) else None
        typed = str(value).strip()
        try:
            if len(typed) > MAX_TYPED_LENGTH:
                raise NotANumber(typed)
            return parse_number(typed)
        except AmbiguousNumber as error:
            words = gettext("“%(typed)s” can mean %(decimals)s or %(thousands)s. Enter one of these two.")
            known = {"typed": typed, "decimals": input_text(error.with_decimals)}
            known["thousands"] = input_text(error.with_thousands)
            raise ValidationError(words % known, code="ambiguous") from None
        except NotANumber:
            words = gettext("Enter a number such as %(example)s, with a comma or a point for decimals.")
            raise ValidationError(
                words % {"example": input_text(Decimal("3120.50"))}, code="invalid"
            ) from None
