"""`huiliu-sync`: push tables and files to the portal; follow what it shares, and prove the copy."""

import argparse
import json
import logging
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from apps.warehouse.sync.following import commands
from apps.warehouse.sync.node import Misconfigured, Node, configured, summary

HEARTBEAT_SECONDS = 60


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; 0 when all went well."""
    asked = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    try:
        if asked.command == "follow":
            return commands.follow(asked.config, once=asked.once)
        if asked.command == "check":
            return commands.prove(asked.config, mend=asked.mend, table=asked.table)
        node = configured(asked.config)
    except Misconfigured as error:
        print(error, file=sys.stderr)
        return 2
    if asked.command == "status":
        facts = [*summary(node), *commands.standings(asked.config)]
        print(json.dumps(facts, ensure_ascii=False, indent=1))
        return 0
    if asked.command == "watch":
        node.tables, node.folders = [], [asked.folder]
    else:
        node.folders = node.folders if asked.command == "run" else []
    if asked.once:
        return 0 if node.turn() else 1
    return _for_ever(node, asked.command)


def _for_ever(node: Node, command: str) -> int:
    pause = 10.0 if command == "watch" else node.every_minutes * 60
    while True:
        node.turn()
        woken = time.monotonic() + pause
        while (left := woken - time.monotonic()) > 0:
            time.sleep(min(left, HEARTBEAT_SECONDS))
            if left > HEARTBEAT_SECONDS:
                node.report()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="huiliu-sync", description="汇流前置机与数据副本")
    choices = parser.add_subparsers(dest="command", required=True)
    for name, words in (
        ("push", "按水位读取各表，推送新数据"),
        ("run", "推送各表，并处理配置里的文件夹"),
        ("status", "显示各表推送到哪里，各副本读到哪里"),
        ("follow", "按授权取得数据，此后只取变化，写入自己的数据库或文件夹"),
    ):
        command = choices.add_parser(name, help=words)
        command.add_argument("config", type=Path, help="配置文件（TOML）")
        command.add_argument("--once", action="store_true", help="做一遍就结束")
    check = choices.add_parser("check", help="核对副本与授权的数据是否完全相同，指出不同的段")
    check.add_argument("config", type=Path, help="配置文件（TOML）")
    check.add_argument("--mend", action="store_true", help="改正不同的段")
    check.add_argument("--table", default="", help="只核对这一个副本")
    watch = choices.add_parser("watch", help="取走文件夹里带清单的文件")
    watch.add_argument("folder", type=Path)
    watch.add_argument("--config", type=Path, required=True, help="配置文件（TOML）")
    watch.add_argument("--once", action="store_true", help="做一遍就结束")
    return parser


if __name__ == "__main__":
    sys.exit(main())
