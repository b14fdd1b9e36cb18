#!/usr/bin/env python3
"""Runs the clients people use, unmodified, against `sqlq serve`: they learn of it from environment variables only.

    python3 -m venv .build/venv && .build/venv/bin/pip install boto3 awscli PyAthena pandas pyarrow polars sqlalchemy awswrangler trino
    .build/venv/bin/python Tests/Service/check_clients.py [--sqlq .build/debug/sqlq] [--only NAME …]

A client that is not installed is told and skipped. The last lines are a table: client, calls, result.
"""
import argparse, importlib.util, os, pathlib, shutil, subprocess, sys, tempfile, time, traceback

ROOT = pathlib.Path(__file__).resolve().parents[2]
results = []
checks = {}


def client(name, *modules):
    def add(body):
        checks[name] = (modules, body)
        return body
    return add


class Server:
    def __init__(self, sqlq, folder, *options, port=0):
        self.folder, self.sqlq, self.options = folder, sqlq, options
        self.start(port)

    def start(self, port=0):
        self.process = subprocess.Popen(
            [self.sqlq, "serve", "--home", self.folder, "--port", str(port), *self.options], stderr=subprocess.PIPE, text=True)
        self.url = self.process.stderr.readline().split()[-1]
        self.port = int(self.url.rsplit(":", 1)[1])

    def stop(self):
        self.process.terminate()
        self.process.wait(30)


def expect(condition, what):
    if not condition:
        raise AssertionError(what)


# What each check may use: made by main() before the first.
BUCKET = "client-bucket"


def setup_data():
    import boto3
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    for day, rows in [("2024-01-01", "1,ann\n2,bob\n"), ("2024-01-02", "3,cy\n")]:
        s3.put_object(Bucket=BUCKET, Key=f"people/day={day}/part-0.csv", Body=rows.encode())
    athena = boto3.client("athena")
    for sql in ["CREATE DATABASE demo", f"""CREATE EXTERNAL TABLE demo.people (id bigint, name string) PARTITIONED BY (day string)
            ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION 's3://{BUCKET}/people/'""",
                "MSCK REPAIR TABLE demo.people", "CREATE VIEW demo.names AS SELECT name FROM demo.people"]:
        run(athena, sql)


def run(athena, sql, **more):
    id = athena.start_query_execution(QueryString=sql, **more)["QueryExecutionId"]
    while True:
        query = athena.get_query_execution(QueryExecutionId=id)["QueryExecution"]
        if query["Status"]["State"] not in ("QUEUED", "RUNNING"):
            expect(query["Status"]["State"] == "SUCCEEDED", f"{sql}: {query['Status']}")
            return query


@client("boto3", "boto3")
def boto():
    import boto3
    athena, glue, sts, s3 = (boto3.client(name) for name in ("athena", "glue", "sts", "s3"))
    query = run(athena, "SELECT day, count(*) AS n FROM demo.people GROUP BY 1 ORDER BY 1")
    pages = athena.get_paginator("get_query_results").paginate(QueryExecutionId=query["QueryExecutionId"], PaginationConfig={"PageSize": 2})
    rows = [[d.get("VarCharValue") for d in row["Data"]] for page in pages for row in page["ResultSet"]["Rows"]]
    expect(rows == [["day", "n"], ["2024-01-01", "2"], ["2024-01-02", "1"]], rows)
    bucket, key = query["ResultConfiguration"]["OutputLocation"][5:].split("/", 1)
    body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    expect(body.startswith(b'"day","n"\n"2024-01-01","2"\n'), body)
    expect(sts.get_caller_identity()["Account"], "an account")
    expect([t["Name"] for t in glue.get_tables(DatabaseName="demo")["TableList"]] == ["names", "people"], "Glue's tables")
    try:
        athena.get_table_metadata(CatalogName="AwsDataCatalog", DatabaseName="demo", TableName="none")
        expect(False, "a missing table")
    except athena.exceptions.MetadataException as e:
        expect("EntityNotFoundException" in str(e), e)
    big = os.urandom(20 << 20)
    import io
    s3.upload_fileobj(io.BytesIO(big), BUCKET, "big/object")
    expect(s3.get_object(Bucket=BUCKET, Key="big/object", Range="bytes=9999999-10000008")["Body"].read() == big[9999999:10000009], "a range")
    into = io.BytesIO()
    s3.download_fileobj(BUCKET, "big/object", into)
    expect(into.getvalue() == big, "a multipart upload")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "big/object"})
    import urllib.request
    expect(len(urllib.request.urlopen(url).read()) == 20 << 20, "a presigned URL")
    s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": "big/object"}]})


@client("awscli", "awscli")
def awscli():
    aws = [str(pathlib.Path(sys.executable).parent / "aws")]
    def call(*arguments):
        return subprocess.run(aws + list(arguments), check=True, capture_output=True, text=True).stdout
    id = call("athena", "start-query-execution", "--query-string", "SELECT 1 AS one", "--query", "QueryExecutionId", "--output", "text").strip()
    while call("athena", "get-query-execution", "--query-execution-id", id, "--query", "QueryExecution.Status.State", "--output", "text").strip() in ("QUEUED", "RUNNING"):
        pass
    out = call("athena", "get-query-results", "--query-execution-id", id, "--query", "ResultSet.Rows[*].Data[*].VarCharValue", "--output", "text")
    expect(out.split() == ["one", "1"], out)
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("hello")
        file.flush()
        call("s3", "cp", file.name, f"s3://{BUCKET}/cli/a.txt")
    expect("a.txt" in call("s3", "ls", f"s3://{BUCKET}/cli/"), "s3 ls")
    call("s3", "rm", f"s3://{BUCKET}/cli/a.txt")
    expect("people" in call("glue", "get-tables", "--database-name", "demo"), "glue get-tables")


def connection(**more):
    from pyathena import connect
    return connect(s3_staging_dir=f"s3://{BUCKET}/staging/", region_name="us-east-1", schema_name="demo", **more)


@client("PyAthena Cursor, DictCursor", "pyathena")
def pyathena_cursor():
    from pyathena.cursor import DictCursor
    with connection().cursor() as cursor:
        cursor.execute("SELECT id, name, DATE '2024-02-29' AS d, ARRAY[1, 2] AS a FROM people WHERE name = %(name)s", {"name": "bob"})
        expect(cursor.fetchall()[0][:2] == (2, "bob"), "a row")
        expect([c[0] for c in cursor.description] == ["id", "name", "d", "a"], cursor.description)
        cursor.execute("SELECT count(*) FROM people WHERE id = ?", ["3"], paramstyle="qmark")
        expect(cursor.fetchall() == [(1,)], "a parameter")
        cursor.execute("SHOW TABLES")
        expect(cursor.fetchall() == [("names",), ("people",)], "SHOW TABLES")
        try:
            cursor.execute("SELECT * FROM nowhere")
            expect(False, "a missing table")
        except Exception as e:
            expect("TABLE_NOT_FOUND" in str(e), e)
        cursor.execute("SELECT n FROM UNNEST(sequence(1, 2500)) AS t(n)")
        expect([r[0] for r in cursor] == list(range(1, 2501)), "pages")
    expect(connection(cursor_class=DictCursor).cursor().execute("SELECT 1 AS a").fetchall() == [{"a": 1}], "a dict")


@client("PyAthena async cursors", "pyathena")
def pyathena_async():
    from pyathena.async_cursor import AsyncCursor
    cursor = connection(cursor_class=AsyncCursor).cursor()
    id, future = cursor.execute("SELECT name FROM people ORDER BY 1")
    expect(future.result().fetchall() == [("ann",), ("bob",), ("cy",)], "rows")
    id, future = cursor.execute(
        "SELECT count(*) FROM UNNEST(sequence(1, 10000)) a(x), UNNEST(sequence(1, 10000)) b(y), UNNEST(sequence(1, 10000)) c(z) WHERE x + y + z = 7")
    time.sleep(0.3)
    cursor.cancel(id).result()
    expect(future.result().state == "CANCELLED", "cancelled")


@client("PyAthena PandasCursor", "pyathena", "pandas")
def pyathena_pandas():
    from pyathena.pandas.cursor import PandasCursor
    frame = connection(cursor_class=PandasCursor).cursor().execute("SELECT id, name FROM people ORDER BY id").as_pandas()
    expect(list(frame["name"]) == ["ann", "bob", "cy"] and str(frame["id"].dtype) == "Int64", frame.dtypes)
    frame = connection(cursor_class=PandasCursor).cursor(unload=True).execute("SELECT id, name FROM people").as_pandas()
    expect(sorted(frame["id"]) == [1, 2, 3], frame)


@client("PyAthena PolarsCursor", "pyathena", "polars")
def pyathena_polars():
    from pyathena.polars.cursor import PolarsCursor
    frame = connection(cursor_class=PolarsCursor).cursor().execute("SELECT id, name FROM people ORDER BY id").as_polars()
    expect(frame["name"].to_list() == ["ann", "bob", "cy"], frame)


@client("PyAthena S3FSCursor", "pyathena")
def pyathena_s3fs():
    from pyathena.s3fs.cursor import S3FSCursor
    expect(len(connection(cursor_class=S3FSCursor).cursor().execute("SELECT id FROM people").fetchall()) == 3, "rows")


@client("PyAthena ArrowCursor", "pyathena", "pyarrow")
def pyathena_arrow():
    # pyarrow's own S3 client reads no endpoint from the environment.
    import pyarrow.fs, urllib.parse
    real = pyarrow.fs.S3FileSystem
    host = urllib.parse.urlparse(os.environ["AWS_ENDPOINT_URL"]).netloc
    pyarrow.fs.S3FileSystem = lambda *a, **k: real(*a, **{**k, "endpoint_override": host, "scheme": "http"})
    try:
        from pyathena.arrow.cursor import ArrowCursor
        table = connection(cursor_class=ArrowCursor).cursor().execute("SELECT id, name FROM people ORDER BY id").as_arrow()
        expect(table.column("name").to_pylist() == ["ann", "bob", "cy"], table)
    finally:
        pyarrow.fs.S3FileSystem = real


@client("SQLAlchemy over PyAthena", "pyathena", "sqlalchemy")
def sqlalchemy_pyathena():
    import sqlalchemy
    url = f"awsathena+rest://key:secret@athena.us-east-1.amazonaws.com:443/demo?s3_staging_dir=s3://{BUCKET}/staging/"
    engine = sqlalchemy.create_engine(url)
    inspector = sqlalchemy.inspect(engine)
    expect("demo" in inspector.get_schema_names(), "schemas")
    expect(inspector.get_table_names("demo") == ["people"], inspector.get_table_names("demo"))
    expect(inspector.get_view_names("demo") == ["names"], "views")
    expect([c["name"] for c in inspector.get_columns("people", "demo")] == ["id", "name", "day"], "columns")
    expect(inspector.has_table("people", "demo") and not inspector.has_table("none", "demo"), "has_table")
    with engine.connect() as c:
        expect(c.execute(sqlalchemy.text("SELECT max(id) FROM people")).scalar() == 3, "a scalar")
    if importlib.util.find_spec("pandas"):
        import pandas
        expect(len(pandas.read_sql("SELECT * FROM people", engine)) == 3, "pandas.read_sql")


@client("awswrangler", "awswrangler")
def awswrangler():
    import awswrangler as wr, pandas
    for mode in ({}, {"ctas_approach": False}, {"ctas_approach": False, "unload_approach": True}):
        more = {"s3_output": f"s3://{BUCKET}/wr{len(mode)}/"} if mode else {"s3_output": f"s3://{BUCKET}/wr"}
        frame = wr.athena.read_sql_query("SELECT id, name FROM people ORDER BY id", database="demo", **mode, **more)
        expect(sorted(frame["name"]) == ["ann", "bob", "cy"], f"{mode}: {frame}")
    frame = wr.athena.read_sql_query("SELECT 1 AS a", database="demo", ctas_approach=False)
    expect(list(frame["a"]) == [1], "without an output location")
    wr.s3.to_parquet(pandas.DataFrame({"x": [1, 2, 3], "p": ["a", "b", "b"]}), path=f"s3://{BUCKET}/ds/", dataset=True, database="demo",
                     table="ds", partition_cols=["p"], mode="overwrite")
    expect(wr.athena.read_sql_query("SELECT sum(x) AS s FROM ds WHERE p = 'b'", database="demo", ctas_approach=False)["s"][0] == 5, "to_parquet")
    expect(sorted(wr.catalog.get_partitions(database="demo", table="ds").values()) == [["a"], ["b"]], "partitions")
    expect(wr.catalog.delete_table_if_exists(database="demo", table="ds"), "delete_table")


@client("dbt-athena", "dbt.adapters.athena")
def dbt():
    with tempfile.TemporaryDirectory() as folder:
        project = pathlib.Path(folder)
        (project / "models").mkdir()
        (project / "seeds").mkdir()
        (project / "seeds" / "ages.csv").write_text("name,age\nann,31\nbob,42\n")
        (project / "models" / "t1.sql").write_text("{{ config(materialized='table') }} SELECT name, age + 1 AS age FROM {{ ref('ages') }}")
        (project / "models" / "v1.sql").write_text("{{ config(materialized='view') }} SELECT * FROM {{ ref('t1') }} WHERE age > 40")
        (project / "models" / "i1.sql").write_text("{{ config(materialized='incremental', incremental_strategy='append') }} SELECT name FROM {{ ref('t1') }}")
        (project / "models" / "schema.yml").write_text(
            "version: 2\nmodels:\n  - name: t1\n    columns:\n      - name: name\n        data_tests: [not_null, unique]\n")
        (project / "dbt_project.yml").write_text("name: demo\nversion: '1.0'\nprofile: demo\n")
        (project / "profiles.yml").write_text(
            "demo:\n  target: dev\n  outputs:\n    dev:\n      type: athena\n      s3_staging_dir: s3://%s/dbt-staging/\n      s3_data_dir: s3://%s/dbt/\n"
            "      region_name: us-east-1\n      database: awsdatacatalog\n      schema: dbt_demo\n      threads: 1\n" % (BUCKET, BUCKET))
        environment = {**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}
        for command in (["debug"], ["seed"], ["run"], ["run"], ["test"], ["docs", "generate"]):
            done = subprocess.run([str(pathlib.Path(sys.executable).parent / "dbt"), *command, "--profiles-dir", folder, "--project-dir", folder],
                                  capture_output=True, text=True, env=environment)
            expect(done.returncode == 0, f"dbt {' '.join(command)}: {done.stdout[-3000:]}")


@client("Trino's Python client", "trino")
def trino_client():
    import trino
    c = trino.dbapi.connect(host="127.0.0.1", port=int(os.environ["AWS_ENDPOINT_URL"].rsplit(":", 1)[1]), user="me", catalog="awsdatacatalog", schema="demo")
    cursor = c.cursor()
    cursor.execute("SELECT id, name FROM people ORDER BY id")
    expect(cursor.fetchall() == [[1, "ann"], [2, "bob"], [3, "cy"]], "rows")
    cursor.execute("SELECT name FROM people WHERE id = ?", (2,))
    expect(cursor.fetchall() == [["bob"]], "a parameter")
    import datetime, decimal
    cursor.execute("SELECT DATE '2024-02-29', DECIMAL '1.50', TIMESTAMP '2024-01-01 01:02:03.004', MAP(ARRAY['a'], ARRAY[1]), X'00', ARRAY[1.5E0]")
    expect(cursor.fetchall() == [[datetime.date(2024, 2, 29), decimal.Decimal("1.50"), datetime.datetime(2024, 1, 1, 1, 2, 3, 4000), {"a": 1}, b"\0", [1.5]]], "values")
    cursor.execute("SELECT n FROM UNNEST(sequence(1, 10000)) AS t(n), UNNEST(sequence(1, 5)) AS u(m)")
    expect(len(cursor.fetchall()) == 50000, "pages")
    try:
        cursor.execute("SELECT nothing FROM people")
        cursor.fetchall()
        expect(False, "a missing column")
    except trino.exceptions.TrinoUserError as e:
        expect(e.error_name == "COLUMN_NOT_FOUND", e)


@client("SQLAlchemy over Trino", "trino", "sqlalchemy")
def sqlalchemy_trino():
    import sqlalchemy
    port = os.environ["AWS_ENDPOINT_URL"].rsplit(":", 1)[1]
    engine = sqlalchemy.create_engine(f"trino://me@127.0.0.1:{port}/awsdatacatalog/demo")
    with engine.connect() as c:
        expect(c.execute(sqlalchemy.text("SELECT max(id) FROM people")).scalar() == 3, "a scalar")
    expect("people" in sqlalchemy.inspect(engine).get_table_names("demo"), "tables")


@client("athenacli", "athenacli")
def athenacli():
    program = shutil.which("athenacli") or str(pathlib.Path(sys.executable).parent / "athenacli")
    done = subprocess.run([program, "-e", "SELECT max(id) AS m FROM people", "--s3-staging-dir", f"s3://{BUCKET}/cli-staging/", "--region", "us-east-1",
                           "demo"], capture_output=True, text=True)
    expect(done.returncode == 0 and "3" in done.stdout, done.stdout + done.stderr)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sqlq", default=str(ROOT / ".build/debug/sqlq"))
    parser.add_argument("--only", nargs="*")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = Server(options.sqlq, folder)
        os.environ.update(AWS_ENDPOINT_URL=server.url, AWS_ACCESS_KEY_ID="key", AWS_SECRET_ACCESS_KEY="secret", AWS_DEFAULT_REGION="us-east-1",
                          AWS_REGION="us-east-1", AWS_CONFIG_FILE="/dev/null", AWS_SHARED_CREDENTIALS_FILE="/dev/null")
        failed = 0
        try:
            setup_data()
            for name, (modules, body) in checks.items():
                if options.only and not any(word in name for word in options.only):
                    continue
                missing = [m for m in modules if not has(m)]
                if missing:
                    results.append((name, "skipped: not installed: " + ", ".join(missing), 0))
                    continue
                begin = time.time()
                try:
                    body()
                    results.append((name, "ok", time.time() - begin))
                except Exception as e:
                    failed += 1
                    traceback.print_exc()
                    results.append((name, f"FAILED: {type(e).__name__}: {str(e)[:200]}", time.time() - begin))
                if server.process.poll() is not None:
                    sys.exit(f"the server ended with {server.process.returncode} during {name}")
        finally:
            server.stop()
    for name, result, seconds in results:
        print(f"{name:32} {seconds:7.1f} s  {result}")
    sys.exit(1 if failed else 0)


def has(module):
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


if __name__ == "__main__":
    main()
