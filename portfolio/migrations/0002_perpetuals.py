from django.db import migrations, models

import exchange.fields


class Migration(migrations.Migration):
    dependencies = [("portfolio", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="Perpetual",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("instrument_name", models.CharField(max_length=64)),
                (
                    "isolation_id",
                    models.CharField(blank=True, help_text="Blank: cross margin.", max_length=64),
                ),
                ("quantity", exchange.fields.ExactDecimalField(help_text="Negative: short.")),
                ("market_value_usd", exchange.fields.ExactDecimalField(blank=True, null=True)),
                ("since", models.DateTimeField(help_text="First seen on this side.")),
                ("read_at", models.DateTimeField()),
            ],
            options={
                "db_table": "portfolio_perpetuals",
                "ordering": ["instrument_name", "isolation_id"],
                "constraints": [
                    models.UniqueConstraint(fields=("instrument_name", "isolation_id"), name="perpetual_once")
                ],
            },
        ),
    ]
