"""Writing and deciding on the screens: nothing typed is lost, one call to one operation."""

from datetime import datetime
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from apps.sharing import operations as sharing
from apps.sharing.models import SharingRequest
from tests import stories
from tests.factories.sharing import Scene


def signed_in(user: Any) -> Client:
    client = Client()
    client.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[1])
    return client


def test_a_request_is_written_step_by_step_and_sent_on(scene: Scene) -> None:
    client = signed_in(scene.consumer)
    found = client.get("/work/requests/new/", {"q": scene.dataset.name[:2]}).content.decode()
    assert f"?dataset={scene.dataset.pk}" in found
    begun = client.post(
        "/work/requests/new/", {"dataset": scene.dataset.pk, "system": scene.system.pk}
    )
    subject = SharingRequest.objects.get()
    at = f"/work/requests/{subject.pk}/edit"
    assert begun["Location"] == f"{at}/items/"
    page = client.post(
        f"{at}/items/",
        {
            "items": ["identity_number"],
            "mask-identity_number": "cover_identity",
            "revision": subject.revision,
        },
    )
    assert page["Location"] == f"{at}/purpose/"
    purpose = {
        "basis": "《社会救助暂行办法》第五十八条",
        "scenario": "资助资格核对",
        "scope": "资助中心",
        "mode": "interface",
        "starts_on": "2026-11-20",
        "ends_on": "2027-11-20",
    }
    assert client.post(f"{at}/purpose/", purpose)["Location"] == f"{at}/rows/"
    rows = {"item-0": "division_code", "operator-0": "eq", "value-0": "500103"}
    assert client.post(f"{at}/rows/", rows)["Location"] == f"{at}/papers/"
    assert client.post(f"{at}/papers/", {})["Location"] == f"{at}/review/"
    subject.refresh_from_db()
    assert subject.row_condition == [{"item": "division_code", "operator": "eq", "value": "500103"}]
    sent = client.post(f"{at}/review/", {"vouched": "on", "revision": subject.revision})
    assert sent["Location"] == f"/work/requests/{subject.pk}/"
    subject.refresh_from_db()
    assert (subject.status, subject.basis) == ("awaiting_head", purpose["basis"])
    assert [row.mask for row in subject.requested_items.all()] == ["cover_identity"]


def test_a_wrong_condition_keeps_every_line(scene: Scene, at: datetime) -> None:
    subject = stories.draft(scene, at)
    answer = signed_in(scene.consumer).post(
        f"/work/requests/{subject.pk}/edit/rows/",
        {
            "item-0": "division_code", "operator-0": "eq", "value-0": "500103",
            "item-1": "registered_on", "operator-1": "gte", "value-1": "去年",
        },
    )  # fmt: skip
    page = answer.content.decode()
    assert answer.status_code == 200
    assert 'value="500103"' in page
    assert 'value="去年"' in page
    assert "写法不对" in page
    subject.refresh_from_db()
    assert subject.row_condition == []


def test_another_line_loses_nothing(scene: Scene, at: datetime) -> None:
    subject = stories.draft(scene, at)
    page = (
        signed_in(scene.consumer)
        .post(
            f"/work/requests/{subject.pk}/edit/rows/",
            {"item-0": "division_code", "operator-0": "eq", "value-0": "500103", "add_line": "1"},
        )
        .content.decode()
    )
    assert 'value="500103"' in page
    assert 'name="item-1"' in page


def test_a_stale_page_is_refused_in_words_and_keeps_what_was_typed(
    scene: Scene, at: datetime
) -> None:
    subject = stories.reviewing(scene, at)
    seen = subject.revision
    client = signed_in(scene.provider)
    sharing.propose(request=subject, outcome="agree", actor=scene.provider, at=at)
    sharing.send_back_proposal(request=subject, actor=scene.provider_head, at=at, reason="补充意见")
    page = client.post(
        f"/work/requests/{subject.pk}/move/ask_supplement/",
        {"reason": "请补充业务办理依据的全文", "revision": seen},
    ).content.decode()
    assert "内容已被他人修改" in page
    assert "请补充业务办理依据的全文" in page
    subject.refresh_from_db()
    assert f'value="{subject.revision}"' in page
    assert subject.status == "reviewing"


def test_a_move_without_its_reason_says_so_at_the_field(scene: Scene, at: datetime) -> None:
    subject = stories.reviewing(scene, at)
    page = (
        signed_in(scene.provider)
        .post(f"/work/requests/{subject.pk}/move/ask_supplement/", {"revision": subject.revision})
        .content.decode()
    )
    assert "须填写理由" in page
    assert 'href="#id_reason"' in page


def test_the_provider_narrows_items_and_rows(scene: Scene, at: datetime) -> None:
    subject = stories.reviewing(scene, at, items=["identity_number", "name", "division_code"])
    answer = signed_in(scene.provider).post(
        f"/work/requests/{subject.pk}/propose/",
        {
            "outcome": "narrow",
            "items": ["identity_number", "division_code"],
            "mask-identity_number": "cover_identity",
            "item-0": "division_code", "operator-0": "eq", "value-0": "500103",
            "reason": "姓名与用途无关",
            "revision": subject.revision,
        },
    )  # fmt: skip
    assert answer.status_code == 302
    subject.refresh_from_db()
    decision = subject.decisions.get(outcome="narrow")
    assert subject.status == "awaiting_second_review"
    assert [entry["name"] for entry in decision.items] == ["identity_number", "division_code"]
    assert decision.row_condition[0]["value"] == "500103"


def test_a_refusal_needs_reason_and_basis_and_keeps_the_ticks(scene: Scene, at: datetime) -> None:
    subject = stories.reviewing(scene, at, items=["identity_number", "name"])
    page = (
        signed_in(scene.provider)
        .post(
            f"/work/requests/{subject.pk}/propose/",
            {"outcome": "refuse", "items": ["name"], "revision": subject.revision},
        )
        .content.decode()
    )
    assert "填写理由" in page
    assert "填写不予共享的依据" in page
    assert 'value="name" id="item-name" checked' in page
    assert 'value="identity_number" id="item-identity_number" checked' not in page


def test_the_head_signs_what_was_proposed(scene: Scene, at: datetime) -> None:
    subject = stories.awaiting_signature(scene, at)
    client = signed_in(scene.provider_head)
    path = f"/work/requests/{subject.pk}/move/agree/"
    assert "平台随即开通" in client.get(path).content.decode()
    answer = client.post(path, {"reason": "", "revision": subject.revision})
    assert answer["Location"] == f"/work/requests/{subject.pk}/"
    subject.refresh_from_db()
    assert subject.status == "agreed"


@pytest.mark.parametrize("name", ["agree", "refuse", "deliver", "no_such_move"])
def test_nobody_makes_a_move_that_is_not_his(scene: Scene, at: datetime, name: str) -> None:
    subject = stories.awaiting_signature(scene, at)
    answer = signed_in(scene.provider).post(
        f"/work/requests/{subject.pk}/move/{name}/", {"revision": subject.revision}
    )
    assert answer.status_code == (404 if name == "no_such_move" else 403)
    subject.refresh_from_db()
    assert subject.status == "awaiting_signature"


def test_more_time_is_asked_and_consented(scene: Scene, at: datetime) -> None:
    subject = stories.reviewing(scene, at)
    page = f"/work/requests/{subject.pk}/"
    assert (
        signed_in(scene.provider)
        .post(f"{page}extend/", {"workdays": 11, "reason": "数据量大"})
        .status_code
        == 200
    )
    assert (
        signed_in(scene.provider)
        .post(f"{page}extend/", {"workdays": 5, "reason": "数据量大"})
        .status_code
        == 302
    )
    extension = subject.extensions.get()
    officer = signed_in(scene.authority)
    assert f"{page}extensions/{extension.pk}/" in officer.get(page).content.decode()
    officer.post(f"{page}extensions/{extension.pk}/", {"consented": "yes", "remark": ""})
    extension.refresh_from_db()
    assert extension.consented is True


def test_a_scanned_letter_is_added_and_read_by_the_parties_only(
    scene: Scene, at: datetime, outsider: Any
) -> None:
    subject = stories.draft(scene, at)
    client = signed_in(scene.consumer)
    client.post(
        f"/work/requests/{subject.pk}/edit/papers/",
        {
            "add": "1", "kind": "letter", "title": "申请函", "document_number": "教函〔2026〕12号",
            "file": SimpleUploadedFile("letter.pdf", b"%PDF-1.7 letter"),
        },
    )  # fmt: skip
    paper = subject.attachments.get()
    path = f"/work/requests/{subject.pk}/papers/{paper.pk}/"
    answer = client.get(path)
    assert answer["Content-Disposition"].startswith("attachment")
    assert b"".join(answer.streaming_content) == b"%PDF-1.7 letter"  # type: ignore[attr-defined]
    for close in answer._resource_closers:  # type: ignore[attr-defined]  # closing the response would close the connection
        close()
    assert signed_in(outsider).get(path).status_code == 404


def test_the_wrong_kind_of_paper_is_refused_at_the_field(scene: Scene, at: datetime) -> None:
    subject = stories.draft(scene, at)
    page = (
        signed_in(scene.consumer)
        .post(
            f"/work/requests/{subject.pk}/edit/papers/",
            {
                "add": "1",
                "kind": "letter",
                "title": "申请函",
                "file": SimpleUploadedFile("letter.exe", b"MZ"),
            },
        )
        .content.decode()
    )
    assert "附件须是" in page
    assert 'value="申请函"' in page


def test_a_matter_goes_through_colleagues_before_the_head(scene: Scene, at: datetime) -> None:
    subject = stories.reviewing(scene, at)
    client = signed_in(scene.provider)
    page = f"/work/requests/{subject.pk}/"
    client.post(
        f"{page}route/",
        {"title_1": "业务处室", "person_1": scene.provider_head.pk, "title_2": "", "title_3": ""},
    )
    step = subject.route_steps.get()
    head = signed_in(scene.provider_head)
    assert f"{page}steps/{step.pk}/" in head.get(page).content.decode()
    head.post(f"{page}steps/{step.pk}/", {"action": "pass_step", "opinion": "同意"})
    step.refresh_from_db()
    assert (step.outcome, step.opinion) == ("passed", "同意")


def test_the_other_side_urges_who_owes_the_next_step(scene: Scene, at: datetime) -> None:
    subject = stories.reviewing(scene, at)
    client = signed_in(scene.consumer)
    page = client.get(f"/work/requests/{subject.pk}/").content.decode()
    assert "催办" in page
    assert (
        "催办"
        not in signed_in(scene.provider)
        .get(f"/work/requests/{subject.pk}/")
        .content.decode()
        .split("现在等谁")[1]
        .split("</section>")[0]
    )
