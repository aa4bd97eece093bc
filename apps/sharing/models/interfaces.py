"""Registered interfaces (代理接口): a provider's own service, for data that never lands here."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from apps.core.models import Governed

LONGEST_SECONDS = 10
MOST_PAGE_ROWS = 1000


class Interface(Governed):
    """The HTTP service from which a dataset's records are fetched when a consumer calls.

    parameters: `[{"name", "item", "operator", "fixed", "required"}]`: the service's parameter is
    given the caller's filter on the item with that operator, or the fixed value.
    rows_path: where the records lie in the answer, names joined by "."; empty for the whole of it.
    items: {item's column: where its value lies in a record, likewise}.
    test_query: filters as in an address, with which it is tried and probed.
    paging: whether the service answers page by page, in an order that it keeps: asked by the number
    of the page, the first of which is first_page, or by how many records to pass over. page_rows:
    how many it answers at most, told it as size_parameter where that is not empty.
    reason: why the data stays where it is. sealed_secret: see `core.secrets`.
    failures: in a row; rests_until: nobody calls before, see `gateway.forwarding.breaker`.
    Units: hours are of the day in Asia/Shanghai, they may pass midnight; both or none.

    Source: domain §2 (资源：接口); house rule (issue 5)
    """

    handover: ClassVar[dict[str, Q | None]] = {"created_by": None}

    class Method(models.TextChoices):
        GET = "GET", "GET"
        POST = "POST", _("POST（JSON 正文）")

    class Sign(models.TextChoices):
        NONE = "none", _("不需要")
        BEARER = "bearer", _("Bearer 令牌")
        BASIC = "basic", _("用户名和口令")
        HEADER = "header", _("自定义请求头")

    class Status(models.TextChoices):
        PAUSED = "paused", _("未启用")
        ACTIVE = "active", _("运行中")
        RETIRED = "retired", _("已停用")

    class Paging(models.TextChoices):
        NONE = "none", _("不翻页，只取一次")
        PAGE = "page", _("按页码")
        OFFSET = "offset", _("按略过的条数")

    dataset = models.ForeignKey(
        "catalog.Dataset",
        on_delete=models.PROTECT,
        related_name="interfaces",
        verbose_name=_("数据目录"),
    )
    status = models.CharField(
        _("状态"), max_length=10, choices=Status, default=Status.PAUSED, editable=False
    )
    name = models.CharField(_("名称"), max_length=100)
    reason = models.TextField(_("不落地的理由"))
    url = models.CharField(_("地址"), max_length=1000)
    method = models.CharField(_("方法"), max_length=4, choices=Method, default=Method.GET)
    sign = models.CharField(_("鉴权方式"), max_length=10, choices=Sign, default=Sign.NONE)
    username = models.CharField(_("用户名"), max_length=128, blank=True)
    header_name = models.CharField(_("请求头名称"), max_length=100, blank=True)
    sealed_secret = models.TextField(_("密钥"), blank=True, editable=False)
    parameters = models.JSONField(_("参数"), default=list, blank=True)
    rows_path = models.CharField(_("记录所在的位置"), max_length=200, blank=True)
    items = models.JSONField(_("数据项对应"), default=dict)
    test_query = models.CharField(_("测试用例"), max_length=1000, blank=True)
    paging = models.CharField(_("翻页"), max_length=10, choices=Paging, default=Paging.NONE)
    page_parameter = models.CharField(_("页码或条数的参数"), max_length=100, blank=True)
    size_parameter = models.CharField(_("每页条数的参数"), max_length=100, blank=True)
    first_page = models.PositiveSmallIntegerField(_("首页的页码"), default=1)
    page_rows = models.PositiveIntegerField(_("每页条数"), null=True, blank=True)
    timeout_seconds = models.PositiveSmallIntegerField(_("最长等待（秒）"), default=5)
    hours_from = models.TimeField(_("服务时间起"), null=True, blank=True)
    hours_to = models.TimeField(_("服务时间止"), null=True, blank=True)

    tested_at = models.DateTimeField(_("试调用通过时间"), null=True, blank=True, editable=False)
    active_since = models.DateTimeField(_("启用时间"), null=True, blank=True, editable=False)
    failures = models.PositiveIntegerField(_("连续失败"), default=0, editable=False)
    rests_until = models.DateTimeField(_("暂停转发到"), null=True, blank=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("登记人"),
    )

    history = HistoricalRecords(
        history_change_reason_field=models.TextField(null=True),
        excluded_fields=["sealed_secret", "failures", "rests_until"],
    )

    class Meta:
        verbose_name = _("代理接口")
        verbose_name_plural = _("代理接口")
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=("dataset",),
                condition=~Q(status="retired"),
                name="sharing_interface_one_live_a_dataset",
            ),
            models.CheckConstraint(
                name="sharing_interface_active_is_tested",
                condition=~Q(status="active")
                | Q(tested_at__isnull=False, active_since__isnull=False),
            ),
            models.CheckConstraint(
                name="sharing_interface_hours_together",
                condition=Q(hours_from=None, hours_to=None)
                | Q(hours_from__isnull=False, hours_to__isnull=False),
            ),
            models.CheckConstraint(
                name="sharing_interface_waits_not_long",
                condition=Q(timeout_seconds__gte=1, timeout_seconds__lte=LONGEST_SECONDS),
            ),
            models.CheckConstraint(
                name="sharing_interface_paging_whole",
                condition=Q(
                    paging="none",
                    page_parameter="",
                    size_parameter="",
                    first_page=1,
                    page_rows__isnull=True,
                )
                | Q(
                    paging__in=("page", "offset"),
                    first_page__lte=1,
                    page_rows__isnull=False,
                    page_rows__gte=1,
                    page_rows__lte=MOST_PAGE_ROWS,
                )
                & ~Q(page_parameter=""),
            ),
            models.CheckConstraint(
                name="sharing_interface_says_why", condition=~Q(reason="") & ~Q(url="")
            ),
            models.CheckConstraint(
                name="sharing_interface_retired_keeps_no_secret",
                condition=~Q(status="retired") | Q(sealed_secret=""),
            ),
        )

    @property
    def needs_secret(self) -> bool:
        return self.sign != self.Sign.NONE

    @property
    def is_paged(self) -> bool:
        return self.paging != self.Paging.NONE

    def __str__(self) -> str:
        return self.name


class InterfaceCall(models.Model):
    """One call of a provider's service: how long it took, and why it failed, if it did.

    outcome: empty when it answered; otherwise the code of what the caller was told. dropped: rows
    that the service gave and the grant's condition did not allow. Kept for a month.
    """

    class Kind(models.TextChoices):
        CALL = "call", _("转发")
        PROBE = "probe", _("探测")
        TRY = "try", _("试调用")

    interface = models.ForeignKey(Interface, on_delete=models.CASCADE, related_name="calls")
    kind = models.CharField(_("方式"), max_length=5, choices=Kind)
    at = models.DateTimeField(_("时间"))
    duration_ms = models.PositiveIntegerField(_("用时"))
    outcome = models.CharField(_("结果"), max_length=40, blank=True)
    words = models.CharField(_("原因"), max_length=300, blank=True)
    rows = models.PositiveIntegerField(_("条数"), null=True, blank=True)
    dropped = models.PositiveIntegerField(_("略去的条数"), default=0)

    class Meta:
        verbose_name = _("接口调用")
        verbose_name_plural = _("接口调用")
        constraints = (
            models.CheckConstraint(
                name="sharing_interfacecall_failure_has_words",
                condition=Q(outcome="") | ~Q(words=""),
            ),
        )
        indexes = (
            models.Index(fields=("interface", "-at"), name="sharing_interfacecall_recent"),
            models.Index(fields=("at",), name="sharing_interfacecall_age"),
        )

    def __str__(self) -> str:
        return f"{self.interface} {self.at:%Y-%m-%d %H:%M:%S}"
