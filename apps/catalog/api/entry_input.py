"""What the API takes to write an entry or its next version; fields are called as in its answers."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from apps.accounts.models import Department, InformationSystem
from apps.catalog.api.demand_shapes import REVISION_HELP, DatasetField
from apps.catalog.api.examples import entries as examples
from apps.catalog.models import (
    AssessmentKind,
    Classification,
    Conclusion,
    DataItem,
    Dataset,
    TriggerKind,
)
from apps.catalog.operations import Trigger
from apps.catalog.snapshots import DATASET_FIELDS, ITEM_FIELDS
from apps.core import access
from apps.standards.models import CodeList, DataElement
from apps.standards.types import DataType


class RelatedField(DatasetField):
    """An entry that the caller may read about; of others it is not told whether they are."""

    def get_queryset(self) -> Any:
        return access.rows(self.context["caller"], "view", Dataset)


class _Strict:
    """What is misspelt is refused, not passed over: its value would be lost without a word."""

    def to_internal_value(self, data: Any) -> Any:
        given: Any = self
        if isinstance(data, Mapping):
            unknown = [name for name in data if name not in given.fields]
            if unknown:
                raise serializers.ValidationError(
                    {str(name)[:80]: _("没有这个字段") for name in unknown}
                )
        return super().to_internal_value(data)  # type: ignore[misc]  # of the serializer beside it


class ItemInput(_Strict, serializers.ModelSerializer[DataItem]):
    about: ClassVar[str | Promise] = _("一个数据项；名称和列名必填，其余不写的沿用原值或者默认值")

    column = serializers.CharField(
        source="column_name",
        max_length=51,
        help_text=_("列名；与已有数据项相同的为修改，其余为增加"),
    )
    type = serializers.ChoiceField(
        source="data_type", choices=DataType.choices, required=False, help_text=_("数据类型")
    )
    data_element = serializers.SlugRelatedField(
        slug_field="code",
        queryset=DataElement.objects.all(),
        required=False,
        allow_null=True,
        help_text=_("对应数据元的编号"),
    )
    code_list = serializers.SlugRelatedField(
        slug_field="code",
        queryset=CodeList.objects.all(),
        required=False,
        allow_null=True,
        help_text=_("代码集的编号"),
    )

    class Meta:
        model = DataItem
        fields = (
            "column",
            "type",
            *(name for name in ITEM_FIELDS if name not in ("position", "column_name", "data_type")),
        )
        extra_kwargs: ClassVar[dict[str, Any]] = {"required": {"required": False}}
        validators: ClassVar[list[Any]] = []


class EntryInput(_Strict, serializers.ModelSerializer[Dataset]):
    """The fields of an entry; what is absent is left alone."""

    about: ClassVar[str | Promise] = _("目录的字段；不写的不改动")

    system = serializers.SlugRelatedField(
        slug_field="code",
        queryset=InformationSystem.objects.all(),
        required=False,
        allow_null=True,
        help_text=_("来源信息系统的编号"),
    )
    source_department = serializers.SlugRelatedField(
        slug_field="code",
        queryset=Department.objects.all(),
        required=False,
        allow_null=True,
        help_text=_("数源部门的编码；不写即本部门"),
    )
    items = ItemInput(
        many=True, required=False, help_text=_("全部数据项，按次序；没有列出的数据项移除")
    )
    related = RelatedField(
        slug_field="code",
        queryset=Dataset.objects.none(),
        many=True,
        required=False,
        help_text=_("关联目录的代码"),
    )

    class Meta:
        model = Dataset
        fields: ClassVar[tuple[str, ...]] = (*DATASET_FIELDS, "items", "related")
        extra_kwargs: ClassVar[dict[str, Any]] = {
            name: {"required": False} for name in DATASET_FIELDS
        }
        validators: ClassVar[list[Any]] = []


@extend_schema_serializer(examples=[examples.DRAFT])
class EntryDraftInput(EntryInput):
    about: ClassVar[str | Promise] = _("起草一条目录；先写名称和分类即可，其余以后再补")

    classification = serializers.SlugRelatedField(
        slug_field="code",
        queryset=Classification.objects.all(),
        help_text=_("资源分类代码，至少到“目”；决定目录代码，此后不变"),
    )

    class Meta(EntryInput.Meta):
        fields: ClassVar[tuple[str, ...]] = ("classification", *EntryInput.Meta.fields)
        extra_kwargs: ClassVar[dict[str, Any]] = {
            **EntryInput.Meta.extra_kwargs,
            "name": {"required": True},
        }


class ReviseInput(EntryInput):
    about: ClassVar[str | Promise] = _("修改编制中或者已退回的目录")

    revision = serializers.IntegerField(required=False, help_text=REVISION_HELP)

    class Meta(EntryInput.Meta):
        fields: ClassVar[tuple[str, ...]] = (*EntryInput.Meta.fields, "revision")


class MoveInput(serializers.Serializer[Any]):
    about: ClassVar[str | Promise] = _("办理目录或者目录变更")

    revision = serializers.IntegerField(required=False, help_text=REVISION_HELP)


class ReasonInput(MoveInput):
    about: ClassVar[str | Promise] = _("办理目录或者目录变更，须写理由")

    reason = serializers.CharField(help_text=_("理由"))


class AssessmentInput(serializers.Serializer[Any]):
    about: ClassVar[str | Promise] = _("登记评估结论；评估报告在页面上传")

    kind = serializers.ChoiceField(choices=AssessmentKind.choices, help_text=_("评估类型"))
    conclusion = serializers.ChoiceField(choices=Conclusion.choices, help_text=_("结论"))
    assessed_on = serializers.DateField(help_text=_("评估日期"))
    assessor = serializers.CharField(max_length=100, help_text=_("作出结论的人员或者机构"))


@extend_schema_serializer(examples=[*examples.MOVES])
class DatasetMoveShape(EntryInput):
    """For readers: what all the moves take together."""

    about: ClassVar[str | Promise] = _("各动作用到的字段；目录的字段和数据项用于 revise")

    revision = serializers.IntegerField(required=False, help_text=REVISION_HELP)
    reason = serializers.CharField(required=False, help_text=_("理由；动作须写理由的必填"))
    kind = serializers.ChoiceField(
        choices=AssessmentKind.choices,
        required=False,
        help_text=_("record_assessment：评估类型，必填"),
    )
    conclusion = serializers.ChoiceField(
        choices=Conclusion.choices, required=False, help_text=_("record_assessment：结论，必填")
    )
    assessed_on = serializers.DateField(
        required=False, help_text=_("record_assessment：评估日期，必填")
    )
    assessor = serializers.CharField(required=False, help_text=_("record_assessment：评估人，必填"))

    class Meta(EntryInput.Meta):
        fields: ClassVar[tuple[str, ...]] = (
            *EntryInput.Meta.fields,
            *("revision", "reason", "kind", "conclusion", "assessed_on", "assessor"),
        )


class ChangeFields(EntryInput):
    """The next version of an entry in force: its fields, why, and what obliges to it."""

    reason = serializers.CharField(
        required=False, allow_blank=True, help_text=_("变更说明：为什么改、改了什么")
    )
    trigger_kind = serializers.ChoiceField(
        choices=TriggerKind.choices,
        required=False,
        help_text=_("触发事项；日常修改不写。写了即自发生之日起计更新时限"),
    )
    triggered_on = serializers.DateField(required=False, help_text=_("触发事项发生日期"))
    trigger_note = serializers.CharField(
        max_length=256, required=False, allow_blank=True, help_text=_("法规或文件的名称、文号")
    )

    class Meta(EntryInput.Meta):
        fields: ClassVar[tuple[str, ...]] = (
            *EntryInput.Meta.fields,
            *("reason", "trigger_kind", "triggered_on", "trigger_note"),
        )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Put what the operations take apart from the fields: reason, trigger, items, related."""
        given = dict(attrs)
        kind, on = given.pop("trigger_kind", None), given.pop("triggered_on", None)
        note = given.pop("trigger_note", "")
        if bool(kind) != bool(on):
            missing = "triggered_on" if kind else "trigger_kind"
            raise serializers.ValidationError({missing: _("触发事项和发生日期须一并登记")})
        parted: dict[str, Any] = {
            name: given.pop(name)
            for name in ("dataset", "revision", "reason", "items", "related")
            if name in given
        }
        if kind:
            parted["trigger"] = Trigger(kind, on, note)
        return {**parted, "fields": given}


@extend_schema_serializer(examples=[examples.BEGIN])
class BeginInput(ChangeFields):
    about: ClassVar[str | Promise] = _("开始修改一条已发布的目录；发布之前现行版本继续有效")

    dataset = RelatedField(
        slug_field="code", queryset=Dataset.objects.none(), help_text=_("目录代码")
    )

    class Meta(ChangeFields.Meta):
        fields: ClassVar[tuple[str, ...]] = ("dataset", *ChangeFields.Meta.fields)


class ReviseChangeInput(ChangeFields):
    about: ClassVar[str | Promise] = _("继续修改；与现行版本相同的值从变更中去掉")

    revision = serializers.IntegerField(required=False, help_text=REVISION_HELP)

    class Meta(ChangeFields.Meta):
        fields: ClassVar[tuple[str, ...]] = (*ChangeFields.Meta.fields, "revision")


@extend_schema_serializer(examples=[*examples.CHANGE_MOVES])
class ChangeMoveShape(ReviseChangeInput):
    """For readers: what all the moves take together."""

    about: ClassVar[str | Promise] = _("各动作用到的字段；目录的字段和数据项用于 revise_change")

    length = serializers.IntegerField(
        required=False, help_text=_("extend_change：延长几个工作日，至多 5 个，必填")
    )

    class Meta(ReviseChangeInput.Meta):
        fields: ClassVar[tuple[str, ...]] = (*ReviseChangeInput.Meta.fields, "length")


class ExtendInput(serializers.Serializer[Any]):
    about: ClassVar[str | Promise] = _("同意延期")

    length = serializers.IntegerField(min_value=1, max_value=5, help_text=_("延长几个工作日"))
    reason = serializers.CharField(help_text=_("理由"))
