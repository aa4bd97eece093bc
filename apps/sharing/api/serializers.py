"""Requests and grants as the API shows and takes them; input and output are kept apart."""

from typing import Any, ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from apps.accounts.models import InformationSystem
from apps.catalog.models import Dataset
from apps.sharing.api import examples
from apps.sharing.api.offers import OfferSerializer
from apps.sharing.api.service_changes import ServiceChangeSerializer
from apps.sharing.api.wording import CONDITION_HELP, LIMIT_HELP, LIMIT_KWARGS, REVISION_HELP
from apps.sharing.models import (
    LIMIT_FIELDS,
    Grant,
    Mode,
    RequestedItem,
    SharingRequest,
    Urgency,
)
from apps.sharing.operations.deciding.urgent import LONGEST_HOURS


class ItemSerializer(serializers.ModelSerializer[RequestedItem]):
    about: ClassVar[str | Promise] = _("申请的一个数据项")

    name = serializers.CharField(source="item.column_name", help_text=_("列名"))
    label = serializers.CharField(  # type: ignore[assignment]  # a field's own label is a text
        source="item.name", help_text=_("中文名称")
    )

    class Meta:
        model = RequestedItem
        fields = ("name", "label", "mask")
        extra_kwargs: ClassVar[dict[str, Any]] = {"mask": {"help_text": _("脱敏方式，空为明文")}}


class UrgencySerializer(serializers.ModelSerializer[Urgency]):
    about: ClassVar[str | Promise] = _("急件：主管部门的要求、事后补办的材料和事后审查")

    class Meta:
        model = Urgency
        fields = (
            "kind",
            "basis",
            "hours",
            "ordered_at",
            "grant_days",
            "missing_papers",
            "papers_at",
            "is_justified",
            "review_remark",
            "reviewed_at",
        )


@extend_schema_serializer(examples=[examples.REQUEST])
class RequestSerializer(serializers.ModelSerializer[SharingRequest]):
    """A sharing request as it stands."""

    about: ClassVar[str | Promise] = _("共享申请的现状")

    dataset = serializers.CharField(source="dataset.code", help_text=_("目录代码"))
    dataset_name = serializers.CharField(source="dataset.name", help_text=_("目录名称"))
    provider = serializers.CharField(
        source="dataset.department.name", help_text=_("提供部门的名称")
    )
    consumer = serializers.CharField(source="consumer.name", help_text=_("使用部门的名称"))
    system = serializers.CharField(source="system.code", help_text=_("使用系统的编号"))
    items = ItemSerializer(source="requested_items", many=True, help_text=_("申请的数据项"))
    row_condition = serializers.JSONField(help_text=CONDITION_HELP)
    status_label = serializers.CharField(source="get_status_display", help_text=_("状态的名称"))
    applicant = serializers.CharField(source="applicant.name", help_text=_("经办人的姓名"))
    grant = serializers.IntegerField(
        source="grant_id", allow_null=True, help_text=_("授权的 id；尚无时为空")
    )
    grant_version = serializers.IntegerField(
        allow_null=True, help_text=_("形成的授权版本；尚未交付的为空")
    )
    urgency = UrgencySerializer(
        allow_null=True, default=None, help_text=_("列为急件时的要求；不是急件的为空")
    )
    package = serializers.IntegerField(
        source="package_id", allow_null=True, help_text=_("所属一件事申请的 id；单独提出的为空")
    )
    previous = serializers.IntegerField(
        source="previous_id",
        allow_null=True,
        help_text=_("据以重新申请的、被拒绝的申请的 id；不是重新申请的为空"),
    )

    offers = OfferSerializer(many=True, help_text=_("历次协商条件；没有协商过的为空"))
    allowed_addresses = serializers.ListField(
        child=serializers.CharField(), help_text=LIMIT_HELP["allowed_addresses"]
    )

    class Meta:
        model = SharingRequest
        extra_kwargs = LIMIT_KWARGS
        fields = (
            "id", "number", "dataset", "dataset_name", "provider", "consumer", "system",
            "basis", "scenario", "scope", "mode", "starts_on", "ends_on", "vouched", *LIMIT_FIELDS,
            "items", "row_condition", "status", "status_label", "applicant",
            "submitted_at", "received_at", "supplement_notice", "supplement_answer",
            "decided_at", "decision_reason", "legal_basis", "is_automatic", "delivered_at",
            "grant", "grant_version", "urgency", "offers", "package", "previous",
            "revision", "created_at", "updated_at",
        )  # fmt: skip


@extend_schema_serializer(examples=[examples.GRANT])
class GrantSerializer(serializers.ModelSerializer[Grant]):
    """What a system may read, and until when."""

    about: ClassVar[str | Promise] = _("授权：一个信息系统可以读什么、读到何时")

    request = serializers.CharField(source="request.number", help_text=_("所依据的申请编号"))
    dataset = serializers.CharField(source="dataset.code", help_text=_("目录代码"))
    dataset_name = serializers.CharField(source="dataset.name", help_text=_("目录名称"))
    provider = serializers.CharField(source="provider.name", help_text=_("提供部门的名称"))
    consumer = serializers.CharField(source="consumer.name", help_text=_("使用部门的名称"))
    system = serializers.CharField(source="system.code", help_text=_("使用系统的编号"))
    status_label = serializers.CharField(source="get_status_display", help_text=_("状态的名称"))
    columns = serializers.JSONField(help_text=_("授权数据项：[{name, mask}]"))
    service_changes = ServiceChangeSerializer(
        source="open_changes", many=True, help_text=_("办理中的服务变更，至多一件；没有的为空")
    )
    row_condition = serializers.JSONField(help_text=CONDITION_HELP)

    allowed_addresses = serializers.ListField(
        child=serializers.CharField(), help_text=LIMIT_HELP["allowed_addresses"]
    )

    class Meta:
        model = Grant
        extra_kwargs = LIMIT_KWARGS
        fields = (
            "id", "request", "dataset", "dataset_name", "provider", "consumer", "system",
            "version", "status", "status_label", "mode", "purpose", "columns", "row_condition",
            *LIMIT_FIELDS,
            "starts_at", "expires_at", "provisioned_at", "suspended_at", "suspension_reason",
            "rectify_by", "ended_at", "end_reason", "service_changes", "revision",
            "created_at", "updated_at",
        )  # fmt: skip


class LimitsInput(serializers.Serializer[Any]):
    calls_a_day = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, help_text=LIMIT_HELP["calls_a_day"]
    )
    rows_a_day = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, help_text=LIMIT_HELP["rows_a_day"]
    )
    calls_a_minute = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, help_text=LIMIT_HELP["calls_a_minute"]
    )
    allowed_addresses = serializers.ListField(
        child=serializers.CharField(), required=False, help_text=LIMIT_HELP["allowed_addresses"]
    )
    may_redistribute = serializers.BooleanField(
        required=False, help_text=LIMIT_HELP["may_redistribute"]
    )


class _Contents(LimitsInput):
    basis = serializers.CharField(
        required=False, allow_blank=True, help_text=_("使用依据；提交前必填")
    )
    scenario = serializers.CharField(
        required=False, allow_blank=True, help_text=_("使用场景；提交前必填")
    )
    scope = serializers.CharField(
        required=False, allow_blank=True, help_text=_("使用范围；提交前必填")
    )
    mode = serializers.ChoiceField(
        choices=Mode.choices, required=False, help_text=_("共享方式，不写为服务接口")
    )
    starts_on = serializers.DateField(
        required=False, allow_null=True, help_text=_("使用开始日期；提交前必填")
    )
    ends_on = serializers.DateField(
        required=False, allow_null=True, help_text=_("使用截止日期；提交前必填")
    )
    vouched = serializers.BooleanField(
        required=False, help_text=_("承诺申请真实、合法、必要；提交前须为 true")
    )
    items = serializers.DictField(
        child=serializers.CharField(allow_blank=True),
        required=False,
        help_text=_("列名 → 脱敏方式，空为明文"),
    )
    row_condition = serializers.ListField(
        child=serializers.DictField(), required=False, help_text=CONDITION_HELP
    )


@extend_schema_serializer(examples=[examples.DRAFT, examples.FROM_DEMAND])
class DraftInput(_Contents):
    """What a new request says; it may be completed before it is submitted."""

    about: ClassVar[str | Promise] = _("起草的内容；提交前可再补充")

    dataset = serializers.SlugRelatedField(
        slug_field="code", queryset=Dataset.objects.all(), help_text=_("目录代码，带 /")
    )
    system = serializers.SlugRelatedField(
        slug_field="code",
        queryset=InformationSystem.objects.all(),
        help_text=_("使用系统的编号，须是本部门在用的"),
    )
    demand = serializers.IntegerField(
        required=False,
        help_text=_(
            "由一件数据需求转来时，需求的 id；其余内容取自需求，不另给出，之后用 revise 修改"
        ),
    )


class MoveInput(serializers.Serializer[Any]):
    """What every move takes; `revision` is what the caller saw, another one is refused."""

    about: ClassVar[str | Promise] = _("每个动作都有的内容")

    reason = serializers.CharField(
        required=False, allow_blank=True, default="", help_text=_("理由；动作要求时必填")
    )
    revision = serializers.IntegerField(required=False, min_value=1, help_text=REVISION_HELP)


class ReviseInput(_Contents):
    revision = serializers.IntegerField(required=False, min_value=1, help_text=REVISION_HELP)


class OfferInput(LimitsInput, MoveInput):
    items = serializers.DictField(
        child=serializers.CharField(allow_blank=True),
        required=False,
        help_text=_("部分同意、协商时：列名 → 脱敏方式，空为明文"),
    )
    row_condition = serializers.ListField(
        child=serializers.DictField(), required=False, help_text=CONDITION_HELP
    )
    ends_on = serializers.DateField(required=False, help_text=_("部分同意、协商时：较早的截止日期"))
    mode = serializers.ChoiceField(
        choices=Mode.choices,
        required=False,
        help_text=_("部分同意、协商时：verify 为改作只供核验"),
    )


class OfferAnswerInput(serializers.Serializer[Any]):
    version = serializers.IntegerField(min_value=1, help_text=_("第几次协商"))
    reason = serializers.CharField(
        required=False, allow_blank=True, default="", help_text=_("说明；不接受、收回必填")
    )


class OpineInput(OfferInput):
    outcome = serializers.ChoiceField(
        choices=("agree", "narrow", "refuse"), help_text=_("处理意见：同意、部分同意、不予共享")
    )
    legal_basis = serializers.CharField(
        required=False, allow_blank=True, help_text=_("不予共享时必填：依据")
    )


class ProposeInput(OpineInput):
    missing_papers = serializers.CharField(
        required=False, allow_blank=True, help_text=_("急件可给出：事后补办的材料")
    )


class ExtendInput(serializers.Serializer[Any]):
    workdays = serializers.IntegerField(min_value=1, max_value=10, help_text=_("延长的工作日数"))
    reason = serializers.CharField(help_text=_("延期理由"))


class MarkUrgentInput(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=Urgency.Kind.choices, help_text=_("急件类型"))
    hours = serializers.IntegerField(
        min_value=1, max_value=LONGEST_HOURS, help_text=_("答复时限，小时")
    )
    reason = serializers.CharField(help_text=_("急件依据"))
    revision = serializers.IntegerField(required=False, min_value=1, help_text=REVISION_HELP)


class BackfillInput(serializers.Serializer[Any]):
    reason = serializers.CharField(help_text=_("补办了哪些材料"))


class ReviewUrgentInput(serializers.Serializer[Any]):
    justified = serializers.BooleanField(help_text=_("是否确属紧急"))
    reason = serializers.CharField(help_text=_("事后审查意见"))


class SuspendInput(MoveInput):
    rectify_by = serializers.DateField(required=False, help_text=_("暂停时：整改期限"))


class NarrowInput(LimitsInput, MoveInput):
    items = serializers.DictField(
        child=serializers.CharField(allow_blank=True),
        required=False,
        help_text=_("收窄时：保留的列名 → 脱敏方式，空为明文"),
    )
    row_condition = serializers.ListField(
        child=serializers.DictField(),
        required=False,
        help_text=_("收窄时：增加的数据范围条件：[{item, operator, value}]"),
    )
    mode = serializers.ChoiceField(
        choices=Mode.choices, required=False, help_text=_("收窄时：verify 为改作只供核验")
    )
    ends_on = serializers.DateField(required=False, help_text=_("收窄时：较早的截止日期"))


@extend_schema_serializer(examples=[*examples.GRANT_MOVES])
class GrantMoveShape(NarrowInput):
    """For readers: what all the moves of a grant take together."""

    about: ClassVar[str | Promise] = _("办理授权的内容；收窄的各项不给出的维持原样")

    rectify_by = serializers.DateField(required=False, help_text=_("暂停时：整改期限"))


@extend_schema_serializer(examples=[*examples.REQUEST_MOVES])
class RequestMoveShape(LimitsInput, MoveInput):
    """For readers: what all the moves of a request take together."""

    about: ClassVar[str | Promise] = _(
        "办理申请的内容。reason 除 extend 外都可给出；其余各项属于所注明的动作"
    )

    outcome = serializers.ChoiceField(
        choices=("agree", "narrow", "refuse"),
        required=False,
        help_text=_("propose、opine 必填：同意、部分同意、不予共享"),
    )
    legal_basis = serializers.CharField(
        required=False, allow_blank=True, help_text=_("propose、opine 且不予共享时必填：依据")
    )
    workdays = serializers.IntegerField(
        required=False, min_value=1, max_value=10, help_text=_("extend 必填：延长的工作日数")
    )
    kind = serializers.ChoiceField(
        choices=Urgency.Kind.choices, required=False, help_text=_("mark_urgent 必填：急件类型")
    )
    hours = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=LONGEST_HOURS,
        help_text=_("mark_urgent 必填：答复时限，小时"),
    )
    missing_papers = serializers.CharField(
        required=False, allow_blank=True, help_text=_("propose 且为急件：事后补办的材料")
    )
    justified = serializers.BooleanField(
        required=False, help_text=_("review_urgent 必填：是否确属紧急")
    )
    items = serializers.DictField(
        child=serializers.CharField(allow_blank=True),
        required=False,
        help_text=_("propose、opine、offer、revise：列名 → 脱敏方式，空为明文"),
    )
    row_condition = serializers.ListField(
        child=serializers.DictField(), required=False, help_text=CONDITION_HELP
    )
    version = serializers.IntegerField(
        required=False,
        min_value=1,
        help_text=_("accept_offer、decline_offer、retract_offer 必填：第几次协商"),
    )
    basis = serializers.CharField(required=False, help_text=_("revise：使用依据"))
    scenario = serializers.CharField(required=False, help_text=_("revise：使用场景"))
    scope = serializers.CharField(required=False, help_text=_("revise：使用范围"))
    mode = serializers.ChoiceField(
        choices=Mode.choices,
        required=False,
        help_text=_("revise：共享方式；propose、opine、offer：verify 为改作只供核验"),
    )
    starts_on = serializers.DateField(required=False, help_text=_("revise：使用开始日期"))
    ends_on = serializers.DateField(
        required=False, help_text=_("propose、opine、offer、revise：截止日期")
    )
    vouched = serializers.BooleanField(
        required=False, help_text=_("revise：承诺申请真实、合法、必要")
    )
