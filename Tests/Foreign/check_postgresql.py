#!/usr/bin/env python3
"""Checks PostgreSQL as a catalog at a scale of one's own: TPC-H's 22 queries with half of the tables in PostgreSQL and half in
Parquet against all of them in Parquet, the rows fetched by each, and the time of fetching a table against psql's \\copy.

    pip install tpchgen-cli
    python3 Tests/Foreign/check_postgresql.py [--sqlq .build/release/sqlq] [--scale 0.1] [--speed]

Starts a server of its own by postgresql.sh.
"""
import argparse, csv, io, pathlib, random, re, shutil, subprocess, sys, tempfile, time

ROOT = pathlib.Path(__file__).resolve().parents[2]
TABLES = {
    "region": "r_regionkey bigint, r_name text, r_comment text",
    "nation": "n_nationkey bigint, n_name text, n_regionkey bigint, n_comment text",
    "supplier": "s_suppkey bigint, s_name text, s_address text, s_nationkey bigint, s_phone text, s_acctbal numeric(15,2), s_comment text",
    "customer": "c_custkey bigint, c_name text, c_address text, c_nationkey bigint, c_phone text, c_acctbal numeric(15,2), "
    "c_mktsegment text, c_comment text",
    "part": "p_partkey bigint, p_name text, p_mfgr text, p_brand text, p_type text, p_size int, p_container text, "
    "p_retailprice numeric(15,2), p_comment text",
    "partsupp": "ps_partkey bigint, ps_suppkey bigint, ps_availqty int, ps_supplycost numeric(15,2), ps_comment text",
    "orders": "o_orderkey bigint, o_custkey bigint, o_orderstatus text, o_totalprice numeric(15,2), o_orderdate date, "
    "o_orderpriority text, o_clerk text, o_shippriority int, o_comment text",
    "lineitem": "l_orderkey bigint, l_partkey bigint, l_suppkey bigint, l_linenumber int, l_quantity numeric(15,2), "
    "l_extendedprice numeric(15,2), l_discount numeric(15,2), l_tax numeric(15,2), l_returnflag text, l_linestatus text, "
    "l_shipdate date, l_commitdate date, l_receiptdate date, l_shipinstruct text, l_shipmode text, l_comment text",
}
HALVES = [["customer", "lineitem", "nation", "partsupp"], ["orders", "part", "region", "supplier"]]


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--sqlq", default=str(ROOT / ".build/release/sqlq"))
    arguments.add_argument("--scale", default="0.1")
    arguments.add_argument("--speed", action="store_true", help="fetch lineitem, too, and compare with psql")
    options = arguments.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="sqlq-postgresql-", dir="/tmp"))
    folder.chmod(0o755)
    port = str(random.randrange(20000, 30000))
    script = str(ROOT / "Tests/Foreign/postgresql.sh")
    server = str(folder / "server")
    subprocess.run(["sh", script, "start", server, port], check=True)
    try:
        sys.exit(check(options, folder, port))
    finally:
        subprocess.run(["sh", script, "stop", server])
        shutil.rmtree(folder, ignore_errors=True)


def check(options, folder, port):
    def psql(*commands):
        words = [word for command in commands for word in ("-c", command)]
        return subprocess.run(
            ["env", "PGPASSWORD=geheim", "psql", "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", port,
             "-U", "tester", "-d", "postgres"] + words, check=True, capture_output=True, text=True).stdout

    def sqlq(sql, *flags):
        done = subprocess.run(
            [options.sqlq, "--home", str(folder / "home"), "--no-results", *flags, "-e", sql], capture_output=True, text=True)
        return done.stdout if done.returncode == 0 else "ERROR " + done.stderr

    data = folder / "data"
    for form in ("csv", "parquet"):
        subprocess.run(["tpchgen-cli", form, "-s", options.scale, f"--output-dir={data}"], check=True, capture_output=True)
    for table, columns in TABLES.items():
        psql(f"CREATE TABLE {table} ({columns})", f"\\copy {table} FROM '{data}/{table}.csv' WITH (FORMAT csv, HEADER true)")
    psql("ANALYZE")
    print(sqlq(f"CREATE CATALOG pg USING postgresql WITH (host = '127.0.0.1', port = {port}, database = 'postgres', "
               "\"user\" = 'tester', password = 'geheim')"), end="")

    def views(foreign):
        return "".join(
            f"CREATE OR REPLACE VIEW {table} AS SELECT * FROM "
            + (f"pg.public.{table};" if table in foreign else f"'{data}/{table}.parquet';") for table in TABLES)

    failures = 0
    print("query  rows equal   half 1: rows of its tables / fetched / needed      half 2")
    queries = [(ROOT / f"Benchmarks/Suites/tpch/q{number:02}.sql").read_text().strip().rstrip(";") for number in range(1, 23)]
    answers = []
    for foreign in [[]] + HALVES:
        print(sqlq(views(foreign)), end="")
        answers.append([(sqlq(query), sqlq("EXPLAIN ANALYZE " + query) if foreign else "") for query in queries])
    sizes = {table: int(psql(f"SELECT count(*) FROM {table}")) for table in TABLES}
    for number in range(22):
        local = answers[0][number][0]
        right = [half[number][0] == local and not local.startswith("ERROR") for half in answers[1:]]
        failures += right.count(False)
        columns = []
        for half in answers[1:]:
            named, fetched, needed = figures(half[number][1])
            columns.append(f"{sum(sizes[table] for table in named):>9} {fetched:>9} {needed:>9}")
        print(f"q{number + 1:02}    {'yes' if all(right) else 'NO ' + str(right):<10} {'      '.join(columns)}", flush=True)
    if options.speed:
        psql("VACUUM ANALYZE")
        rows = sizes["lineitem"]
        for _ in range(3):
            start = time.monotonic()
            psql(f"\\copy lineitem TO '{folder}/out.txt'")
            copied = time.monotonic() - start
            start = time.monotonic()
            out = sqlq("SELECT * FROM pg.public.lineitem", "-o", f"{folder}/out.csv")
            written = time.monotonic() - start
            start = time.monotonic()
            # Reads every value of each column; nothing of it can be left to the source.
            names = re.findall(r"l_\w+", TABLES["lineitem"])
            out += sqlq("SELECT " + ", ".join(f"checksum({name})" for name in names) + " FROM pg.public.lineitem")
            fetched = time.monotonic() - start
            print(f"{rows} rows: \\copy to a file {copied:.2f} s; sqlq to a CSV file {written:.2f} s ({written / copied:.2f}), "
                  f"checksums of all columns {fetched:.2f} s ({fetched / copied:.2f}) {out if 'ERROR' in out else ''}")
    print("all equal" if failures == 0 else f"{failures} DIFFER")
    return 1 if failures else 0


def figures(plan):
    """The foreign tables a profile names, the rows fetched of them, and those that passed the filters here."""
    lines = ["".join(row) for row in csv.reader(io.StringIO(plan))]
    named, fetched, needed = [], 0, 0
    for index, line in enumerate(lines):
        match = re.match(r" *ForeignScan pg\.public\.(\w+).* rows fetched ([\d,]+)", line)
        if not match:
            continue
        named.append(match[1])
        count = int(match[2].replace(",", ""))
        fetched += count
        above = re.match(r" *Filter .* rows [\d,]+ → ([\d,]+)", lines[index - 1])
        needed += int(above[1].replace(",", "")) if above else count
    return named, fetched, needed


if __name__ == "__main__":
    main()
