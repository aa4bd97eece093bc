"""A change that a grant has ahead, as the API shows it to whoever prepares for it."""

from typing import Any, ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from apps.sharing.api.wording import CONDITION_HELP, LIMIT_HELP, LIMIT_KWARGS
from apps.sharing.models import LIMIT_FIELDS, ServiceChange


class ServiceChangeSerializer(serializers.ModelSerializer[ServiceChange]):
    about: ClassVar[str | Promise] = _("提供部门告知的服务变更，备案后到生效日期才变更")

    number = serializers.CharField(source="__str__", help_text=_("变更编号"))
    items = serializers.JSONField(help_text=_("变更后的数据项：[{name, label, mask}]"))
    row_condition = serializers.JSONField(help_text=CONDITION_HELP)
    allowed_addresses = serializers.ListField(
        child=serializers.CharField(), help_text=LIMIT_HELP["allowed_addresses"]
    )

    answer_due_on = serializers.DateField(
        source="due_on", help_text=_("答复截止日期"), label=_("答复截止日期")
    )

    class Meta:
        model = ServiceChange
        fields = (
            "number", "kind", "status", "effective_on", "reason", "answer_due_on",
            "items", "row_condition", "mode", "ends_on", *LIMIT_FIELDS,
        )  # fmt: skip
        extra_kwargs: ClassVar[dict[str, Any]] = {
            **LIMIT_KWARGS,
            "kind": {"help_text": _("narrow 收窄，stop 停止服务")},
            "ends_on": {"help_text": _("变更后的截止日期")},
        }
