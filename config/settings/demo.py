"""The demonstration: one machine, invented data, known passwords. Never for real data.

Only here may the demonstration accounts pass password classes, second factor and ageing; a system
check refuses the demonstration city under production settings.
"""

from django.utils.translation import gettext_noop as _  # translated where it is shown

from config.settings.base import *  # noqa: F403

HUILIU_DEMO = True
HUILIU_DEMO_ACCOUNTS = [
    ("provider-editor", _("提供部门经办人")),
    ("provider-head", _("提供部门共享工作机构负责人")),
    ("consumer-editor", _("使用部门经办人")),
    ("consumer-head", _("使用部门共享工作机构负责人")),
    ("district-head", _("区县共享工作机构负责人")),
    ("authority", _("主管部门工作人员")),
    ("authority-leader", _("主管部门负责人")),
    ("system-admin", _("系统管理员")),
    ("security-admin", _("安全管理员")),
    ("auditor", _("审计管理员")),
    ("citizen", _("市民")),
]
HUILIU_SECOND_FACTOR_REQUIRED = False
HUILIU_PASSWORD_DAYS = None
AUTH_PASSWORD_VALIDATORS = []
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
