"""The dashboard and the balances to read over HTTP.

The recorded value over time, to read over HTTP.

The watchlist and the signals over HTTP.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django_filters import rest_framework as filters
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, serializers
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from exchange.api import Pages
from exchange.serializers import PlainDecimal, UtcTime
from portfolio.accounting.snapshots import SPANS, USUAL, Value, first_after, span_start, values_between
from portfolio.api.serializers import (
    TIMEFRAMES,
    BalanceSerializer,
    DashboardSerializer,
    SignalSerializer,
    TaskSerializer,
    WatchItemSerializer,
    WatchNamed,
    WatchRequest,
)
from portfolio.api.throttling import Syncing
from portfolio.dashboard.selectors import dashboard
from portfolio.models import Balance, Signal, WatchlistItem
from portfolio.signals.selectors import row_of, with_action
from portfolio.signals.watchlist import NotWatchable, rows_of, watchlist_add, watchlist_remove
from portfolio.worker.runner import sync_request

ACCEPTED = 202


class DashboardState(APIView):
    """Everything that the first page shows."""

    @extend_schema(responses=DashboardSerializer)
    def get(self, request: Request) -> Response:
        return Response(DashboardSerializer(dashboard()).data)


class SyncNow(APIView):
    """Asks the worker for a cycle now; `id` is that of its task."""

    throttle_classes = (*APIView.throttle_classes, Syncing)

    @extend_schema(request=None, responses={ACCEPTED: TaskSerializer})
    def post(self, request: Request) -> Response:
        task = sync_request(requested_by=request.user.get_username())
        return Response({"id": task}, status=ACCEPTED)


class BalancePages(Pages):
    ordering = "currency"


class BalanceList(generics.ListAPIView[Balance]):
    """What the account holds, by currency."""

    queryset = Balance.objects.all()
    serializer_class = BalanceSerializer
    pagination_class = BalancePages


class ValueQuery(serializers.Serializer[Any]):
    """A named span up to now, or `from` and `to`, of which either may be left out."""

    range = serializers.ChoiceField(sorted(SPANS), default=USUAL)

    def get_fields(self) -> dict[str, Any]:
        return {**super().get_fields(), "from": UtcTime(required=False), "to": UtcTime(required=False)}

    def validate(self, asked: dict[str, Any]) -> dict[str, Any]:
        if "from" in asked and asked["from"] > asked.get("to", timezone.now()):
            raise serializers.ValidationError({"from": "This is after the end."})
        return asked


class ValueSerializer(serializers.Serializer[Any]):
    """What the account was worth; `unpriced` was held and is in no total."""

    at = UtcTime()
    total_usd = PlainDecimal()
    cash_usd = PlainDecimal(allow_null=True)
    unpriced = serializers.ListField(child=serializers.CharField())


class ValuesSerializer(serializers.Serializer[Any]):
    """At most 500 values, oldest first: the last one of each equal stretch between the first value and `to`."""

    points = ValueSerializer(many=True)

    def get_fields(self) -> dict[str, Any]:
        return {
            "from": UtcTime(source="start"),
            "to": UtcTime(source="end"),
            **super().get_fields(),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """The answer."""

    start: datetime
    end: datetime
    points: tuple[Value, ...]


class ValueHistory(APIView):
    """Recorded value over time. A stretch in which nothing could be read has no point."""

    @extend_schema(parameters=[ValueQuery], responses=ValuesSerializer)
    def get(self, request: Request) -> Response:
        query = ValueQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        asked = query.validated_data
        end = asked.get("to", timezone.now())
        asked_from = asked.get("from") or span_start(asked["range"], now=end)
        start = first_after(asked_from, end=end)
        points = values_between(start, end)
        return Response(ValuesSerializer(Values(start=start, end=end, points=points)).data)


NAMED = OpenApiParameter(
    "instrument_name", str, required=True, description="Which one to take off the list, such as BTC_USD."
)


class WatchPages(Pages):
    ordering = ("position", "id")


class Watchlist(generics.ListAPIView[Any]):
    """The watchlist, in its own order. An instrument is on it once, and its name is what it is removed by."""

    queryset = WatchlistItem.objects.all()
    serializer_class = WatchItemSerializer
    pagination_class = WatchPages

    def paginate_queryset(self, queryset: Any) -> list[Any] | None:
        page = super().paginate_queryset(queryset)
        return None if page is None else list(rows_of(page, now=timezone.now()))

    @extend_schema(request=WatchRequest, responses={201: WatchItemSerializer, 200: WatchItemSerializer})
    def post(self, request: Request) -> Response:
        """Put a spot pair at the end of the list: 201. One that is there stays and takes the note: 200."""
        asked, now = _valid(WatchRequest, request.data), timezone.now()
        try:
            item, is_new = watchlist_add(**asked, now=now)
        except NotWatchable as refusal:
            raise ValidationError({refusal.field: [str(refusal)]}) from None
        (row,) = rows_of([item], now=now)
        return Response(WatchItemSerializer(row).data, status=201 if is_new else 200)

    @extend_schema(parameters=[NAMED], responses={204: None})
    def delete(self, request: Request) -> Response:
        """Take an instrument off the list, by its name."""
        asked = _valid(WatchNamed, request.query_params)
        if not watchlist_remove(instrument_name=asked["instrument_name"]):
            raise NotFound("It is not on the watchlist.")
        return Response(status=204)


class SignalPages(Pages):
    ordering = ("instrument_name", "timeframe")


class SignalFilter(filters.FilterSet):  # type: ignore[misc]  # the package is not typed
    """`action` finds what is a signal now: one that a later bar should have replaced is none."""

    instrument_name = filters.CharFilter()
    timeframe = filters.ChoiceFilter(choices=[(one, one) for one in TIMEFRAMES])
    action = filters.ChoiceFilter(choices=Signal.Action.choices, method="with_action")

    class Meta:
        model = Signal
        fields = ("instrument_name", "timeframe", "action")

    def with_action(self, signals: QuerySet[Signal], name: str, action: str) -> QuerySet[Signal]:
        return signals.filter(with_action(action, now=timezone.now()))


class SignalList(generics.ListAPIView[Any]):
    """What the indicators say of every instrument that is watched or held. Signals inform; they send nothing.

    A series without a signal is here too: its `action` is null and its `reason` tells why.
    """

    queryset = Signal.objects.filter(is_latest=True)
    serializer_class = SignalSerializer
    pagination_class = SignalPages
    filter_backends = (DjangoFilterBackend,)
    filterset_class = SignalFilter

    def paginate_queryset(self, queryset: Any) -> list[Any] | None:
        page, now = super().paginate_queryset(queryset), timezone.now()
        return None if page is None else [row_of(signal, now=now) for signal in page]


def _valid(shape: type[WatchRequest] | type[WatchNamed], data: Any) -> dict[str, Any]:
    asked = shape(data=data)
    asked.is_valid(raise_exception=True)
    return dict(asked.validated_data)
