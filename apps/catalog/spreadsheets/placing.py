"""Where an entry belongs: its department, its code, its place in the classification."""

import re
from typing import Final

from django.utils.translation import gettext as _

from apps.accounts.models import Department
from apps.catalog.models import Dataset
from apps.catalog.models.dataset import CODE_PATTERN
from apps.catalog.spreadsheets import cells
from apps.catalog.spreadsheets.columns import CLEAR_MARKS
from apps.catalog.spreadsheets.references import References
from apps.catalog.spreadsheets.rows import RawEntry
from apps.catalog.surroundings import significant

CODE_LENGTH: Final = Dataset._meta.get_field("code").max_length or 60
_SHORTEST: Final = 2
"""Characters of a department's name that say which one is meant."""


class Placing:
    """`own` is the department of whoever uploads, None for the authority."""

    def __init__(self, references: References, own: Department | None) -> None:
        self.references = references
        self.own = own

    def department(self, raw: RawEntry) -> Department | None:
        for name in ("provider", "provider_code"):
            text = raw.text(name)
            if not text or text in CLEAR_MARKS:
                continue
            found = self.references.departments.get(significant(text))
            if found is None and self._is_short_for_own(text):
                raw.fault(
                    "warning",
                    name,
                    _("“%(text)s”按本部门“%(name)s”计") % {"text": text[:50], "name": self.own},
                )
                return self.own
            if found is None:
                raw.fault(
                    "error",
                    name,
                    _("没有“%(text)s”这个部门") % {"text": text[:50]},
                    _("写部门的全称、简称或者统一社会信用代码"),
                )
                return self.own
            if self.own is not None and found.pk != self.own.pk:
                raw.fault(
                    "error",
                    name,
                    _("提供方是“%(name)s”，不是本部门；只能导入本部门的目录") % {"name": found},
                    _("删去这些行，由该部门自己上传"),
                )
            return found
        if self.own is None:
            raw.fault("error", "provider", _("信息资源提供方没有填写"), _("填写提供部门的名称"))
        elif "provider" in raw.table.places:
            raw.fault(
                "warning",
                "provider",
                _("信息资源提供方没有填写，按本部门“%(name)s”计") % {"name": self.own},
            )
        return self.own

    def _is_short_for_own(self, text: str) -> bool:
        """Departments leave out their city: 民政局 is 市民政局 when it uploads."""
        word = significant(text)
        if self.own is None or len(word) < _SHORTEST:
            return False
        names = (self.own.name, self.own.short_name)
        return any(significant(name).endswith(word) for name in names)

    def code(self, raw: RawEntry) -> str:
        text = raw.text("code")
        if not text or text in CLEAR_MARKS:
            return ""
        fault = cells.formula_fault(text)
        if fault is not None:
            raw.fault("error", "code", str(fault.fault), str(fault.remedy))
            return ""
        plain = cells.narrow(text).replace("-", "/").replace(" ", "")
        if re.match(CODE_PATTERN, plain) and len(plain) <= CODE_LENGTH:
            if plain != text:
                raw.fault(
                    "warning",
                    "code",
                    _("代码“%(text)s”读作 %(code)s") % {"text": text, "code": plain},
                )
            return plain
        if re.match(r"^[\d.]+e\+?\d+$", plain, re.IGNORECASE):
            message = _("代码“%(text)s”被表格软件改成了科学计数") % {"text": text[:30]}
        elif len(plain) > CODE_LENGTH:
            message = _("代码“%(text)s……”太长") % {"text": text[:30]}
        elif len(plain.split("/")[0]) < 6:
            message = _("代码“%(text)s”太短：前段应是类、项、目共 6 位以上") % {"text": text[:30]}
        else:
            message = _("代码“%(text)s”不合规则") % {"text": text[:30]}
        raw.fault(
            "error", "code", message, _("应形如 307001002/000001；新目录可以不填，由系统编号")
        )
        return ""

    def classification(self, raw: RawEntry, code: str) -> str:
        """Walk down the tree by what the four columns say; else go by the code's first part."""
        at = ""
        for level in range(1, 5):
            text = raw.text(f"class.{level}")
            if not text:
                continue
            plain = significant(text)
            found = self.references.children.get(at, {}).get(plain)
            if found is None and cells.narrow(text).split(" ")[0] in self.references.classes:
                found = cells.narrow(text).split(" ")[0]
            if found is None:
                raw.fault(
                    "error",
                    f"class.{level}",
                    _("分类中没有“%(text)s”") % {"text": text[:30]},
                    _("按说明表中的分类填写名称或者代码"),
                )
                return ""
            at = found
        if not at and code:
            prefix = code.partition("/")[0]
            at = prefix if prefix in self.references.classes else ""
        return at
