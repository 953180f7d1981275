"""Pages by cursor: as quick at the end of a million rows as at the beginning."""

from typing import Any

from django.core.exceptions import ValidationError as InvalidValue
from django.db import DataError
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request


class Pages(CursorPagination):
    """Fifty rows, at most 500 on request; nothing is skipped or shown twice when rows come in meanwhile."""

    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 500

    def get_page_size(self, request: Request) -> int | None:
        asked = request.query_params.get(self.page_size_query_param) or "1"
        if not asked.isascii() or not asked.isdigit() or not asked.strip("0"):
            raise ValidationError({self.page_size_query_param: ["It must be a whole number from 1."]})
        return super().get_page_size(request)

    def paginate_queryset(self, *args: Any, **kwargs: Any) -> Any:
        """A cursor that somebody wrote by hand may point to no place at all."""
        try:
            return super().paginate_queryset(*args, **kwargs)
        except (InvalidValue, ValueError, OverflowError, DataError):
            raise NotFound(self.invalid_cursor_message) from None

    def get_schema_operation_parameters(self, view: Any) -> Any:
        parameters = super().get_schema_operation_parameters(view)
        for one in parameters:
            if one["name"] == self.page_size_query_param:
                one["schema"] |= {"minimum": 1, "default": self.page_size}
                one["description"] = (
                    f"Rows on a page; more than {self.max_page_size} are {self.max_page_size}."
                )
        return parameters
