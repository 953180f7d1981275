"""`manage.py simulate_order BTC_USD buy 100`: a market order of somebody else in the simulator (dry run only)."""

from decimal import Decimal
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from exchange.services.simulated_market import SimulationRefused, simulated_order_place


def plain_decimal(text: str) -> Decimal:
    """ValueError unless it is a number in plain digits."""
    if not text.removeprefix("-").replace(".", "", 1).isdecimal() or not text.isascii():
        raise ValueError(text)
    return Decimal(text)


class Command(BaseCommand):
    help = (
        "Buy or sell in the simulator, as another program of the same account would. In a dry run only. The desk sees "
        "the order at its next sync."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("instrument_name", metavar="INSTRUMENT", type=str.upper, help="such as BTC_USD")
        parser.add_argument("side", type=str.lower, choices=("buy", "sell"))
        parser.add_argument("amount_usd", metavar="AMOUNT", type=plain_decimal, help="in USD, at market")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            order = simulated_order_place(
                instrument_name=options["instrument_name"],
                side=options["side"].upper(),
                amount_usd=options["amount_usd"],
            )
        except SimulationRefused as refusal:
            raise CommandError(str(refusal)) from None
        base, _, quote = order.instrument_name.partition("_")
        done = f"{order.quantity:f} {base} {'bought' if order.side == 'BUY' else 'sold'}"
        self.stdout.write(
            f"Simulated: {done} for {order.value.normalize():f} {quote} (order {order.order_id})."
        )
        self.stdout.write(
            "The desk reads it in a few seconds, at its next sync at the latest, or now with  manage.py sync_exchange"
        )
