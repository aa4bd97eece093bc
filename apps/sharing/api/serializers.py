"""Requests and grants as the API shows and takes them; input and output are kept apart."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from apps.accounts.models import InformationSystem
from apps.catalog.models import Dataset
from apps.sharing.models import Grant, Mode, RequestedItem, SharingRequest

CONDITION_HELP = _("数据范围条件，逐条同时成立：[{item, operator, value}]")


class ItemSerializer(serializers.ModelSerializer[RequestedItem]):
    name = serializers.CharField(source="item.column_name")
    label = serializers.CharField(source="item.name")  # type: ignore[assignment]

    class Meta:
        model = RequestedItem
        fields = ("name", "label", "mask")


class RequestSerializer(serializers.ModelSerializer[SharingRequest]):
    """A sharing request as it stands."""

    dataset = serializers.CharField(source="dataset.code")
    dataset_name = serializers.CharField(source="dataset.name")
    provider = serializers.CharField(source="dataset.department.name")
    consumer = serializers.CharField(source="consumer.name")
    system = serializers.CharField(source="system.code")
    items = ItemSerializer(source="requested_items", many=True)
    row_condition = serializers.JSONField(help_text=CONDITION_HELP)
    status_label = serializers.CharField(source="get_status_display")
    applicant = serializers.CharField(source="applicant.name")
    grant = serializers.IntegerField(source="grant.id", allow_null=True, default=None)

    class Meta:
        model = SharingRequest
        fields = (
            "id", "number", "dataset", "dataset_name", "provider", "consumer", "system",
            "basis", "scenario", "scope", "mode", "starts_on", "ends_on", "vouched",
            "items", "row_condition", "status", "status_label", "applicant",
            "submitted_at", "received_at", "supplement_notice", "supplement_answer",
            "decided_at", "decision_reason", "legal_basis", "is_automatic", "delivered_at",
            "grant", "revision", "created_at", "updated_at",
        )  # fmt: skip


class GrantSerializer(serializers.ModelSerializer[Grant]):
    """What a system may read, and until when."""

    request = serializers.CharField(source="request.number")
    dataset = serializers.CharField(source="dataset.code")
    dataset_name = serializers.CharField(source="dataset.name")
    provider = serializers.CharField(source="provider.name")
    consumer = serializers.CharField(source="consumer.name")
    system = serializers.CharField(source="system.code")
    status_label = serializers.CharField(source="get_status_display")
    columns = serializers.JSONField(help_text=_("授权数据项：[{name, mask}]"))
    row_condition = serializers.JSONField(help_text=CONDITION_HELP)

    class Meta:
        model = Grant
        fields = (
            "id", "request", "dataset", "dataset_name", "provider", "consumer", "system",
            "version", "status", "status_label", "mode", "purpose", "columns", "row_condition",
            "starts_at", "expires_at", "provisioned_at", "suspended_at", "suspension_reason",
            "rectify_by", "ended_at", "end_reason", "revision", "created_at", "updated_at",
        )  # fmt: skip


class _Contents(serializers.Serializer[Any]):
    basis = serializers.CharField(required=False, allow_blank=True)
    scenario = serializers.CharField(required=False, allow_blank=True)
    scope = serializers.CharField(required=False, allow_blank=True)
    mode = serializers.ChoiceField(choices=Mode.choices, required=False)
    starts_on = serializers.DateField(required=False, allow_null=True)
    ends_on = serializers.DateField(required=False, allow_null=True)
    vouched = serializers.BooleanField(required=False)
    items = serializers.DictField(
        child=serializers.CharField(allow_blank=True),
        required=False,
        help_text=_("列名 → 脱敏方式，空为明文"),
    )
    row_condition = serializers.ListField(
        child=serializers.DictField(), required=False, help_text=CONDITION_HELP
    )


class DraftInput(_Contents):
    """What a new request says; it may be completed before it is submitted."""

    dataset = serializers.SlugRelatedField(slug_field="code", queryset=Dataset.objects.all())
    system = serializers.SlugRelatedField(
        slug_field="code", queryset=InformationSystem.objects.all()
    )


class MoveInput(serializers.Serializer[Any]):
    """What every move takes; `revision` is what the caller saw, another one is refused."""

    reason = serializers.CharField(required=False, allow_blank=True, default="")
    revision = serializers.IntegerField(required=False, min_value=1)


class ReviseInput(_Contents):
    revision = serializers.IntegerField(required=False, min_value=1)


class ProposeInput(MoveInput):
    outcome = serializers.ChoiceField(choices=("agree", "narrow", "refuse"))
    items = serializers.DictField(child=serializers.CharField(allow_blank=True), required=False)
    row_condition = serializers.ListField(child=serializers.DictField(), required=False)
    ends_on = serializers.DateField(required=False)
    legal_basis = serializers.CharField(required=False, allow_blank=True)


class ExtendInput(serializers.Serializer[Any]):
    workdays = serializers.IntegerField(min_value=1, max_value=10)
    reason = serializers.CharField()


class SuspendInput(MoveInput):
    rectify_by = serializers.DateField(required=False)
