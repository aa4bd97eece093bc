"""What is asked when the authority writes a task: content, form, recipients."""

import re
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.models import Department, Region
from apps.core.errors import InvalidInput
from apps.core.lifecycle import Move
from apps.supervision.models import TargetList, WorkTask
from apps.supervision.questions import IN_TABLES, Question, QuestionKind, read_questions

LINES_BLANK: Final = 3
# Duties are offered once the lists of duties exist to draw them from.
COLUMN: Final = re.compile(
    r"^(?P<label>.+?)(?:\s*[:：]\s*(?P<kind>[^:：]+?))?(?P<needed>\s*[*＊])?$"
)
KIND_OF_WORD: Final = {str(QuestionKind(kind).label): str(kind) for kind in IN_TABLES}


class DayInput(forms.DateInput):
    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class ContentForm(forms.ModelForm):  # type: ignore[type-arg]
    """What the task is, until when, and whom to ask; incomplete is kept as well."""

    class Meta:
        model = WorkTask
        fields = (
            "kind",
            "title",
            "basis",
            "content",
            "due_on",
            "contact_name",
            "contact_phone",
        )
        widgets = {"content": forms.Textarea(attrs={"rows": 6}), "due_on": DayInput()}
        help_texts = {
            "title": gettext_lazy("各单位在待办里看到的名称，如：2026 年度目录更新。"),
            "content": gettext_lazy("做什么、怎么填、填到什么程度。"),
            "due_on": gettext_lazy("各单位最迟报送的日期。"),
            "contact_phone": gettext_lazy("填报单位有疑问时拨打。"),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("content", "due_on", "contact_name", "contact_phone"):
            field: Any = self.fields[name]
            field.required, field.needed = False, True

    def _get_validation_exclusions(self) -> set[str]:
        # The operation judges the whole row; the form only reads what was typed.
        return {field.name for field in WorkTask._meta.fields}


class QuestionForm(forms.Form):
    """One line of the table of questions."""

    key = forms.CharField(widget=forms.HiddenInput, required=False)
    label = forms.CharField(
        label=gettext_lazy("问题"),
        max_length=200,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    kind = forms.ChoiceField(
        label=gettext_lazy("类型"), choices=QuestionKind.choices, initial=QuestionKind.TEXT.value
    )
    required = forms.BooleanField(label=gettext_lazy("必填"), required=False)
    per_line = forms.BooleanField(label=gettext_lazy("逐项填写"), required=False)
    parts = forms.CharField(
        label=gettext_lazy("选项或表格的列"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    help = forms.CharField(
        label=gettext_lazy("填写说明"),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    @property
    def is_blank(self) -> bool:
        return not self.cleaned_data.get("label", "").strip()


class BaseQuestions(forms.BaseFormSet[QuestionForm]):
    """The whole form of a task; checked as one, since no two questions may be alike."""

    def clean(self) -> None:
        try:
            read_questions(self.written())
        except InvalidInput as error:
            raise ValidationError(str(error)) from None

    def written(self) -> list[dict[str, Any]]:
        """Return the questions in their order, each with the key it keeps or a new one."""
        kept = [
            form
            for form in self.forms
            if form.is_valid() and not form.is_blank and not form.cleaned_data.get("DELETE")
        ]
        kept.sort(key=lambda form: form.cleaned_data.get("ORDER") or 10_000)
        taken = {form.cleaned_data["key"] for form in kept}
        found = []
        for form in kept:
            key = form.cleaned_data["key"] or _new_key(taken)
            taken.add(key)
            found.append(_written(key, form.cleaned_data))
        return found


QuestionsForm = forms.formset_factory(
    QuestionForm,
    formset=BaseQuestions,
    extra=LINES_BLANK,
    can_delete=True,
    can_order=True,
    max_num=200,
    absolute_max=200,
)


class TargetForm(forms.Form):
    """What the departments go through line by line."""

    target_list = forms.ChoiceField(
        label=gettext_lazy("逐项核对"),
        choices=TargetList.choices,
        required=False,
        widget=forms.RadioSelect,
        help_text=gettext_lazy(
            "选择后，各单位签收时列出本单位的每一项，逐项回答标为“逐项填写”的问题，也可以补充漏掉的。"
        ),
    )


class RecipientsForm(forms.Form):
    """Who is asked: departments of the city, departments of districts."""

    city = forms.ModelMultipleChoiceField(
        label=gettext_lazy("市级部门"),
        queryset=Department.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    district = forms.ModelMultipleChoiceField(
        label=gettext_lazy("区县"),
        queryset=Department.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, departments: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        city, district = self.fields["city"], self.fields["district"]
        at_city = {"region__kind": Region.Kind.CITY}
        city.queryset = departments.filter(**at_city)  # type: ignore[attr-defined]
        district.queryset = departments.exclude(**at_city)  # type: ignore[attr-defined]
        district.label_from_instance = _with_region  # type: ignore[attr-defined]

    def chosen(self) -> list[Department]:
        return [*self.cleaned_data["city"], *self.cleaned_data["district"]]


class FileForm(forms.Form):
    """A paper that goes with the task."""

    title = forms.CharField(label=gettext_lazy("附件名称"), max_length=200, required=False)
    file = forms.FileField(label=gettext_lazy("文件"))


class MoveForm(forms.Form):
    """Confirms a move; the reason is demanded where the move needs one."""

    reason = forms.CharField(
        label=gettext_lazy("理由"), widget=forms.Textarea(attrs={"rows": 4}), max_length=2000
    )
    revision = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, move: Move, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not move.reason:
            del self.fields["reason"]
            return
        reason = self.fields["reason"]
        reason.error_messages["required"] = _("“%(move)s”须填写理由") % {"move": move.label}
        if move.name == "send_back":
            reason.label = _("退回意见")
            reason.help_text = _("逐条写明须补正的内容，填报单位会收到。")


def initial_questions(questions: tuple[Question, ...]) -> list[dict[str, Any]]:
    """Return the questions as the table of the form shows them."""
    return [
        {
            "key": question.key,
            "label": question.label,
            "kind": question.kind,
            "required": question.required,
            "per_line": question.per_line,
            "help": question.help,
            "parts": "\n".join([*question.choices, *map(_column_in_words, question.columns)]),
        }
        for question in questions
    ]


def read_columns(text: str) -> list[dict[str, Any]]:
    """Read the columns of a table, one a line: “名称”, “条数：数字”, “日期：日期*” (required)."""
    kinds = {str(kind.label): str(kind) for kind in IN_TABLES}
    columns = []
    for number, line in enumerate(filter(None, map(str.strip, text.splitlines())), start=1):
        found = COLUMN.match(line)
        label, word = (found["label"], found["kind"] or "") if found else (line, "")
        kind = kinds.get(word)
        if kind is None:
            label = f"{label}：{word}" if word else label
        columns.append(
            {
                "key": f"c{number}",
                "label": label.strip(),
                "kind": kind or QuestionKind.TEXT.value,
                "required": bool(found and found["needed"]),
            }
        )
    return columns


def _column_in_words(column: Question) -> str:
    kind = "" if column.kind == QuestionKind.TEXT else f"：{QuestionKind(column.kind).label}"
    return f"{column.label}{kind}{'*' if column.required else ''}"


def _written(key: str, typed: dict[str, Any]) -> dict[str, Any]:
    parts = typed["parts"]
    return {
        "key": key,
        "label": typed["label"],
        "kind": typed["kind"],
        "required": typed["required"],
        "per_line": typed["per_line"],
        "help": typed["help"],
        "choices": parts.splitlines(),
        "columns": read_columns(parts),
    }


def _new_key(taken: set[str]) -> str:
    number = 1
    while f"q{number}" in taken:
        number += 1
    return f"q{number}"


def _with_region(department: Department) -> str:
    region, name = str(department.region), str(department)
    return name if name.startswith(region) else f"{region} · {name}"
