"""Bodies in JSON, read strictly: what no table can hold and no stack can bear is refused here."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

import orjson
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

from apps.core.errors import DomainError

LARGEST_BODY_BYTES: Final = 32 << 20
"""Room for a file of 20 MB in Base64; larger ones are handed in as bodies of their own."""


class BodyTooLarge(DomainError):
    code = "body_too_large"
    status: ClassVar[int] = 413
    default_message = _("正文过大，请分几次提交")


class StrictJSONParser(JSONParser):
    """JSON of RFC 8259, in UTF-8 whatever the head of the request says of its characters.

    Half of a pair of surrogates, which no UTF-8 has, a hundred thousand brackets and `NaN` are
    no JSON; Python's own reader takes them all.
    """

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        body = stream.read(LARGEST_BODY_BYTES + 1)
        if len(body) > LARGEST_BODY_BYTES:
            raise BodyTooLarge(limit=LARGEST_BODY_BYTES)
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise ParseError(str(error)) from None
