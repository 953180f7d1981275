from django.db import migrations
from django.db.models import Max, Min, OuterRef, Subquery
from django.db.models.functions import Coalesce

ROWS = 20_000  # by primary key, in one statement


def trade_orders_resolve(apps, schema_editor):
    """Link every stored fill to its order; those whose order is not known are linked when it is stored."""
    trades, orders = apps.get_model("exchange", "Trade").objects, apps.get_model("exchange", "ExchangeOrder").objects
    candidates = orders.filter(instrument_name=OuterRef("instrument_name"), side=OuterRef("side"), is_mirror=False)
    first = candidates.filter(name_space__in=["PLAIN", "ADVANCED"], order_id=OuterRef("order_id"))
    second = candidates.exclude(exchange_order_id="").filter(exchange_order_id=OuterRef("order_id"))
    order = Coalesce(*(Subquery(found.order_by("pk").values("pk")[:1]) for found in (first, second)))
    bounds = trades.aggregate(first=Min("pk"), last=Max("pk"))
    if bounds["first"] is None:
        return
    for start in range(bounds["first"], bounds["last"] + 1, ROWS):
        trades.filter(pk__gte=start, pk__lt=start + ROWS).update(resolved_order=order)


class Migration(migrations.Migration):

    dependencies = [
        ('exchange', '0010_trade_order'),
    ]

    operations = [
        migrations.RunPython(trade_orders_resolve, migrations.RunPython.noop),
    ]
