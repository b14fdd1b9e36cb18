"""Writes Fixtures/parquet: small files by pyarrow, DuckDB and Polars, and hashes of what pyarrow reads from them.

python3 Tests/FileFormatsTests/Parquet/make_fixtures.py (pyarrow 26, duckdb 2, polars 2)
expected.tsv: file, column, row count, FNV-1a of the rows in the text form of ParquetTesting.render.
"""
import datetime, decimal, glob, os, random, struct
import duckdb, polars as pl, pyarrow as pa, pyarrow.compute as pc, pyarrow.parquet as pq

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.normpath(os.path.join(HERE, "../../.."))
OUT = os.path.join(ROOT, "Tests/FileFormatsTests/Fixtures/parquet")
os.makedirs(OUT, exist_ok=True)


# ---- text form of values

def render(arr):
    if isinstance(arr, pa.ChunkedArray):
        return [t for c in arr.chunks for t in render(c)]
    t = arr.type
    if isinstance(t, pa.BaseExtensionType):
        return render(arr.storage)
    if pa.types.is_dictionary(t):
        return render(arr.dictionary_decode())
    if pa.types.is_struct(t):
        fields = [render(arr.field(i)) for i in range(t.num_fields)]
        valid = arr.is_valid().to_pylist()
        return ["(" + ",".join(f[i] for f in fields) + ")" if valid[i] else "~" for i in range(len(arr))]
    if pa.types.is_list(t) or pa.types.is_large_list(t) or pa.types.is_fixed_size_list(t):
        valid = arr.is_valid().to_pylist()
        return ["[" + ",".join(render(arr[i].values)) + "]" if valid[i] else "~" for i in range(len(arr))]
    if pa.types.is_map(t):
        valid = arr.is_valid().to_pylist()
        keys, items, off = render(arr.keys), render(arr.items), arr.offsets.to_pylist()
        base = off[0] if off else 0
        # keys and items start at the array's own values
        keys, items = render(arr.keys), render(arr.items)
        shift = 0
        return ["{" + ",".join(keys[k - shift] + ":" + items[k - shift] for k in range(off[i], off[i + 1])) + "}" if valid[i] else "~"
                for i in range(len(arr))]
    if pa.types.is_null(t):
        return ["~"] * len(arr)
    if pa.types.is_boolean(t):
        return ["~" if v is None else "t" if v else "f" for v in arr.to_pylist()]
    if pa.types.is_float16(t) or pa.types.is_float32(t):
        return ["~" if v is None else "nan" if v != v else struct.pack(">f", float(v)).hex() for v in arr.to_pylist()]
    if pa.types.is_float64(t):
        return ["~" if v is None else "nan" if v != v else struct.pack(">d", v).hex() for v in arr.to_pylist()]
    if pa.types.is_decimal(t):
        with decimal.localcontext() as c:
            c.prec = 100
            return ["~" if v is None else str(int(v.scaleb(t.scale))) for v in arr.to_pylist()]
    if pa.types.is_date32(t):
        return render(arr.cast(pa.int32()))
    if pa.types.is_date64(t):
        return render(arr.cast(pa.date32()))
    if pa.types.is_time(t):
        scale = {"s": 10**12, "ms": 10**9, "us": 10**6, "ns": 10**3}[t.unit]
        ints = arr.cast(pa.int32() if t.unit in ("s", "ms") else pa.int64())
        return ["~" if v is None else str(v * scale) for v in ints.to_pylist()]
    if pa.types.is_timestamp(t):
        scale = {"s": 10**6, "ms": 10**3, "us": 1, "ns": 10**3}[t.unit]
        return ["~" if v is None else str(v * scale) for v in arr.cast(pa.int64()).to_pylist()]
    if pa.types.is_duration(t):
        return render(arr.cast(pa.int64()))
    if pa.types.is_integer(t):
        return ["~" if v is None else str(v) for v in arr.to_pylist()]
    return ["~" if v is None else (v.encode() if isinstance(v, str) else v).hex() + "." for v in arr.to_pylist()]


def fnv(rows):
    h = 0xCBF29CE484222325
    for row in rows:
        for b in row.encode() + b"\n":
            h = ((h ^ b) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return f"{h:016x}"


# ---- compact Thrift, to give footers shapes that no writer here makes

class Thrift:
    def __init__(self, data): self.d, self.p = data, 0
    def byte(self): self.p += 1; return self.d[self.p - 1]
    def varint(self):
        r = s = 0
        while True:
            b = self.byte(); r |= (b & 127) << s; s += 7
            if b < 128: return r
    def value(self, t):
        if t in (1, 2): return t == 1
        if t == 3: return self.byte()
        if t in (4, 5, 6): v = self.varint(); return (v >> 1) ^ -(v & 1)
        if t == 7: self.p += 8; return self.d[self.p - 8:self.p]
        if t == 8: n = self.varint(); self.p += n; return self.d[self.p - n:self.p]
        if t in (9, 10):
            h = self.byte(); n = h >> 4
            if n == 15: n = self.varint()
            return (h & 15, [self.byte() == 1 if h & 15 in (1, 2) else self.value(h & 15) for _ in range(n)])
        if t == 12:
            fields, i = [], 0
            while True:
                h = self.byte()
                if h == 0: return fields
                i = i + (h >> 4) if h >> 4 else self.value(4)
                fields.append([i, h & 15, self.value(h & 15)])
        raise ValueError(t)

def varint(n):
    out = b""
    while n >= 128: out += bytes([n & 127 | 128]); n >>= 7
    return out + bytes([n])

def encode(t, v):
    if t == 3: return bytes([v])
    if t in (4, 5, 6): return varint((v << 1) ^ (v >> 63) & 0xFFFFFFFFFFFFFFFF if v < 0 else v << 1)
    if t == 7: return v
    if t == 8: return varint(len(v)) + v
    if t in (9, 10):
        e, items = v
        head = bytes([len(items) << 4 | e]) if len(items) < 15 else bytes([0xF0 | e]) + varint(len(items))
        return head + b"".join(bytes([1 if i else 2]) if e in (1, 2) else encode(e, i) for i in items)
    if t == 12:
        out, last = b"", 0
        for i, ft, fv in v:
            if ft in (1, 2): ft = 1 if fv else 2
            out += bytes([(i - last) << 4 | ft]) if 0 < i - last < 16 else bytes([ft]) + encode(4, i)
            if ft not in (1, 2): out += encode(ft, fv)
            last = i
        return out + b"\0"

def rewrite(source, target, change):
    """Writes `target` as `source` with its list of schema elements changed."""
    data = open(source, "rb").read()
    n = int.from_bytes(data[-8:-4], "little")
    meta = Thrift(data[-8 - n:-8]).value(12)
    for field in meta:
        if field[0] == 2: field[2] = (12, change(field[2][1]))
    meta = [f for f in meta if f[0] != 5]  # Arrow's schema would contradict
    footer = encode(12, meta)
    open(target, "wb").write(data[:-8 - n] + footer + len(footer).to_bytes(4, "little") + b"PAR1")

def get(e, i): return next((f[2] for f in e if f[0] == i), None)
def put(e, i, t, v):
    e[:] = sorted([f for f in e if f[0] != i] + ([[i, t, v]] if v is not None else []), key=lambda f: f[0])


# ---- files

r = random.Random(7)
def maybe(f, p=0.15): return None if r.random() < p else f()
words = ["", "a", "ab", "twelve chars", "thirteen char", "a much longer string that does not fit in a view", "ünïcode"]

def nested():
    n = 300
    leaf = lambda: maybe(lambda: {"a": maybe(lambda: r.randrange(1000)), "b": maybe(lambda: r.choice(words)),
                                  "c": maybe(lambda: [maybe(lambda: r.randrange(9)) for _ in range(r.randrange(4))])})
    lol = [maybe(lambda: [maybe(lambda: [leaf() for _ in range(r.randrange(3))]) for _ in range(r.randrange(3))]) for _ in range(n)]
    mp = [maybe(lambda: [(r.choice(words) + str(k), maybe(lambda: [leaf() for _ in range(r.randrange(3))])) for k in range(r.randrange(3))]) for _ in range(n)]
    st = [maybe(lambda: {"x": maybe(lambda: {"y": maybe(lambda: r.choice(words)), "z": maybe(lambda: r.random())}), "w": maybe(lambda: r.randrange(5))}) for _ in range(n)]
    item = pa.struct([("a", pa.int32()), ("b", pa.string()), ("c", pa.list_(pa.int16()))])
    return pa.table({
        "id": pa.array(range(n), pa.int64()),
        "lol": pa.array(lol, pa.list_(pa.list_(item))),
        "mp": pa.array(mp, pa.map_(pa.string(), pa.list_(item))),
        "st": pa.array(st, pa.struct([("x", pa.struct([("y", pa.string()), ("z", pa.float64())])), ("w", pa.int64())])),
        "tags": pa.array([maybe(lambda: [maybe(lambda: r.choice(words)) for _ in range(r.randrange(5))]) for _ in range(n)], pa.list_(pa.string())),
    })

files = {}
t = nested()
def write(name, table, **kw):
    pq.write_table(table, os.path.join(OUT, name), **kw)

write("nested_v1.parquet", t, data_page_size=300, compression="snappy", row_group_size=200, write_batch_size=16)
write("nested_v2_index.parquet", t, data_page_size=300, data_page_version="2.0", compression="zstd", write_page_index=True, write_batch_size=16)
write("nested_plain.parquet", t, use_dictionary=False, compression="none")
pl.from_arrow(t.select(["id", "lol", "st", "tags"])).write_parquet(os.path.join(OUT, "nested_polars.parquet"), compression="lz4", data_page_size=500)

# list shapes of older writers: the same levels under another schema
n = 50
lists = pa.table({"v": pa.array([maybe(lambda: [r.randrange(100) for _ in range(r.randrange(4))]) for _ in range(n)],
                                pa.list_(pa.field("element", pa.int32(), nullable=False)))})
base = os.path.join(OUT, "_base.parquet")
pq.write_table(lists, base, compression="none", store_schema=False)
def two_level(e):
    root, v, rep, leaf = e
    put(leaf, 3, 5, 2); put(leaf, 4, 8, b"array"); put(v, 5, 5, 1)
    return [root, v, leaf]
rewrite(base, os.path.join(OUT, "list_two_level.parquet"), two_level)
structs = pa.table({"v": pa.array([maybe(lambda: [{"p": r.randrange(9), "q": maybe(lambda: r.choice(words))} for _ in range(r.randrange(4))]) for _ in range(n)],
    pa.list_(pa.field("element", pa.struct([pa.field("p", pa.int32(), nullable=False), ("q", pa.string())]), nullable=False)))})
pq.write_table(structs, base, compression="none", store_schema=False)
def drop_element(name):
    def change(e):
        root, v, rep, el, p, q = e
        put(rep, 5, 5, 2); put(rep, 4, 8, name)
        return [root, v, rep, p, q]
    return change
rewrite(base, os.path.join(OUT, "list_group_two_fields.parquet"), drop_element(b"bag"))
single = pa.table({"v": pa.array([maybe(lambda: [{"p": r.randrange(9)} for _ in range(r.randrange(4))]) for _ in range(n)],
    pa.list_(pa.field("element", pa.struct([pa.field("p", pa.int32(), nullable=False)]), nullable=False)))})
pq.write_table(single, base, compression="none", store_schema=False)
def single_change(name):
    def change(e):
        root, v, rep, el, p = e
        put(rep, 4, 8, name)
        return [root, v, rep, p]
    return change
rewrite(base, os.path.join(OUT, "list_tuple.parquet"), single_change(b"v_tuple"))
rewrite(base, os.path.join(OUT, "list_array.parquet"), single_change(b"array"))
req = pa.table({"v": pa.array([[r.randrange(100) for _ in range(r.randrange(4))] for _ in range(n)],
                              pa.list_(pa.field("element", pa.int32(), nullable=False)))},
               schema=pa.schema([pa.field("v", pa.list_(pa.field("element", pa.int32(), nullable=False)), nullable=False)]))
pq.write_table(req, base, compression="none", store_schema=False)
def repeated(e):
    root, v, rep, leaf = e
    put(leaf, 3, 5, 2); put(leaf, 4, 8, b"v")
    return [root, leaf]
rewrite(base, os.path.join(OUT, "repeated_field.parquet"), repeated)
maps = pa.table({"v": pa.array([maybe(lambda: [(str(k), maybe(lambda: r.randrange(9))) for k in range(r.randrange(3))]) for _ in range(n)], pa.map_(pa.string(), pa.int32()))})
pq.write_table(maps, base, compression="none", store_schema=False)
def key_value(e):
    root, v, rep, k, x = e
    put(v, 10, 12, None); put(v, 6, 5, 2); put(rep, 4, 8, b"map")
    return [root, v, rep, k, x]
rewrite(base, os.path.join(OUT, "map_key_value.parquet"), key_value)
os.remove(base)

# bloom filters and small pages for pruning; sorted and unsorted columns
n = 4000
order = list(range(n)); r.shuffle(order)
write("pruning.parquet", pa.table({
    "sorted": pa.array(range(n), pa.int64()),
    "shuffled": pa.array(order, pa.int32()),
    "name": pa.array([f"name-{i % 1000:05d}" for i in range(n)]),
    "group": pa.array([None if i % 97 == 0 else f"g{i // 500}" for i in range(n)]),
    "number": pa.array([i * 0.5 for i in range(n)], pa.float64()),
}), row_group_size=1000, data_page_size=512, write_batch_size=50, compression="none", write_page_index=True,
    use_dictionary=["group"])
duckdb.sql(f"copy (select i::int as id, 'user-' || (i * 7919 % 100000) as name, (i * 7919 % 5000)::bigint as code from range(1500) t(i)) "
           f"to '{OUT}/duckdb_bloom.parquet' (format parquet, row_group_size 500, compression zstd)")
write("floats.parquet", pa.table({
    "f": pa.array([1.0, float("nan"), 2.0, -0.0, None], pa.float32()), "d": pa.array([0.0, -0.0, float("nan"), float("inf"), None], pa.float64()),
    "h": pa.array([1.5, None, -0.0, 65504.0, 6e-8], pa.float16())}))
write("numbers.parquet", pa.table({
    "i8": pa.array([-128, 127, None], pa.int8()), "u8": pa.array([0, 255, None], pa.uint8()), "u16": pa.array([0, 65535, None], pa.uint16()),
    "u32": pa.array([0, 2**32 - 1, None], pa.uint32()), "u64": pa.array([0, 2**64 - 1, None], pa.uint64()),
    "i64": pa.array([-2**63, 2**63 - 1, None], pa.int64()),
    "d5": pa.array([decimal.Decimal("-999.99"), decimal.Decimal("123.40"), None], pa.decimal128(5, 2)),
    "d38": pa.array([decimal.Decimal("-" + "9" * 38), decimal.Decimal("9" * 38), None], pa.decimal128(38, 0)),
    "ts": pa.array([-1500, 1500, None], pa.timestamp("us")), "tms": pa.array([-1, 1, None], pa.timestamp("ms", tz="UTC")),
    "tns": pa.array([-1500, 1501, None], pa.timestamp("ns")), "s": pa.array(["héllo wörld, long enough", "x  ", None]),
}))

# one row group that several readers share
n = 270000
parts = pa.table({"step": pa.array([i // 1000 for i in range(n)], pa.int32()),
                  "name": pa.array([None if i % 9000 < 3000 else f"g{i // 5000}" for i in range(n)]),
                  "list": pa.array([[i // 2000] * (i // 30000 % 3) for i in range(n)], pa.list_(pa.int64()))})
write("parts_index.parquet", parts, row_group_size=n, compression="zstd", write_page_index=True)
write("parts_sequential.parquet", parts.select(["step", "name"]), row_group_size=n, compression="zstd")

# Keys in order, a run longer than a row group, a key that comes again far behind, NULLs at the end.
keys = []
while len(keys) < 560:
    k = keys[-1] // 3 + 18 if keys else 0
    keys += [k * 3 - 50] * (1 + k * 7 % 13 + (60 if k == 30 else 0))
keys = keys[:560] + [None] * 40
keys[430] = keys[100]
days = [None if key is None else datetime.date(2024, 1, 1) + datetime.timedelta(days=key) for key in keys]
write("clustered.parquet", pa.table({
    "k": pa.array(keys, pa.int64()), "d": pa.array(days, pa.date32()),
    "v": pa.array([i * 37 % 101 if i % 11 else None for i in range(600)], pa.int32()),
    "s": pa.array([f"s{i % 7}" for i in range(600)])}), row_group_size=20)

with open(os.path.join(OUT, "expected.tsv"), "w") as out:
    paths = sorted(glob.glob(OUT + "/*.parquet")) + sorted(glob.glob(ROOT + "/sample-data/types/*.parquet"))
    for path in paths:
        name = os.path.relpath(path, ROOT)
        f = pq.ParquetFile(path)
        for c in f.schema_arrow.names:
            try:
                col = f.read(columns=[c]).column(c)
            except Exception as e:
                print(name, c, e); continue
            rows = render(col)
            out.write(f"{name}\t{c}\t{len(rows)}\t{fnv(rows)}\n")
