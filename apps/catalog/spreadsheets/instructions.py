"""What a clerk must know before filling the template in; a sheet of the workbook."""

from django.utils.translation import gettext as _

from apps.catalog.spreadsheets.columns import CLEAR_MARK


def instructions() -> list[tuple[str, str]]:
    """Return headings and words, in the order of the sheet."""
    return [*_of_entries(), *_of_cells()]


def _of_entries() -> list[tuple[str, str]]:
    return [
        (
            _("一行写什么"),
            _(
                "一行一个数据项。一条目录有几个数据项就占几行；"
                "目录自己的各列只在第一行填写，或者各行填成一样。"
            ),
        ),
        (
            _("目录代码"),
            _(
                "新目录不填，由平台编号。已有目录的代码不要改动；"
                "同一条目录的各行填同一个代码，不要拖动填充。"
            ),
        ),
        (
            _("版本"),
            _("导出时带出，说明这些行依据哪一版。不要改动，再次上传时据此分清是谁改了什么。"),
        ),
        (
            _("空着的单元格"),
            _("新目录：就是空的。已有目录：不改动。整列没有的，也不改动。"),
        ),
        (
            _("清空"),
            _("要清掉已有的内容，填“%(mark)s”。") % {"mark": CLEAR_MARK},
        ),
        (
            _("删去数据项"),
            _("在“操作”列填“删除”。表中没有写到的数据项保持原样，不会删去。"),
        ),
    ]


def _of_cells() -> list[tuple[str, str]]:
    return [
        (
            _("主键"),
            _(
                "说明“是谁的记录”的一列（身份证号、统一社会信用代码等）填“主体标识”，"
                "其余主键列填“主键”。"
            ),
        ),
        (
            _("列名"),
            _("小写英文字母开头，只用小写字母、数字和下划线；先不填的，平台暂定列名，以后可以改。"),
        ),
        (
            _("数字和日期"),
            _("数字只填数字，单位写在表头里；日期写成 2019-05-10。"),
        ),
        (
            _("共享条件"),
            _(
                "有条件共享的写使用条件，并在“共享范围”写明哪些部门可以使用；"
                "不予共享的在理由、依据两列写明。"
            ),
        ),
        (
            _("上传之后"),
            _(
                "平台先检查、逐格说明问题，不会直接改动目录；"
                "你确认采用后成为草稿或者变更，再按平时的程序审批。"
            ),
        ),
    ]
