"""What becomes of a batch with more rejected records than the limit: stopped or quarantined."""

import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0011_item_normalisers'),
    ]

    operations = [
        migrations.AddField(
            model_name='dataset',
            name='dirty_limit_action',
            field=models.CharField(choices=[('stop', '整批不入库'), ('quarantine', '合格的入库，不合格的留存待改')], default='stop', max_length=10, verbose_name='超过上限时'),
        ),
        migrations.AddField(
            model_name='historicaldataset',
            name='dirty_limit_action',
            field=models.CharField(choices=[('stop', '整批不入库'), ('quarantine', '合格的入库，不合格的留存待改')], default='stop', max_length=10, verbose_name='超过上限时'),
        ),
        migrations.AlterField(
            model_name='dataset',
            name='dirty_limit_ratio',
            field=models.FloatField(default=0.1, help_text='0–1 之间；一批数据中不合格记录超过这个比例时，按“超过上限时”处理。', validators=[django.core.validators.MinValueValidator(0.0), django.core.validators.MaxValueValidator(1.0)], verbose_name='不合格记录上限比例'),
        ),
        migrations.AlterField(
            model_name='dataset',
            name='dirty_limit_rows',
            field=models.PositiveIntegerField(blank=True, help_text='选填；超过这个行数时，同样处理。', null=True, verbose_name='不合格记录上限行数'),
        ),
        migrations.AlterField(
            model_name='historicaldataset',
            name='dirty_limit_ratio',
            field=models.FloatField(default=0.1, help_text='0–1 之间；一批数据中不合格记录超过这个比例时，按“超过上限时”处理。', validators=[django.core.validators.MinValueValidator(0.0), django.core.validators.MaxValueValidator(1.0)], verbose_name='不合格记录上限比例'),
        ),
        migrations.AlterField(
            model_name='historicaldataset',
            name='dirty_limit_rows',
            field=models.PositiveIntegerField(blank=True, help_text='选填；超过这个行数时，同样处理。', null=True, verbose_name='不合格记录上限行数'),
        ),
    ]
