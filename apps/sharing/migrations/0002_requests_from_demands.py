import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('sharing', '0001_requests_decisions_grants'),
        ('catalog', '0006_demands'),
    ]

    operations = [
        migrations.AddField(
            model_name='historicalsharingrequest',
            name='demand',
            field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='catalog.demand', verbose_name='所依据的需求'),
        ),
        migrations.AddField(
            model_name='sharingrequest',
            name='demand',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='sharing_requests', to='catalog.demand', verbose_name='所依据的需求'),
        ),
    ]
