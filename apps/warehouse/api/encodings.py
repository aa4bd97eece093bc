"""The encoding of a file over the API: what the sender says it is, and what decided it."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema_field
from rest_framework import serializers

from apps.warehouse.landing.encodings import SAID
from apps.warehouse.models import Batch
from apps.warehouse.rejected_file import encoding_reason

ENCODING = OpenApiParameter(
    "encoding", str, enum=list(SAID), description=_("文本文件的编码；不写则自动判断")
)


@extend_schema_field(OpenApiTypes.STR)
class EncodingReasonField(serializers.Field[Batch, str, str, Any]):
    """What decided a batch's encoding, in words; empty before the file was read."""

    def __init__(self) -> None:
        super().__init__(source="*", read_only=True, help_text=_("编码是怎样判断的；未判断时为空"))

    def to_representation(self, value: Batch) -> str:
        return encoding_reason(value)
