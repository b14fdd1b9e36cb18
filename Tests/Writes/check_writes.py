#!/usr/bin/env python3
"""Checks what CREATE TABLE AS, INSERT INTO and UNLOAD write: read back by other engines, all or nothing, in bounded memory.

    python3 -m venv .build/venv && .build/venv/bin/pip install pyarrow duckdb pyspark      (PySpark needs a Java)
    .build/venv/bin/python Tests/Writes/check_writes.py [--sqlq .build/debug/sqlq] [--only layouts,kill,…]

    readers     every type and codec, read by pyarrow, DuckDB and Spark
    layouts     partitions and buckets, read by DuckDB, pyarrow and Spark
    kill        kill -9 at 50 random moments: all or nothing is visible, and the next statement works
    full        a full disk (a small tmpfs, in a name space of its own)
    processes   several processes write and read one home
    many        5,000 partitions in one INSERT: peak memory
"""
import argparse, datetime as dt, decimal, glob, json, math, os, pathlib, random, resource, shutil, signal
import subprocess, sys, tempfile, time

ROOT = pathlib.Path(__file__).resolve().parents[2]
failures = []


def check(name, condition, detail=""):
    print(("ok    " if condition else "FAIL  ") + name + (f"  {detail}" if detail else ""), flush=True)
    if not condition:
        failures.append(name)


class Home:
    def __init__(self, options, folder):
        self.sqlq, self.folder = options.sqlq, str(folder)

    def command(self, sql, *more):
        return [self.sqlq, "--home", self.folder + "/home", *more, "-e", sql]

    def run(self, sql, *more, fails=False):
        done = subprocess.run(self.command(sql, *more), capture_output=True, text=True)
        if (done.returncode != 0) != fails:
            print(f"{sql}\nexit {done.returncode}: {done.stderr}", flush=True)
        return done

    def rows(self, sql):
        done = self.run(sql, "--output-format", "csv")
        return done.stdout.splitlines()[1:]


D = decimal.Decimal
# Columns: name, SQL type, a plain value, an extreme value; SQL first, then what Python readers have to see.
COLUMNS = [
    ("b", "boolean", ("true", True), ("false", False)),
    ("i1", "tinyint", ("TINYINT '7'", 7), ("TINYINT '-128'", -128)),
    ("i2", "smallint", ("SMALLINT '700'", 700), ("SMALLINT '-32768'", -32768)),
    ("i4", "integer", ("70000", 70000), ("-2147483647 - 1", -2147483648)),
    ("i8", "bigint", ("BIGINT '7000000000'", 7000000000), ("BIGINT '9223372036854775807'", 9223372036854775807)),
    ("r", "real", ("REAL '1.5'", 1.5), ("REAL '-0.25'", -0.25)),
    ("f", "double", ("DOUBLE '0.1'", 0.1), ("DOUBLE '1e300'", 1e300)),
    ("d9", "decimal(9,2)", ("DECIMAL '1234567.89'", D("1234567.89")), ("DECIMAL '-0000000.01'", D("-0.01"))),
    ("d38", "decimal(38,10)", ("DECIMAL '1234567890123456789012345678.0123456789'", D("1234567890123456789012345678.0123456789")),
     ("DECIMAL '-0000000000000000000000000001.5000000000'", D("-1.5"))),
    ("s", "varchar", ("'text'", "text"), ("'é, \"q\" ''x'' 日本'", "é, \"q\" 'x' 日本")),
    ("e", "varchar", ("''", ""), ("' blanks '", " blanks ")),
    ("d", "date", ("DATE '2024-02-29'", dt.date(2024, 2, 29)), ("DATE '1969-12-31'", dt.date(1969, 12, 31))),
    ("t", "timestamp(3)", ("TIMESTAMP '2024-02-29 12:34:56.789'", dt.datetime(2024, 2, 29, 12, 34, 56, 789000)),
     ("TIMESTAMP '1969-12-31 23:59:59.999'", dt.datetime(1969, 12, 31, 23, 59, 59, 999000))),
]
NESTED = [
    ("a", "array(integer)", ("ARRAY[1, NULL, 3]", [1, None, 3]), ("CAST(ARRAY[] AS array(integer))", [])),
    ("aa", "array(array(varchar))", ("ARRAY[ARRAY['x', 'y'], ARRAY['z']]", [["x", "y"], ["z"]]),
     ("ARRAY[ARRAY['w']]", [["w"]])),
    ("m", "map(varchar, integer)", ("MAP(ARRAY['k', 'l'], ARRAY[1, 2])", {"k": 1, "l": 2}), ("MAP(ARRAY['only'], ARRAY[NULL])", {"only": None})),
    ("w", "row(x integer, y varchar)", ("CAST(ROW(5, 'five') AS row(x integer, y varchar))", {"x": 5, "y": "five"}),
     ("CAST(ROW(NULL, 'no') AS row(x integer, y varchar))", {"x": None, "y": "no"})),
]
BYTES = ("bytes", "varbinary", ("X'00ff10'", bytes([0, 255, 16])), ("X''", b""))


def table(columns):
    """SQL of three rows (plain, extreme, NULL), and the rows."""
    selects, rows = [], []
    for index in (2, 3):
        selects.append("SELECT " + ", ".join(f"CAST({c[index][0]} AS {c[1]}) AS {c[0]}" for c in columns))
        rows.append([c[index][1] for c in columns])
    selects.append("SELECT " + ", ".join(f"CAST(NULL AS {c[1]}) AS {c[0]}" for c in columns))
    rows.append([None] * len(columns))
    return " UNION ALL ".join(selects), rows


def plain(value):
    """A reader's value in the form of the table above."""
    if isinstance(value, float) and math.isnan(value):
        return None
    if type(value).__name__ == "Row":
        return {k: plain(v) for k, v in value.asDict().items()}
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        if value and all(isinstance(v, tuple) and len(v) == 2 for v in value):
            return {k: plain(v) for k, v in value}
        return [plain(v) for v in value]
    if isinstance(value, bytearray):
        return bytes(value)
    return value


def order(rows):
    return sorted(([plain(v) for v in row] for row in rows), key=repr)


def same(name, actual, expected):
    actual, expected = order(actual), order(expected)
    check(name, actual == expected, "" if actual == expected else f"\n  {actual}\n  {expected}")


spark_session = None


def spark(folder):
    global spark_session
    if spark_session is None:
        try:
            from pyspark.sql import SparkSession
        except ImportError:
            print("--    pyspark is missing: not checked")
            return None
        spark_session = (
            SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
            .config("spark.sql.warehouse.dir", f"{folder}/warehouse").config("spark.sql.session.timeZone", "UTC")
            .config("spark.driver.extraJavaOptions", f"-Duser.timezone=UTC -Dderby.system.home={folder}")
            .config("spark.driver.host", "127.0.0.1").config("spark.log.level", "OFF").enableHiveSupport().getOrCreate())
    return spark_session


HIVE = {"boolean": "boolean", "tinyint": "tinyint", "smallint": "smallint", "integer": "int", "bigint": "bigint", "real": "float",
        "double": "double", "varchar": "string", "date": "date", "timestamp(3)": "timestamp", "varbinary": "binary",
        "array(integer)": "array<int>", "array(array(varchar))": "array<array<string>>", "map(varchar, integer)": "map<string,int>",
        "row(x integer, y varchar)": "struct<x:int,y:string>"}


def hive(columns):
    return ", ".join(f"`{c[0]}` {HIVE.get(c[1], c[1])}" for c in columns)


def readers(options, folder):
    import duckdb, pyarrow.parquet, pyarrow.dataset
    home = Home(options, folder)
    session = spark(folder)
    columns = COLUMNS + [BYTES] + NESTED
    sql, rows = table(columns)
    for codec in ["SNAPPY", "GZIP", "ZSTD", "LZ4", "BROTLI", "NONE"]:
        where = f"{folder}/parquet_{codec}"
        home.run(f"UNLOAD ({sql}) TO '{where}' WITH (format = 'PARQUET', compression = '{codec}')")
        read = pyarrow.dataset.dataset(where, format="parquet").to_table()
        values = [dict(zip(read.column_names, row)) for row in zip(*[c.to_pylist() for c in read.columns])]
        for value in values:
            value["m"] = value["m"] if value["m"] is None else dict(value["m"])
        same(f"Parquet {codec}, pyarrow", [list(v.values()) for v in values], rows)
        same(f"Parquet {codec}, DuckDB", duckdb.sql(f"FROM read_parquet('{where}/*')").fetchall(), rows)
        if session and codec != "BROTLI":
            same(f"Parquet {codec}, Spark", session.read.parquet(where).collect(), rows)
    # Text: DuckDB reads what is not nested, Spark's Hive all of it.
    flat_sql, flat_rows = table(COLUMNS)
    for codec, reader in [("NONE", True), ("GZIP", True), ("ZSTD", True), ("BZIP2", False), ("DEFLATE", False), ("SNAPPY", False), ("LZ4", False)]:
        where = f"{folder}/text_{codec}"
        home.run(f"UNLOAD ({flat_sql}) TO '{where}' WITH (format = 'TEXTFILE', field_delimiter = '|', compression = '{codec}')")
        if reader:
            types = "{" + ", ".join(f"'{c[0]}': '{c[1].replace('(3)', '')}'" for c in COLUMNS) + "}"
            read = duckdb.sql(f"FROM read_csv('{where}/*', delim='|', header=false, quote='', escape='', nullstr='\\N', columns={types})")
            same(f"text {codec}, DuckDB", read.fetchall(), flat_rows)
        columns = COLUMNS + NESTED
        sql, rows = table(columns)
        where = f"{folder}/hive_{codec}"
        home.run(f"CREATE TABLE hive_{codec} WITH (external_location = '{where}', format = 'TEXTFILE', field_delimiter = '|', write_compression = '{codec}') AS {sql}")
        count = home.rows(f"SELECT count(*) FROM (SELECT * FROM hive_{codec} EXCEPT ({sql}))")
        check(f"text {codec}, sqlq", count == ["0"], str(count))
        if session and codec not in ("ZSTD",):
            session.sql(f"CREATE EXTERNAL TABLE hive_{codec} ({hive(columns)}) ROW FORMAT DELIMITED FIELDS TERMINATED BY '|' LOCATION '{where}'")
            # Hive's empty lists are lists of nothing written as nothing: NULL texts stay what they are.
            same(f"text {codec}, Spark's Hive", session.sql(f"SELECT * FROM hive_{codec}").collect(), rows)
    for codec, reader in [("NONE", True), ("GZIP", True), ("ZSTD", True), ("BZIP2", False), ("SNAPPY", False), ("LZ4", False)]:
        where = f"{folder}/json_{codec}"
        home.run(f"CREATE TABLE json_{codec} WITH (external_location = '{where}', format = 'JSON', write_compression = '{codec}') AS {sql}")
        count = home.rows(f"SELECT count(*) FROM (SELECT * FROM json_{codec} EXCEPT ({sql}))")
        check(f"JSON {codec}, sqlq", count == ["0"], str(count))
        if reader:
            types = ", ".join(f"'{c[0]}': '{duck(c[1])}'" for c in columns)
            read = duckdb.sql(f"FROM read_json('{where}/*', format='newline_delimited', columns={{{types}}})")
            same(f"JSON {codec}, DuckDB", read.fetchall(), rows)
        if session and codec not in ("ZSTD",):
            same(f"JSON {codec}, Spark", session.read.schema(hive(columns)).json(where).collect(), rows)
    csv = [("s", "varchar", ("'text'", "text"), ("'a, \"b\"'", 'a, "b"')), ("e", "varchar", ("''", ""), ("' x '", " x "))]
    sql, rows = table(csv)
    home.run(f"CREATE TABLE csv WITH (external_location = '{folder}/csv', format = 'CSV', write_compression = 'NONE') AS {sql}")
    read = duckdb.sql(f"FROM read_csv('{folder}/csv/*', header=false, allow_quoted_nulls=false, columns={{'s': 'varchar', 'e': 'varchar'}})")
    same("CSV, DuckDB", read.fetchall(), rows)


def duck(type):
    return {"array(integer)": "integer[]", "array(array(varchar))": "varchar[][]", "row(x integer, y varchar)": "struct(x integer, y varchar)",
            "timestamp(3)": "timestamp"}.get(type, type)


def layouts(options, folder):
    import duckdb, pyarrow.dataset
    home = Home(options, folder)
    session = spark(folder)
    query = ("SELECT n, 'v' || CAST(n AS varchar) AS v, CAST(n % 7 AS integer) AS k, IF(n % 5 = 0, NULL, 'x=' || CAST(n % 3 AS varchar)) AS p"
             " FROM UNNEST(sequence(1, 10000)) t(n)")
    rows = [[n, f"v{n}", n % 7, None if n % 5 == 0 else f"x={n % 3}"] for n in range(1, 10001)]
    where = f"{folder}/parts"
    home.run(f"CREATE TABLE parts WITH (external_location = '{where}', partitioned_by = ARRAY['k', 'p']) AS {query}")
    same("partitions, DuckDB", duckdb.sql(f"SELECT n, v, k, p FROM read_parquet('{where}/**/*', hive_partitioning=true)").fetchall(), rows)
    read = pyarrow.dataset.dataset(where, format="parquet", partitioning=pyarrow.dataset.HivePartitioning.discover(null_fallback="__HIVE_DEFAULT_PARTITION__")).to_table()
    same("partitions, pyarrow", zip(*[read[c].to_pylist() for c in ("n", "v", "k", "p")]), rows)
    if session:
        same("partitions, Spark", session.read.parquet(where).select("n", "v", "k", "p").collect(), rows)
    where = f"{folder}/buckets"
    home.run(f"CREATE TABLE buckets WITH (external_location = '{where}', bucketed_by = ARRAY['v', 'n'], bucket_count = 8) AS {query}")
    paths = sorted(glob.glob(where + "/*"))
    check("a file a bucket", [os.path.basename(p).split("_")[0] for p in paths] == [f"{b:07}" for b in range(8)], str(len(paths)))

    def hash_text(text):
        h = 0
        for byte in text.encode():
            h = (h * 31 + (byte - 256 if byte > 127 else byte)) & 0xffffffff
        return h

    wrong = 0
    for bucket, path in enumerate(paths):
        for n, v in duckdb.sql(f"SELECT n, v FROM read_parquet('{path}')").fetchall():
            if ((hash_text(v) * 31 + ((n >> 32) ^ n)) & 0x7fffffff) % 8 != bucket:
                wrong += 1
    check("rows in Hive's buckets", wrong == 0, str(wrong))
    same("buckets, DuckDB", duckdb.sql(f"SELECT n, v, k, p FROM read_parquet('{where}/*')").fetchall(), rows)


def debris(folder):
    return [p for p in glob.glob(f"{folder}/**/.*", recursive=True) if "/home/" not in p] + glob.glob(f"{folder}/**/.sqlq-*/*", recursive=True)


def kill(options, folder):
    home = Home(options, folder)
    rng = random.Random(options.seed)
    rows = "SELECT n, n % 20 AS k FROM UNNEST(sequence(1, 10000)) a(n) CROSS JOIN UNNEST(sequence(1, {})) b(m)"
    home.run(f"CREATE TABLE t WITH (external_location = '{folder}/t', partitioned_by = ARRAY['k']) AS " + rows.format(1))
    known, made = 10000, 0
    start = time.time()
    home.run(f"CREATE TABLE probe WITH (external_location = '{folder}/probe', partitioned_by = ARRAY['k']) AS " + rows.format(20))
    span = time.time() - start
    outcomes = {"nothing": 0, "all": 0}
    for round in range(options.rounds):
        is_insert = round % 2 == 0
        if is_insert:
            sql = "INSERT INTO t " + rows.format(20)
        else:
            made += 1
            sql = f"CREATE TABLE c{made} WITH (external_location = '{folder}/c{made}', partitioned_by = ARRAY['k']) AS " + rows.format(20)
        process = subprocess.Popen(home.command(sql), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        # More of the moments lie at the end, where files are moved.
        wait = rng.uniform(0, span) if round % 3 else rng.uniform(span * 0.8, span * 1.05)
        try:
            process.wait(wait)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
        if is_insert:
            count = home.rows("SELECT count(*) FROM t")
            count = int(count[0]) if count else -1
            check(f"round {round}: INSERT", count in (known, known + 200000), f"{known} → {count}")
            outcomes["all" if count > known else "nothing"] += 1
            known = count
        else:
            done = subprocess.run(home.command(f"SELECT count(*) FROM c{made}", "--output-format", "csv"), capture_output=True, text=True)
            exists = done.returncode == 0
            count = done.stdout.split()[-1] if exists else "none"
            check(f"round {round}: CREATE TABLE AS", count in ("200000", "none") and (exists or "TABLE_NOT_FOUND" in done.stderr), count + done.stderr[:200])
            files = [p for p in glob.glob(f"{folder}/c{made}/**/*", recursive=True) if os.path.isfile(p)]
            check(f"round {round}: files", bool(files) == exists, str(len(files)))
            outcomes["all" if exists else "nothing"] += 1
        home.run("INSERT INTO t VALUES (0, 0)")
        known += 1
    print(f"      {outcomes}")
    left = debris(folder)
    print(f"      debris of killed statements: {len(left)} files and folders")


def full(options, folder):
    inner = f"{folder}/small"
    os.makedirs(inner)
    home = Home(options, folder)
    home.run(f"CREATE TABLE t WITH (external_location = '{folder}/outside') AS SELECT n FROM UNNEST(sequence(1, 10)) x(n)")
    big = "SELECT n, CAST(random() AS varchar) || CAST(random() AS varchar) AS s FROM UNNEST(sequence(1, 10000)) a(n) CROSS JOIN UNNEST(sequence(1, 100)) b(m)"
    script = f"""
mount -t tmpfs -o size=8m tmpfs {inner} || exit 77
cp -r {folder}/home {inner}/home
run() {{ {options.sqlq} --home {folder}/home -e "$1"; echo "exit $?"; }}
run "CREATE TABLE c WITH (external_location = '{inner}/c') AS {big}"
run "CREATE EXTERNAL TABLE e (n bigint, s string) STORED AS PARQUET LOCATION '{inner}/e/'"
run "INSERT INTO e VALUES (1, 'a')"
run "INSERT INTO e {big}"
run "UNLOAD ({big}) TO '{inner}/u' WITH (format = 'TEXTFILE', compression = 'NONE')"
run "SELECT count(*) FROM e"
find {inner} -not -path '*/home*' -name '*' | sed 's/^/left /'
"""
    done = subprocess.run(["unshare", "-rm", "sh", "-c", script], capture_output=True, text=True)
    if done.returncode == 77 or "unshare" in done.stderr[:20]:
        print("--    no name spaces here: not checked", done.stderr[:200])
        return
    codes = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("exit ")]
    check("a full disk fails the statement", len(codes) == 6 and "0" not in (codes[0], codes[3], codes[4]) and codes[2] == codes[5] == "0", f"{codes}\n{done.stderr}")
    check("it says so", done.stderr.count("No space left on device") >= 3, done.stderr[:500])
    left = [line for line in done.stdout.splitlines() if line.startswith("left ")]
    check("nothing is left", len(left) == 3, str(left))


def processes(options, folder):
    home = Home(options, folder)
    home.run(f"CREATE TABLE t WITH (external_location = '{folder}/t', partitioned_by = ARRAY['k']) AS SELECT 0 AS n, 0 AS k")
    rounds = options.rounds
    worker = """
import subprocess, sys
command, tag, rounds = sys.argv[1:-2], int(sys.argv[-2]), int(sys.argv[-1])
for n in range(rounds):
    for sql in [f"INSERT INTO t SELECT CAST(n AS integer), CAST(n % 5 + {n} AS integer) FROM UNNEST(sequence(1, 10)) x(n)", "SELECT count(*) FROM t"]:
        done = subprocess.run(command + ["-e", sql], capture_output=True, text=True)
        if done.returncode != 0: print(sql, done.stderr, flush=True)
        elif sql.startswith("SELECT"):
            count = int(done.stdout.split()[-1])
            if count % 10 != 1: print("a write was seen by half:", count, flush=True)
"""
    start = time.time()
    workers = [subprocess.Popen([sys.executable, "-c", worker, options.sqlq, "--home", f"{folder}/home", "--output-format", "csv", str(tag), str(rounds)],
                                stdout=subprocess.PIPE, text=True) for tag in range(3)]
    output = "".join(w.communicate()[0] for w in workers)
    check(f"3 processes, {rounds} rounds each", output == "", output[:1000])
    count = home.rows("SELECT count(*) FROM t")
    check("no row is lost", count == [str(1 + 3 * rounds * 10)], f"{count} in {time.time() - start:.0f} s")


def many(options, folder):
    home = Home(options, folder)
    columns = ", ".join(f"n * {i} AS c{i}, CAST(n AS varchar) || 'text{i}' AS s{i}" for i in range(8))
    home.run(f"CREATE EXTERNAL TABLE t ({', '.join(f'c{i} bigint, s{i} string' for i in range(8))}) PARTITIONED BY (k bigint) STORED AS PARQUET LOCATION '{folder}/t/'")
    sql = f"INSERT INTO t SELECT {columns}, n % {options.partitions} FROM UNNEST(sequence(1, 10000)) a(x) CROSS JOIN UNNEST(sequence(0, 399)) b(y) CROSS JOIN UNNEST(ARRAY[x * 400 + y]) c(n)"
    pid = os.posix_spawn(options.sqlq, home.command(sql), os.environ)
    _, status, usage = os.wait4(pid, 0)
    peak = usage.ru_maxrss / 1024
    check(f"{options.partitions} partitions, 4,000,000 rows of 16 columns", status == 0 and peak < 1024, f"peak {peak:.0f} MB, {usage.ru_utime + usage.ru_stime:.1f} s CPU")
    answer = home.rows("SELECT count(*), count(DISTINCT k), sum(c1) FROM t")
    n = 4000000
    check("all rows", answer == [f"{n},{options.partitions},{sum(range(400, 4000400))}"], str(answer))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sqlq", default=str(ROOT / ".build/debug/sqlq"))
    parser.add_argument("--only", default="readers,layouts,kill,full,processes,many")
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--partitions", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    for name in options.only.split(","):
        folder = tempfile.mkdtemp(prefix="sqlq-writes-")
        try:
            globals()[name](options, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    print(f"{len(failures)} failures")
    sys.exit(1 if failures else 0)


main()
