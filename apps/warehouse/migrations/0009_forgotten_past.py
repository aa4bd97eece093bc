"""Let a table say from which batch on the past versions of its rows are kept."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("warehouse", "0008_mended_rejections")]

    operations = [
        migrations.AddField(
            model_name="datatable",
            name="forgotten_batch",
            field=models.PositiveBigIntegerField(default=0, verbose_name="历史清理到批次"),
        ),
    ]
