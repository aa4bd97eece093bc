"""The steps in which a department writes an entry; everything but the name may follow later."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.forms.models import ModelChoiceIterator
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Department, InformationSystem
from apps.catalog.forms.fields import CodesField, DayInput, WordsField
from apps.catalog.models import (
    AssessmentKind,
    Classification,
    Conclusion,
    Dataset,
)
from apps.catalog.models.choices import FORMAT_TYPES

REPORT_LIMIT_BYTES = 20 << 20


def _need(form: forms.BaseForm, *names: str) -> None:
    """Mark fields that a draft may lack and a submission may not: they are not called optional."""
    for name in names:
        form.fields[name].needed = True  # type: ignore[attr-defined]


class _ByParent(ModelChoiceIterator):  # type: ignore[type-arg]
    """The classification with its 项 as headings."""

    def __iter__(self) -> Iterator[Any]:
        yield ("", self.field.empty_label)
        groups: dict[str, list[Any]] = {}
        for node in self.queryset.select_related("parent__parent").order_by("code"):
            groups.setdefault(_heading(node), []).append(self.choice(node))
        yield from groups.items()


def _heading(node: Classification) -> str:
    above, path = node.parent, []
    while above is not None:
        path.append(above.name)
        above = above.parent
    return " › ".join(reversed(path))


class ClassificationField(forms.ModelChoiceField):  # type: ignore[type-arg]
    iterator = _ByParent

    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.code} {obj.name}"


class BasicsForm(forms.ModelForm[Dataset]):
    """What the data is, where it comes from, who answers for it."""

    themes = WordsField(
        label=_("主题标签"), longest=30, help_text=_("用顿号或逗号分隔，如：社会保障、健康保障。")
    )
    related = CodesField(
        label=_("关联目录"), help_text=_("内容上相关的其他目录的代码，用顿号或逗号分隔。")
    )

    class Meta:
        model = Dataset
        fields = (
            "name",
            "abstract",
            "internal_unit",
            "contact_name",
            "contact_phone",
            "legal_duty",
            "service_item",
            "system",
            "source_department",
            "format_class",
            "format_type",
            "update_cycle",
            "release_on",
            "dirty_limit_ratio",
            "dirty_limit_rows",
            "dirty_limit_action",
            "themes",
            "note",
        )
        widgets = {
            "abstract": forms.Textarea(attrs={"rows": 3}),
            "note": forms.Textarea(attrs={"rows": 2}),
            "release_on": DayInput(),
        }

    GROUPS = (
        (_("这是什么数据"), (("name",), ("classification",), ("abstract",), ("themes",))),
        (
            _("由谁负责"),
            (
                ("internal_unit", "contact_name", "contact_phone"),
                ("legal_duty", "service_item"),
                ("system", "source_department"),
            ),
        ),
        (
            _("格式和更新"),
            (
                ("format_class", "format_type"),
                ("update_cycle", "release_on"),
                ("dirty_limit_ratio", "dirty_limit_rows", "dirty_limit_action"),
            ),
        ),
        (_("其他"), (("related",), ("note",))),
    )

    def __init__(self, *args: Any, department: Department, entries: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: dict[str, Any] = self.fields
        fields["related"].entries = entries
        systems = InformationSystem.objects.filter(department=department)
        fields["system"].queryset = systems.exclude(status="retired").order_by("code")
        fields["system"].empty_label = _("（没有，或者不在系统清单中）")
        standing = Department.objects.filter(valid_to__isnull=True)
        fields["source_department"].queryset = standing.order_by("code")
        fields["source_department"].empty_label = _("（就是本部门）")
        known = [kind for kinds in FORMAT_TYPES.values() for kind in kinds]
        fields["format_type"].widget.attrs["list"] = "format-types"
        self.format_types = known
        _need(self, "abstract")

    @property
    def groups(self) -> list[tuple[Any, list[list[forms.BoundField]]]]:
        """The fields as the page sets them: heading, then rows of fields side by side."""
        return [
            (heading, [[self[name] for name in row if name in self.fields] for row in rows])
            for heading, rows in self.GROUPS
        ]


class NewForm(BasicsForm):
    """The first step, which also chooses the classification; the code depends on it."""

    classification = ClassificationField(
        label=_("资源分类"),
        queryset=Classification.objects.filter(level__gte=Classification.Level.CATEGORY),
        empty_label=_("选择分类"),
        help_text=_("分类决定目录代码的前段，保存后不能再改。"),
    )


class RulesForm(forms.ModelForm[Dataset]):
    """Under which rules others may have the data.

    Source: 《政务数据共享条例》第三条、第十五条
    """

    class Meta:
        model = Dataset
        fields = (
            "holds_no_secrets",
            "grade",
            "contains_personal",
            "contains_sensitive",
            "sharing_attribute",
            "sharing_scope",
            "sharing_condition",
            "sharing_reason",
            "sharing_statute",
            "mode_class",
            "mode_type",
            "opening_attribute",
            "opening_condition",
        )
        widgets = {
            name: forms.Textarea(attrs={"rows": 2})
            for name in (
                "sharing_scope",
                "sharing_condition",
                "sharing_reason",
                "sharing_statute",
                "opening_condition",
            )
        }

    GROUPS = (
        (
            _("保密和分级"),
            (("holds_no_secrets",), ("grade",), ("contains_personal",), ("contains_sensitive",)),
        ),
        (
            _("共享"),
            (
                ("sharing_attribute",),
                ("sharing_scope", "sharing_condition"),
                ("sharing_reason", "sharing_statute"),
                ("mode_class", "mode_type"),
            ),
        ),
        (_("开放"), (("opening_attribute",), ("opening_condition",))),
    )
    groups = BasicsForm.groups

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _need(self, "holds_no_secrets", "mode_type", "opening_condition")
        _need(self, "sharing_scope", "sharing_condition", "sharing_reason", "sharing_statute")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("contains_sensitive"):
            cleaned["contains_personal"] = True  # the sensitive kind is a kind of it
        return cleaned


class AssessmentForm(forms.Form):
    """A conclusion that was reached elsewhere; the latest of a kind counts.

    Source: 《政务数据共享条例》第十三条
    """

    kind = forms.ChoiceField(label=_("评估类型"), choices=AssessmentKind.choices)
    conclusion = forms.ChoiceField(label=_("结论"), choices=Conclusion.choices)
    assessed_on = forms.DateField(label=_("评估日期"), widget=DayInput())
    assessor = forms.CharField(
        label=_("评估人"), max_length=100, help_text=_("作出结论的人员或者机构，如“局保密办”。")
    )
    file = forms.FileField(
        label=_("评估报告"),
        required=False,
        help_text=_("PDF、OFD、图片或文字处理文件，不超过 20 MB。"),
    )

    def clean_assessed_on(self) -> Any:
        day = self.cleaned_data["assessed_on"]
        if day > timezone.localdate():
            raise forms.ValidationError(_("评估日期不能晚于今天"))
        return day

    def clean_file(self) -> Any:
        file = self.cleaned_data.get("file")
        if file is not None and file.size > REPORT_LIMIT_BYTES:
            raise forms.ValidationError(_("文件超过 20 MB"))
        return file or None
