"""Reach a status by real operations, never by assigning it."""

from datetime import datetime, timedelta
from typing import Any, Final

from apps.sharing import operations as sharing
from apps.sharing.models import Grant, SharingRequest
from tests.factories.sharing import Scene, period

STATUTE: Final = "《社会救助暂行办法》第五十八条"

WRITTEN: Final[dict[str, Any]] = {
    "basis": STATUTE,
    "scenario": "办理学生资助时核对家庭困难情况",
    "scope": "市教委学生资助管理中心",
    "mode": "interface",
    "vouched": True,
}


def draft(scene: Scene, at: datetime, **more: Any) -> SharingRequest:
    """A complete draft; `more`: items, row_condition, or other written fields."""
    return sharing.draft_request(
        dataset=scene.dataset,
        system=scene.system,
        actor=scene.consumer,
        at=at,
        **{**WRITTEN, **period(at), **more},
    )


def awaiting_head(scene: Scene, at: datetime, **more: Any) -> SharingRequest:
    return sharing.submit(request=draft(scene, at, **more), actor=scene.consumer, at=at)


def head_returned(scene: Scene, at: datetime, **more: Any) -> SharingRequest:
    request = awaiting_head(scene, at, **more)
    return sharing.return_by_head(
        request=request, actor=scene.consumer_head, at=at, reason="依据写明条款"
    )


def district_review(scene: Scene, at: datetime, **more: Any) -> SharingRequest:
    """The request of a district's department: its own authority looks at it first."""
    assert scene.district.department is not None
    consumer = scene.consumer_department
    consumer.region = scene.district.department.region
    consumer.save(update_fields=["region"])
    request = awaiting_head(scene, at, **more)
    return sharing.approve_by_head(request=request, actor=scene.consumer_head, at=at)


def form_check(scene: Scene, at: datetime, **more: Any) -> SharingRequest:
    request = awaiting_head(scene, at, **more)
    return sharing.approve_by_head(request=request, actor=scene.consumer_head, at=at)


def supplement(scene: Scene, at: datetime, **more: Any) -> SharingRequest:
    request = form_check(scene, at, **more)
    return sharing.ask_supplement(
        request=request, actor=scene.provider, at=at, reason="补充资助办法全文"
    )


def reviewing(scene: Scene, at: datetime, **more: Any) -> SharingRequest:
    request = form_check(scene, at, **more)
    return sharing.accept_form(request=request, actor=scene.provider, at=at)


def awaiting_second_review(
    scene: Scene, at: datetime, outcome: str = "agree", **more: Any
) -> SharingRequest:
    request = reviewing(scene, at, **more)
    words: dict[str, Any] = {}
    if outcome == "refuse":
        words = {"reason": "与申请用途无关", "legal_basis": STATUTE}
    return sharing.propose(request=request, outcome=outcome, actor=scene.provider, at=at, **words)


def confirmed(request: SharingRequest, scene: Scene, at: datetime) -> SharingRequest:
    """What was proposed, confirmed by a second person where that is due."""
    if request.status == "awaiting_second_review":
        sharing.confirm(request=request, actor=scene.second, at=at)
    return request


def awaiting_signature(
    scene: Scene, at: datetime, outcome: str = "agree", **more: Any
) -> SharingRequest:
    return confirmed(awaiting_second_review(scene, at, outcome, **more), scene, at)


def agreed(scene: Scene, at: datetime, **more: Any) -> SharingRequest:
    request = awaiting_signature(scene, at, **more)
    return sharing.agree(request=request, actor=scene.provider_head, at=at)


def refused(scene: Scene, at: datetime, **more: Any) -> SharingRequest:
    request = awaiting_signature(scene, at, outcome="refuse", **more)
    return sharing.refuse(request=request, actor=scene.provider_head, at=at)


def delivered(scene: Scene, at: datetime, **more: Any) -> SharingRequest:
    request = agreed(scene, at, **more)
    sharing.deliver(grant=request.grant, at=at)
    request.refresh_from_db()
    return request


def withdrawn(scene: Scene, at: datetime, **more: Any) -> SharingRequest:
    request = form_check(scene, at, **more)
    return sharing.withdraw(request=request, actor=scene.consumer, at=at, reason="项目取消")


REQUEST_STORIES: Final = {
    "draft": draft,
    "awaiting_head": awaiting_head,
    "head_returned": head_returned,
    "district_review": district_review,
    "form_check": form_check,
    "supplement": supplement,
    "reviewing": reviewing,
    "awaiting_second_review": awaiting_second_review,
    "awaiting_signature": awaiting_signature,
    "agreed": agreed,
    "delivered": delivered,
    "refused": refused,
    "withdrawn": withdrawn,
}


def request_in(status: str, scene: Scene, at: datetime, **more: Any) -> SharingRequest:
    """A request that came to the status by what people did."""
    request = REQUEST_STORIES[status](scene, at, **more)
    assert request.status == status
    return request


def grant_in(status: str, scene: Scene, at: datetime, **more: Any) -> Grant:
    """A grant that came to the status by what people and the platform did."""
    if status == "delivering":
        return agreed(scene, at, **more).grant
    grant = delivered(scene, at, **more).grant
    if status == "suspended":
        sharing.suspend(grant=grant, actor=scene.provider_head, at=at, reason="超范围使用")
    elif status == "ended":
        sharing.end(grant=grant, actor=scene.provider_head, at=at, reason="拒不整改")
    elif status == "expired":
        sharing.expire(grant=grant, at=grant.expires_at + timedelta(minutes=1))
    grant.refresh_from_db()
    assert grant.status == status
    return grant
