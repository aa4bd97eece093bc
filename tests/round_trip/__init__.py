"""The catalogue goes out as a workbook, comes back changed, and everything is accounted for.

`pages` is the workbook in the hands of those who edit it; `edits`, `item_edits`, `fault_edits`,
`newcomers` and `meanwhile` know one change each and write down in the `ledger` what must come of
it; `planning` chooses among them by a seed; `story` sends the workbook out and brings it back
through the real doors; `accounting` compares what was planned with what was reported and written,
both ways. A journey plays it small, a benchmark with the whole city, `python -m tests.round_trip`
in a city that is there.
"""
