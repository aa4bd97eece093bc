"""One application for a matter: written once, a request per entry, one page for the whole."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, Final

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from apps.accounts import operations as accounts
from apps.catalog.models import Dataset
from apps.core import access
from apps.core.errors import Conflict, DomainError, InvalidInput, NotAllowed, StaleRevision
from apps.ledger import queries as ledger
from apps.ledger.models import Event
from apps.sharing import operations as sharing
from apps.sharing import queries
from apps.sharing.models import Attachment, BasketEntry, RequestPackage, SharingRequest
from tests import stories
from tests.conftest import CAST
from tests.factories.accounts import DepartmentFactory, InformationSystemFactory, UserFactory
from tests.factories.catalog import DatasetFactory, PublishedDatasetFactory
from tests.factories.sharing import Scene, make_scene, period
from tests.sharing.fingerprint import fingerprint
from tests.sharing.test_concurrency import at_once
from tests.sharing.test_views_forms import signed_in

pytestmark = pytest.mark.django_db

TITLE: Final = "义务教育入学一件事"
COMMON: Final = {name: stories.WRITTEN[name] for name in ("basis", "scenario", "scope", "mode")}


@pytest.fixture
def others(scene: Scene) -> Sequence[Dataset]:
    """Two more entries, of two more departments."""
    return [PublishedDatasetFactory(department=DepartmentFactory()) for _number in range(2)]


def drafted(scene: Scene, at: datetime, others: Sequence[Dataset], **more: Any) -> RequestPackage:
    arguments: dict[str, Any] = {
        "title": TITLE,
        "system": scene.system,
        "datasets": [scene.dataset, *others],
        "actor": scene.consumer,
        "at": at,
        **COMMON,
        **period(at),
    }
    return sharing.draft_package(**{**arguments, **more})


def filled(scene: Scene, at: datetime, others: Sequence[Dataset], **more: Any) -> RequestPackage:
    package = drafted(scene, at, others, **more)
    for part in package.parts.all():
        sharing.revise(request=part, actor=scene.consumer, at=at, items=["name"])
    return package


def submitted(scene: Scene, at: datetime, others: Sequence[Dataset]) -> RequestPackage:
    package = filled(scene, at, others)
    return sharing.submit_package(package=package, vouched=True, actor=scene.consumer, at=at)


def received(scene: Scene, at: datetime, others: Sequence[Dataset]) -> RequestPackage:
    package = submitted(scene, at, others)
    answers = sharing.act_together(
        requests=package.parts.all(), act="approve_by_head", actor=scene.consumer_head, at=at
    )
    assert [answer.error for answer in answers] == [None] * len(answers)
    return package


def statuses(package: RequestPackage) -> list[str]:
    return list(package.parts.order_by("pk").values_list("status", flat=True))


def refused(operate: Callable[[], Any], kind: type[DomainError], code: str = "") -> DomainError:
    """The operation is refused, and nothing is changed by it but the evidence of the attempt."""
    before = fingerprint()
    with pytest.raises(kind) as caught:
        operate()
    assert fingerprint() == before
    if code:
        assert caught.value.code == code
    return caught.value


class TestDrafting:
    def test_it_begins_a_request_for_each_entry_with_what_they_have_in_common(
        self, scene: Scene, at: datetime, others: Sequence[Dataset]
    ) -> None:
        package = drafted(scene, at, others)
        assert package.number == f"YJ-2026-{package.pk:06d}"
        parts = list(package.parts.order_by("pk"))
        assert [part.dataset for part in parts] == [scene.dataset, *others]
        for part in parts:
            assert (part.status, part.system, part.consumer) == (
                "draft",
                scene.system,
                scene.consumer_department,
            )
            assert (part.basis, part.scope, part.vouched) == (
                COMMON["basis"],
                COMMON["scope"],
                False,
            )
            assert not part.requested_items.exists()
            assert [entry.event.verb for entry in ledger.trail(part)] == ["sharing.draft_request"]
        assert [entry.event.verb for entry in ledger.trail(package)] == ["sharing.draft_package"]

    def test_it_takes_what_is_asked_for_out_of_the_basket(
        self, scene: Scene, at: datetime, others: Sequence[Dataset]
    ) -> None:
        for dataset in (scene.dataset, *others):
            sharing.put_in_basket(dataset=dataset, actor=scene.consumer, at=at)
        drafted(scene, at, others[:1])
        assert [entry.dataset for entry in queries.basket_of(scene.consumer)] == others[1:]

    @pytest.mark.parametrize(
        ("more", "kind"),
        [
            ({"title": "  "}, InvalidInput),
            ({"datasets": []}, InvalidInput),
            ({"mode": "mail"}, InvalidInput),
            ({"starts_on": date(2026, 12, 1)}, None),
        ],
    )
    def test_it_refuses_what_is_no_application(
        self,
        scene: Scene,
        at: datetime,
        others: Sequence[Dataset],
        more: dict[str, Any],
        kind: type[DomainError] | None,
    ) -> None:
        if kind is None:  # the last day is before the first
            more = {**more, "ends_on": more["starts_on"]}
        refused(lambda: drafted(scene, at, others, **more), kind or InvalidInput)

    def test_it_refuses_entries_that_are_not_to_be_had_and_systems_of_others(
        self, scene: Scene, at: datetime, others: Sequence[Dataset]
    ) -> None:
        own = PublishedDatasetFactory(department=scene.consumer_department)
        draft = DatasetFactory(department=others[0].department)
        strange = InformationSystemFactory(department=scene.provider_department)
        refused(lambda: drafted(scene, at, [own]), InvalidInput, "own_dataset")
        refused(lambda: drafted(scene, at, [draft]), InvalidInput, "not_published")
        refused(lambda: drafted(scene, at, others, system=strange), InvalidInput)
        many = [PublishedDatasetFactory(department=others[0].department) for _n in range(31)]
        refused(lambda: drafted(scene, at, many), InvalidInput)

    @pytest.mark.parametrize("name", sorted(set(CAST) - {"consumer", "provider", "outsider"}))
    def test_only_an_editor_may_begin_one(
        self, cast: dict[str, Any], scene: Scene, at: datetime, others: Sequence[Dataset], name: str
    ) -> None:
        actor = cast[name]
        refused(lambda: drafted(scene, at, others, actor=actor), NotAllowed)


class TestCommonStatements:
    def test_what_is_changed_goes_into_the_parts_not_sent_yet_and_nothing_else(
        self, scene: Scene, at: datetime, others: Sequence[Dataset]
    ) -> None:
        package = filled(scene, at, others)
        first, second, third = package.parts.order_by("pk")
        sharing.revise(request=second, actor=scene.consumer, at=at, scenario="只在复审时用")
        first = sharing.revise(request=first, actor=scene.consumer, at=at, vouched=True)
        sharing.submit(request=first, actor=scene.consumer, at=at)
        sharing.revise_package(
            package=package, actor=scene.consumer, at=at, revision=1, basis="新的依据", title="入学"
        )
        first, second, third = package.parts.order_by("pk")
        assert first.basis == COMMON["basis"]
        assert (second.basis, second.scenario) == ("新的依据", "只在复审时用")
        assert third.basis == "新的依据"
        package.refresh_from_db()
        assert (package.title, package.revision) == ("入学", 2)

    def test_it_refuses_stale_pages_and_matters_all_sent(
        self, scene: Scene, at: datetime, others: Sequence[Dataset]
    ) -> None:
        package = filled(scene, at, others)
        change = partial(sharing.revise_package, package=package, actor=scene.consumer, at=at)
        refused(lambda: change(revision=9, basis="新"), StaleRevision)
        refused(lambda: change(title=" "), InvalidInput)
        sharing.submit_package(package=package, vouched=True, actor=scene.consumer, at=at)
        refused(lambda: change(basis="新"), NotAllowed, "already_submitted")
        refused(lambda: change(actor=scene.consumer_head, basis="新"), NotAllowed)
        refused(lambda: change(actor=scene.provider, basis="新"), NotAllowed)


class TestMoreEntries:
    def test_one_that_is_added_gets_statements_and_papers_of_the_matter(
        self, scene: Scene, at: datetime, others: Sequence[Dataset], tmp_path: Any, settings: Any
    ) -> None:
        settings.MEDIA_ROOT = tmp_path
        package = filled(scene, at, others[:1])
        letter = SimpleUploadedFile("函.pdf", b"%PDF-1.7 letter")
        sharing.attach_to_package(
            package=package, actor=scene.consumer, at=at, title="申请函", file=letter
        )
        own = package.parts.order_by("pk").first()
        assert own is not None
        sharing.attach(
            request=own, actor=scene.consumer, at=at, title="只给一处", document_number="1 号"
        )
        sharing.add_to_package(package=package, datasets=others[1:], actor=scene.consumer, at=at)
        added = package.parts.get(dataset=others[1])
        assert added.basis == COMMON["basis"]
        (paper,) = added.attachments.all()
        assert (paper.title, paper.is_common) == ("申请函", True)
        names = {p.file.name for p in Attachment.objects.filter(title="申请函")}
        assert len(names) == 1  # kept once
        assert Attachment.objects.filter(title="申请函").count() == 3

    def test_it_refuses_an_entry_twice_until_that_part_is_withdrawn(
        self, scene: Scene, at: datetime, others: Sequence[Dataset]
    ) -> None:
        package = filled(scene, at, others)
        add = partial(sharing.add_to_package, package=package, datasets=others[:1], at=at)
        refused(lambda: add(actor=scene.consumer), Conflict, "already_asked")
        refused(lambda: add(actor=scene.consumer, datasets=[]), InvalidInput)
        refused(lambda: add(actor=scene.provider), NotAllowed)
        part = package.parts.get(dataset=others[0])
        with pytest.raises(IntegrityError), transaction.atomic():
            SharingRequest.objects.filter(pk=part.pk).update(dataset=others[1])
        sharing.withdraw(request=part, actor=scene.consumer, at=at, reason="不需要")
        add(actor=scene.consumer)
        assert package.parts.filter(dataset=others[0], status="draft").count() == 1

    def test_a_paper_needs_an_open_part_and_an_editor(
        self, scene: Scene, at: datetime, others: Sequence[Dataset]
    ) -> None:
        package = filled(scene, at, others[:1])
        add = partial(sharing.attach_to_package, package=package, at=at, title="函")
        refused(lambda: add(actor=scene.consumer), InvalidInput)  # neither file nor number
        refused(lambda: add(actor=scene.provider, document_number="1 号"), NotAllowed)
        for part in package.parts.all():
            sharing.withdraw(request=part, actor=scene.consumer, at=at, reason="不需要")
        refused(lambda: add(actor=scene.consumer, document_number="1 号"), Conflict, "no_open_part")


class TestHandingIn:
    def test_each_part_goes_its_own_way_with_its_own_provider_and_clock(
        self, scene: Scene, at: datetime, others: Sequence[Dataset]
    ) -> None:
        package = received(scene, at, others)
        parts = queries.parts_of(package, scene.consumer, at)
        assert [part.request.status for part in parts] == ["form_check"] * 3
        assert [part.holder for part in parts] == [
            scene.provider_department,
            others[0].department,
            others[1].department,
        ]
        assert all(part.remaining is not None for part in parts)
        assert all(part.request.vouched for part in parts)

    def test_all_are_sent_or_none(
        self, scene: Scene, at: datetime, others: Sequence[Dataset]
    ) -> None:
        package = drafted(scene, at, others)
        for part in package.parts.order_by("pk")[:2]:
            sharing.revise(request=part, actor=scene.consumer, at=at, items=["name"])
        send = partial(sharing.submit_package, package=package, actor=scene.consumer, at=at)
        refused(lambda: send(vouched=False), InvalidInput)
        error = refused(lambda: send(vouched=True), InvalidInput, "no_items")
        assert str(others[1]) in str(error)
        refused(lambda: send(vouched=True, revision=9), StaleRevision)
        refused(lambda: send(vouched=True, actor=scene.consumer_head), NotAllowed)

    def test_what_the_head_returned_is_sent_again_alone(
        self, scene: Scene, at: datetime, others: Sequence[Dataset]
    ) -> None:
        package = submitted(scene, at, others)
        first = package.parts.order_by("pk")[0]
        sharing.return_by_head(request=first, actor=scene.consumer_head, at=at, reason="依据写全")
        send = partial(sharing.submit_package, package=package, vouched=True, at=at)
        send(actor=scene.consumer)
        assert statuses(package) == ["awaiting_head"] * 3
        refused(lambda: send(actor=scene.consumer), Conflict, "nothing_to_submit")

    def test_unconditional_parts_are_granted_at_once_while_the_others_wait(
        self, scene: Scene, at: datetime, others: Sequence[Dataset]
    ) -> None:
        free = PublishedDatasetFactory(
            department=others[0].department,
            sharing_attribute="unconditional",
            sharing_condition="",
        )
        package = received(scene, at, [free])
        assert statuses(package) == ["form_check", "agreed"]


class TestWhoHoldsItUp:
    def test_the_overdue_come_first_then_who_has_had_it_longest(
        self, scene: Scene, at: datetime, others: Sequence[Dataset]
    ) -> None:
        package = received(scene, at, others)
        head = UserFactory(department=others[0].department, roles=["department_editor"])
        second = package.parts.get(dataset=others[0])
        later = at + timedelta(days=7)  # five working days
        sharing.accept_form(request=second, actor=head, at=later)
        now = later + timedelta(days=2)  # two more
        holders = queries.holders_of(queries.parts_of(package, scene.consumer, now))
        waited = {holder.department: holder.waited_workdays for holder in holders}
        assert waited[others[0].department] == 2
        assert waited[scene.provider_department] == waited[others[1].department] == 7
        assert holders[-1].department == others[0].department
        assert not any(holder.is_overdue for holder in holders)
        over = at + timedelta(days=20)
        holders = queries.holders_of(queries.parts_of(package, scene.consumer, over))
        assert all(holder.is_overdue for holder in holders)

    def test_an_open_offer_lies_with_who_answers_it(
        self, scene: Scene, at: datetime, others: Sequence[Dataset]
    ) -> None:
        package = received(scene, at, others)
        first = package.parts.get(dataset=scene.dataset)
        sharing.accept_form(request=first, actor=scene.provider, at=at)
        sharing.offer(
            request=first, actor=scene.provider, at=at, items={"name": "hide"}, reason="够用"
        )
        parts = queries.parts_of(package, scene.consumer, at)
        holders = {part.request.pk: part.holder for part in parts}
        assert holders[first.pk] == scene.consumer_department

    def test_on_the_way_inside_it_lies_with_that_side(
        self, scene: Scene, at: datetime, others: Sequence[Dataset]
    ) -> None:
        package = filled(scene, at, others)
        unit = UserFactory(department=scene.consumer_department)
        first = package.parts.get(dataset=scene.dataset)
        sharing.route(request=first, actor=scene.consumer, at=at, steps=[("信息科", unit)])
        package.refresh_from_db()
        sharing.submit_package(package=package, vouched=True, actor=scene.consumer, at=at)
        parts = queries.parts_of(package, scene.consumer, at)
        assert {part.holder for part in parts} == {scene.consumer_department}

    def test_drafts_lie_with_who_asks_and_what_is_over_with_nobody(
        self, scene: Scene, at: datetime, others: Sequence[Dataset]
    ) -> None:
        package = filled(scene, at, others)
        first = package.parts.order_by("pk")[0]
        sharing.withdraw(request=first, actor=scene.consumer, at=at, reason="不需要")
        parts = queries.parts_of(package, scene.consumer, at)
        assert [part.holder for part in parts] == [None, *[scene.consumer_department] * 2]
        (holder,) = queries.holders_of(parts)
        assert (holder.department, len(holder.parts)) == (scene.consumer_department, 2)


class TestSeeing:
    def test_each_provider_sees_the_matter_with_its_own_part_once_it_was_received(
        self, scene: Scene, at: datetime, others: Sequence[Dataset]
    ) -> None:
        package = submitted(scene, at, others)
        assert access.allowed(scene.consumer_head, "view", package)
        for person in (scene.provider, scene.authority):
            assert not access.allowed(person, "view", package)
        first = package.parts.order_by("pk")[0]
        sharing.approve_by_head(request=first, actor=scene.consumer_head, at=at)
        assert access.allowed(scene.provider, "view", package)
        assert [p.request for p in queries.parts_of(package, scene.provider, at)] == [first]
        assert access.allowed(scene.authority, "view", package)
        stranger = UserFactory(department=others[0].department, roles=["department_approver"])
        assert not access.allowed(stranger, "view", package)

    def test_a_list_of_matters_takes_as_many_queries_as_one(
        self, scene: Scene, at: datetime, others: Sequence[Dataset]
    ) -> None:
        client = signed_in(scene.consumer)
        counts = []
        for number in range(3):
            system = InformationSystemFactory(department=scene.consumer_department)
            drafted(scene, at, others, system=system, title=f"{TITLE}{number}")
            with CaptureQueriesContext(connection) as queries_:
                found = client.get("/api/v1/packages").json()["results"]
            assert [len(each["parts"]) for each in found] == [3] * (number + 1)
            counts.append(len(queries_))
        assert counts[1] == counts[2]

    def test_the_api_reads_it_with_the_parts_that_the_caller_sees(
        self, scene: Scene, at: datetime, others: Sequence[Dataset]
    ) -> None:
        package = received(scene, at, others)
        address = f"/api/v1/packages/{package.pk}"
        seen = signed_in(scene.consumer).get(address).json()
        assert (seen["title"], len(seen["parts"])) == (TITLE, 3)
        assert seen["parts"][0]["holder"] == scene.provider_department.name
        assert seen["parts"][0]["due_on"]
        seen = signed_in(scene.provider).get(address).json()
        assert [part["dataset"] for part in seen["parts"]] == [scene.dataset.code]
        outsider = UserFactory(department=DepartmentFactory(), roles=["department_editor"])
        assert signed_in(outsider).get(address).status_code == 404
        assert signed_in(outsider).get("/api/v1/packages").json()["results"] == []
        listed = signed_in(scene.consumer).get("/api/v1/packages").json()["results"]
        assert [row["id"] for row in listed] == [package.pk]
        part = package.parts.order_by("pk")[0]
        request = signed_in(scene.provider).get(f"/api/v1/requests/{part.pk}").json()
        assert request["package"] == package.pk


class TestPages:
    def test_a_clerk_goes_from_the_search_to_the_own_head(
        self, scene: Scene, at: datetime, others: Sequence[Dataset]
    ) -> None:
        client = signed_in(scene.consumer)
        for dataset in (scene.dataset, *others):
            added = client.post(f"/work/basket/add/{dataset.pk}/", {"next": "/work/datasets/"})
            assert (added.status_code, added["Location"]) == (302, "/work/datasets/")
        page = client.get("/work/basket/").content.decode()
        assert page.count('name="datasets"') == 3
        keys = [scene.dataset.pk, others[0].pk]
        wrong = client.post("/work/basket/", {"datasets": keys, "title": ""})
        assert "填写事项名称" in wrong.content.decode()
        made = client.post(
            "/work/basket/", {"datasets": keys, "title": TITLE, "system": scene.system.pk}
        )
        package = RequestPackage.objects.get()
        assert made["Location"] == f"/work/packages/{package.pk}/edit/"
        client.post(
            made["Location"], {**COMMON, **period(at), "title": TITLE, "revision": package.revision}
        )
        first, second = package.parts.order_by("pk")
        assert first.basis == COMMON["basis"]
        page = client.get(f"/work/packages/{package.pk}/").content.decode()
        assert "还有 2 项未填完" in page
        for part in (first, second):
            steps = client.get(f"/work/requests/{part.pk}/edit/items/").content.decode()
            assert "核对提交" not in steps
            client.post(f"/work/requests/{part.pk}/edit/items/", {"items": ["name"]})
            back = client.post(f"/work/requests/{part.pk}/edit/rows/", {})
            assert back["Location"] == f"/work/packages/{package.pk}/"
        client.post(f"/work/packages/{package.pk}/add/", {"datasets": [others[1].pk]})
        third = package.parts.get(dataset=others[1])
        sharing.withdraw(request=third, actor=scene.consumer, at=at, reason="不需要")
        client.post(
            f"/work/packages/{package.pk}/papers/",
            {"kind": "letter", "title": "函", "document_number": "1 号"},
        )
        assert [part.attachments.count() for part in (first, second)] == [1, 1]
        package.refresh_from_db()
        sent = {"vouched": "on", "revision": package.revision}
        client.post(f"/work/packages/{package.pk}/submit/", sent)
        assert statuses(package) == ["awaiting_head", "awaiting_head", "withdrawn"]
        page = signed_in(scene.consumer_head).get(f"/work/packages/{package.pk}/").content.decode()
        assert "整件同意" in page

    def test_a_provider_learns_nothing_of_the_others_but_how_many(
        self, scene: Scene, at: datetime, others: Sequence[Dataset]
    ) -> None:
        package = filled(scene, at, others)
        others[0].status = "withdrawn"  # so that handing in is refused, naming the entry
        Dataset.objects.filter(pk=others[0].pk).update(status="withdrawn", withdrawn_at=at)
        send = partial(
            sharing.submit_package, package=package, vouched=True, actor=scene.consumer, at=at
        )
        with pytest.raises(InvalidInput):
            send()
        Dataset.objects.filter(pk=others[0].pk).update(status="published", withdrawn_at=None)
        send()
        sharing.act_together(
            requests=package.parts.all(), act="approve_by_head", actor=scene.consumer_head, at=at
        )
        page = signed_in(scene.provider).get(f"/work/packages/{package.pk}/").content.decode()
        assert "另有 2 项由其他部门答复" in page
        for other in others:
            assert package.parts.get(dataset=other).number not in page
            assert other.department.name not in page
        page = signed_in(scene.authority).get(f"/work/packages/{package.pk}/").content.decode()
        assert package.parts.get(dataset=others[0]).number in page
        assert "未获准" not in page  # a form's fault is told where it was made, and in the log
        assert Event.objects.filter(verb="sharing.submit_package", outcome="refused").exists()
        outsider = UserFactory(department=DepartmentFactory(), roles=["department_approver"])
        assert signed_in(outsider).get(f"/work/packages/{package.pk}/").status_code == 404
        client = signed_in(scene.provider)
        for step in ("edit", "add", "papers", "submit"):
            assert client.get(f"/work/packages/{package.pk}/{step}/").status_code == 403
        assert client.get("/work/packages/").status_code == 200

    def test_a_matter_of_many_parts_takes_as_many_queries_as_one_of_few(
        self, scene: Scene, at: datetime, others: Sequence[Dataset]
    ) -> None:
        small = drafted(scene, at, [], datasets=[scene.dataset, others[0]])
        system = InformationSystemFactory(department=scene.consumer_department)
        more = [PublishedDatasetFactory(department=others[0].department) for _number in range(3)]
        large = drafted(scene, at, [*others, *more], system=system)
        client = signed_in(scene.consumer)
        for path in ("", "submit/"):
            counts = []
            for package in (small, small, large):
                with CaptureQueriesContext(connection) as asked:
                    page = client.get(f"/work/packages/{package.pk}/{path}").content.decode()
                assert "数据项" in page
                counts.append(len(asked))
            assert counts[1] == counts[2]


class TestBasket:
    def test_it_is_its_owners_alone_and_holds_each_entry_once(
        self, scene: Scene, at: datetime
    ) -> None:
        put = partial(sharing.put_in_basket, dataset=scene.dataset, at=at)
        entry = put(actor=scene.consumer)
        assert put(actor=scene.consumer) == entry
        assert BasketEntry.objects.count() == 1
        colleague = UserFactory(department=scene.consumer_department, roles=["department_editor"])
        assert not queries.basket_of(colleague).exists()
        with pytest.raises(NotAllowed):
            sharing.take_out(entry=entry, actor=colleague, at=at)
        sharing.take_out(entry=entry, actor=scene.consumer, at=at)
        assert not BasketEntry.objects.exists()

    def test_what_is_not_to_be_had_any_more_says_why_and_cannot_be_ticked(
        self, scene: Scene, at: datetime, others: Sequence[Dataset]
    ) -> None:
        for dataset in (scene.dataset, *others):
            sharing.put_in_basket(dataset=dataset, actor=scene.consumer, at=at)
        Dataset.objects.filter(pk=others[0].pk).update(status="withdrawn", withdrawn_at=at)
        Dataset.objects.filter(pk=others[1].pk).update(
            sharing_attribute="not_shared",
            sharing_reason="统计调查取得",
            sharing_statute="《统计法》第二十八条",
        )
        page = signed_in(scene.consumer).get("/work/basket/").content.decode()
        assert page.count('name="datasets"') == 1
        assert "目录未发布或已撤回，不能申请" in page
        assert "该目录不予共享，依据：《统计法》第二十八条" in page

    def test_many_entries_take_as_many_queries_as_few(
        self, scene: Scene, at: datetime, others: Sequence[Dataset]
    ) -> None:
        package = drafted(scene, at, [], datasets=[scene.dataset])
        client = signed_in(scene.consumer)
        for address in ("/work/basket/", f"/work/packages/{package.pk}/add/"):
            BasketEntry.objects.all().delete()
            counts = []
            for number in range(4):
                sharing.put_in_basket(
                    dataset=PublishedDatasetFactory(department=others[0].department),
                    actor=scene.consumer,
                    at=at,
                )
                with CaptureQueriesContext(connection) as asked:
                    page = client.get(address).content.decode()
                assert page.count('name="datasets"') == number + 1
                counts.append(len(asked))
            assert counts[1] == counts[3]

    def test_it_refuses_what_cannot_be_asked_for_and_whoever_cannot_ask(
        self, scene: Scene, at: datetime
    ) -> None:
        put = partial(sharing.put_in_basket, at=at)
        own = PublishedDatasetFactory(department=scene.consumer_department)
        refused(lambda: put(dataset=own, actor=scene.consumer), InvalidInput, "own_dataset")
        refused(lambda: put(dataset=scene.dataset, actor=scene.consumer_head), NotAllowed)
        for _number in range(30):
            put(
                dataset=PublishedDatasetFactory(department=scene.provider_department),
                actor=scene.consumer,
            )
        refused(
            lambda: put(dataset=scene.dataset, actor=scene.consumer), InvalidInput, "basket_full"
        )


class TestReforms:
    @pytest.mark.parametrize(
        ("left", "moves"), [("draft", True), ("withdrawn", False), ("granted", True)]
    )
    def test_it_follows_its_parts_and_keeps_the_old_name_once_they_are_over(
        self, scene: Scene, others: Sequence[Dataset], at: datetime, left: str, moves: bool
    ) -> None:
        package = filled(scene, at, others)
        for part in package.parts.all() if left == "withdrawn" else []:
            sharing.withdraw(request=part, actor=scene.consumer, at=at, reason="不办了")
        if left == "granted":
            grant = stories.grant_in("in_force", scene, at)
            SharingRequest.objects.filter(package=package).update(status="withdrawn")
            SharingRequest.objects.filter(pk=grant.request_id).update(package=package)
        old, new = scene.consumer_department, DepartmentFactory()
        accounts.succeed(
            kind="renamed",
            predecessors=[old],
            successors=[new],
            effective_on=at.date(),
            basis="渝府发〔2026〕12号",
            actor=scene.authority,
            at=at,
        )
        package.refresh_from_db()
        assert package.consumer == (new if moves else old)


@pytest.mark.usefixtures("server")
class TestTwoHands:
    def test_of_two_who_hand_in_at_once_one_is_told_that_it_is_done(self, now: datetime) -> None:
        scene = make_scene()
        others = [PublishedDatasetFactory(department=DepartmentFactory())]
        package = filled(scene, now, others)
        send = partial(
            sharing.submit_package, package=package, vouched=True, actor=scene.consumer, at=now
        )
        results = at_once([send, send])
        assert sorted(type(result).__name__ for result in results) == [
            "Conflict",
            "RequestPackage",
        ]
        assert statuses(package) == ["awaiting_head"] * 2

    def test_of_two_who_add_the_same_entry_at_once_one_is_told(self, now: datetime) -> None:
        scene = make_scene()
        other = PublishedDatasetFactory(department=DepartmentFactory())
        package = drafted(scene, now, [])
        add = partial(
            sharing.add_to_package,
            package=package,
            datasets=[other],
            actor=scene.consumer,
            at=now,
        )
        results = at_once([add, add])
        assert sorted(type(result).__name__ for result in results) == [
            "Conflict",
            "RequestPackage",
        ]
        assert package.parts.filter(dataset=other).count() == 1
