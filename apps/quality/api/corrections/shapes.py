"""Corrections as the API shows and takes them; input and output are kept apart."""

from typing import Any, ClassVar, Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from apps.accounts.models import Department
from apps.catalog.models import Dataset
from apps.core.api import SentFileInput
from apps.quality.api.corrections import examples
from apps.quality.models import Correction
from apps.quality.operations.corrections.raising import LARGEST_EVIDENCE_BYTES
from apps.warehouse.models import Batch

REVISION_HELP = _("所见的修订号；给出而与现状不符时，返回 stale_revision")
VALUE_HELP = _("文本；null 为没有值或者没有说明，空文本为应为空；不是当事部门的不给出")


class RowShape(serializers.Serializer[Any]):
    about: ClassVar[str | Promise] = _("被校核的记录")

    def get_fields(self) -> dict[str, Any]:
        # `_id` is no name that a class may bear as a field of its own.
        return {
            "_id": serializers.IntegerField(help_text=_("数据接口给出的 _id")),
            "key": serializers.DictField(
                child=serializers.CharField(allow_null=True),
                allow_null=True,
                help_text=_("主键；调用方看不到原值时为空"),
            ),
        }


@extend_schema_serializer(examples=[examples.CORRECTION])
class CorrectionSerializer(serializers.ModelSerializer[Correction]):
    """A correction as it stands. `context["seen"]`: keys of those whose values the caller sees."""

    about: ClassVar[str | Promise] = _("校核的现状")

    dataset = serializers.CharField(
        source="dataset.dashed_code", help_text=_("目录代码，以 - 代 /")
    )
    dataset_name = serializers.CharField(source="dataset.name", help_text=_("目录名称"))
    provider = serializers.CharField(
        source="dataset.department.name", help_text=_("提供部门的名称")
    )
    row = serializers.SerializerMethodField(help_text=_("被校核的记录；校核整个数据集时为空"))
    seen_value = serializers.SerializerMethodField(help_text=VALUE_HELP)
    claimed_value = serializers.SerializerMethodField(help_text=VALUE_HELP)
    final_value = serializers.SerializerMethodField(help_text=VALUE_HELP)
    has_evidence_file = serializers.SerializerMethodField(help_text=_("是否附有依据材料"))
    department = serializers.CharField(source="department.name", help_text=_("提出部门的名称"))
    system = serializers.CharField(
        source="system.code", default=None, allow_null=True, help_text=_("提出系统的编号")
    )
    handler = serializers.CharField(source="handler.name", help_text=_("核实部门的名称"))
    route_reason = serializers.CharField(help_text=_("为何由该部门核实"))
    status_label = serializers.CharField(source="get_status_display", help_text=_("状态的名称"))
    batch = serializers.IntegerField(
        source="batch_id", allow_null=True, help_text=_("更正批次的 id；尚未更正时为空")
    )
    is_marked = serializers.BooleanField(help_text=_("是否仍标注（见数据接口的 _disputed）"))

    class Meta:
        model = Correction
        fields = (
            "id", "number", "dataset", "dataset_name", "provider", "scope", "row", "item",
            "item_label", "seen_value", "claimed_value", "description", "evidence",
            "has_evidence_file", "department", "system", "handler", "route_reason", "status",
            "status_label", "is_marked", "outcome", "explanation", "final_value", "batch",
            "objection", "raised_at", "decided_at", "corrected_at", "fed_back_at", "closed_at",
            "revision", "updated_at",
        )  # fmt: skip

    @extend_schema_field(RowShape(allow_null=True))
    def get_row(self, correction: Correction) -> dict[str, Any] | None:
        if correction.row_id is None:
            return None
        is_shown = self._sees(correction) and self._may_have_key(correction)
        return {"_id": correction.row_id, "key": correction.row_key if is_shown else None}

    def get_seen_value(self, correction: Correction) -> str | None:
        return correction.seen_value if self._sees(correction) else None

    def get_claimed_value(self, correction: Correction) -> str | None:
        return correction.claimed_value if self._sees(correction) else None

    def get_final_value(self, correction: Correction) -> str | None:
        return correction.final_value if self._sees(correction) else None

    def get_has_evidence_file(self, correction: Correction) -> bool:
        return bool(correction.evidence_file)

    def _sees(self, correction: Correction) -> bool:
        return correction.pk in self.context["seen"]

    def _may_have_key(self, correction: Correction) -> bool:
        own = correction.dataset.department_id == self.context["department"]
        return own or correction.is_key_known


class DatasetField(serializers.SlugRelatedField[Dataset]):
    """An entry by its code, written with `-` or `/`."""

    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value(str(data).replace("-", "/"))


class EvidenceFileInput(SentFileInput):
    about: ClassVar[str | Promise] = _("依据材料")
    largest_bytes: ClassVar[int] = LARGEST_EVIDENCE_BYTES


@extend_schema_serializer(examples=[*examples.RAISE])
class RaiseInput(serializers.Serializer[Any]):
    """What is doubted, and why."""

    about: ClassVar[str | Promise] = _(
        "校核的内容。指明记录用 row_id 或者 key，只给一种；给出 item 的校核一个值，"
        "不给的校核整条记录；记录也不指明的，校核整个数据集"
    )

    dataset = DatasetField(
        slug_field="code", queryset=Dataset.objects.all(), help_text=_("目录代码")
    )
    row_id = serializers.IntegerField(
        required=False, min_value=1, max_value=(1 << 63) - 1, help_text=_("记录的 _id")
    )
    key = serializers.DictField(
        child=serializers.CharField(max_length=2000),
        required=False,
        allow_empty=False,
        help_text=_("记录的主键，{列名: 值}；授权须含主键的原值"),
    )
    item = serializers.CharField(
        required=False, max_length=60, help_text=_("数据项的列名，须在授权内且没有脱敏")
    )
    claimed_value = serializers.CharField(
        required=False,
        allow_blank=True,
        allow_null=True,
        default=None,
        max_length=10_000,
        trim_whitespace=False,
        help_text=_("应为的值；空文本为应为空，不知道的不给"),
    )
    description = serializers.CharField(
        required=False,
        allow_blank=True,
        default="",
        max_length=4000,
        help_text=_("有什么问题；没有 claimed_value 时必填"),
    )
    evidence = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=4000, help_text=_("依据")
    )
    evidence_file = EvidenceFileInput(required=False, help_text=_("依据材料"))

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "row_id" in attrs and "key" in attrs:
            raise serializers.ValidationError({"key": _("row_id 和 key 只给一种")})
        file = attrs.pop("evidence_file", None)
        return {**attrs, "file": file["file"] if file else None}


class MoveInput(serializers.Serializer[Any]):
    """What every move takes."""

    about: ClassVar[str | Promise] = _("每个动作都有的内容")

    reason = serializers.CharField(
        required=False, allow_blank=True, default="", help_text=_("理由或者附言")
    )
    revision = serializers.IntegerField(required=False, help_text=REVISION_HELP)


class ForwardInput(MoveInput):
    about: ClassVar[str | Promise] = _("转办")

    department = serializers.SlugRelatedField(
        slug_field="code", queryset=Department.objects.all(), help_text=_("部门的编码")
    )


class UpholdInput(MoveInput):
    about: ClassVar[str | Promise] = _("认定有误")

    value = serializers.CharField(
        required=False,
        allow_blank=True,
        allow_null=True,
        default=None,
        max_length=10_000,
        trim_whitespace=False,
        help_text=_("更正为的值；空文本为应为空，不给的取主张的值"),
    )


class LinkInput(MoveInput):
    about: ClassVar[str | Promise] = _("指定更正批次")

    batch = serializers.PrimaryKeyRelatedField(
        queryset=Batch.objects.all(), help_text=_("批次的 id")
    )


@extend_schema_serializer(examples=[*examples.MOVES])
class CorrectionMoveShape(serializers.Serializer[Any]):
    """All that the moves take together, for the description alone."""

    about: ClassVar[str | Promise] = _("办理一个动作的内容；哪些字段有用，看动作")

    reason = serializers.CharField(
        required=False,
        allow_blank=True,
        help_text=_("理由或者附言；forward、uphold、confirm、contest、send_back、withdraw 必填"),
    )
    revision = serializers.IntegerField(required=False, help_text=REVISION_HELP)
    department = serializers.CharField(required=False, help_text=_("forward：部门的编码"))
    value = serializers.CharField(
        required=False, allow_null=True, help_text=_("uphold：更正为的值，不给的取主张的值")
    )
    batch = serializers.IntegerField(required=False, help_text=_("link：批次的 id"))


INPUTS: Final[dict[str, type[serializers.Serializer[Any]]]] = {
    **dict.fromkeys(
        ("accept", "verify", "confirm", "hand_in", "contest", "send_back", "close", "withdraw"),
        MoveInput,
    ),
    "forward": ForwardInput,
    "uphold": UpholdInput,
    "link": LinkInput,
}
