"""Pages about credentials and logins tell what is: days, draws, and where to connect."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from oauth2_provider.models import Application

from apps.core.templatetags.dates import last_day, minute
from apps.sharing import operations as sharing
from apps.sharing.models import Credential, Grant, SupplierAccount
from tests import stories
from tests.factories.accounts import UserFactory
from tests.factories.gateway import credential_of, draw_token, problem
from tests.factories.sharing import Scene
from tests.sharing.test_suppliers import opened
from tests.sharing.test_views import signed_in


def shown(person: Any, address: str) -> str:
    answer = signed_in(person).get(address)
    assert answer.status_code == 200, (address, answer.status_code)
    return answer.content.decode()


def test_supplier_and_provider_are_told_the_last_day_of_use(
    landed_scene: Scene, landed_grant: Grant, now: datetime
) -> None:
    credential_of(landed_scene.system, landed_scene.consumer_head, now)
    row = Credential.objects.get()
    midnight = timezone.localtime(row.expires_at).replace(hour=0, minute=0, second=0, microsecond=0)
    Credential.objects.filter(pk=row.pk).update(expires_at=midnight)
    account: SupplierAccount = opened(landed_scene, now)
    seen = shown(account.user, "/work/supplier/")
    assert f"到 {last_day(midnight)}" in seen
    assert last_day(midnight) < midnight.date().isoformat()
    table = shown(landed_scene.provider, f"/work/tables/{landed_scene.dataset.dashed_code}/")
    assert last_day(landed_grant.expires_at) in table
    assert timezone.localdate(landed_grant.expires_at).isoformat() not in table


@pytest.mark.django_db
class TestCredentialPage:
    def test_no_draw_is_claimed_before_there_was_one(self, scene: Scene) -> None:
        made = credential_of(scene.system, scene.consumer_head, timezone.now())
        row = Credential.objects.select_related("application").get()
        assert row.last_drawn_at is None
        # Made a while ago, drawn now.
        earlier = timezone.now() - timedelta(hours=2)
        Application.objects.update(created=earlier, updated=earlier)
        address = f"/work/credentials/{row.pk}/"
        line = '最近换取令牌</dt><dd class="num">'
        assert f"{line}{minute(None)}<" in shown(scene.consumer_head, address)
        draw_token(made)
        drawn = Credential.objects.select_related("application").get().last_drawn_at
        assert drawn is not None
        assert f"{line}{minute(drawn)}<" in shown(scene.consumer_head, address)

    def test_the_older_one_ends_on_the_day_chosen_and_is_not_replaced_twice(
        self, scene: Scene
    ) -> None:
        now = timezone.now()
        credential_of(scene.system, scene.consumer_head, now)
        row = Credential.objects.get()
        replacing = f"/work/credentials/{row.pk}/replace/"
        assert replacing in shown(scene.consumer_head, f"/work/credentials/{row.pk}/")
        last = timezone.localdate(now) + timedelta(days=3)
        newer = sharing.replace_credential(
            credential=row, ends_on=last, actor=scene.consumer_head, at=now
        )
        page = shown(scene.consumer_head, f"/work/credentials/{newer.pk}/")
        assert f"新凭证领取之后可用至 {last.isoformat()}" in page
        assert last_day(row.expires_at) not in page
        assert replacing not in shown(scene.consumer_head, f"/work/credentials/{row.pk}/")
        sharing.collect_credential(credential=newer, actor=scene.consumer_head, at=now)
        sharing.void_credentials(
            credentials=Credential.objects.filter(pk=row.pk),
            reason="泄露",
            actor=scene.consumer_head,
            at=now,
        )
        page = shown(scene.consumer_head, f"/work/credentials/{newer.pk}/")
        assert f"可用至 {last.isoformat()}" not in page


def test_a_login_is_told_the_address_at_which_the_server_listens(
    landed_scene: Scene, now: datetime, settings: Any
) -> None:
    items = {"identity_number": "cover_identity", "name": ""}
    grant = stories.delivered(landed_scene, now, mode="database", items=items).grant
    operator = UserFactory(department=landed_scene.authority.department, roles=["system_admin"])
    settings.GATEWAY = {**settings.GATEWAY, "host": "/srv/portal/socket", "port": 5432}
    page = shown(operator, f"/work/grants/{grant.pk}/login/")
    assert "host=/srv/portal/socket dbname=" in page
    assert "只能在平台所在的机器上执行" in page
    settings.GATEWAY = {**settings.GATEWAY, "host": "db.internal", "port": 6432}
    page = shown(operator, f"/work/grants/{grant.pk}/login/")
    assert "host=testserver port=6432 dbname=" in page
    assert "只能在平台所在的机器上执行" not in page


def test_too_many_values_of_one_filter_are_counted_in_the_answer(
    client: Client, address: str
) -> None:
    values = ",".join(f"v{number}" for number in range(1001))
    told = problem(client.get(address, {"name__in": values}), 400)
    assert told["code"] == "invalid_value"
    assert "1000" in told["detail"]
    assert "1001" in told["detail"]
