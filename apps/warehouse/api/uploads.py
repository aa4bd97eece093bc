"""`/api/v1/uploads`: hand a large file in part by part, and go on after a break."""

from typing import Any, ClassVar

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    extend_schema_serializer,
    extend_schema_view,
)
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.catalog import queries as catalog
from apps.core.api import ScopedViewSet
from apps.core.errors import InvalidInput, NotFound
from apps.core.incoming import read_body
from apps.core.json_bodies import StrictJSONParser
from apps.core.openapi import refusals
from apps.warehouse import operations as warehouse
from apps.warehouse.api import examples
from apps.warehouse.api.batches import BodyLater
from apps.warehouse.api.serializers import BatchSerializer
from apps.warehouse.models import Batch, Upload
from apps.warehouse.operations.uploading import PART_LIMIT_BYTES


@extend_schema_serializer(examples=[examples.BEGIN_UPLOAD])
class UploadInput(serializers.Serializer[Any]):
    about: ClassVar[str | Promise] = _("要分片上传的文件")

    dataset = serializers.CharField(max_length=60, help_text=_("目录代码，以 - 代 /"))
    file_name = serializers.CharField(max_length=255, help_text=_("文件名"))
    size_bytes = serializers.IntegerField(min_value=0, help_text=_("文件大小，字节"))
    mode = serializers.ChoiceField(
        Batch.Mode.choices, default=Batch.Mode.UPSERT.value, help_text=_("入库方式")
    )
    declared = serializers.IntegerField(
        required=False, allow_null=True, min_value=0, help_text=_("申报条数；不符的不予入库")
    )
    sha256 = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=64,
        help_text=_("整个文件的 SHA-256，十六进制小写；传完时核对"),
    )
    fingerprint = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=200,
        help_text=_("文件特征，自定；同一来源同一特征没有传完的，再次开始时接着传"),
    )
    idempotency_key = serializers.CharField(
        required=False, allow_blank=True, max_length=200, help_text=_("传完后批次的批次号")
    )


@extend_schema_serializer(examples=[examples.UPLOAD])
class UploadSerializer(serializers.ModelSerializer[Upload]):
    about: ClassVar[str | Promise] = _("一个分片上传的文件的现状")

    dataset = serializers.CharField(
        source="dataset.dashed_code", read_only=True, help_text=_("目录代码，以 - 代 /")
    )
    received_bytes = serializers.IntegerField(
        read_only=True, help_text=_("已可靠收到的字节数；下一片从这里开始")
    )
    part_limit_bytes = serializers.SerializerMethodField(help_text=_("一片至多多少字节"))
    sha256 = serializers.CharField(
        read_only=True, help_text=_("开始时所说的 SHA-256；没有说的为空")
    )
    batch = serializers.IntegerField(
        source="batch_id", read_only=True, allow_null=True, help_text=_("传完后的批次 id")
    )

    class Meta:
        model = Upload
        fields = (
            "id", "dataset", "status", "file_name", "size_bytes", "received_bytes",
            "part_limit_bytes", "mode", "declared", "sha256", "fingerprint", "idempotency_key",
            "batch", "created_at", "last_part_at", "ended_at",
        )  # fmt: skip
        read_only_fields = fields

    def get_part_limit_bytes(self, upload: Upload) -> int:
        return PART_LIMIT_BYTES


ID = OpenApiParameter("id", int, OpenApiParameter.PATH, description=_("开始上传时给的 id"))
OFFSET = OpenApiParameter(
    "Upload-Offset",
    int,
    OpenApiParameter.HEADER,
    required=True,
    description=_("这一片的第一个字节在文件里的位置，从 0 数起"),
)
DIGEST = OpenApiParameter(
    "Content-Digest",
    str,
    OpenApiParameter.HEADER,
    required=True,
    description=_("这一片的 sha-256=:…:（RFC 9530），与收到的不符时不予接收"),
)


@extend_schema_view(
    list=extend_schema(
        operation_id="uploads_list",
        tags=["batches"],
        summary=_("分片上传列表"),
        description=_("本部门提供的目录的分片上传，新的在前。"),
        responses={
            200: UploadSerializer(many=True),
            **refusals({400: ("unknown_filter", "invalid_limit", "cursor_invalid")}),
        },
    ),
    retrieve=extend_schema(
        operation_id="uploads_read",
        tags=["batches"],
        summary=_("一个分片上传传到了哪里"),
        description=_("断线之后先看 received_bytes，从那里接着传。"),
        parameters=[ID],
        responses={200: UploadSerializer, **refusals({404: ("not_found",)})},
    ),
)
class UploadViewSet(ScopedViewSet):
    """Files on their way in; a system acts for the department it belongs to."""

    queryset = Upload.objects.select_related("dataset").all()
    serializer_class = UploadSerializer
    parser_classes = [StrictJSONParser, BodyLater]
    lookup_url_kwarg = "id"

    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(UploadSerializer(page, many=True).data)

    def retrieve(self, request: Request, id: int) -> Response:  # noqa: A002 (the address says id)
        return Response(UploadSerializer(self.find(pk=id)).data)

    @extend_schema(
        operation_id="uploads_begin",
        tags=["batches"],
        summary=_("开始分片上传"),
        description=_(
            "大文件分片提交，断线后接着传，隔几天也可以。先在这里说明文件，再逐片 PATCH，"
            "最后 finish。同一来源同一 fingerprint 没有传完的，返回原来的（200）。"
        ),
        request={"application/json": UploadInput},
        responses={
            201: UploadSerializer,
            200: OpenApiResponse(UploadSerializer, description=_("没有传完的同一文件，接着传")),
            **refusals(
                {
                    400: (
                        "invalid_input", "mode_unknown", "file_too_large", "digest_invalid",
                        "dataset_not_published", "idempotency_key_too_long",
                    ),
                    403: ("not_allowed",),
                    404: ("not_found",),
                    409: ("upload_conflict", "too_many_uploads"),
                }
            ),
        },
    )  # fmt: skip
    def begin(self, request: Request) -> Response:
        user: Any = request.user
        given = UploadInput(data=request.data)
        given.is_valid(raise_exception=True)
        facts = dict(given.validated_data)
        code = facts.pop("dataset").replace("-", "/")
        dataset = catalog.visible_to(user).filter(code=code).first()
        if dataset is None:
            raise NotFound
        at = timezone.now()
        upload = warehouse.begin_upload(dataset=dataset, actor=user, at=at, **facts)
        return Response(
            UploadSerializer(upload).data,
            status=201 if upload.created_at == at else 200,
            headers={"Location": reverse("api-upload", args=[upload.pk])},
        )

    @extend_schema(
        operation_id="uploads_part",
        tags=["batches"],
        summary=_("传一片"),
        description=_(
            "正文是文件从 Upload-Offset 起的一片，至多 16 MB。收下并存盘后才回答；没有收到回答的，"
            "再传同一片无妨。409 时按回答里的 received_bytes 接着传。"
        ),
        parameters=[ID, OFFSET, DIGEST],
        request={"application/octet-stream": OpenApiTypes.BINARY},
        examples=[examples.PART, examples.UPLOAD],
        responses={
            200: UploadSerializer,
            **refusals(
                {
                    400: (
                        "offset_invalid", "digest_invalid", "digest_mismatch", "upload_incomplete",
                        "part_too_large", "part_beyond_size",
                    ),
                    403: ("not_allowed",),
                    404: ("not_found",),
                    409: ("offset_mismatch", "illegal_move"),
                    411: ("length_required",),
                    413: ("file_too_large",),
                    507: ("storage_full",),
                }
            ),
        },
    )  # fmt: skip
    def part(self, request: Request, id: int) -> Response:  # noqa: A002
        """Take one part, which must bring the bytes and the digest that it announces."""
        user: Any = request.user
        upload = self.find(pk=id)
        http: HttpRequest = request._request  # noqa: SLF001 (an unread body)
        offset = http.headers.get("Upload-Offset", "")
        if not (offset.isascii() and offset.isdigit() and len(offset) < 16):
            raise InvalidInput(
                _("Upload-Offset 应为不小于 0 的整数"), code="offset_invalid", field="Upload-Offset"
            )
        if not http.headers.get("Content-Digest"):
            raise InvalidInput(
                _("每一片都要有 Content-Digest：sha-256=:…:（RFC 9530）"), code="digest_invalid"
            )
        body = read_body(http, limit=PART_LIMIT_BYTES)
        block = b"".join(iter(lambda: body.file.read(1 << 20), b""))
        upload = warehouse.receive_part(
            upload=upload, offset=int(offset), block=block, actor=user, at=timezone.now()
        )
        return Response(UploadSerializer(upload).data)

    @extend_schema(
        operation_id="uploads_finish",
        tags=["batches"],
        summary=_("传完，成为一个批次"),
        description=_("各片到齐后调用；文件排队入库，与一次提交的批次相同。重复调用返回同一批次。"),
        parameters=[ID],
        request=None,
        responses={
            202: BatchSerializer,
            **refusals(
                {
                    400: ("digest_mismatch", "dataset_not_published"),
                    403: ("not_allowed",),
                    404: ("not_found",),
                    409: ("upload_unfinished", "illegal_move", "idempotency_conflict"),
                    507: ("storage_full",),
                }
            ),
        },
    )
    def finish(self, request: Request, id: int) -> Response:  # noqa: A002
        user: Any = request.user
        batch = warehouse.finish_upload(upload=self.find(pk=id), actor=user, at=timezone.now())
        return Response(
            BatchSerializer(batch).data,
            status=202,
            headers={"Location": reverse("api-batch", args=[batch.pk])},
        )

    @extend_schema(
        operation_id="uploads_discard",
        tags=["batches"],
        summary=_("放弃上传"),
        description=_("没有传完的文件不再传，已收到的部分删除。14 天没有新的一片时自动放弃。"),
        parameters=[ID],
        responses={
            200: UploadSerializer,
            **refusals({403: ("not_allowed",), 404: ("not_found",), 409: ("illegal_move",)}),
        },
    )
    def discard(self, request: Request, id: int) -> Response:  # noqa: A002
        user: Any = request.user
        upload = warehouse.discard_upload(upload=self.find(pk=id), actor=user, at=timezone.now())
        return Response(UploadSerializer(upload).data)
