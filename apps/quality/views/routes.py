"""The addresses of quality, below `/work/`, in one namespace. Codes have `-` for `/`."""

from typing import Final

from django.urls import include, path

from apps.quality.views import dataset, findings, orders, overview, rule_writing, rules
from apps.quality.views.corrections.routes import PATHS as CORRECTION_PAGES

PAGES: Final = [
    path("", overview.overview, name="overview"),
    path("datasets/<str:code>/", dataset.dataset, name="dataset"),
    path("datasets/<str:code>/check/", dataset.check, name="dataset-check"),
    path("datasets/<str:code>/rules/new/", rule_writing.new, name="rule-new"),
    path("runs/<int:pk>/", dataset.run, name="run"),
    path("rules/", rules.list_rules, name="rules"),
    path("rules/<int:pk>/", rules.rule, name="rule"),
    path("rules/<int:pk>/edit/", rule_writing.edit, name="rule-edit"),
    path("rules/<int:pk>/retire/", rule_writing.retire, name="rule-retire"),
    path("rules/<int:pk>/restore/", rule_writing.restore, name="rule-restore"),
    path("findings/", findings.list_findings, name="findings"),
    path("findings/reveal/", findings.reveal, name="findings-reveal"),
    path("findings/accept/", findings.accept, name="findings-accept"),
    path("orders/", orders.list_orders, name="work-orders"),
    path("orders/<int:pk>/", orders.order, name="work-order"),
    path("orders/<int:pk>/rows/", orders.rows_to_mend, name="work-order-rows"),
    path("orders/<int:pk>/move/<slug:name>/", orders.move, name="work-order-move"),
]
urlpatterns = [
    path("", include(([path("quality/", include(PAGES)), *CORRECTION_PAGES], "quality"))),
]
