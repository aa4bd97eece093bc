"""Requests for data of a level above: every move, who may, what is kept of the answers."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any, Final

import pytest
from django.urls import reverse

from apps.catalog.lifecycle import UPPER_REQUEST
from apps.catalog.models import UpperDataset, UpperRequest, UpperRequestStatus
from apps.catalog.operations import upper_requests
from apps.core import access
from apps.core.errors import IllegalMove, InvalidInput, NotAllowed, StaleRevision
from apps.ledger.models import Event, Notice
from apps.ledger.queries import open_todos_of
from tests.catalog.demand_stories import Parties
from tests.catalog.test_demand_views import signed_in
from tests.conftest import CAST
from tests.factories.catalog import PublishedDatasetFactory

WRITTEN: Final[dict[str, Any]] = {
    "scenario": "核对申请人婚姻状况",
    "basis": "《婚姻登记条例》",
    "items": "姓名、登记日期",
    "contact_name": "联系人",
    "contact_phone": "023-6000",
}
PATH: Final[dict[str, tuple[str, ...]]] = {
    "draft": (),
    "awaiting_head": ("submit",),
    "returned": ("submit", "approve", "send_back"),
    "filed": ("submit", "approve"),
    "forwarded": ("submit", "approve", "forward"),
    "agreed": ("submit", "approve", "forward", "agree"),
    "refused": ("submit", "approve", "forward", "refuse"),
    "delivered": ("submit", "approve", "forward", "agree", "deliver"),
    "closed": ("submit", "approve", "forward", "agree", "deliver", "close"),
    "withdrawn": ("withdraw",),
}
PAIRS = [
    (status, move.name) for status in UpperRequestStatus.values for move in UPPER_REQUEST.moves
]


def upper(at: datetime, **fields: Any) -> UpperDataset:
    made, _new = UpperDataset.objects.get_or_create(
        level="national", code="N-1", defaults={"name": "婚姻登记", "imported_at": at, **fields}
    )
    return made


def actor_of(name: str, request: UpperRequest, parties: Parties) -> Any:
    if name in ("submit", "withdraw", "close"):
        return parties.editor
    if name == "approve" or (name == "send_back" and request.status == "awaiting_head"):
        return parties.head
    return parties.officer


def do(name: str, request: UpperRequest, actor: Any, at: datetime) -> UpperRequest:
    words = {"reason": "理由"} if UPPER_REQUEST.move(name).reason else {}
    operation: Callable[..., UpperRequest] = getattr(upper_requests, name)
    return operation(request=request, actor=actor, at=at, **words)


def in_status(status: str, parties: Parties, at: datetime) -> UpperRequest:
    request = upper_requests.draft(upper_dataset=upper(at), actor=parties.editor, at=at, **WRITTEN)
    for name in PATH[status]:
        do(name, request, actor_of(name, request, parties), at)
    assert request.status == status
    return request


def picture(request: UpperRequest) -> Any:
    return (
        UpperRequest.objects.filter(pk=request.pk).values().get(),
        request.history.count(),
        Event.objects.filter(outcome="done").count(),
    )


@pytest.mark.parametrize(("status", "name"), PAIRS)
def test_it_moves_only_along_the_table(
    status: str, name: str, parties: Parties, at: datetime
) -> None:
    request = in_status(status, parties, at)
    before = picture(request)
    actor = actor_of(name, request, parties)
    if status in UPPER_REQUEST.move(name).sources:
        do(name, request, actor, at)
        after = picture(request)
        assert after[0]["status"] == UPPER_REQUEST.move(name).target
        assert after[1:] == (before[1] + 1, before[2] + 1)
        return
    with pytest.raises((IllegalMove, NotAllowed)):
        do(name, request, actor, at)
    assert picture(request) == before


EVERY: Final = frozenset(PATH)
FILED: Final = EVERY - {"draft", "awaiting_head", "withdrawn"}
MATRIX: Final[dict[str, dict[str, frozenset[str]]]] = {
    "view": {
        **dict.fromkeys(["consumer", "consumer_head"], EVERY),
        **dict.fromkeys(["authority", "authority_leader", "auditor"], FILED),
    },
    "submit": {"consumer": EVERY},
    "revise": {"consumer": frozenset({"draft", "returned"})},
    "approve": {"consumer_head": EVERY},
    "send_back": {
        "consumer_head": frozenset({"awaiting_head"}),
        "authority": frozenset({"filed"}),
    },
    **{name: {"authority": FILED} for name in ("forward", "agree", "refuse", "deliver")},
    **{name: {"consumer": EVERY, "consumer_head": EVERY} for name in ("withdraw", "close")},
}


@pytest.mark.parametrize("status", sorted(PATH))
def test_who_may_do_what(status: str, parties: Parties, cast: dict[str, Any], at: datetime) -> None:
    assert set(MATRIX) == set(access.actions_of(UpperRequest))
    request = in_status(status, parties, at)
    for action, admitted in MATRIX.items():
        expected = {who for who, statuses in admitted.items() if status in statuses}
        on_row = {who for who in CAST if access.allowed(cast[who], action, request, at=at)}
        in_list = {who for who in CAST if access.rows(cast[who], action, UpperRequest).exists()}
        assert (on_row, in_list) == (expected, expected), action


@pytest.mark.parametrize("name", sorted(move.name for move in UPPER_REQUEST.moves))
def test_who_may_not_is_refused_and_changes_nothing(
    name: str, parties: Parties, cast: dict[str, Any], at: datetime
) -> None:
    status = UPPER_REQUEST.move(name).sources[-1]
    request = in_status(status, parties, at)
    before = picture(request)
    for who in CAST:
        if status not in MATRIX[name].get(who, frozenset()):
            with pytest.raises(NotAllowed):
                do(name, UpperRequest.objects.get(pk=request.pk), cast[who], at)
            assert picture(request) == before, who


def test_only_editors_write_one_and_only_for_what_stands(
    parties: Parties, cast: dict[str, Any], at: datetime
) -> None:
    able = {who for who in CAST if access.able(cast[who], "create", UpperRequest, at=at)}
    assert able == {"provider", "consumer", "outsider"}
    gone = upper(at, is_standing=False)
    with pytest.raises(InvalidInput):
        upper_requests.draft(upper_dataset=gone, actor=parties.editor, at=at, **WRITTEN)
    with pytest.raises(NotAllowed):
        upper_requests.draft(upper_dataset=gone, actor=parties.head, at=at, **WRITTEN)
    assert not UpperRequest.objects.exists()


def test_what_was_returned_is_mended_and_sent_again(parties: Parties, at: datetime) -> None:
    request = in_status("returned", parties, at)
    before = picture(request)
    with pytest.raises(InvalidInput):
        upper_requests.revise(request=request, actor=parties.editor, at=at, scenario=" ")
    with pytest.raises(StaleRevision):
        upper_requests.revise(
            request=request, actor=parties.editor, at=at, revision=99, scenario="改过"
        )
    request.refresh_from_db()
    upper_requests.revise(request=request, actor=parties.editor, at=at, **WRITTEN)
    assert picture(request) == before, "what was written already is no change"
    client = signed_in(parties.editor)
    page = reverse("catalog:upper-request-edit", args=[request.pk])
    assert page in client.get(request.get_absolute_url()).content.decode()
    assert "理由" in client.get(page).content.decode(), "the remarks stand beside the form"
    words = {**WRITTEN, "scenario": "核对市外人员婚姻状况", "revision": request.revision}
    assert client.post(page, words).status_code == 302
    request.refresh_from_db()
    assert (request.scenario, request.status) == ("核对市外人员婚姻状况", "returned")
    event = Event.objects.filter(verb="catalog.revise_upper_request").get()
    assert event.details == {"changed": ["使用场景"]}
    stale = client.post(page, {**words, "scenario": "再改"})
    assert stale.status_code == 200
    assert "再改" in stale.content.decode(), "nothing typed is lost"
    upper_requests.submit(request=request, actor=parties.editor, at=at)
    assert client.get(page).status_code == 403
    assert signed_in(parties.provider).get(page).status_code == 404


def test_what_this_city_reported_leads_back_to_its_own_entry(
    parties: Parties, at: datetime
) -> None:
    own = PublishedDatasetFactory()
    subject = upper(at, our_code=own.code)
    client = signed_in(parties.editor)
    page = client.get(reverse("catalog:upper-entry", args=[subject.pk])).content.decode()
    assert f'class="button button--primary" href="{own.get_absolute_url()}"' in page
    found = client.get(reverse("catalog:upper"), {"source": "ours"}).context
    assert [row.pk for row in found["page"].rows] == [subject.pk]
    assert [chip.count for chip in found["chips"]] == [1, 0, 1]
    assert not client.get(reverse("catalog:upper"), {"source": "above"}).context["page"].rows


def test_what_the_level_above_said_is_kept(parties: Parties, at: datetime) -> None:
    request = in_status("filed", parties, at)
    told = date(2026, 11, 17)
    upper_requests.forward(
        request=request, actor=parties.officer, at=at, outside_number="国-88", outside_on=told
    )
    assert (request.outside_number, request.outside_on) == ("国-88", told)
    with pytest.raises(InvalidInput):
        upper_requests.agree(
            request=request,
            actor=parties.officer,
            at=at,
            outside_on=at.date() + timedelta(days=1),
        )
    upper_requests.agree(request=request, actor=parties.officer, at=at, reason="同意按季提供")
    assert (request.outside_status, request.outside_number) == ("同意按季提供", "国-88")
    assert Notice.objects.filter(recipient=parties.editor).exists()


def test_whoever_owes_the_next_step_has_a_todo(parties: Parties, at: datetime) -> None:
    assert open_todos_of(in_status("filed", parties, at)).get().department == (
        parties.officer.department
    )
    assert not open_todos_of(in_status("closed", parties, at)).exists()


def test_a_request_goes_the_whole_way_by_the_screens(parties: Parties, at: datetime) -> None:
    subject = upper(at)
    client = signed_in(parties.editor)
    assert "婚姻登记" in client.get(reverse("catalog:upper"), {"q": "婚姻"}).content.decode()
    assert client.get(reverse("catalog:upper-entry", args=[subject.pk])).status_code == 200
    assert client.post(reverse("catalog:upper-ask", args=[subject.pk]), WRITTEN).status_code == 302
    request = UpperRequest.objects.get()
    for name in PATH["closed"]:
        request.refresh_from_db()
        person = signed_in(actor_of(name, request, parties))
        url = reverse("catalog:upper-request-move", args=[request.pk, name])
        assert url in person.get(request.get_absolute_url()).content.decode()
        assert person.get(url).status_code == 200
        assert person.post(url, {"revision": request.revision}).status_code == 302, name
    request.refresh_from_db()
    assert request.status == "closed"
    stranger = signed_in(parties.provider)
    assert stranger.get(request.get_absolute_url()).status_code == 404
    assert stranger.get(reverse("catalog:upper-requests")).status_code == 200


def test_the_api_reads_what_the_screens_show(parties: Parties, at: datetime) -> None:
    request = in_status("agreed", parties, at)
    client = signed_in(parties.editor)
    (row,) = client.get("/api/v1/upper-requests").json()["results"]
    assert (row["number"], row["upper_code"]) == (request.number, "N-1")
    assert client.get(f"/api/v1/upper-requests/{request.pk}").json()["status"] == "agreed"
    assert len(client.get("/api/v1/upper-datasets?q=婚姻").json()["results"]) == 1
    assert client.get("/api/v1/upper-datasets?q=学籍").json()["results"] == []
    stranger = signed_in(parties.provider)
    assert stranger.get("/api/v1/upper-requests").json()["results"] == []
    assert stranger.get(f"/api/v1/upper-requests/{request.pk}").status_code == 404
    assert stranger.get("/api/v1/upward-packages").json()["results"] == []


def test_what_was_returned_is_changed_before_it_goes_again(parties: Parties, at: datetime) -> None:
    request = in_status("returned", parties, at)
    client = signed_in(parties.editor)
    url = reverse("catalog:upper-request-edit", args=[request.pk])
    assert url in client.get(request.get_absolute_url()).content.decode()
    assert request.remark in client.get(url).content.decode()
    given = {**WRITTEN, "basis": "《婚姻登记条例》第九条", "revision": request.revision}
    assert client.post(url, given).status_code == 302
    request.refresh_from_db()
    assert request.basis.endswith("第九条")
    assert request.history.latest().history_user == parties.editor
    assert "已被" in client.post(url, {**given, "basis": "旧页面"}).content.decode()
    before = picture(request)
    upper_requests.revise(request=request, actor=parties.editor, at=at, basis=request.basis)
    assert picture(request) == before, "no change leaves no trace"
    with pytest.raises(InvalidInput):
        upper_requests.revise(request=request, actor=parties.editor, at=at, scenario=" ")
    upper_requests.submit(request=request, actor=parties.editor, at=at)
    assert client.get(url).status_code == 403
    with pytest.raises(NotAllowed):
        upper_requests.revise(request=request, actor=parties.editor, at=at, basis="偷改")


def test_a_day_to_come_is_not_told_of_above(parties: Parties, at: datetime) -> None:
    request = in_status("filed", parties, at)
    with pytest.raises(InvalidInput):
        upper_requests.forward(
            request=request,
            actor=parties.officer,
            at=at,
            outside_on=at.date() + timedelta(days=1),
        )


def test_it_goes_the_whole_way_over_the_api(parties: Parties, at: datetime) -> None:
    def post(person: Any, end: str, **body: Any) -> Any:
        address = f"/api/v1/upper-requests{end}"
        return signed_in(person).post(address, body, content_type="application/json")

    body = {"upper_dataset": upper(at).pk, **WRITTEN}
    assert post(parties.head, "", **body).status_code == 403
    made = post(parties.editor, "", **body)
    assert (made.status_code, made.json()["status"]) == (201, "draft")
    own = f"/{made.json()['id']}"
    assert post(parties.editor, f"{own}/revise", items="姓名").json()["items"] == "姓名"
    assert post(parties.editor, f"{own}/submit").json()["status"] == "awaiting_head"
    assert post(parties.editor, f"{own}/revise", items="全部").status_code == 403
    assert post(parties.head, f"{own}/approve").json()["status"] == "filed"
    moved = post(parties.officer, f"{own}/forward", outside_number="国-88", reason="受理中").json()
    assert (moved["outside_number"], moved["outside_status"]) == ("国-88", "受理中")
    assert post(parties.officer, f"{own}/refuse").json()["code"] == "invalid_input"
    assert post(parties.officer, f"{own}/erase").status_code == 404
    assert post(parties.provider, f"{own}/close").status_code == 404
