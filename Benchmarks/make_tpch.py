#!/usr/bin/env python3
"""Make TPC-H data: Parquet by tpchgen-cli, and from it CSV, JSON lines and a partitioned lineitem by DuckDB.

usage: make_tpch.py SCALE OUTDIR [--only parquet,csv,json,partitioned] [--threads 1]
needs: pip install tpchgen-cli duckdb

Under OUTDIR, with N the scale: tpchN/<table>.parquet (snappy, as tpchgen-cli writes it), tpchN_csv/<table>.csv (header),
tpchN_json/<table>.json (one object a line; decimals are numbers with their digits, dates are strings), and
lineitem_partitioned/year=…/month=… (year and month of l_shipdate; tpchN_partitioned for scales other than 1).
"""
import argparse, os, shutil, subprocess, time

TABLES = ['region', 'nation', 'supplier', 'customer', 'part', 'partsupp', 'orders', 'lineitem']


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument('scale'); a.add_argument('outdir')
    a.add_argument('--only', default='parquet,csv,json,partitioned'); a.add_argument('--threads', type=int, default=1)
    a = a.parse_args()
    what = set(a.only.split(','))
    base = os.path.join(a.outdir, f'tpch{a.scale}')

    def step(label, f):
        t = time.time(); f(); print(f'{label}: {time.time() - t:.1f} s', flush=True)

    if 'parquet' in what:
        os.makedirs(base, exist_ok=True)
        step('parquet', lambda: subprocess.run(['tpchgen-cli', 'parquet', '-s', a.scale, '-o', base, '-n', str(a.threads), '--overwrite', '-q'], check=True))
    import duckdb
    con = duckdb.connect()
    con.execute(f'SET threads={a.threads}'); con.execute('SET preserve_insertion_order=true')
    for kind, options in (('csv', 'FORMAT csv, HEADER true'), ('json', 'FORMAT json')):
        if kind in what:
            os.makedirs(f'{base}_{kind}', exist_ok=True)
            for t in TABLES:
                step(f'{kind} {t}', lambda: con.execute(f"COPY (SELECT * FROM '{base}/{t}.parquet') TO '{base}_{kind}/{t}.{kind}' ({options})"))
    if 'partitioned' in what:
        out = os.path.join(a.outdir, 'lineitem_partitioned' if a.scale == '1' else f'tpch{a.scale}_partitioned')
        shutil.rmtree(out, ignore_errors=True)
        step('partitioned lineitem', lambda: con.execute(
            f"COPY (SELECT *, year(l_shipdate) AS year, month(l_shipdate) AS month FROM '{base}/lineitem.parquet') TO '{out}' (FORMAT parquet, PARTITION_BY (year, month))"))


if __name__ == '__main__': main()
