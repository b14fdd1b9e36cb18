#!/usr/bin/env python3
"""Run a folder of queries on sqlq and on other engines over the same files: are the answers equal, and who is faster?

usage: compare.py --suite Suites/tpch --data DIR [--sqlq .build/release/sqlq] [--format parquet|csv|json] [--declared]
                  [--queries q01,q05-q09] [--runs 4] [--threads 2] [--peers duckdb,datafusion,chdb,polars] [--table NAME=PATH …]
                  [--save-answers DIR] [--answers DIR] [--no-memory] [--scaling] [--json FILE] [--timeout 300] [--markdown]
needs: pip install duckdb (and the other peers that are named)

Tables: every DIR/<name>.<format> and every folder DIR/<name>/ is a table; a DIR that itself holds key=value folders is the
table `lineitem`. sqlq gets them as views over the path, or with --declared with the column types that the Parquet files beside
it have, so that decimals are exact and dates are dates on both sides (JSON: an external table; CSV: a view with casts).

Queries run one after another; for each, first sqlq, then each peer: one process executes the statement --runs times and the fastest
of runs 2… counts (sqlq's own wall_ms; a peer's time until all rows are there as an Arrow table). Memory is another fresh
process's peak of anonymous resident memory, less the peer's idle Python process; bytes are sqlq's bytes_scanned.

Answers: numbers that the peer gives as double agree within a relative 1e-9, all other values exactly. Where sqlq gives a
decimal for the peer's double (Trino divides and averages decimals as decimals), half a unit of its last digit is allowed: "≈".
Rows are compared as a multiset and, when the query ends in ORDER BY, as a sequence; equal rows in another order: "ties".
A query with a line `-- compare: count` promises only its number of rows. A <query>.duckdb.sql beside a query is DuckDB's text.
"""
import argparse, datetime as dt, decimal, glob, json, math, os, re, shutil, subprocess, sys, tempfile, threading, time

D = decimal.Decimal
decimal.getcontext().prec = 80


# ---------------------------------------------------------------- tables

def find_tables(data, fmt, extra):
    """name → {'path', 'format', 'folder', 'partitioned'}"""
    found = {}

    def add(name, path):
        folder = os.path.isdir(path)
        parts = folder and any('=' in d for d in os.listdir(path))
        f = fmt
        if not folder:
            stem = re.sub(r'\.(gz|zst|bz2|lz4|snappy)$', '', path)
            ext = stem.rsplit('.', 1)[-1]
            f = {'parquet': 'parquet', 'csv': 'csv', 'tsv': 'csv', 'json': 'json', 'jsonl': 'json', 'ndjson': 'json'}.get(ext, fmt)
        found[name] = {'path': os.path.abspath(path), 'format': f, 'folder': folder, 'partitioned': bool(parts)}
    if data:
        entries = sorted(os.listdir(data))
        if any('=' in e for e in entries): add('lineitem', data)
        else:
            for e in entries:
                p = os.path.join(data, e)
                if os.path.isdir(p): add(e, p)
                elif e.endswith('.' + fmt) or e.endswith('.' + fmt + '.gz'): add(e.split('.')[0], p)
    for item in extra or []:
        name, path = item.split('=', 1)
        add(name, path)
    return found


def declare(tables, data):
    """Adds column types to CSV and JSON tables, from the Parquet files of the same names beside the data folder."""
    import duckdb
    beside = re.sub(r'_(csv|json)/?$', '', os.path.abspath(data))
    con = duckdb.connect()
    for name, t in tables.items():
        p = os.path.join(beside, name + '.parquet')
        if not os.path.exists(p): sys.exit(f'--declared: there is no {p} to take the types from')
        t['columns'] = [(c, ty.lower()) for c, ty, *_ in con.execute(f"DESCRIBE SELECT * FROM '{p}'").fetchall()]


# ---------------------------------------------------------------- peers, each in a process of its own

def to_duckdb(sql):
    """DuckDB's spelling of the few things in the suites that it writes differently from Athena."""
    return re.sub(r"(regexp_replace\([^()]*?(?:\([^()]*\)[^()]*?)*'[^']*',\s*)'\$1'", r"\1'\\1'", sql, flags=re.S)


def encode(v):
    """A value of a Python client as JSON: decimals {"d"}, floats {"f"}, bytes {"x"}; dates and times as text."""
    if v is None or isinstance(v, (bool, int, str)): return v
    if isinstance(v, float): return {'f': repr(v)}
    if isinstance(v, D): return {'d': format(v, 'f')}
    if isinstance(v, dt.datetime): return v.strftime('%Y-%m-%d %H:%M:%S.%f')
    if isinstance(v, (dt.date, dt.time)): return v.isoformat()
    if isinstance(v, dt.timedelta): return str(v)
    if isinstance(v, bytes): return {'x': v.hex()}
    if isinstance(v, (list, tuple)): return [encode(x) for x in v]
    if isinstance(v, dict): return {'r': {str(k): encode(x) for k, x in v.items()}}
    return str(v)


def arrow_rows(table):
    columns = [c.to_pylist() for c in table.columns]
    return [[encode(c[i]) for c in columns] for i in range(table.num_rows)]


class DuckDB:
    name = 'duckdb'

    def __init__(self, tables, threads):
        import duckdb
        self.con = duckdb.connect(); self.version = duckdb.__version__
        self.con.execute(f'PRAGMA threads={threads}')
        for name, t in tables.items():
            p = t['path']
            if t['folder']: p += '/**/*.' + {'parquet': 'parquet', 'csv': 'csv*', 'json': 'json*'}[t['format']]
            o = ', hive_partitioning=true' if t['partitioned'] else ''
            if t.get('columns'):
                cols = '{' + ', '.join(f"'{c}': '{ty.upper()}'" for c, ty in t['columns']) + '}'
                o += f', columns={cols}' + (', header=true' if t['format'] == 'csv' else ", format='newline_delimited'")
            reader = {'parquet': 'read_parquet', 'csv': 'read_csv', 'json': 'read_json'}[t['format']]
            self.con.execute(f"CREATE OR REPLACE VIEW {name} AS SELECT * FROM {reader}('{p}'{o})")

    def run(self, sql): return self.con.execute(to_duckdb(sql)).to_arrow_table()


class DataFusion:
    name = 'datafusion'

    def __init__(self, tables, threads):
        import datafusion
        self.version = datafusion.__version__
        config = datafusion.SessionConfig().with_target_partitions(threads).set('datafusion.sql_parser.enable_ident_normalization', 'false' if 'hits' in tables else 'true')
        config = config.set('datafusion.execution.parquet.pushdown_filters', 'false').set('datafusion.execution.parquet.binary_as_string', 'true')
        self.ctx = datafusion.SessionContext(config)
        for name, t in tables.items():
            {'parquet': self.ctx.register_parquet, 'csv': self.ctx.register_csv, 'json': self.ctx.register_json}[t['format']](
                name, t['path'], **({'table_partition_cols': partition_columns(t['path'])} if t['partitioned'] else {}))

    def run(self, sql):
        import pyarrow as pa
        frame = self.ctx.sql(sql.rstrip().rstrip(';'))
        batches = frame.collect()
        return pa.Table.from_batches(batches) if batches else frame.schema().empty_table()


def partition_columns(path):
    import pyarrow as pa
    keys = []
    while True:
        sub = sorted(d for d in os.listdir(path) if '=' in d)
        if not sub: return keys
        keys.append((sub[0].split('=')[0], pa.int64())); path = os.path.join(path, sub[0])


class ClickHouse:
    name = 'chdb'

    def __init__(self, tables, threads):
        import chdb
        from chdb import session
        self.version = chdb.__version__
        self.s = session.Session()
        self.settings = f' SETTINGS max_threads={threads}, join_use_nulls=1, prefer_column_name_to_alias=0'
        for name, t in tables.items():
            kind = {'parquet': 'Parquet', 'csv': 'CSVWithNames', 'json': 'JSONEachRow'}[t['format']]
            p = t['path'] + ('/**/*.' + t['format'] if t['folder'] else '')
            self.s.query(f"CREATE OR REPLACE VIEW {name} AS SELECT * FROM file('{p}', {kind})")

    def run(self, sql):
        import pyarrow as pa
        sql = re.sub(r"(?i)\blength\(", 'lengthUTF8(', sql).replace("'$1'", r"'\\1'")     # bytes and $1 there
        body = '\n'.join(l for l in sql.splitlines() if not l.startswith('--')).rstrip().rstrip(';')
        out = self.s.query(body + self.settings, 'Arrow')
        return pa.ipc.open_file(pa.py_buffer(bytes(out.bytes()))).read_all()


class Polars:
    name = 'polars'

    def __init__(self, tables, threads):
        import polars as pl
        self.version = pl.__version__
        frames = {}
        for name, t in tables.items():
            p = t['path'] + ('/**/*.' + t['format'] if t['folder'] else '')
            frames[name] = {'parquet': lambda: pl.scan_parquet(p, hive_partitioning=t['partitioned']), 'csv': lambda: pl.scan_csv(p, try_parse_dates=True),
                            'json': lambda: pl.scan_ndjson(p)}[t['format']]()
        self.ctx = pl.SQLContext(frames)

    def run(self, sql): return self.ctx.execute(sql.rstrip().rstrip(';')).collect(engine='streaming').to_arrow()


PEERS = {p.name: p for p in (DuckDB, DataFusion, ClickHouse, Polars)}


def worker(peer):
    """Serves one peer: reads {"tables", "threads"} and then {"sql", "runs", "rows"}, a JSON object a line, answers likewise."""
    out = os.fdopen(os.dup(1), 'w'); os.dup2(2, 1)
    first = json.loads(sys.stdin.readline())
    engine = PEERS[peer](first['tables'], first['threads'])
    print(json.dumps({'version': engine.version}), file=out, flush=True)
    for line in sys.stdin:
        q = json.loads(line); answer = {'ms': []}
        try:
            for _ in range(q['runs']):
                t = time.perf_counter(); table = engine.run(q['sql']); answer['ms'].append((time.perf_counter() - t) * 1000)
            if q['rows']: answer['rows'] = arrow_rows(table)
        except BaseException as e:
            answer['error'] = f'{type(e).__name__}: {e}'.splitlines()[0][:300]
        print(json.dumps(answer, ensure_ascii=False), file=out, flush=True)


class Anonymous(threading.Thread):
    """Samples a process's anonymous resident memory until it ends; `peak` is in bytes."""

    def __init__(self, pid):
        super().__init__(daemon=True); self.pid, self.peak, self.stop = pid, 0, False; self.start()

    def now(self):
        try:
            with open(f'/proc/{self.pid}/status') as f: m = re.search(r'RssAnon:\s+(\d+)', f.read())
            return int(m.group(1)) * 1024 if m else 0
        except OSError: return 0

    def run(self):
        while not self.stop:
            v = self.now(); self.peak = max(self.peak, v)
            if not v and self.peak: break
            time.sleep(0.002)


class Peer:
    """A peer's worker process."""

    def __init__(self, name, tables, threads):
        env = dict(os.environ, POLARS_MAX_THREADS=str(threads), PYTHONUNBUFFERED='1')
        self.name = name
        self.p = subprocess.Popen([sys.executable, os.path.abspath(__file__), '--worker', name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=env)
        self.version = self.ask({'tables': tables, 'threads': threads}).get('version', '?')

    def ask(self, q):
        try: self.p.stdin.write(json.dumps(q) + '\n'); self.p.stdin.flush(); line = self.p.stdout.readline()
        except OSError: line = ''
        return json.loads(line) if line else {'ms': [], 'error': f'{self.name} ended with {self.p.wait()}'}

    def alive(self): return self.p.poll() is None

    def close(self):
        try: self.p.stdin.close(); self.p.wait(20)
        except Exception: self.p.kill()


# ---------------------------------------------------------------- sqlq

class SQLQ:
    def __init__(self, path, tables, threads, timeout, declared):
        self.path, self.threads, self.timeout = os.path.abspath(path), threads, timeout
        self.home = tempfile.mkdtemp(prefix='sqlq-compare-')
        lines = []
        for name, t in tables.items():
            place = t['path'] + ('/' if t['folder'] else '')
            if declared and t['format'] == 'json':
                folder = t['path']
                if not t['folder']:                       # an external table's location is a folder
                    folder = os.path.join(self.home, 'data', name); os.makedirs(folder)
                    os.symlink(t['path'], os.path.join(folder, os.path.basename(t['path'])))
                cols = ', '.join(f'`{c}` {"string" if ty == "varchar" else "int" if ty == "integer" else ty}' for c, ty in t['columns'])
                lines.append(f"CREATE EXTERNAL TABLE {name} ({cols}) ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' LOCATION '{folder}/';")
            elif declared:                                # Hive's quoted CSV has no ISO dates: the types come from casts
                lines.append(f"CREATE OR REPLACE VIEW {name} AS SELECT " + ', '.join(f'CAST({c} AS {ty}) AS {c}' for c, ty in t['columns']) + f" FROM '{place}';")
            else:
                lines.append(f"CREATE OR REPLACE VIEW {name} AS SELECT * FROM '{place}';")
        r = self.call('\n'.join(lines))
        if r['error']: sys.exit('sqlq could not create the tables: ' + r['error'])

    def call(self, sql, runs=1, rows=False, memory=False, threads=None):
        body = sql.rstrip().rstrip(';') + ';\n'
        with tempfile.NamedTemporaryFile('w', suffix='.sql', dir=self.home, delete=False) as f: f.write(body * runs)
        command = [self.path, '--home', self.home, '--threads', str(threads or self.threads), '--no-results', '--time-zone', 'UTC', '--output-format', 'jsonl_compact', '--stats', 'json', '-f', f.name]
        out = tempfile.TemporaryFile('w+'); err = tempfile.TemporaryFile('w+')
        p = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        watch = Anonymous(p.pid) if memory else None
        try: p.wait(self.timeout)
        except subprocess.TimeoutExpired: p.kill(); p.wait()
        if watch: watch.stop = True; watch.join()
        os.unlink(f.name); err.seek(0); text = err.read(); stats = []
        for l in text.splitlines():
            if l.startswith('{'):
                try: stats.append(json.loads(l))
                except ValueError: pass
        message = ' '.join(l for l in text.splitlines() if l and not l.startswith('{'))[:400]
        answer = {'stats': stats, 'ms': [s.get('wall_ms', math.nan) for s in stats], 'anonymous': watch.peak if watch else 0,
                  'error': None if p.returncode == 0 else f'exit {p.returncode}: {message}'}
        if rows and not answer['error']:
            out.seek(0)
            try: answer['rows'] = [json.loads(l, parse_float=D) for l in out if l.strip()]
            except ValueError as e: answer['error'] = f'stdout is not JSON: {e}'
        return answer

    def close(self): shutil.rmtree(self.home, ignore_errors=True)


# ---------------------------------------------------------------- comparison

def plain(v):
    """A value of either side in one shape: None, bool, Decimal, float, str, list."""
    if isinstance(v, dict):
        if set(v) == {'f'}: return float(v['f'])
        if set(v) == {'d'}: return D(v['d'])
        if set(v) == {'x'}: return v['x']
        if set(v) == {'r'}: v = v['r']
        return [[k, plain(x)] for k, x in sorted((k.lower(), x) for k, x in v.items())]
    if isinstance(v, bool) or v is None: return v
    if isinstance(v, int): return D(v)
    if isinstance(v, list): return [plain(x) for x in v]
    if isinstance(v, str):
        m = re.fullmatch(r'(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(\.\d+)?', v)
        if m:
            f = (m.group(3) or '').rstrip('0').rstrip('.')
            return m.group(1) if m.group(2) == '00:00:00' and not f else f'{m.group(1)} {m.group(2)}{f}'
    return v


def same(a, b):
    """How sqlq's value a compares with a peer's b: 2 equal, 1 equal but for a decimal's rounding, 0 different."""
    if a is None or b is None: return 2 if a is b else 0
    if isinstance(a, list) and isinstance(b, list): return min([same(x, y) for x, y in zip(a, b)], default=2) if len(a) == len(b) else 0
    if isinstance(b, float):
        if isinstance(a, str): return 2 if a in ('NaN', 'Infinity', '-Infinity') and (float(a) == b or (math.isnan(b) and a == 'NaN')) else 0
        if not isinstance(a, D) and not isinstance(a, float) or isinstance(a, bool): return 0
        if not math.isfinite(b): return 0
        gap = abs(float(a) - b)
        if gap <= 1e-9 * abs(b) or gap < 1e-12: return 2
        if isinstance(a, D) and a.as_tuple().exponent <= -2 and gap <= float(D(1).scaleb(a.as_tuple().exponent)) * 0.5000001 + 1e-9 * abs(b): return 1
        return 0
    if isinstance(a, float) and isinstance(b, D): return same(b, a)
    return 2 if type(a) is type(b) and a == b else 0


def sort_key(row):
    exact = tuple((0, '') if v is None else (1, format(v.normalize(), 'f').rjust(60)) if isinstance(v, D) and v == v.to_integral_value() else (2, str(v)) if isinstance(v, (str, bool, list)) else (3, '') for v in row)
    near = tuple(float('%.6g' % float(v)) if isinstance(v, (float, D)) and math.isfinite(v) else 0.0 for v in row)
    return exact, near


def diff(mine, theirs, ordered, count_only=False):
    """(verdict, detail): ok, ≈, ties, DIFF."""
    if len(mine) != len(theirs): return 'DIFF', f'{len(mine)} rows, expected {len(theirs)}'
    if count_only: return 'ok', ''
    mine = [[plain(v) for v in r] for r in mine]; theirs = [[plain(v) for v in r] for r in theirs]
    if mine and len(mine[0]) != len(theirs[0]): return 'DIFF', f'{len(mine[0])} columns, expected {len(theirs[0])}'
    row = lambda a, b: min((same(x, y) for x, y in zip(a, b)), default=2)
    scores = [row(a, b) for a, b in zip(mine, theirs)]
    if all(scores): return ('ok' if min(scores, default=2) == 2 else '≈'), ''
    at = scores.index(0)
    detail = f'row {at + 1}: {show(mine[at])}, expected {show(theirs[at])}'
    a, b = sorted(mine, key=sort_key), sorted(theirs, key=sort_key)
    scores = [row(x, y) for x, y in zip(a, b)]
    if not all(scores):                                   # sorting may part values that are nearly equal: match what is left
        left = [y for y, s in zip(b, scores) if not s]
        if len(left) > 2000: return 'DIFF', detail
        for x in (x for x, s in zip(a, scores) if not s):
            hit = next((i for i, y in enumerate(left) if row(x, y)), None)
            if hit is None: return 'DIFF', detail
            left.pop(hit)
    return ('ties' if ordered else 'ok'), ''


def show(row): return '(' + ', '.join(str(v)[:40] for v in row[:12]) + (', …' if len(row) > 12 else '') + ')'


def is_ordered(sql):
    """Whether the whole query has an ORDER BY."""
    sql = re.sub(r"--[^\n]*|'[^']*'", '', sql)
    while True:
        shorter = re.sub(r'\([^()]*\)', '', sql)
        if shorter == sql: return bool(re.search(r'\bORDER\s+BY\b', sql, re.I))
        sql = shorter


# ---------------------------------------------------------------- main

def load_suite(folder, wanted):
    names = sorted(os.path.basename(p)[:-4] for p in glob.glob(os.path.join(folder, '*.sql')) if p.count('.') and not re.search(r'\.\w+\.sql$', p))
    if wanted:
        keep = set()
        for w in wanted.split(','):
            lo, _, hi = w.partition('-')
            number = lambda s: int(re.sub(r'\D', '', s))
            keep |= {n for n in names if (number(lo) <= number(n) <= number(hi) if hi else n == w or n.lstrip('q0') == w.lstrip('q0'))}
        names = [n for n in names if n in keep]
    suite = []
    for n in names:
        with open(os.path.join(folder, n + '.sql'), encoding='utf-8') as f: sql = f.read()
        texts = {'sqlq': sql}
        for peer in PEERS:
            p = os.path.join(folder, f'{n}.{peer}.sql')
            if os.path.exists(p):
                with open(p, encoding='utf-8') as f: texts[peer] = f.read()
        suite.append((n, texts, '-- compare: count' in sql))
    return suite


def geometric(values):
    values = [v for v in values if v and v > 0 and math.isfinite(v)]
    return math.exp(sum(map(math.log, values)) / len(values)) if values else math.nan


def warm(ms): return min(ms[1:]) if len(ms) > 1 else ms[0] if ms else math.nan


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument('--suite'); a.add_argument('--data'); a.add_argument('--format', default='parquet', choices=['parquet', 'csv', 'json'])
    a.add_argument('--sqlq', default='.build/release/sqlq', help='path of the binary; "none" measures the peers alone')
    a.add_argument('--declared', action='store_true'); a.add_argument('--queries'); a.add_argument('--runs', type=int, default=4); a.add_argument('--threads', type=int, default=2)
    a.add_argument('--peers', default='duckdb', help='the first one is the reference for the answers'); a.add_argument('--table', action='append')
    a.add_argument('--save-answers'); a.add_argument('--answers'); a.add_argument('--no-memory', action='store_true'); a.add_argument('--json'); a.add_argument('--timeout', type=float, default=300)
    a.add_argument('--markdown', action='store_true'); a.add_argument('--scaling', action='store_true', help='also time sqlq with one thread; the column is one thread over --threads'); a.add_argument('--worker')
    a = a.parse_args()
    if a.worker: return worker(a.worker)
    if not a.suite: sys.exit('compare.py: --suite is missing')
    tables = find_tables(a.data, a.format, a.table)
    if not tables: sys.exit(f'compare.py: no tables in {a.data}')
    if a.declared: declare(tables, a.data)
    suite = load_suite(a.suite, a.queries)
    peers = [p for p in a.peers.split(',') if p and p != 'none'] if not a.answers else []
    mine = None if a.sqlq == 'none' else SQLQ(a.sqlq, tables, a.threads, a.timeout, a.declared)
    workers, results, bad = {}, [], 0
    for p in peers: workers[p] = Peer(p, tables, a.threads)
    label = f'{os.path.basename(os.path.normpath(a.suite))} · {a.data or "tables"} · {a.format}{" declared" if a.declared else ""} · {a.threads} threads · ' + ', '.join(f'{n} {w.version}' for n, w in workers.items())
    print(label)
    head = ['query', 'answer', 'rows', 'sqlq ms'] + [f'{p} ms' for p in peers] + (['ratio'] if peers else []) + (['1 thread /'] if a.scaling else []) + ([] if a.no_memory else ['sqlq MB'] + [f'{p} MB' for p in peers[:1]]) + ['read MB']
    widths = [7, 7, 7] + [max(9, len(h)) for h in head[3:]]
    line = (lambda cells: print('| ' + ' | '.join(map(str, cells)) + ' |', flush=True)) if a.markdown else (lambda cells: print('  '.join(str(c).rjust(w) if i else str(c).ljust(w) for i, (c, w) in enumerate(zip(cells, widths))), flush=True))
    line(head)
    if a.markdown: line(['---'] * len(head))
    number = lambda v, d=1: '-' if v is None or not math.isfinite(v) else f'{v:.{d}f}'
    for name, texts, count_only in suite:
        r = {'query': name, 'verdict': '-', 'detail': '', 'peers': {}}
        text = lambda p: texts.get(p, texts['sqlq'])
        answer = timing = None
        if mine:
            answer = mine.call(texts['sqlq'], rows=True, memory=True)
            if not answer['error'] and a.runs > 1:
                timing = mine.call(texts['sqlq'], runs=a.runs)
                if timing['error']: answer['error'] = timing['error']
                elif a.scaling: r['scaling'] = warm(mine.call(texts['sqlq'], runs=a.runs, threads=1)['ms']) / warm(timing['ms'])
        reference = None
        for p in peers:
            if not workers[p].alive(): workers[p] = Peer(p, tables, a.threads)
            got = workers[p].ask({'sql': text(p), 'runs': max(a.runs, 1), 'rows': True})
            r['peers'][p] = {'ms': got['ms'], 'warm_ms': warm(got['ms']) if not got.get('error') else math.nan, 'error': got.get('error')}
            if p == peers[0]: reference = got
            elif reference and reference.get('rows') is not None and got.get('rows') is not None:
                r['peers'][p]['verdict'] = diff(got['rows'], reference['rows'], is_ordered(texts['sqlq']), count_only)[0]
        if a.answers:
            with open(os.path.join(a.answers, name + '.json'), encoding='utf-8') as f: reference = json.load(f)
        if a.save_answers and reference and reference.get('rows') is not None:
            os.makedirs(a.save_answers, exist_ok=True)
            with open(os.path.join(a.save_answers, name + '.json'), 'w', encoding='utf-8') as f: json.dump({'rows': reference['rows']}, f, ensure_ascii=False)
        if answer:
            if answer['error']: r['verdict'], r['detail'] = 'ERROR', answer['error']
            elif reference and reference.get('rows') is not None: r['verdict'], r['detail'] = diff(answer['rows'], reference['rows'], is_ordered(texts['sqlq']), count_only)
            r['ms'] = (timing or answer)['ms']; r['warm_ms'] = warm(r['ms']) if not answer['error'] else math.nan
            r['anonymous_bytes'] = answer['anonymous']; s = (answer['stats'] or [{}])[-1]; r['stats'] = s
        if reference and reference.get('error'): r['detail'] = (r['detail'] + ' · ' if r['detail'] else '') + f'{peers[0]}: {reference["error"]}'
        elif reference and not reference.get('rows'): r['detail'] = (r['detail'] + ' · ' if r['detail'] else '') + 'the reference has no rows'
        if peers and not a.no_memory:
            fresh = Peer(peers[0], tables, a.threads); idle = Anonymous(fresh.p.pid); base = idle.now()
            fresh.ask({'sql': text(peers[0]), 'runs': 1, 'rows': False}); idle.stop = True; idle.join(); fresh.close()
            r['peers'][peers[0]]['anonymous_bytes'] = max(idle.peak - base, 0)
        rows = len(answer['rows']) if answer and answer.get('rows') is not None else len(reference['rows']) if reference and reference.get('rows') is not None else 0
        best = min([x['warm_ms'] for x in r['peers'].values() if math.isfinite(x['warm_ms'])], default=math.nan)
        ratio = r['ratio'] = (r.get('warm_ms', math.nan) / r['peers'][peers[0]]['warm_ms']) if peers else math.nan
        r['best_ratio'] = r.get('warm_ms', math.nan) / best
        r['rows'] = rows
        if r['verdict'] in ('DIFF', 'ERROR'): bad += 1
        line([name, r['verdict'], rows, number(r.get('warm_ms', math.nan))] + [number(r['peers'][p]['warm_ms']) + ('!' if r['peers'][p].get('verdict') == 'DIFF' else '') for p in peers] + ([number(ratio, 2)] if peers else []) + ([number(r.get('scaling', math.nan), 2)] if a.scaling else [])
             + ([] if a.no_memory else [number(r.get('anonymous_bytes', math.nan) / 1e6)] + [number(r['peers'][p].get('anonymous_bytes', math.nan) / 1e6) for p in peers[:1]]) + [number(r.get('stats', {}).get('bytes_scanned', math.nan) / 1e6)])
        if r['detail']: print('        ' + r['detail'])
        for p in peers[1:]:
            if r['peers'][p]['error']: print(f'        {p}: {r["peers"][p]["error"]}')
        results.append(r)
    for w in workers.values(): w.close()
    if mine: mine.close()
    total = lambda f: number(sum(v for v in map(f, results) if v is not None and math.isfinite(v)))
    line(['sum', '', '', total(lambda r: r.get('warm_ms'))] + [total(lambda r: r['peers'][p]['warm_ms']) for p in peers])
    if peers:
        print(f'geometric means: sqlq {number(geometric([r.get("warm_ms") for r in results]))} ms, ' + ', '.join(f'{p} {number(geometric([r["peers"][p]["warm_ms"] for r in results]))} ms' for p in peers))
        if mine:
            for p in peers: print(f'sqlq / {p}: geometric mean {number(geometric([r["warm_ms"] / r["peers"][p]["warm_ms"] for r in results if r.get("warm_ms")]), 3)}, worst {number(max((r["warm_ms"] / r["peers"][p]["warm_ms"] for r in results if r.get("warm_ms") and math.isfinite(r["warm_ms"] / r["peers"][p]["warm_ms"])), default=math.nan), 2)}')
            if len(peers) > 1: print(f'sqlq / best peer of each query: geometric mean {number(geometric([r["best_ratio"] for r in results]), 3)}')
    if mine: print(f'{len(results) - bad} of {len(results)} agree')
    if a.json:
        with open(a.json, 'w') as f: json.dump({'label': label, 'results': results}, f, indent=1, default=str)
    return 1 if bad else 0


if __name__ == '__main__': sys.exit(main())
