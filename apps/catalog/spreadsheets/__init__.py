"""The catalogue as departments really keep it: spreadsheets, read, judged, compared and written.

`guarding` looks at a file before anything parses it, `reading` brings its rows, `headings` finds
what each column means, `rows` puts together what belongs to one entry, `values` reads cells,
`verdicts` judges, `comparing` tells three versions apart; `writing` and `marking` go the other way.

Source: 《政务信息资源目录编制指南（试行）》 目录模板
"""
