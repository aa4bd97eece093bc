"""Terms kept ready for a dataset: who keeps them, what they fill in, that they grant nothing."""

from datetime import date, datetime
from typing import Any, Final

import pytest
from django.db import IntegrityError, transaction

from apps.core import access
from apps.core.errors import Conflict, DomainError, InvalidInput, NotAllowed, StaleRevision
from apps.ledger import queries as ledger
from apps.sharing import operations as sharing
from apps.sharing import queries
from apps.sharing.models import TermsTemplate
from tests import stories
from tests.factories.accounts import UserFactory
from tests.factories.sharing import Scene, make_scene
from tests.sharing.test_views_forms import signed_in

pytestmark = pytest.mark.django_db

DISTRICT: Final = {"item": "division_code", "operator": "eq", "value": "500103"}
LITTLE: Final = {"identity_number": "cover_identity", "name": "cover_name"}
CHECK: Final = {"identity_number": "", "name": ""}


def save(scene: Scene, at: datetime, **more: Any) -> TermsTemplate:
    written: dict[str, Any] = {"name": "只给姓名", "items": LITTLE, "actor": scene.provider}
    return sharing.save_template(dataset=scene.dataset, at=at, **{**written, **more})


class TestKeeping:
    def test_it_keeps_items_in_the_datasets_order_with_history_and_evidence(
        self, scene: Scene, at: datetime
    ) -> None:
        template = save(
            scene,
            at,
            items={"name": "cover_name", "identity_number": ""},
            row_condition=[DISTRICT],
            validity_months=6,
            calls_a_day=100,
            note=" 核对时用 ",
        )
        assert [entry["name"] for entry in template.items] == ["identity_number", "name"]
        assert (template.note, template.calls_a_day, template.revision) == ("核对时用", 100, 1)
        again = save(scene, at, template=template, items=LITTLE, revision=1)
        assert (again.pk, again.revision, again.calls_a_day) == (template.pk, 2, None)
        assert again.history.count() == 2
        assert len(ledger.trail(again)) == 2

    @pytest.mark.parametrize(
        ("more", "error"),
        [
            ({"name": "  "}, InvalidInput),
            ({"name": "长" * 41}, InvalidInput),
            ({"items": {}}, InvalidInput),
            ({"items": {"unknown": ""}}, InvalidInput),
            ({"items": {"name": "year_of_date"}}, InvalidInput),
            ({"items": LITTLE, "is_verify_only": True}, InvalidInput),
            ({"row_condition": [{**DISTRICT, "item": "x"}]}, InvalidInput),
            ({"validity_months": 37}, InvalidInput),
            ({"calls_a_day": 0}, InvalidInput),
            ({"allowed_addresses": ["anywhere"]}, InvalidInput),
        ],
    )
    def test_what_no_grant_could_be_is_refused_and_nothing_kept(
        self, scene: Scene, at: datetime, more: dict[str, Any], error: type[DomainError]
    ) -> None:
        with pytest.raises(error):
            save(scene, at, **more)
        assert not TermsTemplate.objects.exists()

    def test_a_name_is_taken_once_until_it_is_out_of_use(self, scene: Scene, at: datetime) -> None:
        first = save(scene, at)
        with pytest.raises(Conflict):
            save(scene, at)
        sharing.retire_template(template=first, actor=scene.provider_head, at=at)
        assert save(scene, at).pk != first.pk
        with pytest.raises(Conflict):
            save(scene, at, template=first, name="又一个")

    def test_one_is_recommended_and_a_stale_page_changes_nothing(
        self, scene: Scene, at: datetime
    ) -> None:
        first = save(scene, at, is_recommended=True)
        second = save(scene, at, name="核验", items=CHECK, is_verify_only=True, is_recommended=True)
        first.refresh_from_db()
        assert not first.is_recommended
        assert queries.recommended_for(scene.dataset) == second
        with pytest.raises(StaleRevision):
            save(scene, at, template=first, revision=1)
        first.refresh_from_db()
        assert first.revision == 2
        with pytest.raises(IntegrityError), transaction.atomic():
            TermsTemplate.objects.filter(pk=first.pk).update(is_recommended=True)

    @pytest.mark.parametrize(
        "person", ["consumer", "consumer_head", "authority", "colleague", "stranger"]
    )
    def test_only_the_providers_editors_and_heads_keep_them(
        self, scene: Scene, at: datetime, person: str
    ) -> None:
        template = save(scene, at)
        user: Any = getattr(scene, person, None) or UserFactory(
            department=scene.provider_department if person == "colleague" else None
        )
        with pytest.raises(NotAllowed):
            save(scene, at, actor=user, name="另一个")
        with pytest.raises(NotAllowed):
            sharing.retire_template(template=template, actor=user, at=at)
        template.refresh_from_db()
        assert (template.status, TermsTemplate.objects.count()) == ("in_use", 1)

    def test_a_consumer_sees_what_is_recommended_and_the_provider_all(
        self, scene: Scene, at: datetime
    ) -> None:
        hidden = save(scene, at)
        offered = save(scene, at, name="推荐", is_recommended=True)
        colleague = UserFactory(department=scene.provider_department)
        for person, expected in (
            (scene.consumer, {offered}),
            (colleague, {hidden, offered}),
            (scene.authority, {hidden, offered}),
        ):
            assert set(access.rows(person, "view", TermsTemplate)) == expected
        assert set(queries.templates_for(scene.dataset, scene.provider)) == {hidden, offered}


class TestFilling:
    def test_it_never_widens_what_was_asked(self, scene: Scene, at: datetime) -> None:
        request = stories.reviewing(
            scene,
            at,
            items={"identity_number": "cover_identity", "name": "", "amount": ""},
            row_condition=[DISTRICT],
            calls_a_day=50,
            rows_a_day=10,
        )
        template = save(
            scene,
            at,
            items={"identity_number": "", "name": "cover_name", "registered_on": ""},
            row_condition=[DISTRICT, {"item": "amount", "operator": "gte", "value": "100"}],
            validity_months=3,
            calls_a_day=100,
            calls_a_minute=5,
            may_redistribute=True,
        )
        asked = queries.asked_terms(request)
        assert asked is not None
        filled = queries.filled_from(template, asked)
        assert filled.items == {"identity_number": "cover_identity", "name": "cover_name"}
        assert [entry["item"] for entry in filled.added] == ["amount"]
        assert filled.ends_on == date(2027, 2, 18)
        assert filled.limits == {
            "calls_a_day": 50,
            "rows_a_day": 10,
            "calls_a_minute": 5,
            "allowed_addresses": [],
            "may_redistribute": False,
        }
        sharing.propose(
            request=request,
            outcome="narrow",
            actor=scene.provider,
            at=at,
            items=filled.items,
            row_condition=filled.added,
            ends_on=filled.ends_on,
            mode=filled.mode,
            reason="按模板",
            **filled.limits,
        )

    def test_one_click_fills_the_opinion_and_sends_nothing(
        self, scene: Scene, at: datetime
    ) -> None:
        request = stories.reviewing(scene, at, items={**CHECK, "amount": ""})
        template = save(scene, at, items=CHECK, is_verify_only=True, row_condition=[DISTRICT])
        client = signed_in(scene.provider)
        page = f"/work/requests/{request.pk}/propose/"
        assert "只给姓名" in client.get(page).content.decode()
        typed: dict[str, Any] = {
            "items": ["amount"],
            "item-0": "amount",
            "operator-0": "gte",
            "value-0": "5",
            "reason": "先写的",
            "revision": request.revision,
        }
        answer = client.post(page, {**typed, "fill_template": "1", "template": template.pk})
        request.refresh_from_db()
        assert request.status == "reviewing"
        form, lines = answer.context["form"], answer.context["lines"]
        assert (form["outcome"].value(), form["is_verify_only"].value()) == ("narrow", True)
        assert form["reason"].value() == "先写的\n按授权条款模板“只给姓名”。"
        assert [(line.item, line.value) for line in lines.filled] == [
            ("amount", "5"),
            ("division_code", "500103"),
        ]
        ticked = {row["name"] for row in answer.context["item_rows"] if row["ticked"]}
        assert ticked == set(CHECK)

    def test_another_datasets_template_is_not_to_be_had(self, scene: Scene, at: datetime) -> None:
        request = stories.reviewing(scene, at)
        other = make_scene()
        template = save(other, at)
        page = f"/work/requests/{request.pk}/propose/"
        for chosen in (template.pk, "", "x", "9" * 30):
            posted = {"fill_template": "1", "template": chosen}
            assert signed_in(scene.provider).post(page, posted).status_code == 404


class TestPages:
    def test_a_template_is_written_changed_and_put_out_of_use(
        self, scene: Scene, at: datetime
    ) -> None:
        client = signed_in(scene.provider)
        listed = client.get("/work/terms-templates/", {"dataset": scene.dataset.pk})
        assert f"/terms-templates/new/{scene.dataset.pk}/" in listed.content.decode()
        new = f"/work/terms-templates/new/{scene.dataset.pk}/"
        posted = {"name": "资助", "items": ["name"], "mask-name": "cover_name", "calls_a_day": "9"}
        assert client.post(new, {**posted, "name": ""}).status_code == 200
        assert client.post(new, {**posted, "add_line": "1"}).status_code == 200
        assert not TermsTemplate.objects.exists()
        assert client.post(new, {**posted, "is_recommended": "on"}).status_code == 302
        template = TermsTemplate.objects.get()
        page = f"/work/terms-templates/{template.pk}/"
        shown = client.get(page).context["form"]
        assert (shown["name"].value(), shown["calls_a_day"].value()) == ("资助", 9)
        assert client.post(page, {**posted, "revision": 1, "calls_a_day": ""}).status_code == 302
        template.refresh_from_db()
        assert (template.calls_a_day, template.is_recommended, template.revision) == (
            None,
            False,
            2,
        )
        assert client.get(f"{page}retire/").status_code == 405
        assert client.post(f"{page}retire/").status_code == 302
        template.refresh_from_db()
        assert template.status == "retired"
        assert "<form" not in client.get(page).content.decode().split("<main")[1]

    def test_others_do_not_get_in(self, scene: Scene, at: datetime) -> None:
        template = save(scene, at)
        client = signed_in(scene.consumer)
        assert client.get(f"/work/terms-templates/{template.pk}/").status_code == 404
        assert client.get(f"/work/terms-templates/new/{scene.dataset.pk}/").status_code == 404
        assert client.post(f"/work/terms-templates/{template.pk}/retire/").status_code == 404
        template.refresh_from_db()
        assert template.status == "in_use"

    def test_whoever_drafts_is_shown_the_recommended_one_and_may_tick_it(
        self, scene: Scene, at: datetime
    ) -> None:
        request = stories.draft(scene, at, items={"amount": ""})
        save(scene, at)
        client = signed_in(scene.consumer)
        page = f"/work/requests/{request.pk}/edit/items/"
        assert "提供部门推荐的条款" not in client.get(page).content.decode()
        save(scene, at, name="推荐的", is_recommended=True)
        answer = client.get(page, {"recommended": "1"})
        assert "提供部门推荐的条款" in answer.content.decode()
        rows = answer.context["form"].rows
        chosen = {row["item"].column_name: row["mask"] for row in rows if row["ticked"]}
        assert chosen == LITTLE
        assert request.requested_items.count() == 1  # nothing is saved by looking

    def test_the_authority_looks_at_it_in_the_administration_and_changes_nothing(
        self, scene: Scene, at: datetime
    ) -> None:
        template = save(scene, at)
        client = signed_in(scene.authority)
        listed = client.get("/admin/sharing/termstemplate/")
        assert "只给姓名" in listed.content.decode()
        page = f"/admin/sharing/termstemplate/{template.pk}/change/"
        assert "姓名遮盖" in client.get(page).content.decode()
        assert client.post(page, {"name": "另一个"}).status_code == 403
        template.refresh_from_db()
        assert template.name == "只给姓名"
