"""Quality over the API."""

from apps.quality.api.findings import FindingViewSet
from apps.quality.api.orders import WorkOrderViewSet
from apps.quality.api.rules import RuleViewSet
from apps.quality.api.runs import RunViewSet
from apps.quality.api.scores import ScoreViewSet

__all__ = ["FindingViewSet", "RuleViewSet", "RunViewSet", "ScoreViewSet", "WorkOrderViewSet"]
