"""The demonstration: one machine, invented data, known passwords. Never for real data.

Only here may the demonstration accounts pass password classes, second factor and ageing; a system
check refuses the demonstration city under production settings.
"""

from config.settings.served import *  # noqa: F403

HUILIU_DEMO = True
HUILIU_DEMO_ACCOUNTS = [
    ("provider-editor", "市民政局 · 经办人"),
    ("provider-second", "市民政局 · 复核人"),
    ("provider-head", "市民政局 · 共享工作机构负责人"),
    ("consumer-editor", "市教委 · 经办人"),
    ("consumer-head", "市教委 · 共享工作机构负责人"),
    ("district-editor", "万州区教委 · 经办人"),
    ("district-approver", "万州区教委 · 共享工作机构负责人"),
    ("district-head", "万州区大数据局 · 转报本区县的申请"),
    ("authority", "主管部门 · 经办人"),
    ("authority-leader", "主管部门 · 负责人"),
    ("system-admin", "系统管理员"),
    ("security-admin", "安全管理员"),
    ("auditor", "审计管理员"),
    ("citizen", "社会公众"),
    ("supplier", "供应商 · 只绑定一个信息系统"),
]
HUILIU_SECOND_FACTOR_REQUIRED = False
HUILIU_PASSWORD_DAYS = None
# The accounts' word is simple; this one also writes down when a password was changed.
AUTH_PASSWORD_VALIDATORS = [{"NAME": "apps.accounts.password_rules.NotTheLastFive"}]
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
