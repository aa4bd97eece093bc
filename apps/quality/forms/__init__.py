"""What is asked when somebody writes a rule or moves an order on; corrections apart."""

from apps.quality.forms.moves import AcceptFindingsForm, OrderMoveForm, RetireForm
from apps.quality.forms.rules import ADDABLE, RuleForm

__all__ = ["ADDABLE", "AcceptFindingsForm", "OrderMoveForm", "RetireForm", "RuleForm"]
