"""The steps of the editor, and in which of them a remark is mended."""

from collections.abc import Callable, Iterable
from typing import Final

from django.utils.translation import gettext_lazy

from apps.catalog.forms import RulesForm
from apps.catalog.validation import Remark

STEPS: Final = {
    "basics": gettext_lazy("基本情况"),
    "items": gettext_lazy("数据项"),
    "rules": gettext_lazy("共享和开放"),
    "assessments": gettext_lazy("评估"),
    "review": gettext_lazy("核对提交"),
}
STEP_OF: Final = {
    **dict.fromkeys(RulesForm.Meta.fields, "rules"),
    **dict.fromkeys(["items", "key_items"], "items"),
    "assessments": "assessments",
}
"""Where a remark on a field of the entry is mended; everything else is among the basics."""


def step_of(remark: Remark) -> str:
    return "items" if remark.item else STEP_OF.get(remark.field, "basics")


def with_steps(
    remarks: Iterable[Remark], url_of: Callable[[str], str] | None
) -> list[tuple[Remark, str]]:
    """Return each remark with the address where it is mended, "" for whoever may not."""
    return [(remark, url_of(step_of(remark)) if url_of else "") for remark in remarks]
