"""Work tasks that the authority sends out, and what each department returns."""

from typing import Any, ClassVar

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from apps.accounts.models import Department
from apps.core.models import Governed
from apps.supervision.questions import Question, stored


class TaskStatus(models.TextChoices):
    DRAFT = "draft", _("草稿")
    ISSUED = "issued", _("填报中")
    CLOSED = "closed", _("已结束")
    CANCELLED = "cancelled", _("已作废")


class ReturnStatus(models.TextChoices):
    UNOPENED = "unopened", _("未签收")
    WRITING = "writing", _("填写中")
    AWAITING_HEAD = "awaiting_head", _("待负责人签发")
    RETURNED = "returned", _("退回补正")
    SUBMITTED = "submitted", _("待验收")
    ACCEPTED = "accepted", _("已验收")
    EXCUSED = "excused", _("免报")
    LAPSED = "lapsed", _("未报送")


OUTSTANDING = ("unopened", "writing", "awaiting_head", "returned")
SIGNED = ("submitted", "accepted")


class TaskKind(models.TextChoices):
    CATALOG_UPDATE = "catalog_update", _("目录年度更新")
    DEMAND_COLLECTION = "demand_collection", _("需求征集")
    SYSTEM_CENSUS = "system_census", _("信息系统普查")
    SELF_EVALUATION = "self_evaluation", _("自评")
    OTHER = "other", _("其他")


class TargetList(models.TextChoices):
    """What a department goes through line by line."""

    NONE = "", _("不逐项核对")
    SYSTEMS = "systems", _("本部门的信息系统")
    DATASETS = "datasets", _("本部门已发布的数据目录")
    DUTIES = "duties", _("本部门的责任事项")


class AnswerKind(models.TextChoices):
    NONE = "", _("尚未选择")
    DATA = "data", _("填报数据")
    NO_CHANGE = "no_change", _("无变化确认")
    NIL = "nil", _("零报告")


class WorkTask(Governed):
    """Something the authority asks of chosen departments and districts until a day.

    `previous` is the task it was copied from; what a department answered there is filled in.
    `due_on` is the last day; it is named in the letter and does not move with the calendar.
    """

    succession: ClassVar[dict[str, str]] = {"department": "moves"}
    handover: ClassVar[dict[str, Q | None]] = {
        "created_by": Q(status="draft"),
        "issued_by": None,
        "closed_by": None,
    }

    number = models.CharField(_("编号"), max_length=20, unique=True, editable=False)
    kind = models.CharField(
        _("任务类型"), max_length=20, choices=TaskKind, default=TaskKind.CATALOG_UPDATE
    )
    title = models.CharField(_("任务名称"), max_length=100)
    basis = models.CharField(
        _("依据文号"), max_length=200, blank=True, help_text=_("部署这项工作的文件，没有可不填。")
    )
    content = models.TextField(_("任务要求"), blank=True)
    questions = models.JSONField(_("填报内容"), default=list, blank=True, encoder=DjangoJSONEncoder)
    target_list = models.CharField(
        _("逐项核对"), max_length=12, choices=TargetList, default=TargetList.NONE, blank=True
    )
    due_on = models.DateField(_("截止日期"), null=True, blank=True)
    contact_name = models.CharField(_("联系人"), max_length=50, blank=True)
    contact_phone = models.CharField(_("联系电话"), max_length=40, blank=True)
    department = models.ForeignKey(
        Department, models.PROTECT, related_name="work_tasks", verbose_name=_("部署单位")
    )
    recipients = models.ManyToManyField(
        Department, blank=True, related_name="+", verbose_name=_("填报单位")
    )
    previous = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="following",
        verbose_name=_("上一次任务"),
    )
    status = models.CharField(
        _("状态"), max_length=12, choices=TaskStatus, default=TaskStatus.DRAFT, editable=False
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("起草人")
    )
    issued_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("下发人"),
    )
    issued_at = models.DateTimeField(_("下发时间"), null=True, blank=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("结束人"),
    )
    closed_at = models.DateTimeField(_("结束时间"), null=True, blank=True)
    history = HistoricalRecords(history_change_reason_field=models.TextField(null=True))

    class Meta:
        verbose_name = _("工作任务")
        verbose_name_plural = _("工作任务")
        ordering = ("-id",)
        indexes = (
            models.Index(fields=("status", "due_on"), name="supervision_task_by_due"),
            models.Index(fields=("department", "-id"), name="supervision_task_by_sender"),
        )
        constraints = (
            models.CheckConstraint(
                name="supervision_worktask_issued_whole",
                condition=Q(issued_at=None, issued_by=None)
                | Q(issued_at__isnull=False, issued_by__isnull=False, due_on__isnull=False),
                violation_error_message=_("下发须有下发人、下发时间和截止日期"),
            ),
            models.CheckConstraint(
                name="supervision_worktask_in_force_is_issued",
                condition=~Q(status__in=("issued", "closed")) | Q(issued_at__isnull=False),
                violation_error_message=_("填报中的任务应已下发"),
            ),
            models.CheckConstraint(
                name="supervision_worktask_closed_whole",
                condition=Q(
                    status__in=("closed", "cancelled"),
                    closed_at__isnull=False,
                    closed_by__isnull=False,
                )
                | Q(status__in=("draft", "issued"), closed_at=None, closed_by=None),
                violation_error_message=_("结束须有结束人和结束时间"),
            ),
        )

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("supervision:task", args=[self.pk])

    def form(self) -> tuple[Question, ...]:
        """The questions asked once."""
        return tuple(question for question in stored(self.questions) if not question.per_line)

    def line_form(self) -> tuple[Question, ...]:
        """The questions asked for each line of the target list."""
        return tuple(question for question in stored(self.questions) if question.per_line)


class TaskReturn(Governed):
    """What one department returns to a task, signed by the head of its sharing office.

    `lines` is the target list as it stood when the department took the task in:
    [{"key": "S-0001", "label": "…", "answers": {…}}]; a line it added itself has no key.
    A reform moves what is still open; what was handed in stays with the department that did.
    """

    succession: ClassVar[dict[str, str]] = {"department": "moves"}
    succession_open: ClassVar[Q] = Q(
        status__in=("unopened", "writing", "awaiting_head", "returned")
    )
    handover: ClassVar[dict[str, Q | None]] = {
        "filled_by": Q(status__in=("writing", "returned")),
        "signed_by": None,
        "accepted_by": None,
    }

    task = models.ForeignKey(
        WorkTask, models.PROTECT, related_name="returns", verbose_name=_("工作任务")
    )
    department = models.ForeignKey(
        Department, models.PROTECT, related_name="task_returns", verbose_name=_("填报单位")
    )
    status = models.CharField(
        _("状态"), max_length=16, choices=ReturnStatus, default=ReturnStatus.UNOPENED
    )
    answer_kind = models.CharField(
        _("填报方式"), max_length=12, choices=AnswerKind, default=AnswerKind.NONE, blank=True
    )
    answers: "models.JSONField[dict[str, Any], dict[str, Any]]" = models.JSONField(
        _("填报数据"), default=dict, blank=True
    )
    lines: "models.JSONField[list[Any], list[Any]]" = models.JSONField(
        _("逐项核对"), default=list, blank=True
    )
    note = models.TextField(_("说明"), blank=True)
    prefilled_from = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("带入自上一次填报"),
    )
    filled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("填报人"),
    )
    opened_at = models.DateTimeField(_("签收时间"), null=True, blank=True)
    signed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("签发人"),
    )
    signed_at = models.DateTimeField(_("签发报送时间"), null=True, blank=True)
    accepted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("验收人"),
    )
    accepted_at = models.DateTimeField(_("验收时间"), null=True, blank=True)
    remark = models.TextField(_("退回意见"), blank=True)
    head_told_at = models.DateTimeField(_("逾期告知负责人时间"), null=True, blank=True)
    leader_told_at = models.DateTimeField(_("逾期报告领导时间"), null=True, blank=True)
    history = HistoricalRecords(history_change_reason_field=models.TextField(null=True))

    class Meta:
        verbose_name = _("任务填报")
        verbose_name_plural = _("任务填报")
        ordering = ("-id",)
        indexes = (
            models.Index(fields=("department", "status"), name="supervision_return_by_dept"),
            models.Index(fields=("task", "status"), name="supervision_return_by_task"),
        )
        constraints = (
            models.UniqueConstraint(
                fields=("task", "department"),
                name="supervision_taskreturn_once_a_department",
                violation_error_message=_("该部门已有这项任务的填报"),
            ),
            models.CheckConstraint(
                name="supervision_taskreturn_signed_whole",
                condition=Q(
                    status__in=("submitted", "accepted"),
                    signed_by__isnull=False,
                    signed_at__isnull=False,
                )
                & ~Q(answer_kind="")
                | Q(signed_by=None, signed_at=None) & ~Q(status__in=("submitted", "accepted")),
                violation_error_message=_("报送须有填报方式、签发人和签发时间"),
            ),
            models.CheckConstraint(
                name="supervision_taskreturn_accepted_whole",
                condition=Q(status="accepted", accepted_by__isnull=False, accepted_at__isnull=False)
                | Q(accepted_by=None, accepted_at=None) & ~Q(status="accepted"),
                violation_error_message=_("验收须有验收人和验收时间"),
            ),
            models.CheckConstraint(
                name="supervision_taskreturn_opened_has_time",
                condition=Q(opened_at__isnull=False)
                | Q(status__in=("unopened", "excused", "lapsed")),
                violation_error_message=_("填写前应先签收"),
            ),
        )

    def __str__(self) -> str:
        return f"{self.task} · {self.department}"

    def get_absolute_url(self) -> str:
        return reverse("supervision:task-return", args=[self.pk])


class TaskFile(models.Model):
    """A paper that goes with the task, or, with `task_return`, a file a department answers with."""

    handover: ClassVar[dict[str, Q | None]] = {"added_by": None}

    task = models.ForeignKey(
        WorkTask, models.CASCADE, related_name="files", verbose_name=_("工作任务")
    )
    task_return = models.ForeignKey(
        TaskReturn,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="files",
        verbose_name=_("任务填报"),
    )
    title = models.CharField(_("名称"), max_length=200)
    file = models.FileField(_("文件"), upload_to="supervision/tasks/%Y/", max_length=200)
    sha256 = models.CharField(_("SHA-256"), max_length=64)
    size_bytes = models.PositiveBigIntegerField(_("大小"))
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("上传人")
    )
    added_at = models.DateTimeField(_("上传时间"))

    class Meta:
        verbose_name = _("任务附件")
        verbose_name_plural = _("任务附件")
        ordering = ("id",)

    def __str__(self) -> str:
        return self.title
