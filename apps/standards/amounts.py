"""How an amount with its unit, 800万人民币, becomes a number: SQL of DuckDB over the text `v`.

Digits are moved, never multiplied: no digit is lost, however long the number. NULL where the text
is no amount.

Source: house rule (issue 4: units in numbers)
"""

# Words around an amount; only those that leave the number what it is. Another currency or measure
# is not among them: such a value is shown to the clerk.
_MONEY_BEFORE = r"(?:人民币|RMB|CNY|[￥¥])?"
_MONEY_AFTER = r"(?:元人民币|人民币元|人民币|元|圆|RMB|CNY|[人个家户件台辆次名所条项])?[整正]?"
_POWERS = {
    "万亿": 12, "千亿": 11, "百亿": 10, "十亿": 9, "亿": 8, "千万": 7, "百万": 6, "十万": 5,
    "万": 4, "千": 3, "百": 2, "十": 1,
}  # fmt: skip
_AMOUNT = (
    rf"(?i)^{_MONEY_BEFORE}\s*([+-]?)(\d{{1,3}}(?:,\d{{3}})+|\d+)(?:\.(\d+))?\s*"
    rf"({'|'.join(_POWERS)})?\s*{_MONEY_AFTER}$"
)
_POWER = " ".join(f"WHEN '{word}' THEN {power}" for word, power in _POWERS.items())
_FILLED = "(p.part || repeat('0', greatest(p.power - strlen(p.part), 0)))"
_MOVED = f"""
list_transform([struct_pack(
  sign := replace(p.sign, '+', ''),
  whole := replace(p.whole, ',', '') || {_FILLED}[1:p.power],
  part := {_FILLED}[p.power + 1:])],
  lambda q: q.sign || coalesce(nullif(ltrim(q.whole, '0'), ''), '0')
    || CASE WHEN q.part <> '' THEN '.' || q.part ELSE '' END)[1]"""
IN_ONES = f"""
CASE WHEN regexp_matches(v, '{_AMOUNT}') THEN list_transform([struct_pack(
  sign := regexp_extract(v, '{_AMOUNT}', 1),
  whole := regexp_extract(v, '{_AMOUNT}', 2),
  part := regexp_extract(v, '{_AMOUNT}', 3),
  power := CASE regexp_extract(v, '{_AMOUNT}', 4) {_POWER} ELSE 0 END)],
  lambda p: {_MOVED})[1] END"""

# The same for an item that is kept in ten thousands (万元): what is written without a unit is so
# already, what names one is moved four places. An amount that names a currency alone could be
# either, and stays as it is to be refused.
_NAMES_UNIT = r"(?:万|亿|千|百|十|元|圆|[个家户件台辆次名所条项人][整正]?$)"
_MOVED_WAN = _MOVED.replace("q.part <> ''", "rtrim(q.part, '0') <> ''").replace(
    "'.' || q.part", "'.' || rtrim(q.part, '0')"
)
IN_TEN_THOUSANDS = f"""
CASE WHEN regexp_matches(v, '{_AMOUNT}') AND regexp_matches(v, '{_NAMES_UNIT}')
THEN list_transform(list_transform([struct_pack(
  sign := regexp_extract(v, '{_AMOUNT}', 1),
  whole := '0000' || replace(regexp_extract(v, '{_AMOUNT}', 2), ',', ''),
  part := regexp_extract(v, '{_AMOUNT}', 3),
  power := CASE regexp_extract(v, '{_AMOUNT}', 4) {_POWER} ELSE 0 END)],
  lambda r: struct_pack(
    sign := r.sign,
    whole := r.whole[1:strlen(r.whole) - 4],
    part := r.whole[strlen(r.whole) - 3:] || r.part,
    power := r.power)),
  lambda p: {_MOVED_WAN})[1] END"""
