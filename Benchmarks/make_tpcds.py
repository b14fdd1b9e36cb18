#!/usr/bin/env python3
"""Make TPC-DS data as Parquet by DuckDB's tpcds extension.

usage: make_tpcds.py SCALE OUTDIR [--threads 2]
needs: pip (it installs duckdb and duckdb-extension-tpcds of one version under OUTDIR/.tpcds-tools)

Writes OUTDIR/tpcdsSCALE/<table>.parquet (zstd) for the 24 tables.
"""
import argparse, glob, os, subprocess, sys

VERSION = '1.5.5'      # the extension's package exists for this DuckDB


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument('scale', type=float); a.add_argument('outdir'); a.add_argument('--threads', type=int, default=2)
    a = a.parse_args()
    tools = os.path.join(os.path.abspath(a.outdir), '.tpcds-tools')
    find = lambda: glob.glob(f'{tools}/duckdb_extension_tpcds/**/tpcds.duckdb_extension', recursive=True)
    if not find():
        subprocess.run([sys.executable, '-m', 'pip', 'install', '--quiet', '--target', tools, f'duckdb=={VERSION}', f'duckdb-extension-tpcds=={VERSION}'], check=True)
    sys.path.insert(0, tools)
    import duckdb
    con = duckdb.connect()
    con.execute(f'SET threads={a.threads}'); con.execute(f"LOAD '{find()[0]}'")
    con.execute(f'CALL dsdgen(sf={a.scale:g})')
    folder = os.path.join(a.outdir, f'tpcds{a.scale:g}')
    os.makedirs(folder, exist_ok=True)
    for (table,) in con.execute('SHOW TABLES').fetchall():
        con.execute(f"COPY {table} TO '{folder}/{table}.parquet' (FORMAT parquet, COMPRESSION zstd)")


if __name__ == '__main__': main()
