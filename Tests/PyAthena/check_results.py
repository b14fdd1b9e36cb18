"""Reads result files of sqlq with PyAthena's own reader and converters and compares the Python values.

    python3 -m venv .build/venv && .build/venv/bin/pip install -q PyAthena && .build/venv/bin/python Tests/PyAthena/check_results.py [sqlq]
"""

import json
import subprocess
import sys
import tempfile
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

from pyathena.converter import DefaultTypeConverter
from pyathena.s3fs.reader import AthenaCSVReader

SQLQ = sys.argv[1] if len(sys.argv) > 1 else ".build/debug/sqlq"

# SQL, the type that the metadata has to name, the Python value. None as value: as PyAthena gives text.
CASES = [
    ("true", "boolean", True), ("false", "boolean", False),
    ("TINYINT '-128'", "tinyint", -128), ("SMALLINT '7'", "smallint", 7), ("2147483647", "integer", 2147483647),
    ("BIGINT '-9223372036854775808'", "bigint", -(2**63)),
    ("REAL '0.5'", "float", 0.5), ("REAL '1e10'", "float", 1e10), ("0.25e0", "double", 0.25), ("1e7", "double", 1e7), ("1e-4", "double", 1e-4),
    ("infinity()", "double", float("inf")), ("DECIMAL '-12.50'", "decimal", Decimal("-12.50")),
    ("DECIMAL '12345678901234567890123456789012345678'", "decimal", Decimal("12345678901234567890123456789012345678")),
    ("'a string'", "varchar", "a string"), ("''", "varchar", ""), ("'N/A'", "varchar", "N/A"), ("'NULL'", "varchar", "NULL"),
    ("'a\"b,c' || chr(10) || 'd'", "varchar", 'a"b,c\nd'), ("CAST('ab' AS char(3))", "char", "ab "),
    ("X'313233'", "varbinary", b"123"), ("X''", "varbinary", b""),
    ("DATE '2017-01-02'", "date", date(2017, 1, 2)),
    ("TIMESTAMP '2017-01-01 00:00:00.000'", "timestamp", datetime(2017, 1, 1)),
    ("TIMESTAMP '2017-01-01 01:02:03.456'", "timestamp", datetime(2017, 1, 1, 1, 2, 3, 456000)),
    ("TIMESTAMP '2017-01-01 00:00:00.000 America/Los_Angeles'", "timestamp with time zone",
     datetime(2017, 1, 1, tzinfo=ZoneInfo("America/Los_Angeles"))),
    ("TIME '01:02:03.456'", "time", time(1, 2, 3, 456000)),
    ("TIME '01:02:03.456-08:00'", "time with time zone", time(1, 2, 3, 456000, tzinfo=timezone(timedelta(hours=-8)))),
    ("INTERVAL '2' DAY", "interval day to second", "2 00:00:00.000"), ("INTERVAL '3' MONTH", "interval year to month", "0-3"),
    ("ARRAY[1, 2]", "array", [1, 2]), ("MAP(ARRAY[1, 3], ARRAY[2, 4])", "map", {"1": 2, "3": 4}),
    ("CAST(ROW(1, 2) AS ROW(a int, b int))", "row", {"a": 1, "b": 2}),
    ("JSON '{\"a\": [1, null]}'", "json", {"a": [1, None]}),
    ("UUID '12151fd2-7586-11e9-8f9e-2a86e4085a59'", "uuid", "12151fd2-7586-11e9-8f9e-2a86e4085a59"),
]

# What PyAthena's users say of nested types, which results do not tell.
HINTS = {"array": "array(integer)", "map": "map(integer, integer)", "row": "row(a integer, b integer)"}


def messages(data):
    """The fields of a protobuf message: number, then an integer or bytes."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    while at < len(data):
        key = varint()
        value = varint()
        if key & 7 == 2:
            yield key >> 3, data[at : at + value]
            at += value
        else:
            yield key >> 3, value


def columns(path):
    found = []
    for number, value in messages(open(path, "rb").read()):
        if number == 4:
            found.append({n: v.decode() if isinstance(v, bytes) else v for n, v in messages(value)})
    return found


def main():
    failures = 0
    with tempfile.TemporaryDirectory() as home:
        names = ", ".join(f"{sql} AS c{i}" for i, (sql, _, _) in enumerate(CASES))
        nulls = ", ".join(f"IF(false, {sql})" for sql, _, _ in CASES)
        statement = f"SELECT {names} UNION ALL SELECT {nulls}"
        run = subprocess.run([SQLQ, "--home", home, "--stats", "json", statement], capture_output=True, text=True)
        if run.returncode:
            sys.exit(run.stderr)
        location = json.loads(run.stderr)["result_location"]
        described = columns(location + ".metadata")
        with open(location, newline="", encoding="utf-8") as file:
            header, *rows = list(AthenaCSVReader(file))
        rows.sort(key=lambda row: row[0] is None)
        converter = DefaultTypeConverter()
        for index, (sql, type_, expected) in enumerate(CASES):
            column = described[index]
            value = converter.convert(column[6], rows[0][index], HINTS.get(column[6]))
            null = converter.convert(column[6], rows[1][index])
            good = column[6] == type_ and value == expected and null is None and header[index] == column[4] == f"c{index}"
            if not good:
                failures += 1
                print(f"{sql}: {column[6]} {value!r}, null {null!r}; expected {type_} {expected!r}")
    print(f"{len(CASES) - failures} of {len(CASES)} types and values as PyAthena reads Athena's")
    sys.exit(1 if failures else 0)


main()
