"""`/api/v1/batches/{id}/normalised`: which values normalising changed, and what they were."""

from typing import ClassVar

from django.http import StreamingHttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request

from apps.core import access
from apps.core.api import ScopedViewSet
from apps.core.errors import NotAllowed
from apps.core.openapi import refusals
from apps.warehouse.api import examples
from apps.warehouse.models import Batch, Normalisation
from apps.warehouse.rewritten_file import rewritten_lines


class NormalisationSerializer(serializers.ModelSerializer[Normalisation]):
    """What normalising changed of one column; the values stand in the batch's CSV."""

    about: ClassVar[str | Promise] = _("一个数据项中按目录规定统一了写法的值")

    label = serializers.CharField(  # type: ignore[assignment]  # a field's own label is a text
        help_text=_("数据项的中文名称")
    )
    ways = serializers.DictField(
        child=serializers.IntegerField(), help_text=_("做法 → 值的个数；一个值可能有几种")
    )

    class Meta:
        model = Normalisation
        fields = ("column", "label", "count", "ways")
        read_only_fields = fields


class NormalisedViewSet(ScopedViewSet):
    """The values of one batch that normalising changed."""

    queryset = Batch.objects.select_related("dataset", "file", "source", "version").all()
    serializer_class = NormalisationSerializer

    def perform_content_negotiation(
        self,
        request: Request,
        force: bool = False,  # noqa: FBT001, FBT002 (DRF's signature)
    ) -> tuple[BaseRenderer, str]:
        # The answer is a file, which DRF does not render.
        return JSONRenderer(), "application/json"

    @extend_schema(
        operation_id="batches_normalised",
        tags=["batches"],
        summary=_("统一了写法的值"),
        description=_("CSV：记录序号、数据项、列名、原值、入库的值；从保存的原始文件读出。"),
        examples=[examples.NORMALISED],
        responses={
            (200, "text/csv"): OpenApiTypes.BINARY,
            **refusals(
                {
                    400: ("file_discarded",),
                    403: ("not_allowed",),
                    404: ("not_found",),
                }
            ),
        },
    )
    def retrieve(self, request: Request, pk: int) -> StreamingHttpResponse:
        """Answer every value that normalising changed, as it was sent and as it was kept."""
        batch = self.find(pk=pk)
        if not access.allowed(request.user, "view_rejections", batch):
            raise NotAllowed
        response = StreamingHttpResponse(
            rewritten_lines(batch), content_type="text/csv; charset=utf-8"
        )
        response["Content-Disposition"] = f'attachment; filename="{batch}-normalised.csv"'
        return response
