#!/usr/bin/env python3
"""What pyarrow reads of the Arrow files that ArrowTests leaves:
ARROW_FOLDER=/tmp/arrow swift test --filter ArrowTests && Tests/Arrow/check_arrow.py /tmp/arrow"""
import datetime
import decimal
import sys

import pyarrow

UTC = datetime.timezone.utc
EXPECTED = {
    "b": True, "i8": 1, "i16": 2, "i32": 3, "i64": 4, "f": 1.5, "d": 2.5, "short": decimal.Decimal("12.50"),
    "long": decimal.Decimal("12345678901234567890.5"), "text": "text of more than twelve", "bytes": b"\x00\xff",
    "day": datetime.date(2024, 2, 29), "time": datetime.time(13, 5, 0, 123000),
    "micros": datetime.datetime(1969, 12, 31, 23, 59, 59, 999999), "nanos": 1709211900123456789,
    "moment": datetime.datetime(2024, 2, 29, 12, 5, 0, 500000, tzinfo=UTC), "months": (14, 0, 0),
    "days": datetime.timedelta(days=1), "list": [1, None, 3], "dict": [("a", datetime.date(2024, 1, 1))],
    "pair": {"a": 1, "b": "x"}, "id": "12151fd2-7586-11e9-8f9e-2a86e4085a59",
}


def check(table):
    table.validate(full=True)
    assert table.num_rows == 2, table.num_rows
    assert table.column("nanos")[0].value == EXPECTED["nanos"]
    rows = table.drop_columns(["nanos"]).to_pylist()
    for name, value in EXPECTED.items():
        if name == "nanos":
            continue
        seen = tuple(rows[0][name]) if name == "months" else rows[0][name]
        assert seen == value, (name, seen, value)
    assert all(value is None for value in rows[1].values()), rows[1]


folder = sys.argv[1]
check(pyarrow.ipc.open_stream(folder + "/all.arrows").read_all())
check(pyarrow.ipc.open_file(folder + "/all.arrow").read_all())
print("pyarrow", pyarrow.__version__, "reads stream and file alike:", len(EXPECTED), "types and their NULLs")
