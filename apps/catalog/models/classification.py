"""The tree by which catalogue entries are classified and numbered."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class ClassificationManager(models.Manager["Classification"]):
    def get_by_natural_key(self, code: str) -> "Classification":
        return self.get(code=code)


class Classification(models.Model):
    """A node of the classification: 类 (1 digit), 项 (+2), 目 (+3), 细目 (any further digits).

    Source: 《政务信息资源目录编制指南（试行）》 信息资源分类
    """

    class Level(models.IntegerChoices):
        CLASS = 1, _("类")
        ITEM = 2, _("项")
        CATEGORY = 3, _("目")
        DETAIL = 4, _("细目")

    code = models.CharField(_("分类代码"), max_length=20, unique=True)
    name = models.CharField(_("名称"), max_length=100)
    level = models.PositiveSmallIntegerField(_("层级"), choices=Level)
    parent = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="children",
        verbose_name=_("上级分类"),
    )

    objects = ClassificationManager()

    class Meta:
        verbose_name = _("资源分类")
        verbose_name_plural = _("资源分类")
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(
                condition=Q(code__regex=r"^[123](\d{2}(\d{3}\d*)?)?$"),
                name="catalog_classification_code_shape",
                violation_error_message=_("分类代码为：类 1 位、项 2 位、目 3 位，细目不限"),
            ),
            models.CheckConstraint(
                condition=Q(level=1, parent=None, code__regex=r"^\d$")
                | Q(level=2, parent__isnull=False, code__regex=r"^\d{3}$")
                | Q(level=3, parent__isnull=False, code__regex=r"^\d{6}$")
                | Q(level=4, parent__isnull=False, code__regex=r"^\d{7,}$"),
                name="catalog_classification_level_follows_code",
                violation_error_message=_("层级和上级分类应与分类代码相符"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"

    def natural_key(self) -> tuple[str]:
        return (self.code,)
