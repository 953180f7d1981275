from django.db import migrations

CLOSED = ("CLOSED_BY_STOP", "CLOSED_BY_TARGET", "CLOSED_BY_EXIT", "CLOSED_BY_HAND")


def rests_wait(apps, schema_editor):
    """What closed lots of purchases left over waits for the next purchase, unless a person removed the protection."""
    lots, groups = apps.get_model("oco", "Lot").objects, apps.get_model("oco", "OcoGroup").objects
    released = set(groups.filter(state="RELEASED").values_list("lot_id", flat=True))
    closed = lots.filter(side="BUY", by_person=False, merged_into=None, average_price__isnull=False)
    ids = [
        lot.pk
        for lot in closed.filter(groups__state__in=CLOSED).exclude(closed_at=None).distinct().iterator()
        if lot.pk not in released and lot.bought - lot.sold - lot.gone > 0
    ]
    for start in range(0, len(ids), 500):
        lots.filter(pk__in=ids[start : start + 500]).update(waits=True)


class Migration(migrations.Migration):

    dependencies = [
        ('oco', '0010_waiting_lots'),
    ]

    operations = [
        migrations.RunPython(rests_wait, migrations.RunPython.noop),
    ]
