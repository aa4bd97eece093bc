import django.core.validators
import django.db.models.deletion
import simple_history.models
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0007_duties_in_law_and_lists"),
        ("accounts", "0002_platform_user"),
        ("standards", "0002_mask_functions"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.CreateModel(
            name="HistoricalSourceDesignation",
            fields=[
                (
                    "id",
                    models.BigIntegerField(
                        auto_created=True, blank=True, db_index=True, verbose_name="ID"
                    ),
                ),
                (
                    "subject",
                    models.CharField(
                        help_text="由谁采集的是什么数据，如“婚姻登记”。",
                        max_length=100,
                        verbose_name="数据",
                    ),
                ),
                (
                    "basis",
                    models.CharField(
                        help_text="确定的依据，如三定规定、会议纪要、文件名称和文号。",
                        max_length=500,
                        verbose_name="依据",
                    ),
                ),
                ("decided_at", models.DateTimeField(verbose_name="确定时间")),
                ("valid_from", models.DateField(verbose_name="起始日期")),
                ("valid_to", models.DateField(blank=True, null=True, verbose_name="终止日期")),
                ("history_change_reason", models.TextField(null=True)),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                (
                    "history_type",
                    models.CharField(
                        choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1
                    ),
                ),
                (
                    "data_element",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        help_text="选填：凡采用这个数据元的数据项，都以此为准。",
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="standards.dataelement",
                        verbose_name="数据元",
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="确定人",
                    ),
                ),
                (
                    "department",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="accounts.department",
                        verbose_name="数源部门",
                    ),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "historical 数源认定",
                "verbose_name_plural": "historical 数源认定",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="SourceDesignation",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "subject",
                    models.CharField(
                        help_text="由谁采集的是什么数据，如“婚姻登记”。",
                        max_length=100,
                        verbose_name="数据",
                    ),
                ),
                (
                    "basis",
                    models.CharField(
                        help_text="确定的依据，如三定规定、会议纪要、文件名称和文号。",
                        max_length=500,
                        verbose_name="依据",
                    ),
                ),
                ("decided_at", models.DateTimeField(verbose_name="确定时间")),
                ("valid_from", models.DateField(verbose_name="起始日期")),
                ("valid_to", models.DateField(blank=True, null=True, verbose_name="终止日期")),
                (
                    "data_element",
                    models.ForeignKey(
                        blank=True,
                        help_text="选填：凡采用这个数据元的数据项，都以此为准。",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="source_designations",
                        to="standards.dataelement",
                        verbose_name="数据元",
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="确定人",
                    ),
                ),
                (
                    "department",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="source_designations",
                        to="accounts.department",
                        verbose_name="数源部门",
                    ),
                ),
            ],
            options={
                "verbose_name": "数源认定",
                "verbose_name_plural": "数源认定",
                "ordering": ["-pk"],
                "constraints": [
                    models.CheckConstraint(
                condition=models.Q(
                    ("valid_to", None), ("valid_to__gt", models.F("valid_from")), _connector="OR"
                ),
                name="catalog_sourcedesignation_ends_after_it_begins",
                violation_error_message="终止日期应晚于起始日期",
            ),
                    models.UniqueConstraint(
                condition=models.Q(("valid_to", None)),
                fields=("subject",),
                name="catalog_sourcedesignation_one_in_force",
                violation_error_message="这项数据已有数源部门",
            ),
                    models.CheckConstraint(
                condition=models.Q(("basis", ""), _negated=True),
                name="catalog_sourcedesignation_has_basis",
                violation_error_message="须写明确定数源的依据",
            ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Duplicate",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "revision",
                    models.PositiveIntegerField(default=1, editable=False, verbose_name="修订号"),
                ),
                ("created_at", models.DateTimeField(editable=False, verbose_name="创建时间")),
                ("updated_at", models.DateTimeField(editable=False, verbose_name="更新时间")),
                (
                    "score",
                    models.PositiveSmallIntegerField(
                        help_text="0–100 分，越高越像。",
                        validators=[django.core.validators.MaxValueValidator(100)],
                        verbose_name="相似度",
                    ),
                ),
                ("name_score", models.PositiveSmallIntegerField(verbose_name="名称相似度")),
                ("item_score", models.PositiveSmallIntegerField(verbose_name="数据项相似度")),
                ("evidence", models.JSONField(verbose_name="依据")),
                (
                    "fingerprint",
                    models.CharField(
                        help_text="依据变化后，已作的决定须重新考虑。",
                        max_length=32,
                        verbose_name="依据摘要",
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("open", "待确定"),
                            ("source_named", "已确定数源"),
                            ("different_things", "不是同一数据"),
                            ("lapsed", "已不再相似"),
                        ],
                        default="open",
                        max_length=20,
                        verbose_name="状态",
                    ),
                ),
                (
                    "decided_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="决定时间"),
                ),
                ("remark", models.CharField(blank=True, max_length=500, verbose_name="理由")),
                (
                    "decided_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="决定人",
                    ),
                ),
                (
                    "first",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="duplicates_as_first",
                        to="catalog.dataset",
                        verbose_name="目录甲",
                    ),
                ),
                (
                    "second",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="duplicates_as_second",
                        to="catalog.dataset",
                        verbose_name="目录乙",
                    ),
                ),
                (
                    "designation",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="duplicates",
                        to="catalog.sourcedesignation",
                        verbose_name="数源认定",
                    ),
                ),
            ],
            options={
                "verbose_name": "疑似重复采集",
                "verbose_name_plural": "疑似重复采集",
                "ordering": ["-score", "-pk"],
                "constraints": [
                    models.UniqueConstraint(
                fields=("first", "second"), name="catalog_duplicate_pair_once"
            ),
                    models.CheckConstraint(
                condition=models.Q(("first__lt", models.F("second"))),
                name="catalog_duplicate_smaller_first",
            ),
                    models.CheckConstraint(
                condition=models.Q(
                    ("item_score__lte", 100), ("name_score__lte", 100), ("score__lte", 100)
                ),
                name="catalog_duplicate_scores_to_100",
            ),
                    models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("decided_at__isnull", False),
                        ("decided_by__isnull", False),
                        ("status__in", ("source_named", "different_things")),
                    ),
                    models.Q(
                        models.Q(
                            ("status__in", ("source_named", "different_things")), _negated=True
                        ),
                        ("decided_at", None),
                        ("decided_by", None),
                    ),
                    _connector="OR",
                ),
                name="catalog_duplicate_decision_is_whole",
            ),
                    models.CheckConstraint(
                condition=models.Q(
                    models.Q(("designation__isnull", False), ("status", "source_named")),
                    models.Q(
                        models.Q(("status", "source_named"), _negated=True), ("designation", None)
                    ),
                    _connector="OR",
                ),
                name="catalog_duplicate_source_named_has_source",
            ),
                ],
                "indexes": [
                    models.Index(fields=["status", "-score"], name="catalog_duplicate_by_status"),
                ],
            },
        ),
    ]
