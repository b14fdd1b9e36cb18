#!/usr/bin/env python3
"""Asks pyarrow and fastavro whether they read what the ORC and Avro writers wrote as pyarrow reads the Parquet file it was made of.

usage: check_writers.py [--rows N]     from the package's folder, after `swift build --build-tests`"""
import argparse, datetime, decimal, math, os, random, subprocess, sys, tempfile
import fastavro, pyarrow as pa, pyarrow.orc as orc, pyarrow.parquet as pq

arguments = argparse.ArgumentParser()
arguments.add_argument('--rows', type=int, default=30_000)
arguments.add_argument('--test', default='swift test --skip-build --filter AvroWriterTests/writesFilesForOthers')
options = arguments.parse_args()
random.seed(7)
D = decimal.Decimal

def columns(n, distinct, kind):
    values = [random.randrange(distinct) for _ in range(n)]
    null = lambda make: [None if random.random() < 0.1 else make(v) for v in values]
    table = {
        'i64': pa.array(null(lambda v: v * 0x9e3779b97f4a7c15 % (1 << 64) - (1 << 63)), pa.int64()),
        'bool': pa.array(null(lambda v: v % 2 == 0), pa.bool_()),
        'i32': pa.array(null(lambda v: v * 7919 % (1 << 32) - (1 << 31)), pa.int32()),
        'sorted': pa.array(sorted(values), pa.int64()),
        'patched': pa.array([v % 9 if v % 70 else 1 << 40 for v in range(n)], pa.int64()),
        'f32': pa.array(null(lambda v: v / 8), pa.float32()),
        'f64': pa.array(null(lambda v: math.nan if v % 97 == 3 else -0.0 if v % 97 == 5 else v * 1.25), pa.float64()),
        'date': pa.array(null(lambda v: datetime.date(1900, 1, 1) + datetime.timedelta(v % 70000)), pa.date32()),
        'text': pa.array(null(lambda v: 'größe' * (v % 5) + str(v)), pa.string()),
        'bytes': pa.array(null(lambda v: bytes([v % 256] * (v % 20))), pa.binary()),
        'd7': pa.array(null(lambda v: D(v % 9999999 - 5000000) / 100), pa.decimal128(7, 2)),
        'd18': pa.array(null(lambda v: D(v * 123456789 % 10**17) / 10000), pa.decimal128(18, 4)),
        'd38': pa.array(null(lambda v: D(v - distinct // 2) * 10**25), pa.decimal128(38, 0)),
        'ts_ms': pa.array(null(lambda v: v * 86399123 % 10**13 - 10**12), pa.timestamp('ms')),
        'ts_us': pa.array(null(lambda v: v * 86399123457 % 10**16 - 10**15), pa.timestamp('us')),
        'list': pa.array(null(lambda v: [v, None, v + 1][: v % 4]), pa.list_(pa.int32())),
        'deep': pa.array(null(lambda v: [[str(v)] * (v % 3), None, []][: v % 4]), pa.list_(pa.list_(pa.string()))),
        'struct': pa.array(null(lambda v: {'a': v if v % 3 else None, 'b': {'c': str(v), 'd': [v] * (v % 3)}}),
                           pa.struct([('a', pa.int64()), ('b', pa.struct([('c', pa.string()), ('d', pa.list_(pa.int64()))]))])),
        'map': pa.array(null(lambda v: [(f'k{i}', {'x': v * i}) for i in range(v % 3)]), pa.map_(pa.string(), pa.struct([('x', pa.float64())]))),
    }
    if kind == 'orc':
        table |= {'i8': pa.array(null(lambda v: v % 256 - 128), pa.int8()), 'i16': pa.array(null(lambda v: v % 65536 - 32768), pa.int16()),
                  'ts_ns': pa.array(null(lambda v: v * 86399123457 - 10**14), pa.timestamp('ns')),
                  'second': pa.array([-2_000_000 + v * 3001 for v in range(n)], pa.timestamp('us'))}
    else:
        table |= {'t_ms': pa.array(null(lambda v: v * 7919 % 86400000), pa.time32('ms')),
                  't_us': pa.array(null(lambda v: v * 7919123 % 86400000000), pa.time64('us'))}
    return pa.table(table)

folder = tempfile.mkdtemp(prefix='writers-')
jobs = []
for kind, codecs in (('orc', ('ZLIB', 'SNAPPY', 'LZ4', 'ZSTD', 'NONE')), ('avro', ('DEFLATE', 'SNAPPY', 'ZSTD', 'BZIP2', 'NONE'))):
    for distinct, count in ((3, options.rows), (5000, options.rows), (1 << 20, options.rows), (7, 0), (7, 1)):
        path = f'{folder}/{kind}_{distinct}_{count}.parquet'
        pq.write_table(columns(count, distinct, kind), path)
        for codec in codecs:
            jobs.append((path, f'{path[:-8]}_{codec}.{kind}', kind, codec, str(count * 2 // 3 + 1)))
with open(f'{folder}/jobs', 'w') as file:
    file.write('\n'.join('\t'.join(job) for job in jobs))
done = subprocess.run(options.test.split(), env=os.environ | {'WRITE_FILES': f'{folder}/jobs'}, capture_output=True, text=True)
if done.returncode:
    sys.exit(done.stdout[-3000:] + done.stderr[-2000:])

def normal(value, kind=None):
    if isinstance(value, float) and math.isnan(value): return 'NaN'
    if hasattr(value, 'to_pydatetime'): return value.value
    if isinstance(value, datetime.datetime) and value.tzinfo: return value.replace(tzinfo=None)
    if isinstance(value, dict): return {k: normal(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)): return [normal(v) for v in value]
    return value

def arrow(table):
    return {name: [normal(v) for v in column.to_pylist()] for name, column in zip(table.column_names, table.columns)}

def avro(path, names):
    with open(path, 'rb') as file: rows = list(fastavro.reader(file))
    return {name: [normal(row[name]) for row in rows] for name in names}

failed = 0
for path, out, kind, codec, _ in jobs:
    before, problems = pq.ParquetFile(path).read(), []
    try:
        if kind == 'orc':
            file = orc.ORCFile(out)
            read = file.read()
            a = arrow(before)
            # pyarrow gives all timestamps of ORC in nanoseconds.
            for name in ('ts_ms', 'ts_us', 'second'): a[name] = [normal(v) for v in before[name].cast(pa.timestamp('ns')).to_pylist()]
            b = arrow(read)
            if before.num_rows and file.nstripes != 2 and before.num_rows > 1: problems.append(f'{file.nstripes} stripes')
        else:
            a = arrow(before)
            # Maps are dictionaries to fastavro, and pairs to pyarrow.
            a['map'] = [v if v is None else dict(map(tuple, v)) for v in a['map']]
            b = avro(out, before.column_names)
        for name in a:
            if a[name] != b[name]:
                at = next((i for i, (u, v) in enumerate(zip(a[name], b[name])) if u != v), -1)
                problems.append(f'{name} row {at}: {a[name][at]!r} is {b[name][at]!r}' if at >= 0 else f'{name}: {len(b[name])} rows')
    except Exception as error:
        problems.append(f'{type(error).__name__} {str(error)[:200]}')
    failed += bool(problems)
    for problem in problems[:8]: print(os.path.basename(out), problem)
print(f'{len(jobs) - failed} of {len(jobs)} files read the same')
sys.exit(1 if failed else 0)
