import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0004_catalogue_imports"),
        ("accounts", "0002_platform_user"),
        ("standards", "0002_mask_functions"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.CreateModel(
            name="Synonym",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "word",
                    models.CharField(
                        help_text="这一组词中通用的一个。",
                        max_length=30,
                        unique=True,
                        verbose_name="词",
                    ),
                ),
                (
                    "others",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=30),
                        help_text="用逗号分隔；查其中任一个，其余的也一并查到。",
                        size=None,
                        verbose_name="同义词",
                    ),
                ),
                ("note", models.CharField(blank=True, max_length=200, verbose_name="说明")),
            ],
            options={
                "verbose_name": "同义词",
                "verbose_name_plural": "同义词",
                "ordering": ["word"],
            },
        ),
        migrations.CreateModel(
            name="SavedFilter",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=50, verbose_name="名称")),
                (
                    "query",
                    models.CharField(
                        blank=True,
                        help_text="地址中问号之后的部分。",
                        max_length=1000,
                        verbose_name="筛选条件",
                    ),
                ),
                (
                    "audience",
                    models.CharField(
                        choices=[
                            ("own", "仅本人"),
                            ("department", "本部门"),
                            ("everybody", "全市各部门"),
                        ],
                        default="own",
                        max_length=12,
                        verbose_name="共享给",
                    ),
                ),
                ("created_at", models.DateTimeField(verbose_name="保存时间")),
                (
                    "department",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.department",
                        verbose_name="保存人所在部门",
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="saved_filters",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="保存人",
                    ),
                ),
            ],
            options={
                "verbose_name": "常用筛选",
                "verbose_name_plural": "常用筛选",
                "ordering": ["name", "pk"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("owner", "name"),
                        name="catalog_savedfilter_name_unique_for_owner",
                        violation_error_message="已有同名的常用筛选",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("name", ""), _negated=True),
                        name="catalog_savedfilter_has_name",
                        violation_error_message="常用筛选须有名称",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SearchEntry",
            fields=[
                (
                    "dataset",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="search_entry",
                        serialize=False,
                        to="catalog.dataset",
                        verbose_name="数据目录",
                    ),
                ),
                ("words", django.contrib.postgres.search.SearchVectorField(verbose_name="全部词")),
                (
                    "title",
                    django.contrib.postgres.search.SearchVectorField(
                        verbose_name="名称、数据项和主题的词"
                    ),
                ),
                (
                    "sort_name",
                    models.CharField(
                        db_collation="C",
                        help_text="按名称排序用。",
                        max_length=400,
                        verbose_name="名称的拼音",
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("draft", "编制中"),
                            ("awaiting_head", "待本部门审批"),
                            ("submitted", "待主管部门审核"),
                            ("returned", "已退回"),
                            ("published", "已发布"),
                            ("withdrawal_requested", "申请撤回"),
                            ("withdrawn", "已撤回"),
                        ],
                        max_length=24,
                        verbose_name="状态",
                    ),
                ),
                ("region", models.CharField(blank=True, max_length=12, verbose_name="行政区划")),
                ("classification", models.CharField(max_length=20, verbose_name="资源分类代码")),
                (
                    "themes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=30),
                        default=list,
                        size=None,
                        verbose_name="主题标签",
                    ),
                ),
                (
                    "sharing",
                    models.CharField(
                        choices=[
                            ("unconditional", "无条件共享"),
                            ("conditional", "有条件共享"),
                            ("not_shared", "不予共享"),
                        ],
                        help_text="有条件共享而未写明条件的，按无条件计。",
                        max_length=20,
                        verbose_name="共享属性",
                    ),
                ),
                (
                    "opening",
                    models.CharField(
                        choices=[
                            ("unconditional", "无条件开放"),
                            ("conditional", "有条件开放"),
                            ("not_opened", "不予开放"),
                        ],
                        max_length=20,
                        verbose_name="开放属性",
                    ),
                ),
                (
                    "cycle",
                    models.CharField(
                        choices=[
                            ("realtime", "实时"),
                            ("daily", "每日"),
                            ("ten_days", "每旬"),
                            ("weekly", "每周"),
                            ("monthly", "每月"),
                            ("quarterly", "每季度"),
                            ("half_yearly", "每半年"),
                            ("yearly", "每年"),
                            ("irregular", "不定期"),
                            ("once", "一次性"),
                        ],
                        max_length=20,
                        verbose_name="更新周期",
                    ),
                ),
                (
                    "format_class",
                    models.CharField(
                        choices=[
                            ("document", "电子文件"),
                            ("spreadsheet", "电子表格"),
                            ("database", "数据库"),
                            ("image", "图形图像"),
                            ("stream", "流媒体"),
                            ("self_describing", "自描述格式"),
                        ],
                        max_length=20,
                        verbose_name="格式分类",
                    ),
                ),
                ("has_data", models.BooleanField(default=False, verbose_name="有数据")),
                (
                    "score",
                    models.PositiveSmallIntegerField(
                        default=0,
                        validators=[django.core.validators.MaxValueValidator(100)],
                        verbose_name="目录质量得分",
                    ),
                ),
                (
                    "losses",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40),
                        blank=True,
                        default=list,
                        size=None,
                        verbose_name="失分项",
                    ),
                ),
                ("updated_at", models.DateTimeField(verbose_name="更新时间")),
                ("revision", models.PositiveIntegerField(verbose_name="修订号")),
                ("indexed_at", models.DateTimeField(verbose_name="编入索引的时间")),
                (
                    "department",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.department",
                        verbose_name="提供部门",
                    ),
                ),
            ],
            options={
                "verbose_name": "检索条目",
                "verbose_name_plural": "检索条目",
                "indexes": [
                    django.contrib.postgres.indexes.GinIndex(
                        fields=["words"], name="catalog_searchentry_by_words"
                    ),
                    models.Index(
                        fields=["department", "status"], name="catalog_searchentry_by_dept"
                    ),
                    models.Index(
                        fields=["-updated_at", "-dataset"], name="catalog_searchentry_newest"
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("score__lte", 100)),
                        name="catalog_searchentry_score_to_100",
                    )
                ],
            },
        ),
    ]
