"""Files of a grant's data: made in chunks as the grant's reader, then handed out for a while.

Read in the order asking, columns, writers, workbooks, parquet, making, ranges, handing_out.
"""
