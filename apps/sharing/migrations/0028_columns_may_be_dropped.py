"""Systems can be told that a column of a grant was dropped."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('sharing', '0027_planned_stops'),
    ]

    operations = [
        migrations.AlterField(
            model_name='webhookdelivery',
            name='event',
            field=models.CharField(choices=[('grant.delivered', '授权开通'), ('grant.suspended', '授权暂停'), ('grant.resumed', '授权恢复'), ('grant.narrowed', '授权收窄'), ('grant.column_dropped', '授权的数据项停用'), ('grant.ended', '授权终止或到期'), ('dataset.updated', '数据有新批次'), ('request.answered', '申请有答复'), ('service.stop', '停机公告、撤回和结束'), ('ping', '试推送')], max_length=30, verbose_name='事件'),
        ),
    ]
