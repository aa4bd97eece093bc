"""Registered interfaces: who registers, tries, starts and stops them, and where they show."""

import ssl
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from apps.core import access, secrets
from apps.core.errors import Conflict, IllegalMove, InvalidInput, NotAllowed
from apps.core.outbound import AddressRefused
from apps.ledger.models import Event
from apps.sharing import operations as sharing
from apps.sharing.describing import samples, subjects
from apps.sharing.describing.document import openapi
from apps.sharing.describing.operations import operations_of
from apps.sharing.gateway.forwarding import asking
from apps.sharing.gateway.forwarding.refusals import ProviderFailed, ProviderUnreachable
from apps.sharing.lifecycle import INTERFACE
from apps.sharing.models import Interface, InterfaceCall
from tests import stories
from tests.factories.catalog import PublishedDatasetFactory
from tests.factories.provider_service import Service, running
from tests.factories.sharing import Scene, land, make_scene
from tests.sharing.forwarding_fixtures import registered, started, terms
from tests.sharing.test_views import signed_in


@pytest.fixture(autouse=True)
def allowed(settings: Any) -> None:
    settings.HUILIU_PULL_ALLOW = ["127.0.0.0/8"]


@pytest.fixture
def service() -> Iterator[Service]:
    with running() as service:
        yield service


def unchanged(interface: Interface, *names: str) -> bool:
    current = Interface.objects.get(pk=interface.pk)
    return all(getattr(current, name) == getattr(interface, name) for name in names)


class TestRegistering:
    def test_it_waits_until_it_was_tried_and_started(
        self, scene: Scene, service: Service, now: datetime
    ) -> None:
        interface = registered(scene, service, now)
        assert interface.status == "paused"
        with pytest.raises(Conflict) as raised:
            sharing.resume_interface(interface=interface, actor=scene.provider, at=now)
        assert raised.value.code == "interface_untested"
        words = sharing.try_interface(interface=interface, actor=scene.provider, at=now)
        assert "3 条" in words
        assert "张小三" not in words
        sharing.resume_interface(interface=interface, actor=scene.provider, at=now)
        interface.refresh_from_db()
        assert (interface.status, interface.active_since) == ("active", now)
        # Events outlive a flush; those of this test bear its moment.
        told = Event.objects.filter(verb__endswith="_interface", at=now).order_by("pk")
        assert [event.verb for event in told] == [
            "sharing.register_interface",
            "sharing.resume_interface",  # the refused attempt
            "sharing.try_interface",
            "sharing.resume_interface",
        ]

    @pytest.mark.parametrize("who", ["provider_head", "consumer", "consumer_head", "authority"])
    def test_others_do_not_register(
        self, who: str, scene: Scene, service: Service, now: datetime
    ) -> None:
        with pytest.raises(NotAllowed):
            sharing.register_interface(
                dataset=scene.dataset, terms=terms(service), actor=getattr(scene, who), at=now
            )
        assert not Interface.objects.exists()

    def test_a_private_address_is_refused_unless_the_operator_allows_it(
        self, scene: Scene, service: Service, now: datetime, settings: Any
    ) -> None:
        settings.HUILIU_PULL_ALLOW = []
        for url in (service.url, "http://[::ffff:10.0.0.1]/", "http://localhost:8000/x"):
            with pytest.raises(AddressRefused):
                registered(scene, service, now, url=url)
        assert not Interface.objects.exists()

    @pytest.mark.parametrize(
        ("wrong", "field"),
        [
            ({"url": "ftp://example.com/"}, "url"),
            ({"url": "http://user:pw@127.0.0.1/"}, "url"),
            ({"reason": " "}, "reason"),
            ({"items": {}}, "items"),
            ({"items": {"salary": "x"}}, "items"),
            ({"parameters": [{"name": "", "item": "", "operator": "", "fixed": "1",
                              "required": False}]}, "parameters"),
            ({"parameters": [{"name": "a", "item": "salary", "operator": "eq", "fixed": "",
                              "required": False}]}, "parameters"),
            ({"test_query": "salary=1"}, "test_query"),
            ({"test_query": "registered_on=never"}, "test_query"),
            ({"sign": "bearer"}, "secret"),
        ],
    )  # fmt: skip
    def test_what_cannot_be_is_refused_at_its_field(
        self,
        wrong: dict[str, Any],
        field: str,
        scene: Scene,
        service: Service,
        now: datetime,
    ) -> None:
        with pytest.raises(InvalidInput) as raised:
            registered(scene, service, now, **wrong)
        assert raised.value.details["field"] == field
        assert not Interface.objects.exists()

    def test_a_dataset_with_rows_or_an_interface_has_no_other(
        self, scene: Scene, service: Service, now: datetime
    ) -> None:
        interface = registered(scene, service, now)
        with pytest.raises(Conflict) as raised:
            registered(scene, service, now)
        assert raised.value.code == "interface_exists"
        sharing.retire_interface(interface=interface, actor=scene.provider, at=now, reason="已落地")
        land(scene.dataset)
        with pytest.raises(Conflict) as raised:
            registered(scene, service, now)
        assert raised.value.code == "already_landed"

    def test_a_failing_test_case_leaves_it_untested(
        self, scene: Scene, service: Service, now: datetime
    ) -> None:
        interface = registered(scene, service, now)
        service.tells(500, b"")
        with pytest.raises(ProviderFailed):
            sharing.try_interface(interface=interface, actor=scene.provider, at=now)
        service.tells(200, b'{"data": {"list": []}}')
        with pytest.raises(InvalidInput):
            sharing.try_interface(interface=interface, actor=scene.provider, at=now)
        assert unchanged(interface, "tested_at", "failures", "status")
        assert InterfaceCall.objects.filter(kind="try").count() == 2


class TestChanging:
    def test_a_change_stops_it_until_it_was_tried_again(
        self, scene: Scene, service: Service, now: datetime
    ) -> None:
        interface = started(scene, service, now)
        sharing.change_interface(
            interface=interface, terms=terms(service, name="新名称"), actor=scene.provider, at=now
        )
        interface.refresh_from_db()
        assert (interface.status, interface.tested_at, interface.name) == ("paused", None, "新名称")

    def test_a_secret_goes_to_no_other_place(
        self, scene: Scene, service: Service, now: datetime
    ) -> None:
        signed = terms(service, sign="bearer")
        interface = started(scene, service, now, secret="s3cret", sign="bearer")
        with pytest.raises(InvalidInput) as raised:
            sharing.change_interface(
                interface=interface,
                terms={**signed, "url": service.url + "/other"},
                actor=scene.provider,
                at=now,
            )
        assert raised.value.code == "secret_needed"
        assert unchanged(interface, "url", "status", "revision", "sealed_secret")
        sharing.change_interface(
            interface=interface, terms={**signed, "name": "改名"}, actor=scene.provider, at=now
        )
        interface.refresh_from_db()
        assert secrets.unseal(interface.sealed_secret) == "s3cret"

    def test_where_none_is_needed_any_more_it_is_forgotten(
        self, scene: Scene, service: Service, now: datetime
    ) -> None:
        interface = started(scene, service, now, secret="s3cret", sign="bearer")
        moved = terms(service, sign="none", url=service.url + "/other")
        sharing.change_interface(interface=interface, terms=moved, actor=scene.provider, at=now)
        interface.refresh_from_db()
        assert (interface.sign, interface.sealed_secret) == ("none", "")

    def test_none_is_kept_that_is_not_needed(
        self, scene: Scene, service: Service, now: datetime
    ) -> None:
        assert registered(scene, service, now, secret="s3cret").sealed_secret == ""

    def test_one_in_use_takes_a_new_secret(
        self, scene: Scene, service: Service, now: datetime
    ) -> None:
        interface = started(scene, service, now, secret="s3cret", sign="bearer")
        sharing.change_interface(
            interface=interface,
            terms=terms(service, sign="bearer"),
            secret="an0ther",
            actor=scene.provider,
            at=now,
        )
        interface.refresh_from_db()
        assert interface.status == "paused"
        assert secrets.unseal(interface.sealed_secret) == "an0ther"

    def test_one_in_use_is_kept_as_it_was_checked(
        self, scene: Scene, service: Service, now: datetime
    ) -> None:
        interface = started(scene, service, now)
        unneeded = terms(service, page_parameter="page")
        sharing.change_interface(interface=interface, terms=unneeded, actor=scene.provider, at=now)
        interface.refresh_from_db()
        assert (interface.status, interface.page_parameter) == ("paused", "")

    def test_retired_it_keeps_no_secret_and_stays_so(
        self, scene: Scene, service: Service, now: datetime
    ) -> None:
        interface = started(scene, service, now, secret="s3cret", sign="bearer")
        with pytest.raises(InvalidInput):
            sharing.retire_interface(interface=interface, actor=scene.provider, at=now, reason="")
        sharing.retire_interface(
            interface=interface, actor=scene.provider, at=now, reason="上级停止提供"
        )
        interface.refresh_from_db()
        assert (interface.status, interface.sealed_secret) == ("retired", "")
        with pytest.raises(Conflict):
            sharing.change_interface(
                interface=interface, terms=terms(service), actor=scene.provider, at=now
            )


@pytest.mark.parametrize("status", ["paused", "active", "retired"])
@pytest.mark.parametrize("move", ["resume", "pause", "retire"])
def test_it_moves_as_its_table_says(
    status: str, move: str, scene: Scene, service: Service, now: datetime
) -> None:
    interface = started(scene, service, now)
    if status == "paused":
        sharing.pause_interface(interface=interface, actor=scene.provider, at=now)
    elif status == "retired":
        sharing.retire_interface(interface=interface, actor=scene.provider, at=now, reason="不用")
    words = {"reason": "不用"} if move == "retire" else {}
    operation = getattr(sharing, f"{move}_interface")
    if status in INTERFACE.move(move).sources:
        operation(interface=interface, actor=scene.provider, at=now, **words)
        interface.refresh_from_db()
        assert interface.status == INTERFACE.move(move).target
    else:
        with pytest.raises(IllegalMove):
            operation(interface=interface, actor=scene.provider, at=now, **words)
        interface.refresh_from_db()
        assert interface.status == status


class TestDatabase:
    @pytest.mark.parametrize(
        ("wrong", "rule"),
        [
            ({"tested_at": None}, "sharing_interface_active_is_tested"),
            ({"hours_from": "08:00"}, "sharing_interface_hours_together"),
            ({"timeout_seconds": 60}, "sharing_interface_waits_not_long"),
            ({"reason": ""}, "sharing_interface_says_why"),
            ({"status": "retired"}, "sharing_interface_retired_keeps_no_secret"),
        ],
    )
    def test_it_holds(
        self, wrong: dict[str, Any], rule: str, scene: Scene, service: Service, now: datetime
    ) -> None:
        interface = started(scene, service, now, secret="s3cret", sign="bearer")
        with pytest.raises(IntegrityError, match=rule), transaction.atomic():
            Interface.objects.filter(pk=interface.pk).update(**wrong)

    def test_one_live_interface_a_dataset_and_words_for_a_failure(
        self, scene: Scene, service: Service, now: datetime
    ) -> None:
        interface = started(scene, service, now)
        with (
            pytest.raises(IntegrityError, match="sharing_interfacecall_failure_has_words"),
            transaction.atomic(),
        ):
            InterfaceCall.objects.create(
                interface=interface, kind="call", at=now, duration_ms=1, outcome="provider_answer"
            )
        interface.pk = None
        with (
            pytest.raises(IntegrityError, match="sharing_interface_one_live_a_dataset"),
            transaction.atomic(),
        ):
            interface.save()


class TestWhoSees:
    def test_provider_and_overseers_do(self, scene: Scene, service: Service, now: datetime) -> None:
        interface = registered(scene, service, now)
        for who, sees in {
            "provider": True,
            "provider_head": True,
            "authority": True,
            "consumer": False,
            "consumer_head": False,
        }.items():
            person = getattr(scene, who)
            assert access.allowed(person, "view", interface) is sees, who
            client = Client()
            client.force_login(person)
            page = client.get(f"/work/registered-interfaces/{interface.pk}/")
            assert page.status_code == (200 if sees else 404), who
            assert access.allowed(person, "change_interface", interface) is (who == "provider")

    def test_the_page_tells_availability_and_reasons(
        self, scene: Scene, service: Service, now: datetime
    ) -> None:
        interface = started(scene, service, now, secret="s3cret", sign="bearer")
        service.tells(500, b"")
        sharing.probe_interfaces(now)
        client = Client()
        client.force_login(scene.authority)
        page = client.get(f"/work/registered-interfaces/{interface.pk}/").content.decode()
        for words in ("HTTP 500", "0.0%", "上级平台统一提供，不得留存", "密钥已加密保存"):
            assert words in page
        assert "s3cret" not in page
        assert "救助信息查询" in client.get("/work/registered-interfaces/").content.decode()


class TestScreens:
    def test_the_provider_registers_tries_and_starts_it(
        self, scene: Scene, service: Service, now: datetime
    ) -> None:
        client = Client()
        client.force_login(scene.provider)
        code = scene.dataset.code.replace("/", "-")
        found = client.get("/work/registered-interfaces/", {"q": scene.dataset.name})
        assert f"/work/registered-interfaces/new/{code}/" in found.content.decode()
        written = {
            **{k: v for k, v in terms(service).items() if k not in {"items", "parameters"}},
            "hours_from": "",
            "hours_to": "",
            "item-name": "who.name",
            "item-identity_number": "card",
            "parameter-0-name": "area",
            "parameter-0-item": "division_code",
            "parameter-0-operator": "eq",
        }
        refused = client.post(f"/work/registered-interfaces/new/{code}/", {**written, "url": "x"})
        assert "接口地址应为" in refused.content.decode()
        client.post(f"/work/registered-interfaces/new/{code}/", written)
        interface = Interface.objects.get()
        assert interface.items == {"name": "who.name", "identity_number": "card"}
        assert interface.parameters[0]["item"] == "division_code"
        page = f"/work/registered-interfaces/{interface.pk}/"
        tried = client.post(f"{page}try/", follow=True)
        assert "试调用通过" in tried.content.decode()
        client.post(f"{page}resume/")
        interface.refresh_from_db()
        assert interface.status == "active"
        assert client.get(f"{page}change/").status_code == 200
        stranger = Client()
        stranger.force_login(scene.provider_head)
        assert stranger.post(f"{page}pause/").status_code == 403

    def test_of_two_who_change_it_the_later_is_told_and_loses_nothing(
        self, scene: Scene, service: Service, now: datetime
    ) -> None:
        interface = registered(scene, service, now)
        address = f"/work/registered-interfaces/{interface.pk}/change/"
        client = signed_in(scene.provider)
        seen = client.get(address).context["form"].initial["revision"]
        sharing.change_interface(
            interface=interface, terms=terms(service, reason="先改的"), actor=scene.provider, at=now
        )
        written = {
            **{k: v for k, v in terms(service).items() if k not in {"items", "parameters"}},
            "hours_from": "",
            "hours_to": "",
            "item-name": "who.name",
            "reason": "后改的",
            "revision": seen,
        }
        refused = client.post(address, written).content.decode()
        assert "后改的" in refused
        interface.refresh_from_db()
        assert interface.reason == "先改的"
        again = client.post(address, {**written, "revision": interface.revision})
        assert again.status_code == 302
        interface.refresh_from_db()
        assert interface.reason == "后改的"
        assert client.post(address, {**written, "revision": ""}).status_code == 200

    def test_those_that_can_be_registered_are_found_and_the_list_is_paged(
        self, scene: Scene, service: Service, now: datetime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        served = registered(scene, service, now)
        others = [
            PublishedDatasetFactory(department=scene.provider_department, name=f"临时救助发放{n}")
            for n in (1, 2)
        ]
        monkeypatch.setattr("apps.sharing.views.registered.FOUND", 1)
        monkeypatch.setattr("apps.sharing.views.registered.PAGE_ROWS", 1)
        client = signed_in(scene.provider)
        page = client.get("/work/registered-interfaces/", {"q": "临时救助"}).content.decode()
        shown = [f"new/{each.dashed_code}/" in page for each in others]
        assert sorted(shown) == [False, True]
        assert "只列出前 1 项" in page
        taken = client.get("/work/registered-interfaces/", {"q": scene.dataset.name})
        assert f"new/{scene.dataset.dashed_code}/" not in taken.content.decode()
        second = sharing.register_interface(
            dataset=others[0], terms=terms(service), actor=scene.provider, at=now
        )
        pages = [
            client.get("/work/registered-interfaces/", {"page": number}).content.decode()
            for number in (1, 2)
        ]
        for each in (served, second):
            assert sum(f"/work/registered-interfaces/{each.pk}/" in page for page in pages) == 1


def test_its_description_has_the_page_and_nothing_else(
    server: None, service: Service, now: datetime
) -> None:
    scene = make_scene()
    started(scene, service, now)
    grant = stories.delivered(scene, now, items={"name": "", "division_code": ""}).grant
    document = openapi(subjects.of_grant(grant), origin="https://portal.example")
    ((_path, operations),) = document["paths"].items()
    assert list(operations) == ["get"]
    names = [each["name"] for each in operations["get"]["parameters"]]
    assert "cursor" not in names
    assert "division_code__in" in names
    assert "_id" not in document["components"]["schemas"]["Record"]["properties"]
    assert "502" in operations["get"]["responses"]


def test_a_needed_filter_stands_in_its_description_and_examples(
    server: None, service: Service, now: datetime
) -> None:
    scene = make_scene()
    needed = [{"name": "a", "item": "division_code", "operator": "eq", "fixed": "",
               "required": True}]  # fmt: skip
    started(scene, service, now, parameters=needed)
    grant = stories.delivered(scene, now, items={"name": "", "division_code": ""}).grant
    (page,) = operations_of(subjects.of_grant(grant))
    assert [each.name for each in page.plain if each.is_required] == ["division_code"]
    for sample in samples.of_operation(page, "https://portal.example"):
        assert "division_code" in sample.text


@pytest.mark.parametrize(
    ("code", "told"), [(10, "证书已过期"), (64, "证书上的名称与接口地址不符"), (7, "signature")]
)
def test_why_a_certificate_is_not_trusted_is_told_in_words(
    code: int, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_given: Any) -> bytes:
        error = ssl.SSLCertVerificationError(1, "certificate verify failed: signature")
        error.verify_code = code
        raise error

    monkeypatch.setattr(asking, "_answer", failing)
    with pytest.raises(ProviderUnreachable) as refusal:
        asking.ask(Interface(timeout_seconds=5), {})
    assert told in str(refusal.value)
