"""Scanned letters and document numbers that go with a request."""

import hashlib
from datetime import datetime
from typing import Any, Final

from django.core.files.base import File
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core import access
from apps.core.errors import InvalidInput, required_text
from apps.ledger import operations as ledger
from apps.sharing.models import Attachment, SharingRequest
from apps.sharing.operations.attempts import attempt

LARGEST_ATTACHMENT_BYTES: Final = 20 * 1024 * 1024
ATTACHMENT_TYPES: Final = (".pdf", ".ofd", ".jpg", ".jpeg", ".png", ".doc", ".docx", ".wps")


@attempt("sharing.attach", "request")
def attach(
    *,
    request: SharingRequest,
    actor: User,
    at: datetime,
    title: str,
    kind: str = Attachment.Kind.LETTER,
    document_number: str = "",
    file: File[Any] | None = None,
) -> Attachment:
    """Add a scanned letter, or the number of a document, to a request.

    Raises:
        InvalidInput: neither a file nor a number; a file too large or of another type.
    """
    standing = access.require(actor, "attach", request, at=at)
    title = required_text(title, _("填写附件的标题"), field="title")
    if file is None and not document_number.strip():
        raise InvalidInput(_("上传扫描件，或者填写文号"), field="file")
    attachment = Attachment(
        request=request,
        kind=kind,
        title=title,
        document_number=document_number.strip(),
        added_by=actor,
        added_at=at,
    )
    if file is not None:
        attachment.sha256 = digest_of(file)
        attachment.file = file
    attachment.save()
    ledger.record(
        standing,
        "sharing.attach",
        request,
        at=at,
        details={"title": title, "number": attachment.document_number, "sha256": attachment.sha256},
    )
    return attachment


def digest_of(file: File[Any]) -> str:
    """Return the SHA-256 of a scanned paper.

    Raises:
        InvalidInput: it is too large, or of another type.
    """
    if (file.size or 0) > LARGEST_ATTACHMENT_BYTES:
        raise InvalidInput(_("附件不能超过 20 MB"), code="too_large", field="file")
    if not (file.name or "").lower().endswith(ATTACHMENT_TYPES):
        raise InvalidInput(
            _("附件须是 PDF、OFD、图片或文字处理文件"), code="unknown_type", field="file"
        )
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    return digest.hexdigest()
