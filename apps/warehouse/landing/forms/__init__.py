"""Whatever form a department's table comes in, as delimited text for the survey.

kinds: what the file is, by its content; packed: out of ZIP and GZ; workbooks: XLSX, XLS, ODS;
records: JSON, NDJSON, GeoJSON; columnar: Parquet. Text itself is left as it lies. What a form knows
beside the cells (which row of the sheet a record was, what was passed over) goes with the text, so
that every record is still found where the clerk sees it.
"""

from apps.warehouse.landing.forms.text import Text, text_of

__all__ = ["Text", "text_of"]
