"""What the authority keeps for all: who may, what follows from a code, what is written down."""

from datetime import datetime
from typing import Any, Final

import pytest
from django.conf import settings
from django.test import Client

from apps.catalog import operations as catalog
from apps.catalog import search
from apps.catalog.models import Classification, Dataset, SearchEntry, Synonym, UpwardValue
from apps.catalog.operations.keeping import save_classification, save_upward_value
from apps.core import access
from apps.core.errors import InvalidInput, NotAllowed
from apps.ledger.models import Event
from tests.catalog.stories import People
from tests.conftest import CAST
from tests.factories.catalog import ClassificationFactory

pytestmark = pytest.mark.django_db
OVERSEERS: Final = {"authority", "authority_leader", "auditor"}


def node(code: str, name: str = "某分类") -> Classification:
    return Classification(code=code, name=name)


def enter(people: People, at: datetime, theme: Classification) -> Dataset:
    return catalog.create_dataset(
        actor=people.editor, at=at, classification=theme, name="临时救助信息"
    )


def client_of(person: Any) -> Client:
    client = Client()
    client.force_login(person, backend=settings.AUTHENTICATION_BACKENDS[1])
    return client


def test_a_local_theme_is_added_on_a_page_and_entries_are_numbered_by_it(
    people: People, authority: Any, at: datetime
) -> None:
    client = client_of(authority)
    for code, name in (("2", "主题信息资源"), ("213", "渝快办专题"), ("213001", "一件事一次办")):
        page = client.post("/admin/catalog/classification/add/", {"code": code, "name": name})
        assert page.status_code == 302, page.content.decode()[:2000]
    made = Classification.objects.get(code="213001")
    assert made.parent is not None
    assert (made.level, made.parent.code) == (3, "213")
    assert Event.objects.filter(verb="catalog.save_classification").count() == 3
    assert enter(people, at, made).code == "213001/000001"
    page = client.get("/work/datasets/")
    assert "渝快办专题" in page.content.decode()


def test_a_code_needs_the_one_above_and_stays(authority: Any, at: datetime) -> None:
    with pytest.raises(InvalidInput):
        save_classification(classification=node("214001"), actor=authority, at=at)
    save_classification(classification=node("2"), actor=authority, at=at)
    made = save_classification(classification=node("214"), actor=authority, at=at)
    made.code = "215"
    with pytest.raises(InvalidInput):
        save_classification(classification=made, actor=authority, at=at)
    assert set(Classification.objects.values_list("code", flat=True)) == {"2", "214"}


def test_entries_are_found_by_the_new_name_of_their_class(
    people: People, authority: Any, at: datetime
) -> None:
    theme = ClassificationFactory()
    dataset = enter(people, at, theme)
    theme.name = "社会救助专题"
    Classification.objects.get_or_create(code=theme.code[:3], defaults={"name": "项", "level": 2})
    save_classification(classification=theme, actor=authority, at=at)
    found = search.Search(SearchEntry.objects.all(), search.Filters(q="救助专题"))
    assert found.page(size=5).keys == [dataset.pk]


@pytest.mark.parametrize(
    ("kind", "given", "kept"),
    [
        ("cycle", "每月", "monthly"),
        ("cycle", "monthly", "monthly"),
        ("attribute", "不予共享", "not_shared"),
        ("format", "数据库", "database"),
    ],
)
def test_our_value_is_given_in_words_or_as_it_is_kept(
    authority: Any, at: datetime, kind: str, given: str, kept: str
) -> None:
    value = UpwardValue(level="provincial", kind=kind, ours=given, theirs="X")
    save_upward_value(upward_value=value, actor=authority, at=at)
    assert UpwardValue.objects.get().ours == kept


def test_a_value_that_is_not_ours_is_refused_on_the_page(authority: Any) -> None:
    client = client_of(authority)
    given = {"level": "provincial", "kind": "cycle", "ours": "每学期", "theirs": "学期"}
    page = client.post("/admin/catalog/upwardvalue/add/", given)
    assert "没有这个值" in page.content.decode()
    assert not UpwardValue.objects.exists()
    assert (
        client.post("/admin/catalog/upwardvalue/add/", {**given, "ours": "每月"}).status_code == 302
    )
    row = UpwardValue.objects.get()
    client.post(f"/admin/catalog/upwardvalue/{row.pk}/delete/", {"post": "yes"})
    assert not UpwardValue.objects.exists()
    verbs = ("catalog.save_upward_value", "catalog.delete_upward_value")
    assert [Event.objects.filter(verb=verb, outcome="done").count() for verb in verbs] == [1, 1]


def test_synonyms_leave_their_trace(authority: Any) -> None:
    client = client_of(authority)
    client.post("/admin/catalog/synonym/add/", {"word": "低保", "others": ["最低生活保障"]})
    word = Synonym.objects.get()
    client.post(f"/admin/catalog/synonym/{word.pk}/delete/", {"post": "yes"})
    assert not Synonym.objects.exists()
    verbs = ("catalog.save_synonym", "catalog.delete_synonym")
    assert [Event.objects.filter(verb=verb, outcome="done").count() for verb in verbs] == [1, 1]


def test_who_keeps_how_values_are_written_above(cast: dict[str, Any], at: datetime) -> None:
    value = UpwardValue.objects.create(level="national", kind="cycle", ours="daily", theirs="日")
    expected = {"view": OVERSEERS, "change": {"authority"}, "delete": {"authority"}}
    assert set(access.actions_of(UpwardValue)) == set(expected)
    for action, admitted in expected.items():
        assert {w for w in CAST if access.allowed(cast[w], action, value, at=at)} == admitted
    assert {w for w in CAST if access.able(cast[w], "create", UpwardValue, at=at)} == {"authority"}
    before = Event.objects.filter(outcome="done").count()
    for who in set(CAST) - {"authority"}:
        with pytest.raises(NotAllowed):
            save_upward_value(upward_value=value, actor=cast[who], at=at)
        with pytest.raises(NotAllowed):
            save_classification(classification=node("2"), actor=cast[who], at=at)
        with pytest.raises(NotAllowed):
            catalog.save_synonym(synonym=Synonym(word="低保"), actor=cast[who], at=at)
    assert Event.objects.filter(outcome="done").count() == before
    assert not Classification.objects.exists()
