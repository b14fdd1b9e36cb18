#!/usr/bin/env python3
"""Asks pyarrow and DuckDB whether they read what the Parquet writer wrote as they read what it was made of.

usage: check_writer.py [--rows N] [FILE.parquet …]     from the package's folder, after `swift build --build-tests`
Without files, tables of every type, encoding and nesting are made. Each is written with every codec and choice of encodings."""
import argparse, datetime, decimal, math, os, random, subprocess, sys, tempfile
import duckdb, pyarrow as pa, pyarrow.parquet as pq

arguments = argparse.ArgumentParser()
arguments.add_argument('--rows', type=int, default=30_000)
arguments.add_argument('--test', default='swift test --skip-build --filter ParquetWriterTests/writesFilesForOthers')
arguments.add_argument('files', nargs='*')
options = arguments.parse_args()
random.seed(7)

def column(kind, n, distinct):
    values = [random.randrange(distinct) for _ in range(n)]
    null = lambda make: [None if random.random() < 0.1 else make(v) for v in values]
    D = decimal.Decimal
    return {
        'bool': lambda: pa.array(null(lambda v: v % 2 == 0), pa.bool_()),
        'i8': lambda: pa.array(null(lambda v: v % 256 - 128), pa.int8()),
        'i16': lambda: pa.array(null(lambda v: v % 65536 - 32768), pa.int16()),
        'i32': lambda: pa.array(null(lambda v: v * 7919 % (1 << 32) - (1 << 31)), pa.int32()),
        'i64': lambda: pa.array(null(lambda v: v * 0x9e3779b97f4a7c15 % (1 << 64) - (1 << 63)), pa.int64()),
        'sorted': lambda: pa.array(sorted(values), pa.int64()),
        'f32': lambda: pa.array(null(lambda v: v / 8), pa.float32()),
        'f64': lambda: pa.array(null(lambda v: math.nan if v % 97 == 3 else -0.0 if v % 97 == 5 else v * 1.25), pa.float64()),
        'date': lambda: pa.array(null(lambda v: datetime.date(1900, 1, 1) + datetime.timedelta(v % 70000)), pa.date32()),
        'text': lambda: pa.array(null(lambda v: 'größe' * (v % 5) + str(v)), pa.string()),
        'bytes': lambda: pa.array(null(lambda v: bytes([v % 256] * (v % 20))), pa.binary()),
        'd7': lambda: pa.array(null(lambda v: D(v % 9999999 - 5000000) / 100), pa.decimal128(7, 2)),
        'd18': lambda: pa.array(null(lambda v: D(v * 123456789 % 10**17) / 10000), pa.decimal128(18, 4)),
        'd38': lambda: pa.array(null(lambda v: D(v - distinct // 2) * 10**25), pa.decimal128(38, 0)),
        'ts_ms': lambda: pa.array(null(lambda v: v * 86399123 - 10**12), pa.timestamp('ms')),
        'ts_us': lambda: pa.array(null(lambda v: v * 86399123457 - 10**15), pa.timestamp('us')),
        'ts_ns': lambda: pa.array(null(lambda v: v * 86399123457), pa.timestamp('ns')),
        't_ms': lambda: pa.array(null(lambda v: v * 7919 % 86400000), pa.time32('ms')),
        't_us': lambda: pa.array(null(lambda v: v * 7919123 % 86400000000), pa.time64('us')),
        'list': lambda: pa.array(null(lambda v: [v, None, v + 1][: v % 4]), pa.list_(pa.int32())),
        'deep': lambda: pa.array(null(lambda v: [[str(v)] * (v % 3), None, []][: v % 4]), pa.list_(pa.list_(pa.string()))),
        'struct': lambda: pa.array(null(lambda v: {'a': v if v % 3 else None, 'b': {'c': str(v), 'd': [v] * (v % 3)}}),
                                   pa.struct([('a', pa.int64()), ('b', pa.struct([('c', pa.string()), ('d', pa.list_(pa.int8() if distinct < 100 else pa.int64()))]))])),
        'map': lambda: pa.array(null(lambda v: [(f'k{i}', {'x': v * i}) for i in range(v % 3)]), pa.map_(pa.string(), pa.struct([('x', pa.float64())]))),
    }[kind]()

kinds = ['bool', 'i8', 'i16', 'i32', 'i64', 'sorted', 'f32', 'f64', 'date', 'text', 'bytes', 'd7', 'd18', 'd38', 'ts_ms', 'ts_us',
         'ts_ns', 't_ms', 't_us', 'list', 'deep', 'struct', 'map']
folder = tempfile.mkdtemp(prefix='parquet-writer-')
inputs = options.files
if not inputs:
    for distinct in (3, 50, 1 << 20):
        path = f'{folder}/in_{distinct}.parquet'
        pq.write_table(pa.table({k: column(k, options.rows, distinct) for k in kinds}), path, row_group_size=options.rows // 2 + 1)
        inputs.append(path)
jobs = []
for number, path in enumerate(inputs):
    for codec in ('SNAPPY', 'GZIP', 'ZSTD', 'LZ4', 'BROTLI', 'NONE'):
        for encodings in ('plain', 'common', 'all') if codec == 'SNAPPY' else ('common',):
            jobs.append((path, f'{folder}/out_{number}_{codec}_{encodings}.parquet', codec, '', encodings, str(options.rows // 3)))
with open(f'{folder}/jobs', 'w') as list_file:
    list_file.write('\n'.join('\t'.join(job) for job in jobs))
done = subprocess.run(options.test.split(), env=os.environ | {'WRITE_PARQUET': f'{folder}/jobs'}, capture_output=True, text=True)
if done.returncode:
    sys.exit(done.stdout[-3000:] + done.stderr[-2000:])

def normal(value):
    if isinstance(value, float) and math.isnan(value): return 'NaN'
    if isinstance(value, dict): return {k: normal(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)): return [normal(v) for v in value]
    return value

def rows(table): return [[normal(v) for v in c.to_pylist()] for c in table.columns]
failed = 0
for path, out, *rest in jobs:
    before, problems = pq.ParquetFile(path).read(), []
    for name, read in (('pyarrow', lambda p: rows(pq.ParquetFile(p).read())),
                       ('duckdb', lambda p: [[normal(v) for v in c] for c in zip(*duckdb.sql(f"SELECT * FROM '{p}'").fetchall())])):
        try:
            a, b = read(path), read(out)
            for column_name, x, y in zip(before.column_names, a, b):
                if list(x) != list(y):
                    at = next(i for i, (u, v) in enumerate(zip(x, y)) if u != v) if len(x) == len(y) else -1
                    problems.append(f'{name} {column_name} row {at}: {x[at]!r} is {y[at]!r}')
        except Exception as error:
            problems.append(f'{name}: {type(error).__name__} {str(error)[:200]}')
    try:  # filters use statistics, page indexes and dictionaries
        for query in ("sorted > 20", "text = '2'", "i32 IN (-2147475729, -2147483648)", "f64 > 2", "d18 < 100", "date < DATE '1900-01-05'"):
            if options.files: break
            x, y = (duckdb.sql(f"SELECT count(*) FROM '{p}' WHERE {query}").fetchone() for p in (path, out))
            if x != y: problems.append(f'duckdb WHERE {query}: {x} is {y}')
    except Exception as error:
        problems.append(f'duckdb WHERE: {error}')
    failed += bool(problems)
    for problem in problems[:8]: print(os.path.basename(path), *rest, problem)
print(f'{len(jobs) - failed} of {len(jobs)} files read the same')
sys.exit(1 if failed else 0)
