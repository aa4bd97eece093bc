"""The closed sets of values of catalogue fields, with the field's own words.

Source: 《政务信息资源目录编制指南（试行）》；《政务数据共享条例》第十三条、第十五条
"""

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class DatasetStatus(models.TextChoices):
    DRAFT = "draft", _("编制中")
    AWAITING_HEAD = "awaiting_head", _("待本部门审批")
    SUBMITTED = "submitted", _("待主管部门审核")
    RETURNED = "returned", _("已退回")
    PUBLISHED = "published", _("已发布")
    WITHDRAWAL_REQUESTED = "withdrawal_requested", _("申请撤回")
    WITHDRAWN = "withdrawn", _("已撤回")


class ChangeStatus(models.TextChoices):
    DRAFT = "draft", _("修改中")
    AWAITING_HEAD = "awaiting_head", _("待本部门审批")
    SUBMITTED = "submitted", _("待主管部门审核")
    RETURNED = "returned", _("已退回")
    APPLIED = "applied", _("已发布")
    ABANDONED = "abandoned", _("已放弃")


class ChangeChannel(models.TextChoices):
    TYPED = "typed", _("页面填写")
    SPREADSHEET = "spreadsheet", _("电子表格导入")
    API = "api", _("接口提交")


class TriggerKind(models.TextChoices):
    """What obliges a department to update its catalogue; 《政务数据共享条例》第十七条."""

    STATUTE = "statute", _("法律法规修改")
    FUNCTION = "function", _("职能调整")
    REFORM = "reform", _("机构改革")
    OTHER = "other", _("其他情形")


class RoundOutcome(models.TextChoices):
    PUBLISHED = "published", _("审核发布")
    RETURNED = "returned", _("退回修改")
    ABANDONED = "abandoned", _("放弃")


class SharingAttribute(models.TextChoices):
    UNCONDITIONAL = "unconditional", _("无条件共享")
    CONDITIONAL = "conditional", _("有条件共享")
    NOT_SHARED = "not_shared", _("不予共享")


class OpeningAttribute(models.TextChoices):
    UNCONDITIONAL = "unconditional", _("无条件开放")
    CONDITIONAL = "conditional", _("有条件开放")
    NOT_OPENED = "not_opened", _("不予开放")


class FormatClass(models.TextChoices):
    DOCUMENT = "document", _("电子文件")
    SPREADSHEET = "spreadsheet", _("电子表格")
    DATABASE = "database", _("数据库")
    IMAGE = "image", _("图形图像")
    STREAM = "stream", _("流媒体")
    SELF_DESCRIBING = "self_describing", _("自描述格式")


class ModeClass(models.TextChoices):
    PLATFORM = "platform", _("共享平台方式")
    MAIL = "mail", _("邮件")
    DISK = "disk", _("拷盘")
    MEDIA = "media", _("介质交换")


class ModeType(models.TextChoices):
    DATABASE = "database", _("数据库")
    FILE = "file", _("文件")
    INTERFACE = "interface", _("接口")


class UpdateCycle(models.TextChoices):
    REALTIME = "realtime", _("实时")
    DAILY = "daily", _("每日")
    TEN_DAYS = "ten_days", _("每旬")
    WEEKLY = "weekly", _("每周")
    MONTHLY = "monthly", _("每月")
    QUARTERLY = "quarterly", _("每季度")
    HALF_YEARLY = "half_yearly", _("每半年")
    YEARLY = "yearly", _("每年")
    IRREGULAR = "irregular", _("不定期")
    ONCE = "once", _("一次性")


class DirtyLimitAction(models.TextChoices):
    """What becomes of a batch with more rejected records than the limit."""

    STOP = "stop", _("整批不入库")
    QUARANTINE = "quarantine", _("合格的入库，不合格的留存待改")


class Grade(models.TextChoices):
    ONE = "1", _("一般数据 1 级")
    TWO = "2", _("一般数据 2 级")
    THREE = "3", _("一般数据 3 级")
    FOUR = "4", _("一般数据 4 级")
    IMPORTANT = "important", _("重要数据")
    CORE = "core", _("核心数据")


class AssessmentKind(models.TextChoices):
    SECRECY = "secrecy", _("保密风险评估")
    PERSONAL_INFORMATION = "personal_information", _("个人信息保护影响评估")


class Conclusion(models.TextChoices):
    PASSED = "passed", _("通过")
    FAILED = "failed", _("未通过")


FORMAT_TYPES: dict[str, tuple[str, ...]] = {
    FormatClass.DOCUMENT: ("ofd", "wps", "xml", "txt", "doc", "docx", "html", "pdf", "ppt"),
    FormatClass.SPREADSHEET: ("et", "xls", "xlsx", "csv"),
    FormatClass.DATABASE: (
        "dm",
        "kingbase",
        "access",
        "dbf",
        "dbase",
        "sysbase",
        "oracle",
        "sqlserver",
        "db2",
        "mysql",
        "postgresql",
        "gaussdb",
        "oceanbase",
    ),
    FormatClass.IMAGE: ("jpg", "gif", "bmp", "png", "tif", "shp"),
    FormatClass.STREAM: ("swf", "rm", "mpg", "mp4"),
    FormatClass.SELF_DESCRIBING: (),
}
"""Format types by class; a self-describing format names its own type."""

# 文件 goes with files of every kind, 数据库 and 接口 with databases.
MODES_OF_FORMAT: dict[str, tuple[str, ...]] = {
    FormatClass.DATABASE: (ModeType.DATABASE, ModeType.INTERFACE),
    FormatClass.DOCUMENT: (ModeType.FILE,),
    FormatClass.SPREADSHEET: (ModeType.FILE,),
    FormatClass.IMAGE: (ModeType.FILE,),
    FormatClass.STREAM: (ModeType.FILE,),
    FormatClass.SELF_DESCRIBING: (ModeType.FILE, ModeType.INTERFACE),
}

ASSESSMENT_REASONS: dict[str, str | Promise] = {
    AssessmentKind.SECRECY: _("尚无结论为“通过”的保密风险评估"),
    AssessmentKind.PERSONAL_INFORMATION: _("涉及个人信息，尚无结论为“通过”的个人信息保护影响评估"),
}
