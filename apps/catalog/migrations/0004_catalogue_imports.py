import django.db.models.deletion
import simple_history.models
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("catalog", "0003_changes_and_review")]

    operations = [
        migrations.CreateModel(
            name='CatalogImport',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('revision', models.PositiveIntegerField(default=1, editable=False, verbose_name='修订号')),
                ('created_at', models.DateTimeField(editable=False, verbose_name='创建时间')),
                ('updated_at', models.DateTimeField(editable=False, verbose_name='更新时间')),
                ('sha256', models.CharField(max_length=64, verbose_name='SHA-256')),
                ('size_bytes', models.PositiveBigIntegerField(verbose_name='大小（字节）')),
                ('file_name', models.CharField(max_length=255, verbose_name='文件名')),
                ('channel', models.CharField(choices=[('page', '页面'), ('api', '接口')], default='page', max_length=10, verbose_name='提交途径')),
                ('idempotency_key', models.CharField(blank=True, max_length=200, verbose_name='提交编号')),
                ('status', models.CharField(choices=[('received', '等待检查'), ('checking', '检查中'), ('checked', '已检查，待采用'), ('adopting', '采用中'), ('adopted', '已采用'), ('discarded', '已放弃'), ('refused', '无法读取')], default='received', editable=False, max_length=10, verbose_name='状态')),
                ('scope', models.CharField(blank=True, choices=[('all', '全部都对才采用'), ('good', '采用没有差错的')], max_length=10, verbose_name='采用范围')),
                ('summary', models.JSONField(blank=True, default=dict, verbose_name='结果')),
                ('problem_code', models.CharField(blank=True, max_length=60, verbose_name='问题代码')),
                ('problem', models.TextField(blank=True, verbose_name='问题')),
                ('progress', models.PositiveIntegerField(default=0, verbose_name='已处理条数')),
                ('expected', models.PositiveIntegerField(default=0, verbose_name='总条数')),
                ('attempts', models.PositiveSmallIntegerField(default=0, verbose_name='处理次数')),
                ('started_at', models.DateTimeField(blank=True, null=True, verbose_name='开始时间')),
                ('heartbeat_at', models.DateTimeField(blank=True, null=True, verbose_name='最近心跳')),
                ('finished_at', models.DateTimeField(blank=True, null=True, verbose_name='完成时间')),
                ('decided_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='采用人')),
                ('department', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='catalog_imports', to='accounts.department', verbose_name='部门')),
                ('uploaded_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='上传人')),
            ],
            options={
                'verbose_name': '表格编目',
                'verbose_name_plural': '表格编目',
                'ordering': ['-id'],
                "constraints": [
                    models.UniqueConstraint(condition=models.Q(('idempotency_key', ''), _negated=True), fields=('uploaded_by', 'idempotency_key'), name='catalog_catalogimport_key_once', violation_error_message='这个提交编号已经用过'),
                    models.CheckConstraint(condition=models.Q(('sha256__regex', '^[0-9a-f]{64}$')), name='catalog_catalogimport_sha256_form'),
                    models.CheckConstraint(condition=models.Q(models.Q(('status', 'refused'), _negated=True), models.Q(('problem_code', ''), _negated=True), _connector='OR'), name='catalog_catalogimport_refusal_has_code'),
                    models.CheckConstraint(condition=models.Q(models.Q(('status__in', ['adopting', 'adopted']), _negated=True), models.Q(('decided_by__isnull', False), models.Q(('scope', ''), _negated=True)), _connector='OR'), name='catalog_catalogimport_adoption_has_person'),
                ],
                "indexes": [
                    models.Index(fields=['department', '-id'], name='catalog_import_of_department'),
                    models.Index(condition=models.Q(('status__in', ['received', 'checking', 'adopting'])), fields=['id'], name='catalog_import_due'),
                ],
            },
        ),
        migrations.CreateModel(
            name='CensusFigures',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('storage_total', models.DecimalField(blank=True, decimal_places=4, max_digits=16, null=True, verbose_name='数据存储总量（G）')),
                ('records_total', models.DecimalField(blank=True, decimal_places=4, max_digits=16, null=True, verbose_name='结构化信息记录总数（万）')),
                ('storage_shared', models.DecimalField(blank=True, decimal_places=4, max_digits=16, null=True, verbose_name='已共享的数据存储量（G）')),
                ('records_shared', models.DecimalField(blank=True, decimal_places=4, max_digits=16, null=True, verbose_name='已共享的结构化记录数（万）')),
                ('storage_opened', models.DecimalField(blank=True, decimal_places=4, max_digits=16, null=True, verbose_name='已开放的数据存储量（G）')),
                ('records_opened', models.DecimalField(blank=True, decimal_places=4, max_digits=16, null=True, verbose_name='已开放的结构化记录数（万）')),
                ('updated_at', models.DateTimeField(verbose_name='更新时间')),
                ('dataset', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='census', to='catalog.dataset', verbose_name='数据目录')),
            ],
            options={
                'verbose_name': '普查数字',
                'verbose_name_plural': '普查数字',
            },
        ),
        migrations.CreateModel(
            name='HistoricalCensusFigures',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                ('storage_total', models.DecimalField(blank=True, decimal_places=4, max_digits=16, null=True, verbose_name='数据存储总量（G）')),
                ('records_total', models.DecimalField(blank=True, decimal_places=4, max_digits=16, null=True, verbose_name='结构化信息记录总数（万）')),
                ('storage_shared', models.DecimalField(blank=True, decimal_places=4, max_digits=16, null=True, verbose_name='已共享的数据存储量（G）')),
                ('records_shared', models.DecimalField(blank=True, decimal_places=4, max_digits=16, null=True, verbose_name='已共享的结构化记录数（万）')),
                ('storage_opened', models.DecimalField(blank=True, decimal_places=4, max_digits=16, null=True, verbose_name='已开放的数据存储量（G）')),
                ('records_opened', models.DecimalField(blank=True, decimal_places=4, max_digits=16, null=True, verbose_name='已开放的结构化记录数（万）')),
                ('updated_at', models.DateTimeField(verbose_name='更新时间')),
                ('history_change_reason', models.TextField(null=True)),
                ('history_id', models.AutoField(primary_key=True, serialize=False)),
                ('history_date', models.DateTimeField(db_index=True)),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                ('dataset', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='catalog.dataset', verbose_name='数据目录')),
                ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'historical 普查数字',
                'verbose_name_plural': 'historical 普查数字',
                'ordering': ('-history_date', '-history_id'),
                'get_latest_by': ('history_date', 'history_id'),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name='ImportEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveIntegerField(verbose_name='序号')),
                ('sheet', models.CharField(max_length=100, verbose_name='表')),
                ('first_row', models.PositiveIntegerField(verbose_name='起始行')),
                ('last_row', models.PositiveIntegerField(verbose_name='末行')),
                ('code', models.CharField(blank=True, max_length=60, verbose_name='目录代码')),
                ('name', models.CharField(blank=True, max_length=200, verbose_name='目录名称')),
                ('dataset_revision', models.PositiveIntegerField(blank=True, null=True, verbose_name='检查时的修订号')),
                ('base_version', models.CharField(blank=True, max_length=20, verbose_name='依据的版本')),
                ('action', models.CharField(choices=[('create', '新编'), ('revise', '修改'), ('unchanged', '无变化'), ('conflict', '有冲突'), ('faulty', '有差错')], max_length=10, verbose_name='结论')),
                ('proposal', models.JSONField(default=dict, verbose_name='内容')),
                ('faults', models.JSONField(default=list, verbose_name='问题')),
                ('error_count', models.PositiveIntegerField(default=0, verbose_name='差错数')),
                ('decisions', models.JSONField(blank=True, default=dict, verbose_name='冲突的决定')),
                ('outcome', models.CharField(blank=True, choices=[('created', '已新建草稿'), ('revised', '已修改草稿'), ('changed', '已形成变更'), ('counted', '已更新普查数字'), ('skipped', '未采用')], max_length=10, verbose_name='处理结果')),
                ('note', models.TextField(blank=True, verbose_name='处理说明')),
                ('catalog_import', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='entries', to='catalog.catalogimport', verbose_name='表格编目')),
                ('change', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='catalog.datasetchange', verbose_name='变更')),
                ('dataset', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='import_entries', to='catalog.dataset', verbose_name='数据目录')),
                ('department', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.department', verbose_name='提供部门')),
            ],
            options={
                'verbose_name': '表格中的目录',
                'verbose_name_plural': '表格中的目录',
                'ordering': ['catalog_import', 'position'],
                "constraints": [
                    models.UniqueConstraint(fields=('catalog_import', 'position'), name='catalog_importentry_position_once'),
                ],
                "indexes": [
                    models.Index(fields=['catalog_import', 'action', 'position'], name='catalog_importentry_by_action'),
                ],
            },
        ),
    ]
