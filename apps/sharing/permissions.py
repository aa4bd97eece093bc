"""Who may do what with requests and grants.

Two departments meet in a request: the consumer asks, the provider answers. A provider is the
department of the dataset, or one to whose group `review_requests` was delegated on it. Nobody
decides for the provider on a request of his own department. The statuses are the lifecycle's.

===================  ==========================  ==========================  ===================
action               consumer                    provider                    authority
===================  ==========================  ==========================  ===================
view                 every member                every member, once received officer, leader,
                                                                             once received
create, revise       editor                      –                           –
submit, recall       editor                      –                           –
approve_by_head,     approver                    –                           –
return_by_head
supplement           editor                      –                           –
withdraw             editor, approver            –                           –
accept_form,         –                           editor, approver            –
ask_supplement,
propose, preview,
extend
confirm              –                           editor, approver, not the   –
                                                 proposer
agree, refuse        –                           approver                    –
send_back_proposal   –                           approver; before the second –
                                                 review whoever may confirm
consent_extension    –                           –                           officer, leader
mark_urgent          –                           –                           officer, leader, not
                                                                             for his department
review_urgent        –                           –                           officer, leader, not
                                                                             who gave the order
backfill             editor, approver            –                           –
route                editor, approver            editor, approver            –
handle_step          the step's assignee         the step's assignee         –
attach               editor, approver; later     editor, approver            –
                     while they owe papers
read_reply, once     every member                every member                officer, leader
signed
weigh, while a       –                           editor, approver, and who   officer, leader
decision is ahead                                has a step in hand
grant_automatically, the platform, which asks    –                           –
deliver              nobody
-------------------  --------------------------  --------------------------  -------------------
grant: view          every member                every member                officer, leader
grant: suspend,      –                           approver                    officer, leader
narrow
grant: export        editor, approver, where it  –                           –
                     is in the way of files;
                     its system, always
export: view         every member                every member                officer, leader
export: download,    as grant: export            –                           –
discard
use: view            every member                every member                officer, leader
grant: resume        –                           approver, if he suspended   officer, leader
grant: end           approver                    approver                    officer, leader
grant: deliver,      the platform                –                           –
expire
-------------------  --------------------------  --------------------------  -------------------
idle notice: view    every member                every member                officer, leader
idle notice:         editor, approver            –                           –
ask_back
review: view         every member                every member                officer, leader
review: state_need   editor, approver            –                           –
review: decide       –                           approver                    officer, leader,
                                                                             once it is late
use report: view     every member                every member                officer, leader
use report: file     editor, approver            –                           –
template: view       the recommended one         every member                officer, leader
template: save,      –                           editor, approver            –
retire
===================  ==========================  ==========================  ===================

A review is the yearly one of a grant. The audit administrator may view whatever both sides may. A
stand-in may what his principal may.

Where a second person is needed (`queries.needs_second_review`), who confirms is not who proposed,
nor does he act in his name; who signs has neither proposed nor confirmed, nor does he act in the
name of who confirmed. So a department needs three people for it, one of them its head; a stand-in
of a head or editor is one of them. Nobody confirms who is the only one left to sign. When nobody
can confirm, head and authority are told at once and the clock goes on.

Who may `weigh` a request learns of the consumer's grants from other providers the dataset's name,
the items that can be read and the key by which they join, for he answers for what his own data adds
to them (article 25); of their number, rows, period and use he learns nothing unless he may view the
grant. The consumer is not shown what is weighed.

Source: 《政务数据共享条例》第十一条、第二十条、第二十一条; house rule (design §3.2, issue 5)
"""

from typing import Final

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.catalog.models import Dataset, DatasetGroupPermission
from apps.core import access
from apps.ledger import phrases
from apps.sharing.gateway import permissions as gateway_permissions  # noqa: F401
from apps.sharing.models import Mode, RouteStep

NOBODY: Final = Q(pk__in=[])
EVERY: Final = Q(pk__isnull=False)
INTERNAL: Final = ("draft", "awaiting_head", "head_returned")
OVERSEERS: Final = ("authority_officer", "authority_leader")
# While a decision is ahead. Afterwards nobody has a reason to look into what the consumer holds.
WEIGHED_IN: Final = (
    "form_check",
    "supplement",
    "reviewing",
    "awaiting_second_review",
    "awaiting_signature",
)


def _consumer(actor: User) -> Q:
    return Q(consumer=actor.department_id)


def _provider(actor: User) -> Q:
    """Requests on the department's datasets or on ones delegated to it, never its own requests."""
    assert actor.department is not None  # the audience "members" admits no other
    delegated = DatasetGroupPermission.objects.filter(
        group=actor.department.group_id, permission__codename="review_requests"
    )
    answered_for = Q(dataset__department=actor.department_id) | Q(
        dataset__in=delegated.values("content_object")
    )
    return answered_for & ~_consumer(actor) & Q(received_at__isnull=False)


def _is_overseer(actor: User) -> bool:
    return actor.holds(*OVERSEERS)


@access.scope("sharing.SharingRequest", "view")
def parties_and_overseers(actor: User) -> Q:
    if _is_overseer(actor) or actor.holds("audit_admin"):
        return _consumer(actor) | Q(received_at__isnull=False)
    return _consumer(actor) | _provider(actor)


@access.scope("sharing.SharingRequest", "read_reply")
def whoever_sees_a_decision(actor: User) -> Q:
    return parties_and_overseers(actor) & Q(decided_at__isnull=False)


@access.ability("sharing.SharingRequest", "create")
def editor_of_some_department(actor: User) -> bool:
    return actor.holds("department_editor")


@access.scope("sharing.SharingRequest", "change", "revise")
def consumer_editor_of_unsent(actor: User) -> Q:
    if not actor.holds("department_editor"):
        return NOBODY
    return _consumer(actor) & Q(status__in=("draft", "head_returned", "supplement"))


@access.scope("sharing.SharingRequest", "submit", "recall", "supplement")
def consumer_editor(actor: User) -> Q:
    return _consumer(actor) if actor.holds("department_editor") else NOBODY


@access.scope("sharing.SharingRequest", "approve_by_head", "return_by_head")
def consumer_head(actor: User) -> Q:
    return _consumer(actor) if actor.holds("department_approver") else NOBODY


@access.scope("sharing.SharingRequest", "withdraw")
def consumer_editor_or_head(actor: User) -> Q:
    if not actor.holds("department_editor", "department_approver"):
        return NOBODY
    return _consumer(actor)


@access.scope("sharing.SharingRequest", "route")
def handlers_of_either_side(actor: User) -> Q:
    if not actor.holds("department_editor", "department_approver"):
        return NOBODY
    open_ones = ~Q(status__in=("delivered", "refused", "withdrawn"))
    return (_consumer(actor) | _provider(actor)) & open_ones


@access.scope("sharing.SharingRequest", "attach")
def handlers_and_who_owes_papers(actor: User) -> Q:
    return handlers_of_either_side(actor) | consumer_lacking_papers(actor)


@access.scope(
    "sharing.SharingRequest",
    "accept_form",
    "ask_supplement",
    "propose",
    "preview",
    "extend",
)
def provider_reviewer(actor: User) -> Q:
    if not actor.holds("department_editor", "department_approver"):
        return NOBODY
    return _provider(actor)


@access.scope("sharing.SharingRequest", "confirm")
def second_person(actor: User) -> Q:
    """The second review is another person's, not that of the proposer or of who stands in for him.

    Source: house rule (issue 5)
    """
    return provider_reviewer(actor) & ~Q(proposed_by=actor.pk)


@access.scope("sharing.SharingRequest", "weigh")
def whoever_decides_or_oversees(actor: User) -> Q:
    """The provider's people who have a hand in the decision, and the authority."""
    ahead = Q(received_at__isnull=False, status__in=WEIGHED_IN)
    if _is_overseer(actor):
        return ahead & ~_consumer(actor)
    in_hand = RouteStep.objects.filter(
        side="provider", assignee=actor.pk, opened_at__isnull=False, done_at=None
    )
    has_step = _provider(actor) & Q(pk__in=in_hand.values("request"))
    return ahead & (provider_reviewer(actor) | has_step)


@access.scope("sharing.SharingRequest", "agree")
def provider_head_with_agreement(actor: User) -> Q:
    """The head signs what was proposed; a refusal cannot become an agreement in the signing."""
    return _provider_head(actor) & Q(proposal__in=("agree", "narrow"))


@access.scope("sharing.SharingRequest", "refuse")
def provider_head_with_refusal(actor: User) -> Q:
    return _provider_head(actor) & Q(proposal="refuse")


@access.scope("sharing.SharingRequest", "send_back_proposal")
def second_person_or_head(actor: User) -> Q:
    """Whoever the opinion lies with returns it: the second person first, then the head."""
    with_second = Q(status="awaiting_second_review")
    return with_second & second_person(actor) | ~with_second & _provider_head(actor)


def _provider_head(actor: User) -> Q:
    return _provider(actor) if actor.holds("department_approver") else NOBODY


@access.scope(
    "sharing.SharingRequest",
    "grant_automatically",
    "propose_for_confirmation",
    "deliver",
    "delete",
)
def nobody_by_hand(actor: User) -> Q:
    """What the platform does by itself once its conditions hold."""
    return NOBODY


@access.scope("sharing.SharingRequest", "mark_urgent")
def authority_over_others_requests(actor: User) -> Q:
    if not _is_overseer(actor):
        return NOBODY
    return Q(received_at__isnull=False) & ~_consumer(actor)


@access.scope("sharing.SharingRequest", "review_urgent")
def authority_but_who_ordered(actor: User) -> Q:
    """What was urgent is looked at afterwards by another person of the authority.

    Source: house rule (issue 5)
    """
    if not _is_overseer(actor):
        return NOBODY
    decided = Q(status__in=("agreed", "delivered", "refused", "withdrawn"))
    return decided & Q(urgency__isnull=False) & ~Q(urgency__ordered_by=actor.pk)


def _lacking_papers() -> Q:
    """Urgent requests in use whose papers are still owed."""
    return Q(status="delivered", urgency__missing_papers__gt="", urgency__papers_at=None)


@access.scope("sharing.SharingRequest", "backfill")
def consumer_lacking_papers(actor: User) -> Q:
    return consumer_editor_or_head(actor) & _lacking_papers()


@access.scope("sharing.DeadlineExtension", "view")
def parties_of_extension(actor: User) -> Q:
    if _is_overseer(actor):
        return EVERY
    return Q(request__consumer=actor.department_id) | Q(
        request__dataset__department=actor.department_id
    )


@access.scope("sharing.DeadlineExtension", "consent_extension")
def authority_over_extensions(actor: User) -> Q:
    return EVERY if _is_overseer(actor) else NOBODY


@access.scope("sharing.RouteStep", "view")
def department_of_step(actor: User) -> Q:
    return Q(department=actor.department_id)


@access.scope("sharing.RouteStep", "handle_step")
def assignee_of_step(actor: User) -> Q:
    return Q(assignee=actor.pk, done_at=None, opened_at__isnull=False)


@access.scope("sharing.RouteStep", "recall_step")
def whoever_passed_it_on(actor: User) -> Q:
    """Who handled a step may call it back, as long as nobody after him has acted."""
    return Q(done_by=actor.pk)


@access.scope("sharing.Urgency", "view")
def parties_of_urgency(actor: User) -> Q:
    if _is_overseer(actor) or actor.holds("audit_admin"):
        return EVERY
    return Q(request__consumer=actor.department_id) | Q(
        request__dataset__department=actor.department_id
    )


@access.scope("sharing.Grant", "view")
def parties_of_grant(actor: User) -> Q:
    if _is_overseer(actor) or actor.holds("audit_admin"):
        return EVERY
    return Q(consumer=actor.department_id) | Q(provider=actor.department_id)


@access.scope("sharing.DailyUse", "view")
def parties_of_used_grant(actor: User) -> Q:
    if _is_overseer(actor) or actor.holds("audit_admin"):
        return EVERY
    return Q(grant__consumer=actor.department_id) | Q(grant__provider=actor.department_id)


@access.scope("sharing.Grant", "export")
def system_of_grant_or_people_of_files(actor: User) -> Q:
    """People fetch files only where the grant is in the way of files; its system always may."""
    return _takers(actor, "")


@access.scope("sharing.Export", "view")
def parties_of_exported_grant(actor: User) -> Q:
    if _is_overseer(actor) or actor.holds("audit_admin"):
        return EVERY
    return Q(grant__consumer=actor.department_id) | Q(grant__provider=actor.department_id)


@access.scope("sharing.Export", "download", "discard")
def takers_of_export(actor: User) -> Q:
    return _takers(actor, "grant__")


@access.scope("sharing.Export", "begin", "finish", "fail", "stop", "expire", "change", "delete")
def no_export_by_hand(actor: User) -> Q:
    """What the platform does by itself."""
    return NOBODY


@access.ability("sharing.Export", "create")
def nobody_creates_exports_alone(actor: User) -> bool:
    """An export is asked for under a grant: `export` on the grant says who may."""
    return False


def _takers(actor: User, of: str) -> Q:
    if actor.kind == User.Kind.SERVICE:
        return Q(**{f"{of}system__service_user": actor.pk}) & ~Q(**{f"{of}mode": Mode.VERIFY})
    if not actor.holds("department_editor", "department_approver"):
        return NOBODY
    return Q(**{f"{of}consumer": actor.department_id, f"{of}mode": Mode.FILE})


@access.scope("sharing.Grant", "suspend", "narrow")
def provider_head_or_authority(actor: User) -> Q:
    if _is_overseer(actor):
        return EVERY
    if not actor.holds("department_approver"):
        return NOBODY
    return Q(provider=actor.department_id)


@access.scope("sharing.Grant", "resume")
def whoever_suspended_or_authority(actor: User) -> Q:
    """A provider cannot lift what the authority ordered."""
    return provider_head_or_authority(actor) & (
        EVERY if _is_overseer(actor) else Q(suspended_by_authority=False)
    )


@access.scope("sharing.Grant", "end")
def head_of_either_side_or_authority(actor: User) -> Q:
    if _is_overseer(actor):
        return EVERY
    if not actor.holds("department_approver"):
        return NOBODY
    return Q(provider=actor.department_id) | Q(consumer=actor.department_id)


@access.scope("sharing.Grant", "deliver", "expire", "change", "delete")
def no_grant_by_hand(actor: User) -> Q:
    return NOBODY


@access.scope("sharing.IdleNotice", "view")
@access.scope("sharing.Recertification", "view")
@access.scope("sharing.UsageReport", "view")
def parties_of_its_grant(actor: User) -> Q:
    return parties_of_used_grant(actor)


@access.scope("sharing.IdleNotice", "ask_back")
@access.scope("sharing.Recertification", "state_need")
@access.scope("sharing.UsageReport", "file")
def consumer_handlers_of_its_grant(actor: User) -> Q:
    if not actor.holds("department_editor", "department_approver"):
        return NOBODY
    return Q(grant__consumer=actor.department_id)


@access.scope("sharing.Recertification", "decide")
def provider_head_or_authority_when_late(actor: User) -> Q:
    """The authority decides only what the provider let lie."""
    if _is_overseer(actor):
        return Q(escalated_at__isnull=False)
    if not actor.holds("department_approver"):
        return NOBODY
    return Q(grant__provider=actor.department_id)


@access.ability("sharing.Grant", "create")
def nobody_creates_grants(actor: User) -> bool:
    """A grant comes from a decision only."""
    return False


def _answered_for(actor: User) -> Q:
    """The datasets of the department, and those delegated to it, as a condition on datasets."""
    assert actor.department is not None  # the audience "members" admits no other
    delegated = DatasetGroupPermission.objects.filter(
        group=actor.department.group_id, permission__codename="review_requests"
    )
    return Q(department=actor.department_id) | Q(pk__in=delegated.values("content_object"))


@access.scope("catalog.Dataset", "keep_templates")
def provider_of_dataset(actor: User) -> Q:
    if not actor.holds("department_editor", "department_approver"):
        return NOBODY
    return _answered_for(actor)


@access.scope("sharing.TermsTemplate", "retire_template")
def keeper_of_templates(actor: User) -> Q:
    return Q(dataset__in=Dataset.objects.filter(provider_of_dataset(actor)))


@access.scope("sharing.TermsTemplate", "view")
def provider_and_whoever_may_draft(actor: User) -> Q:
    """A consumer sees what is recommended to it; what else the provider thinks of is its own."""
    if _is_overseer(actor) or actor.holds("audit_admin"):
        return EVERY
    offered = Q(status="in_use", is_recommended=True)
    return Q(dataset__in=Dataset.objects.filter(_answered_for(actor))) | offered


@access.scope("sharing.TermsTemplate", "change", "delete")
def no_template_by_hand(actor: User) -> Q:
    return NOBODY


@access.ability("sharing.TermsTemplate", "create")
def keeper_of_some_dataset(actor: User) -> bool:
    return actor.holds("department_editor", "department_approver")


phrases.register(
    {
        "sharing.draft_request": _("起草"),
        "sharing.dispose_copy": _("清除了落地副本"),
        "sharing.mend_copy": _("核对并改正了落地副本"),
        "sharing.end_wind_down": _("结束延续服务"),
        "sharing.draft_request_from_demand": _("由数据需求起草"),
        "sharing.revise": _("修改"),
        "sharing.attach": _("上传附件"),
        "sharing.extend": _("申请延期"),
        "sharing.consent_extension": _("审批延期"),
        "sharing.route": _("安排内部流转"),
        "sharing.pass_step": _("内部审核同意"),
        "sharing.forward": _("转办"),
        "sharing.co_sign": _("请求会签"),
        "sharing.step_back": _("退回上一步"),
        "sharing.recall_step": _("撤回意见"),
        "sharing.backfill": _("补办材料"),
        "sharing.review_urgent": _("事后审查急件"),
        "sharing.preview": _("预览数据"),
        "sharing.narrow": _("收窄"),
        "sharing.notice_idle": _("提醒长期未用"),
        "sharing.note_use": _("记下恢复使用"),
        "sharing.cut_off": _("因闲置停用"),
        "sharing.ask_back": _("说明用途，请求恢复"),
        "sharing.recertify": _("开始年度复核"),
        "sharing.state_need": _("说明继续使用的理由"),
        "sharing.pass_over": _("记下逾期未说明"),
        "sharing.decide": _("年度复核"),
        "sharing.remind_recertification": _("提醒复核逾期"),
        "sharing.escalate_recertification": _("将逾期复核报主管部门"),
        "sharing.ask_usage_report": _("通知登记使用情况"),
        "sharing.remind_usage_report": _("催报使用情况"),
        "sharing.file_usage_report": _("登记使用情况"),
        "sharing.save_template": _("保存授权条款模板"),
        "sharing.read": _("读取"),
        "sharing.request_export": _("申请导出文件"),
        "sharing.finish_export": _("生成了导出文件"),
        "sharing.stop_export": _("停止了导出"),
        "sharing.fail_export": _("未能生成导出文件"),
        "sharing.discard_export": _("删除导出文件"),
        "sharing.expire_export": _("按期删除了导出文件"),
        "sharing.draw_token": _("换取访问令牌"),
        "sharing.issue_credential": _("签发凭证"),
        "sharing.revoke_credential": _("吊销凭证"),
    }
)
