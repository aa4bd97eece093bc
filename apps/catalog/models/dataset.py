"""A catalogue entry: what a department holds, and by which rules others may have it."""

from datetime import datetime
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from apps.accounts.models import Department, InformationSystem
from apps.catalog.models.choices import (
    DatasetStatus,
    DirtyLimitAction,
    FormatClass,
    Grade,
    ModeClass,
    ModeType,
    OpeningAttribute,
    SharingAttribute,
    UpdateCycle,
)
from apps.catalog.models.classification import Classification
from apps.core.models import Governed

CODE_PATTERN = r"^[123]\d{2}\d{3}\d*/\d+$"

# White space and punctuation, Western and Chinese: two names that differ in these alone are one.
_INSIGNIFICANT = r"[\s!-/:-@\[-`{-~\u00b7\u2000-\u206f\u3000-\u303f\ufe30-\ufe4f]+"


class _Normalize(Func):
    """PostgreSQL's `normalize(text, NFKC)`: full-width letters and digits become plain ones."""

    function = "normalize"
    template = "%(function)s(%(expressions)s, NFKC)"
    output_field = models.CharField()


class SplitPart(Func):
    """PostgreSQL's `split_part(text, delimiter, n)`."""

    function = "split_part"
    output_field = models.CharField()


def significant_name(field: str) -> Lower:
    """Return the expression that leaves of a name only what distinguishes it from others."""
    return Lower(
        Func(
            _Normalize(F(field)),
            Value(_INSIGNIFICANT),
            Value(""),
            Value("g"),
            function="regexp_replace",
            output_field=models.CharField(),
        )
    )


class DatasetQuerySet(models.QuerySet["Dataset"]):
    def published(self) -> "DatasetQuerySet":
        """Entries in force: published, also while their withdrawal is asked for."""
        return self.filter(status__in=[DatasetStatus.PUBLISHED, DatasetStatus.WITHDRAWAL_REQUESTED])


class DatasetManager(models.Manager.from_queryset(DatasetQuerySet)):  # type: ignore[misc]
    def get_by_natural_key(self, code: str) -> "Dataset":
        return self.get(code=code)  # type: ignore[no-any-return]


class Dataset(Governed):
    """One entry of the data catalogue with its rules; its items are `DataItem`.

    Source: 《政务数据共享条例》第十三条；《政务信息资源目录编制指南（试行）》 核心元数据
    """

    Status = DatasetStatus

    succession: ClassVar[dict[str, str]] = {"department": "moves", "source_department": "moves"}

    code = models.CharField(
        _("目录代码"),
        max_length=60,
        unique=True,
        editable=False,
        help_text=_("由系统按“分类代码/顺序号”生成，生成后不变。"),
    )
    name = models.CharField(
        _("目录名称"),
        max_length=50,
        help_text=_("不超过 50 个字，写明数据的内容，不要只写信息系统的名称；在本部门内不能重复。"),
    )
    name_key = models.GeneratedField(
        expression=significant_name("name"),
        output_field=models.CharField(max_length=200),
        db_persist=True,
        verbose_name=_("名称（去空格标点）"),
    )
    department = models.ForeignKey(
        Department,
        models.PROTECT,
        related_name="datasets",
        verbose_name=_("提供部门"),
        help_text=_("对数据的真实、完整、及时负责的部门。"),
    )
    internal_unit = models.CharField(
        _("内部处室"), max_length=100, blank=True, help_text=_("部门内负责这项数据的处室。")
    )
    abstract = models.CharField(
        _("摘要"),
        max_length=256,
        blank=True,
        help_text=_("不超过 256 个字，说明数据的内容、范围和用途。"),
    )
    classification = models.ForeignKey(
        Classification,
        models.PROTECT,
        related_name="datasets",
        verbose_name=_("资源分类"),
        help_text=_("至少分到“目”。分类决定目录代码的前段，编制后不再改动。"),
    )
    format_class = models.CharField(
        _("格式分类"),
        max_length=20,
        choices=FormatClass,
        default=FormatClass.DATABASE,
    )
    format_type = models.CharField(
        _("格式类型"),
        max_length=30,
        default="postgresql",
        help_text=_("与格式分类相符，如数据库对应 oracle、mysql，电子表格对应 xlsx。"),
    )
    sharing_attribute = models.CharField(
        _("共享属性"),
        max_length=20,
        choices=SharingAttribute,
        default=SharingAttribute.UNCONDITIONAL,
        help_text=_(
            "不予共享须有法律、行政法规或国务院决定作依据；有条件共享须写明范围和使用条件。"
        ),
    )
    sharing_scope = models.CharField(
        _("共享范围"),
        max_length=256,
        blank=True,
        help_text=_("有条件共享时必填：哪些部门可以使用。"),
    )
    sharing_condition = models.CharField(
        _("使用条件"),
        max_length=256,
        blank=True,
        help_text=_("有条件共享时必填；未写明条件的，按无条件共享对待。不得自设门槛。"),
    )
    sharing_reason = models.CharField(
        _("不予共享的理由"), max_length=256, blank=True, help_text=_("不予共享时必填。")
    )
    sharing_statute = models.CharField(
        _("不予共享的依据"),
        max_length=256,
        blank=True,
        help_text=_("不予共享时必填：法律、行政法规或者国务院决定的名称和条款。"),
    )
    mode_class = models.CharField(
        _("共享方式分类"), max_length=20, choices=ModeClass, default=ModeClass.PLATFORM
    )
    mode_type = models.CharField(
        _("共享方式类型"),
        max_length=20,
        choices=ModeType,
        blank=True,
        default=ModeType.INTERFACE,
        help_text=_("数据库格式用“数据库”或“接口”，文件类格式用“文件”。"),
    )
    note = models.TextField(_("备注"), blank=True)
    opening_attribute = models.CharField(
        _("开放属性"),
        max_length=20,
        choices=OpeningAttribute,
        default=OpeningAttribute.NOT_OPENED,
        help_text=_("是否向社会开放。涉及个人信息的，脱敏后才能开放。"),
    )
    opening_condition = models.CharField(
        _("开放条件"), max_length=256, blank=True, help_text=_("有条件开放时必填。")
    )
    update_cycle = models.CharField(
        _("更新周期"),
        max_length=20,
        choices=UpdateCycle,
        default=UpdateCycle.DAILY,
        help_text=_("据此计算每一期数据应当更新的日期。"),
    )
    release_on = models.DateField(
        _("发布日期"), null=True, blank=True, help_text=_("不能晚于今天；留空时取审核发布之日。")
    )
    related = models.ManyToManyField(
        "self", blank=True, verbose_name=_("关联目录"), help_text=_("内容上相关的其他目录。")
    )
    holds_no_secrets = models.BooleanField(
        _("不含国家秘密和工作秘密"),
        default=False,
        help_text=_("含有国家秘密或者工作秘密的数据不得在本平台编目。提交前须确认。"),
    )
    legal_duty = models.CharField(
        _("法定职责"),
        max_length=256,
        blank=True,
        help_text=_("数据产生所依据的三定职责或权责清单事项编码。"),
    )
    service_item = models.CharField(
        _("政务服务事项"),
        max_length=256,
        blank=True,
        help_text=_("数据来自或服务于哪些政务服务事项。"),
    )
    system = models.ForeignKey(
        InformationSystem,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="datasets",
        verbose_name=_("来源信息系统"),
    )
    source_department = models.ForeignKey(
        Department,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="datasets_as_source",
        verbose_name=_("数源部门"),
        help_text=_("多个部门采集同一数据时，由主管部门确定的牵头采集部门。"),
    )
    grade = models.CharField(
        _("数据分级"),
        max_length=10,
        choices=Grade,
        default=Grade.ONE,
        help_text=_(
            "1 级可无条件共享和开放；2 级有条件共享；3 级脱敏后有条件共享；4 级及以上须专门审批。"
        ),
    )
    contains_personal = models.BooleanField(
        _("含个人信息"), default=False, help_text=_("提交前须完成个人信息保护影响评估。")
    )
    contains_sensitive = models.BooleanField(_("含敏感个人信息"), default=False)
    themes = ArrayField(
        models.CharField(max_length=30),
        verbose_name=_("主题标签"),
        default=list,
        blank=True,
        help_text=_("用逗号分隔，如：社会保障, 健康保障。"),
    )
    contact_name = models.CharField(_("联系人"), max_length=50, blank=True)
    contact_phone = models.CharField(_("联系电话"), max_length=40, blank=True)
    key_items = ArrayField(
        models.CharField(max_length=51),
        verbose_name=_("主键列"),
        default=list,
        blank=True,
        help_text=_(
            "能唯一确定一条记录的列名，用逗号分隔；第一个是主体标识（如身份证号、统一社会信用代码）。"
        ),
    )
    dirty_limit_ratio = models.FloatField(
        _("不合格记录上限比例"),
        default=0.1,
        validators=[MinValueValidator(0.0), MaxValueValidator(1.0)],
        help_text=_("0–1 之间；一批数据中不合格记录超过这个比例时，按“超过上限时”处理。"),
    )
    dirty_limit_rows = models.PositiveIntegerField(
        _("不合格记录上限行数"),
        null=True,
        blank=True,
        help_text=_("选填；超过这个行数时，同样处理。"),
    )
    dirty_limit_action = models.CharField(
        _("超过上限时"), max_length=10, choices=DirtyLimitAction, default=DirtyLimitAction.STOP
    )
    status = models.CharField(
        _("状态"),
        max_length=24,
        choices=DatasetStatus,
        default=DatasetStatus.DRAFT,
        editable=False,
    )
    submitted_at = models.DateTimeField(_("报送时间"), null=True, blank=True, editable=False)
    published_at = models.DateTimeField(_("发布时间"), null=True, blank=True, editable=False)
    withdrawn_at = models.DateTimeField(_("撤回时间"), null=True, blank=True, editable=False)
    remark = models.TextField(
        _("审核意见"),
        blank=True,
        editable=False,
        help_text=_("最近一次退回或者申请撤回时写明的理由。"),
    )

    history = HistoricalRecords(
        excluded_fields=["name_key"],
        history_change_reason_field=models.TextField(null=True),
    )
    objects = DatasetManager()

    class Meta:
        verbose_name = _("数据目录")
        verbose_name_plural = _("数据目录")
        ordering = ["-id"]
        permissions = [
            ("use_dataset", _("使用数据")),
            ("review_requests", _("审核共享申请")),
            ("manage_dataset", _("管理数据目录")),
        ]
        indexes = [
            models.Index(fields=["department", "status"], name="catalog_dataset_by_department"),
            models.Index(fields=["status", "-id"], name="catalog_dataset_by_status"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["department", "name_key"],
                condition=~Q(status=DatasetStatus.WITHDRAWN),
                name="catalog_dataset_name_unique_in_department",
                violation_error_message=_("本部门已有同名目录（不计空格和标点）"),
            ),
            models.CheckConstraint(
                condition=Q(code__regex=CODE_PATTERN),
                name="catalog_dataset_code_shape",
                violation_error_message=_("目录代码应形如 307001002/000001"),
            ),
            models.CheckConstraint(
                condition=Q(contains_sensitive=False) | Q(contains_personal=True),
                name="catalog_dataset_sensitive_is_personal",
                violation_error_message=_("含敏感个人信息的，也含个人信息"),
            ),
            models.CheckConstraint(
                condition=Q(dirty_limit_ratio__gte=0) & Q(dirty_limit_ratio__lte=1),
                name="catalog_dataset_dirty_limit_is_ratio",
                violation_error_message=_("不合格记录上限比例应在 0–1 之间"),
            ),
            models.CheckConstraint(
                condition=Q(published_at__isnull=False)
                | ~Q(status__in=["published", "withdrawal_requested", "withdrawn"]),
                name="catalog_dataset_published_has_time",
                violation_error_message=_("已发布的目录应有发布时间"),
            ),
            models.CheckConstraint(
                condition=Q(status="withdrawn", withdrawn_at__isnull=False)
                | (~Q(status="withdrawn") & Q(withdrawn_at__isnull=True)),
                name="catalog_dataset_withdrawn_has_time",
                violation_error_message=_("已撤回的目录应有撤回时间"),
            ),
            models.CheckConstraint(
                condition=Q(holds_no_secrets=True) | Q(status__in=["draft", "returned"]),
                name="catalog_dataset_secrets_stay_out",
                violation_error_message=_("未确认不含国家秘密和工作秘密的目录不能提交"),
            ),
            # A conditional entry without its condition stands, and is shared unconditionally.
            models.CheckConstraint(
                condition=~Q(sharing_attribute="not_shared")
                | ~Q(status__in=["published", "withdrawal_requested", "withdrawn"])
                | ~Q(sharing_reason="") & ~Q(sharing_statute=""),
                name="catalog_dataset_not_shared_has_reason",
                violation_error_message=_("不予共享的，须写明理由和依据"),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def natural_key(self) -> tuple[str]:
        return (self.code,)

    def get_absolute_url(self) -> str:
        return reverse("catalog:dataset", args=[self.dashed_code])

    @property
    def dashed_code(self) -> str:
        """The code as it is written in addresses, with `-` for `/`."""
        return self.code.replace("/", "-")

    @property
    def effective_sharing_attribute(self) -> str:
        """What the entry amounts to: a conditional one that states no condition has none.

        Source: 《政务数据共享条例》第十五条
        """
        if self.sharing_attribute == SharingAttribute.CONDITIONAL and not (
            self.sharing_condition.strip()
        ):
            return SharingAttribute.UNCONDITIONAL
        return self.sharing_attribute

    @property
    def awaits_since(self) -> datetime | None:
        """When the authority received the entry that it has yet to review."""
        return self.submitted_at if self.status == DatasetStatus.SUBMITTED else None
