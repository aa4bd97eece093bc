"""The landing engine: a file in, clean typed rows and explained rejections out.

It knows no Django model and no dataset, only a contract: it runs the same in a worker, in a test
and in a benchmark. `survey` proves what the file is and counts its records; `reader` reads it with
DuckDB; `rules` compiles the contract into one statement; `reasons` says in words what is wrong.

Source: house rule (design §5)
"""
