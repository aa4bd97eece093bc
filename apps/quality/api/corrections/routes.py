"""The addresses of corrections, below `/api/v1/`."""

from typing import Final

from rest_framework.routers import SimpleRouter

from apps.quality.api.corrections.viewset import CorrectionViewSet

router = SimpleRouter(trailing_slash=False)
router.register("corrections", CorrectionViewSet, basename="api-correction")
PATHS: Final = router.urls
