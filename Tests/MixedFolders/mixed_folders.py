#!/usr/bin/env python3
"""Build folders of mixed files, read each as one relation, and compare with what a person reads and what DuckDB reads.

usage: mixed_folders.py --sqlq .build/release/sqlq [--only NAME] [--keep DIR] [--no-duckdb] [--verbose]
       mixed_folders.py --write DIR   only writes the folders: those of Tests/FileFormatsTests/Fixtures/folders
needs: pip install pyarrow duckdb

Each folder is written with the query over it and the right answer: rows (in any order), or the words that an error must
hold. The answer is what the files say to a person who reads them. DuckDB reads the same files with union_by_name and
hive_partitioning, by a pattern, where it needs one; a mark says where it agrees. The exit status is 0 when sqlq is right
everywhere.
"""
import argparse, json, os, shutil, subprocess, sys, tempfile
import pyarrow as pa, pyarrow.parquet as pq

CASES = []


def case(name, query, want, duck=None):
    """Registers a folder: `build(w)` writes it, `want` is a list of rows or 'error: words'; `duck` a FROM item for DuckDB."""
    def add(build):
        CASES.append((name, query, want, duck, build)); return build
    return add


class Writer:
    def __init__(self, root): self.root = root

    def text(self, path, text):
        path = os.path.join(self.root, path); os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'wb') as f: f.write(text if isinstance(text, bytes) else text.encode())

    def parquet(self, path, schema=None, **columns):
        path = os.path.join(self.root, path); os.makedirs(os.path.dirname(path), exist_ok=True)
        pq.write_table(pa.table(columns, schema=schema and pa.schema(schema)), path)


# ---- evolving columns

@case('parquet-late-column', "SELECT p, i, k FROM 'd/'", [[1, 1, None], [2, 2, 20], [3, 3, 30]], "read_parquet('d/*/*.parquet', union_by_name=true)")
def _(w):
    w.parquet('d/p=1/a.parquet', i=[1]); w.parquet('d/p=2/a.parquet', i=[2], k=[20]); w.parquet('d/p=3/a.parquet', k=[30], i=[3])

@case('parquet-star-rare-column', "SELECT * FROM 'd/' WHERE i BETWEEN 22 AND 24", [[22, None, 22], [23, 'x', 23], [24, None, 24]], "(SELECT i, k, p FROM read_parquet('d/*/*.parquet', union_by_name=true))")
def _(w):
    for p in range(40): w.parquet(f'd/p={p}/a.parquet', **({'i': [p], 'k': ['x']} if p == 23 else {'i': [p]}))

@case('csv-late-column', "SELECT p, a, b FROM 'd/'", [[1, 1, None], [2, 3, 4]], "read_csv('d/*/*.csv', union_by_name=true)")
def _(w):
    w.text('d/p=1/a.csv', 'a\n1\n'); w.text('d/p=2/a.csv', 'a,b\n3,4\n')

@case('csv-rare-header', "SELECT count(*), count(late) FROM 'd/'", [[40, 1]], "read_csv('d/*.csv', union_by_name=true)")
def _(w):
    for i in range(40): w.text(f'd/f{i:03}.csv', 'a,late\n1,2\n' if i == 23 else 'a\n1\n')

@case('json-late-key', "SELECT a, b FROM 'd/'", [[1, None], [2, 'x']], "read_json('d/*.json', union_by_name=true)")
def _(w):
    w.text('d/1.json', '{"a":1}\n'); w.text('d/2.json', '{"a":2,"b":"x"}\n')

@case('json-rare-key', "SELECT count(*), count(b) FROM 'd/'", [[40, 1]], "read_json('d/*.json', union_by_name=true)")
def _(w):
    for i in range(40): w.text(f'd/f{i:03}.json', '{"a":1,"b":2}\n' if i == 23 else '{"a":1}\n')

@case('json-nested-late-field', "SELECT o.x, o.y FROM 'd/'", [[1, None], [2, 3]], "read_json('d/*.json', union_by_name=true)")
def _(w):
    w.text('d/1.json', '{"o":{"x":1}}\n'); w.text('d/2.json', '{"o":{"x":2,"y":3}}\n')

@case('parquet-columns-in-another-order', "SELECT a, b FROM 'd/'", [[1, 'x'], [2, 'y']], "read_parquet('d/*.parquet', union_by_name=true)")
def _(w):
    w.parquet('d/1.parquet', a=[1], b=['x']); w.parquet('d/2.parquet', b=['y'], a=[2])

# ---- evolving types

@case('parquet-int-bigint-double', "SELECT p, v FROM 'd/'", [[1, 1.0], [2, 1099511627776.0], [3, 2.5]], "read_parquet('d/*/*.parquet', union_by_name=true)")
def _(w):
    w.parquet('d/p=1/a.parquet', [('v', pa.int32())], v=[1]); w.parquet('d/p=2/a.parquet', v=[1099511627776]); w.parquet('d/p=3/a.parquet', v=[2.5])

@case('parquet-rare-bigint', "SELECT max(v) FROM 'd/'", [[1099511627776]], "read_parquet('d/*.parquet', union_by_name=true)")
def _(w):
    for i in range(40): w.parquet(f'd/{i:03}.parquet', [('v', pa.int64() if i == 23 else pa.int32())], v=[1099511627776 if i == 23 else i])

@case('parquet-decimals', "SELECT CAST(sum(v) AS varchar) FROM 'd/'", [['12346.77']], "read_parquet('d/*.parquet', union_by_name=true)")
def _(w):
    from decimal import Decimal as D
    w.parquet('d/1.parquet', [('v', pa.decimal128(4, 2))], v=[D('1.10')]); w.parquet('d/2.parquet', [('v', pa.decimal128(7, 2))], v=[D('12345.67')])

@case('parquet-null-column', "SELECT k, l FROM 'd/'", [[1, None], [2, [7]]], "read_parquet('d/*.parquet', union_by_name=true)")
def _(w):
    w.parquet('d/1.parquet', [('k', pa.int64()), ('l', pa.null())], k=[1], l=[None]); w.parquet('d/2.parquet', k=[2], l=[[7]])

@case('parquet-number-against-text', "SELECT v FROM 'd/'", "error: Column 'v' is bigint in 3 files but varchar in 1 file (d/2.parquet)", "read_parquet('d/*.parquet', union_by_name=true)")
def _(w):
    for i in range(4): w.parquet(f'd/{i}.parquet', v=['x'] if i == 2 else [i])

@case('parquet-number-against-text-pruned', "SELECT v FROM 'd/' WHERE p = 1", [[1]], "read_parquet('d/*/*.parquet', union_by_name=true)")
def _(w):
    for i in range(4): w.parquet(f'd/p={i}/a.parquet', v=['x'] if i == 2 else [i])

@case('csv-number-then-text', "SELECT p, v FROM 'd/'", [[1, '1'], [2, 'abc']], "read_csv('d/*/*.csv', union_by_name=true)")
def _(w):
    w.text('d/p=1/a.csv', 'v,k\n1,a\n'); w.text('d/p=2/a.csv', 'v,k\nabc,b\n')

@case('csv-rare-text', "SELECT count(*), min(v), max(v) FROM 'd/'", [[40, '1', 'abc']], "read_csv('d/*.csv', union_by_name=true)")
def _(w):
    for i in range(40): w.text(f'd/f{i:03}.csv', 'v,k\nabc,1\n' if i == 23 else 'v,k\n1,2\n')

@case('csv-empty-column', "SELECT typeof(bar), bar, foo FROM 'd/'", [['date', '2025-05-12', 'f1'], ['date', None, 'f2']], "read_csv('d/*.csv', union_by_name=true)")
def _(w):
    w.text('d/a.csv', 'foo,bar,baz\nf1,2025-05-12,x\n'); w.text('d/b.csv', 'foo,bar,baz\nf2,,x\n')

@case('json-null-list-object', "SELECT k, l, o FROM 'd/'", [[1, None, None], [2, [5], {'x': 1}], [3, [], {'x': None}]], "read_json('d/*.json', union_by_name=true)")
def _(w):
    w.text('d/1.json', '{"k":1,"l":null,"o":null}\n'); w.text('d/2.json', '{"k":2,"l":[5],"o":{"x":1}}\n'); w.text('d/3.json', '{"k":3,"l":[],"o":{}}\n')

# ---- partition keys

@case('uneven-depth', "SELECT y, m, v FROM 'd/'", [[1, 1, 1], [2, None, 2]])
def _(w):
    w.text('d/y=1/m=1/a.csv', 'v\n1\n'); w.text('d/y=2/a.csv', 'v\n2\n')

@case('uneven-depth-deeper-later', "SELECT y, m, v FROM 'd/'", [[1, None, 1], [2, 7, 2], [3, None, 3]])
def _(w):
    w.parquet('d/y=1/a.parquet', v=[1]); w.parquet('d/y=2/m=7/a.parquet', v=[2]); w.parquet('d/y=3/a.parquet', v=[3])

@case('uneven-depth-rare', "SELECT count(*), count(m), max(m) FROM 'd/'", [[40, 1, 7]])
def _(w):
    for y in range(40): w.text(f'd/y={y}/m=7/a.csv' if y == 23 else f'd/y={y}/a.csv', 'v\n1\n')

@case('keys-in-another-order', "SELECT part, dt, v FROM 'd/'", [['a', '2024-01-01', 1], ['b', '2024-01-02', 2]], "read_parquet('d/**/*.parquet', hive_partitioning=true)")
def _(w):
    w.parquet('d/dt=2024-01-01/part=a/x.parquet', v=[1]); w.parquet('d/part=b/dt=2024-01-02/x.parquet', v=[2])

@case('key-twice', "SELECT * FROM 'd/'", 'error: twice')
def _(w): w.text('d/x=1/x=2/a.csv', 'v\n1\n')

@case('leading-zeros', "SELECT zip, v FROM 'd/'", [['00501', 1], ['10001', 2]])
def _(w):
    w.text('d/zip=00501/a.csv', 'v,k\n1,a\n'); w.text('d/zip=10001/a.csv', 'v,k\n2,a\n')

@case('two-digit-months', "SELECT year, month, v FROM 'd/' WHERE month >= 9", [[2024, 9, 9], [2024, 10, 10]], "read_csv('d/**/*.csv', hive_partitioning=true)")
def _(w):
    for m in (1, 9, 10): w.text(f'd/year=2024/month={m:02}/a.csv', f'v\n{m}\n')

@case('mixed-key-values', "SELECT p, v FROM 'd/'", [['1', 1], ['x', 2], [None, 3]])
def _(w):
    w.text('d/p=1/a.csv', 'v\n1\n'); w.text('d/p=x/a.csv', 'v\n2\n'); w.text('d/p=__HIVE_DEFAULT_PARTITION__/a.csv', 'v\n3\n')

@case('date-keys-pruned', "SELECT d, v FROM 'd/' WHERE d > DATE '2024-01-01'", [['2024-01-02', 2]], "read_csv('d/**/*.csv', hive_partitioning=true)")
def _(w):
    for i in (1, 2): w.text(f'd/d=2024-01-0{i}/a.csv', f'v\n{i}\n')

@case('key-also-in-file', "SELECT p, v FROM 'd/'", [[1, 1], [2, 2]], "read_csv('d/**/*.csv', hive_partitioning=true)")
def _(w):
    for i in (1, 2): w.text(f'd/p={i}/a.csv', f'p,v\n99,{i}\n')

# ---- strays

@case('stray-readme', "SELECT * FROM 'd/'", [[1, 1], [2, 2]])
def _(w):
    w.text('d/README.txt', 'What this is\n\nWords, words, words.\n')
    for i in (1, 2): w.text(f'd/p={i}/a.csv', f'v\n{i}\n')

@case('stray-manifest', "SELECT p, v FROM 'd/'", [[1, 1], [2, 2]])
def _(w):
    w.text('d/manifest.json', '{"entries":[{"url":"s3://b/k"}]}\n')
    for i in (1, 2): w.parquet(f'd/p={i}/a.parquet', v=[i])

@case('stray-same-format', "SELECT p, v FROM 'd/'", [[1, 1], [2, 2]])
def _(w):
    w.text('d/x.csv', 'v\n9\n')
    for i in (1, 2): w.text(f'd/p={i}/a.csv', f'v\n{i}\n')

@case('folder-marks', "SELECT p, v FROM 'd/'", [[1, 1], [2, 2]])
def _(w):
    w.text('d/p_$folder$', ''); w.text('d/_SUCCESS', ''); w.text('d/.hidden.csv', 'z\n1\n'); w.text('d/p=1_$folder$', '')
    for i in (1, 2): w.parquet(f'd/p={i}/a.parquet', v=[i])

@case('empty-files', "SELECT sum(v) FROM 'd/'", [[3]])
def _(w):
    w.text('d/a.parquet', ''); w.parquet('d/b.parquet', v=[1]); w.parquet('d/c.parquet', v=[2]); w.text('d/z.parquet', '')

@case('readme-in-flat-folder', "SELECT * FROM 'd/'", [[1], [2]])
def _(w):
    w.text('d/README.md', '# hi\n'); w.text('d/a.csv', 'v\n1\n'); w.text('d/b.csv', 'v\n2\n')

@case('strange-name', "SELECT * FROM 'd/'", [[1]])
def _(w):
    w.text('d/a.csv', 'v\n1\n')
    with open(os.path.join(os.fsencode(w.root), b'd', b'bad\xff\xfe.csv'), 'wb') as f: f.write(b'v\n5\n')

# ---- formats

@case('two-formats', "SELECT * FROM 'd/'", 'error: not a CSV')
def _(w):
    w.text('d/p=1/a.csv', 'v\n1\n'); w.parquet('d/p=2/b.parquet', v=[2])

@case('two-formats-by-pattern', "SELECT p, v FROM 'd/**/*.parquet'", [[2, 2]], "read_parquet('d/**/*.parquet', hive_partitioning=true)")
def _(w):
    w.text('d/p=1/a.csv', 'v\n1\n'); w.parquet('d/p=2/b.parquet', v=[2])

@case('rare-other-format', "SELECT count(*) FROM 'd/'", 'error: not a CSV')
def _(w):
    for i in range(40): w.text(f'd/p={i}/a.csv', 'v\n1\n')
    w.parquet('d/p=23/b.parquet', v=[2])

@case('tbl-files', "SELECT count(*), sum(_col0) FROM 'd/'", [[4, 10]], "(SELECT column0 AS _col0 FROM read_csv('d/*.tbl'))")
def _(w):
    w.text('d/1.tbl', '1|a|\n2|b|\n'); w.text('d/2.tbl', '3|c|\n4|d|\n')

@case('no-endings', "SELECT sum(v) FROM 'd/'", [[3]], "read_csv('d/0*')")
def _(w):
    w.text('d/000000_0', 'v,k\n1,a\n'); w.text('d/000001_0', 'v,k\n2,b\n'); w.text('d/_SUCCESS', '')

@case('excel', "SELECT * FROM 'd/'", 'error: NOT_SUPPORTED')
def _(w): w.text('d/a.xlsx', b'PK\x03\x04')

@case('unknown-bytes', "SELECT * FROM 'd/x.blob'", 'error: NOT_SUPPORTED')
def _(w): w.text('d/x.blob', bytes(range(256)))

# ---- names

@case('names-by-case', "SELECT * FROM 'd/a.parquet'", [[1, 2, 3]], "read_parquet('d/a.parquet')")
def _(w): w.parquet('d/a.parquet', column=[1], COLUMN=[2], Column=[3])

@case('names-by-case-named', "SELECT COLUMN_1, Column_2 FROM 'd/a.parquet'", [[2, 3]], "read_parquet('d/a.parquet')")
def _(w): w.parquet('d/a.parquet', column=[1], COLUMN=[2], Column=[3])

@case('names-in-other-case-per-file', "SELECT id, v FROM 'd/'", [[1, 'a'], [2, 'b']], "read_parquet('d/*.parquet', union_by_name=true)")
def _(w):
    w.parquet('d/1.parquet', id=[1], v=['a']); w.parquet('d/2.parquet', ID=[2], V=['b'])

# ---- patterns

@case('pattern-uneven', "SELECT y, m, v FROM 'd/**/*.csv'", [[1, 1, 1], [2, None, 2], [None, None, 3]])
def _(w):
    w.text('d/y=1/m=1/a.csv', 'v\n1\n'); w.text('d/y=2/a.csv', 'v\n2\n'); w.text('d/a.csv', 'v\n3\n')

@case('plain-folders', "SELECT sum(v) FROM 'd/'", [[6]], "read_csv('d/**/*.csv')")
def _(w):
    w.text('d/2024/01/a.csv', 'v\n1\n'); w.text('d/2024/a.csv', 'v\n2\n'); w.text('d/a.csv', 'v\n3\n')


def plain(value):
    """Values as both engines' output compare: numbers by value, dates as text."""
    if isinstance(value, float) and value == int(value): return int(value)
    if isinstance(value, list): return [plain(v) for v in value]
    if isinstance(value, dict): return {k: plain(v) for k, v in value.items()}
    return value


def same(rows, want):
    key = lambda row: json.dumps(row, sort_keys=True, default=str).replace('DATE', 'date')
    return sorted(map(key, plain(rows))) == sorted(map(key, plain(want)))


def ask_sqlq(sqlq, folder, query):
    r = subprocess.run([sqlq, '--home', os.path.join(folder, '.home'), '--no-results', '--output-format', 'jsonl_compact', query],
                       cwd=folder, capture_output=True, text=True, errors='replace', timeout=60)
    notes = [line[6:] for line in r.stderr.splitlines() if line.startswith('note: ')]
    if r.returncode: return f'error: {r.stderr.strip()}', notes
    return [json.loads(line) for line in r.stdout.splitlines()], notes


def ask_duckdb(folder, query, duck, pattern_of):
    import duckdb
    item = duck or "'" + pattern_of + "'"
    query = query[:query.index("'d/")] + item + query[query.index("'", query.index("'d/") + 1) + 1:]
    db = duckdb.connect(); db.execute(f"SET file_search_path = '{folder}'")
    previous = os.getcwd(); os.chdir(folder)
    try:
        rows = db.execute(query).fetchall()
        return json.loads(json.dumps([list(r) for r in rows], default=str))
    except Exception as e: return 'error: ' + str(e).splitlines()[0]
    finally: os.chdir(previous)


def is_right(got, want):
    if isinstance(want, str): return isinstance(got, str) and want[7:].lower() in got.lower()
    return not isinstance(got, str) and same(got, want)


def brief(answer):
    if isinstance(answer, str): return answer.replace('\n', ' ')[:90]
    text = json.dumps(answer)
    return text if len(text) <= 90 else text[:87] + '…'


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument('--sqlq', default='.build/release/sqlq'); a.add_argument('--only'); a.add_argument('--keep'); a.add_argument('--write')
    a.add_argument('--no-duckdb', action='store_true'); a.add_argument('--verbose', action='store_true')
    a = a.parse_args()
    sqlq = os.path.abspath(a.sqlq); good = agree = 0; chosen = [c for c in CASES if not a.only or a.only in c[0]]
    if a.write:
        # A name that is no UTF-8 cannot be in a repository everywhere.
        for name, _, _, _, build in chosen:
            if name != 'strange-name': build(Writer(os.path.join(a.write, name)))
        return
    base = a.keep or tempfile.mkdtemp(prefix='mixed-folders-')
    print(f'{"folder":34} {"sqlq":5} {"duckdb":6} answer')
    for name, query, want, duck, build in chosen:
        folder = os.path.join(base, name); shutil.rmtree(folder, ignore_errors=True); os.makedirs(folder); build(Writer(folder))
        got, notes = ask_sqlq(sqlq, folder, query)
        right = is_right(got, want); good += right; mark = '-'
        if not a.no_duckdb:
            ending = next((f.rsplit('.', 1)[-1] for _, _, fs in os.walk(os.path.join(folder, 'd')) for f in fs if f.endswith(('.csv', '.json', '.parquet'))), '*')
            theirs = ask_duckdb(folder, query, duck, f'd/**/*.{ending}'); ok = is_right(theirs, want)
            if isinstance(want, str) and isinstance(theirs, str): ok = True
            agree += ok; mark = 'yes' if ok else 'no'
        print(f'{name:34} {"yes" if right else "NO":5} {mark:6} {brief(got)}')
        if not right: print(f'    expected {brief(want)}')
        if a.verbose:
            for note in notes: print(f'    note: {note}')
            if mark == 'no': print(f'    duckdb: {brief(theirs)}')
    print(f'{good} of {len(chosen)} right' + ('' if a.no_duckdb else f'; DuckDB: {agree}'))
    if not a.keep: shutil.rmtree(base, ignore_errors=True)
    sys.exit(good != len(chosen))


if __name__ == '__main__': main()
