"""A draft may be saved before its abstract is written; it is asked for at submission."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("catalog", "0001_classification_datasets_items")]

    operations = [
        migrations.AlterField(
            model_name=name,
            name="abstract",
            field=models.CharField(
                blank=True,
                help_text="不超过 256 个字，说明数据的内容、范围和用途。",
                max_length=256,
                verbose_name="摘要",
            ),
        )
        for name in ("dataset", "historicaldataset")
    ]
