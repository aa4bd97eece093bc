"""Who may do what with the quality of data.

`rules` (the matrix of rules, runs, results, profiles, scores), `findings` (of findings and work
orders) and `corrections`.
"""

from apps.quality.permissions import corrections, findings, rules

__all__ = ["corrections", "findings", "rules"]
