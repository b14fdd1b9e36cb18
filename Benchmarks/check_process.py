#!/usr/bin/env python3
"""Measure sqlq as a process: start-up, Ctrl-C, and what it says of broken input.

usage: check_process.py [--sqlq .build/release/sqlq] [--sample-data sample-data] [--long-data DIR] [--runs 30]

start-up: whole processes (fork to exit) of SELECT 1 and of count(*) over a small CSV and a small Parquet file: least and median.
Ctrl-C:   SIGINT 300 ms into a long query over DIR/lineitem.parquet (say, TPC-H scale 1); the time until exit, code 130.
broken:   each file of sample-data/broken read in whole; any exit by a signal, any code but 0, 1 or 3, or a silent failure is marked.
"""
import argparse, os, signal, statistics, subprocess, sys, tempfile, time


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument('--sqlq', default='.build/release/sqlq'); a.add_argument('--sample-data', default='sample-data'); a.add_argument('--long-data'); a.add_argument('--runs', type=int, default=30)
    a = a.parse_args()
    home = tempfile.mkdtemp(prefix='sqlq-process-')
    base = [os.path.abspath(a.sqlq), '--home', home, '--no-results', '--output-format', 'csv']
    bad = 0

    def run(sql, *more): return subprocess.run(base + list(more) + [sql], stdin=subprocess.DEVNULL, capture_output=True, text=True, errors='replace', timeout=60)
    for sql in ('SELECT 1', f"SELECT count(*) FROM '{a.sample_data}/delimited/no_header.csv'", f"SELECT count(*) FROM '{a.sample_data}/tpch/nation.parquet'"):
        times = []
        for _ in range(a.runs):
            t = time.perf_counter(); r = run(sql); times.append((time.perf_counter() - t) * 1000)
        print(f'{sql}: least {min(times):.1f} ms, median {statistics.median(times):.1f} ms' + (f' · exit {r.returncode} {r.stderr[:200]}' if r.returncode else f' → {r.stdout.strip()}'))
        bad += r.returncode != 0
    if a.long_data:
        sql = f"SELECT count(*) FROM '{a.long_data}/lineitem.parquet' a JOIN '{a.long_data}/lineitem.parquet' b ON a.l_suppkey = b.l_suppkey AND a.l_comment < b.l_comment"
        for wait in (0.3, 1.0, 2.0):
            p = subprocess.Popen(base + [sql], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            time.sleep(wait); t = time.perf_counter(); p.send_signal(signal.SIGINT)
            try: p.wait(20)
            except subprocess.TimeoutExpired: p.kill(); p.wait()
            ms = (time.perf_counter() - t) * 1000
            print(f'Ctrl-C after {wait} s: exit {p.returncode} in {ms:.1f} ms'); bad += p.returncode != 130 or ms > 50
    folder = os.path.join(a.sample_data, 'broken')
    for name in sorted(os.listdir(folder)):
        r = run(f"SELECT * FROM '{folder}/{name}'")
        first = (r.stderr.strip().splitlines() or [''])[0][:150]
        wrong = r.returncode not in (0, 1, 3) or (r.returncode and name.split('.')[0] not in r.stderr)
        bad += bool(wrong)
        print(f'{"!" if wrong else " "} {name}: exit {r.returncode} · {first if r.returncode else str(len(r.stdout.splitlines())) + " lines"}')
    print('all as expected' if not bad else f'{bad} findings')
    return 1 if bad else 0


if __name__ == '__main__': sys.exit(main())
