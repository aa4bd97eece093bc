"""The screens of demands: who opens what, which buttons stand there, what is exported."""

import csv
import io
import re
from datetime import datetime, time
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from apps.catalog.forms.demands import WantedItemsField, read_items
from apps.catalog.lifecycle import DEMAND
from apps.catalog.models import Demand
from apps.clocks import queries as clocks
from apps.clocks.derivation import ZONE
from apps.core import access
from tests.catalog.demand_stories import REASON, STORIES, WRITTEN, Parties, entry_of
from tests.factories.accounts import UserFactory
from tests.factories.catalog import PublishedDatasetFactory

ELSEWHERE = {"take_up", "deliver", "resume"}


def signed_in(user: Any) -> Client:
    client = Client()
    client.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[1])
    return client


@pytest.mark.parametrize("status", sorted(STORIES))
def test_the_buttons_are_the_lifecycle_and_what_the_person_may(
    parties: Parties, at: datetime, status: str
) -> None:
    demand = STORIES[status](parties, at)
    for user in (parties.editor, parties.head, parties.officer, parties.provider):
        answer = signed_in(user).get(demand.get_absolute_url())
        if not access.allowed(user, "view", demand):
            assert answer.status_code == 404
            continue
        page = answer.content.decode()
        shown = set(re.findall(r'href="/work/demands/\d+/move/([a-z_]+)/"', page))
        expected = {
            move.name
            for move in DEMAND.moves_from(status)
            if move.name not in ELSEWHERE and access.allowed(user, move.name, demand)
        }
        assert shown == expected, user


def test_a_demand_goes_the_whole_way_by_the_screens(parties: Parties, at: datetime) -> None:
    client = signed_in(parties.editor)
    form = {
        "title": "困难群众救助对象信息",
        "wanted_items": "公民身份号码\n救助类别：低保、特困",
        "scenario": WRITTEN["scenario"],
        "basis": WRITTEN["basis"],
        "contact_name": "联系人",
        "contact_phone": "023-6000",
        "submit": "1",
    }
    answer = client.post(reverse("catalog:demand-new"), form)
    demand = Demand.objects.get()
    assert answer.headers["Location"] == f"/work/demands/{demand.pk}/move/submit/"
    assert demand.wanted_items[1] == {"name": "救助类别", "note": "低保、特困"}
    _post(parties.editor, demand, "submit")
    _post(parties.head, demand, "approve")
    _post(parties.officer, demand, "forward", provider=parties.provider.department_id)
    _post(
        parties.provider,
        demand,
        "propose",
        proposal="agree",
        outcome="new_entry",
        promised_on="2099-12-01",
        reason="年内编目",
    )
    shown = signed_in(parties.editor).get(demand.get_absolute_url()).content.decode()
    assert "年内编目" not in shown, "what is not signed is not told"
    _post(parties.provider_head, demand, "agree")
    assert "年内编目" in signed_in(parties.editor).get(demand.get_absolute_url()).content.decode()
    _post(parties.provider, demand, "fulfil", dataset=entry_of(parties).pk)
    _post(parties.editor, demand, "close")
    assert demand.status == "closed"


def test_whoever_answers_chooses_among_the_own_entries_that_fit(
    parties: Parties, at: datetime
) -> None:
    demand = STORIES["forwarded"](parties, at)
    fitting = PublishedDatasetFactory(department=parties.provider.department, name=demand.title)
    PublishedDatasetFactory(name=f"{demand.title}（别的部门）")
    client = signed_in(parties.provider)
    url = reverse("catalog:demand-move", args=[demand.pk, "propose"])
    shown = client.get(url)
    assert [match.dataset for match in shown.context["matches"]] == [fitting]
    form = client.get(f"{url}?dataset={fitting.dashed_code}").context["form"]
    assert (form["proposal"].value(), form["outcome"].value()) == ("agree", "existing")
    assert form["dataset"].value() == fitting.pk


def _post(user: Any, demand: Demand, move: str, **words: Any) -> None:
    demand.refresh_from_db()
    url = reverse("catalog:demand-move", args=[demand.pk, move])
    client = signed_in(user)
    assert client.get(url).status_code == 200
    answer = client.post(url, {"revision": demand.revision, **words})
    assert answer.status_code == 302, re.findall(r"<li>.*?</li>", answer.content.decode())
    demand.refresh_from_db()
    assert demand.status == DEMAND.move(move).target


def test_what_is_lacking_is_asked_for_on_the_form(parties: Parties, at: datetime) -> None:
    client = signed_in(parties.editor)
    form = {"title": "困难群众救助对象信息", "wanted_items": "姓名", "submit": "1"}
    answer = client.post(reverse("catalog:demand-new"), form, follow=True)
    page = answer.content.decode()
    assert "草稿已保存" in page
    assert 'href="#id_scenario"' in page
    assert 'href="#id_title"' not in page
    demand = Demand.objects.get()
    assert (demand.status, demand.title) == ("draft", form["title"])
    assert "草稿已保存" not in client.get(answer.request["PATH_INFO"]).content.decode()


def test_a_stale_page_keeps_what_was_typed(parties: Parties, at: datetime) -> None:
    demand = STORIES["submitted"](parties, at)
    url = reverse("catalog:demand-move", args=[demand.pk, "send_back"])
    answer = signed_in(parties.officer).post(url, {"revision": 1, "reason": "请补依据"})
    page = answer.content.decode()
    assert "请补依据" in page
    assert f'name="revision" value="{demand.revision}"' in page
    demand.refresh_from_db()
    assert demand.status == "submitted"


def test_nobody_moves_by_address_what_is_not_his(parties: Parties, at: datetime) -> None:
    demand = STORIES["submitted"](parties, at)
    client = signed_in(parties.editor)
    url = reverse("catalog:demand-move", args=[demand.pk, "forward"])
    assert client.get(url).status_code == 403
    assert client.get(reverse("catalog:demand-move", args=[demand.pk, "no"])).status_code == 404
    assert client.get(reverse("catalog:demand-split", args=[demand.pk])).status_code == 403
    assert client.get(reverse("catalog:demand-matching")).status_code == 403
    outsider = signed_in(UserFactory(roles=["department_editor"]))
    assert outsider.get(demand.get_absolute_url()).status_code == 404


def test_the_list_is_filtered_by_its_address(parties: Parties, at: datetime) -> None:
    STORIES["draft"](parties, at, title="空气质量")
    STORIES["forwarded"](parties, at, title="婚姻登记")
    client = signed_in(parties.editor)
    assert _titles(client, "") == {"空气质量", "婚姻登记"}
    assert _titles(client, "?status=draft") == {"空气质量"}
    assert _titles(client, "?status=open&q=婚姻") == {"婚姻登记"}
    assert _titles(client, f"?provider={parties.provider.department.code}") == {"婚姻登记"}
    assert _titles(client, "?side=received") == set()
    assert _titles(client, "?due=overdue") == {"婚姻登记"}
    assert _titles(client, "?due=soon") == set()
    assert _titles(signed_in(parties.provider), "?side=received&owed=me") == {"婚姻登记"}


def test_what_is_due_soon_is_counted_in_working_days(parties: Parties) -> None:
    STORIES["forwarded"](parties, timezone.now(), title="婚姻登记")
    demand = Demand.objects.get()
    client = signed_in(parties.editor)
    page = client.get(reverse("catalog:demands")).content.decode()
    assert "3 个工作日内到期" in page
    calendar = clocks.work_calendar()
    clock = clocks.running(demand).get()
    today = timezone.localdate()
    for workdays, shown in ((3, {"婚姻登记"}), (4, set())):
        clock.due_on = calendar.add_workdays(today, workdays)
        clock.due_at = datetime.combine(clock.due_on, time(23, 59), tzinfo=ZONE)
        clock.save()
        assert _titles(client, "?due=soon") == shown


def _titles(client: Client, query: str) -> set[str]:
    page = client.get(reverse("catalog:demands") + query).content.decode()
    return set(re.findall(r'class="table__main" href="[^"]+">([^<]+)<', page))


@pytest.mark.parametrize("query", ["", "?status=forwarded", "?due=overdue", "?side=asked"])
def test_each_filter_says_how_many_it_would_leave(
    parties: Parties, at: datetime, query: str
) -> None:
    STORIES["draft"](parties, at, title="空气质量")
    STORIES["forwarded"](parties, at, title="婚姻登记")
    for user in (parties.editor, parties.provider, parties.officer):
        client = signed_in(user)
        page = client.get(reverse("catalog:demands") + query).context
        for name in ("owed", "side", "due"):
            for chip in page[f"{name}_chips"]:
                chosen = {**dict(_pairs(query)), name: chip.value}
                left = client.get(reverse("catalog:demands"), chosen).context["page"].total
                assert chip.count == left, (user, chip)


def _pairs(query: str) -> list[tuple[str, str]]:
    return [(name, value) for name, _is, value in [query[1:].partition("=")] if name]


def test_whoever_promised_a_new_entry_is_led_to_write_it(parties: Parties, at: datetime) -> None:
    demand = STORIES["agreed"](parties, at)
    new = reverse("catalog:dataset-new")
    expected = demand.outcome == "new_entry"
    shown = signed_in(parties.provider).get(demand.get_absolute_url()).content.decode()
    assert (f'href="{new}"' in shown) is expected
    for other in (parties.editor, parties.officer, parties.provider_head):
        page = signed_in(other).get(demand.get_absolute_url()).content.decode()
        assert f'class="button" href="{new}"' not in page


def test_a_demand_that_has_its_answer_proposes_nothing_more(parties: Parties, at: datetime) -> None:
    entry = entry_of(parties)
    open_one = STORIES["submitted"](parties, at)
    client = signed_in(parties.officer)
    assert 'id="matches"' in client.get(open_one.get_absolute_url()).content.decode()
    refused = STORIES["refused"](parties, at)
    page = client.get(refused.get_absolute_url()).content.decode()
    assert 'id="matches"' not in page
    assert entry.name not in page


def test_whoever_only_reads_the_proposals_gets_no_empty_column(
    parties: Parties, at: datetime
) -> None:
    entry_of(parties)
    demand = STORIES["submitted"](parties, at)
    head = signed_in(parties.head).get(demand.get_absolute_url())
    assert head.context["matches"]
    assert not head.context["acts_on_matches"]
    assert signed_in(parties.officer).get(demand.get_absolute_url()).context["acts_on_matches"]


def test_the_pages_ask_as_often_for_many_rows_as_for_few(parties: Parties, at: datetime) -> None:
    client = signed_in(parties.officer)
    pages = [reverse("catalog:demands"), reverse("catalog:demand-matching")]
    entry_of(parties)

    def asked() -> list[int]:
        counts = []
        for page in pages:
            client.get(page)
            with CaptureQueriesContext(connection) as queries:
                assert client.get(page).status_code == 200
            counts.append(len(queries))
        return counts

    STORIES["submitted"](parties, at)
    STORIES["forwarded"](parties, at)
    few = asked()
    for _number in range(5):
        STORIES["submitted"](parties, at)
        STORIES["forwarded"](parties, at)
    assert asked() == few


def test_what_is_shown_is_exported(parties: Parties, at: datetime) -> None:
    STORIES["draft"](parties, at, title="=HYPERLINK(1)")
    STORIES["submitted"](parties, at)
    client = signed_in(parties.editor)
    answer = client.get(reverse("catalog:demands"), {"format": "csv", "status": "draft"})
    rows = list(csv.reader(io.StringIO(b"".join(answer).decode("utf-8-sig"))))
    assert [row[1] for row in rows] == ["需求名称", "'=HYPERLINK(1)"]
    book = client.get(reverse("catalog:demands"), {"format": "xlsx"})
    table = CalamineWorkbook.from_filelike(io.BytesIO(book.content)).get_sheet_by_index(0)
    cells = table.to_python()
    assert cells[0][0] == "需求编号"
    assert [row[1] for row in cells[1:]] == [WRITTEN["title"], "=HYPERLINK(1)"]
    assert cells[1][3] == "公民身份号码；姓名；救助类别（低保、特困）"


def test_the_sheet_of_a_department_is_for_those_who_see_its_demands(
    parties: Parties, at: datetime
) -> None:
    STORIES["submitted"](parties, at)
    address = reverse("catalog:demand-sheet", args=[parties.editor.department.code])
    assert WRITTEN["title"] in signed_in(parties.head).get(address).content.decode()
    assert signed_in(parties.officer).get(f"{address}?format=xlsx").status_code == 200
    assert signed_in(parties.provider).get(address).status_code == 404


def test_what_the_catalogue_has_is_shown_while_writing(parties: Parties, at: datetime) -> None:
    entry = entry_of(parties)
    asked = {"title": "困难群众救助信息", "wanted_items": "姓名\n血型：ABO"}
    page = signed_in(parties.editor).get(reverse("catalog:demand-similar"), asked)
    text = page.content.decode()
    assert entry.get_absolute_url() in text
    assert "血型" in text
    assert signed_in(parties.officer).get(reverse("catalog:demand-similar")).status_code == 403


def test_the_authority_sees_supply_beside_demand(parties: Parties, at: datetime) -> None:
    entry_of(parties)
    met = STORIES["submitted"](parties, at)
    unmet = STORIES["submitted"](parties, at, title="台风路径", wanted_items=[{"name": "中心气压"}])
    page = signed_in(parties.officer)
    url = reverse("catalog:demand-matching")
    assert met.number in page.get(url, {"kind": "with"}).content.decode()
    assert unmet.number not in page.get(url, {"kind": "with"}).content.decode()
    assert unmet.number in page.get(url, {"kind": "without"}).content.decode()


def test_a_match_is_declined_with_a_reason(parties: Parties, at: datetime) -> None:
    entry_of(parties)
    demand = STORIES["submitted"](parties, at)
    match = demand.matches.get()
    client = signed_in(parties.officer)
    url = reverse("catalog:demand-match-decline", args=[match.pk])
    assert client.post(url, {"reason": ""}).status_code == 200
    assert client.post(url, {"reason": REASON}).status_code == 302
    match.refresh_from_db()
    assert match.decision == "declined"
    client.post(reverse("catalog:demand-match", args=[demand.pk]))
    assert demand.matches.count() == 1


def test_a_demand_is_split_by_the_screen(parties: Parties, at: datetime) -> None:
    demand = STORIES["submitted"](parties, at)
    url = reverse("catalog:demand-split", args=[demand.pk])
    words = {"title": "救助类别", "items": ["救助类别"], "revision": demand.revision}
    assert signed_in(parties.officer).post(url, words).status_code == 302
    assert demand.parts.get().item_names == ["救助类别"]


@given(st.text(max_size=300))
def test_any_text_is_read_as_items_and_read_again_alike(text: str) -> None:
    rows = read_items(text)
    assert all(row["name"] == row["name"].strip() != "" for row in rows)
    shown = WantedItemsField().prepare_value(rows)
    assert read_items(shown) == rows


def test_demands_of_one_department_stay_unknown_to_another(parties: Parties, at: datetime) -> None:
    STORIES["submitted"](parties, at)
    stranger = UserFactory(roles=["department_editor", "department_approver"])
    assert _titles(signed_in(stranger), "") == set()


def test_a_search_that_finds_nothing_leads_to_a_demand(parties: Parties) -> None:
    words = "台风&路径"
    address = "/work/demands/new/?q=%E5%8F%B0%E9%A3%8E%26%E8%B7%AF%E5%BE%84"
    for page in (reverse("catalog:datasets"), reverse("sharing:request-new")):
        assert address in signed_in(parties.editor).get(page, {"q": words}).content.decode()
    assert (
        address
        not in signed_in(parties.officer)
        .get(reverse("catalog:datasets"), {"q": words})
        .content.decode()
    )
    assert "台风&amp;路径" in signed_in(parties.editor).get(address).content.decode()
