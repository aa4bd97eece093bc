"""Batches and rejected records as programs read them."""

from typing import Any, ClassVar

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from apps.warehouse import queries
from apps.warehouse.api import examples
from apps.warehouse.api.encodings import EncodingReasonField
from apps.warehouse.api.normalised import NormalisationSerializer
from apps.warehouse.models import Batch, Rejection


class BalanceSerializer(serializers.ModelSerializer[Batch]):
    """declared = landed + changed + unchanged + duplicate + rejected; null before it is counted."""

    about: ClassVar[str | Promise] = _(
        "收支平衡，各项为记录条数：文件条数 = 新增 + 变更 + 无变化 + 文件内重复 + 未通过"
    )

    class Meta:
        model = Batch
        fields = (
            "declared", "landed", "changed", "unchanged", "duplicate", "rejected", "deleted",
        )  # fmt: skip
        read_only_fields = fields


@extend_schema_serializer(examples=[examples.BATCH])
class BatchSerializer(serializers.ModelSerializer[Batch]):
    """A batch as it stands; `code` and `message` say how it ended."""

    about: ClassVar[str | Promise] = _("一个归集批次的现状")

    number = serializers.CharField(
        source="__str__", read_only=True, help_text=_("批次编号，如 B-000001")
    )
    dataset = serializers.CharField(
        source="dataset.dashed_code", read_only=True, help_text=_("目录代码，以 - 代 /")
    )
    dataset_name = serializers.CharField(
        source="dataset.name", read_only=True, help_text=_("目录名称")
    )
    source = serializers.CharField(  # type: ignore[assignment]  # of the batch, not of the field
        source="source.username", read_only=True, help_text=_("提交的账号")
    )
    status_label = serializers.CharField(
        source="get_status_display", read_only=True, help_text=_("状态的名称")
    )
    is_finished = serializers.SerializerMethodField(help_text=_("是否处理完；否则稍后再查"))
    sha256 = serializers.CharField(
        source="file.sha256", read_only=True, help_text=_("收到的文件的 SHA-256，十六进制")
    )
    size_bytes = serializers.IntegerField(
        source="file.size_bytes", read_only=True, help_text=_("文件大小，字节")
    )
    encoding_reason = EncodingReasonField()
    balance = BalanceSerializer(source="*", read_only=True, help_text=_("收支平衡"))
    normalised = NormalisationSerializer(
        source="normalisations", many=True, read_only=True, help_text=_("统一了写法的值，按数据项")
    )
    code = serializers.CharField(
        source="message_code", read_only=True, help_text=_("未入库时的错误代码；入库则为空")
    )
    details = serializers.JSONField(read_only=True, help_text=_("与错误代码有关的事实"))
    mends = serializers.IntegerField(
        source="mends_id",
        read_only=True,
        allow_null=True,
        help_text=_("改正的是哪一批次未通过的记录；没有时为空"),
    )
    rejections = serializers.SerializerMethodField(help_text=_("未通过记录的地址；没有时为空"))

    class Meta:
        model = Batch
        fields = (
            "id", "number", "dataset", "dataset_name", "source", "mode", "status", "status_label",
            "is_finished", "stage", "progress_rows", "idempotency_key", "file_name", "sha256",
            "size_bytes", "encoding", "encoding_reason", "declared_by_source", "balance",
            "normalised", "horizon", "code", "message", "details", "rejections", "mends",
            "received_at", "started_at", "finished_at",
        )  # fmt: skip
        read_only_fields = fields

    def get_is_finished(self, batch: Batch) -> bool:
        return batch.status not in queries.OPEN

    def get_rejections(self, batch: Batch) -> str | None:
        if not (batch.rejected or batch.duplicate):
            return None
        return reverse("api-batch-rejections", args=[batch.pk])


class ReasonSerializer(serializers.Serializer[Any]):
    about: ClassVar[str | Promise] = _("一条记录未通过的一个原因")

    code = serializers.CharField(help_text=_("原因的代码"))
    column = serializers.CharField(help_text=_("列名；与整条记录有关时为空"))
    label = serializers.CharField(  # type: ignore[assignment]  # a field's own label is a text
        help_text=_("数据项的中文名称")
    )
    value = serializers.CharField(help_text=_("文件中的值，过长的截短"))
    message = serializers.CharField(help_text=_("说明"))


@extend_schema_serializer(examples=[examples.REJECTION])
class RejectionSerializer(serializers.ModelSerializer[Rejection]):
    """A record that did not land. `line` counts the file's lines from 1, the header's being 1."""

    about: ClassVar[str | Promise] = _("一条没有入库的记录")

    reasons = ReasonSerializer(many=True, help_text=_("全部原因"))

    class Meta:
        model = Rejection
        fields = ("record_number", "line", "kind", "reasons", "raw")
        read_only_fields = fields
