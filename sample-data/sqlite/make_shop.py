"""Writes shop.sqlite: a small shop, with one column of each kind of type and some values that are not of theirs."""
import os
import sqlite3
import sys

path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "shop.sqlite")
if os.path.exists(path):
    os.remove(path)
db = sqlite3.connect(path)
db.executescript(
    '''
    CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT NOT NULL, city VARCHAR(40) COLLATE NOCASE, since DATE, active BOOLEAN);
    CREATE TABLE orders (id INTEGER PRIMARY KEY, customer INT, amount DECIMAL(10,2), placed TIMESTAMP, weight REAL, note CLOB, photo BLOB);
    CREATE TABLE pairs (a INT, b TEXT, PRIMARY KEY (a, b)) WITHOUT ROWID;
    CREATE VIEW big_orders AS SELECT id, amount FROM orders WHERE amount > 100;
    CREATE TABLE bad (i INTEGER, d DATE, b BOOLEAN, n DECIMAL(6,2));
    CREATE TABLE untyped (x, y INTEGER);
    CREATE TABLE "Odd Name" ("a ""b""" INTEGER, "select" TEXT);
    '''
)
cities = ["Oslo", "oslo", "Bergen", "Århus", None]
for i in range(1, 21):
    db.execute(
        "INSERT INTO customers VALUES (?, ?, ?, ?, ?)",
        (i, f"customer {i}", cities[i % 5], f"20{10 + i % 10}-0{1 + i % 9}-15", None if i % 7 == 0 else i % 2),
    )
for i in range(1, 201):
    db.execute(
        "INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            i,
            None if i % 13 == 0 else 1 + i % 25,
            f"{i * 1.37:.2f}",
            f"2024-0{1 + i % 9}-1{i % 10} 0{i % 10}:30:00" + (".125" if i % 2 else ""),
            None if i % 11 == 0 else i / 8,
            f"it's note {i}" if i % 3 else None,
            bytes([i % 256, 0, 255]) if i % 4 == 0 else None,
        ),
    )
db.executemany("INSERT INTO pairs VALUES (?, ?)", [(1, "x"), (1, "y"), (2, "x")])
db.executemany(
    "INSERT INTO bad VALUES (?, ?, ?, ?)",
    [(1, "2024-01-31", 1, 1.25), ("two", "2024-1-31", 2, 0.125), (3, 20240131, 0, "x")],
)
db.executemany("INSERT INTO untyped VALUES (?, ?)", [(1, 1), ("a", 2)])
db.execute('INSERT INTO "Odd Name" VALUES (7, ?)', ("ø'",))
db.commit()
db.execute("VACUUM")
db.close()
