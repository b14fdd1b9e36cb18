#!/usr/bin/env python3
"""Runs queries under a memory limit and checks that the limit holds, that the rows are right, and what it costs.

    check_memory.py --sqlq .build/release/sqlq --data DATA/tpch1 --limit 256MB [--queries q1,q9] [--duckdb] [--fractions]

--data      a folder of TPC-H tables as make_tpch.py writes them
--queries   numbers of TPC-H queries (default: all), or names of the large ones below: sort, group, join, distinct, window, giant
--duckdb    the same with DuckDB, same limit and threads, for its rows and times; rows are compared with its rows without a limit
--fractions each query at 1.2, 1.0, 0.8, 0.5 and 0.2 of the memory it takes without a limit

`anon` is the most anonymous resident memory of the process, looked at every 5 ms.
"""
import argparse, json, os, re, subprocess, sys, tempfile, time

LARGE = {
    "sort": "SELECT count(*), sum(CASE WHEN r % 7 = 0 THEN k ELSE 0 END) FROM (SELECT l_orderkey k, row_number() OVER (PARTITION BY l_shipmode ORDER BY l_comment, l_orderkey, l_linenumber) r FROM lineitem)",
    "order": "SELECT l_orderkey, l_linenumber, l_comment FROM lineitem ORDER BY l_comment, l_orderkey, l_linenumber OFFSET {middle} LIMIT 5",
    "group": "SELECT count(*), sum(n), max(q) FROM (SELECT l_comment, count(*) n, sum(l_quantity) q FROM lineitem GROUP BY 1)",
    "join": "SELECT count(*), sum(a.l_quantity), max(b.l_comment) FROM lineitem a JOIN lineitem b ON a.l_orderkey = b.l_orderkey AND a.l_linenumber = b.l_linenumber",
    "outer": "SELECT count(*), count(o_orderkey), sum(l_quantity) FROM lineitem FULL JOIN (SELECT * FROM orders WHERE o_orderkey % 3 = 0) ON l_orderkey = o_orderkey",
    "distinct": "SELECT count(DISTINCT l_comment), count(DISTINCT l_extendedprice), count(DISTINCT l_orderkey) FROM lineitem",
    "window": "SELECT count(*), sum(r), sum(s) FROM (SELECT rank() OVER (PARTITION BY l_suppkey ORDER BY l_shipdate) r, sum(l_quantity) OVER (PARTITION BY l_partkey) s FROM lineitem)",
    "giant": "SELECT count(*), sum(l_quantity) FROM (SELECT 1 k, l_quantity FROM lineitem WHERE l_orderkey % 1000 = 1) a JOIN (SELECT 1 k, o_orderkey FROM orders) b ON a.k = b.k WHERE o_orderkey % 997 = 3",
    "except": "SELECT count(*) FROM (SELECT l_orderkey, l_comment FROM lineitem EXCEPT SELECT o_orderkey, o_comment FROM orders)",
    "collect": "SELECT count(*), sum(cardinality(a)) FROM (SELECT l_partkey, array_agg(l_comment) a FROM lineitem GROUP BY 1)",
}
DUCK = {"collect": LARGE["collect"].replace("cardinality", "len")}
TABLES = ["lineitem", "orders", "customer", "part", "partsupp", "supplier", "nation", "region"]


def anonymous(pid):
    try:
        with open(f"/proc/{pid}/status") as file:
            return int(re.search(r"RssAnon:\s+(\d+)", file.read()).group(1)) << 10
    except (OSError, AttributeError):
        return 0


def watch(command, timeout):
    """Runs a command: exit code, seconds, peak, stdout, stderr."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        start = time.time()
        process = subprocess.Popen(command, stdout=out, stderr=err)
        peak = 0
        while process.poll() is None:
            peak = max(peak, anonymous(process.pid))
            if time.time() - start > timeout:
                process.kill()
            time.sleep(0.005)
        seconds = time.time() - start
        out.seek(0), err.seek(0)
        return process.returncode, seconds, peak, out.read().decode(), err.read().decode()


def rows(text):
    """Lines of a CSV as comparable values: numbers rounded."""
    result = []
    for line in text.strip().splitlines()[1:]:
        values = []
        for value in re.findall(r'"(?:[^"]|"")*"|[^,]+|(?<=,)(?=,|$)', line):
            try:
                values.append(f"{float(value.strip(chr(34))):.6g}")
            except ValueError:
                values.append(value.strip('"'))
        result.append(tuple(values))
    return sorted(result)


def byte_count(text):
    number, unit = re.match(r"([\d.]+)\s*([KMG]?)B?", text.upper()).groups()
    return int(float(number) * {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}[unit])


def sqlq(options, sql, limit):
    command = [options.sqlq, "--no-results", "--home", options.home, "--output-format", "csv_header", "--stats", "json"]
    if options.threads:
        command += ["--threads", str(options.threads)]
    if limit:
        command += ["--memory-limit", str(limit)]
    code, seconds, peak, out, err = watch(command + [sql], options.timeout)
    statistics = {}
    for line in err.splitlines():
        if line.startswith("{"):
            statistics = json.loads(line)
    return code, seconds, peak, out, err, statistics


DUCK_PROGRAM = """
import duckdb, sys, json
sql, data, limit, threads, folder = sys.argv[1:]
c = duckdb.connect()
c.execute(f"SET temp_directory='{folder}'")
if limit != '0': c.execute(f"SET memory_limit='{int(limit) // (1 << 20)}MiB'")
if threads != '0': c.execute(f"SET threads={threads}")
for t in %r: c.execute(f"CREATE VIEW {t} AS FROM '{data}/{t}.parquet'")
r = c.execute(sql)
print(','.join(d[0] for d in r.description))
for row in r.fetchall(): print(','.join('"' + str(v).replace('"', '""') + '"' if isinstance(v, str) else ('' if v is None else str(v)) for v in row))
""" % (TABLES,)


def duckdb(options, sql, limit):
    sql = re.sub(r"OFFSET (\d+) LIMIT (\d+)", r"LIMIT \2 OFFSET \1", sql)
    command = [sys.executable, "-c", DUCK_PROGRAM, sql, options.data, str(limit or 0), str(options.threads or 0), options.home]
    return watch(command, options.timeout)


def queries(options):
    chosen = options.queries.split(",") if options.queries else [f"q{k}" for k in range(1, 23)]
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "Suites", "tpch")
    result = []
    for name in chosen:
        if name in LARGE:
            result.append((name, LARGE[name].replace("{middle}", "3000000"), DUCK.get(name, LARGE[name]).replace("{middle}", "3000000")))
        else:
            number = int(name.lstrip("q"))
            for candidate in (f"q{number:02d}.sql", f"q{number}.sql", f"{number:02d}.sql", f"{number}.sql"):
                path = os.path.join(folder, candidate)
                if os.path.exists(path):
                    text = open(path).read().strip().rstrip(";")
                    result.append((name, text, text))
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sqlq", default=".build/release/sqlq")
    parser.add_argument("--data", required=True)
    parser.add_argument("--limit", default="1GB")
    parser.add_argument("--queries")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--timeout", type=float, default=600)
    parser.add_argument("--duckdb", action="store_true")
    parser.add_argument("--fractions", action="store_true")
    options = parser.parse_args()
    limit = byte_count(options.limit)
    failures = 0
    with tempfile.TemporaryDirectory() as home:
        options.home = home
        views = ";".join(f"CREATE VIEW {table} AS SELECT * FROM '{os.path.abspath(options.data)}/{table}.parquet'" for table in TABLES)
        subprocess.run([options.sqlq, "--home", home, "-e", views], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for name, text, duck in queries(options):
            if options.fractions:
                _, seconds, peak, _, _, statistics = sqlq(options, text, None)
                wanted = statistics.get("peak_memory_bytes", peak)
                line = f"{name:9} wants {wanted >> 20:5} MB {seconds:7.2f} s"
                for part in (1.2, 1.0, 0.8, 0.5, 0.2):
                    code, seconds, peak, _, _, statistics = sqlq(options, text, int(wanted * part))
                    line += f" | {part}: {seconds:6.2f} s, {statistics.get('spilled_bytes', 0) >> 20} MB" + ("" if code == 0 else f", exit {code}")
                print(line, flush=True)
                continue
            code, seconds, peak, out, err, statistics = sqlq(options, text, limit)
            holds = peak <= limit * 1.1
            told = statistics.get("peak_memory_bytes", 0)
            line = f"{name:9} exit {code} {seconds:7.2f} s  anon {peak >> 20:5} MB {'' if holds else 'TOO MUCH '}told {told >> 20:5} MB  spilled {statistics.get('spilled_bytes', 0) >> 20:6} MB"
            good = code == 0 and holds
            if options.duckdb:
                whole = duckdb(options, duck, None)
                bounded = duckdb(options, duck, limit)
                same = code == 0 and rows(out) == rows(whole[3])
                good = good and same
                line += f"  rows {'right' if same else 'WRONG'}  DuckDB exit {bounded[0]} {bounded[1]:7.2f} s  anon {bounded[2] >> 20:5} MB"
            if code != 0:
                line += "  " + " ".join(err.split())[:200]
            failures += 0 if good else 1
            print(line, flush=True)
    sys.exit(1 if failures else 0)


main()
