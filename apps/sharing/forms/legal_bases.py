"""Provisions that people cite most, offered beside the fields; what is said of each is its gist.

The wording is ours, not the law's: the clerk cites the article and adds the duty it serves. What
stands in 〔brackets〕 is for the clerk to write, and nothing is sent before it is written.
"""

from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Provision:
    """An article and its gist; `text` is what is written into the field."""

    article: str | Promise
    gist: str | Promise

    @property
    def text(self) -> str:
        return f"{self.article}：{self.gist}"


USE: Final = (
    Provision(
        _("《政务数据共享条例》第二十条"),
        _("因履行职责需要使用其他部门的政务数据，按使用依据、场景、范围、方式和时限提出申请"),
    ),
    Provision(
        _("《数据安全法》第三十八条"),
        _("国家机关为履行法定职责，在职责范围内按法定条件和程序收集、使用数据，并依法保密"),
    ),
    Provision(
        _("《个人信息保护法》第三十四条"),
        _("国家机关为履行法定职责处理个人信息，按法定权限和程序，不超出必需的范围和限度"),
    ),
)

REFUSAL: Final = (
    Provision(
        _("《政务数据共享条例》第十五条"),
        _("列为不予共享，依据〔写明法律、行政法规或者国务院决定的名称和条款〕"),
    ),
    Provision(
        _("《政务数据共享条例》第二十条"),
        _("申请的使用范围超出使用依据和使用场景所必需，且经补正仍不能说明"),
    ),
    Provision(
        _("《个人信息保护法》第二十八条"),
        _("敏感个人信息须有特定目的和充分必要性并采取严格保护措施；申请未能说明"),
    ),
    Provision(
        _("《数据安全法》第二十一条"),
        _("数据分类分级保护；该数据的级别不适用申请的共享方式"),
    ),
)
