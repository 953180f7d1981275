"""`manage.py simulate_price BTC_USD --percent -6`: move a price of the simulator (dry run only)."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from exchange.management.commands.simulate_order import plain_decimal
from exchange.services.simulated_market import SimulationRefused, simulated_price_set


class Command(BaseCommand):
    help = "Move a price of the simulator, so that a stop or a take profit is reached. In a dry run only."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("instrument_name", metavar="INSTRUMENT", type=str.upper, help="such as BTC_USD")
        change = parser.add_mutually_exclusive_group(required=True)
        change.add_argument("--percent", type=plain_decimal, help="by this much; -6 is down by 6 %%")
        change.add_argument("--to", dest="price", metavar="PRICE", type=plain_decimal, help="to this price")

    def handle(self, *args: Any, **options: Any) -> None:
        names = ("instrument_name", "price", "percent")
        try:
            moved = simulated_price_set(**{name: options[name] for name in names})
        except SimulationRefused as refusal:
            raise CommandError(str(refusal)) from None
        self.stdout.write(f"Simulated: {moved.instrument_name} is at {moved.last:f} (mark {moved.mark:f}).")
