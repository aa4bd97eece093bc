"""What people do with the portal, done by hand in a browser, from the first page to the last."""

from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from apps.sharing import tasks
from apps.sharing.models import Grant, SharingRequest
from tests import stories
from tests.browser.conftest import SignIn
from tests.factories.accounts import PASSWORD
from tests.factories.sharing import Scene

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def follow(page: Page, name: str) -> None:
    page.get_by_role("link", name=name, exact=True).click()


def open_todo(page: Page) -> None:
    """Begin where everybody begins: the to-do on the first page."""
    page.goto("/work/")
    page.locator(".todos a").first.click()


def expect_status(page: Page, word: str) -> None:
    expect(page.locator(".page-head .tag")).to_contain_text(word)


def write_request(page: Page, scene: Scene) -> None:
    """Walk through the six steps as the consumer's editor."""
    page.goto("/work/")
    page.get_by_role("navigation", name="主导航").get_by_role("link", name="发起申请").click()
    page.get_by_label("查找数据目录").fill(scene.dataset.name)
    press(page, "查找")
    follow(page, "选择")
    page.get_by_label("使用系统").select_option(str(scene.system.pk))
    press(page, "建立草稿，继续")
    for label in ("公民身份号码", "姓名", "行政区划代码"):
        page.get_by_label(label, exact=True).check()
    press(page, "保存，下一步")
    page.get_by_label("使用依据").fill(stories.STATUTE)
    page.get_by_label("使用场景").fill("办理学生资助时核对家庭困难情况")
    page.get_by_label("使用范围").fill("市教委学生资助管理中心")
    press(page, "保存，下一步")
    expect(page.get_by_role("heading", name="只要哪些记录")).to_be_visible()
    press(page, "保存，下一步")
    press(page, "保存，下一步")
    page.get_by_label("承诺本申请真实").check()
    press(page, "提交本部门审批")
    expect_status(page, "待本部门审批")


def narrow(page: Page) -> None:
    """As the provider's editor: fewer items, one district, after a look at the rows."""
    open_todo(page)
    follow(page, "受理")
    press(page, "受理")
    expect_status(page, "审核中")
    follow(page, "提出处理意见")
    page.get_by_label("部分同意：").check()
    page.get_by_label("姓名", exact=True).uncheck()
    page.locator("#item-0").select_option(label="行政区划代码")
    page.locator("#value-0").fill("500103")
    press(page, "预览将提供的数据")
    rows = page.get_by_role("table", name="使用部门将得到的数据").locator("tbody tr")
    expect(rows).to_have_count(3)
    expect(rows.first).to_contain_text("****")
    page.get_by_role("textbox", name="理由", exact=True).fill("姓名与核对用途无关，范围限于本区")
    press(page, "提交")
    expect_status(page, "待复核")


def confirm(page: Page) -> None:
    """As a second person of the provider, since the data is of high grade."""
    open_todo(page)
    follow(page, "复核同意")
    expect(page.get_by_role("main")).to_contain_text("处理意见")
    press(page, "复核同意")
    expect_status(page, "待签发")


def test_a_request_is_written_narrowed_signed_delivered_and_can_be_called(
    scene: Scene, sign_in: SignIn
) -> None:
    write_request(sign_in(scene.consumer), scene)
    page = sign_in(scene.consumer_head)
    open_todo(page)
    follow(page, "同意申请")
    press(page, "同意申请")
    expect_status(page, "形式审查")
    narrow(sign_in(scene.provider))
    confirm(sign_in(scene.second))
    page = sign_in(scene.provider_head)
    open_todo(page)
    follow(page, "签发同意")
    expect(page.get_by_role("main")).to_contain_text("姓名与核对用途无关")
    press(page, "签发同意")
    expect_status(page, "已同意")
    tasks.provision_due()
    grant = Grant.objects.get()
    assert [column["name"] for column in grant.columns] == ["identity_number", "division_code"]
    page = sign_in(scene.consumer)
    page.goto("/work/grants/")
    page.get_by_role("link", name=scene.dataset.name).click()
    expect_status(page, "生效")
    expect(page.get_by_role("main")).to_contain_text(
        f"/api/v1/data/{scene.dataset.code.replace('/', '-')}"
    )


def test_a_refusal_says_why_and_on_what_law(scene: Scene, sign_in: SignIn) -> None:
    request = stories.reviewing(scene, timezone.now())
    page = sign_in(scene.provider)
    page.goto(f"/work/requests/{request.pk}/propose/")
    page.get_by_label("不予共享：").check()
    press(page, "提交")
    errors = page.get_by_role("alert")
    expect(errors).to_contain_text("理由")
    page.get_by_role("textbox", name="理由", exact=True).fill("申请的用途没有法律依据")
    page.get_by_text("从常用依据中选取").click()
    page.get_by_role("button", name="选用").first.click()
    press(page, "提交")
    expect(page.get_by_role("alert")).to_contain_text("写具体")  # the law is for the clerk to name
    page.get_by_text("从常用依据中选取").click()
    page.get_by_label("不予共享的依据").fill("")
    page.get_by_role("button", name="选用").nth(1).click()
    expect(page.get_by_label("不予共享的依据")).not_to_have_value("")
    press(page, "提交")
    confirm(sign_in(scene.second))
    page = sign_in(scene.provider_head)
    open_todo(page)
    follow(page, "签发不予共享")
    press(page, "签发不予共享")
    expect_status(page, "不予共享")
    page = sign_in(scene.consumer)
    page.goto(f"/work/requests/{request.pk}/")
    expect(page.get_by_role("main")).to_contain_text("申请的用途没有法律依据")


def test_a_supplement_goes_out_and_comes_back(scene: Scene, sign_in: SignIn) -> None:
    request = stories.form_check(scene, timezone.now())
    page = sign_in(scene.provider)
    page.goto(f"/work/requests/{request.pk}/")
    follow(page, "退回补正")
    page.get_by_label("需要补正的内容").fill("补充资助办法全文")
    press(page, "退回补正")
    expect_status(page, "补正")
    page = sign_in(scene.consumer)
    open_todo(page)
    expect(page.get_by_role("main")).to_contain_text("补充资助办法全文")
    follow(page, "提交补正")
    page.get_by_label("补正说明").fill("已附资助办法全文")
    press(page, "提交补正")
    expect_status(page, "形式审查")
    request.refresh_from_db()
    assert request.supplement_answer == "已附资助办法全文"


def test_what_was_typed_survives_a_closed_window(scene: Scene, sign_in: SignIn) -> None:
    request = stories.draft(scene, timezone.now())
    address = f"/work/requests/{request.pk}/edit/purpose/"
    page = sign_in(scene.consumer)
    page.goto(address)
    page.get_by_label("使用场景").fill("写到一半的场景")
    page.goto("/work/")
    page.goto(address)
    expect(page.get_by_label("使用场景")).to_have_value("写到一半的场景")
    expect(page.get_by_text("已恢复上次未提交的填写")).to_be_visible()


def tab_to(page: Page, name: str) -> None:
    """Move on by the Tab key alone until something of this name has the focus."""
    for _stop in range(80):
        page.keyboard.press("Tab")
        focused = page.evaluate(
            "(document.activeElement.labels?.[0]?.innerText || document.activeElement.innerText"
            " || document.activeElement.ariaLabel || '').trim()"
        )
        if str(focused).startswith(name):
            return
    raise AssertionError(f"not reached by Tab: {name}")


def test_signing_in_and_deciding_need_no_mouse(scene: Scene, context: Any) -> None:
    request = stories.awaiting_head(scene, timezone.now())
    page = context.new_page()
    page.goto("/accounts/login/")
    # The browser gives the first field the focus as it draws the page, which may be after loading.
    expect(page.get_by_label("用户名")).to_be_focused()
    page.keyboard.type(scene.consumer_head.username)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/work/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="跳到正文")).to_be_focused()
    page.keyboard.press("Enter")
    tab_to(page, "审批")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/work/requests/{request.pk}/")
    tab_to(page, "同意申请")
    page.keyboard.press("Enter")
    page.wait_for_url("**/move/approve_by_head/")
    tab_to(page, "同意申请")
    page.keyboard.press("Enter")
    expect_status(page, "形式审查")
    assert SharingRequest.objects.get().status == "form_check"


def test_the_language_is_switched_on_a_page_and_kept(scene: Scene, sign_in: SignIn) -> None:
    page = sign_in(scene.consumer)
    page.goto("/work/requests/?side=asked")
    press(page, "English")
    page.wait_for_url("**/work/requests/?side=asked")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.goto("/work/")
    press(page, "中文")
    expect(page.get_by_role("heading", level=1)).to_have_text("我的待办")


def test_a_secret_is_copied_by_its_button_and_read_without(
    scene: Scene, context: Any, sign_in: SignIn
) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = sign_in(scene.consumer_head)
    page.goto(f"/work/systems/{scene.system.pk}/")
    page.get_by_label("用途备注").fill("前置机")
    press(page, "签发")
    shown = page.locator("#client-secret").inner_text()
    page.get_by_role("button", name="复制client_secret").click()
    expect(page.get_by_text("已复制")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == shown
    assert len(shown) > 20
