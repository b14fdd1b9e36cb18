#!/usr/bin/env python3
"""Make a tree of many partition folders, one tiny file in each, to measure listing and pruning.

usage: make_partition_tree.py OUTDIR [--folders 100000] [--layout buckets|time] [--format parquet|csv]
needs: pip install pyarrow (Parquet)

buckets: a=0…/b=0…999. Three folders match  a = 42 AND b IN (7, 77, 777)
time:    year=…/month=…/day=…/hour=…, hour by hour from 2014-01-01. Three match
         year = 2024 AND month = 5 AND day = 17 AND hour BETWEEN 1 AND 3   (two digits in the names from month on)
Each file has two rows: n = the folder's number and n + 0.5 as v, and the text 'folder <n>'.
"""
import argparse, datetime as dt, io, os, sys, time


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument('out'); a.add_argument('--folders', type=int, default=100000)
    a.add_argument('--layout', default='buckets', choices=['buckets', 'time']); a.add_argument('--format', default='parquet', choices=['parquet', 'csv'])
    a = a.parse_args()
    if a.format == 'parquet':
        import pyarrow as pa, pyarrow.parquet as pq
        schema = pa.schema([('n', pa.int64()), ('v', pa.float64()), ('s', pa.string())])
    started = time.time()
    for n in range(a.folders):
        if a.layout == 'buckets': folder = f'a={n // 1000}/b={n % 1000}'
        else:
            h = dt.datetime(2014, 1, 1) + dt.timedelta(hours=n)
            folder = f'year={h.year}/month={h.month:02d}/day={h.day:02d}/hour={h.hour:02d}'
        folder = os.path.join(a.out, folder)
        os.makedirs(folder, exist_ok=True)
        if a.format == 'csv': data = f'n,v,s\n{n},{n + .5},folder {n}\n{n},{n + .5},folder {n}\n'.encode()
        else:
            b = io.BytesIO()
            pq.write_table(pa.table([[n, n], [n + .5, n + .5], [f'folder {n}'] * 2], schema=schema), b, compression='none', store_schema=False, use_dictionary=False)
            data = b.getvalue()
        with open(os.path.join(folder, 'part-0.' + a.format), 'wb') as f: f.write(data)
        if n % 1000 == 999 and sys.stderr.isatty(): print(f'\r{n + 1:,} of {a.folders:,}', end='', file=sys.stderr)
    print(f'{a.folders:,} folders in {time.time() - started:.0f} s', file=sys.stderr)


if __name__ == '__main__': main()
