"""Stores, and the table of each dataset in them."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Store(models.Model):
    """A department's pool, one of the four base databases, or a thematic database.

    Its schema bears a permanent number or code: departments are renamed and merged, schemas never.
    """

    succession: ClassVar[dict[str, str]] = {"department": "moves"}

    class Kind(models.TextChoices):
        DEPARTMENT_POOL = "department_pool", _("部门数据池")
        BASE = "base", _("基础库")
        THEMATIC = "thematic", _("主题库")

    kind = models.CharField(_("类别"), max_length=20, choices=Kind)
    number = models.PositiveIntegerField(_("序号"))
    code = models.CharField(_("代号"), max_length=40, unique=True)
    name = models.CharField(_("名称"), max_length=100)
    schema = models.CharField(_("存放位置"), max_length=60, unique=True, editable=False)
    department = models.ForeignKey(
        "accounts.Department",
        verbose_name=_("部门"),
        on_delete=models.PROTECT,
        related_name="stores",
        null=True,
        blank=True,
    )
    created_at = models.DateTimeField(_("建立时间"))

    class Meta:
        verbose_name = _("数据库")
        verbose_name_plural = _("数据库")
        ordering = ["kind", "number"]
        constraints = [
            models.UniqueConstraint(fields=["kind", "number"], name="warehouse_store_number_once"),
            models.CheckConstraint(
                condition=Q(kind="department_pool", department__isnull=False)
                | Q(kind__in=["base", "thematic"], department__isnull=True),
                name="warehouse_store_pool_has_department",
            ),
            models.CheckConstraint(
                condition=Q(schema__regex=r"^(pool|base|theme)_[a-z0-9_]{1,50}$"),
                name="warehouse_store_schema_form",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class DataTable(models.Model):
    """The table that holds a dataset's rows; its row here is what a batch locks.

    batch_counter: the `_batch` of the last applied batch, drawn under this row's lock, so that it
    is the order of commits. column_names: the item columns in the order they were made, which is
    the order `_hash` reads them in. earlier_types: of columns that were widened, the types they had
    before (DuckDB's, first the first), in which `_hash` still writes the values that fit. version:
    the contract the table was last shaped by. forgotten_batch: versions of rows that a batch up to
    this one ended are kept no longer.
    """

    dataset = models.OneToOneField(
        "catalog.Dataset",
        verbose_name=_("数据目录"),
        on_delete=models.PROTECT,
        related_name="data_table",
    )
    store = models.ForeignKey(
        Store, verbose_name=_("数据库"), on_delete=models.PROTECT, related_name="tables"
    )
    schema = models.CharField(_("存放位置"), max_length=60)
    name = models.CharField(_("表名"), max_length=60)
    version = models.ForeignKey(
        "catalog.DatasetVersion",
        verbose_name=_("目录版本"),
        on_delete=models.PROTECT,
        related_name="+",
    )
    column_names = models.JSONField(_("列"), default=list)
    earlier_types = models.JSONField(_("放宽前的类型"), default=dict, blank=True)
    is_indexed = models.BooleanField(_("索引已建"), default=False)
    batch_counter = models.PositiveBigIntegerField(_("批次计数"), default=0)
    row_count = models.PositiveBigIntegerField(_("现有条数"), default=0)
    forgotten_batch = models.PositiveBigIntegerField(_("历史清理到批次"), default=0)
    created_at = models.DateTimeField(_("建立时间"))
    last_landed_at = models.DateTimeField(_("最近入库时间"), null=True, blank=True)

    class Meta:
        verbose_name = _("数据表")
        verbose_name_plural = _("数据表")
        ordering = ["schema", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["schema", "name"], name="warehouse_datatable_name_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def past_name(self) -> str:
        return f"{self.name}__past"
