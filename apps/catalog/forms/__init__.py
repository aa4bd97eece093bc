"""What is asked when an entry is written, assessed and moved on."""

from apps.catalog.forms.changes import BeginChangeForm, ExtendForm
from apps.catalog.forms.drafting import AssessmentForm, BasicsForm, NewForm, RulesForm
from apps.catalog.forms.imports import ImportForm
from apps.catalog.forms.items import ItemForm, ItemsForm
from apps.catalog.forms.moves import MoveForm
from apps.catalog.forms.saved_filters import SavedFilterForm

__all__ = [
    "AssessmentForm",
    "BasicsForm",
    "BeginChangeForm",
    "ExtendForm",
    "ImportForm",
    "ItemForm",
    "ItemsForm",
    "MoveForm",
    "NewForm",
    "RulesForm",
    "SavedFilterForm",
]
