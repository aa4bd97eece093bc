"""What supervision keeps: the responsibility board, work tasks and what comes later."""

from apps.supervision.models.board import BoardDay
from apps.supervision.models.tasks import (
    OUTSTANDING,
    SIGNED,
    AnswerKind,
    ReturnStatus,
    TargetList,
    TaskFile,
    TaskKind,
    TaskReturn,
    TaskStatus,
    WorkTask,
)

__all__ = [
    "OUTSTANDING",
    "SIGNED",
    "AnswerKind",
    "BoardDay",
    "ReturnStatus",
    "TargetList",
    "TaskFile",
    "TaskKind",
    "TaskReturn",
    "TaskStatus",
    "WorkTask",
]
