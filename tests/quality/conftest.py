"""What every test of quality stands on."""

from tests.quality.correction_fixtures import doubt

__all__ = ["doubt"]
