"""Dashboard, balances, account value, watchlist and signals over HTTP."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django_filters import rest_framework as filters
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, serializers
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from exchange.api import StandardCursorPagination
from exchange.serializers import PlainDecimal, UtcTime
from portfolio.accounting.equity_curve import (
    DEFAULT_SPAN,
    SPANS,
    ValuePoint,
    first_value_at,
    span_start,
    values_between,
)
from portfolio.api.serializers import (
    TIMEFRAMES,
    BalanceSerializer,
    DashboardSerializer,
    SignalSerializer,
    TaskSerializer,
    WatchItemSerializer,
    WatchRemoval,
    WatchRequest,
)
from portfolio.api.state import load_state
from portfolio.api.throttling import SyncThrottle
from portfolio.models import Balance, Signal, WatchlistItem
from portfolio.signals.selectors import signal_row, with_action
from portfolio.signals.watchlist import (
    InvalidWatchlistItem,
    to_watchlist_rows,
    watchlist_add,
    watchlist_remove,
)
from portfolio.worker.sync_requests import sync_request

ACCEPTED = 202
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match", str, OpenApiParameter.HEADER, description="The `ETag` of an earlier answer."
)


class DashboardStateView(APIView):
    """Everything the dashboard shows."""

    @extend_schema(parameters=[IF_NONE_MATCH], responses={200: DashboardSerializer, 304: None})
    def get(self, request: Request) -> HttpResponseBase:
        """304 for the `ETag` of an earlier answer while only `as_of` and `age_seconds` would differ."""
        state = load_state(now=timezone.now())
        response = HttpResponse(state.body, content_type="application/json", headers={"ETag": state.etag})
        return get_conditional_response(request._request, etag=state.etag, response=response) or response


class SyncRequestView(APIView):
    """Queue a sync cycle; `id` is that of its task."""

    throttle_classes = (*APIView.throttle_classes, SyncThrottle)

    @extend_schema(request=None, responses={ACCEPTED: TaskSerializer})
    def post(self, request: Request) -> Response:
        task = sync_request(requested_by=request.user.get_username())
        return Response({"id": task}, status=ACCEPTED)


class BalancePages(StandardCursorPagination):
    ordering = "currency"


class BalanceListView(generics.ListAPIView[Balance]):
    """Balances by currency."""

    queryset = Balance.objects.all()
    serializer_class = BalanceSerializer
    pagination_class = BalancePages


class ValueQuery(serializers.Serializer[Any]):
    """A named span up to now, or `from` and `to`, either of which may be omitted."""

    range = serializers.ChoiceField(sorted(SPANS), default=DEFAULT_SPAN)

    def get_fields(self) -> dict[str, Any]:
        return {**super().get_fields(), "from": UtcTime(required=False), "to": UtcTime(required=False)}

    def validate(self, validated: dict[str, Any]) -> dict[str, Any]:
        if "from" in validated and validated["from"] > validated.get("to", timezone.now()):
            raise serializers.ValidationError({"from": "This is after the end."})
        return validated


class ValueSerializer(serializers.Serializer[Any]):
    """Account value; the coins in `unpriced` were held and are in no total."""

    at = UtcTime()
    total_usd = PlainDecimal()
    cash_usd = PlainDecimal(allow_null=True)
    unpriced = serializers.ListField(child=serializers.CharField())
    reconstructed = serializers.BooleanField(
        source="is_reconstructed",
        help_text="Calculated from the trades and candles of the simulator (dry run only), not recorded.",
    )


class ValuesSerializer(serializers.Serializer[Any]):
    """At most 500 values, oldest first: the last one of each equal interval between the first value and `to`."""

    points = ValueSerializer(many=True)

    def get_fields(self) -> dict[str, Any]:
        return {
            "from": UtcTime(source="start"),
            "to": UtcTime(source="end"),
            **super().get_fields(),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueHistoryResult:
    """The response."""

    start: datetime
    end: datetime
    points: tuple[ValuePoint, ...]


class ValueHistoryView(APIView):
    """Recorded account values. An interval in which nothing could be read has no point."""

    @extend_schema(parameters=[ValueQuery], responses=ValuesSerializer)
    def get(self, request: Request) -> Response:
        query = ValueQuery(data=request.query_params.dict())  # an empty value is no time, and no default
        query.is_valid(raise_exception=True)
        validated = query.validated_data
        end = validated.get("to", timezone.now())
        requested_start = validated.get("from") or span_start(validated["range"], now=end)
        start = first_value_at(requested_start, end=end)
        points = values_between(start, end)
        return Response(ValuesSerializer(ValueHistoryResult(start=start, end=end, points=points)).data)


INSTRUMENT_PARAMETER = OpenApiParameter(
    "instrument_name", str, required=True, description="Which one to take off the list, such as BTC_USD."
)


class WatchPages(StandardCursorPagination):
    ordering = ("position", "id")


class WatchlistView(generics.ListAPIView[Any]):
    """The watchlist, in its own order. An instrument is on it once, and is removed by name."""

    queryset = WatchlistItem.objects.all()
    serializer_class = WatchItemSerializer
    pagination_class = WatchPages

    def paginate_queryset(self, queryset: Any) -> list[Any] | None:
        page = super().paginate_queryset(queryset)
        return None if page is None else list(to_watchlist_rows(page, now=timezone.now()))

    @extend_schema(request=WatchRequest, responses={201: WatchItemSerializer, 200: WatchItemSerializer})
    def post(self, request: Request) -> Response:
        """Add a spot pair at the end of the list: 201. An existing one keeps its place and gets the note: 200."""
        validated, now = _valid(WatchRequest, request.data), timezone.now()
        try:
            item, is_new = watchlist_add(**validated, now=now)
        except InvalidWatchlistItem as refusal:
            raise ValidationError({refusal.field: [str(refusal)]}) from None
        (row,) = to_watchlist_rows([item], now=now)
        return Response(WatchItemSerializer(row).data, status=201 if is_new else 200)

    @extend_schema(parameters=[INSTRUMENT_PARAMETER], responses={204: None})
    def delete(self, request: Request) -> Response:
        """Remove an instrument, by name."""
        validated = _valid(WatchRemoval, request.query_params.dict())
        if not watchlist_remove(instrument_name=validated["instrument_name"]):
            raise NotFound("It is not on the watchlist.")
        return Response(status=204)


class SignalPages(StandardCursorPagination):
    ordering = ("instrument_name", "timeframe")


class SignalFilter(filters.FilterSet):  # type: ignore[misc]  # the package is not typed
    """`action` finds current signals only: not one that a later candle should have replaced."""

    instrument_name = filters.CharFilter()
    timeframe = filters.ChoiceFilter(choices=[(one, one) for one in TIMEFRAMES])
    action = filters.ChoiceFilter(choices=Signal.Action.choices, method="with_action")

    class Meta:
        model = Signal
        fields = ("instrument_name", "timeframe", "action")

    def with_action(self, signals: QuerySet[Signal], name: str, action: str) -> QuerySet[Signal]:
        return signals.filter(with_action(action, now=timezone.now()))


class SignalListView(generics.ListAPIView[Any]):
    """Signals of every followed instrument. Signals inform; they send nothing.

    A series without a signal is included: its `action` is null and its `reason` says why.
    """

    queryset = Signal.objects.filter(is_latest=True)
    serializer_class = SignalSerializer
    pagination_class = SignalPages
    filter_backends = (DjangoFilterBackend,)
    filterset_class = SignalFilter

    def paginate_queryset(self, queryset: Any) -> list[Any] | None:
        page, now = super().paginate_queryset(queryset), timezone.now()
        return None if page is None else [signal_row(signal, now=now) for signal in page]


def _valid(shape: type[WatchRequest] | type[WatchRemoval], data: Any) -> dict[str, Any]:
    validated = shape(data=data)
    validated.is_valid(raise_exception=True)
    return dict(validated.validated_data)
