"""What is asked when an entry is written, assessed and moved on."""

from apps.catalog.forms.changes import BeginChangeForm, ExtendForm
from apps.catalog.forms.drafting import AssessmentForm, BasicsForm, NewForm, RulesForm
from apps.catalog.forms.imports import CompleteForm, ImportForm
from apps.catalog.forms.items import ItemForm, ItemsForm
from apps.catalog.forms.moves import MoveForm
from apps.catalog.forms.saved_filters import SavedFilterForm
from apps.catalog.forms.sources import CommentForm, DesignationForm, DuplicateMoveForm, EndForm

__all__ = [
    "AssessmentForm",
    "BasicsForm",
    "BeginChangeForm",
    "CommentForm",
    "CompleteForm",
    "DesignationForm",
    "DuplicateMoveForm",
    "EndForm",
    "ExtendForm",
    "ImportForm",
    "ItemForm",
    "ItemsForm",
    "MoveForm",
    "NewForm",
    "RulesForm",
    "SavedFilterForm",
]
