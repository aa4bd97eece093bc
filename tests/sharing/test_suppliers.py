"""供应商账号: bound to one system, dated, and without any data, whatever address is tried."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from apps.accounts.models import InformationSystem, User
from apps.core import access
from apps.core.errors import Conflict, DomainError, IllegalMove, InvalidInput, NotAllowed
from apps.ledger.models import Event, Notice
from apps.sharing import operations as sharing
from apps.sharing.lifecycle import SUPPLIER_ACCOUNT
from apps.sharing.models import Credential, Grant, SupplierAccount
from apps.sharing.operations.serving.suppliers import _end_by_itself
from apps.sharing.views import lists
from tests import stories
from tests.conftest import CAST
from tests.factories.accounts import (
    OUT_OF_SERVICE,
    InformationSystemFactory,
    OutOfService,
    UserFactory,
)
from tests.factories.gateway import credential_of
from tests.factories.sharing import ROWS, Scene, make_scene
from tests.sharing.fingerprint import fingerprint
from tests.sharing.test_views import signed_in

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
CONFINED = {
    ("accounts.InformationSystem", "view_confined"),
    ("sharing.Credential", "view_confined"),
    ("sharing.Grant", "view_confined"),
}
OWN = ("/work/supplier/", "/accounts/")
PURPOSE = "只在这项授权里写着的用途"
ASKED_DISTRICT = "500999"  # a code that only this grant's row condition names


def opened(scene: Scene, at: datetime, **more: Any) -> SupplierAccount:
    today = timezone.localdate(at)
    given: dict[str, Any] = {
        "system": scene.system,
        "username": f"engineer-{scene.system.pk}",
        "name": "工程师",
        "firm": "某软件公司",
        "basis": "运维合同 2026-18",
        "starts_on": today,
        "ends_on": today + 90 * DAY,
        "actor": scene.consumer_head,
        **more,
    }
    account = sharing.open_supplier(at=at, **given).account
    # He has changed the password with which he first signed in.
    User.objects.filter(pk=account.user_id).update(password_changed_at=timezone.now())
    account.user.refresh_from_db()
    return account


def ended_because(account: SupplierAccount) -> str:
    """Return why an account ended by itself, as row, event and notice agree."""
    account.refresh_from_db()
    assert account.status == "ended"
    event = Event.objects.get(verb="sharing.end_supplier", subject_id=str(account.pk))
    told = Notice.objects.filter(subject_id=str(account.pk), title__startswith="供应商账号已关闭")
    assert event.details["reason"] == account.close_reason
    assert account.close_reason in told.latest("pk").body
    return account.close_reason


class TestOpening:
    def test_a_person_without_department_or_role_bound_to_one_system(
        self, scene: Scene, at: datetime
    ) -> None:
        made = sharing.open_supplier(
            system=scene.system, username="engineer", name="工程师", firm="某软件公司",
            basis="运维合同 2026-18", starts_on=timezone.localdate(at),
            ends_on=timezone.localdate(at) + DAY, actor=scene.consumer_head, at=at,
        )  # fmt: skip
        user = made.account.user
        assert (user.kind, user.department, user.is_staff) == ("supplier", None, False)
        assert not user.role_assignments.exists()
        assert user.check_password(made.password)
        assert user.password_changed_at is None  # to be changed at the first sign-in
        assert made.password not in str(list(Event.objects.values_list("details", flat=True)))
        event = Event.objects.get(verb="sharing.open_supplier", outcome="done")
        assert event.details["firm"] == "某软件公司"

    @pytest.mark.parametrize(
        ("wrong", "field"),
        [
            ({"firm": " "}, "firm"),
            ({"basis": ""}, "basis"),
            ({"name": ""}, "name"),
            ({"username": " "}, "username"),
            ({"starts_on": date(2026, 11, 17)}, "starts_on"),
            ({"ends_on": date(2026, 11, 17)}, "ends_on"),
            ({"ends_on": date(2027, 11, 20)}, "ends_on"),
        ],
    )
    def test_a_wrong_one_changes_nothing(
        self, scene: Scene, at: datetime, wrong: dict[str, Any], field: str
    ) -> None:
        before = fingerprint()
        with pytest.raises(InvalidInput) as refusal:
            opened(scene, at, **wrong)
        assert refusal.value.details["field"] == field
        assert fingerprint() == before

    def test_a_name_that_is_taken_changes_nothing(self, scene: Scene, at: datetime) -> None:
        before = fingerprint()
        with pytest.raises(Conflict):
            opened(scene, at, username=scene.consumer.username)
        assert fingerprint() == before

    @pytest.mark.parametrize("end", OUT_OF_SERVICE)
    def test_only_the_head_for_a_system_of_his_own_in_service(
        self, scene: Scene, at: datetime, end: OutOfService
    ) -> None:
        other = make_scene()
        admin = UserFactory(department=scene.authority.department, roles=["system_admin"])
        before = fingerprint()
        for who in (scene.consumer, scene.provider_head, other.consumer_head, admin):
            with pytest.raises(NotAllowed):
                opened(scene, at, actor=who)
        assert fingerprint() == before
        end(scene.system)
        with pytest.raises(NotAllowed):
            opened(scene, at)
        assert not SupplierAccount.objects.exists()


class TestEnding:
    def test_closed_it_is_out_at_once(self, scene: Scene, now: datetime) -> None:
        account = opened(scene, now)
        client = signed_in(account.user)
        assert client.get("/work/supplier/").status_code == 200
        sharing.close_supplier(account=account, actor=scene.consumer_head, at=now, reason="离职")
        assert client.get("/work/supplier/")["Location"].startswith("/accounts/login/")
        account.refresh_from_db()
        account.user.refresh_from_db()
        assert (account.status, account.close_reason) == ("closed", "离职")
        assert not account.user.is_active

    def test_it_is_warned_of_once_and_ends_on_its_day(self, scene: Scene, at: datetime) -> None:
        account = opened(scene, at)
        last = at + 90 * DAY
        of_head = Notice.objects.filter(recipient=scene.consumer_head)
        assert sharing.keep_suppliers(last - 8 * DAY) == {"ended": 0, "warned": 0}
        assert sharing.keep_suppliers(last - 7 * DAY) == {"ended": 0, "warned": 1}
        assert sharing.keep_suppliers(last) == {"ended": 0, "warned": 0}
        assert of_head.filter(title__startswith="供应商账号即将到期").count() == 1
        assert sharing.keep_suppliers(last + DAY) == {"ended": 1, "warned": 0}
        assert sharing.keep_suppliers(last + DAY) == {"ended": 0, "warned": 0}
        assert ended_because(account) == "期满"
        assert not User.objects.get(pk=account.user_id).is_active
        assert of_head.filter(title__startswith="供应商账号已关闭").count() == 1

    @pytest.mark.parametrize("end", OUT_OF_SERVICE)
    def test_an_account_of_a_system_out_of_service_shows_nothing_and_ends(
        self, scene: Scene, now: datetime, end: OutOfService
    ) -> None:
        account = opened(scene, now)
        assert access.rows(account.user, "view_confined", InformationSystem).exists()
        end(scene.system)
        assert not access.rows(account.user, "view_confined", InformationSystem).exists()
        assert sharing.keep_suppliers(now) == {"ended": 1, "warned": 0}
        assert ended_because(account) == "信息系统已停用"
        page = signed_in(scene.consumer_head).get(f"/work/suppliers/{account.pk}/")
        assert "信息系统已停用" in page.content.decode()

    @pytest.mark.parametrize(("starts", "ends"), [(-3, -1), (1, 3)])
    def test_before_and_after_its_days_nobody_gets_in_though_no_task_ran(
        self, scene: Scene, now: datetime, starts: int, ends: int
    ) -> None:
        account = opened(scene, now)
        stories.grant_in("in_force", scene, now)
        today = timezone.localdate(now)
        SupplierAccount.objects.filter(pk=account.pk).update(
            starts_on=today + starts * DAY, ends_on=today + ends * DAY
        )
        client = signed_in(account.user)
        assert client.get("/work/supplier/")["Location"].startswith("/accounts/login/")
        for model in (InformationSystem, Grant, Credential):
            assert not access.rows(account.user, "view_confined", model).exists()

    def test_extended_it_lasts_and_is_warned_of_anew(self, scene: Scene, at: datetime) -> None:
        account = opened(scene, at)
        sharing.keep_suppliers(at + 85 * DAY)
        moment = at + 86 * DAY
        longer = account.ends_on + 100 * DAY
        sharing.extend_supplier(
            account=account, ends_on=longer, basis="续签合同", actor=scene.consumer_head, at=moment
        )
        account.refresh_from_db()
        assert (account.ends_on, account.basis, account.warned_at) == (longer, "续签合同", None)
        for wrong in ({"ends_on": longer}, {"ends_on": longer + 400 * DAY}, {"basis": " "}):
            given: dict[str, Any] = {"ends_on": longer + DAY, "basis": "x", **wrong}
            before = fingerprint()
            with pytest.raises(InvalidInput):
                sharing.extend_supplier(
                    account=account, actor=scene.consumer_head, at=moment, **given
                )
            assert fingerprint() == before

    def test_one_that_was_extended_meanwhile_is_not_ended(self, scene: Scene, at: datetime) -> None:
        account = opened(scene, at)
        late = at + 91 * DAY
        seen = SupplierAccount.objects.select_related("user", "system__department").get()
        sharing.extend_supplier(
            account=account,
            ends_on=timezone.localdate(late) + 30 * DAY,
            basis="补充协议",
            actor=scene.consumer_head,
            at=late,
        )
        before = fingerprint()
        _end_by_itself(seen, late)
        assert fingerprint() == before

    def test_strangers_change_nothing_and_what_is_over_stays_over(
        self, scene: Scene, at: datetime
    ) -> None:
        account = opened(scene, at)
        acts: list[Any] = [
            lambda who: sharing.close_supplier(account=account, actor=who, at=at, reason="x"),
            lambda who: sharing.extend_supplier(
                account=account, ends_on=account.ends_on + DAY, basis="x", actor=who, at=at
            ),
        ]
        before = fingerprint()
        for act in acts:
            for who in (scene.consumer, scene.provider_head, scene.authority, account.user):
                with pytest.raises(NotAllowed):
                    act(who)
        for reason in (" ", "长" * 301):
            with pytest.raises(InvalidInput):
                sharing.close_supplier(
                    account=account, actor=scene.consumer_head, at=at, reason=reason
                )
            assert fingerprint() == before
        security = UserFactory(department=scene.authority.department, roles=["security_admin"])
        sharing.close_supplier(account=account, actor=security, at=at, reason="违规")
        before = fingerprint()
        for act in acts:
            with pytest.raises(DomainError):
                act(scene.consumer_head)
        assert fingerprint() == before

    @pytest.mark.parametrize("status", SupplierAccount.Status.values)
    @pytest.mark.parametrize("move", [each.name for each in SUPPLIER_ACCOUNT.moves])
    def test_every_pair_of_status_and_move(
        self, scene: Scene, at: datetime, status: str, move: str
    ) -> None:
        account = opened(scene, at)
        if status == "closed":
            sharing.close_supplier(account=account, actor=scene.consumer_head, at=at, reason="离职")
        elif status == "ended":
            sharing.keep_suppliers(at + 91 * DAY)
        account.refresh_from_db()
        end: dict[str, Any] = {
            "closed_at": at,
            "closed_by": scene.consumer_head,
            "close_reason": "x",
        }
        if status == "open":
            SUPPLIER_ACCOUNT.apply(account, move, actor=None, at=at, reason="x", **end)
            assert account.status == SUPPLIER_ACCOUNT.move(move).target
        else:
            with pytest.raises(IllegalMove):
                SUPPLIER_ACCOUNT.apply(account, move, actor=None, at=at, reason="x", **end)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"ends_on": date(2026, 1, 1)}, "days_in_order"),
        ({"firm": ""}, "says_who_and_why"),
        ({"basis": ""}, "says_who_and_why"),
        ({"status": "ended"}, "over_has_moment"),
        ({"close_reason": "x"}, "over_has_moment"),
        ({"status": "closed", "closed": True}, "closed_has_reason"),
    ],
)
def test_the_database_holds_the_rules(
    scene: Scene, at: datetime, change: dict[str, Any], rule: str
) -> None:
    account = opened(scene, at)
    fields = dict(change)
    if fields.pop("closed", False):
        fields |= {"closed_at": at, "closed_by": scene.consumer_head}
    name = f"sharing_supplieraccount_{rule}"
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        SupplierAccount.objects.filter(pk=account.pk).update(**fields)


def test_a_supplier_belongs_to_no_department(scene: Scene, at: datetime) -> None:
    user = opened(scene, at).user
    with pytest.raises(IntegrityError, match="supplier_has_no_department"), transaction.atomic():
        User.objects.filter(pk=user.pk).update(department=scene.consumer_department)


def test_the_list_goes_on_as_far_as_there_are_accounts(
    scene: Scene, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "PAGE_ROWS", 2)
    accounts = [opened(scene, now, username=f"engineer-{number}") for number in range(3)]
    head = signed_in(scene.consumer_head)
    page = head.get("/work/suppliers/", {"state": "open"}).context["page"]
    assert (page.rows, page.total) == ([accounts[2], accounts[1]], 3)
    rest = head.get(f"/work/suppliers/{page.next_url}").context["page"]
    assert (rest.rows, rest.next_url) == ([accounts[0]], "")


class World:
    """A supplier, his system with everything that there may be of one, and others beside it."""

    def __init__(self, scene: Scene, now: datetime) -> None:
        self.account = opened(scene, now)
        self.grant = stories.delivered(
            scene,
            now,
            mode="file",
            scenario=PURPOSE,
            row_condition=[
                {"item": "division_code", "operator": "in", "value": ["500103", ASKED_DISTRICT]}
            ],
        ).grant
        credential_of(scene.system, scene.consumer_head, now)
        self.beside = InformationSystemFactory(department=scene.consumer_department)
        credential_of(self.beside, scene.consumer_head, now)
        self.other = stories.delivered(make_scene(), now).grant

    @property
    def user(self) -> User:
        return User.objects.get(pk=self.account.user_id)


@pytest.fixture
def world(landed_scene: Scene, now: datetime) -> World:
    return World(landed_scene, now)


class TestWhatHeSees:
    def test_his_system_its_interfaces_and_that_there_are_credentials(
        self, world: World, landed_scene: Scene
    ) -> None:
        user = world.user
        seen = {
            model: set(access.rows(user, "view_confined", model).values_list("pk", flat=True))
            for model in (InformationSystem, Grant, Credential)
        }
        assert seen[InformationSystem] == {landed_scene.system.pk}
        assert seen[Grant] == {world.grant.pk}
        own = Credential.objects.filter(system=landed_scene.system)
        assert seen[Credential] == set(own.values_list("pk", flat=True))
        client = signed_in(user)
        home = client.get("/work/supplier/").content.decode()
        assert landed_scene.system.name in home
        assert world.beside.name not in home
        assert own.get().client_id not in home
        page = client.get(f"/work/supplier/interfaces/{world.grant.pk}/").content.decode()
        assert "identity_number" in page
        assert client.get(f"/work/supplier/interfaces/{world.other.pk}/").status_code == 404
        assert_no_data(home, page)

    def test_nobody_else_is_admitted_to_his_pages(
        self, cast: dict[str, Any], world: World, landed_scene: Scene
    ) -> None:
        people = [*(cast[name] for name in CAST), landed_scene.consumer_head]
        for who in people:
            for model in (InformationSystem, Grant, Credential):
                assert not access.rows(who, "view_confined", model).exists()
        page = signed_in(landed_scene.consumer_head).get("/work/supplier/")
        assert page.status_code == 404

    def test_no_rule_admits_him_to_anything_else(self, world: World) -> None:
        """Default deny: every scope and every ability, those of tomorrow too."""
        user = world.user
        admitted = {
            (model._meta.label, action)
            for model, action in access.scopes()
            if access.rows(user, action, model).exists()
        }
        assert admitted - {("accounts.Region", "view")} == CONFINED
        able = [
            (model._meta.label, action)
            for model, action in access.abilities()
            if access.able(user, action, model)
        ]
        assert able == []

    def test_no_address_serves_him_anything_of_the_data(
        self, world: World, landed_scene: Scene
    ) -> None:
        client = signed_in(world.user)
        tried = 0
        for path in every_address(world, landed_scene):
            if path.startswith("/accounts/logout"):
                continue
            for answer in (client.get(path), client.post(path, {})):
                tried += 1
                if answer.status_code == 302:
                    allowed = ("/work/", "/accounts/") if path.startswith("/accounts/") else OWN
                    assert answer["Location"].startswith(allowed), path
                    continue
                own = path.startswith(("/work/supplier/", "/accounts/", "/i18n/", "/language"))
                assert own or answer.status_code in (401, 403, 404, 405), path
                assert_no_data(body_of(answer))
        assert tried > 500

    def test_without_the_gate_the_rules_alone_keep_all_from_him(
        self, world: World, landed_scene: Scene, settings: Any
    ) -> None:
        """The two walls are independent: with the middleware gone no page shows a thing."""
        settings.MIDDLEWARE = [
            each for each in settings.MIDDLEWARE if each != "apps.sharing.middleware.Confined"
        ]
        client = signed_in(world.user)
        assert client.get("/work/requests/").status_code == 200  # the gate is gone indeed
        client.raise_request_exception = False
        for path in every_address(world, landed_scene):
            if path.startswith(("/accounts/logout", "/admin/logout")):
                continue
            assert_no_data(body_of(client.get(path)))


def body_of(answer: Any) -> str:
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return bytes(content).decode(errors="replace")


def assert_no_data(*bodies: str) -> None:
    """Check that no value of a row, no purpose and no row condition stands in it."""
    for body in bodies:
        for row in ROWS[2:]:  # the first two stand as examples in the description of the API
            assert row[0] not in body
        assert PURPOSE not in body
        assert ASKED_DISTRICT not in body


def every_address(world: World, scene: Scene) -> Iterator[str]:
    """Yield every address there is, with the numbers of what the supplier must not see."""
    values = {
        "pk": world.grant.pk,
        "code": scene.dataset.dashed_code,
        "grant": world.grant.pk,
        "id": world.grant.pk,
        "object_id": world.grant.pk,
        "name": "suspend",
        "number": 1,
    }
    yield from _addresses(get_resolver().url_patterns, "/", values)


def _addresses(patterns: Any, before: str, values: dict[str, Any]) -> Iterator[str]:
    for pattern in patterns:
        written = before + _written(pattern, values)
        if isinstance(pattern, URLResolver):
            yield from _addresses(pattern.url_patterns, written, values)
        elif isinstance(pattern, URLPattern):
            yield written


def _written(pattern: Any, values: dict[str, Any]) -> str:
    """Write a piece of an address: converters by their names, expressions by their groups."""
    import re

    text = str(pattern.pattern)
    text = re.sub(
        r"<(?:\w+:)?(\w+)>",
        lambda found: str(values.get(found[1], 1)),
        re.sub(r"\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)", r"<\1>", text),
    )
    return (
        text.replace("^", "")
        .replace("\\Z", "")
        .replace("$", "")
        .replace("\\", "")
        .replace("/?", "/")
    )


class TestPages:
    def test_the_head_opens_extends_and_closes(self, scene: Scene, now: datetime) -> None:
        head = signed_in(scene.consumer_head)
        system = head.get(f"/work/systems/{scene.system.pk}/").content.decode()
        place = f"/work/systems/{scene.system.pk}/suppliers/new/"
        assert place in system
        today = timezone.localdate(now)
        written = {
            "name": "工程师", "username": "engineer", "firm": "某软件公司", "basis": "运维合同",
            "starts_on": today.isoformat(), "ends_on": (today + 30 * DAY).isoformat(),
        }  # fmt: skip
        wrong = head.post(place, {**written, "ends_on": "2020-01-01"}).content.decode()
        assert "截止日期不能早于开始日期" in wrong
        assert not SupplierAccount.objects.exists()
        page = head.post(place, written).content.decode()
        assert "只显示这一次" in page
        account = SupplierAccount.objects.get()
        assert "某软件公司" in head.get(f"/work/systems/{scene.system.pk}/").content.decode()
        own = f"/work/suppliers/{account.pk}/"
        later = (today + 60 * DAY).isoformat()
        head.post(own, {"move": "extend_supplier", "extend-ends_on": later, "extend-basis": "续签"})
        account.refresh_from_db()
        assert account.ends_on.isoformat() == later
        head.post(own, {"move": "close_supplier", "close-reason": "离职"})
        account.refresh_from_db()
        assert account.status == "closed"
        shown = head.get("/work/suppliers/", {"state": "closed", "q": "某软件"}).content.decode()
        assert "工程师" in shown
        assert 'name="state" value="closed"' in shown
        none = head.get("/work/suppliers/", {"state": "open"}).content.decode()
        assert "没有符合条件的供应商账号" in none

    def test_others_neither_see_nor_touch_it(self, scene: Scene, now: datetime) -> None:
        account = opened(scene, now)
        stranger = signed_in(make_scene().consumer_head)
        assert stranger.get(f"/work/suppliers/{account.pk}/").status_code == 404
        assert stranger.get(f"/work/systems/{scene.system.pk}/suppliers/new/").status_code == 404
        editor = signed_in(scene.consumer)
        place = f"/work/suppliers/{account.pk}/"
        assert editor.get(place).status_code == 200
        answer = editor.post(place, {"move": "close_supplier", "close-reason": "x"})
        assert answer.status_code == 403

    def test_he_comes_in_at_his_own_page_and_changes_his_password(
        self, scene: Scene, now: datetime
    ) -> None:
        client: Client = signed_in(opened(scene, now).user)
        assert client.get("/work/")["Location"] == "/work/supplier/"
        assert client.get("/accounts/password/change/").status_code == 200
        answer = client.get("/api/v1/grants")
        assert answer.status_code == 403
        assert answer.json()["code"] == "not_allowed"

    def test_the_second_factor_is_asked_of_him_too(
        self, scene: Scene, now: datetime, settings: Any
    ) -> None:
        settings.HUILIU_SECOND_FACTOR_REQUIRED = True
        client = signed_in(opened(scene, now).user)
        assert "2fa" in client.get("/work/supplier/")["Location"]
