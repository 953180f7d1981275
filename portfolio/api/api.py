"""The dashboard and the balances to read over HTTP."""

from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from exchange.api import Pages
from portfolio.api.portfolio_serializers import BalanceSerializer, DashboardSerializer, TaskSerializer
from portfolio.api.throttles import Syncing
from portfolio.dashboard.selectors import dashboard
from portfolio.models import Balance
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
