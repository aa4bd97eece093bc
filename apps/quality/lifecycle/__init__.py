"""How runs, work orders, findings and corrections move."""

from apps.quality.lifecycle.corrections import CORRECTION
from apps.quality.lifecycle.findings import FINDING, WORK_ORDER
from apps.quality.lifecycle.runs import RUN

__all__ = ["CORRECTION", "FINDING", "RUN", "WORK_ORDER"]
