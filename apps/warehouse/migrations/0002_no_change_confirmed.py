"""A period in which the provider confirmed that nothing changed."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("catalog", "0001_classification_datasets_items"), ("warehouse", "0001_stores_tables_batches"), migrations.swappable_dependency(settings.AUTH_USER_MODEL)]

    operations = [
        migrations.CreateModel(
            name='NoChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('period_from', models.DateField(verbose_name='期间起')),
                ('period_to', models.DateField(verbose_name='期间止')),
                ('confirmed_at', models.DateTimeField(verbose_name='确认时间')),
                ('note', models.CharField(blank=True, max_length=300, verbose_name='说明')),
                ('confirmed_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='确认人')),
                ('dataset', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='no_changes', to='catalog.dataset', verbose_name='数据目录')),
            ],
            options={
                'verbose_name': '无变化确认',
                'verbose_name_plural': '无变化确认',
                'ordering': ['-period_to', '-id'],
                'constraints': [models.CheckConstraint(condition=models.Q(('period_to__gte', models.F('period_from'))), name='warehouse_nochange_period_in_order', violation_error_message='期间止不能早于期间起'), models.UniqueConstraint(fields=('dataset', 'period_from', 'period_to'), name='warehouse_nochange_period_once', violation_error_message='这个期间已经确认过')],
            },
        ),
    ]
