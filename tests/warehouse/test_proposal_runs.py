"""A draft proposed from a file by the worker: asked for, read, entered once, or given up."""

import hashlib
import io
from collections.abc import Callable
from datetime import timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.catalog.models import Classification, Dataset
from apps.core import access, files
from apps.core.errors import Conflict, IllegalMove, InvalidInput, NotAllowed, StaleRevision
from apps.ledger.models import Event, Notice
from apps.warehouse import operations as warehouse
from apps.warehouse import queries
from apps.warehouse.lifecycle import PROPOSAL_RUN
from apps.warehouse.models import Batch, FileProposal, ProposalRun, StoredFile
from apps.warehouse.operations import proposal_runs, proposing
from apps.warehouse.tasks import propose_due
from tests.catalog.test_demand_views import signed_in
from tests.factories.catalog import ClassificationFactory
from tests.factories.warehouse import AT, received
from tests.warehouse.test_proposing import HEADINGS, as_csv, people

pytestmark = pytest.mark.django_db
CONTENT = as_csv(HEADINGS, *people())
LATER = queries.LEASE + timedelta(minutes=1)


@pytest.fixture
def classification() -> Any:
    return ClassificationFactory()


def requested(actor: Any, content: bytes | None = CONTENT, **facts: Any) -> ProposalRun:
    return warehouse.request_proposal(
        file=None if content is None else io.BytesIO(content),
        classification=Classification.objects.get(code="307001"),
        actor=actor,
        at=AT,
        **{"file_name": "名册.csv", **facts},
    )


def taken(run: ProposalRun) -> ProposalRun:
    """A run whose worker has begun, and died."""
    PROPOSAL_RUN.apply(
        run, "read", actor=None, at=AT, revision=run.revision, started_at=AT, heartbeat_at=AT
    )
    return run


class TestReading:
    def test_nothing_is_entered_before_the_worker_has_read_it(
        self, provider: Any, classification: Any
    ) -> None:
        run = requested(provider, name="低保名册")
        assert (run.status, run.department) == ("waiting", provider.department)
        assert not Dataset.objects.exists()
        assert warehouse.propose_due(at=AT) == 1
        run.refresh_from_db()
        assert run.proposal is not None
        assert (run.status, run.proposal.rows, run.proposal.dataset.name) == (
            "proposed", 60, "低保名册",
        )  # fmt: skip
        assert run.proposal.dataset.items.count() == len(HEADINGS)
        assert run.proposal.proposed_by == provider
        assert warehouse.propose_due(at=AT + LATER) == 0
        assert not Batch.objects.exists()

    def test_the_task_reads_whatever_waits(self, provider: Any, classification: Any) -> None:
        runs = [requested(provider, name=f"名册{place}") for place in range(3)]
        propose_due()
        assert {ProposalRun.objects.get(pk=run.pk).status for run in runs} == {"proposed"}

    def test_it_tells_how_many_columns_are_counted(
        self, provider: Any, classification: Any
    ) -> None:
        heard: list[tuple[str, int, int]] = []

        def hear(stage: str, done: Callable[[], int], of: int) -> None:
            heard.append((stage, done(), of))

        kept = files.keep([CONTENT])
        proposing.read(kept.sha256, "名册.csv", AT, told=hear)
        assert heard == [
            ("opening", 0, 0),
            ("profiling", 0, 12),
            ("profiling", 8, 12),
            ("concluding", 12, 12),
        ]

    @pytest.mark.parametrize("content", [b"", b"%PDF-1.4 not a table", b'a,b\n1,"2\n3,4\n' * 3])
    def test_what_cannot_be_read_is_refused_in_the_words_of_the_reading(
        self, provider: Any, classification: Any, content: bytes
    ) -> None:
        with pytest.raises(InvalidInput) as caught:
            warehouse.propose(
                file=io.BytesIO(content),
                file_name="名册.csv",
                classification=classification,
                actor=provider,
                at=AT,
            )
        run = requested(provider, content)
        warehouse.propose_due(at=AT)
        run.refresh_from_db()
        assert (run.status, run.problem, run.problem_code) == (
            "refused", str(caught.value), caught.value.code,
        )  # fmt: skip
        assert not Dataset.objects.exists()
        assert not FileProposal.objects.exists()

    def test_a_name_that_is_taken_refuses_the_second_of_two(
        self, provider: Any, classification: Any
    ) -> None:
        first, second = requested(provider), requested(provider)
        warehouse.propose_due(at=AT)
        assert ProposalRun.objects.get(pk=first.pk).status == "proposed"
        second.refresh_from_db()
        assert (second.status, second.problem_code) == ("refused", "conflict")
        assert Dataset.objects.count() == FileProposal.objects.count() == 1

    def test_who_edits_no_more_gets_no_draft(self, provider: Any, classification: Any) -> None:
        run = requested(provider)
        provider.role_assignments.all().delete()
        warehouse.propose_due(at=AT)
        run.refresh_from_db()
        assert (run.status, run.problem_code) == ("refused", "not_allowed")
        assert not Dataset.objects.exists()

    def test_who_went_away_is_told_and_who_waits_is_not(
        self, provider: Any, classification: Any, settings: Any
    ) -> None:
        settings.HUILIU_PROPOSAL_WAIT_SECONDS = 10**9
        requested(provider)
        warehouse.propose_due(at=AT)
        assert not Notice.objects.exists()
        settings.HUILIU_PROPOSAL_WAIT_SECONDS = 4
        run = requested(provider)
        warehouse.propose_due(at=AT + timedelta(seconds=9))
        notice = Notice.objects.get()
        assert (notice.recipient, notice.url) == (provider, run.get_absolute_url())
        assert ProposalRun.objects.get(pk=run.pk).problem in notice.body


class TestCrashes:
    def test_a_worker_that_lives_is_left_alone(self, provider: Any, classification: Any) -> None:
        taken(requested(provider))
        assert warehouse.propose_due(at=AT + timedelta(seconds=10)) == 0
        assert not Dataset.objects.exists()

    def test_what_a_dead_worker_left_is_read_again_and_entered_once(
        self, provider: Any, classification: Any
    ) -> None:
        left = taken(requested(provider))
        assert warehouse.propose_due(at=AT + LATER) == 1
        run = ProposalRun.objects.get(pk=left.pk)
        assert (run.status, Dataset.objects.count()) == ("proposed", 1)
        with pytest.raises((IllegalMove, StaleRevision)):  # the dead one was only slow
            proposal_runs._end(left, "finish", AT, proposal=run.proposal)
        assert Dataset.objects.count() == 1

    def test_a_reader_that_fails_leaves_nothing_and_stops_after_three(
        self, provider: Any, classification: Any, home: Any
    ) -> None:
        run = requested(provider)
        files.path_of(run.file.sha256).unlink()  # a fault of the house, not of the file
        for attempt in range(4):
            warehouse.propose_due(at=timezone.now() + timedelta(days=attempt))
        run.refresh_from_db()
        assert (run.status, run.problem_code) == ("refused", "attempts_exhausted")
        assert not Dataset.objects.exists()

    def test_no_more_than_two_are_read_at_a_time(self, provider: Any, classification: Any) -> None:
        for place in range(3):
            requested(provider, name=f"名册{place}")
        for run in ProposalRun.objects.order_by("pk")[:2]:
            taken(run)
        assert warehouse.propose_due(at=AT) == 0
        assert ProposalRun.objects.filter(status="waiting").count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_workers_at_once_one_reads_it(provider: Any, classification: Any) -> None:
    run = requested(provider)
    start = Barrier(2)
    ends: list[str] = []

    def work() -> None:
        start.wait()
        try:
            warehouse.run_proposal(key=run.pk, at=timezone.now())
            ends.append("read")
        except (IllegalMove, StaleRevision):
            ends.append("lost")
        finally:
            connection.close()

    workers = [Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert sorted(ends) == ["lost", "read"]
    assert Dataset.objects.count() == FileProposal.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_what_is_given_up_while_it_is_read_is_not_entered(
    provider: Any, classification: Any
) -> None:
    run = requested(provider, as_csv(HEADINGS, *people(20_000)))
    ends: list[str] = []

    def work() -> None:
        try:
            warehouse.run_proposal(key=run.pk, at=timezone.now())
        except (IllegalMove, StaleRevision):
            ends.append("lost")
        finally:
            connection.close()

    worker = Thread(target=work)
    worker.start()
    row = ProposalRun.objects.get(pk=run.pk)
    while row.status == "waiting":
        row.refresh_from_db()
    warehouse.discard_proposal(run=row, actor=provider, at=timezone.now())
    worker.join(60)
    row.refresh_from_db()
    assert (ends, row.status) == (["lost"], "discarded")
    assert not Dataset.objects.exists()
    assert not FileProposal.objects.exists()


class TestAsking:
    def test_the_same_key_gives_the_first_run_back(
        self, provider: Any, classification: Any
    ) -> None:
        first = requested(provider, idempotency_key="a")
        assert requested(provider, idempotency_key="a") == first
        others: tuple[dict[str, Any], ...] = ({"content": b"x\n1\n"}, {"name": "另一个"})
        for other in others:
            with pytest.raises(Conflict) as caught:
                requested(provider, idempotency_key="a", **other)
            assert caught.value.code == "idempotency_conflict"
        assert ProposalRun.objects.count() == 1

    def test_only_an_editor_asks_and_the_attempt_is_recorded(
        self, provider_head: Any, classification: Any
    ) -> None:
        with pytest.raises(NotAllowed):
            requested(provider_head)
        assert not ProposalRun.objects.exists()
        assert not StoredFile.objects.exists()
        assert Event.objects.filter(verb="warehouse.request_proposal").count() == 1

    @pytest.mark.parametrize(
        ("facts", "code"),
        [
            ({"idempotency_key": "x" * 201}, "idempotency_key_too_long"),
            ({"name": "名" * 51}, "invalid_input"),
            ({"content": None, "sha256": "0" * 64}, "file_unknown"),
        ],
    )
    def test_what_cannot_be_asked_leaves_nothing(
        self, provider: Any, classification: Any, facts: dict[str, Any], code: str
    ) -> None:
        with pytest.raises(InvalidInput) as caught:
            requested(provider, **facts)
        assert caught.value.code == code
        assert not ProposalRun.objects.exists()

    def test_the_own_departments_file_is_named_by_its_digest(
        self, provider: Any, consumer: Any, dataset: Dataset, classification: Any
    ) -> None:
        batch = received(dataset, CONTENT, actor=provider)
        digest = batch.file.sha256
        assert requested(provider, None, sha256=digest).file == batch.file
        with pytest.raises(InvalidInput) as caught:
            requested(consumer, None, sha256=digest)
        assert caught.value.code == "file_unknown"
        assert ProposalRun.objects.count() == 1

    def test_what_is_over_cannot_be_given_up(self, provider: Any, classification: Any) -> None:
        run = requested(provider)
        warehouse.propose_due(at=AT)
        run.refresh_from_db()
        with pytest.raises(IllegalMove):
            warehouse.discard_proposal(run=run, actor=provider, at=AT)
        assert Dataset.objects.count() == 1

    @pytest.mark.parametrize(
        ("fields", "constraint"),
        [
            ({"status": "proposed", "finished_at": AT}, "proposed_has_draft"),
            ({"status": "refused", "finished_at": AT}, "refusal_has_code"),
            ({"status": "discarded"}, "ended_at_end"),
        ],
    )
    def test_the_database_keeps_ends_whole(
        self, provider: Any, classification: Any, fields: dict[str, Any], constraint: str
    ) -> None:
        run = requested(provider)
        with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
            ProposalRun.objects.filter(pk=run.pk).update(**fields)

    def test_who_sees_and_who_gives_up(
        self,
        provider: Any,
        provider_head: Any,
        consumer: Any,
        authority: Any,
        auditor: Any,
        system_admin: Any,
        outsider: Any,
        citizen: Any,
        classification: Any,
    ) -> None:
        run = requested(provider)
        everybody = (
            provider, provider_head, consumer, authority, auditor, system_admin, outsider, citizen,
        )  # fmt: skip
        seen = {each for each in everybody if access.allowed(each, "view", run)}
        assert seen == {provider, provider_head, authority, auditor}
        assert [each for each in everybody if access.allowed(each, "discard", run)] == [provider]
        for each in everybody[1:]:
            with pytest.raises(NotAllowed):
                warehouse.discard_proposal(run=run, actor=each, at=AT)
        run.refresh_from_db()
        assert run.status == "waiting"


class TestPages:
    def posted(self, client: Client, classification: Any, content: bytes, **more: Any) -> Any:
        file = SimpleUploadedFile("名册.csv", content)
        data = {"file": file, "classification": classification.pk, **more}
        return client.post(reverse("warehouse:propose"), data)

    def test_a_clerk_leaves_it_to_the_worker_and_reads_why(
        self, provider: Any, consumer: Any, classification: Any, client: Client
    ) -> None:
        client.force_login(provider)
        assert reverse("warehouse:propose") in client.get("/work/datasets/").content.decode()
        answer = self.posted(client, classification, CONTENT)
        run = ProposalRun.objects.get()
        here = run.get_absolute_url()
        assert answer.headers["Location"] == here
        page = client.get(here).content.decode()
        assert "排队等待读取" in page
        assert '<noscript><p><a href="">刷新</a></p></noscript>' in page
        state = reverse("warehouse:proposal-run-state", args=[run.pk])
        assert client.get(state).status_code == 200
        propose_due()
        assert client.get(state).status_code == 204
        made = FileProposal.objects.get()
        draft = reverse("warehouse:proposal", args=[made.dataset.dashed_code])
        assert client.get(here).headers["Location"] == draft
        page = client.get(draft).content.decode()
        assert "个通过校验" in page
        assert "逐项改正" in page
        assert not Batch.objects.exists()
        client.force_login(consumer)
        for address in (here, state, draft):
            assert client.get(address).status_code == 404

    def test_a_page_waits_a_moment_and_goes_straight_on(
        self, provider: Any, classification: Any, client: Client, settings: Any, monkeypatch: Any
    ) -> None:
        settings.HUILIU_PROPOSAL_WAIT_SECONDS = 60
        # In the place of the worker, which would read in a process of its own meanwhile.
        monkeypatch.setattr("apps.warehouse.views.proposing.time.sleep", lambda _s: propose_due())
        client.force_login(provider)
        answer = self.posted(client, classification, CONTENT)
        made = FileProposal.objects.get()
        assert answer.headers["Location"] == reverse(
            "warehouse:proposal", args=[made.dataset.dashed_code]
        )

    def test_a_form_sent_twice_is_one_run(
        self, provider: Any, classification: Any, client: Client
    ) -> None:
        client.force_login(provider)
        for _again in range(2):
            answer = self.posted(client, classification, CONTENT, key="k")
        assert answer.headers["Location"] == ProposalRun.objects.get().get_absolute_url()
        self.posted(client, classification, b"x\n1\n", key="k")
        assert ProposalRun.objects.count() == 2

    def test_a_refusal_stands_at_the_form_with_all_that_was_asked(
        self, provider: Any, provider_head: Any, classification: Any, client: Client
    ) -> None:
        client.force_login(provider)
        self.posted(client, classification, b"%PDF-1.4", name="低保名册")
        propose_due()
        run = ProposalRun.objects.get()
        answer = client.get(run.get_absolute_url(), follow=True)
        assert answer.context["form"].errors == {"file": [run.problem]}
        page = answer.content.decode()
        assert "PDF" in page
        assert "不选则仍用" not in page
        assert 'value="低保名册"' in page
        data = {"again": run.pk, "classification": classification.pk}
        bare = client.post(reverse("warehouse:propose"), data)
        assert "选择数据文件" in bare.content.decode()
        assert ProposalRun.objects.count() == 1
        client.force_login(provider_head)
        assert "PDF" in client.get(run.get_absolute_url()).content.decode()
        assert client.get(reverse("warehouse:propose")).status_code == 403

    def test_a_name_that_is_taken_is_changed_without_sending_the_file_again(
        self, provider: Any, classification: Any, client: Client
    ) -> None:
        client.force_login(provider)
        for _again in range(2):
            self.posted(client, classification, CONTENT)
        propose_due()
        refused = ProposalRun.objects.get(status="refused")
        form = client.get(refused.get_absolute_url(), follow=True)
        assert form.context["form"].non_field_errors() == [refused.problem]
        answer = client.post(
            reverse("warehouse:propose"),
            {"again": refused.pk, "classification": classification.pk, "name": "另一份名册"},
        )
        assert answer.status_code == 302
        propose_due()
        assert Dataset.objects.filter(name="另一份名册").exists()

    def test_it_is_given_up_on_the_page(
        self, provider: Any, consumer: Any, provider_head: Any, classification: Any, client: Client
    ) -> None:
        run = requested(provider)
        address = reverse("warehouse:proposal-run-discard", args=[run.pk])
        for other, status in ((consumer, 404), (provider_head, 403)):
            client.force_login(other)
            assert client.post(address).status_code == status
        client.force_login(provider)
        page = client.post(address, follow=True).content.decode()
        assert "不选则仍用已经收到的" in page
        run.refresh_from_db()
        assert run.status == "discarded"
        assert warehouse.propose_due(at=AT) == 0


class TestApi:
    def sent(self, user: Any, query: str, body: bytes = CONTENT, key: str = "") -> Any:
        return signed_in(user).post(
            f"/api/v1/proposals?{query}",
            data=body,
            content_type="application/octet-stream",
            headers={"Idempotency-Key": key} if key else {},
        )

    def test_a_draft_is_asked_for_followed_and_read(
        self, provider: Any, classification: Any
    ) -> None:
        answer = self.sent(provider, "classification=307001&file_name=名册.csv&name=低保名册")
        assert answer.status_code == 202, answer.content
        here = answer.headers["Location"]
        assert answer.json()["is_finished"] is False
        api = signed_in(provider)
        assert api.get(f"{here}/draft").status_code == 404
        propose_due()
        run = api.get(here).json()
        assert (run["status"], run["columns_done"], run["code"]) == ("proposed", 0, "")
        draft = api.get(run["draft"]).json()
        assert (draft["dataset"], draft["name"], draft["rows"]) == (
            run["dataset"], "低保名册", 60,
        )  # fmt: skip
        items = {item["name"]: item for item in draft["items"]}
        assert items["身份证号"]["value_check"] == "identity_number"
        assert any("个通过校验" in each["why"] for each in items["身份证号"]["evidence"])
        assert [each["id"] for each in api.get("/api/v1/proposals").json()["results"]] == [
            run["id"]
        ]

    def test_the_digest_serves_for_the_file(
        self, provider: Any, dataset: Dataset, classification: Any
    ) -> None:
        received(dataset, CONTENT, actor=provider)
        digest = hashlib.sha256(CONTENT).hexdigest()
        answer = self.sent(provider, f"classification=307001&sha256={digest}", b"")
        assert (answer.status_code, answer.json()["sha256"]) == (202, digest)
        unknown = self.sent(provider, f"classification=307001&sha256={'0' * 64}", b"")
        assert (unknown.status_code, unknown.json()["code"]) == (400, "file_unknown")

    def test_the_same_number_gives_the_same_run(self, provider: Any, classification: Any) -> None:
        query = "classification=307001"
        first = self.sent(provider, query, key="n-1").json()
        assert self.sent(provider, query, key="n-1").json()["id"] == first["id"]
        other = self.sent(provider, query, b"x\n1\n", key="n-1")
        assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")

    @pytest.mark.parametrize(
        ("query", "code"),
        [("", "invalid_input"), ("classification=307001&odd=1", "unknown_parameter")],
    )
    def test_what_is_asked_wrongly_is_refused(
        self, provider: Any, classification: Any, query: str, code: str
    ) -> None:
        answer = self.sent(provider, query)
        assert (answer.status_code, answer.json()["code"]) == (400, code)
        assert not ProposalRun.objects.exists()

    def test_nobody_else_asks_reads_or_gives_up(
        self, provider: Any, provider_head: Any, consumer: Any, classification: Any
    ) -> None:
        assert self.sent(provider_head, "classification=307001").status_code == 403
        run = requested(provider)
        here = f"/api/v1/proposals/{run.pk}"
        assert signed_in(consumer).get(here).status_code == 404
        assert signed_in(consumer).delete(here).status_code == 404
        assert signed_in(provider_head).delete(here).status_code == 403
        assert signed_in(provider).delete(here).json()["status"] == "discarded"
        again = signed_in(provider).delete(here)
        assert (again.status_code, again.json()["code"]) == (409, "illegal_move")
