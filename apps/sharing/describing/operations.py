"""The operations of the data plane that a grant can use, with its own items as their parameters."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.core.conditions import TEXTUAL
from apps.sharing.describing import answers
from apps.sharing.describing.schemas import Schema, of_value, written_example
from apps.sharing.describing.subjects import Item, Subject
from apps.sharing.gateway import codes
from apps.sharing.gateway.changes import FEED_FORMATS
from apps.sharing.gateway.codes import Codes
from apps.sharing.gateway.filters import DEFAULT_LIMIT, FORMATS, MAXIMUM_LIMIT, SHAPES
from apps.sharing.gateway.forwarding import reading
from apps.sharing.gateway.proofs import DEFAULT_SIZE, MAXIMUM_SIZE
from apps.sharing.models import Export, Interface

PREFIX: Final = "/api/v1/data/"
ORDERED: Final = ("gte", "lte", "gt", "lt")
SUFFIX_WORDS: Final[dict[str, str | Promise]] = {
    "": gettext_lazy("等于"),
    "gte": gettext_lazy("不小于"),
    "lte": gettext_lazy("不大于"),
    "gt": gettext_lazy("大于"),
    "lt": gettext_lazy("小于"),
    "in": gettext_lazy("是其中之一，逗号分隔"),
    "prefix": gettext_lazy("以此开头"),
    "isnull": gettext_lazy("true：没有值；false：有值"),
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter. item: the column that it filters by, with the suffix; empty for others."""

    name: str
    schema: Schema
    about: str
    where: str = "query"
    is_required: bool = False
    item: str = ""
    suffix: str = ""
    example: str = ""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. answers: media type → schema of what comes back when all is well.

    can_be_tried: in the console.
    """

    name: str
    method: str
    path: str
    title: str
    about: str
    parameters: tuple[Parameter, ...]
    codes: Codes
    status: int = 200
    answers: tuple[tuple[str, Schema], ...] = ()
    body: Schema | None = None
    body_example: Any = None
    answer_example: Any = None
    can_be_tried: bool = False

    @property
    def plain(self) -> list[Parameter]:
        """The parameters that are not filters, and the filters without which it is refused."""
        return [each for each in self.parameters if each.is_required or not each.item]

    @property
    def needed(self) -> dict[str, str]:
        """What the address cannot do without, each with an example."""
        needed = [p for p in self.parameters if p.is_required and p.where == "query"]
        return {each.name: each.example for each in needed}


def operations_of(subject: Subject) -> tuple[Operation, ...]:
    """Return what can be called; a grant for verification only has nothing else."""
    if subject.interface is not None:
        return () if subject.is_verify_only else (_forwarded(subject, subject.interface),)
    if subject.is_verify_only:
        return (_verify(subject),)
    found = [_page(subject), _changes(subject), _export(subject), _ask_export(subject)]
    found += _exports(subject)
    found += [_columns(subject), _proof(subject), _rows_of_range(subject)]
    if subject.can_verify:
        found.insert(2, _verify(subject))
    return tuple(found)


def suffixes_of(item: Item) -> tuple[str, ...]:
    """Return how the item may be filtered by; nothing when it is masked or of another kind."""
    if not item.readable.is_filterable:
        return ()
    if item.readable.type == "L":
        return ("", "isnull")
    prefix = ("prefix",) if item.readable.type in TEXTUAL else ()
    return ("", *ORDERED, "in", *prefix, "isnull")


def filters_of(subject: Subject) -> tuple[Parameter, ...]:
    return tuple(_filter(item, suffix) for item in subject.items for suffix in suffixes_of(item))


def _filter(item: Item, suffix: str) -> Parameter:
    schema: Schema = of_value(item)
    if suffix == "isnull":
        schema = {"type": "boolean"}
    elif suffix in {"in", "prefix"}:
        schema = {"type": "string"}
    return Parameter(
        name=f"{item.name}__{suffix}" if suffix else item.name,
        schema=schema,
        about=f"{item.label}：{SUFFIX_WORDS[suffix]}",
        item=item.name,
        suffix=suffix,
        example="true" if suffix == "isnull" else written_example(item),
    )


def _limit() -> Parameter:
    schema = {"type": "integer", "minimum": 1, "maximum": MAXIMUM_LIMIT, "default": DEFAULT_LIMIT}
    return Parameter("limit", schema, _("每页条数"), example="20")


def _cursor(about: str, *, is_required: bool = False) -> Parameter:
    return Parameter("cursor", {"type": "string"}, about, is_required=is_required)


def _choice(name: str, values: Any, about: str) -> Parameter:
    return Parameter(name, {"type": "string", "enum": list(values)}, about)


def _fields(subject: Subject) -> Parameter:
    names = [item.name for item in subject.items]
    items: Schema = {"type": "string", "enum": names}
    return Parameter(
        "fields",
        {"type": "array", "items": items},
        _("只取这些数据项，逗号分隔")
        if subject.interface is not None
        else _("只取这些数据项，逗号分隔；_id 总会给出"),
        example=",".join(names[:2]),
    )


def _page(subject: Subject) -> Operation:
    records = answers.page(subject)
    return Operation(
        name="page",
        method="GET",
        path=PREFIX + subject.code,
        title=_("读取一页数据"),
        about=_("按 _id 排序；next 原样作为 cursor 传回，直到为空。CSV 和 NDJSON 的 next 在响应头 "
                "Huiliu-Next-Cursor 中。多个筛选条件同时成立，至多 20 个。"
                "可以压缩（Accept-Encoding：zstd、gzip）；带 If-None-Match 而没有变动的返回 304。"),
        parameters=(
            _limit(),
            _cursor(_("上一页返回的 next")),
            _fields(subject),
            _choice("shape", SHAPES, _("记录写法：对象或数组")),
            _choice("format", FORMATS, _("返回格式；不写则看 Accept，再不然为 json")),
            *filters_of(subject),
        ),
        codes=codes.PAGE,
        answers=(
            ("application/json", records),
            ("application/x-ndjson", {"type": "string"}),
            ("text/csv", {"type": "string"}),
        ),
        answer_example=answers.page_example(subject),
        can_be_tried=True,
    )  # fmt: skip


_UNPAGED: Final = _(
    "平台没有数据，调用时向提供部门的接口取得，按授权脱敏、略去数据范围之外的。"
    "没有 _id，不能翻页；is_complete 为 false 时加筛选条件。"
)
_PAGED: Final = _(
    "平台没有数据，调用时向提供部门的接口取得，按授权脱敏、略去数据范围之外的。"
    "没有 _id；一页的条数可能少于 limit，甚至为 0，以 next 为准，直到它为空。"
    "翻页期间提供部门的数据变动的，可能重复或者遗漏。"
)


def _forwarded(subject: Subject, interface: Interface) -> Operation:
    needed = {reading.filter_name(each) for each in interface.parameters if each["required"]}
    filters = [replace(each, is_required=each.name in needed) for each in filters_of(subject)]
    return Operation(
        name="page",
        method="GET",
        path=PREFIX + subject.code,
        title=_("读取一页数据（由提供部门的接口实时提供）"),
        about=_PAGED if interface.is_paged else _UNPAGED,
        parameters=(
            _limit(),
            *([_cursor(_("上一页返回的 next"))] if interface.is_paged else []),
            _fields(subject),
            _choice("shape", SHAPES, _("记录写法：对象或数组")),
            *filters,
        ),
        codes=codes.PAGE_OF_EITHER if interface.is_paged else codes.FORWARDED,
        answers=(("application/json", answers.forwarded(subject)),),
        answer_example=answers.forwarded_example(subject),
        can_be_tried=True,
    )  # fmt: skip


def _changes(subject: Subject) -> Operation:
    return Operation(
        name="changes",
        method="GET",
        path=f"{PREFIX}{subject.code}/changes",
        title=_("读取变更（增量订阅）"),
        about=_("cursor 之后的变更，按批次和 _id 排列；首次不带 cursor，得到全部现有记录。"
                "is_complete 为 true 后，隔一段时间用 next 再来。返回 resync_required 的，"
                "清空所持数据，从头读起。"),
        parameters=(
            _limit(),
            _cursor(_("上一次返回的 next；不写为从头读起，now 为从现在起")),
            _choice("format", FEED_FORMATS, _("返回格式；不写则看 Accept，再不然为 json")),
        ),
        codes=codes.CHANGES,
        answers=(
            ("application/json", answers.changes(subject)),
            ("application/x-ndjson", {"type": "string"}),
        ),
        answer_example=answers.changes_example(subject),
        can_be_tried=True,
    )  # fmt: skip


def _verify(subject: Subject) -> Operation:
    return Operation(
        name="verify",
        method="POST",
        path=f"{PREFIX}{subject.code}/verify",
        title=_("核验"),
        about=_("提交记录的主键和要核验的值，返回逐项是否相符，不返回数据。一次 1–100 条；"
                "主键各列写全，另加至少一个要核验的数据项。"),
        parameters=(),
        codes=codes.VERIFY,
        answers=(("application/json", answers.verified(subject)),),
        body=answers.verification(subject),
        body_example=answers.verification_example(subject),
        answer_example=answers.verified_example(subject),
        can_be_tried=True,
    )  # fmt: skip


def _export(subject: Subject) -> Operation:
    return Operation(
        name="export",
        method="GET",
        path=f"{PREFIX}{subject.code}/export.csv",
        title=_("整表导出 CSV"),
        about=_("逐块读取、逐块发送。中途不能再读的，末行以“#”说明原因和续传用的 cursor。"),
        parameters=(
            _cursor(_("从哪里接着取")),
            _fields(subject),
            *filters_of(subject),
        ),
        codes=codes.WHOLE,
        answers=(("text/csv", {"type": "string"}),),
    )


def _ask_export(subject: Subject) -> Operation:
    return Operation(
        name="exports_create",
        method="POST",
        path=f"{PREFIX}{subject.code}/exports",
        title=_("导出文件"),
        about=_("排队生成 csv、xlsx、parquet 或 ndjson；按返回的 Location 查看进度，完成后下载。"),
        parameters=(
            _choice("format", Export.Format.values, _("不写则为 csv")),
            _fields(subject),
            *filters_of(subject),
            Parameter(
                "Idempotency-Key",
                {"type": "string"},
                _("提交编号：同一编号再次提交返回原来的导出"),
                where="header",
            ),
        ),
        codes=codes.ASK_EXPORT,
        status=202,
        answers=(("application/json", answers.EXPORT),),
    )


def _exports(subject: Subject) -> Iterator[Operation]:
    path = f"{PREFIX}{subject.code}/exports"
    number = Parameter(
        "number", {"type": "integer"}, _("导出的 id"), where="path", is_required=True, example="31"
    )
    state = (("application/json", answers.EXPORT),)
    yield Operation(
        "exports_list", "GET", path, _("授权的导出列表"), _("新的在前；不计调用次数。"), (),
        codes.LIST_EXPORTS, answers=(("application/json", answers.EXPORTS),),
    )  # fmt: skip
    yield Operation(
        "exports_read", "GET", f"{path}/{{number}}", _("一次导出的进度和清单"),
        _("隔几秒查看一次，直到 status 不再是 queued 或 running。"), (number,),
        codes.ONE_EXPORT, answers=state,
    )  # fmt: skip
    yield Operation(
        "exports_discard", "DELETE", f"{path}/{{number}}", _("删除导出"),
        _("停止排队或生成，或者删除文件。"), (number,), codes.DISCARD_EXPORT, status=204,
    )  # fmt: skip
    ranged = Parameter("Range", {"type": "string"}, _("只取一段，如 bytes=1048576-"), "header")
    yield Operation(
        "exports_file", "GET", f"{path}/{{number}}/file", _("下载导出的文件"),
        _("ETag 是文件的 SHA-256；断线后用 Range 和 If-Range 接着取。"), (number, ranged),
        codes.EXPORT_FILE, answers=(("application/octet-stream", {"type": "string"}),),
    )  # fmt: skip


def _columns(subject: Subject) -> Operation:
    return Operation(
        "columns", "GET", f"{PREFIX}{subject.code}/columns", _("副本的各列"),
        _("建立副本所需的列名、类型，次序即散列值的次序。"), (), codes.COLUMNS,
        answers=(("application/json", {"type": "object"}),),
    )  # fmt: skip


def _proof(subject: Subject) -> Operation:
    whole: Schema = {"type": "integer", "minimum": 0}
    size = {"type": "integer", "minimum": 1, "maximum": MAXIMUM_SIZE, "default": DEFAULT_SIZE}
    return Operation(
        "proof", "GET", f"{PREFIX}{subject.code}/changes/proof", _("核对副本"),
        _("应用完一轮变更后，用当时的 cursor 取得应持有的数据分段的条数和散列值。"),
        (
            _cursor(_("is_complete 为 true 时得到的 next"), is_required=True),
            Parameter("from_id", whole, _("从这个 _id 起，不写为 0")),
            Parameter("to_id", whole, _("到这个 _id 止（含），不写为到最后")),
            Parameter("size", size, _("每一段的条数")),
        ),
        codes.PROOF, answers=(("application/json", {"type": "object"}),),
    )  # fmt: skip


def _rows_of_range(subject: Subject) -> Operation:
    whole: Schema = {"type": "integer", "minimum": 0}
    return Operation(
        "rows", "GET", f"{PREFIX}{subject.code}/changes/rows", _("读取一段记录，改正副本"),
        _("核对不符的一段在 cursor 那一时点的记录：在一个事务里删去自己在这一段的，写入取得的。"),
        (
            _cursor(_("核对时所用的 cursor"), is_required=True),
            Parameter("from_id", whole, _("从这个 _id 起，不写为 0")),
            Parameter("to_id", whole, _("到这个 _id 止（含），不写为到最后")),
            _limit(),
        ),
        codes.PROOF, answers=(("application/json", {"type": "object"}),),
    )  # fmt: skip
