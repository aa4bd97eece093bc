"""Rejected records are corrected one by one, and a batch says which one it mends."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('warehouse', '0007_file_proposals'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='MendedRecord',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('cells', models.JSONField(default=dict, verbose_name='改正后的内容')),
                ('saved_at', models.DateTimeField(verbose_name='保存时间')),
            ],
            options={
                'verbose_name': '改正的数据',
                'verbose_name_plural': '改正的数据',
            },
        ),
        migrations.AddField(
            model_name='batch',
            name='mends',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='mended_by', to='warehouse.batch', verbose_name='改正的批次'),
        ),
        migrations.AddConstraint(
            model_name='batch',
            constraint=models.CheckConstraint(condition=models.Q(('mends', None), ('mends__lt', models.F('id')), _connector='OR'), name='warehouse_batch_mends_earlier'),
        ),
        migrations.AddField(
            model_name='mendedrecord',
            name='rejection',
            field=models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='mended', to='warehouse.rejection', verbose_name='校验未通过数据'),
        ),
        migrations.AddField(
            model_name='mendedrecord',
            name='saved_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='改正人'),
        ),
        migrations.AddField(
            model_name='mendedrecord',
            name='sent_in',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='mended_records', to='warehouse.batch', verbose_name='提交的批次'),
        ),
    ]
