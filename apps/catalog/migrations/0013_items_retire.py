"""An item that a request names is retired, not deleted, when a version leaves it out."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0012_dirty_limit_action'),
    ]

    operations = [
        migrations.AddField(
            model_name='dataitem',
            name='retired_at',
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name='停用时间'),
        ),
        migrations.AddField(
            model_name='historicaldataitem',
            name='retired_at',
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name='停用时间'),
        ),
        migrations.RemoveConstraint(
            model_name='dataitem',
            name='catalog_dataitem_name_unique_in_dataset',
        ),
        migrations.AddConstraint(
            model_name='dataitem',
            constraint=models.UniqueConstraint(condition=models.Q(('retired_at', None)), fields=('dataset', 'name'), name='catalog_dataitem_name_unique_in_dataset', violation_error_message='同一目录内数据项名称不能重复'),
        ),
    ]
