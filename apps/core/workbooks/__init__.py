"""Read what people hand in as a table, XLSX, XLS, ODS or CSV, in bounded memory and time.

guarding: what the file is, and whether it may be opened; reading: its sheets and rows as text;
tables: the rows below a heading, by field. A workbook is parsed in a process of its own (child).
"""
