"""The dashboard and the balances to read over HTTP."""

from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from exchange.paging import Pages
from portfolio.models import Balance
from portfolio.selectors import dashboard
from portfolio.serializers import BalanceSerializer, DashboardSerializer


class DashboardState(APIView):
    """Everything that the first page shows."""

    def get(self, request: Request) -> Response:
        return Response(DashboardSerializer(dashboard()).data)


class BalancePages(Pages):
    ordering = "currency"


class BalanceList(generics.ListAPIView[Balance]):
    """What the account holds, by currency."""

    queryset = Balance.objects.all()
    serializer_class = BalanceSerializer
    pagination_class = BalancePages
