"""One engine that answers statements on stdin until it ends: a JSON object a line, see EngineProtocol.swift.

usage: drivers.py duckdb|datafusion|chdb|polars      (started by sqlq-bench, once per engine)

A statement's time runs until all its rows are there as an Arrow table.
"""
import datetime as dt, decimal, json, os, re, sys, time


def encode(v):
    """A value as AnswerValue reads it: a letter for its kind, then its text; None is NULL."""
    if v is None: return None
    if isinstance(v, bool): return 'b1' if v else 'b0'
    if isinstance(v, int): return f'd{v}'
    if isinstance(v, float): return f'f{v!r}'
    if isinstance(v, decimal.Decimal): return 'd' + format(v, 'f')
    if isinstance(v, dt.datetime): return v.strftime('s%Y-%m-%d %H:%M:%S.%f')
    if isinstance(v, (dt.date, dt.time)): return 's' + v.isoformat()
    if isinstance(v, (bytes, bytearray)): return 'x' + bytes(v).hex()
    if isinstance(v, (list, tuple, dict)): return 'j' + json.dumps(v, default=str, ensure_ascii=False)
    return 's' + str(v)


def files(table):
    """The path that covers a table's files."""
    ending = {'parquet': 'parquet', 'csv': 'csv*', 'json': 'json*'}[table['format']]
    return table['path'] + (f'/**/*.{ending}' if table['isFolder'] else '')


class DuckDB:
    def __init__(self, tables, threads):
        import duckdb
        self.con = duckdb.connect(); self.version = duckdb.__version__
        self.con.execute(f'PRAGMA threads={threads}')
        for t in tables:
            options = ', hive_partitioning=true' if t['partitionKeys'] else ''
            if t.get('columns'):
                types = ', '.join(f"'{c['name']}': '{c['type'].upper()}'" for c in t['columns'])
                options += f', columns={{{types}}}' + (', header=true' if t['format'] == 'csv' else ", format='newline_delimited'")
            reader = {'parquet': 'read_parquet', 'csv': 'read_csv', 'json': 'read_json'}[t['format']]
            self.con.execute(f"CREATE OR REPLACE VIEW {t['name']} AS SELECT * FROM {reader}('{files(t)}'{options})")

    def run(self, sql): return self.con.execute(sql).to_arrow_table()


class DataFusion:
    def __init__(self, tables, threads):
        import datafusion
        import pyarrow as pa
        self.version = datafusion.__version__
        # Names keep their case where the data's columns have capitals: the others fold like Athena's.
        keep_case = any(t['format'] == 'parquet' and has_capitals(t) for t in tables)
        config = datafusion.SessionConfig().with_target_partitions(threads)
        config = config.set('datafusion.sql_parser.enable_ident_normalization', 'false' if keep_case else 'true')
        config = config.set('datafusion.execution.parquet.binary_as_string', 'true')
        self.ctx = datafusion.SessionContext(config)
        for t in tables:
            register = {'parquet': self.ctx.register_parquet, 'csv': self.ctx.register_csv, 'json': self.ctx.register_json}[t['format']]
            more = {'table_partition_cols': [(k, pa.int64()) for k in t['partitionKeys']]} if t['partitionKeys'] else {}
            if t.get('columns'): more['schema'] = pa.schema([(c['name'], arrow_type(c['type'])) for c in t['columns']])
            register(t['name'], t['path'], **more)

    def run(self, sql):
        import pyarrow as pa
        frame = self.ctx.sql(sql)
        batches = frame.collect()
        return pa.Table.from_batches(batches) if batches else frame.schema().empty_table()


def has_capitals(table):
    import pyarrow.parquet as pq
    path = table['path']
    while os.path.isdir(path):
        path = os.path.join(path, sorted(n for n in os.listdir(path) if n[0] not in '._')[0])
    return any(n != n.lower() for n in pq.read_schema(path).names)


def arrow_type(name):
    import pyarrow as pa
    m = re.fullmatch(r'decimal\((\d+),\s*(\d+)\)', name)
    if m: return pa.decimal128(int(m.group(1)), int(m.group(2)))
    return {'bigint': pa.int64(), 'integer': pa.int32(), 'date': pa.date32(), 'double': pa.float64()}.get(name, pa.string())


class ClickHouse:
    def __init__(self, tables, threads):
        import chdb
        from chdb import session
        self.version = chdb.__version__
        self.session = session.Session()
        self.settings = f' SETTINGS max_threads={threads}, join_use_nulls=1, prefer_column_name_to_alias=0, use_hive_partitioning=1'
        for t in tables:
            kind = {'parquet': 'Parquet', 'csv': 'CSVWithNames', 'json': 'JSONEachRow'}[t['format']]
            structure = ''
            if t.get('columns'): structure = ", '" + ', '.join(f"{c['name']} Nullable({clickhouse_type(c['type'])})" for c in t['columns']) + "'"
            path = t['path'] + (f"/**/*.{t['format']}" if t['isFolder'] else '')
            self.session.query(f"CREATE OR REPLACE VIEW {t['name']} AS SELECT * FROM file('{path}', {kind}{structure})")

    def run(self, sql):
        import pyarrow as pa
        out = self.session.query(sql + self.settings, 'Arrow')
        return pa.ipc.open_file(pa.py_buffer(bytes(out.bytes()))).read_all()


def clickhouse_type(name):
    m = re.fullmatch(r'decimal\((\d+),\s*(\d+)\)', name)
    if m: return f'Decimal({m.group(1)}, {m.group(2)})'
    return {'bigint': 'Int64', 'integer': 'Int32', 'date': 'Date32', 'double': 'Float64'}.get(name, 'String')


class Polars:
    def __init__(self, tables, threads):
        import polars as pl
        self.version = pl.__version__
        self.tables = tables
        self.ctx = pl.SQLContext({t['name']: self.scan(t) for t in tables})

    def scan(self, t):
        import polars as pl
        path = t['path'] + (f"/**/*.{t['format']}" if t['isFolder'] else '')
        schema = {c['name']: polars_type(c['type'], t['format']) for c in t['columns']} if t.get('columns') else None
        if t['format'] == 'parquet': return pl.scan_parquet(path, hive_partitioning=bool(t['partitionKeys']))
        if t['format'] == 'csv': return pl.scan_csv(path, try_parse_dates=True, schema_overrides=schema)
        return pl.scan_ndjson(path, schema_overrides=schema)

    def run(self, sql):
        # A frame keeps its listing and misses files that come later; the other engines list for each query.
        for t in self.tables:
            if t['partitionKeys']: self.ctx.register(t['name'], self.scan(t))
        return self.ctx.execute(sql).collect(engine='streaming').to_arrow()


def polars_type(name, format):
    import polars as pl
    m = re.fullmatch(r'decimal\((\d+),\s*(\d+)\)', name)
    if m: return pl.Float64 if format == 'json' else pl.Decimal(int(m.group(1)), int(m.group(2)))     # JSON's numbers only become doubles
    return {'bigint': pl.Int64, 'integer': pl.Int32, 'date': pl.Date, 'double': pl.Float64}.get(name, pl.String)


DRIVERS = {'duckdb': DuckDB, 'datafusion': DataFusion, 'chdb': ClickHouse, 'polars': Polars}


def regexp_references(sql): return sql.replace("'$1'", r"'\1'")


def clickhouse(sql):
    sql = re.sub(r'(?i)\blength\(', 'lengthUTF8(', sql).replace("'$1'", r"'\\1'")
    return re.sub(r'(?i)\boffset (\d+)\s+limit (\d+)', r'LIMIT \2 OFFSET \1', sql)


# What an engine spells differently in every query; larger differences are texts of their own (q01.polars.sql).
SPELLINGS = {
    'duckdb': regexp_references,
    'chdb': clickhouse,
}


def main():
    out = os.fdopen(os.dup(1), 'w'); os.dup2(2, 1)        # what an engine prints must not reach the protocol

    def reply(answer): print(json.dumps(answer, ensure_ascii=False), file=out, flush=True)
    name = sys.argv[1]
    first = json.loads(sys.stdin.readline())
    try: engine = DRIVERS[name](first['tables'], first['threads'])
    except ImportError as e: return reply({'error': f'{name} is not installed ({e})', 'isMissing': True})
    except Exception as e: return reply({'error': f'{type(e).__name__}: {e}'[:300]})
    reply({'version': engine.version})
    for line in sys.stdin:
        request = json.loads(line); answer = {}
        sql = '\n'.join(l for l in request['sql'].splitlines() if not l.startswith('--')).strip().rstrip(';')
        sql = SPELLINGS.get(name, lambda s: s)(sql)
        try:
            start = time.perf_counter(); table = engine.run(sql); answer['milliseconds'] = (time.perf_counter() - start) * 1000
            answer['rowCount'] = table.num_rows
            if request['wantsRows']:
                columns = [c.to_pylist() for c in table.columns]
                answer['rows'] = [[encode(c[i]) for c in columns] for i in range(table.num_rows)]
        except BaseException as e:
            answer = {'error': f'{type(e).__name__}: {e}'.splitlines()[0][:300]}
        table = None
        reply(answer)


if __name__ == '__main__': main()
