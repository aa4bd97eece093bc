"""Reach a status of a demand by real operations, never by assigning it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from apps.catalog.models import Dataset, Demand
from apps.catalog.operations import demands
from tests.factories.catalog import PublishedDatasetFactory

REASON: Final = "理由写在这里"
PROMISED: Final = date(2026, 12, 1)
WRITTEN: Final[dict[str, Any]] = {
    "title": "困难群众救助对象信息",
    "scenario": "办理学生资助时核对家庭困难情况",
    "basis": "《社会救助暂行办法》第五十八条",
    "wanted_items": [
        {"name": "公民身份号码", "note": ""},
        {"name": "姓名", "note": ""},
        {"name": "救助类别", "note": "低保、特困"},
    ],
    "scope": "全市在册对象",
    "update_cycle": "monthly",
    "mode": "interface",
    "contact_name": "测试联系人",
    "contact_phone": "023-60000000",
}


@dataclass(frozen=True)
class Parties:
    """Who brings a demand through: the wanting department's, the authority's, the provider's."""

    editor: Any
    head: Any
    officer: Any
    provider: Any
    provider_head: Any


def draft(parties: Parties, at: datetime, **written: Any) -> Demand:
    return demands.draft(actor=parties.editor, at=at, **{**WRITTEN, **written})


def awaiting_head(parties: Parties, at: datetime, **written: Any) -> Demand:
    return demands.submit(demand=draft(parties, at, **written), actor=parties.editor, at=at)


def submitted(parties: Parties, at: datetime, **written: Any) -> Demand:
    return demands.approve(demand=awaiting_head(parties, at, **written), actor=parties.head, at=at)


def returned(parties: Parties, at: datetime, **written: Any) -> Demand:
    return demands.send_back(
        demand=submitted(parties, at, **written), actor=parties.officer, at=at, reason=REASON
    )


def forwarded(parties: Parties, at: datetime, **written: Any) -> Demand:
    return demands.forward(
        demand=submitted(parties, at, **written),
        provider=parties.provider.department,
        actor=parties.officer,
        at=at,
    )


def awaiting_signature(
    parties: Parties, at: datetime, proposal: str = "agree", **written: Any
) -> Demand:
    demand = forwarded(parties, at, **written)
    answers: dict[str, dict[str, Any]] = {
        "agree": {"outcome": "new_entry", "promised_on": PROMISED},
        "refuse": {"reason": REASON, "legal_basis": "《个人信息保护法》第三十四条"},
        "disown": {"reason": "应由市残联提供"},
    }
    return demands.propose(
        demand=demand, proposal=proposal, actor=parties.provider, at=at, **answers[proposal]
    )


def agreed(parties: Parties, at: datetime, **written: Any) -> Demand:
    return demands.agree(
        demand=awaiting_signature(parties, at, **written), actor=parties.provider_head, at=at
    )


def refused(parties: Parties, at: datetime, **written: Any) -> Demand:
    demand = awaiting_signature(parties, at, "refuse", **written)
    return demands.refuse(demand=demand, actor=parties.provider_head, at=at)


def entry_of(parties: Parties) -> Dataset:
    return PublishedDatasetFactory(department=parties.provider.department)


def fulfilled(parties: Parties, at: datetime, **written: Any) -> Demand:
    return demands.fulfil(
        demand=agreed(parties, at, **written),
        dataset=entry_of(parties),
        actor=parties.provider,
        at=at,
    )


def requested(parties: Parties, at: datetime, **written: Any) -> Demand:
    """Taken up; the request itself is `sharing`'s, which has tests of the whole."""
    return demands.take_up(
        demand=submitted(parties, at, **written),
        dataset=entry_of(parties),
        actor=parties.editor,
        at=at,
    )


def closed(parties: Parties, at: datetime, **written: Any) -> Demand:
    return demands.close(demand=fulfilled(parties, at, **written), actor=parties.editor, at=at)


def withdrawn(parties: Parties, at: datetime, **written: Any) -> Demand:
    return demands.withdraw(
        demand=forwarded(parties, at, **written), actor=parties.editor, at=at, reason=REASON
    )


STORIES: Final[dict[str, Callable[..., Demand]]] = {
    "draft": draft,
    "awaiting_head": awaiting_head,
    "returned": returned,
    "submitted": submitted,
    "forwarded": forwarded,
    "awaiting_signature": awaiting_signature,
    "agreed": agreed,
    "requested": requested,
    "fulfilled": fulfilled,
    "refused": refused,
    "closed": closed,
    "withdrawn": withdrawn,
}
