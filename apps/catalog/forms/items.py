"""The items of an entry: a table for what every item has, a page for all of one item."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.catalog.forms.fields import WordsField
from apps.catalog.item_defaults import follow_element, provisional_column, standard_name
from apps.catalog.models import DataItem
from apps.catalog.models.item import COLUMN_PATTERN
from apps.standards.checks import CHECK_CHOICES
from apps.standards.masks import MASK_CHOICES
from apps.standards.models import CodeList, DataElement
from apps.standards.normalisers import NORMALISERS, normalisers_for
from apps.standards.types import DataType

NOTHING: Final = ("", "—")
LINES_BLANK: Final = 3
LINES_LIMIT: Final = 300
KEYS: Final = (NOTHING, ("subject", _("主体标识")), ("key", _("主键")))
PRIVACY: Final = (NOTHING, ("personal", _("个人信息")), ("sensitive", _("敏感个人信息")))


class LineForm(forms.Form):
    """One line of the table of items."""

    pk = forms.IntegerField(widget=forms.HiddenInput, required=False)
    name = forms.CharField(label=_("数据项名称"), max_length=50)
    column_name = forms.RegexField(
        COLUMN_PATTERN,
        label=_("列名"),
        max_length=51,
        required=False,
        error_messages={"invalid": _("小写英文字母开头，只用小写字母、数字和下划线")},
    )
    data_type = forms.ChoiceField(
        label=_("类型"), choices=DataType.choices, initial=DataType.TEXT.value
    )
    length = forms.IntegerField(label=_("长度"), required=False, min_value=1, max_value=10_000_000)
    scale = forms.IntegerField(label=_("小数位"), required=False, min_value=0, max_value=38)
    required = forms.BooleanField(label=_("必填"), required=False)
    key = forms.ChoiceField(label=_("主键"), choices=KEYS, required=False)
    privacy = forms.ChoiceField(label=_("个人信息"), choices=PRIVACY, required=False)
    value_check = forms.ChoiceField(
        label=_("校验规则"), choices=[NOTHING, *CHECK_CHOICES], required=False
    )
    mask = forms.ChoiceField(label=_("默认脱敏"), choices=[NOTHING, *MASK_CHOICES], required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("length", "scale"):
            self.fields[name].widget = forms.NumberInput(attrs={"min": 0})

    def remarks(self) -> Sequence[Any]:
        """What validation says about the item; the page sets it."""
        return getattr(self, "said", ())


class ItemsForm(forms.BaseFormSet):  # type: ignore[type-arg]
    """The table: existing items in order, then blank lines. Lines left blank are no items.

    Beside the lines: `paste`, names to be added as items; `step`, "up:3" or "down:3", moves a line.
    """

    form = LineForm
    extra = LINES_BLANK
    min_num = 0
    max_num = absolute_max = LINES_LIMIT
    validate_max = validate_min = False
    can_order = False
    can_delete = True
    can_delete_extra = True
    edit_only = False
    renderer = forms.renderers.DjangoTemplates()

    def __init__(
        self,
        data: Any = None,
        *,
        items: Sequence[DataItem],
        keys: Sequence[str],
        blank: int = LINES_BLANK,
    ) -> None:
        self.extra = blank
        shown = [] if data is not None else items
        super().__init__(data, prefix="items", initial=[_line(item, keys) for item in shown])
        self.pasted = _names((data or {}).get("paste", ""))

    def add_fields(self, form: Any, index: int | None) -> None:
        """Name each field by its line and column: the table's heads are not heard with it."""
        super().add_fields(form, index)
        form.fields["DELETE"].label = _("移除")
        for field in form.fields.values():
            if field.widget.is_hidden:
                continue
            words = {"n": (index or 0) + 1, "label": field.label}
            field.widget.attrs["aria-label"] = _("第 %(n)s 行：%(label)s") % words

    def clean(self) -> None:
        """Refuse names and columns that stand twice, at the later line."""
        seen = set()
        doubled = {"name": _("数据项名称重复"), "column_name": _("列名重复")}
        for form in self._kept():
            for field, message in doubled.items():
                value = form.cleaned_data.get(field)
                if value and (field, value) in seen:
                    form.add_error(field, message)
                seen.add((field, value))

    def rows(self) -> list[dict[str, Any]]:
        """Return the items in the order of the page, as the operation takes them."""
        lines = [form.cleaned_data for form in self._moved()]
        present = {line["name"] for line in lines}
        lines += [{"name": name} for name in self.pasted if name not in present]
        known_as = {line["name"]: standard_name(line["name"]) for line in lines}
        elements = DataElement.objects.filter(name__in=known_as.values())
        by_name = {element.name: element for element in elements}
        used = {line["column_name"] for line in lines if line.get("column_name")}
        return [_row(line, by_name.get(known_as[line["name"]]), used) for line in lines]

    def key_items(self, rows: Sequence[Mapping[str, Any]]) -> list[str]:
        """Return the key's columns, the subject's first."""
        chosen = {form.cleaned_data["name"]: form.cleaned_data["key"] for form in self._moved()}
        keyed = [row for row in rows if chosen.get(row["name"])]
        keyed.sort(key=lambda row: chosen[row["name"]] != "subject")
        return [row["column_name"] for row in keyed]

    def _kept(self) -> list[Any]:
        return [
            form
            for form in self.forms
            if form.has_changed()
            and hasattr(form, "cleaned_data")
            and form.cleaned_data
            and not form.cleaned_data.get("DELETE")
        ]

    def _moved(self) -> list[Any]:
        """The lines that stay, with the one moved that a button was pressed for."""
        kept = self._kept()
        match = re.fullmatch(r"(up|down):(\d{1,4})", self.data.get("step", ""))
        at = next((i for i, form in enumerate(kept) if match and _is(form, match[2])), None)
        if match is None or at is None:
            return kept
        to = at - 1 if match[1] == "up" else at + 1
        if 0 <= to < len(kept):
            kept[at], kept[to] = kept[to], kept[at]
        return kept


def _is(form: Any, number: str) -> bool:
    return bool(form.prefix == f"items-{number}")


def _line(item: DataItem, keys: Sequence[str]) -> dict[str, Any]:
    """An item as a line of the table has it."""
    place = keys.index(item.column_name) if item.column_name in keys else None
    fields = ("pk", "name", "column_name", "data_type", "length", "scale", "required")
    return {
        **{name: getattr(item, name) for name in (*fields, "value_check", "mask")},
        "key": "" if place is None else "subject" if place == 0 else "key",
        "privacy": "sensitive" if item.sensitive else "personal" if item.personal else "",
    }


def _row(line: Mapping[str, Any], element: DataElement | None, used: set[str]) -> dict[str, Any]:
    """A line as the operation takes it; a new one takes from the element what it leaves open."""
    row = {name: line[name] for name in ("length", "scale", "value_check", "mask") if name in line}
    row |= {"name": line["name"], "column_name": line.get("column_name", "")}
    row |= {name: line[name] for name in ("data_type", "required") if name in line}
    if "privacy" in line:
        row["personal"] = line["privacy"] in ("personal", "sensitive")
        row["sensitive"] = line["privacy"] == "sensitive"
    if line.get("pk"):
        row["pk"] = line["pk"]
    elif element is not None:
        follow_element(row, element, used)
    if not row["column_name"]:
        row["column_name"] = provisional_column(used)
    used.add(row["column_name"])
    return row


def _names(text: str) -> list[str]:
    """The headings of a pasted line of a file: separated by tabs, commas or line ends."""
    names = (re.sub(r'^["\s]+|["\s]+$', "", part) for part in re.split(r"[\t\r\n,，、;；]+", text))
    return list(dict.fromkeys(name[:50] for name in names if name))


class ItemForm(forms.ModelForm[DataItem]):
    """Everything about one item."""

    value_check = forms.ChoiceField(
        label=_("校验规则"),
        choices=[NOTHING, *CHECK_CHOICES],
        required=False,
        help_text=_("不合规则的值不能入库。"),
    )
    mask = forms.ChoiceField(
        label=_("默认脱敏方式"),
        choices=[NOTHING, *MASK_CHOICES],
        required=False,
        help_text=_("共享时默认采用，审核时可以调整。"),
    )
    normalise = forms.MultipleChoiceField(
        label=_("规范化"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    headings = WordsField(
        label=_("其他表头写法"),
        longest=100,
        help_text=_("文件中可能出现的其他列标题，用顿号或逗号分隔。"),
    )

    class Meta:
        model = DataItem
        fields = (
            "name",
            "column_name",
            "data_type",
            "length",
            "scale",
            "required",
            "personal",
            "sensitive",
            "grade",
            "mask",
            "data_element",
            "code_list",
            "value_check",
            "pattern",
            "minimum",
            "maximum",
            "sharing_attribute",
            "sharing_condition",
            "mode",
            "opening_attribute",
            "opening_condition",
            "normalise",
            "headings",
            "description",
        )
        widgets = {"description": forms.Textarea(attrs={"rows": 3})}

    GROUPS = (
        (
            _("名称和类型"),
            (
                ("name", "column_name"),
                ("data_type", "length", "scale"),
                ("required",),
                ("data_element",),
                ("description",),
            ),
        ),
        (
            _("入库时怎样检查"),
            (
                ("value_check", "code_list"),
                ("pattern",),
                ("minimum", "maximum"),
                ("normalise",),
                ("headings",),
            ),
        ),
        (_("个人信息和分级"), (("personal",), ("sensitive",), ("grade", "mask"))),
        (
            _("共享和开放（留空即与目录相同）"),
            (
                ("sharing_attribute", "mode"),
                ("sharing_condition",),
                ("opening_attribute", "opening_condition"),
            ),
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: dict[str, Any] = self.fields
        fields["data_element"].queryset = DataElement.objects.order_by("code")
        fields["code_list"].queryset = CodeList.objects.order_by("code")
        for name in ("data_element", "code_list"):
            fields[name].empty_label = _("（无）")
        for name in ("sharing_attribute", "mode", "opening_attribute", "grade"):
            fields[name].choices = [("", _("与目录相同")), *fields[name].choices[1:]]
        self._offer_normalisers(fields["normalise"])

    def _offer_normalisers(self, field: Any) -> None:
        """Offer those that fit the item, and say which are taken when none is chosen."""
        item = self.instance
        data_type = self.data.get("data_type", item.data_type)
        check = self.data.get("value_check", item.value_check)
        has_codes = bool(self.data.get("code_list", item.code_list_id))
        said: Any = self.data
        chosen = {*item.normalise, *(said.getlist("normalise") if self.is_bound else ())}
        field.choices = [
            (name, each.label)
            for name, each in NORMALISERS.items()
            if data_type in each.types or name in chosen
        ]
        usual = normalisers_for(data_type, check, has_codes=has_codes)
        field.help_text = _(
            "都不选即按默认：%(usual)s。改写了多少值、原值是什么，批次里查得到。"
        ) % {"usual": "、".join(str(NORMALISERS[name].word) for name in usual)}

    @property
    def groups(self) -> list[tuple[Any, list[list[forms.BoundField]]]]:
        return [
            (heading, [[self[name] for name in row] for row in rows])
            for heading, rows in self.GROUPS
        ]
