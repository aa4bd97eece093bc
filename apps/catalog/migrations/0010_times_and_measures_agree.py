"""Facts that belong together stand or fall together: times with statuses, items, levels."""

from django.conf import settings
from django.db import migrations, models


def forget_that_it_was_pointed_out(apps, schema_editor):
    """A demand that went on after it was called met is not met until it is delivered."""
    demands = apps.get_model("catalog", "Demand").objects.exclude(
        status__in=("fulfilled", "closed")
    )
    demands.exclude(fulfilled_at=None).update(fulfilled_at=None)


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0002_platform_user'),
        ('catalog', '0009_upward_reporting'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunPython(forget_that_it_was_pointed_out, migrations.RunPython.noop),
        migrations.RemoveConstraint(
            model_name='upperrequest',
            name='catalog_upperrequest_forwarded_has_time',
        ),
        migrations.AddConstraint(
            model_name='classification',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('code__regex', '^\\d$'), ('level', 1), ('parent', None)), models.Q(('code__regex', '^\\d{3}$'), ('level', 2), ('parent__isnull', False)), models.Q(('code__regex', '^\\d{6}$'), ('level', 3), ('parent__isnull', False)), models.Q(('code__regex', '^\\d{7,}$'), ('level', 4), ('parent__isnull', False)), _connector='OR'), name='catalog_classification_level_follows_code', violation_error_message='层级和上级分类应与分类代码相符'),
        ),
        migrations.AddConstraint(
            model_name='dataset',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('sharing_attribute', 'not_shared'), _negated=True), models.Q(('status__in', ['published', 'withdrawal_requested', 'withdrawn']), _negated=True), models.Q(models.Q(('sharing_reason', ''), _negated=True), models.Q(('sharing_statute', ''), _negated=True)), _connector='OR'), name='catalog_dataset_not_shared_has_reason', violation_error_message='不予共享的，须写明理由和依据'),
        ),
        migrations.AddConstraint(
            model_name='demand',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('fulfilled_at__isnull', False), ('status', 'fulfilled')), ('status', 'closed'), models.Q(models.Q(('status__in', ('fulfilled', 'closed')), _negated=True), ('fulfilled_at', None)), _connector='OR'), name='catalog_demand_fulfilled_has_time'),
        ),
        migrations.AddConstraint(
            model_name='demand',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('closed_at__isnull', False), ('status', 'closed')), models.Q(models.Q(('status', 'closed'), _negated=True), ('closed_at', None)), _connector='OR'), name='catalog_demand_closed_has_time'),
        ),
        migrations.AddConstraint(
            model_name='duty',
            constraint=models.CheckConstraint(condition=models.Q(('item_columns__len', models.F('item_names__len'))), name='catalog_duty_items_in_step', violation_error_message='数据项的列名与名称个数不同'),
        ),
        migrations.AddConstraint(
            model_name='upperrequest',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('status', 'filed'), _negated=True), ('filed_at__isnull', False), _connector='OR'), name='catalog_upperrequest_filed_has_time'),
        ),
        migrations.AddConstraint(
            model_name='upperrequest',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('filed_at__isnull', False), ('forwarded_at__isnull', False), ('outside_on__isnull', False), ('status__in', ('forwarded', 'agreed', 'refused', 'delivered', 'closed'))), models.Q(models.Q(('status__in', ('forwarded', 'agreed', 'refused', 'delivered', 'closed')), _negated=True), ('forwarded_at', None), ('outside_on', None)), _connector='OR'), name='catalog_upperrequest_forwarded_has_time'),
        ),
        migrations.AddConstraint(
            model_name='upperrequest',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('answered_at__isnull', False), ('status__in', ('agreed', 'refused', 'delivered', 'closed'))), models.Q(models.Q(('status__in', ('agreed', 'refused', 'delivered', 'closed')), _negated=True), ('answered_at', None)), _connector='OR'), name='catalog_upperrequest_answered_has_time'),
        ),
        migrations.AddConstraint(
            model_name='upperrequest',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('closed_at__isnull', False), ('status', 'closed')), models.Q(models.Q(('status', 'closed'), _negated=True), ('closed_at', None)), _connector='OR'), name='catalog_upperrequest_closed_has_time'),
        ),
    ]
