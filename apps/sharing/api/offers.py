"""A round of a negotiation as the API shows it."""

from typing import Any, ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from apps.sharing.api.wording import CONDITION_HELP, LIMIT_HELP, LIMIT_KWARGS
from apps.sharing.models import LIMIT_FIELDS, Offer


class OfferSerializer(serializers.ModelSerializer[Offer]):
    about: ClassVar[str | Promise] = _("一次协商条件：提供部门提出，使用部门答复")

    items = serializers.JSONField(help_text=_("数据项：[{name, label, mask}]"))
    row_condition = serializers.JSONField(help_text=CONDITION_HELP)
    allowed_addresses = serializers.ListField(
        child=serializers.CharField(), help_text=LIMIT_HELP["allowed_addresses"]
    )

    answer_due_on = serializers.DateField(help_text=_("答复截止日期"), label=_("答复截止日期"))

    class Meta:
        model = Offer
        fields = (
            "version", "status", "items", "row_condition", "mode", "starts_on", "ends_on",
            *LIMIT_FIELDS, "reason", "offered_at", "answer_due_on", "closing", "closed_at",
        )  # fmt: skip
        extra_kwargs: ClassVar[dict[str, Any]] = {
            **LIMIT_KWARGS,
            "version": {"help_text": _("第几次协商")},
            "closing": {"help_text": _("答复、收回或者失效的说明")},
        }
