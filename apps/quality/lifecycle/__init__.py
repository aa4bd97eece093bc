"""How runs, work orders and findings move."""

from apps.quality.lifecycle.findings import FINDING, WORK_ORDER
from apps.quality.lifecycle.runs import RUN

__all__ = ["FINDING", "RUN", "WORK_ORDER"]
