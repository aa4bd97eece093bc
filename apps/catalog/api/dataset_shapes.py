"""Entries as the API shows them."""

from typing import Any, ClassVar

from django.utils import timezone
from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from apps.catalog.api.examples import datasets as examples
from apps.catalog.models import DataItem, Dataset, DatasetVersion, SharingAttribute
from apps.catalog.scoring import score_of
from apps.core import access
from apps.standards.types import DataType


@extend_schema_serializer(examples=[examples.DATASET])
class DatasetSerializer(serializers.ModelSerializer[Dataset]):
    """An entry as lists show it. `code` is written with `-` for `/`, as in addresses."""

    about: ClassVar[str] = "一条数据目录"

    code = serializers.CharField(
        source="dashed_code", read_only=True, help_text="目录代码，以 - 代 /"
    )
    department = serializers.CharField(
        source="department.code", read_only=True, help_text="提供部门的编码"
    )
    department_name = serializers.CharField(
        source="department.name", read_only=True, help_text="提供部门的名称"
    )
    classification = serializers.CharField(
        source="classification.code", read_only=True, help_text="资源分类代码"
    )
    sharing_attribute = serializers.ChoiceField(
        choices=SharingAttribute.choices,
        source="effective_sharing_attribute",
        read_only=True,
        help_text="共享属性；有条件共享而未写明条件的，按无条件共享给出",
    )
    themes = serializers.ListField(
        child=serializers.CharField(), read_only=True, help_text="主题标签"
    )

    has_data = serializers.BooleanField(
        source="search_entry.has_data",
        read_only=True,
        default=False,
        help_text="是否已有数据归集入库",
    )
    quality_score = serializers.IntegerField(
        source="search_entry.score",
        read_only=True,
        default=0,
        help_text="目录质量得分，0–100",
    )

    class Meta:
        model = Dataset
        fields = (
            "code",
            "name",
            "abstract",
            "department",
            "department_name",
            "classification",
            "sharing_attribute",
            "sharing_scope",
            "sharing_condition",
            "opening_attribute",
            "update_cycle",
            "grade",
            "contains_personal",
            "contains_sensitive",
            "themes",
            "status",
            "has_data",
            "quality_score",
            "release_on",
            "updated_at",
        )
        read_only_fields = fields


class DataItemSerializer(serializers.ModelSerializer[DataItem]):
    """One item: the name under which the data API serves it, its type and its rules."""

    about: ClassVar[str] = "一个数据项"

    type = serializers.ChoiceField(
        choices=DataType.choices, source="data_type", read_only=True, help_text="数据类型"
    )
    column = serializers.CharField(
        source="column_name",
        read_only=True,
        help_text="列名：数据接口中记录的字段名，也是筛选参数名",
    )
    data_element = serializers.CharField(
        source="data_element.code",
        read_only=True,
        default=None,
        allow_null=True,
        help_text="对应数据元的编号；没有时为空",
    )
    code_list = serializers.CharField(
        source="code_list.code",
        read_only=True,
        default=None,
        allow_null=True,
        help_text="代码集的编号，值只取其中的代码；没有时为空",
    )
    is_key = serializers.SerializerMethodField(help_text="是否主键列")

    class Meta:
        model = DataItem
        fields = (
            "column",
            "name",
            "type",
            "length",
            "scale",
            "required",
            "is_key",
            "sharing_attribute",
            "personal",
            "sensitive",
            "mask",
            "data_element",
            "code_list",
            "description",
        )
        read_only_fields = fields

    def get_is_key(self, item: DataItem) -> bool:
        return item.column_name in item.dataset.key_items


class LossSerializer(serializers.Serializer[Any]):
    about: ClassVar[str] = "一项失分，及怎样补上"

    kind = serializers.CharField(help_text="失分项，可用作筛选条件 loss 的值")
    points = serializers.FloatField(help_text="失去的分数")
    label = serializers.CharField(  # type: ignore[assignment]  # a field's own label is a text
        help_text="失分项的名称"
    )
    mend = serializers.CharField(help_text="怎样补上")


class DatasetVersionSerializer(serializers.ModelSerializer[DatasetVersion]):
    about: ClassVar[str] = "目录的一次发布"

    class Meta:
        model = DatasetVersion
        fields = ("number", "published_at")
        read_only_fields = fields


@extend_schema_serializer(examples=[examples.DATASET_DETAIL])
class DatasetDetailSerializer(DatasetSerializer):
    """An entry with its items and the versions that were published."""

    about: ClassVar[str] = "一条数据目录，及其数据项和版本"

    items = DataItemSerializer(many=True, read_only=True, help_text="数据项，按序号")
    versions = DatasetVersionSerializer(
        many=True, read_only=True, help_text="发布过的版本，新的在前"
    )
    system = serializers.CharField(
        source="system.code",
        read_only=True,
        default=None,
        allow_null=True,
        help_text="来源信息系统的编号；没有时为空",
    )
    key_items = serializers.ListField(
        child=serializers.CharField(),
        read_only=True,
        help_text="主键列：合起来唯一确定一条记录；第一个是主体标识",
    )
    source_department = serializers.CharField(
        source="source_department.code",
        read_only=True,
        default=None,
        allow_null=True,
        help_text="数源部门的编码；没有认定时为空",
    )
    related = serializers.SlugRelatedField[Dataset](
        slug_field="dashed_code", many=True, read_only=True, help_text="关联目录的代码，以 - 代 /"
    )
    losses = serializers.SerializerMethodField(
        help_text="目录质量的失分项，多的在前；只给提供部门和主管部门"
    )

    class Meta(DatasetSerializer.Meta):
        fields = (  # type: ignore[assignment]  # longer than the parent's
            *DatasetSerializer.Meta.fields,
            "internal_unit",
            "format_class",
            "format_type",
            "sharing_reason",
            "sharing_statute",
            "mode_class",
            "mode_type",
            "note",
            "opening_condition",
            "legal_duty",
            "service_item",
            "system",
            "contact_name",
            "contact_phone",
            "source_department",
            "related",
            "losses",
            "key_items",
            "items",
            "versions",
        )
        read_only_fields = fields  # type: ignore[assignment]

    @extend_schema_field(LossSerializer(many=True))
    def get_losses(self, dataset: Dataset) -> list[dict[str, Any]]:
        if not access.allowed(self.context["caller"], "administer", dataset):
            return []
        items = list(dataset.items.all())
        score = score_of(dataset, items, on=timezone.localdate())
        return list(LossSerializer(score.losses, many=True).data)
