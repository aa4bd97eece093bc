"""What became of the records of a batch, and that all of them are accounted for."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from apps.core.workbooks.refusal import Refusal


@dataclass(frozen=True, slots=True)
class Counts:
    """The balance: `declared` = the five that follow. `deleted` rows left the table."""

    declared: int
    landed: int = 0
    changed: int = 0
    unchanged: int = 0
    duplicate: int = 0
    rejected: int = 0
    deleted: int = 0

    def require_balance(self) -> None:
        """Refuse a batch whose records are not all accounted for.

        Raises:
            Refusal: `unbalanced`.
        """
        found = self.landed + self.changed + self.unchanged + self.duplicate + self.rejected
        if found != self.declared:
            raise Refusal(
                _("文件有 %(declared)s 条记录，处理后只对上 %(found)s 条，整批不予入库")
                % {"declared": f"{self.declared:,}", "found": f"{found:,}"},
                code="unbalanced",
            )


class TooDirty(Refusal):
    """More rows were rejected than the contract allows."""

    code = "dirty_limit"


def require_done(done: int, planned: int) -> None:
    """Stop when the table did not take what was planned; the transaction then undoes it all."""
    if done != planned:
        raise Refusal(
            _("计划处理 %(planned)s 条，数据表只接受了 %(done)s 条，整批不予入库")
            % {"planned": f"{planned:,}", "done": f"{done:,}"},
            code="unbalanced",
        )
