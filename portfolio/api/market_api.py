"""The watchlist and the signals over HTTP."""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django_filters import rest_framework as filters
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from exchange.api import Pages
from portfolio.api.market_serializers import (
    TIMEFRAMES,
    SignalSerializer,
    WatchItemSerializer,
    WatchNamed,
    WatchRequest,
)
from portfolio.models import Signal, WatchlistItem
from portfolio.signals.selectors import row_of, with_action
from portfolio.signals.watchlist import NotWatchable, rows_of, watchlist_add, watchlist_remove

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
