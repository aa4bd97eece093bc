"""What is wrong with an installation, said in words with the remedy."""

import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from apps.console.checks import demonstration_accounts

OLDEST_VERSION = 16
LOCKS_WANTED = 1024
CONNECTIONS_WANTED = 100
GRANTS_PER_TABLE = 2000  # access lists are not TOASTed: a table holds about 2,400 (design §4)
GIGABYTE = 1024**3


class Level(Enum):
    """How much a finding matters; the value is what stands before it."""

    FINE = "正常"
    ATTENTION = "注意"
    BLOCKING = "阻断"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    level: Level
    words: str
    remedy: str = ""


def fine(words: str) -> Finding:
    return Finding(Level.FINE, words)


def attention(words: str, remedy: str) -> Finding:
    return Finding(Level.ATTENTION, words, remedy)


def blocking(words: str, remedy: str) -> Finding:
    return Finding(Level.BLOCKING, words, remedy)


def findings() -> Iterator[Finding]:
    """Look at everything; what needs the database is left out when it does not answer."""
    yield from _folder()
    yield _disk()
    reachable = _reachable()
    yield reachable
    if reachable.level is Level.FINE:
        for look in DATABASE_LOOKS:
            yield look()
        yield from _after_migrations()


def _after_migrations() -> Iterator[Finding]:
    migrated = _migrations()
    yield migrated
    if migrated.level is Level.FINE:
        yield _crowded_tables()
        yield _demonstration()
        yield _worker()


def _row(query: str, *parameters: Any) -> tuple[Any, ...] | None:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        row: tuple[Any, ...] | None = cursor.fetchone()
        return row


def _value(query: str, *parameters: Any) -> Any:
    row = _row(query, *parameters)
    return row[0] if row else None


# The machine


def _folder() -> Iterator[Finding]:
    home: Path = settings.HUILIU_HOME
    try:
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=home):
            pass
    except OSError as error:
        yield blocking(
            f"数据文件夹 {home} 不可写（{error.strerror}）",
            "改正文件夹的属主与权限，或用 HUILIU_HOME 另指一处",
        )
        return
    yield fine(f"数据文件夹 {home} 可写")
    key = home / "secret_key"
    if key.exists() and stat.S_IMODE(key.stat().st_mode) & 0o077:
        yield attention(f"密钥文件 {key} 可被其他用户读取", f"执行 chmod 600 {key}")


def _disk() -> Finding:
    free = shutil.disk_usage(settings.HUILIU_HOME.parent).free / GIGABYTE
    words = f"磁盘剩余 {free:.1f} GB"
    if free < 1:
        return blocking(words, "清理磁盘：归集与导出会因空间不足而失败")
    return fine(words) if free >= 5 else attention(words, "低于 5 GB，请尽快扩容或清理")


# The database


def _reachable() -> Finding:
    try:
        _value("SELECT 1")
    except DatabaseError as error:
        return blocking(
            f"连不上数据库：{str(error).strip()}",
            "检查 DATABASE_URL 与网络；尚未建库时，由数据库管理员执行 "
            "python manage.py doctor --sql 打印的语句",
        )
    return fine("数据库可以连接")


def _version() -> Finding:
    number = int(_value("SHOW server_version_num"))
    words = f"PostgreSQL {number // 10000}.{number % 10000}"
    if number // 10000 < OLDEST_VERSION:
        return blocking(words, f"需要 PostgreSQL {OLDEST_VERSION} 或更高版本")
    return fine(words)


def _encoding() -> Finding:
    encoding = _value("SHOW server_encoding")
    if encoding != "UTF8":
        return blocking(f"数据库编码为 {encoding}", "用 ENCODING 'UTF8' 重新建库")
    return fine("数据库编码 UTF8")


def _owner() -> Finding:
    row = _row(
        "SELECT rolname, rolsuper, rolcreaterole, pg_get_userbyid(datdba) = rolname"
        " FROM pg_roles, pg_database"
        " WHERE rolname = current_user AND datname = current_database()"
    )
    assert row is not None
    name, is_superuser, may_create_roles, is_owner = row
    remedy = "由数据库管理员执行 python manage.py doctor --sql 打印的语句"
    if is_superuser:
        return blocking(f"应用以超级用户 {name} 连接，行级授权对它不起作用", remedy)
    if not may_create_roles:
        return blocking(f"角色 {name} 没有 CREATEROLE，无法开通共享授权", remedy)
    if not is_owner:
        return blocking(f"数据库不属于角色 {name}", remedy)
    return fine(f"角色 {name} 拥有数据库，可以创建角色，不是超级用户")


def _gateway() -> Finding:
    name = settings.GATEWAY["user"]
    row = _row(
        "SELECT rolcanlogin, rolinherit, rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = %s",
        name,
    )
    remedy = "由数据库管理员执行 python manage.py doctor --sql 打印的语句"
    if row is None or not row[0]:
        return blocking(f"没有可登录的取数角色 {name}", remedy)
    if row[1] or row[2]:
        return blocking(f"取数角色 {name} 权限过大（应为 NOINHERIT，且受行级授权约束）", remedy)
    return _gateway_connects(name)


def _gateway_connects(name: str) -> Finding:
    place = settings.GATEWAY
    try:
        psycopg.connect(
            host=place["host"],
            port=place["port"],
            user=place["user"],
            password=place["password"],
            dbname=connection.settings_dict["NAME"],
            connect_timeout=10,
        ).close()
    except psycopg.OperationalError as error:
        return blocking(
            f"取数角色 {name} 连不上数据库：{str(error).strip()}",
            "检查 GATEWAY_DATABASE_URL 中的口令与服务器的 pg_hba.conf",
        )
    return fine(f"取数角色 {name} 可以连接，自身没有任何数据权限")


def _temporary() -> Finding:
    database = connection.settings_dict["NAME"]
    question = "SELECT has_database_privilege(%s, %s, 'TEMP')"
    if _value(question, settings.GATEWAY["user"], database):
        return attention(
            "取数角色可以建临时表",
            f'由数据库属主执行 REVOKE TEMPORARY, CREATE ON DATABASE "{database}" FROM PUBLIC',
        )
    return fine("取数角色不能建临时表")


def _large_objects() -> Finding:
    functions = ("lo_creat", "lo_create", "lo_from_bytea", "lo_put", "lowrite", "lo_unlink")
    question = """SELECT string_agg(DISTINCT proname, '、' ORDER BY proname) FROM pg_proc
                   WHERE pronamespace = 'pg_catalog'::regnamespace AND proname = ANY(%s)
                     AND has_function_privilege(%s, oid, 'EXECUTE')"""
    open_ones = _value(question, list(functions), settings.GATEWAY["user"])
    if open_ones:
        return attention(
            f"数据库登录可以写入大对象（{open_ones}）",
            "由数据库超级用户在门户的库中执行 python manage.py doctor --sql 末尾的 REVOKE 语句",
        )
    return fine("数据库登录不能写入大对象")


def _locks() -> Finding:
    locks = int(_value("SHOW max_locks_per_transaction"))
    if locks < LOCKS_WANTED:
        return attention(
            f"max_locks_per_transaction = {locks}，表多时备份与批量授权会失败",
            f"改为 {LOCKS_WANTED} 并重新启动数据库",
        )
    return fine(f"max_locks_per_transaction = {locks}")


def _connections() -> Finding:
    number = int(_value("SHOW max_connections"))
    if number < CONNECTIONS_WANTED:
        return attention(f"max_connections = {number}", f"建议不少于 {CONNECTIONS_WANTED}")
    return fine(f"max_connections = {number}")


DATABASE_LOOKS: list[Callable[[], Finding]] = [
    _version,
    _encoding,
    _owner,
    _gateway,
    _temporary,
    _large_objects,
    _locks,
    _connections,
]


# What the program keeps there


def _migrations() -> Finding:
    executor = MigrationExecutor(connection)
    waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if waiting:
        names = "、".join(f"{step.app_label}.{step.name}" for step, _ in waiting[:3])
        return blocking(
            f"有 {len(waiting)} 个数据库结构变更未执行（{names}{'…' if len(waiting) > 3 else ''}）",
            "执行 python manage.py migrate",
        )
    return fine("数据库结构是最新的")


def _crowded_tables() -> Finding:
    row = _row(
        "SELECT schemaname || '.' || tablename, count(*) FROM pg_policies"
        " GROUP BY 1 ORDER BY 2 DESC LIMIT 1"
    )
    if row is None:
        return fine("尚无数据表上的授权")
    table, grants = row
    if grants > GRANTS_PER_TABLE:
        return attention(
            f"数据表 {table} 上有 {grants} 个授权，上限约 2,400 个",
            "清理已不使用的授权，或把该目录拆分",
        )
    return fine(f"单表授权最多 {grants} 个（{table}）")


def _demonstration() -> Finding:
    accounts = demonstration_accounts()
    if accounts and not settings.HUILIU_DEMO and not settings.DEBUG:
        return blocking(
            f"正式环境中有 {accounts} 个演示账号（口令公开）",
            "正式环境须使用另一个数据库；演示数据不得留用",
        )
    if settings.HUILIU_DEMO:
        return attention(
            "正在使用演示设置：口令公开，数据为虚构", "正式环境使用 config.settings.production"
        )
    return fine("没有演示账号" if not accounts else "开发环境，含演示账号")


def _worker() -> Finding:
    beating = _value(
        "SELECT count(*) FROM procrastinate_workers"
        " WHERE last_heartbeat > now() - interval '1 minute'"
    )
    if not beating:
        return attention(
            "后台任务进程没有运行", "执行 python manage.py serve，或单独启动后台任务进程"
        )
    return fine(f"后台任务进程 {beating} 个在运行")
