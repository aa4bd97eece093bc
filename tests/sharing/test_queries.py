"""What lists show, and why a system can or cannot see something."""

from datetime import datetime, timedelta

import pytest

from apps.core.errors import InvalidInput
from apps.sharing import operations as sharing
from apps.sharing import queries
from tests import stories
from tests.factories.sharing import Scene, make_scene

pytestmark = pytest.mark.django_db


def test_everybody_finds_what_awaits_him(scene: Scene, at: datetime) -> None:
    expected = {
        "awaiting_head": scene.consumer_head,
        "head_returned": scene.consumer,
        "supplement": scene.consumer,
        "form_check": scene.provider,
        "reviewing": scene.provider,
        "awaiting_second_review": scene.second,
        "awaiting_signature": scene.provider_head,
    }
    for status, person in expected.items():
        other = make_scene()
        stories.request_in(status, other, at)
        request = stories.request_in(status, make_scene(), at)
        owed = {
            scene.consumer_head: request.consumer,
            scene.consumer: request.consumer,
            scene.provider: request.dataset.department,
            scene.second: request.dataset.department,
            scene.provider_head: request.dataset.department,
        }[person]
        role = "department_approver" if person in (scene.consumer_head, scene.provider_head) else ""
        holders = owed.users.filter(
            role_assignments__role=role or "department_editor", kind="person"
        ).order_by("pk")
        holder = holders[1 if person == scene.second else 0]
        assert list(queries.awaiting_my_decision(holder)) == [request]


def test_grants_in_force_are_those_one_can_read_under(scene: Scene, at: datetime) -> None:
    grant = stories.grant_in("in_force", scene, at)
    stories.grant_in("suspended", make_scene(), at)
    assert list(queries.grants_in_force(at)) == [grant]
    assert not queries.grants_in_force(grant.expires_at).exists()
    assert not queries.grants_in_force(at - timedelta(days=1)).exists()


def test_a_department_sees_what_it_asked_and_what_was_asked_of_it(
    scene: Scene, at: datetime
) -> None:
    request = stories.request_in("draft", scene, at)
    assert list(queries.requests_of_department(scene.consumer_department)) == [request]
    assert not queries.requests_to_department(scene.provider_department).exists()
    sharing.submit(request=request, actor=scene.consumer, at=at)
    sharing.approve_by_head(request=request, actor=scene.consumer_head, at=at)
    assert list(queries.requests_to_department(scene.provider_department)) == [request]
    assert not queries.requests_to_department(scene.consumer_department).exists()


class TestExplain:
    def test_without_a_grant_it_names_the_request(self, scene: Scene, at: datetime) -> None:
        (nothing,) = queries.explain(scene.system, scene.dataset, at)
        assert (nothing.ok, nothing.rule) == (False, "grant")
        request = stories.request_in("reviewing", scene, at)
        (pending,) = queries.explain(scene.system, scene.dataset, at)
        assert request.number in pending.sentence
        assert "审核中" in pending.sentence

    @pytest.mark.parametrize(
        ("status", "words"),
        [
            ("delivering", "正在交付"),
            ("suspended", "已暂停：超范围使用"),
            ("ended", "已终止：拒不整改"),
            ("expired", "已到期"),
        ],
    )
    def test_a_grant_that_is_not_in_force_says_so(
        self, scene: Scene, at: datetime, status: str, words: str
    ) -> None:
        grant = stories.grant_in(status, scene, at)
        (reason,) = queries.explain(scene.system, scene.dataset, at)
        assert (reason.ok, reason.rule, reason.grant) == (False, "status", grant)
        assert reason.sentence.endswith(words)

    def test_it_names_items_masks_and_rows(self, scene: Scene, at: datetime) -> None:
        stories.grant_in(
            "in_force",
            scene,
            at,
            items={"identity_number": "cover_identity", "name": ""},
            row_condition=[
                {"item": "division_code", "operator": "in", "value": ["500103", "500104"]},
                {"item": "amount", "operator": "gte", "value": "100.5"},
            ],
        )

        def told(**asked: object) -> list[tuple[bool, str]]:
            reasons = queries.explain(scene.system, scene.dataset, at, **asked)  # type: ignore[arg-type]
            return [(reason.ok, reason.rule) for reason in reasons][2:]

        assert told() == []
        assert told(item="name") == [(True, "item")]
        assert told(item="identity_number") == [(True, "item"), (True, "mask")]
        assert told(item="amount") == [(False, "item")]
        inside = {"division_code": "500103", "amount": "200"}
        assert told(row=inside) == [(True, "row"), (True, "row")]
        assert told(row={**inside, "division_code": "500112"}) == [(False, "row")]
        assert told(row={**inside, "amount": None}) == [(True, "row"), (False, "row")]
        with pytest.raises(InvalidInput):
            told(row={"division_code": "500103"})
        with pytest.raises(InvalidInput):
            told(item="no_such_item")
