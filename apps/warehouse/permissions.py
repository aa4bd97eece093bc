"""Who may see and hand in batches.

    action                      who                                             rows
    Dataset view_landing        editor, approver, systems of the department     own department's
                                authority's officers and leaders, audit admin   all
    Dataset land,               editor and systems of the department            own department's
      confirm_no_change
    Dataset register_source,    editor of the department                        own department's
      open_exchange
    PullSource view, PullRun    as view_landing, system and security admins     as view_landing; all
      view
    PullSource change_source,   editor of the department                        own department's
      try_source, run_now,
      resume, pause, retire
    ExchangeTable view          as PullSource view                              as PullSource view
    ExchangeTable               as change_source                                own department's
      close_exchange
    FrontNode view              as PullSource view                              as PullSource view
    FrontNode report_heartbeat  every information system                        its own
    NoChange view               as view_landing                                 as view_landing
    Batch view, Upload view     as view_landing                                 as view_landing
    Upload continue             as land                                         own department's
    Batch view_rejections,      editor, approver, systems of the department     own department's
      Rejection view
    Batch release               approver of the department                      own department's
    Batch mend                  editor and systems of the department            own department's
    FileProposal view,          as view_landing                                 as view_landing
      ProposalRun view
    ProposalRun discard         editor of the department                        own department's
    Store, DataTable view       as view_landing, and the system administrator   as view_landing

A source's secret is shown to nobody; those who keep the system running see its state.
Consumers never see a batch: it shows rows that no grant covers. Rejected rows hold the data itself,
so not even the authority reads them. A system acts by its service user, a stand-in for his
principal.

Source: 《政务数据共享条例》第十三条; house rule (design §3.4)
"""

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core import access
from apps.core.access import EVERYBODY, NOBODY
from apps.ledger import phrases

PROVIDERS = ("department_editor", "department_approver")
KEEPERS = ("system_admin", "security_admin")
OVERSEERS = ("authority_officer", "authority_leader", "audit_admin")

phrases.register(
    {
        "warehouse.receive": _("提交了归集批次"),
        "warehouse.relay": _("指定版式重新入库"),
        "warehouse.confirm_no_change": _("确认数据无变化"),
        "warehouse.begin_upload": _("开始分片上传"),
        "warehouse.finish_upload": _("上传完毕，提交了归集批次"),
        "warehouse.register_source": _("登记了拉取来源"),
        "warehouse.change_source": _("修改了拉取来源"),
        "warehouse.try_source": _("测试了拉取来源的连接"),
        "warehouse.run_source_now": _("要求立即拉取"),
        "warehouse.resume_source": _("启用了拉取来源"),
        "warehouse.pause_source": _("暂停了拉取来源"),
        "warehouse.retire_source": _("停用了拉取来源"),
        "warehouse.open_exchange": _("开通了交换表，签发了登录口令"),
        "warehouse.close_exchange": _("关闭了交换表"),
        "warehouse.discard_upload": _("放弃了没有传完的文件"),
        "warehouse.request_proposal": _("提交了文件，待生成目录草案"),
        "warehouse.propose": _("由文件生成了目录草案"),
        "warehouse.release": _("放行了暂存待核的记录"),
        "warehouse.reveal": _("查看了 %(rows)s 条记录的明文"),
        "warehouse.download_rejections": _("下载了 %(rows)s 条未通过记录的明文"),
        "warehouse.download_normalised": _("下载了 %(rows)s 个改写的值的明文"),
        "warehouse.set_aside": _("不再改正未通过的记录"),
        "warehouse.forget_past": _("清理了数据表的历史版本"),
    }
)


def provides(actor: User) -> bool:
    """Say whether he acts for his department's data: its staff by role, or its own systems."""
    if actor.department_id is None:
        return False
    return actor.kind == User.Kind.SERVICE or actor.holds(*PROVIDERS)


def _of_department(actor: User, field: str) -> Q:
    """The overseers' every row, a provider's own department's, nobody else's."""
    if actor.holds(*OVERSEERS):
        return EVERYBODY
    return Q(**{field: actor.department_id}) if provides(actor) else NOBODY


@access.scope("catalog.Dataset", "view_landing")
def provider_or_overseer(actor: User) -> Q:
    return _of_department(actor, "department")


@access.scope("catalog.Dataset", "land", "confirm_no_change")
def who_hands_in(actor: User) -> Q:
    if actor.kind == User.Kind.SERVICE or actor.holds("department_editor"):
        return Q(department=actor.department_id)
    return NOBODY


@access.scope("warehouse.Batch", "view")
def batch_of_own_department(actor: User) -> Q:
    return _of_department(actor, "dataset__department")


@access.scope("warehouse.Upload", "view")
def upload_of_own_department(actor: User) -> Q:
    return _of_department(actor, "dataset__department")


@access.scope("warehouse.Upload", "continue")
def upload_to_go_on_with(actor: User) -> Q:
    if actor.kind == User.Kind.SERVICE or actor.holds("department_editor"):
        return Q(dataset__department=actor.department_id)
    return NOBODY


@access.scope("warehouse.NoChange", "view")
def confirmation_of_own_department(actor: User) -> Q:
    return _of_department(actor, "dataset__department")


@access.scope("warehouse.Batch", "view_rejections")
def batch_with_rows_to_read(actor: User) -> Q:
    return Q(dataset__department=actor.department_id) if provides(actor) else NOBODY


@access.scope("warehouse.Batch", "release")
def batch_with_rows_to_release(actor: User) -> Q:
    if actor.holds("department_approver"):
        return Q(dataset__department=actor.department_id)
    return NOBODY


@access.scope("warehouse.Batch", "mend")
def batch_of_who_hands_in(actor: User) -> Q:
    if actor.kind == User.Kind.SERVICE or actor.holds("department_editor"):
        return Q(dataset__department=actor.department_id)
    return NOBODY


@access.scope("warehouse.Rejection", "view")
def rejection_of_own_department(actor: User) -> Q:
    return Q(batch__dataset__department=actor.department_id) if provides(actor) else NOBODY


@access.scope("warehouse.Normalisation", "view")
def normalisation_of_own_department(actor: User) -> Q:
    return _of_department(actor, "batch__dataset__department")


@access.scope("catalog.Dataset", "register_source", "open_exchange")
def dataset_to_connect(actor: User) -> Q:
    return Q(department=actor.department_id) if actor.holds("department_editor") else NOBODY


@access.scope("warehouse.PullSource", "view", audience="internal")
def source_of_own_department(actor: User) -> Q:
    return EVERYBODY if actor.holds(*KEEPERS) else _of_department(actor, "dataset__department")


@access.scope("warehouse.PullRun", "view", audience="internal")
def run_of_own_department(actor: User) -> Q:
    if actor.holds(*KEEPERS):
        return EVERYBODY
    return _of_department(actor, "source__dataset__department")


@access.scope("warehouse.ExchangeTable", "view", audience="internal")
def exchange_of_own_department(actor: User) -> Q:
    return EVERYBODY if actor.holds(*KEEPERS) else _of_department(actor, "dataset__department")


@access.scope("warehouse.ExchangeTable", "close_exchange")
def exchange_to_keep(actor: User) -> Q:
    if actor.holds("department_editor"):
        return Q(dataset__department=actor.department_id)
    return NOBODY


@access.scope("warehouse.FrontNode", "view", audience="internal")
def node_of_own_department(actor: User) -> Q:
    return EVERYBODY if actor.holds(*KEEPERS) else _of_department(actor, "system__department")


@access.ability("warehouse.FrontNode", "report_heartbeat")
def is_a_system(actor: User) -> bool:
    return bool(actor.kind == User.Kind.SERVICE)


@access.scope(
    "warehouse.PullSource",
    "change_source",
    "try_source",
    "run_now",
    "resume",
    "pause",
    "retire",
)
def source_to_keep(actor: User) -> Q:
    if actor.holds("department_editor"):
        return Q(dataset__department=actor.department_id)
    return NOBODY


@access.scope("warehouse.FileProposal", "view")
def proposal_of_own_department(actor: User) -> Q:
    return _of_department(actor, "dataset__department")


@access.scope("warehouse.ProposalRun", "view")
def run_of_proposal_of_own_department(actor: User) -> Q:
    return _of_department(actor, "department")


@access.scope("warehouse.ProposalRun", "discard")
def run_of_proposal_to_give_up(actor: User) -> Q:
    return Q(department=actor.department_id) if actor.holds("department_editor") else NOBODY


@access.scope("warehouse.Store", "view", audience="internal")
def store_of_own_department(actor: User) -> Q:
    return EVERYBODY if actor.holds("system_admin") else _of_department(actor, "department")


@access.scope("warehouse.DataTable", "view", audience="internal")
def table_of_own_department(actor: User) -> Q:
    if actor.holds("system_admin"):
        return EVERYBODY
    return _of_department(actor, "dataset__department")
