"""What is asked when somebody moves a request or a grant on."""

from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.core.lifecycle import Move
from apps.sharing.forms.limits import DayInput, LimitFields
from apps.sharing.models import Mode


class MoveForm(forms.Form):
    """Confirms a move; the reason is demanded where the move needs one."""

    reason = forms.CharField(
        label=_("理由"), required=False, widget=forms.Textarea(attrs={"rows": 4})
    )
    revision = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, move: Move, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        reason = self.fields["reason"]
        reason.required = move.reason
        reason.error_messages["required"] = _("“%(move)s”须填写理由") % {"move": move.label}
        if move.name in WORDS:
            reason.label, reason.help_text = WORDS[move.name]
        elif not move.reason:
            reason.label = _("附言")


WORDS: dict[str, tuple[Any, Any]] = {
    "ask_supplement": (
        _("需要补正的内容"),
        _("补正只能通知一次：所缺的材料和说明逐条写全。补正期间时限暂停。"),
    ),
    "supplement": (_("补正说明"), _("逐条说明补充了什么；提交后时限继续计算。")),
    "confirm": (_("复核意见"), _("签发的负责人会看到。不同意的，返回后“退回重审”。")),
    "send_back_proposal": (_("退回重审的理由"), ""),
    "retract_proposal": (_("撤回的理由"), _("本部门和主管部门看得到。")),
    "return_by_head": (_("退回修改的理由"), ""),
    "pass_on": (_("转报意见"), _("提供部门会看到。")),
    "return_by_district": (_("退回的理由"), _("写明要改什么；会送达申请部门。")),
    "withdraw": (_("撤回理由"), ""),
    "suspend": (_("暂停原因"), _("写明发现的问题和整改要求，使用部门会收到。")),
    "resume": (_("恢复理由"), _("写明整改核实情况。")),
    "end": (_("终止原因"), ""),
}


class AnswerForm(forms.Form):
    """Two answers; the one against needs words.

    ANSWERS: move and words of each. AGAINST: the one against; LACKING: what to write then.
    """

    ANSWERS: ClassVar[tuple[tuple[str, Any], ...]] = ()
    AGAINST: ClassVar[str] = ""
    LACKING: ClassVar[Any] = ""
    ANSWER: ClassVar[Any] = _("结论")
    REASON: ClassVar[Any] = _("说明")
    REASON_HELP: ClassVar[Any] = ""
    answer = forms.ChoiceField(widget=forms.RadioSelect, error_messages={"required": _("选择结论")})
    reason = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["answer"].choices = self.ANSWERS  # type: ignore[attr-defined]
        self.fields["answer"].label = self.ANSWER
        self.fields["reason"].label = self.REASON
        self.fields["reason"].help_text = self.REASON_HELP

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("answer") == self.AGAINST and not cleaned.get("reason", "").strip():
            self.add_error("reason", self.LACKING)
        return cleaned


class SuspendForm(MoveForm):
    """A suspension orders to rectify, by a day."""

    rectify_by = forms.DateField(label=_("整改期限"), required=False, widget=DayInput())
    field_order = ("reason", "rectify_by", "revision")


class NarrowerFields(LimitFields):
    """Terms that only ever become narrower; items and rows stand beside them on the page."""

    TICKS = ("is_verify_only", "may_redistribute")  # what is not ticked is not sent
    is_verify_only = forms.BooleanField(
        label=_("改为只供核验"),
        required=False,
        help_text=_("只回答提交的值是否相符，不提供记录；主键须保留明文，用来找记录。"),
    )
    revision = forms.IntegerField(widget=forms.HiddenInput)

    @classmethod
    def typed(cls, data: Any) -> dict[str, Any]:
        """Return what was typed so far: a look at the rows is not yet an answer to be checked."""
        if data is None:
            return {}
        typed = {name: data[name] for name in cls.base_fields if name in data}
        return typed | {name: name in data for name in cls.TICKS}


class ProposeForm(NarrowerFields):
    """The reviewer's opinion."""

    OUTCOMES = [
        ("agree", _("同意：按申请的数据项和范围提供")),
        ("narrow", _("部分同意：减少数据项、加脱敏、缩小数据范围、缩短时限或者另加限制")),
        ("refuse", _("不予共享：写明理由和依据")),
        ("offer", _("先协商：把较窄的条件送使用部门，对方接受即按此部分同意")),
    ]
    outcome = forms.ChoiceField(
        label=_("处理意见"),
        choices=OUTCOMES,
        widget=forms.RadioSelect,
        error_messages={"required": _("选择处理意见")},
    )
    ends_on = forms.DateField(
        label=_("使用截止日期"),
        required=False,
        widget=DayInput(),
        help_text=_("部分同意和协商时可以提前，不能晚于申请的截止日期。"),
    )
    reason = forms.CharField(
        label=_("理由"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("部分同意、不予共享和协商必填，会送达使用部门。"),
    )
    legal_basis = forms.CharField(
        label=_("不予共享的依据"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("不予共享必填：法律、行政法规或者国务院决定的名称和条款。"),
    )
    missing_papers = forms.CharField(
        label=_("事后补办的材料"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_(
            "急件可以先答复：所缺材料逐条列明，开通后限期补办，逾期授权暂停。没有缺的不填。"
        ),
    )

    def __init__(self, *args: Any, may_offer: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not may_offer:
            outcomes = [pair for pair in self.OUTCOMES if pair[0] != "offer"]
            self.fields["outcome"].choices = outcomes  # type: ignore[attr-defined]

    def allow_no_conditions(self) -> None:
        """Return flow is agreed to as it is, or refused by law.

        Source: 《政务数据共享条例》第二十四条
        """
        kept = [self.OUTCOMES[0], ("refuse", _("不予回流：写明理由和法律、行政法规依据"))]
        self.fields["outcome"].choices = kept  # type: ignore[attr-defined]
        self.fields["reason"].help_text = _("不予回流必填，会送达使用部门。")
        self.fields["legal_basis"].help_text = _(
            "不予回流必填：法律、行政法规的名称（用书名号）和条款。"
        )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        outcome = cleaned.get("outcome")
        if outcome in ("narrow", "refuse", "offer") and not cleaned.get("reason", "").strip():
            self.add_error("reason", _("填写理由"))
        if outcome == "refuse" and not cleaned.get("legal_basis", "").strip():
            self.add_error("legal_basis", _("填写不予共享的依据"))
        return cleaned


class NarrowForm(NarrowerFields):
    """Narrower terms of a grant in force."""

    ends_on = forms.DateField(
        label=_("使用截止日期"),
        required=False,
        widget=DayInput(),
        help_text=_("可以提前，不能延后；延后须重新申请。"),
    )
    reason = forms.CharField(
        label=_("收窄的理由"),
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("会送达使用部门。"),
    )


def mode_wanted(cleaned: dict[str, Any]) -> str | None:
    """Return the mode that was ticked, None to leave it as it is."""
    return Mode.VERIFY if cleaned.get("is_verify_only") else None


class ExtensionForm(forms.Form):
    """More time to answer, asked of the authority.

    Source: 《政务数据共享条例》第二十一条
    """

    workdays = forms.IntegerField(
        label=_("延长工作日"),
        min_value=1,
        max_value=10,
        initial=5,
        help_text=_("最多 10 个工作日，由主管部门审批，并告知使用部门。"),
        error_messages={"max_value": _("最多延长 10 个工作日")},
    )
    reason = forms.CharField(label=_("延期理由"), widget=forms.Textarea(attrs={"rows": 4}))


class ConsentForm(forms.Form):
    """The authority's answer to a request for more time."""

    consented = forms.ChoiceField(
        label=_("审批结论"),
        choices=[("yes", _("同意延期")), ("no", _("不同意延期"))],
        widget=forms.RadioSelect,
    )
    remark = forms.CharField(
        label=_("审批意见"), required=False, widget=forms.Textarea(attrs={"rows": 3})
    )


class StepForm(forms.Form):
    """What a colleague does with the matter on his desk inside the department."""

    ACTIONS = [
        ("pass_step", _("同意，转下一环节")),
        ("forward", _("转办给同事")),
        ("co_sign", _("请同事会签")),
        ("step_back", _("退回上一步")),
    ]
    action = forms.ChoiceField(label=_("办理"), choices=ACTIONS, widget=forms.RadioSelect)
    people: Any = forms.ModelMultipleChoiceField(
        label=_("同事"),
        queryset=None,
        required=False,
        help_text=_("转办选一人，会签可选多人。"),
    )
    opinion = forms.CharField(
        label=_("意见"), required=False, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, *args: Any, colleagues: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["people"].queryset = colleagues  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        action, people = cleaned.get("action"), cleaned.get("people")
        if action in ("forward", "co_sign") and not people:
            self.add_error("people", _("选择同事"))
        if action == "forward" and people is not None and len(people) > 1:
            self.add_error("people", _("转办只能选一人"))
        if action == "step_back" and not cleaned.get("opinion", "").strip():
            self.add_error("opinion", _("填写退回的理由"))
        return cleaned


class RouteForm(forms.Form):
    """Up to three steps inside the department before its head acts."""

    def __init__(self, *args: Any, colleagues: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = [_("业务处室"), _("分管负责人"), _("共享工作机构负责人")]
        for number, name in enumerate(names, start=1):
            self.fields[f"title_{number}"] = forms.CharField(
                label=_("第 %(number)s 环节") % {"number": number},
                max_length=40,
                required=False,
                initial=name,
            )
            self.fields[f"person_{number}"] = forms.ModelChoiceField(
                label=_("办理人"), queryset=colleagues, required=False, empty_label=_("不设此环节")
            )

    def steps(self) -> list[tuple[str, Any]]:
        pairs = [
            (self.cleaned_data[f"title_{number}"], self.cleaned_data[f"person_{number}"])
            for number in (1, 2, 3)
        ]
        return [(title, person) for title, person in pairs if person is not None]
