"""Who may do what with the quality of data.

`rules` (the matrix of rules, runs, results, profiles, scores) and `findings` (of findings and work
orders); corrections have a module of their own.
"""

from apps.quality.permissions import findings, rules

__all__ = ["findings", "rules"]
