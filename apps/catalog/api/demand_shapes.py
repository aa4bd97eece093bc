"""Demands as the API shows and takes them; input and output are kept apart."""

from typing import Any, ClassVar, Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from apps.accounts.models import Department, InformationSystem
from apps.catalog.api.examples import demands as examples
from apps.catalog.models import (
    Dataset,
    Demand,
    DemandMatch,
    DemandOutcome,
    DemandReply,
    ModeType,
    UpdateCycle,
)

REVISION_HELP = _("所见的修订号；给出而与现状不符时，返回 stale_revision")


class WantedItemSerializer(serializers.Serializer[Any]):
    about: ClassVar[str | Promise] = _("需要的一个数据项")

    name = serializers.CharField(max_length=50, help_text=_("数据项名称"))
    note = serializers.CharField(
        max_length=200, required=False, allow_blank=True, default="", help_text=_("说明")
    )


@extend_schema_serializer(examples=[examples.DEMAND])
class DemandSerializer(serializers.ModelSerializer[Demand]):
    """A demand as it stands; the answer shows once it is signed."""

    about: ClassVar[str | Promise] = _("数据需求的现状；答复在签发之后给出")

    department = serializers.CharField(source="department.name", help_text=_("需求部门的名称"))
    provider = serializers.CharField(
        source="provider.name", default=None, allow_null=True, help_text=_("提供部门的名称")
    )
    system = serializers.CharField(
        source="system.code", default=None, allow_null=True, help_text=_("使用系统的编号")
    )
    wanted_items = WantedItemSerializer(many=True, help_text=_("需要的数据项"))
    status_label = serializers.CharField(source="get_status_display", help_text=_("状态的名称"))
    dataset = serializers.SerializerMethodField(
        help_text=_("满足需求的目录代码，以 - 代 /；没有或者尚未签发时为空")
    )
    reply = serializers.SerializerMethodField(help_text=_("答复内容；尚未签发时为空"))
    legal_basis = serializers.SerializerMethodField(help_text=_("不予提供的依据；尚未签发时为空"))
    promised_on = serializers.SerializerMethodField(help_text=_("承诺提供日期；尚未签发时为空"))
    outcome = serializers.SerializerMethodField(help_text=_("满足方式；尚未签发时为空"))

    class Meta:
        model = Demand
        fields = (
            "id", "number", "title", "department", "provider", "system", "wanted_items",
            "scenario", "basis", "scope", "update_cycle", "mode", "needed_by", "ends_on",
            "status", "status_label", "remark", "outcome", "dataset", "reply", "legal_basis",
            "promised_on", "objection", "received_at", "forwarded_at", "decided_at",
            "fulfilled_at", "closed_at", "revision", "created_at", "updated_at",
        )  # fmt: skip

    def get_dataset(self, demand: Demand) -> str | None:
        shown = _is_told(demand) or demand.status in ("requested", "fulfilled")
        return demand.dataset.dashed_code if shown and demand.dataset else None

    def get_reply(self, demand: Demand) -> str:
        return demand.reply if _is_told(demand) else ""

    def get_legal_basis(self, demand: Demand) -> str:
        return demand.legal_basis if _is_told(demand) else ""

    def get_promised_on(self, demand: Demand) -> str | None:
        told = _is_told(demand) and demand.promised_on
        return demand.promised_on.isoformat() if told and demand.promised_on else None

    def get_outcome(self, demand: Demand) -> str:
        return demand.outcome if _is_told(demand) else ""


def _is_told(demand: Demand) -> bool:
    """What the provider drafted stays inside until it is signed."""
    return demand.decided_at is not None


@extend_schema_serializer(examples=[examples.DRAFT])
class DemandInput(serializers.Serializer[Any]):
    """What a new demand says; it may be completed before it is submitted."""

    about: ClassVar[str | Promise] = _("需求的内容；提交前可再补充")

    title = serializers.CharField(max_length=80, help_text=_("需求名称"))
    wanted_items = WantedItemSerializer(
        many=True, required=False, help_text=_("需要的数据项；提交前必填")
    )
    scenario = serializers.CharField(
        required=False, allow_blank=True, help_text=_("使用场景；提交前必填")
    )
    basis = serializers.CharField(
        required=False, allow_blank=True, help_text=_("使用依据；提交前必填")
    )
    scope = serializers.CharField(required=False, allow_blank=True, help_text=_("数据范围"))
    update_cycle = serializers.ChoiceField(
        choices=UpdateCycle.choices, required=False, help_text=_("希望的更新周期")
    )
    mode = serializers.ChoiceField(
        choices=ModeType.choices, required=False, help_text=_("希望的共享方式")
    )
    needed_by = serializers.DateField(required=False, allow_null=True, help_text=_("希望取得日期"))
    ends_on = serializers.DateField(
        required=False, allow_null=True, help_text=_("使用截止日期，转为共享申请时用")
    )
    system = serializers.SlugRelatedField(
        slug_field="code",
        queryset=InformationSystem.objects.all(),
        required=False,
        allow_null=True,
        help_text=_("使用系统的编号，须是本部门的"),
    )
    provider = serializers.SlugRelatedField(
        slug_field="code",
        queryset=Department.objects.filter(valid_to=None),
        required=False,
        allow_null=True,
        help_text=_("提供部门的编码；由主管部门审核确定"),
    )
    contact_name = serializers.CharField(
        required=False, allow_blank=True, max_length=50, help_text=_("联系人；提交前必填")
    )
    contact_phone = serializers.CharField(
        required=False, allow_blank=True, max_length=40, help_text=_("联系电话；提交前必填")
    )


class MoveInput(serializers.Serializer[Any]):
    """What every move takes."""

    about: ClassVar[str | Promise] = _("每个动作都有的内容")

    reason = serializers.CharField(
        required=False, allow_blank=True, default="", help_text=_("理由或者附言")
    )
    revision = serializers.IntegerField(required=False, help_text=REVISION_HELP)


class DatasetField(serializers.SlugRelatedField[Dataset]):
    """An entry by its code, written with `-` or `/`."""

    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value(str(data).replace("-", "/"))


def _dataset_field(**kwargs: Any) -> Any:
    return DatasetField(
        slug_field="code",
        queryset=Dataset.objects.all(),
        help_text=_("目录代码"),
        **kwargs,
    )


class ForwardInput(MoveInput):
    about: ClassVar[str | Promise] = _("转交")

    provider = serializers.SlugRelatedField(
        slug_field="code", queryset=Department.objects.all(), help_text=_("提供部门的编码")
    )


class PointOutInput(MoveInput):
    about: ClassVar[str | Promise] = _("指认已有目录")

    dataset = _dataset_field()


class FulfilInput(MoveInput):
    about: ClassVar[str | Promise] = _("确认已提供")

    dataset = _dataset_field(required=False)


class ProposeInput(MoveInput):
    about: ClassVar[str | Promise] = _("拟定答复")

    proposal = serializers.ChoiceField(
        choices=[choice for choice in DemandReply.choices if choice[0]], help_text=_("答复意见")
    )
    outcome = serializers.ChoiceField(
        choices=DemandOutcome.choices, required=False, help_text=_("满足方式；同意时必填")
    )
    dataset = _dataset_field(required=False, allow_null=True)
    promised_on = serializers.DateField(
        required=False, allow_null=True, help_text=_("承诺提供日期；同意时必填")
    )
    legal_basis = serializers.CharField(
        required=False, allow_blank=True, help_text=_("不予提供的依据；不予提供时必填")
    )


class ReviseInput(DemandInput):
    """What is absent stays."""

    title = serializers.CharField(max_length=80, required=False, help_text=_("需求名称"))
    revision = serializers.IntegerField(required=False, help_text=REVISION_HELP)


class SplitInput(serializers.Serializer[Any]):
    about: ClassVar[str | Promise] = _("拆出一部分数据项，另由一个部门答复")

    title = serializers.CharField(max_length=80, help_text=_("拆出的需求的名称"))
    items = serializers.ListField(
        child=serializers.CharField(), help_text=_("拆出的数据项的名称；其余留在原需求中")
    )
    revision = serializers.IntegerField(required=False, help_text=REVISION_HELP)


@extend_schema_serializer(examples=[examples.MATCH])
class MatchSerializer(serializers.ModelSerializer[DemandMatch]):
    """An entry that may meet the demand, why, and what was decided of it."""

    about: ClassVar[str | Promise] = _("一条可能满足需求的目录，及其依据和意见")

    dataset = serializers.CharField(
        source="dataset.dashed_code", help_text=_("目录代码，以 - 代 /")
    )
    dataset_name = serializers.CharField(source="dataset.name", help_text=_("目录名称"))
    provider = serializers.CharField(
        source="dataset.department.name", help_text=_("提供部门的名称")
    )
    words = serializers.ListField(child=serializers.CharField(), help_text=_("名称中相同的词"))
    found_items = serializers.ListField(
        child=serializers.CharField(), help_text=_("需要的数据项中已有的")
    )
    missing_items = serializers.ListField(
        child=serializers.CharField(), help_text=_("需要的数据项中没有的")
    )

    class Meta:
        model = DemandMatch
        fields = (
            "id", "dataset", "dataset_name", "provider", "score", "words", "found_items",
            "missing_items", "proposed_at", "decision", "reason", "decided_at",
        )  # fmt: skip
        read_only_fields = fields
        extra_kwargs: ClassVar[dict[str, Any]] = {"score": {"help_text": _("匹配度，0–1")}}


@extend_schema_serializer(examples=[examples.DECLINE])
class DeclineInput(serializers.Serializer[Any]):
    about: ClassVar[str | Promise] = _("认为目录不能满足需求")

    reason = serializers.CharField(help_text=_("为何不能满足"))


@extend_schema_serializer(examples=[*examples.MOVES])
class DemandMoveShape(serializers.Serializer[Any]):
    """All that the moves take together, for the description alone."""

    about: ClassVar[str | Promise] = _("办理一个动作的内容；哪些字段有用，看动作")

    reason = serializers.CharField(
        required=False,
        allow_blank=True,
        help_text=_("理由或者附言；退回、异议、撤回等必填；propose 时为答复内容"),
    )
    revision = serializers.IntegerField(required=False, help_text=REVISION_HELP)
    provider = serializers.CharField(required=False, help_text=_("forward：提供部门的编码"))
    dataset = serializers.CharField(
        required=False, help_text=_("point_out、fulfil、propose：目录代码")
    )
    proposal = serializers.ChoiceField(
        choices=[choice for choice in DemandReply.choices if choice[0]],
        required=False,
        help_text=_("propose：答复意见"),
    )
    outcome = serializers.ChoiceField(
        choices=[choice for choice in DemandOutcome.choices if choice[0]],
        required=False,
        help_text=_("propose：满足方式"),
    )
    promised_on = serializers.DateField(required=False, help_text=_("propose：承诺提供日期"))
    legal_basis = serializers.CharField(required=False, help_text=_("propose：不予提供的依据"))
    title = serializers.CharField(
        required=False, max_length=80, help_text=_("split、revise：需求名称")
    )
    items = serializers.ListField(
        child=serializers.CharField(), required=False, help_text=_("split：拆出的数据项的名称")
    )
    wanted_items = WantedItemSerializer(
        many=True, required=False, help_text=_("revise：需要的数据项；其余字段同提出需求时")
    )
    scenario = serializers.CharField(required=False, help_text=_("revise：使用场景"))
    basis = serializers.CharField(required=False, help_text=_("revise：使用依据"))
    scope = serializers.CharField(required=False, help_text=_("revise：数据范围"))
    needed_by = serializers.DateField(required=False, help_text=_("revise：希望取得日期"))
    ends_on = serializers.DateField(required=False, help_text=_("revise：使用截止日期"))


INPUTS: Final[dict[str, type[serializers.Serializer[Any]]]] = {
    **dict.fromkeys(
        (
            "submit",
            "recall",
            "approve",
            "send_back",
            "send_back_proposal",
            "agree",
            "refuse",
            "disown",
            "contest",
            "close",
            "withdraw",
        ),
        MoveInput,
    ),
    "forward": ForwardInput,
    "point_out": PointOutInput,
    "propose": ProposeInput,
    "fulfil": FulfilInput,
    "revise": ReviseInput,
    "split": SplitInput,
}
