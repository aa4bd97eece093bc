"""Regions: the city, its districts and counties, and the zones that report like districts."""

from datetime import date

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class RegionQuerySet(models.QuerySet["Region"]):
    def in_force(self, day: date) -> "RegionQuerySet":
        """Keep the regions that exist on that day."""
        return self.filter(
            Q(valid_from=None) | Q(valid_from__lte=day),
            Q(valid_to=None) | Q(valid_to__gt=day),
        )


class RegionManager(models.Manager.from_queryset(RegionQuerySet)):  # type: ignore[misc]
    def get_by_natural_key(self, key: str) -> "Region":
        found: Region = self.get(key=key)
        return found


class Region(models.Model):
    """An administrative area, valid in time.

    `code` follows GB/T 2260; a zone that only reports like a district has none. `valid_to` is the
    first day on which the region no longer exists, so an end and the next beginning are one date.
    """

    class Kind(models.TextChoices):
        CITY = "city", _("直辖市")
        DISTRICT = "district", _("区")
        COUNTY = "county", _("县")
        AUTONOMOUS_COUNTY = "autonomous_county", _("自治县")
        ZONE = "zone", _("功能区")

    key = models.SlugField(_("标识"), unique=True)
    code = models.CharField(
        _("行政区划代码"),
        max_length=12,
        null=True,
        blank=True,
        unique=True,
    )
    name = models.CharField(_("名称"), max_length=50)
    kind = models.CharField(_("类别"), max_length=20, choices=Kind.choices)
    parent = models.ForeignKey(
        "self",
        verbose_name=_("上级"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="children",
    )
    valid_from = models.DateField(_("生效日期"), null=True, blank=True)
    valid_to = models.DateField(_("失效日期"), null=True, blank=True)
    successors = models.ManyToManyField(
        "self",
        verbose_name=_("承接区划"),
        symmetrical=False,
        blank=True,
        related_name="predecessors",
    )
    note = models.CharField(_("说明"), max_length=200, blank=True)

    objects = RegionManager()

    class Meta:
        verbose_name = _("行政区划")
        verbose_name_plural = _("行政区划")
        ordering = ("code", "key")
        constraints = (
            models.CheckConstraint(
                name="accounts_region_ends_after_it_begins",
                condition=Q(valid_from=None) | Q(valid_to=None) | Q(valid_to__gt=F("valid_from")),
            ),
            models.CheckConstraint(
                name="accounts_region_code_is_digits",
                condition=Q(code=None) | Q(code__regex=r"^[0-9]{6}([0-9]{3}){0,2}$"),
            ),
        )

    def __str__(self) -> str:
        return self.name

    def natural_key(self) -> tuple[str]:
        return (self.key,)
