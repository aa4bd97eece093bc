"""A catalogue entry proposed from a file: the whole of it is read, every proposal has its evidence.

reading: a file of which nothing is known, as text below headings; profiling: what stands in each
column, in bounded memory; columns: what a column seems to be; whole: key, update cycle, name.
Inference only ever proposes: what comes of it is a draft for a person to correct.

Source: house rule (issue 4)
"""

from apps.warehouse.proposing.whole import Proposed, Told, propose_from, unheard

__all__ = ["Proposed", "Told", "propose_from", "unheard"]
