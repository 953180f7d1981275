from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('exchange', '0021_stream_report'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='auditentry',
            options={'ordering': ['-id'], 'verbose_name_plural': 'audit entries'},
        ),
    ]
