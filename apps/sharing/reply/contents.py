"""What the letter says: parties, conclusion, items, conditions, limits, dates and their reasons."""

from collections.abc import Iterator
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from apps.clocks import queries as clocks
from apps.clocks.models import Clock
from apps.core.errors import NotFound
from apps.core.templatetags.dates import day, minute
from apps.sharing import queries
from apps.sharing.models import Decision, SharingRequest
from apps.sharing.reply.letter import Block, Facts, Grid, Heading, Letter, Paragraph

NUMERALS = "一二三四五六七八九"


def reply_letter(request: SharingRequest, *, at: datetime) -> Letter:
    """Return the letter of a signed decision, as it was signed: a later narrowing is not in it.

    Source: 《政务数据共享条例》第二十一条; house rule (issue 5: a printable decision)
    Raises:
        NotFound: nothing was signed yet.
    """
    decision = queries.latest_decision(request)
    if request.decided_at is None or decision is None or decision.signed_at is None:
        raise NotFound(_("申请尚未签发答复"), code="not_decided")
    return Letter(
        title=_("政务数据共享申请答复书"),
        number=_("申请编号：%(number)s") % {"number": request.number},
        blocks=list(_numbered(_blocks(request, decision))),
        signature=_signature(request, decision),
        annex=list(_dates(request, at)),
        foot=_("本件由共享平台按签发记录生成，以平台记录为准"),
        author=str(request.dataset.department),
        keywords=(request.number, request.dataset.code),
    )


def _numbered(blocks: Iterator[Block]) -> Iterator[Block]:
    """Number the headings as official documents do: 一、二、三、"""
    number = 0
    for block in blocks:
        if isinstance(block, Heading) and block.level == 1:
            yield Heading(f"{NUMERALS[number]}、{block.text}")
            number += 1
        else:
            yield block


def _blocks(request: SharingRequest, decision: Decision) -> Iterator[Block]:
    yield Paragraph(_("%(consumer)s：") % {"consumer": request.consumer}, is_indented=False)
    yield Paragraph(
        _(
            "你单位申请共享“%(dataset)s”的材料（%(number)s）已于 %(received)s 收悉。"
            "经审核，答复如下："
        )
        % {
            "dataset": request.dataset.name,
            "number": request.number,
            "received": minute(request.received_at),
        }
    )
    yield from _conclusion(request, decision)
    yield Heading(_("申请事项"))
    yield Facts(_matter(request))
    if decision.outcome != Decision.Outcome.REFUSE:
        yield from _given(request, decision)
        yield from _duties(request)
    yield Paragraph(_("附件：时限推算"))


def _conclusion(request: SharingRequest, decision: Decision) -> Iterator[Block]:
    yield Heading(_("答复结论"))
    rows = [(_("结论"), str(decision.get_outcome_display()))]
    if decision.reason:
        rows.append((_("理由"), decision.reason))
    if request.decision_reason and request.decision_reason != decision.reason:
        rows.append((_("签发意见"), request.decision_reason))
    if decision.offer is not None:
        agreed = _("上述条件系第 %(n)s 次协商条件，你单位于 %(at)s 接受")
        at = minute(decision.offer.closed_at)
        rows.append((_("协商"), agreed % {"n": decision.offer.version, "at": at}))
    if decision.legal_basis:
        rows.append((_("依据"), decision.legal_basis))
    yield Facts(rows)


def _matter(request: SharingRequest) -> list[tuple[str, str]]:
    dataset = request.dataset
    return [
        (_("数据目录"), _("%(name)s（%(code)s）") % {"name": dataset.name, "code": dataset.code}),
        (_("共享属性"), str(dataset.get_sharing_attribute_display())),
        (_("提供部门"), str(dataset.department)),
        (_("使用部门"), str(request.consumer)),
        (_("使用系统"), str(request.system)),
        (_("使用依据"), request.basis),
        (_("使用场景"), request.scenario),
        (_("使用范围"), request.scope),
    ]


def _given(request: SharingRequest, decision: Decision) -> Iterator[Block]:
    yield Heading(_("共享内容"))
    yield Grid(
        (_("序号"), _("数据项"), _("列名"), _("提供方式")), _item_rows(request, decision), _ITEMS
    )
    conditions = queries.conditions_in_words(decision.row_condition, request.dataset)
    period = _("%(starts)s 至 %(ends)s") % {
        "starts": day(decision.starts_on),
        "ends": day(decision.ends_on),
    }
    yield Facts(
        [
            (_("数据范围"), _("，并且 ").join(conditions) or _("全部记录")),
            (_("共享方式"), str(decision.get_mode_display())),
            (_("使用时限"), period),
            (_("调用限额"), _limits(decision)),
            (_("来源地址"), "、".join(decision.allowed_addresses) or _("不限")),
            (
                _("内部再分发"),
                _("允许，限使用部门内部") if decision.may_redistribute else _("不允许"),
            ),
        ]
    )


_ITEMS = (0.1, 0.32, 0.26, 0.32)


def _item_rows(request: SharingRequest, decision: Decision) -> list[list[str]]:
    """Return every item asked for in its order, with how it is given, or that it is not."""
    asked = queries.asked_terms(request)
    given = {entry["name"]: entry["mask"] for entry in decision.items}
    rows = []
    for number, entry in enumerate(asked.items if asked else decision.items, 1):
        name = entry["name"]
        how = queries.mask_words(given[name]) if name in given else _("不提供")
        rows.append([str(number), entry["label"], name, how])
    return rows


def _limits(decision: Decision) -> str:
    words = (
        (decision.calls_a_day, _("每日 %(n)s 次")),
        (decision.rows_a_day, _("每日 %(n)s 条")),
        (decision.calls_a_minute, _("每分钟 %(n)s 次")),
    )
    return "，".join(text % {"n": f"{limit:,}"} for limit, text in words if limit) or _("不限")


def _duties(request: SharingRequest) -> Iterator[Block]:
    """What the consumer is held to: the entry's own condition, and the regulation's."""
    yield Heading(_("使用要求"))
    if request.dataset.sharing_condition:
        yield Paragraph(
            _("使用条件：%(condition)s。")
            % {"condition": request.dataset.sharing_condition.rstrip("。")}
        )
    yield Paragraph(
        _(
            "使用部门应当按照答复的用途、范围和时限使用数据，未经同意不得扩大使用范围、"
            "改作他用或者提供给第三方（《政务数据共享条例》第二十五条）。"
        )
    )


def _dates(request: SharingRequest, at: datetime) -> Iterator[Block]:
    """Write down each clock of the request day by day, so that anyone can check the dates."""
    yield Heading(_("附件：时限推算"))
    yield Facts(
        [
            (_("提交"), minute(request.submitted_at)),
            (_("收到"), minute(request.received_at)),
            (_("答复"), minute(request.decided_at)),
            (_("交付"), minute(request.delivered_at)),
        ]
    )
    calendar = clocks.work_calendar()
    for number, clock in enumerate(clocks.clocks_of(request)):
        yield Heading(f"{NUMERALS[number]}、{clock.policy.name}", level=2)
        yield Facts(_clock_facts(clock))
        yield Grid(
            (_("日期"), _("星期"), _("计入"), _("说明")),
            [
                [
                    line.day.isoformat(),
                    line.weekday,
                    str(line.number) if line.counted else "—",
                    line.why + (_("（延期）") if line.is_extension and line.counted else ""),
                ]
                for line in clocks.explain(clock, calendar, at=at)
            ],
            (0.22, 0.14, 0.12, 0.52),
        )


def _clock_facts(clock: Clock) -> list[tuple[str, str]]:
    policy = clock.policy
    length = clock.length or policy.length
    rows = [
        (_("时限"), f"{length} {policy.get_unit_display()}"),
        (_("依据"), policy.source + (_("（参照）") if clock.is_reference else "")),
        (_("履行部门"), str(clock.department or "—")),
        (_("起算"), minute(clock.started_at)),
        (_("截止"), day(clock.due_on) + (_("（暂定）") if clock.provisional else "")),
    ]
    extension = getattr(clock, "extension", None)
    if extension is not None:
        text = _("延长 %(n)s %(unit)s：%(reason)s")
        words = {
            "n": extension.length,
            "unit": extension.get_unit_display(),
            "reason": extension.reason,
        }
        rows.append((_("延期"), text % words))
    if clock.stopped_at is not None:
        met = _("按时") if clock.met else _("超期")
        ended = minute(clock.stopped_at)
        rows.append((_("办结"), ended if clock.met is None else f"{ended}（{met}）"))
    return rows


def _signature(request: SharingRequest, decision: Decision) -> list[str]:
    signed = timezone.localtime(decision.signed_at)
    lines = [str(request.dataset.department)]
    if request.is_automatic:
        lines.append(_("平台自动授权 %(at)s") % {"at": minute(decision.signed_at)})
    else:
        lines.append(_("审核：%(person)s") % {"person": decision.proposed_by})
        lines.append(
            _("签发：%(person)s %(at)s")
            % {"person": decision.signed_by, "at": minute(decision.signed_at)}
        )
    written = {"year": signed.year, "month": signed.month, "day": signed.day}
    return [*lines, _("%(year)s年%(month)s月%(day)s日") % written]
