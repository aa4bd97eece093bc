"""Which entry a sheet means, and whether anything may be done to it now."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from apps.accounts.models import Department
from apps.catalog.lifecycle import EDITABLE
from apps.catalog.spreadsheets.known import IN_FORCE, KnownEntries, KnownEntry
from apps.catalog.spreadsheets.references import References
from apps.catalog.spreadsheets.rows import RawEntry
from apps.catalog.spreadsheets.stating import Stated
from apps.catalog.surroundings import significant


class Matching:
    """`own` is the uploader's department; None for the authority, which revises nobody's drafts."""

    def __init__(self, references: References, own: Department | None, known: KnownEntries) -> None:
        self.references = references
        self.own = own
        self.known = known
        self._claimed: dict[int, RawEntry] = {}

    def match(self, stated: Stated) -> KnownEntry | None:
        """Find the entry that is meant: by code, else by name in its department; once a file."""
        found = self._find(stated)
        if found is None:
            return None
        first = self._claimed.setdefault(found.pk, stated.raw)
        if first is not stated.raw and not _is_refused(stated.raw):
            stated.raw.fault(
                "error",
                "name",
                _("与表“%(sheet)s”第 %(row)s 行起的是同一条目录 %(code)s")
                % {"sheet": first.table.sheet, "row": first.first_row, "code": found.code},
                _("同一条目录的，合到一处；新目录换一个名称"),
            )
        return found

    def _find(self, stated: Stated) -> KnownEntry | None:
        raw, department = stated.raw, stated.department
        name = raw.text("name")
        by_name = None
        if department is not None and name:
            by_name = self.known.by_name.get((department.pk, significant(name)))
        found = self.known.by_code.get(stated.code) if stated.code else None
        self._tell_counting_up(raw, is_known=found is not None)
        if found is None:
            self._match_by_name(stated, by_name)
            return by_name
        if department is not None and found.department_id != department.pk:
            other = self.references.department_by_id.get(found.department_id)
            raw.fault(
                "error",
                "code",
                _("代码 %(code)s 是“%(name)s”的目录，不是“%(own)s”的")
                % {"code": found.code, "name": other or "", "own": department},
                _("核对代码；新目录把代码空着，由系统编号"),
            )
        elif by_name is not None and by_name.pk != found.pk:
            raw.fault(
                "error",
                "name",
                _("本部门已有同名目录 %(code)s（不计空格和标点）") % {"code": by_name.code},
                _("换一个名称，或者改用那条目录的代码"),
            )
        return found

    def _match_by_name(self, stated: Stated, by_name: KnownEntry | None) -> None:
        """Say what a code means that the platform does not know."""
        raw = stated.raw
        if stated.code and by_name is not None:
            raw.fault(
                "error",
                "code",
                _("名称与目录 %(code)s 相同，代码却是 %(other)s")
                % {"code": by_name.code, "other": stated.code},
                _("同一条目录的，改用平台中的代码；另一条目录的，换一个名称"),
            )
        elif stated.code:
            raw.fault(
                "warning",
                "code",
                _("平台中没有代码 %(code)s，采用时另编代码") % {"code": stated.code},
            )
        elif by_name is not None:
            self._take_for(by_name, stated)

    def _tell_counting_up(self, raw: RawEntry, *, is_known: bool) -> None:
        """A name that counts up is an entry of its own only where its code is known already."""
        if raw.counted_from:
            raw.fault(
                "warning" if is_known else "error",
                "name",
                _("名称“%(name)s”与上一条“%(older)s”只差末尾的数字，像是拖动填充所致")
                % {"name": raw.text("name")[:50], "older": raw.counted_from[:50]},
                _("同一条目录的，各行改成同一个名称；两条目录的，在名称中写明区别"),
            )

    def _take_for(self, known: KnownEntry, stated: Stated) -> None:
        """An entry found by its name keeps that name: a space or a comma more renames nothing."""
        stated.values.pop("name", None)
        if stated.raw.text("name") != known.name:
            stated.raw.fault(
                "warning",
                "name",
                _("名称与目录 %(code)s“%(name)s”只差空格或标点，按同一条目录对待，名称不改")
                % {"code": known.code, "name": known.name},
                _("是另一条目录的，在名称中写明区别"),
            )

    def refuse_unfit(
        self,
        *,
        stated: Stated,
        known: KnownEntry | None,
        state: Mapping[str, Any] | None,
        is_changed: bool,
    ) -> None:
        """Refuse what the entry's status, or its place in the tree, does not admit."""
        raw = stated.raw
        for name in stated.related or ():
            if name not in self.known.by_code:
                raw.fault(
                    "error",
                    "related",
                    _("没有找到关联目录 %(code)s") % {"code": name[:60]},
                    _("核对代码"),
                )
        if known is None or state is None:
            self._refuse_incomplete(stated)
            return
        if stated.classification and not state["classification"].startswith(stated.classification):
            raw.fault(
                "error",
                "class.3",
                _("分类与平台中的 %(code)s 不同，编制后不能改") % {"code": state["classification"]},
                _("把分类改回来；确需改变的，另编目录"),
            )
        why = self._why_closed(known) if is_changed else None
        if why is not None:
            raw.fault("error", "code", why[0], why[1])

    def _refuse_incomplete(self, stated: Stated) -> None:
        """A new entry needs a class, on which its code depends, and a name."""
        if len(stated.classification) < 6:
            stated.raw.fault(
                "error", "class.3", _("资源分类至少要分到“目”"), _("按说明表中的分类填写")
            )
        if not stated.raw.text("name"):
            stated.raw.fault("error", "name", _("信息资源名称没有填写"), _("填写名称"))

    def _why_closed(self, known: KnownEntry) -> tuple[str, str] | None:
        """Say why nothing of the entry may be changed now."""
        if known.status == "withdrawn":
            return _("这条目录已经撤回"), _("删去这些行")
        if known.has_open_change:
            return _("这条目录有一次变更正在办理"), _("等它办结或者作废后再上传")
        if known.status not in IN_FORCE and known.status not in EDITABLE:
            return _("这条目录正在审核，不能修改"), _("等审核结束后再上传")
        if known.status in EDITABLE and self.own is None:
            return _("这条目录还在编制，由提供部门自己修改"), _("删去这些行")
        return None

    def refuse_doubled_entries(self, stated: Sequence[Stated]) -> None:
        """Two entries of the file may not be one: neither by code nor by name.

        Told of is the one that comes later, or that takes the name of one that has it.
        """
        seen: dict[tuple[Any, ...], RawEntry] = {}
        for each in sorted(stated, key=lambda each: not self._has_its_name(each)):
            known = self.known.by_code.get(each.code)
            if known is not None:  # before any that is known by its name alone
                self._claimed.setdefault(known.pk, each.raw)
            name = significant(each.raw.text("name"))
            keys: list[tuple[Any, ...]] = [("code", each.code)] if each.code else []
            if name and each.department is not None:
                keys.append(("name", each.department.pk, name))
            for key in keys:
                first = seen.setdefault(key, each.raw)
                if first is not each.raw:
                    self._tell_doubled(each.raw, first, str(key[0]))

    def _has_its_name(self, stated: Stated) -> bool:
        """Whether the entry, known by its code, is named in the sheet as it is."""
        known = self.known.by_code.get(stated.code)
        name = stated.raw.text("name")
        return known is not None and significant(known.name) == significant(name)

    def _tell_doubled(self, raw: RawEntry, first: RawEntry, field: str) -> None:
        raw.fault(
            "error",
            field,
            _("与表“%(sheet)s”第 %(row)s 行起的目录重复（不计空格和标点）")
            % {"sheet": first.table.sheet, "row": first.first_row},
            _("同一条目录的，合到一处；两条目录的，名称要有区别"),
        )


def _is_refused(raw: RawEntry) -> bool:
    """Whether it was told already that the entry is another's."""
    return any(fault.level == "error" and fault.field in {"code", "name"} for fault in raw.faults)
