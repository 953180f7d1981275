from django.db import migrations, models


def put_aside(apps, schema_editor):
    """What was raised before there was any delivery is not sent now; it stays on the desk."""
    apps.get_model("portfolio", "Alert").objects.filter(state="DUE").update(state="DESK")


class Migration(migrations.Migration):

    dependencies = [
        ('portfolio', '0003_values_and_costs'),
    ]

    operations = [
        migrations.CreateModel(
            name='AlertMessage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.BigIntegerField(unique=True)),
                ('at', models.DateTimeField(db_index=True)),
                ('alerts', models.IntegerField(help_text='How many it told of.')),
                ('took', models.IntegerField(default=0, help_text='Channels that took it.')),
                ('refused', models.IntegerField(default=0, help_text='Channels that did not.')),
            ],
            options={
                'db_table': 'portfolio_alert_messages',
                'ordering': ['-number'],
            },
        ),
        migrations.AddField(
            model_name='alert',
            name='attempts',
            field=models.IntegerField(default=0),
        ),
        migrations.AddField(
            model_name='alert',
            name='claim',
            field=models.CharField(blank=True, help_text='Of whoever is sending it.', max_length=32),
        ),
        migrations.AddField(
            model_name='alert',
            name='claimed_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='alert',
            name='condition',
            field=models.CharField(blank=True, max_length=96),
        ),
        migrations.AddField(
            model_name='alert',
            name='daily_date',
            field=models.DateField(blank=True, null=True, unique=True),
        ),
        migrations.AddField(
            model_name='alert',
            name='ended_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='alert',
            name='first_tried_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='alert',
            name='last_error',
            field=models.CharField(blank=True, max_length=255),
        ),
        migrations.AddField(
            model_name='alert',
            name='next_try_at',
            field=models.DateTimeField(blank=True, help_text='Empty: as soon as possible.', null=True),
        ),
        migrations.AddField(
            model_name='alert',
            name='sent_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='alert',
            name='sent_to',
            field=models.JSONField(blank=True, default=list, help_text='Marks of the channels that took it.'),
        ),
        migrations.AlterField(
            model_name='alert',
            name='kind',
            field=models.CharField(choices=[('UNPROTECTED', 'unprotected for too long'), ('STOP_FAILED', 'no stop can be placed'), ('UNKNOWN', "an order's fate is not known"), ('EXIT', 'sold at the market'), ('CLOSED', 'a position was closed'), ('RELEASED', 'protection was taken away'), ('INVARIANT', 'the books do not add up'), ('SYNC', 'the sync fails'), ('CLOCK', 'the clock is wrong'), ('KEY', 'the exchange refuses the key'), ('SWITCH', 'trading was switched'), ('WORKER', 'the worker is silent'), ('WATCH', 'a part of the watch fails'), ('TRADES', 'executions are missing'), ('WELL', 'is well again'), ('DAILY', 'the daily alert')], max_length=16),
        ),
        migrations.AlterField(
            model_name='alert',
            name='state',
            field=models.CharField(choices=[('DUE', 'to be sent'), ('SENDING', 'being sent'), ('SENT', 'sent'), ('FAILED', 'could not be sent'), ('DESK', 'on the desk only')], default='DUE', max_length=16),
        ),
        migrations.AddIndex(
            model_name='alert',
            index=models.Index(condition=models.Q(('acknowledged_at', None), ('ended_at', None)), fields=['-raised_at'], name='alerts_unseen'),
        ),
        migrations.AddConstraint(
            model_name='alert',
            constraint=models.UniqueConstraint(condition=models.Q(('ended_at', None), models.Q(('condition', ''), _negated=True)), fields=('condition',), name='one_open_alert_a_condition'),
        ),
        migrations.RunPython(put_aside, migrations.RunPython.noop, elidable=True),
    ]
