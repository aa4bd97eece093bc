"""What the catalogue is searched by: one row per entry, kept by the operations."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Department, User
from apps.catalog.models.choices import (
    DatasetStatus,
    FormatClass,
    OpeningAttribute,
    SharingAttribute,
    UpdateCycle,
)
from apps.catalog.models.dataset import Dataset


class SearchEntry(models.Model):
    """An entry as search sees it: its words, and what lists filter, count and sort by.

    `status`, `department` and the key are called as the entry's own are, so the rule of who may see
    which entry holds here to the letter. Never the only word on who sees what: rows that are shown
    are read from `Dataset` under the same rule.

    words: all tokens, name and code A, items and themes B, the rest D, by which entries match;
    title: those of A and B alone, short, by which they rank.
    """

    succession: ClassVar[dict[str, str]] = {"department": "moves"}

    dataset = models.OneToOneField(
        Dataset,
        models.CASCADE,
        primary_key=True,
        related_name="search_entry",
        verbose_name=_("数据目录"),
    )
    words = SearchVectorField(_("全部词"))
    title = SearchVectorField(_("名称、数据项和主题的词"))
    sort_name = models.CharField(
        _("名称的拼音"), max_length=400, db_collation="C", help_text=_("按名称排序用。")
    )
    status = models.CharField(_("状态"), max_length=24, choices=DatasetStatus)
    department = models.ForeignKey(
        Department, models.PROTECT, related_name="+", verbose_name=_("提供部门")
    )
    region = models.CharField(_("行政区划"), max_length=12, blank=True)
    classification = models.CharField(_("资源分类代码"), max_length=20)
    themes = ArrayField(models.CharField(max_length=30), verbose_name=_("主题标签"), default=list)
    sharing = models.CharField(
        _("共享属性"),
        max_length=20,
        choices=SharingAttribute,
        help_text=_("有条件共享而未写明条件的，按无条件计。"),
    )
    opening = models.CharField(_("开放属性"), max_length=20, choices=OpeningAttribute)
    cycle = models.CharField(_("更新周期"), max_length=20, choices=UpdateCycle)
    format_class = models.CharField(_("格式分类"), max_length=20, choices=FormatClass)
    has_data = models.BooleanField(_("有数据"), default=False)
    score = models.PositiveSmallIntegerField(
        _("目录质量得分"), default=0, validators=[MaxValueValidator(100)]
    )
    losses = ArrayField(
        models.CharField(max_length=40), verbose_name=_("失分项"), default=list, blank=True
    )
    updated_at = models.DateTimeField(_("更新时间"))
    revision = models.PositiveIntegerField(_("修订号"))
    indexed_at = models.DateTimeField(_("编入索引的时间"))

    class Meta:
        verbose_name = _("检索条目")
        verbose_name_plural = _("检索条目")
        indexes = [
            GinIndex(fields=["words"], name="catalog_searchentry_by_words"),
            models.Index(fields=["department", "status"], name="catalog_searchentry_by_dept"),
            models.Index(fields=["-updated_at", "-dataset"], name="catalog_searchentry_newest"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(score__lte=100), name="catalog_searchentry_score_to_100"
            ),
        ]

    def __str__(self) -> str:
        return self.sort_name


class SynonymManager(models.Manager["Synonym"]):
    def get_by_natural_key(self, word: str) -> "Synonym":
        return self.get(word=word)


class Synonym(models.Model):
    """A word of the field and the words that mean the same to whoever searches; kept by hand."""

    word = models.CharField(
        _("词"), max_length=30, unique=True, help_text=_("这一组词中通用的一个。")
    )
    others = ArrayField(
        models.CharField(max_length=30),
        verbose_name=_("同义词"),
        help_text=_("用逗号分隔；查其中任一个，其余的也一并查到。"),
    )
    note = models.CharField(_("说明"), max_length=200, blank=True)

    objects = SynonymManager()

    class Meta:
        verbose_name = _("同义词")
        verbose_name_plural = _("同义词")
        ordering = ["word"]

    def __str__(self) -> str:
        return self.word

    def natural_key(self) -> tuple[str]:
        return (self.word,)


class SavedFilter(models.Model):
    """A search that somebody keeps under a name, for himself or for others as well."""

    class Audience(models.TextChoices):
        OWN = "own", _("仅本人")
        DEPARTMENT = "department", _("本部门")
        EVERYBODY = "everybody", _("全市各部门")

    handover: ClassVar[dict[str, Q | None]] = {"owner": Q()}
    succession: ClassVar[dict[str, str]] = {"department": "moves"}

    name = models.CharField(_("名称"), max_length=50)
    query = models.CharField(
        _("筛选条件"), max_length=1000, blank=True, help_text=_("地址中问号之后的部分。")
    )
    owner = models.ForeignKey(
        User, models.CASCADE, related_name="saved_filters", verbose_name=_("保存人")
    )
    department = models.ForeignKey(
        Department, models.PROTECT, related_name="+", verbose_name=_("保存人所在部门")
    )
    audience = models.CharField(_("共享给"), max_length=12, choices=Audience, default=Audience.OWN)
    created_at = models.DateTimeField(_("保存时间"))

    class Meta:
        verbose_name = _("常用筛选")
        verbose_name_plural = _("常用筛选")
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "name"],
                name="catalog_savedfilter_name_unique_for_owner",
                violation_error_message=_("已有同名的常用筛选"),
            ),
            models.CheckConstraint(
                condition=~Q(name=""),
                name="catalog_savedfilter_has_name",
                violation_error_message=_("常用筛选须有名称"),
            ),
        ]

    def __str__(self) -> str:
        return self.name
