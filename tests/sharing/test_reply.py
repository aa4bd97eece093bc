"""The decision as a letter: what it says, who may have it, that Word and PDF hold the same."""

import re
import zlib
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
from docx import Document

from apps.core.errors import NotFound
from apps.sharing import operations as sharing
from apps.sharing.models import SharingRequest
from apps.sharing.reply.contents import reply_letter
from apps.sharing.reply.letter import Facts, Grid, Heading, Letter, Paragraph
from apps.sharing.reply.pdf import as_pdf
from apps.sharing.reply.word import as_word
from tests import stories
from tests.factories.accounts import UserFactory
from tests.factories.sharing import Scene, make_scene
from tests.sharing.test_views_forms import signed_in

pytestmark = pytest.mark.django_db


def words_of(letter: Letter) -> str:
    """Everything that the letter says, as one text."""
    parts: list[str] = [letter.title, letter.number, *letter.signature, letter.foot]
    for block in [*letter.blocks, *letter.annex]:
        match block:
            case Heading(text) | Paragraph(text):
                parts.append(text)
            case Facts(rows):
                parts += [cell for row in rows for cell in row]
            case Grid(head, rows):
                parts += [*head, *(cell for row in rows for cell in row)]
    return "\n".join(parts)


def words_in_word(body: bytes) -> str:
    document = Document(BytesIO(body))
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    return "\n".join([*(line.text for line in document.paragraphs), *cells])


def words_in_pdf(body: bytes) -> str:
    """Read the text of the pages: the font's codes are those of UTF-16."""
    from base64 import a85decode

    found = []
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", body, re.DOTALL):
        page = zlib.decompress(a85decode(stream.strip().removesuffix(b"~>"), adobe=False))
        for literal in re.findall(rb"\((.*?)(?<!\\)\) Tj", page, re.DOTALL):
            octal = re.sub(rb"\\(\d{3})", lambda m: bytes([int(m[1], 8)]), literal)
            plain = re.sub(rb"\\(.)", rb"\1", octal, flags=re.DOTALL)
            found.append(plain.decode("utf-16-be", "replace"))
    return "".join(found)


def narrowed(scene: Scene, at: datetime) -> SharingRequest:
    request = stories.reviewing(
        scene, at, items={"identity_number": "cover_identity", "name": "", "amount": ""}
    )
    sharing.propose(
        request=request,
        outcome="narrow",
        actor=scene.provider,
        at=at,
        items={"identity_number": "cover_identity", "name": "cover_name"},
        row_condition=[{"item": "division_code", "operator": "eq", "value": "500103"}],
        calls_a_day=1200,
        reason="补助金额与核对无关 <b>& 其他",
    )
    stories.confirmed(request, scene, at)
    return sharing.agree(request=request, actor=scene.provider_head, at=at + timedelta(days=2))


class TestContents:
    def test_it_names_parties_items_conditions_limits_reason_and_signer(
        self, scene: Scene, at: datetime
    ) -> None:
        request = narrowed(scene, at)
        said = words_of(reply_letter(request, at=at + timedelta(days=2)))
        for words in (
            f"{request.consumer}：",
            str(request.dataset.department),
            request.number,
            request.dataset.code,
            "部分同意",
            "补助金额与核对无关 <b>& 其他",
            "姓名遮盖",
            "不提供",
            "行政区划代码 等于 500103",
            "每日 1,200 次",
            request.basis,
            "仅用于核对救助资格。",
            f"审核：{scene.provider}",
            f"签发：{scene.provider_head} 2026-11-20",
            "2026年11月20日",
        ):
            assert words in said

    def test_it_derives_the_dates_day_by_day(self, scene: Scene, at: datetime) -> None:
        letter = reply_letter(narrowed(scene, at), at=at + timedelta(days=2))
        answered, delivery = [block for block in letter.annex if isinstance(block, Grid)]
        assert answered.rows[0][:3] == ["2026-11-18", "周三", "—"]
        assert [row[2] for row in answered.rows[1:6]] == ["1", "2", "—", "—", "3"]
        assert (answered.rows[-1][0], answered.rows[-1][2]) == ("2026-12-02", "10")
        assert delivery.rows[-1][2] == "20"
        said = words_of(letter)
        assert "《政务数据共享条例》第二十一条" in said
        assert "（按时）" in said

    def test_a_refusal_has_reason_and_basis_and_gives_nothing(
        self, scene: Scene, at: datetime
    ) -> None:
        said = words_of(reply_letter(stories.refused(scene, at), at=at))
        assert "与申请用途无关" in said
        assert stories.STATUTE in said
        assert "共享内容" not in said
        assert "使用要求" not in said

    def test_an_automatic_grant_says_so(self, at: datetime) -> None:
        scene = make_scene(sharing_attribute="unconditional", grade="1")
        request = stories.awaiting_head(scene, at, items={"division_code": ""})
        request = sharing.approve_by_head(request=request, actor=scene.consumer_head, at=at)
        said = words_of(reply_letter(request, at=at))
        assert "平台自动授权" in said
        assert "审核：" not in said

    def test_before_the_signature_there_is_none(self, scene: Scene, at: datetime) -> None:
        with pytest.raises(NotFound):
            reply_letter(stories.awaiting_signature(scene, at), at=at)

    def test_a_later_narrowing_does_not_change_what_was_signed(
        self, scene: Scene, at: datetime
    ) -> None:
        grant = stories.delivered(scene, at).grant
        before = words_of(reply_letter(grant.request, at=at))
        sharing.narrow(
            grant=grant, actor=scene.provider_head, at=at, items=["name"], reason="只需姓名"
        )
        assert words_of(reply_letter(grant.request, at=at)) == before


class TestFiles:
    def test_word_and_pdf_hold_all_that_the_letter_says(self, scene: Scene, at: datetime) -> None:
        letter = reply_letter(narrowed(scene, at), at=at)
        in_word = words_in_word(as_word(letter, written_at=at))
        in_pdf = re.sub(r"\s", "", words_in_pdf(as_pdf(letter)))
        for words in words_of(letter).split("\n"):
            assert words in in_word or words == letter.foot
            assert re.sub(r"\s", "", words) in in_pdf

    def test_the_same_letter_gives_the_same_pdf(
        self, scene: Scene, at: datetime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        letter = reply_letter(narrowed(scene, at), at=at)
        printed = as_pdf(letter)
        monkeypatch.setattr("time.time", lambda: 86_400.0)  # a file may note when it was made
        assert as_pdf(letter) == printed

    def test_the_head_of_a_table_is_repeated_and_rows_stay_whole(
        self, scene: Scene, at: datetime
    ) -> None:
        body = as_word(reply_letter(narrowed(scene, at), at=at), written_at=at)
        xml = Document(BytesIO(body)).element.xml
        assert xml.count("<w:tblHeader") == 3
        assert xml.count("<w:cantSplit") == xml.count("<w:tr>") + xml.count("<w:tr ")

    def test_what_a_file_cannot_hold_is_left_out(self) -> None:
        letter = Letter("标题", "号\x0b", [Paragraph("a<b>\x1f")], ["日"], "脚")
        assert "a<b>" in words_in_word(as_word(letter, written_at=datetime.now().astimezone()))
        assert as_pdf(letter).startswith(b"%PDF")

    def test_a_reason_longer_than_a_page_and_rare_characters_are_printed(self) -> None:
        facts = Facts([("理由", "逐条说明\n" * 120), ("签发人", "𠮷田")])
        letter = Letter("标题", "号", [facts, Paragraph("长" * 3000)], ["日"], "脚")
        printed = words_in_pdf(as_pdf(letter))
        assert printed.count("逐条说明") == 120
        assert "〓田" in printed
        assert "𠮷田" in words_in_word(as_word(letter, written_at=datetime.now().astimezone()))


@pytest.mark.parametrize(
    ("person", "expected"),
    [
        ("provider", 200),
        ("consumer", 200),
        ("consumer_head", 200),
        ("authority", 200),
        ("stranger", 404),
    ],
)
def test_both_parties_and_the_authority_take_it_home(
    scene: Scene, at: datetime, person: str, expected: int
) -> None:
    request = narrowed(scene, at)
    user: Any = getattr(scene, person, None) or UserFactory(roles=["department_editor"])
    client = signed_in(user)
    for kind, start in (("pdf", b"%PDF"), ("docx", b"PK")):
        answer = client.get(f"/work/requests/{request.pk}/reply.{kind}")
        assert answer.status_code == expected
        if expected == 200:
            assert answer.content.startswith(start)
            assert request.number in answer["Content-Disposition"]
            assert f"/reply.{kind}" in client.get(f"/work/requests/{request.pk}/").content.decode()


def test_there_is_no_letter_before_the_signature_nor_of_another_kind(
    scene: Scene, at: datetime
) -> None:
    request = stories.awaiting_signature(scene, at)
    client = signed_in(scene.provider)
    page = f"/work/requests/{request.pk}/"
    assert client.get(f"{page}reply.pdf").status_code == 404
    assert "/reply.pdf" not in client.get(page).content.decode()
    sharing.agree(request=request, actor=scene.provider_head, at=at)
    assert client.get(f"{page}reply.odt").status_code == 404
