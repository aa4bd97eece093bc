"""Choose a spreadsheet to bring entries in by; fill in together what its drafts lack."""

from collections.abc import Sequence
from typing import Any, Final

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.catalog import operations as catalog
from apps.catalog.forms.drafting import REPORT_LIMIT_BYTES
from apps.catalog.forms.fields import DayInput
from apps.catalog.models import AssessmentKind, Dataset, Grade
from apps.catalog.queries import Lacking
from apps.core.workbooks.guarding import LIMIT_BYTES


class ImportForm(forms.Form):
    file = forms.FileField(
        label=_("表格文件"),
        help_text=_("xlsx、xls 或者 csv，不超过 50 MB。列的次序不限，认不出的列会告诉你。"),
        widget=forms.ClearableFileInput(attrs={"accept": ".xlsx,.xls,.et,.csv,.ods"}),
        allow_empty_file=True,
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > LIMIT_BYTES:
            raise forms.ValidationError(_("文件超过 50 MB；分成几个文件上传"))
        return file


_PARTS: Final = ("on", "by", "file")
_KEY_PARTS: Final = {"subject": _("主体标识"), "more": _("另一主键列")}
_ROWS: Final = (
    ("holds_no_secrets",),
    ("grade",),
    ("sharing_scope", "sharing_condition"),
    ("legal_duty",),
    ("contact_name", "contact_phone"),
)
_LABELS: Final = {"holds_no_secrets": _("这些目录都不含国家秘密和工作秘密")}


class CompleteForm(forms.Form):
    """What drafts lack alike, each field with how many lack it; what is left empty is left alone.

    groups: (heading, rows of fields), as pages set them.
    """

    def __init__(self, *args: Any, lacking: Sequence[Lacking], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.groups: list[tuple[Any, list[list[forms.BoundField]]]] = []
        self._offer_shared(lacking)
        self.kinds: list[str] = []
        for kind, label in AssessmentKind.choices:
            self._offer_assessment(kind, label, lacking)
        self.keyless = [draft.dataset for draft in lacking if catalog.lacks_key(draft)]
        self._offer_keys()

    def _offer_shared(self, lacking: Sequence[Lacking]) -> None:
        rows = []
        for names in _ROWS:
            row = []
            for name in names:
                count = sum(catalog.wants(draft, name) for draft in lacking)
                if count:
                    self.fields[name] = _shared(name, count)
                    row.append(self[name])
            rows.append(row)
        if any(rows):
            self.groups.append((_("共同的内容"), [row for row in rows if row]))

    def _offer_assessment(self, kind: str, label: Any, lacking: Sequence[Lacking]) -> None:
        count = sum(catalog.lacks_assessment(draft, kind) for draft in lacking)
        if not count:
            return
        self.kinds.append(kind)
        self.fields |= _assessment(kind)
        heading = _("%(kind)s（通过），登记到缺这项的 %(count)s 条") % {
            "kind": label,
            "count": count,
        }
        rows = [[self[f"{kind}_on"], self[f"{kind}_by"]], [self[f"{kind}_file"]]]
        self.groups.append((heading, rows))

    def _offer_keys(self) -> None:
        """Two columns are enough for nearly every key; whoever needs more goes to the items."""
        rows = []
        for dataset in self.keyless:
            items: list[tuple[str, Any]] = [("", _("不填"))]
            items += [(each.column_name, each.name) for each in dataset.items.all()]
            for part, label in _KEY_PARTS.items():
                self.fields[f"key_{dataset.pk}_{part}"] = forms.ChoiceField(
                    label=_("%(name)s：%(part)s") % {"name": dataset.name, "part": label},
                    required=False,
                    choices=items,
                )
            rows.append([self[f"key_{dataset.pk}_{part}"] for part in _KEY_PARTS])
        if rows:
            heading = _(
                "主键：哪一列、或者哪两列合起来，能唯一确定一条记录；"
                "主体标识是说明“是谁的记录”的一列"
            )
            self.groups.append((heading, rows))

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        for kind in self.kinds:
            day, person, file = (data.get(f"{kind}_{part}") for part in _PARTS)
            if bool(day) != bool(person) or (file and not day):
                self.add_error(f"{kind}_by" if day else f"{kind}_on", _("评估日期和评估人要一起填"))
            if day and day > timezone.localdate():
                self.add_error(f"{kind}_on", _("评估日期不能晚于今天"))
            if file and file.size > REPORT_LIMIT_BYTES:
                self.add_error(f"{kind}_file", _("文件超过 20 MB"))
        for dataset in self.keyless:
            if data.get(f"key_{dataset.pk}_more") and not data.get(f"key_{dataset.pk}_subject"):
                self.add_error(f"key_{dataset.pk}_subject", _("先选主体标识"))
        return data

    def keys(self) -> dict[int, list[str]]:
        """Return the key's columns by the entry's pk."""
        found = {}
        for dataset in self.keyless:
            chosen = (self.cleaned_data.get(f"key_{dataset.pk}_{part}") for part in _KEY_PARTS)
            columns = list(dict.fromkeys(column for column in chosen if column))
            if columns:
                found[dataset.pk] = columns
        return found

    def values(self) -> dict[str, Any]:
        """Return what was filled in, by the entry's fields."""
        found = {name: self.cleaned_data.get(name) for name in catalog.SHARED_FIELDS}
        return {name: value for name, value in found.items() if value}

    def assessments(self) -> dict[str, catalog.Passed]:
        found = {}
        for kind in self.kinds:
            day, person, file = (self.cleaned_data.get(f"{kind}_{part}") for part in _PARTS)
            if day and person:
                found[kind] = catalog.Passed(kind, day, person, file)
        return found


def _shared(name: str, count: int) -> forms.Field:
    field = Dataset._meta.get_field(name)
    label = _LABELS.get(name, getattr(field, "verbose_name", name))
    filled = _("填到缺这项的 %(count)s 条") % {"count": count}
    if name == "holds_no_secrets":
        return forms.BooleanField(label=label, required=False, help_text=filled)
    if name == "grade":
        return forms.ChoiceField(
            label=label,
            required=False,
            choices=[("", _("不填")), *Grade.choices],
            help_text=_("含敏感个人信息、不能定为 1 级的 %(count)s 条") % {"count": count},
        )
    longest = getattr(field, "max_length", None)
    return forms.CharField(label=label, required=False, max_length=longest, help_text=filled)


def _assessment(kind: str) -> dict[str, forms.Field]:
    return {
        f"{kind}_on": forms.DateField(label=_("评估日期"), required=False, widget=DayInput()),
        f"{kind}_by": forms.CharField(
            label=_("评估人"),
            required=False,
            max_length=100,
            help_text=_("作出结论的人员或者机构，如“局保密办”。"),
        ),
        f"{kind}_file": forms.FileField(
            label=_("评估报告"),
            required=False,
            help_text=_("一份报告覆盖这些目录的，上传一次即可。不超过 20 MB。"),
        ),
    }
