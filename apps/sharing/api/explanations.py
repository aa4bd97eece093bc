"""`GET /api/v1/explanations`: whether a system can read, and by which rules."""

from typing import Any, ClassVar, Final

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.core.errors import InvalidInput, NotFound
from apps.core.openapi import refusals, shown
from apps.sharing import operations as sharing
from apps.sharing.queries import explained
from apps.sharing.queries.explained import Explanation
from apps.sharing.queries.explanation import RULES, Reason

KNOWN: Final = frozenset({"system", "dataset", "item", "row_id"})
KEY: Final = "key."
PARAMETERS: Final = [
    OpenApiParameter(
        "system", OpenApiTypes.STR, required=True, description=_("信息系统的编码，如 S-0001")
    ),
    OpenApiParameter(
        "dataset",
        OpenApiTypes.STR,
        required=True,
        description=_("目录代码，/ 也可以写作 -"),
    ),
    OpenApiParameter("item", OpenApiTypes.STR, description=_("数据项的列名；不写为不限")),
    OpenApiParameter(
        "row_id",
        OpenApiTypes.INT64,
        description=_(
            "记录的 _id。也可以按主键指明记录，写作 key.列名，主键各列写全；两种只给一种"
        ),
    ),
]


class ExplainedRuleSerializer(serializers.Serializer[Any]):
    about: ClassVar[str | Promise] = _("核对的一条规则")

    ok = serializers.BooleanField(help_text=_("这条规则是否允许"))
    rule = serializers.ChoiceField(choices=list(RULES), help_text=_("规则的代码"))
    name = serializers.CharField(help_text=_("规则的名称"))
    sentence = serializers.CharField(help_text=_("理由，可直接显示"))
    grant = serializers.IntegerField(allow_null=True, help_text=_("授权的 id；没有授权时为空"))
    version = serializers.IntegerField(
        allow_null=True, help_text=_("授权条件的版本；不由授权条件决定的为空")
    )
    since = serializers.DateTimeField(allow_null=True, help_text=_("从何时起如此；不详时为空"))


@extend_schema_serializer(
    examples=[
        shown(
            "explanation",
            "生效的授权不含所问的数据项",
            {
                "system": "S-0001",
                "dataset": "307027/000001",
                "item": "phone",
                "at": "2026-11-28T10:50:00+08:00",
                "may_read": False,
                "may_verify": False,
                "reasons": [
                    {
                        "ok": True,
                        "rule": "status",
                        "name": "授权状态",
                        "sentence": "授权 G-000014 生效",
                        "grant": 14,
                        "version": None,
                        "since": "2026-10-08T09:00:00+08:00",
                    },
                    {
                        "ok": False,
                        "rule": "item",
                        "name": "授权数据项",
                        "sentence": "授权不含数据项“联系电话”",
                        "grant": 14,
                        "version": 2,
                        "since": "2026-11-02T15:20:00+08:00",
                    },
                ],
            },
        )
    ]
)
class ExplanationSerializer(serializers.Serializer[Any]):
    about: ClassVar[str | Promise] = _("现在能不能读，按哪些规则")

    system = serializers.CharField(help_text=_("信息系统的编码"))
    dataset = serializers.CharField(help_text=_("目录代码"))
    item = serializers.CharField(allow_blank=True, help_text=_("数据项的列名；不限时为空"))
    at = serializers.DateTimeField(help_text=_("查问的时间"))
    may_read = serializers.BooleanField(help_text=_("能不能读"))
    may_verify = serializers.BooleanField(help_text=_("能不能核验"))
    reasons = ExplainedRuleSerializer(
        many=True, help_text=_("依次核对的规则，到第一条拒绝的为止；最后一条是结论")
    )


class ExplanationView(APIView):
    """Why a system can, or cannot, read an entry, an item of it, a record."""

    @extend_schema(
        operation_id="explanations_read",
        tags=["grants"],
        parameters=PARAMETERS,
        responses={
            200: ExplanationSerializer,
            **refusals(
                {
                    400: (
                        "unknown_filter",
                        "unknown_item",
                        "key_incomplete",
                        "key_not_readable",
                        "invalid_value",
                    ),
                    403: ("not_allowed",),
                    404: ("not_found",),
                }
            ),
        },
        summary=_("能不能读，为什么"),
        description=_(
            "使用部门问本部门的系统，提供部门问本部门的目录，监督部门问全部；信息系统问自己。"
            "问一条记录须人员登录，只回答能不能读，不给出内容，每次都留下记录；"
            "对使用部门，不存在和不在授权范围内的记录回答相同。"
        ),
    )
    def get(self, request: Request) -> Response:
        """Answer by the rules, in their order."""
        given = request.query_params.dict()
        _refuse_unknown(given)
        return Response(_shown(_answered(request.user, given)))


def _answered(user: Any, given: dict[str, str]) -> Explanation:
    at = timezone.now()
    system = explained.systems_to_ask_about(user, at).filter(code=given.get("system", "")).first()
    if system is None:
        raise NotFound(field="system")
    code = given.get("dataset", "").replace("-", "/")
    dataset = explained.entries_to_ask_about(user, at).filter(code=code).first()
    if dataset is None:
        raise NotFound(field="dataset")
    item, row_id = given.get("item", ""), given.get("row_id", "")
    key = {name.removeprefix(KEY): value for name, value in given.items() if name.startswith(KEY)}
    if not row_id and not key:
        return explained.explained_to(user, system, dataset, at, item)
    return sharing.explain_record(
        system=system, dataset=dataset, actor=user, at=at, item=item, row_id=row_id, key=key
    )


def _refuse_unknown(given: dict[str, str]) -> None:
    wrong = sorted(name for name in given if name not in KNOWN and not name.startswith(KEY))
    if wrong:
        raise InvalidInput(
            _("没有筛选条件“%(name)s”") % {"name": wrong[0][:80]},
            code="unknown_filter",
            field=wrong[0][:80],
        )


def _shown(answer: Explanation) -> dict[str, Any]:
    return {
        "system": answer.system.code,
        "dataset": answer.dataset.code,
        "item": answer.item,
        "at": timezone.localtime(answer.at),
        "may_read": answer.may_read,
        "may_verify": answer.may_verify,
        "reasons": [_line(reason) for reason in answer.reasons],
    }


def _line(reason: Reason) -> dict[str, Any]:
    return {
        "ok": reason.ok,
        "rule": reason.rule,
        "name": reason.name,
        "sentence": reason.sentence,
        "grant": reason.grant.pk if reason.grant else None,
        "version": reason.version,
        "since": timezone.localtime(reason.since) if reason.since else None,
    }
