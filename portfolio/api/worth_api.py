"""The recorded value over time, to read over HTTP."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from exchange.serializers import PlainDecimal, UtcTime
from portfolio.accounting.snapshots import SPANS, USUAL, Value, first_after, span_start, values_between


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
