#!/usr/bin/env python3
"""Write Tests/SQLLogicTests/Cases/tpch/: the TPC-H queries over sample-data/tpch with DuckDB's rows as expectations.

usage: make_tpch_cases.py [OUTDIR]
needs: pip install duckdb

Values are printed as Athena prints them. Trino averages and divides decimals as decimals where DuckDB gives doubles; SCALES
names those columns with the scale Trino's rules give, and the doubles are rounded to it.
"""
import decimal, glob, os, sys

import duckdb

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
SCALES = {'q01': {6: 2, 7: 2, 8: 2}, 'q08': {1: 4}, 'q14': {0: 6}, 'q17': {0: 2}}


def render(v, scale):
    if v is None: return 'NULL'
    if isinstance(v, float):
        if scale is None: raise ValueError('a double without a known scale')
        return format(decimal.Decimal(repr(v)).quantize(decimal.Decimal(1).scaleb(-scale), decimal.ROUND_HALF_UP), 'f')
    if isinstance(v, decimal.Decimal): return format(v, 'f')
    return str(v) if str(v) else '(empty)'


def main():
    out = sys.argv[1] if len(sys.argv) > 1 else os.path.join(ROOT, 'Tests', 'SQLLogicTests', 'Cases', 'tpch')
    os.makedirs(out, exist_ok=True)
    con = duckdb.connect()
    views = []
    for p in sorted(glob.glob(os.path.join(ROOT, 'sample-data', 'tpch', '*.parquet'))):
        name = os.path.basename(p)[:-8]
        con.execute(f"CREATE VIEW {name} AS SELECT * FROM '{p}'")
        views.append(f"statement ok\nCREATE OR REPLACE VIEW {name} AS SELECT * FROM 'sample-data/tpch/{name}.parquet'\n")
    with open(os.path.join(out, 'views.slt'), 'w') as f:
        f.write('# The TPC-H tables at scale 0.01 as views; every query of this folder includes this file.\n\n' + '\n'.join(views))
    for p in sorted(glob.glob(os.path.join(HERE, 'Suites', 'tpch', 'q??.sql'))):
        name = os.path.basename(p)[:-4]
        first, body = open(p).read().strip().split('\n', 1)
        r = con.execute(body)
        kinds = ['I' if t in ('BIGINT', 'INTEGER', 'HUGEINT') else 'R' if t.startswith('DECIMAL') or t == 'DOUBLE' else 'D' if t == 'DATE' else 'T' for t in (str(d[1]) for d in r.description)]
        rows = r.fetchall()
        lines = ['\t'.join(render(v, SCALES.get(name, {}).get(i)) for i, v in enumerate(row)) for row in rows]
        with open(os.path.join(out, name + '.slt'), 'w') as f:
            f.write(f'# {first[3:]}, at scale 0.01. Expected rows: DuckDB {duckdb.__version__} over the same files.\n\ninclude tpch/views.slt\n\n'
                    f'query {"".join(kinds)}\n{body.rstrip().rstrip(";")}\n----\n' + ''.join(l + '\n' for l in lines))
        print(name, len(rows), 'rows')


if __name__ == '__main__': main()
