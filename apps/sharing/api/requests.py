"""`/api/v1/requests`: list, row, draft, and `POST /{id}/{move}`."""

from typing import Any, ClassVar

from django.db.models import Prefetch
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from apps.catalog.models import Demand
from apps.core import access
from apps.core.api import ScopedViewSet, checked
from apps.core.errors import InvalidInput, NotFound
from apps.core.openapi import refusals
from apps.sharing import operations as sharing
from apps.sharing import queries
from apps.sharing.api.serializers import (
    BackfillInput,
    DraftInput,
    ExtendInput,
    MarkUrgentInput,
    MoveInput,
    OfferAnswerInput,
    OfferInput,
    OpineInput,
    ProposeInput,
    RequestMoveShape,
    RequestSerializer,
    ReviewUrgentInput,
    ReviseInput,
)
from apps.sharing.models import SharingRequest

INPUTS: dict[str, type[Serializer[Any]]] = {
    "submit": MoveInput,
    "recall": MoveInput,
    "approve_by_head": MoveInput,
    "return_by_head": MoveInput,
    "pass_on": MoveInput,
    "return_by_district": MoveInput,
    "accept_form": MoveInput,
    "ask_supplement": MoveInput,
    "supplement": MoveInput,
    "propose": ProposeInput,
    "offer": OfferInput,
    "accept_offer": OfferAnswerInput,
    "decline_offer": OfferAnswerInput,
    "retract_offer": OfferAnswerInput,
    "confirm": MoveInput,
    "opine": OpineInput,
    "send_back_proposal": MoveInput,
    "retract_proposal": MoveInput,
    "mark_urgent": MarkUrgentInput,
    "backfill": BackfillInput,
    "review_urgent": ReviewUrgentInput,
    "sign": MoveInput,
    "extend": ExtendInput,
    "withdraw": MoveInput,
    "revise": ReviseInput,
}
STATUS = OpenApiParameter(
    "status",
    OpenApiTypes.STR,
    enum=SharingRequest.Status.values,
    description=_("只要这种状态的"),
)
MOVE = OpenApiParameter(
    "move",
    OpenApiTypes.STR,
    OpenApiParameter.PATH,
    enum=list(INPUTS),
    description=_("动作，见 docs/lifecycles.md"),
)
BAD_LIST = refusals({400: ("unknown_filter", "unknown_status", "invalid_limit", "cursor_invalid")})
NO_ROW = refusals({404: ("not_found",)})
REFUSALS = refusals(
    {
        400: (
            "invalid_input",
            "not_published",
            "not_shared",
            "own_dataset",
            "no_items",
            "unknown_item",
            "item_not_shared",
            "unknown_operator",
            "invalid_value",
            "unknown_code",
            "unknown_mask",
            "unfit_mask",
            "key_not_readable",
            "invalid_limit_of_use",
            "invalid_address",
            "not_narrower",
            "wider_than_asked",
            "narrower_than_agreed",
            "not_urgent",
            "not_sooner",
            "no_statute",
            "way_is_given",
            "asks_for_more",
            "head_must_supplement",
        ),
        403: (
            "not_allowed",
            "own_request",
            "own_proposal",
            "own_second_review",
            "own_order",
            "own_offer",
            "others_proposal",
            "already_submitted",
        ),
        404: ("not_found",),
        409: (
            "illegal_move",
            "stale_revision",
            "conflict",
            "already_asked",
            "grant_suspended",
            "supplement_asked",
            "already_extended",
            "no_signer_left",
            "second_review_due",
            "route_unfinished",
            "already_urgent",
            "urgent_request",
            "papers_missing",
            "papers_in",
            "already_reviewed",
            "no_added_conditions",
            "rows_are_given",
            "time_is_given",
            "offer_open",
            "no_offer",
            "offerer_gone",
            "offer_accepted",
            "already_handled",
            "blind_review",
            "not_blind",
        ),
    }
)

ASKING_REFUSALS = refusals(
    {
        400: (
            "invalid_input",
            "not_published",
            "not_shared",
            "own_dataset",
            "no_items",
            "not_a_district",
            "no_region_item",
            "no_region_code",
        ),
        403: ("not_allowed",),
        404: ("not_found",),
        409: ("illegal_move", "already_asked"),
    }
)
REQUESTS = (
    SharingRequest.objects.select_related(
        "dataset__department", "consumer", "system", "applicant", "urgency"
    )
    .prefetch_related("requested_items__item", Prefetch("offers", queries.dated_offers()))
    .all()
)


@extend_schema_view(
    list=extend_schema(
        operation_id="requests_list",
        tags=["requests"],
        parameters=[STATUS],
        responses={200: RequestSerializer(many=True), **BAD_LIST},
        summary=_("共享申请列表"),
        description=_("本部门提出的，和向本部门提出的。"),
    ),
    retrieve=extend_schema(
        operation_id="requests_read",
        tags=["requests"],
        responses={200: RequestSerializer, **NO_ROW},
        summary=_("一件共享申请"),
        description=_("申请的内容、状态和答复。"),
    ),
)
class RequestViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ScopedViewSet):
    """Sharing requests that the caller may see: those of his department, and those put to it."""

    queryset = REQUESTS
    serializer_class = RequestSerializer
    filters: ClassVar[dict[str, str]] = {"status": "status"}
    statuses = SharingRequest.Status.values

    @extend_schema(
        operation_id="requests_draft",
        tags=["requests"],
        request=DraftInput,
        responses={201: RequestSerializer, **REFUSALS},
        summary=_("起草共享申请"),
        description=_(
            "由本部门的人员登录后起草；起草后用 submit 提交本部门审批。"
            "给出 demand 的，把需求转为申请，需求随之由 take_up 转入已转共享申请。"
        ),
    )
    def create(self, request: Request) -> Response:
        given = checked(DraftInput, request)
        user: Any = request.user
        if "demand" in given:
            made = _from_demand(user, **given)
        else:
            made = sharing.draft_request(actor=user, at=timezone.now(), **given)
        return drafted(user, made)

    @extend_schema(
        operation_id="requests_ask_again",
        tags=["requests"],
        request=None,
        responses={201: RequestSerializer, **ASKING_REFUSALS},
        summary=_("据被拒绝的申请重新申请"),
        description=_(
            "由使用部门的经办人登录后办理，不带正文。返回新的申请草稿，内容取自被拒绝的申请，"
            "previous 是它的 id；已不共享的数据项、已过的日期不带过来，材料和承诺须重新填写。"
            "用 revise 修改后，用 submit 提交。同一系统对同一目录已有办理中的申请的，"
            "返回 already_asked。"
        ),
    )
    @action(detail=True, methods=["post"])
    def ask_again(self, request: Request, pk: int) -> Response:
        """Draft what was refused once more; the answer is the new request."""
        user: Any = request.user
        made = sharing.ask_again(request=self.find(pk=pk), actor=user, at=timezone.now())
        return drafted(user, made)

    @extend_schema(
        operation_id="requests_move",
        tags=["requests"],
        parameters=[MOVE],
        request=RequestMoveShape,
        responses={200: RequestSerializer, **REFUSALS},
        summary=_("办理共享申请"),
        description=_("做一个动作；各动作由谁做、从哪种状态做起，见 docs/lifecycles.md。"),
    )
    @action(detail=True, methods=["post"], url_path=r"(?P<move>[a-z_]+)", url_name="move")
    def move(self, request: Request, pk: int, move: str) -> Response:
        """Do one move; which fields it takes depends on the move, `reason` is common to all."""
        if move not in INPUTS:
            raise NotFound
        row = self.find(pk=pk)
        given = checked(INPUTS[move], request)
        getattr(sharing, move)(request=row, actor=request.user, at=timezone.now(), **given)
        return Response(RequestSerializer(self.find(pk=pk)).data)


def drafted(user: Any, made: SharingRequest) -> Response:
    """Answer with the draft that an operation made for the caller."""
    row = access.rows(user, "view", REQUESTS).get(pk=made.pk)
    return Response(RequestSerializer(row).data, status.HTTP_201_CREATED)


def _from_demand(user: Any, *, demand: int, **given: Any) -> SharingRequest:
    """Draft the request out of a demand that the caller sees.

    Raises:
        NotFound: he sees no such demand.
        InvalidInput: something is given that the demand says already.
    """
    found = access.rows(user, "view", Demand).filter(pk=demand).first()
    if found is None:
        raise NotFound
    beside = sorted(set(given) - {"dataset", "system"})
    if beside:
        raise InvalidInput(_("由需求转来的，其余内容取自需求，不另给出"), field=beside[0])
    return sharing.draft_request_from_demand(demand=found, actor=user, at=timezone.now(), **given)
