"""The responsibility board as it stood at the end of each day."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [("accounts", "0001_regions_departments_people")]

    operations = [
        migrations.CreateModel(
            name='BoardDay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField(verbose_name='日期')),
                ('figures', models.JSONField(verbose_name='数值')),
                ('department', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='board_days', to='accounts.department', verbose_name='部门')),
            ],
            options={
                'verbose_name': '责任落实看板的一日',
                'verbose_name_plural': '责任落实看板的历日',
                'ordering': ['-day', 'department'],
                'constraints': [models.UniqueConstraint(fields=('department', 'day'), name='supervision_boardday_once_a_day')],
            },
        ),
    ]
