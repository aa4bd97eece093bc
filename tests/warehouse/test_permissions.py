"""Who may see and hand in: the cast, by action; and list and row agree."""

from typing import Any

import pytest

from apps.accounts.models import User
from apps.catalog.models import Dataset
from apps.core import access
from apps.warehouse.models import Batch, DataTable, Rejection, Store
from tests.factories.accounts import DelegationFactory, InformationSystemFactory, UserFactory
from tests.factories.warehouse import AT, IDENTITIES, landed

pytestmark = pytest.mark.django_db

CONTENT = (
    "identity_number,name,born_on,mobile,amount,grade\n"
    f"{IDENTITIES[0]},张三,1990-01-01,13800000000,1.50,甲\n"
    f"{IDENTITIES[1]},李四,1990-13-01,13800000000,1.50,丁\n"
)
OVERSEERS = {"authority", "authority_leader", "auditor"}
STAFF = {"provider", "provider_head", "own_system"}
MAY: dict[tuple[type[Any], str], set[str]] = {
    (Dataset, "land"): {"provider", "own_system"},
    (Dataset, "view_landing"): STAFF | OVERSEERS,
    (Batch, "view"): STAFF | OVERSEERS,
    (Batch, "view_rejections"): STAFF,
    (Batch, "release"): {"provider_head"},
    (Batch, "mend"): {"provider", "own_system"},
    (Rejection, "view"): STAFF,
    (Store, "view"): STAFF | OVERSEERS | {"system_admin"},
    (DataTable, "view"): STAFF | OVERSEERS | {"system_admin"},
}


@pytest.fixture
def people(cast: dict[str, Any], provider_department: Any, consumer_department: Any) -> Any:
    own = InformationSystemFactory(department=provider_department)
    other = InformationSystemFactory(department=consumer_department)
    stopped = InformationSystemFactory(department=provider_department)
    User.objects.filter(pk=stopped.service_user_id).update(is_active=False)
    stopped.service_user.refresh_from_db()
    return cast | {
        "own_system": own.service_user,
        "other_system": other.service_user,
        "stopped_system": stopped.service_user,
        "colleague": UserFactory(department=provider_department),
    }


@pytest.mark.parametrize(("model", "action"), MAY)
def test_exactly_these_may(
    people: dict[str, Any], dataset: Dataset, provider: Any, model: type[Any], action: str
) -> None:
    batch = landed(dataset, CONTENT, actor=provider)
    assert batch.table is not None
    row: Any = {
        Dataset: dataset,
        Batch: batch,
        Rejection: batch.rejections.get(),
        Store: batch.table.store,
        DataTable: batch.table,
    }[model]
    one_by_one = {name for name, person in people.items() if access.allowed(person, action, row)}
    in_lists = {
        name
        for name, person in people.items()
        if access.rows(person, action, model).filter(pk=row.pk).exists()
    }
    assert one_by_one == in_lists == MAY[model, action]


def test_a_stand_in_may_what_his_principal_may(dataset: Dataset, provider: Any) -> None:
    deputy = UserFactory(department=provider.department)
    assert not access.allowed(deputy, "land", dataset, at=AT)
    DelegationFactory(principal=provider, deputy=deputy)
    deputy.forget_standing()
    batch = landed(dataset, CONTENT, actor=deputy)
    assert batch.status == "landed"
