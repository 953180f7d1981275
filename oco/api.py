"""Protection over HTTP: read and request. Requests are recorded; the worker executes them."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError
from django.utils import timezone
from django_filters import rest_framework as filters
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics
from rest_framework.exceptions import APIException, NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from exchange.api import StandardCursorPagination
from exchange.core.numbers import plain_sentences
from exchange.serializers import ErrorSerializer
from oco.engine.states import State
from oco.models import OcoGroup
from oco.selectors import group_events, group_rows
from oco.serializers import GroupDetailSerializer, GroupRequest, GroupSerializer
from oco.services.groups import group_cancel, group_create
from oco.services.validation import AccountContext, Blocked, NotPossible


class GroupFilter(filters.FilterSet):  # type: ignore[misc]  # the package is not typed
    state = filters.ChoiceFilter(choices=[(str(state), str(state)) for state in State])
    instrument_name = filters.CharFilter()

    class Meta:
        model = OcoGroup
        fields = ("state", "instrument_name")


ACCEPTED = 202
KEY_LENGTH = 128
NAME_LENGTH = 64
NO_ACCOUNT = AccountContext(held=Decimal(0), mark=None)
RESPONSES = {ACCEPTED: GroupSerializer, 409: ErrorSerializer}
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "maxLength": KEY_LENGTH, "pattern": r"^[ -~]*$"},
    OpenApiParameter.HEADER,
    description="The same key is the same group, however often it is sent.",
)


class Conflict(APIException):
    """The request conflicts with an existing one, or nothing can be done now."""

    status_code = 409
    default_code = "conflict"


class GroupPages(StandardCursorPagination):
    ordering = ("-created_at", "-oco_group_id")


class GroupAPIView(generics.GenericAPIView[Any]):
    """Permissions are the project's defaults. `account_context` returns the account and the price for an
    instrument; the project that includes these URLs provides it.
    """

    queryset = OcoGroup.objects.all()
    account_context: Callable[[str], AccountContext] = staticmethod(lambda _name: NO_ACCOUNT)

    def accepted_response(self, group: OcoGroup) -> Response:
        (row,) = group_rows([group])
        return Response(GroupSerializer(row).data, status=ACCEPTED)


class GroupListView(GroupAPIView, generics.ListAPIView[Any]):
    """Groups, newest first."""

    serializer_class = GroupSerializer
    pagination_class = GroupPages
    filter_backends = (DjangoFilterBackend,)
    filterset_class = GroupFilter

    def paginate_queryset(self, queryset: Any) -> list[Any] | None:
        page = super().paginate_queryset(queryset)
        return None if page is None else list(group_rows(page))

    @extend_schema(request=GroupRequest, responses=RESPONSES, parameters=[IDEMPOTENCY_KEY])
    def post(self, request: Request) -> Response:
        """Protect a held position."""
        requested = GroupRequest(data=request.data)
        requested.is_valid(raise_exception=True)
        return self.accepted_response(self._protect(requested.validated_data, _name(request), _key(request)))

    def _protect(self, requested: dict[str, Any], name: str, key: str | None) -> OcoGroup:
        def create() -> OcoGroup:
            with plain_sentences():
                return group_create(
                    **requested,
                    account_context=self.account_context(requested["instrument_name"]),
                    requested_by=name,
                    now=timezone.now(),
                    idempotency_key=key,
                )

        try:
            group = create()
        except IntegrityError:  # a concurrent request with the same key was faster
            group = create()
        except Blocked as refusal:
            raise Conflict(str(refusal)) from None
        except NotPossible as refusal:
            raise ValidationError({refusal.field or "detail": [str(refusal)]}) from None
        if not _is_same(group, requested, name):
            raise Conflict("This Idempotency-Key was used for another request.")
        return group


class GroupDetailView(GroupAPIView):
    """One group with its event log."""

    serializer_class = GroupDetailSerializer

    def get(self, request: Request, pk: Any) -> Response:
        (row,) = group_rows([self.get_object()])
        return Response(self.get_serializer(replace(row, events=tuple(group_events(pk)))).data)


class GroupCancelView(GroupAPIView):
    """Remove protection, or stop a buy-back; coins and cash stay."""

    serializer_class = GroupSerializer
    weakens_protection = True

    @extend_schema(request=None, responses=RESPONSES)
    def post(self, request: Request, pk: Any) -> Response:
        try:
            group = group_cancel(group_id=pk, requested_by=_name(request), now=timezone.now())
        except OcoGroup.DoesNotExist:
            raise NotFound from None
        except NotPossible as refusal:
            raise Conflict(str(refusal)) from None
        return self.accepted_response(group)


def _name(request: Request) -> str:
    user = request.user
    return user.get_username()[:NAME_LENGTH] if isinstance(user, User) else ""


def _key(request: Request) -> str | None:
    """The Idempotency-Key, or None; an invalid one is refused."""
    key = request.headers.get("Idempotency-Key", "").strip()
    if len(key) > KEY_LENGTH or not (key.isascii() and key.isprintable()):
        raise ValidationError(
            {"detail": f"The Idempotency-Key may have {KEY_LENGTH} printable ASCII characters."}
        )
    return key or None


def _is_same(group: OcoGroup, requested: dict[str, Any], name: str) -> bool:
    """Whether the group is of this same request; its quantity may have changed since, its lot has not."""
    made = (group.instrument_name, group.lot.bought, group.stop_price, group.take_profit_price)
    expected = tuple(
        requested[field] for field in ("instrument_name", "quantity", "stop_price", "take_profit_price")
    )
    return made == expected and group.requested_by == name
