"""Responsibility lists and duties as the API shows and takes them; input and output are apart."""

from typing import Any, ClassVar

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from apps.accounts.models import Department
from apps.catalog.api.demand_shapes import DatasetField
from apps.catalog.api.examples import duties as examples
from apps.catalog.models import Dataset, Duty, ResponsibilityList
from apps.catalog.queries import responsibility as queries


@extend_schema_serializer(examples=[examples.RESPONSIBILITY_LIST])
class ResponsibilityListSerializer(serializers.ModelSerializer[ResponsibilityList]):
    about: ClassVar[str | Promise] = _("一份责任清单：一个部门一个年度的一个批次")

    department = serializers.CharField(
        source="department.code", read_only=True, help_text=_("责任部门的编码")
    )
    department_name = serializers.CharField(
        source="department.name", read_only=True, help_text=_("责任部门的名称")
    )

    class Meta:
        model = ResponsibilityList
        fields = (
            "id", "code", "department", "department_name", "year", "batch", "status",
            "consult_due_on", "opinion", "replied_at", "issued_at", "revision", "updated_at",
        )  # fmt: skip
        read_only_fields = fields


@extend_schema_serializer(examples=[examples.DUTY])
class DutySerializer(serializers.ModelSerializer[Duty]):
    about: ClassVar[str | Promise] = _("一项责任：部门承诺归集的一项数据")

    responsibility_list = serializers.IntegerField(
        source="responsibility_list_id", read_only=True, help_text=_("所在责任清单的 id")
    )
    department = serializers.CharField(
        source="department.code", read_only=True, help_text=_("承担部门的编码")
    )
    dataset = serializers.CharField(
        source="dataset.dashed_code",
        read_only=True,
        default=None,
        allow_null=True,
        help_text=_("目录代码，以 - 代 /；目录还没有编制时为空"),
    )
    system = serializers.CharField(
        source="system.code",
        read_only=True,
        default=None,
        allow_null=True,
        help_text=_("来源信息系统的编号；没有时为空"),
    )
    parent = serializers.IntegerField(  # type: ignore[assignment]  # of the duty, not of the field
        source="parent_id",
        read_only=True,
        allow_null=True,
        help_text=_("上级责任事项的 id；没有时为空"),
    )
    item_columns = serializers.ListField(
        child=serializers.CharField(allow_blank=True),
        read_only=True,
        help_text=_("应归集数据项的列名，与 item_names 逐项对应；不知道的为空"),
    )
    item_names = serializers.ListField(
        child=serializers.CharField(), read_only=True, help_text=_("应归集数据项的名称")
    )
    is_overdue = serializers.SerializerMethodField(help_text=_("是否已过完成期限而没有报完成"))

    class Meta:
        model = Duty
        fields = (
            "id", "responsibility_list", "department", "internal_unit", "parent", "origin",
            "dataset", "title", "item_columns", "item_names", "expected_rows", "update_cycle",
            "due_on", "is_overdue", "contact_name", "contact_phone", "sharing_attribute",
            "opening_attribute", "system", "status", "objection", "settlement", "evidence",
            "performed_rows", "performed_at", "revision", "updated_at",
        )  # fmt: skip
        read_only_fields = fields

    def get_is_overdue(self, duty: Duty) -> bool:
        return duty.is_overdue(timezone.localdate())


class BreakdownSerializer(serializers.Serializer[Any]):
    about: ClassVar[str | Promise] = _("拆分的下级事项合计；条数为记录数")

    count = serializers.IntegerField(help_text=_("下级事项的件数；用 /duties?parent= 读取"))
    finished = serializers.IntegerField(help_text=_("已报完成和已核实的件数"))
    assigned_rows = serializers.IntegerField(help_text=_("下级事项应归集条数的合计"))
    performed_rows = serializers.IntegerField(help_text=_("下级事项已归集条数的合计"))
    gap = serializers.IntegerField(help_text=_("本事项应归集而尚未分到下级的条数"))


@extend_schema_serializer(examples=[examples.DUTY_DETAIL])
class DutyDetailSerializer(DutySerializer):
    """A duty with how its parts add up."""

    about: ClassVar[str | Promise] = _("一项责任，及其下级事项的进展")

    parts = serializers.SerializerMethodField(help_text=_("下级事项的合计"))

    class Meta(DutySerializer.Meta):
        fields = (*DutySerializer.Meta.fields, "parts")  # type: ignore[assignment]
        read_only_fields = fields  # type: ignore[assignment]

    @extend_schema_field(BreakdownSerializer)
    def get_parts(self, duty: Duty) -> dict[str, int]:
        found = queries.breakdown_of(duty)
        return {
            "count": len(found.parts),
            "finished": found.finished,
            "assigned_rows": found.assigned,
            "performed_rows": found.performed,
            "gap": found.gap,
        }


@extend_schema_serializer(examples=[examples.COMPILE])
class CompileInput(serializers.Serializer[Any]):
    about: ClassVar[str | Promise] = _("把目录分解为各部门的责任清单")

    year = serializers.IntegerField(min_value=2000, max_value=2100, help_text=_("年度"))
    batch = serializers.CharField(max_length=40, help_text=_("批次，如“第一批”"))
    due_on = serializers.DateField(required=False, help_text=_("各项先填的完成期限"))
    departments = serializers.SlugRelatedField(
        slug_field="code",
        queryset=Department.objects.filter(valid_to=None),
        many=True,
        required=False,
        help_text=_("责任部门的编码；不写为全部提供部门"),
    )


@extend_schema_serializer(examples=[examples.COMPILED])
class CompiledSerializer(serializers.Serializer[Any]):
    about: ClassVar[str | Promise] = _("分解的结果")

    lists = serializers.ListField(
        child=serializers.IntegerField(), help_text=_("编制中的清单的 id")
    )
    duty_count = serializers.IntegerField(help_text=_("列入了几项"))
    passed_by = serializers.ListField(
        child=serializers.IntegerField(), help_text=_("已征求意见或者印发、没有再加的清单的 id")
    )


class RevisionInput(serializers.Serializer[Any]):
    """What every move may carry."""

    about: ClassVar[str | Promise] = _("办理的内容")

    revision = serializers.IntegerField(
        required=False, min_value=1, help_text=_("读到的 revision；内容已被他人修改时返回 409")
    )


class ReasonInput(RevisionInput):
    about: ClassVar[str | Promise] = _("办理的内容，须写理由")

    reason = serializers.CharField(help_text=_("理由"))


class ConsultInput(RevisionInput):
    about: ClassVar[str | Promise] = _("征求意见")

    consult_due_on = serializers.DateField(help_text=_("征求意见截止日期"))


class ReplyInput(serializers.Serializer[Any]):
    about: ClassVar[str | Promise] = _("回复意见")

    opinion = serializers.CharField(
        required=False, allow_blank=True, help_text=_("部门意见；没有提出异议的事项视为确认")
    )


class PerformInput(RevisionInput):
    about: ClassVar[str | Promise] = _("报告完成")

    evidence = serializers.CharField(help_text=_("完成情况"))
    performed_rows = serializers.IntegerField(
        required=False, min_value=0, help_text=_("已归集条数")
    )


class NameDatasetInput(RevisionInput):
    about: ClassVar[str | Promise] = _("对应目录")

    dataset = DatasetField(
        slug_field="code", queryset=Dataset.objects.all(), help_text=_("本部门目录的代码")
    )


class PartInput(serializers.Serializer[Any]):
    about: ClassVar[str | Promise] = _("拆分给一个处室或者区县部门的一份")

    department = serializers.SlugRelatedField(
        slug_field="code",
        queryset=Department.objects.all(),
        help_text=_("承担部门的编码：本部门或者区县部门"),
    )
    internal_unit = serializers.CharField(
        required=False, max_length=100, help_text=_("承担处室；拆分给本部门时必填")
    )
    expected_rows = serializers.IntegerField(
        required=False, min_value=0, help_text=_("应归集条数；合计不能超出本事项")
    )
    due_on = serializers.DateField(required=False, help_text=_("完成期限，不晚于本事项的"))
    contact_name = serializers.CharField(required=False, max_length=50, help_text=_("联系人"))
    contact_phone = serializers.CharField(required=False, max_length=40, help_text=_("联系电话"))
    dataset = DatasetField(
        slug_field="code",
        queryset=Dataset.objects.all(),
        required=False,
        help_text=_("该部门自己的目录的代码"),
    )


class SplitInput(serializers.Serializer[Any]):
    about: ClassVar[str | Promise] = _("拆分")

    parts = PartInput(many=True, help_text=_("各份"))


@extend_schema_serializer(examples=[*examples.DUTY_MOVES])
class DutyMoveShape(serializers.Serializer[Any]):
    about: ClassVar[str | Promise] = _("各动作用到的字段，见字段说明")

    revision = serializers.IntegerField(required=False, help_text=_("读到的 revision"))
    reason = serializers.CharField(required=False, help_text=_("理由；动作须写理由的必填"))
    evidence = serializers.CharField(required=False, help_text=_("perform：完成情况，必填"))
    performed_rows = serializers.IntegerField(required=False, help_text=_("perform：已归集条数"))
    dataset = serializers.CharField(required=False, help_text=_("name_dataset：目录代码，必填"))
    parts = PartInput(many=True, required=False, help_text=_("split：各份，必填"))


@extend_schema_serializer(examples=[*examples.LIST_MOVES])
class ListMoveShape(serializers.Serializer[Any]):
    about: ClassVar[str | Promise] = _("各动作用到的字段，见字段说明")

    revision = serializers.IntegerField(required=False, help_text=_("读到的 revision"))
    reason = serializers.CharField(required=False, help_text=_("理由；动作须写理由的必填"))
    consult_due_on = serializers.DateField(
        required=False, help_text=_("consult：征求意见截止日期，必填")
    )
    opinion = serializers.CharField(required=False, help_text=_("reply：部门意见"))
