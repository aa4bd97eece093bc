"""Bind each request to the version of a grant that was made of it, instead of a grant to each."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import OuterRef, Subquery


def bind_to_first_versions(apps, schema_editor):
    """Until now every request that was agreed to had made a grant of its own. Repeat-safe."""
    grants = apps.get_model("sharing", "Grant").objects
    requests = apps.get_model("sharing", "SharingRequest").objects
    made = grants.filter(request=OuterRef("pk"))
    requests.filter(pk__in=grants.values("request"), grant=None).update(
        grant=Subquery(made.values("pk")[:1]), grant_version=1
    )


class Migration(migrations.Migration):

    dependencies = [
        ('sharing', '0029_supplier_accounts'),
    ]

    operations = [
        migrations.AddField(
            model_name='grant',
            name='renewed_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='续期或变更时间'),
        ),
        migrations.AddField(
            model_name='historicalgrant',
            name='renewed_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='续期或变更时间'),
        ),
        migrations.AlterField(
            model_name='grant',
            name='request',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='sharing.sharingrequest', verbose_name='共享申请'),
        ),
        migrations.AddField(
            model_name='sharingrequest',
            name='grant',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='requests', to='sharing.grant', verbose_name='授权'),
        ),
        migrations.AddField(
            model_name='sharingrequest',
            name='grant_version',
            field=models.PositiveIntegerField(blank=True, null=True, verbose_name='授权版本'),
        ),
        migrations.AddField(
            model_name='historicalsharingrequest',
            name='grant',
            field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='sharing.grant', verbose_name='授权'),
        ),
        migrations.AddField(
            model_name='historicalsharingrequest',
            name='grant_version',
            field=models.PositiveIntegerField(blank=True, null=True, verbose_name='授权版本'),
        ),
        migrations.RunPython(bind_to_first_versions, migrations.RunPython.noop, elidable=True),
        migrations.AddConstraint(
            model_name='grant',
            constraint=models.CheckConstraint(condition=models.Q(('renewed_at', None), models.Q(('provisioned_at__isnull', False), ('version__gt', 1)), _connector='OR'), name='sharing_grant_renewed_is_a_later_version'),
        ),
        migrations.AddConstraint(
            model_name='sharingrequest',
            constraint=models.UniqueConstraint(fields=('grant', 'grant_version'), name='sharing_sharingrequest_one_a_version'),
        ),
        migrations.AddConstraint(
            model_name='sharingrequest',
            constraint=models.UniqueConstraint(condition=models.Q(('grant_version', None)), fields=('grant',), name='sharing_sharingrequest_one_waiting_a_grant'),
        ),
        migrations.AddConstraint(
            model_name='sharingrequest',
            constraint=models.CheckConstraint(condition=models.Q(('grant_version', None), ('grant__isnull', False), _connector='OR'), name='sharing_sharingrequest_version_is_of_a_grant'),
        ),
        migrations.AddConstraint(
            model_name='sharingrequest',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('status', 'delivered'), _negated=True), ('grant_version__isnull', False), _connector='OR'), name='sharing_sharingrequest_delivered_is_a_version'),
        ),
    ]
