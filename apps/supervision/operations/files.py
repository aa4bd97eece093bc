"""Papers of a task and files that departments answer with."""

import hashlib
from datetime import datetime
from typing import Any, Final

from django.core.files.base import File
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core.errors import InvalidInput
from apps.supervision.models import TaskFile, TaskReturn, WorkTask

LARGEST_BYTES: Final = 20 * 1024 * 1024
TAKEN: Final = (
    *(".pdf", ".ofd", ".jpg", ".jpeg", ".png", ".doc", ".docx", ".wps"),
    *(".xls", ".xlsx", ".et", ".csv", ".txt", ".zip"),
)


def kept_file(
    *,
    task: WorkTask,
    title: str,
    file: File[Any],
    actor: User,
    at: datetime,
    task_return: TaskReturn | None = None,
) -> TaskFile:
    """Keep a file; who may was asked by the caller.

    Raises:
        InvalidInput: it is too large, empty, or of a kind that is not taken.
    """
    name = (file.name or "").rpartition("/")[2]
    if not file.size:
        raise InvalidInput(_("文件是空的"), field="file")
    if file.size > LARGEST_BYTES:
        raise InvalidInput(_("文件不能超过 20 MB"), code="too_large", field="file")
    if not name.lower().endswith(TAKEN):
        raise InvalidInput(
            _("文件须是文字处理、表格、PDF、OFD、图片或压缩文件"), code="unknown_type", field="file"
        )
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    kept = TaskFile(
        task=task,
        task_return=task_return,
        title=(title.strip() or name)[:200],
        sha256=digest.hexdigest(),
        size_bytes=file.size,
        added_by=actor,
        added_at=at,
    )
    kept.file = file
    kept.save()
    return kept
