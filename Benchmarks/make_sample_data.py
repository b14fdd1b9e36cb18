#!/usr/bin/env python3
"""Write sample-data/: small files made by tools other than sqlq, the same bytes' meaning on every run.

usage: make_sample_data.py [OUTDIR]        (default: sample-data beside this script's folder)
needs: pip install tpchgen-cli duckdb pyarrow numpy fastavro cramjam backports.zstd

sample-data/README.md describes the result. Every table is a function of fixed seeds.
"""
import bz2, csv, datetime as dt, decimal, gzip, io, json, os, random, shutil, struct, subprocess, sys, uuid, zlib

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

HERE = os.path.dirname(os.path.abspath(__file__))
OUT = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else os.path.join(os.path.dirname(HERE), 'sample-data')
D = decimal.Decimal


def path(*parts):
    p = os.path.join(OUT, *parts)
    os.makedirs(os.path.dirname(p), exist_ok=True)
    return p


def gz(data):
    b = io.BytesIO()
    with gzip.GzipFile(filename='', mode='wb', fileobj=b, mtime=0) as f: f.write(data)
    return b.getvalue()


# ---------------------------------------------------------------- sales

CUSTOMERS = ['Ana Souza', 'Björn Ångström', 'Chloé Lefèvre', '山田 太郎', 'Олена Шевченко', "Siobhán O'Neill", 'Müller & Söhne GmbH',
             'Acme, Inc.', 'Ng Thị Hoa', 'محمد علي', 'José "Pepe" García', 'Łukasz Żak', 'Smith, John', 'Zoë Brown', 'Δημήτρης', '김민수 🙂']
PRODUCTS = [('SKU-0007', 'Espresso cup, 80 ml', 'kitchen', '4.90'), ('SKU-0012', 'Desk lamp "Arc"', 'lighting', '59.00'),
            ('SKU-0019', 'Notebook A5', 'paper', '3.25'), ('SKU-0023', 'Fountain pen', 'paper', '24.50'),
            ('SKU-0031', 'Chef’s knife 20 cm', 'kitchen', '89.99'), ('SKU-0042', 'LED bulb E27', 'lighting', '6.40'),
            ('SKU-0055', 'Tea pot', 'kitchen', '32.00'), ('SKU-0068', 'Backpack 25 L', 'travel', '74.95'),
            ('SKU-0071', 'Umbrella', 'travel', '18.00'), ('SKU-0088', 'Wall clock', None, '41.10'),
            ('SKU-0093', 'Cable USB-C, 2 m', 'electronics', '9.99'), ('SKU-0101', 'Headphones', 'electronics', '129.00')]
NOTES = [None] * 12 + ['', 'gift wrap, please', 'call before delivery', 'Leave at the "blue" door', 'fragile; handle with care',
                       'first line\nsecond line', 'tab\there', "it's urgent", 'größer bitte', 'a,b,"c"', 'NULL', 'line one\r\nline two', ' padded ']
SALES_SCHEMA = pa.schema([('order_id', pa.int64()), ('ordered_at', pa.timestamp('us')), ('customer', pa.string()), ('sku', pa.string()),
                          ('product', pa.string()), ('category', pa.string()), ('quantity', pa.int32()), ('unit_price', pa.decimal128(10, 2)),
                          ('discount', pa.float64()), ('returned', pa.bool_()), ('shipped_on', pa.date32()), ('note', pa.string())])


def sales_month(year, month, first_id, rows):
    r = random.Random(year * 100 + month)
    start = dt.datetime(year, month, 1)
    days = ((start + dt.timedelta(days=32)).replace(day=1) - start).days
    at = sorted(start + dt.timedelta(seconds=r.randrange(days * 86400), milliseconds=r.randrange(1000)) for _ in range(rows))
    for i, when in enumerate(at):
        sku, product, category, price = PRODUCTS[min(int(r.paretovariate(1.1)) - 1, 11)] if r.random() < .5 else r.choice(PRODUCTS)
        shipped = None if r.random() < .06 else (when + dt.timedelta(days=r.randrange(0, 9))).date()
        yield (first_id + i, when, r.choice(CUSTOMERS), sku, product, category, r.choice([1, 1, 1, 2, 2, 3, 5, 10]),
               (D(price) * (100 + r.randrange(-5, 6)) / 100).quantize(D('0.01')), r.choice([0.0, 0.0, 0.0, 0.05, 0.1, 0.15, 0.333]),
               None if r.random() < .02 else r.random() < .04, shipped, r.choice(NOTES))


def text(v):
    if v is None: return ''
    if isinstance(v, bool): return 'true' if v else 'false'
    if isinstance(v, dt.datetime): return v.strftime('%Y-%m-%d %H:%M:%S.') + '%03d' % (v.microsecond // 1000)
    return str(v)


def table(rows, schema=SALES_SCHEMA):
    rows = list(rows)
    return pa.table([pa.array([r[i] for r in rows], f.type) for i, f in enumerate(schema)], schema=schema)


def sales():
    next_id, months = 10001, []
    for year, last in ((2023, 12), (2024, 8)):
        for month in range(1, last + 1):
            rows = list(sales_month(year, month, next_id, 260 + 17 * month % 90))
            next_id += len(rows)
            months.append((year, month, rows))
    con = duckdb.connect(); con.execute('SET threads=1')
    for n, (year, month, rows) in enumerate(months):
        folder = f'year={year}/month={month:02d}'
        with open(path('sales', folder, f'sales-{year}{month:02d}.csv'), 'w', newline='', encoding='utf-8') as f:
            w = csv.writer(f, lineterminator='\n')   # quotes only where needed; an empty field is an empty string or a missing value
            w.writerow(SALES_SCHEMA.names)
            w.writerows([text(v) for v in r] for r in rows)
        t = table(rows)
        if year == 2024 and month in (6, 7, 8):       # three months by DuckDB, each with a codec of its own
            con.register('t', t)
            codec = {6: 'gzip', 7: 'brotli', 8: 'lz4_raw'}[month]
            con.execute(f"COPY (SELECT * FROM t ORDER BY order_id) TO '{path('sales_parquet', folder, 'duckdb-0.parquet')}' "
                        f"(FORMAT parquet, CODEC '{codec}', ROW_GROUP_SIZE 2048{', PARQUET_VERSION V2' if month == 8 else ''})")
        else:                                         # the rest by pyarrow: zstd, several row groups, page index on every second file
            pq.write_table(t, path('sales_parquet', folder, 'part-0.parquet'), compression='zstd', row_group_size=100,
                           write_page_index=n % 2 == 0, data_page_version='2.0' if n % 3 == 0 else '1.0')
    orphan = [(i, None, 'unknown', None, None, None, None, None, None, None, None, 'order without a date') for i in range(1, 8)]
    pq.write_table(table(orphan), path('sales_parquet', 'year=2024', 'month=__HIVE_DEFAULT_PARTITION__', 'part-0.parquet'), compression='zstd')
    # Names starting with _ or . are no data.
    open(path('sales_parquet', '_SUCCESS'), 'w').close()
    with open(path('sales_parquet', '_metadata_draft', 'year=2024', 'month=01', 'part-9.parquet'), 'wb') as f: f.write(b'not a table')
    with open(path('sales', 'year=2024', 'month=01', '.sales-202401.csv.crc'), 'wb') as f: f.write(b'crc\0\0')

    # Partition values that need percent-encoding in a path, in both formats; the value itself is in no file.
    regions = ['São Paulo', 'Côte d’Azur', 'A/B:test=1', '50% off', 'North', None]
    t = pa.concat_tables([table(m[2][:12]) for m in months[:6]])
    names = []
    con.execute("CREATE TABLE regional AS SELECT * FROM (VALUES (0)) LIMIT 0")
    for i, region in enumerate(regions):
        from urllib.parse import quote
        folder = 'region=' + ('__HIVE_DEFAULT_PARTITION__' if region is None else quote(region, safe=''))
        part = t.slice(i * 12, 12).select(['order_id', 'customer', 'quantity', 'unit_price'])
        pq.write_table(part, path('sales_by_region', folder, 'part-0.parquet'), compression='snappy')
        with open(path('sales_by_region_csv', folder, 'part-0.csv'), 'w', newline='', encoding='utf-8') as f:
            w = csv.writer(f, lineterminator='\n')
            w.writerow(part.schema.names)
            w.writerows([text(v) for v in r.values()] for r in part.to_pylist())


# ---------------------------------------------------------------- events

def event(r, day, n, odd):
    when = dt.datetime.combine(day, dt.time()) + dt.timedelta(milliseconds=r.randrange(86400000))
    kind = r.choice(['page_view'] * 5 + ['click'] * 3 + ['purchase', 'error'])
    e = {'eventId': str(uuid.UUID(int=r.getrandbits(128), version=4)), 'type': kind, 'ts': when.strftime('%Y-%m-%dT%H:%M:%S.') + '%03dZ' % (when.microsecond // 1000), 'epochMs': int((when - dt.datetime(1970, 1, 1)).total_seconds() * 1000)}
    user = {'id': r.choice([None, r.randrange(1, 400), 9007199254740993 + r.randrange(5)]) if r.random() < .1 else r.randrange(1, 400), 'name': r.choice(CUSTOMERS), 'plan': r.choice(['free', 'free', 'pro', 'team'])}
    if r.random() < .7: user['address'] = {'city': r.choice(['Oslo', 'São Paulo', '東京', 'Kraków', 'Québec']), 'geo': {'lat': round(r.uniform(-60, 70), 4), 'lon': round(r.uniform(-180, 180), 4)} if r.random() < .8 else None}
    e['user'] = user
    e['tags'] = r.sample(['web', 'mobile', 'beta', 'eu', 'us', 'été', 'a"b'], r.randrange(0, 4)) if r.random() < .9 else None
    if kind == 'purchase':
        e['items'] = [{'sku': p[0], 'qty': r.randrange(1, 5), 'price': float(p[3])} for p in r.sample(PRODUCTS, r.randrange(1, 4))]
        e['total'] = round(sum(i['qty'] * i['price'] for i in e['items']), 2)
    if kind == 'error': e['error'] = {'code': r.choice([404, 500, 503]), 'message': r.choice(['not found', 'line 1\nline 2', 'quota “exceeded”', 'back\\slash\ttab', '']), 'stack': [{'file': 'app.js', 'line': r.randrange(1, 900)} for _ in range(r.randrange(0, 3))]}
    if r.random() < .5: e['props'] = {k: r.choice(['1', 'on', 'x y', '']) for k in r.sample(['theme', 'lang', 'exp', 'ref'], r.randrange(0, 4))}
    e['durationMs'] = r.choice([r.randrange(3000), round(r.expovariate(1 / 300), 3), None])
    if odd and r.random() < .5:                      # the same keys in another case, in another order, and with padding
        e = {(k.upper() if i % 2 else k.capitalize()): v for i, (k, v) in enumerate(reversed(list(e.items())))}
    return e


def events():
    for d in range(7):
        day = dt.date(2024, 6, 1) + dt.timedelta(days=d)
        r = random.Random(9000 + d)
        for part in range(2):
            rows = [event(r, day, n, odd=(d == 3)) for n in range(130 + 10 * d)]
            lines = [json.dumps(e, ensure_ascii=(d % 2 == 1), separators=(', ', ': ') if d == 2 else (',', ':')) for e in rows]
            data = ('\r\n' if d == 5 else '\n').join(lines)
            if d != 4: data += '\n'                  # one day's files end without a line feed
            if d == 6: data = data.replace('\n', '\n\n', 5)   # blank lines are skipped
            data = data.encode()
            name = f'events-{part}.json'
            if part == 1:
                if d == 1:                           # two gzip members in one file
                    cut = data.index(b'\n', len(data) // 2) + 1
                    data = gz(data[:cut]) + gz(data[cut:])
                else: data = gz(data)
                name += '.gz'
            with open(path('events', f'dt={day}', name), 'wb') as f: f.write(data)
    r = random.Random(77)
    catalog = [{'sku': s, 'name': n, 'category': c, 'price': float(p), 'stock': {'oslo': r.randrange(99), 'lyon': r.randrange(99)}, 'colors': r.sample(['red', 'blue', 'black'], 2)} for s, n, c, p in PRODUCTS]
    with open(path('catalog', 'catalog.json'), 'w', encoding='utf-8') as f: json.dump(catalog, f, ensure_ascii=False, indent=2)


# ---------------------------------------------------------------- one small table in every compression

def compressed():
    r = random.Random(5)
    cities = [('Oslo', 'NO', 717710, 59.9139), ('São Paulo', 'BR', 11451245, -23.5505), ('東京', 'JP', 13988129, 35.6895), ('Kraków', 'PL', 803282, 50.0647), ('Québec', 'CA', 549459, 46.8139)]
    rows = [(i, *cities[i % 5][:3], cities[i % 5][3], f'station {i:04d}, line {r.randrange(9)}') for i in range(1200)]
    b = io.StringIO()
    w = csv.writer(b, lineterminator='\n'); w.writerow(['id', 'city', 'country', 'population', 'latitude', 'label']); w.writerows(rows)
    plain = b.getvalue().encode()
    names = ['id', 'city', 'country', 'population', 'latitude', 'label']
    lines = ''.join(json.dumps(dict(zip(names, x)), ensure_ascii=False) + '\n' for x in rows).encode()

    def block(codec, data, step=20000):              # Hadoop's block format: sizes big-endian before each compressed block
        out = b''
        for i in range(0, len(data), step):
            c = pa.Codec(codec).compress(data[i:i + step], asbytes=True)
            out += struct.pack('>II', len(data[i:i + step]), len(c)) + c
        return out
    for ext, f in {'': lambda d: d, '.gz': gz, '.bz2': bz2.compress, '.zst': lambda d: pa.Codec('zstd').compress(d, asbytes=True),
                   '.lz4': lambda d: pa.Codec('lz4').compress(d, asbytes=True), '.snappy': lambda d: block('snappy', d), '.deflate': zlib.compress}.items():
        with open(path('compressed', 'cities.csv' + ext), 'wb') as o: o.write(f(plain))
        if ext in ('.zst', '.snappy', '.bz2'):
            with open(path('compressed', 'cities.json' + ext), 'wb') as o: o.write(f(lines))
    with open(path('compressed', 'cities_hadoop.csv.lz4'), 'wb') as o: o.write(block('lz4_raw', plain))


# ---------------------------------------------------------------- dialects of delimited text

def delimited():
    rows = [('id', 'zip', 'name', 'amount', 'seen'), ('1', '00501', 'Ann', '1.50', '2024-01-02'), ('2', '10115', 'Bob; Jr', '-3', '2024-02-29'),
            ('3', '', 'Zoë', '', ''), ('4', '01000', 'x\ty', '1e3', '1999-12-31')]
    for name, delimiter in (('semicolon.csv', ';'), ('tab.tsv', '\t'), ('pipe.csv', '|')):
        with open(path('delimited', name), 'w', newline='', encoding='utf-8') as f: csv.writer(f, delimiter=delimiter, lineterminator='\n').writerows(rows)
    with open(path('delimited', 'no_header.csv'), 'w', newline='') as f: csv.writer(f, lineterminator='\n').writerows([[i, i * i, f'row {i}'] for i in range(20)])
    with open(path('delimited', 'crlf_bom.csv'), 'wb') as f: f.write(b'\xef\xbb\xbf' + 'id,name\r\n1,"a ""quoted"" name"\r\n2,"two\r\nlines"\r\n3,\r\n4,""'.encode())
    with open(path('delimited', 'header_only.csv'), 'w') as f: f.write('a,b,c\n')
    open(path('delimited', 'empty.csv'), 'w').close()


# ---------------------------------------------------------------- schema evolution

def evolving():
    pq.write_table(pa.table({'id': pa.array([1, 2, 3], pa.int32()), 'name': ['a', 'b', 'c']}), path('evolving', '2022.parquet'))
    pq.write_table(pa.table({'name': ['d', 'e'], 'id': pa.array([4, 5], pa.int64()), 'score': [1.5, None]}), path('evolving', '2023.parquet'))
    pq.write_table(pa.table({'id': pa.array([6, 7], pa.int64()), 'extra': pa.array([{'k': 1}, None], pa.struct([('k', pa.int32())])), 'score': [2.5, 3.5], 'NAME': ['f', None]}), path('evolving', '2024.parquet'))


# ---------------------------------------------------------------- types and encodings

def typed_table(rows=500):
    i = range(rows)
    some = lambda f, hole=11: [None if k % hole == hole - 1 else f(k) for k in i]
    base = dt.datetime(2024, 2, 28, 23, 59, 58, 123456)
    wide = lambda digits, scale: pa.array(some(lambda k: D((-1) ** k * (10 ** (digits - 1) + k * 7919 % 10 ** max(digits - 1, 1)) % 10 ** digits).scaleb(-scale) if digits > 2 else D(k % 10 ** digits).scaleb(-scale)), pa.decimal128(digits, scale))
    cols = {
        'row_id': pa.array(i, pa.int64()),
        'boolean_': pa.array(some(lambda k: k % 3 == 0), pa.bool_()),
        'int8_': pa.array(some(lambda k: k % 256 - 128), pa.int8()), 'int16_': pa.array(some(lambda k: k * 131 % 65536 - 32768), pa.int16()),
        'int32_': pa.array(some(lambda k: k * 8589941 % 2 ** 32 - 2 ** 31), pa.int32()), 'int64_': pa.array(some(lambda k: (k * 36893488147419103 % 2 ** 64) - 2 ** 63), pa.int64()),
        'uint8_': pa.array(some(lambda k: k % 256), pa.uint8()), 'uint16_': pa.array(some(lambda k: k * 131 % 65536), pa.uint16()),
        'uint32_': pa.array(some(lambda k: k * 8589941 % 2 ** 32), pa.uint32()), 'uint64_': pa.array(some(lambda k: k * 368934881474191 % 2 ** 63), pa.uint64()),
        'float16_': pa.array([None if k % 11 == 10 else np.float16(k / 8) for k in i], pa.float16()),
        'float32_': pa.array(some(lambda k: [float('nan'), float('inf'), float('-inf'), -0.0][k] if k < 4 else k * 0.37), pa.float32()),
        'float64_': pa.array(some(lambda k: [float('nan'), float('inf'), float('-inf'), -0.0, 5e-324, 1.7976931348623157e308][k] if k < 6 else (k - 250) * 1.1e-3), pa.float64()),
        'decimal_5_2': wide(5, 2), 'decimal_9_0': wide(9, 0), 'decimal_18_6': wide(18, 6), 'decimal_25_10': wide(25, 10), 'decimal_38_0': wide(38, 0), 'decimal_38_38': wide(38, 38),
        'string_': pa.array(some(lambda k: ['', 'a', 'naïve ünïcödé', '🙂' * (k % 5), f'string number {k:06d}', 'x' * (k % 300)][k % 6]), pa.string()),
        'large_string_': pa.array(some(lambda k: f'common prefix/{k // 7}/{k}'), pa.large_string()),
        'dictionary_': pa.array(some(lambda k: ['red', 'green', 'blue'][k % 3]), pa.string()).dictionary_encode(),
        'binary_': pa.array(some(lambda k: bytes([k % 256, 0, 255])), pa.binary()), 'fixed_binary_': pa.array(some(lambda k: struct.pack('>Q', k * 2654435761)), pa.binary(8)),
        'date_': pa.array(some(lambda k: dt.date(1899, 12, 30) + dt.timedelta(days=k * 97)), pa.date32()), 'date64_': pa.array(some(lambda k: dt.date(2000, 1, 1) + dt.timedelta(days=k)), pa.date64()),
        'time_ms': pa.array(some(lambda k: dt.time(k % 24, k % 60, k * 7 % 60, k % 1000 * 1000)), pa.time32('ms')), 'time_us': pa.array(some(lambda k: dt.time(k % 24, k % 60, k * 7 % 60, k * 1999 % 1000000)), pa.time64('us')),
        'time_ns': pa.array(some(lambda k: (k * 86399999999 * 1000 // 500) + k), pa.time64('ns')),
        'timestamp_ms': pa.array(some(lambda k: base + dt.timedelta(hours=k)), pa.timestamp('ms')), 'timestamp_us': pa.array(some(lambda k: base + dt.timedelta(microseconds=k * 86400000001)), pa.timestamp('us')),
        'timestamp_ns': pa.array(some(lambda k: 1709164798123456789 + k * 86400000000001), pa.timestamp('ns')),
        'timestamp_before_1970': pa.array(some(lambda k: dt.datetime(1969, 12, 31, 23, 59, 59, 999999) - dt.timedelta(days=k * 31)), pa.timestamp('us')),
        'timestamp_utc': pa.array(some(lambda k: base + dt.timedelta(minutes=k)), pa.timestamp('us', 'UTC')), 'timestamp_zone': pa.array(some(lambda k: base + dt.timedelta(minutes=k)), pa.timestamp('ms', 'America/New_York')),
        'duration_': pa.array(some(lambda k: k * 1000), pa.duration('ms')),
        'null_': pa.nulls(rows),
        'list_': pa.array(some(lambda k: [None if j == 2 else k + j for j in range(k % 5)]), pa.list_(pa.int32())),
        'large_list_': pa.array(some(lambda k: [f's{j}' for j in range(k % 3)]), pa.large_list(pa.string())), 'fixed_list_': pa.array(some(lambda k: [k, k + .5, None]), pa.list_(pa.float64(), 3)),
        'list_of_list': pa.array(some(lambda k: [None if j == 1 else list(range(j)) for j in range(k % 4)]), pa.list_(pa.list_(pa.int64()))),
        'struct_': pa.array(some(lambda k: {'a': k, 'b': None if k % 4 == 0 else f'b{k}', 'c': None if k % 5 == 0 else {'d': k % 2 == 0, 'e': [k, k]}}), pa.struct([('a', pa.int32()), ('b', pa.string()), ('c', pa.struct([('d', pa.bool_()), ('e', pa.list_(pa.int16()))]))])),
        'list_of_struct': pa.array(some(lambda k: [{'k': f'k{j}', 'v': None if j == 1 else j * .5} for j in range(k % 3)]), pa.list_(pa.struct([('k', pa.string()), ('v', pa.float64())]))),
        'map_': pa.array(some(lambda k: [(f'key{j}', None if j == 2 else k * j) for j in range(k % 4)]), pa.map_(pa.string(), pa.int64())),
        'map_of_list': pa.array(some(lambda k: [(j, [k, None]) for j in range(k % 3)]), pa.map_(pa.int32(), pa.list_(pa.int32()))),
        'struct_of_map': pa.array(some(lambda k: {'m': [('x', {'y': k})], 'l': [[('p', 'q')]]}), pa.struct([('m', pa.map_(pa.string(), pa.struct([('y', pa.int64())]))), ('l', pa.list_(pa.map_(pa.string(), pa.string())))])),
        'uuid_': pa.ExtensionArray.from_storage(pa.uuid(), pa.array(some(lambda k: uuid.UUID(int=k * 2 ** 96 + 7).bytes), pa.binary(16))),
        'json_': pa.ExtensionArray.from_storage(pa.json_(), pa.array(some(lambda k: json.dumps({'k': k, 'l': [k]})), pa.string())),
    }
    return pa.table(cols)


def types():
    t = typed_table()
    flat = t.select([c for c in t.column_names if not pa.types.is_nested(t.schema.field(c).type)])
    w = lambda name, tab, **k: pq.write_table(tab, path('types', name + '.parquet'), **k)
    # The first file is the reference: the others that carry the same columns hold the same values.
    w('all_types', t, compression='zstd', row_group_size=180, write_page_index=True)
    w('all_types_v2_pages', t, compression='snappy', data_page_version='2.0', data_page_size=1024, write_batch_size=64, row_group_size=400)
    w('all_types_plain', t, compression='none', use_dictionary=False, data_page_size=2048, write_batch_size=64, write_page_checksum=True)
    w('all_types_no_arrow_schema', t.drop_columns(['timestamp_ns']), store_schema=False, write_statistics=False, version='2.4', compression='snappy', use_compliant_nested_type=False)
    w('decimals_as_integers', t.select(['row_id', 'decimal_5_2', 'decimal_9_0', 'decimal_18_6', 'decimal_25_10']), store_decimal_as_integer=True)
    w('timestamps_int96', t.select(['row_id', 'timestamp_ms', 'timestamp_us', 'timestamp_ns', 'timestamp_before_1970', 'timestamp_utc']), use_deprecated_int96_timestamps=True)
    w('version_1_0', t.select(['row_id', 'int32_', 'uint32_', 'string_', 'timestamp_us', 'date_']), version='1.0')
    for codec in ('none', 'snappy', 'gzip', 'zstd', 'brotli', 'lz4'):
        for v in ('1.0', '2.0'):
            w(f'codec_{codec}_v{v[0]}', t.select(['row_id', 'int64_', 'string_', 'float64_', 'list_']), compression=codec, data_page_version=v)
    enc = {'DELTA_BINARY_PACKED': ['row_id', 'int32_', 'int64_', 'date_', 'timestamp_us', 'uint32_', 'int8_'], 'DELTA_LENGTH_BYTE_ARRAY': ['row_id', 'string_', 'binary_', 'large_string_'],
           'DELTA_BYTE_ARRAY': ['row_id', 'string_', 'binary_', 'large_string_', 'fixed_binary_', 'decimal_25_10'], 'BYTE_STREAM_SPLIT': ['row_id', 'int32_', 'int64_', 'float16_', 'float32_', 'float64_', 'decimal_5_2', 'fixed_binary_', 'timestamp_us'],
           'PLAIN': ['row_id', 'boolean_', 'int32_', 'float64_', 'string_', 'fixed_binary_'], 'RLE': ['row_id', 'boolean_']}
    for name, cols in enc.items():
        for v in ('1', '2'):
            tab = t.select(cols)
            w(f'encoding_{name.lower()}_v{v}', tab, use_dictionary=False, column_encoding={c: ('PLAIN' if c == 'row_id' and name in ('DELTA_LENGTH_BYTE_ARRAY', 'DELTA_BYTE_ARRAY', 'RLE') else name) for c in cols},
              data_page_version=v + '.0', data_page_size=1500, write_batch_size=100)
    deltas = pa.table({'n': pa.array([(-1) ** k * (2 ** (k % 63)) for k in range(2000)], pa.int64()), 'm': pa.array([2 ** 31 - 1 if k % 2 else -2 ** 31 for k in range(2000)], pa.int32()), 'same': pa.array([7] * 2000, pa.int64())})
    w('delta_extremes', deltas, use_dictionary=False, column_encoding={c: 'DELTA_BINARY_PACKED' for c in deltas.column_names})
    # A dictionary that grows past its limit inside a chunk: dictionary pages first, plain pages after.
    w('dictionary_fallback', pa.table({'row_id': pa.array(range(6000)), 's': [f'value {k % 37 if k < 2000 else k}' for k in range(6000)]}), dictionary_pagesize_limit=4096, data_page_size=4096, write_batch_size=256, compression='snappy')
    w('bloom_and_page_index', pa.table({'id': pa.array([k * 7919 % 100003 for k in range(20000)], pa.int64()), 'sorted': pa.array(range(20000), pa.int32()), 'name': [f'user-{k * 31 % 5003}' for k in range(20000)]}),
      bloom_filter_options={'id': {'ndv': 5000, 'fpp': .01}, 'name': {'ndv': 5003, 'fpp': .01}}, write_page_index=True, row_group_size=5000, data_page_size=4096, write_batch_size=512, compression='zstd')
    w('no_rows', t.schema.empty_table())
    w('no_row_groups', pa.table({'a': pa.array([], pa.int64())}))
    w('many_row_groups', pa.table({'id': pa.array(range(1000), pa.int64()), 'v': pa.array([k // 10 for k in range(1000)], pa.int32())}), row_group_size=10)
    w('required_columns', pa.table([pa.array(range(100), pa.int32()), pa.array([f'r{k}' for k in range(100)])], schema=pa.schema([pa.field('a', pa.int32(), nullable=False), pa.field('b', pa.string(), nullable=False)])))
    w('odd_column_names', pa.table({'Mixed Case': [1, 2], 'ünï': ['x', 'y'], 'with.dot': [1.5, 2.5], 'select': [True, False], 'quote"d': [None, 'q']}))
    con = duckdb.connect(); con.execute('SET threads=1')
    con.register('flat', pq.read_table(path('types', 'all_types.parquet'), columns=['row_id', 'int32_', 'int64_', 'decimal_18_6', 'decimal_38_0', 'string_', 'date_', 'timestamp_us', 'list_', 'struct_', 'map_', 'boolean_', 'float64_', 'uint16_']))
    for v in ('V1', 'V2'):
        con.execute(f"COPY (SELECT * FROM flat ORDER BY row_id) TO '{path('types', f'duckdb_{v.lower()}.parquet')}' (FORMAT parquet, CODEC 'zstd', PARQUET_VERSION {v})")
    con.execute(f"COPY (SELECT i AS id, INTERVAL (i) DAY + INTERVAL (i % 13) MONTH AS span, ('0x' || i)::VARCHAR::BLOB AS bytes, (i || '')::ENUM('0','1','2','3','4','5','6','7','8','9') AS digit, TIME '01:02:03' + INTERVAL (i) SECOND AS t, "
                f"(i * 3)::HUGEINT AS huge, TIMESTAMPTZ '2024-01-01 00:00:00+00' + INTERVAL (i) HOUR AS tz FROM range(10) r(i)) TO '{path('types', 'duckdb_special.parquet')}' (FORMAT parquet)")


# ---------------------------------------------------------------- ORC and Avro

def orc():
    """The columns of all_types.parquet that pyarrow's ORC writer takes, in every codec."""
    import pyarrow.orc as po
    t = typed_table()
    takes = ['row_id', 'boolean_', 'int8_', 'int16_', 'int32_', 'int64_', 'float32_', 'float64_', 'decimal_5_2', 'decimal_9_0', 'decimal_18_6', 'decimal_25_10', 'decimal_38_0',
             'string_', 'binary_', 'date_', 'timestamp_us', 'timestamp_before_1970', 'timestamp_utc', 'list_', 'list_of_list', 'struct_', 'list_of_struct', 'map_', 'map_of_list']
    t = t.select(takes)
    for codec in ('uncompressed', 'zlib', 'snappy', 'lz4', 'zstd'):
        po.write_table(t, path('orc', f'types_{codec}.orc'), compression=codec, dictionary_key_size_threshold=0.0 if codec == 'lz4' else 0.9)
    # Several stripes and row groups, a sorted key, a Bloom filter.
    n = 30000
    po.write_table(pa.table({'id': pa.array(range(n), pa.int64()), 'name': [f'user-{k * 31 % 5003}' for k in range(n)], 'city': [['Oslo', 'Bergen', None][k % 3] for k in range(n)]}),
                   path('orc', 'stripes.orc'), compression='zstd', stripe_size=40000, row_index_stride=5000, batch_size=1000, bloom_filter_columns=[1], dictionary_key_size_threshold=0.5)


def avro():
    """One table in every codec that fastavro has here."""
    import fastavro
    schema = {'type': 'record', 'name': 'trip', 'namespace': 'sample', 'fields': [
        {'name': 'id', 'type': 'long'}, {'name': 'city', 'type': ['null', 'string']}, {'name': 'fare', 'type': ['null', {'type': 'bytes', 'logicalType': 'decimal', 'precision': 10, 'scale': 2}]},
        {'name': 'day', 'type': {'type': 'int', 'logicalType': 'date'}}, {'name': 'began', 'type': {'type': 'long', 'logicalType': 'timestamp-micros'}}, {'name': 'distance', 'type': ['null', 'double']},
        {'name': 'kind', 'type': {'type': 'enum', 'name': 'kind', 'symbols': ['DAY', 'NIGHT']}}, {'name': 'tags', 'type': {'type': 'array', 'items': ['null', 'string']}},
        {'name': 'props', 'type': {'type': 'map', 'values': 'int'}}, {'name': 'driver', 'type': ['null', {'type': 'record', 'name': 'driver', 'fields': [{'name': 'name', 'type': 'string'}, {'name': 'rating', 'type': 'float'}]}]},
        {'name': 'code', 'type': {'type': 'fixed', 'name': 'code', 'size': 2}}, {'name': 'either', 'type': ['null', 'string', 'int']}, {'name': 'number', 'type': ['int', 'long']}]}
    rows = [{'id': k, 'city': None if k % 7 == 6 else ['Oslo', 'Bergen', 'Tromsø'][k % 3], 'fare': None if k % 11 == 10 else D(k * 137 - 5000).scaleb(-2), 'day': dt.date(2024, 1, 1) + dt.timedelta(days=k % 60),
             'began': dt.datetime(2024, 1, 1, 6, tzinfo=dt.timezone.utc) + dt.timedelta(seconds=k * 61, microseconds=k), 'distance': None if k % 5 == 4 else k * .25, 'kind': 'NIGHT' if k % 4 == 0 else 'DAY',
             'tags': [None if j == 1 else f't{j}' for j in range(k % 3)], 'props': {f'p{j}': k + j for j in range(k % 2)}, 'driver': None if k % 6 == 5 else {'name': f'driver {k % 9}', 'rating': k % 5 + .5},
             'code': bytes([k % 256, 7]), 'either': [None, f'text {k}', k][k % 3], 'number': k if k % 2 else k * 10 ** 10} for k in range(1000)]
    for codec in ('null', 'deflate', 'snappy', 'zstandard', 'bzip2'):
        with open(path('avro', f'trips_{codec}.avro'), 'wb') as out:
            fastavro.writer(out, fastavro.parse_schema(json.loads(json.dumps(schema))), rows, codec=codec, sync_interval=4000, sync_marker=bytes(range(16)))


# ---------------------------------------------------------------- broken files

def ion():
    # pip install amazon.ion
    import amazon.ion.simpleion as simpleion, base64
    rows = ['// Readings of sixty sensors, as Amazon Ion text.']
    for i in range(60):
        name = f'"größe {i}"' if i % 7 else 'null.string'
        rows.append('{\n  id: %d, name: %s, price: %d.%02d, ratio: %se0, flag: %s,\n  at: 2024-03-%02dT%02d:30:15.250-05:00, day: 2024-01-%02d,\n  tags: [%s], point: { x: %d, y: -%d }, data: {{%s}}\n}' % (
            i, name, i * 125 // 100, i * 125 % 100, i / 8, 'true' if i % 2 == 0 else 'false', 1 + i % 20, i % 24, 1 + i % 28, ','.join(['a', 'b'][:i % 3]), i, i, base64.b64encode(bytes([i, 255 - i])).decode()))
    text = '\n'.join(rows) + '\n'
    open(path('ion', 'readings.ion'), 'w').write(text)
    open(path('ion', 'readings_binary.ion'), 'wb').write(simpleion.dumps(simpleion.loads(text, single_value=False), binary=True, sequence_as_stream=True))


def broken():
    good = io.BytesIO()
    pq.write_table(pa.table({'id': pa.array(range(5000), pa.int64()), 's': [f'text {k}' for k in range(5000)]}), good, compression='snappy', use_dictionary=False)
    g = good.getvalue()
    put = lambda name, data: open(path('broken', name), 'wb').write(data)
    put('truncated_footer.parquet', g[:-300]); put('truncated_data.parquet', g[:2000] + g[-700:]); put('empty.parquet', b''); put('only_magic.parquet', b'PAR1'); put('not_parquet.parquet', b'id,name\n1,a\n')
    b = bytearray(g); b[200:260] = b'\xff' * 60; put('corrupted_page.parquet', bytes(b))
    b = bytearray(g); b[4:20] = b'\xff' * 16; put('corrupted_page_header.parquet', bytes(b))
    b = bytearray(g); at = len(g) - 8 - struct.unpack('<I', g[-8:-4])[0]; b[at + 8:at + 60] = b'\x9c' * 52; put('corrupted_footer.parquet', bytes(b))
    put('footer_length_too_long.parquet', g[:-8] + struct.pack('<I', 2 ** 31 - 1) + b'PAR1'); put('footer_length_negative.parquet', g[:-8] + struct.pack('<I', 2 ** 32 - 5) + b'PAR1')
    put('encrypted_magic.parquet', b'PARE' + g[4:-4] + b'PARE')
    put('too_many_fields.csv', b'id,name,amount\n1,a,10\n2,b,20\n3,c,30,extra\n4,d,40\n'); put('too_few_fields.csv', b'id,name,amount\n1,a,10\n2,b\n3,c,30\n')
    put('unclosed_quote.csv', b'id,name\n1,"ok"\n2,"never closed\n3,x\n'); put('bad_number.csv', b'id,amount\n' + b''.join(b'%d,%d\n' % (k, k) for k in range(1, 3000)) + b'3000,twelve\n'); put('bad_utf8.csv', b'id,name\n1,ok\n2,\xff\xfe\n3,\xc3\x28\n'); put('nul_bytes.csv', b'id,name\n1,a\0b\n')
    put('malformed.json', b'{"id":1,"v":"a"}\n{"id":2,"v":"b"}\n{"id":3,"v":\n{"id":4,"v":"d"}\n'); put('trailing_garbage.json', b'{"id":1} x\n{"id":2}\n'); put('deep.json', b'{"a":' + b'[' * 5000 + b']' * 5000 + b'}\n'); put('bad_escape.json', b'{"id":1,"v":"\\u12"}\n'); put('lone_surrogate.json', b'{"id":1,"v":"\\ud800"}\n'); put('array_not_closed.json', b'[{"id":1},{"id":2}')
    z = gz(b'id,name\n' + b''.join(b'%d,n%d\n' % (k, k) for k in range(500)))
    put('truncated.csv.gz', z[:-200]); put('wrong_checksum.csv.gz', z[:-8] + b'\0\0\0\0' + z[-4:]); put('not_gzip.csv.gz', b'id,name\n1,a\n'); put('truncated.csv.zst', pa.Codec('zstd').compress(b'id,name\n1,a\n' * 99, asbytes=True)[:-9])


def wild():
    put = lambda name, data: open(path('wild', name), 'wb').write(data)
    put('preamble.csv', b'Sales by region, 2020\nmade by the statistics office\n\nid,region,amount\n1,north,10\n2,south,20\n3,east,30\n')
    put('comments.csv', b'# exported from the lab\n# two comments, one with a comma\nid,value\n1,0.5\n2,\\N\n# and one between\n3,0.75\n')
    put('no_quotes.tsv', b'id\ttitle\n1\t"Quoted" Movie\n2\tplain\n3\t"Open quote\n4\tx "hi"\n5\tlast "\n')
    put('single_quotes.csv', b"id;text\n1;'a;b'\n2;'c''d'\n"); put('backslash.csv', b'id,text\n1,"say \\"hi\\", twice"\n2,"plain, too"\n')
    put('years.csv', b'name,2018,2019,2020\nann,1,2,3\nbob,4,5,6\n'); put('pandas.csv', b',name,city\n0,ann,oslo\n1,bob,rome\n')
    put('zoned.csv', b'id,at\n1,2024-01-05T10:00:00Z\n2,2024-01-05T10:00:00.250+02:00\n')
    put('latin1.csv', 'id,name\n1,Müller\n2,René\n'.encode('latin-1')); put('utf16.csv', '\ufeffid,name\n1,Müller\n2,Ω\n'.encode('utf-16-le'))
    put('german.csv', b'day;amount\n01.02.2024;1,5\n29.02.2024;2,25\n')
    put('several.json', b'{"a":1}{"a":2} {"a":3}\n{"a":4}'); put('cr.json', b'{"a":1}\r{"a":2}\r'); put('scalars.json', b'[1,2.5,null,4]')
    put('twice.json', b'{"a":1,"A":2,"a":3}\n{"A":5,"a":4}\n')


def tpch():
    folder = os.path.dirname(path('tpch', 'x'))
    subprocess.run(['tpchgen-cli', 'parquet', '-s', '0.01', '-o', folder, '-q'], check=True)


if __name__ == '__main__':
    for name in ('sales', 'sales_parquet', 'sales_by_region', 'sales_by_region_csv', 'events', 'catalog', 'compressed', 'delimited', 'evolving', 'types', 'orc', 'avro', 'ion', 'broken', 'wild', 'tpch'):
        shutil.rmtree(os.path.join(OUT, name), ignore_errors=True)
    for step in (sales, events, compressed, delimited, evolving, types, orc, avro, ion, broken, wild, tpch):
        step(); print(step.__name__, 'done')
