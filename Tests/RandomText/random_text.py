#!/usr/bin/env python3
"""Write random CSV and JSON files with one odd record, and check that they are read as a person would read them.

usage: random_text.py --sqlq .build/debug/sqlq [--seed 1] [--count 2000] [--keep FOLDER] [--large 0.1]

Each file, of 1 KB to 3 MB (--large: the share of those of 3 to 20 MB), holds records of a few columns of fixed kinds; its
last, middle or first record, or one anywhere, has a value of another kind, or a key that no other record has. What is asked
of it: the number of rows, the odd value, the sum or number of the other values, and that nothing fails. A wrong answer and
a failure are reported with the seed that makes the file again.
"""
import argparse, json, os, random, subprocess, sys, tempfile

KINDS = {
    'int': lambda r, i: i * 7 % 1000, 'big': lambda r, i: 10**12 + i, 'dbl': lambda r, i: i / 4 + 0.5,
    'date': lambda r, i: f'20{i % 30 + 10:02}-{i % 12 + 1:02}-{i % 28 + 1:02}', 'bool': lambda r, i: i % 3 == 0,
    'word': lambda r, i: 'w' + str(i % 50), 'text': lambda r, i: 'some, "quoted" text ' + 'x' * (i % 40),
    'time': lambda r, i: f'2024-01-{i % 28 + 1:02}T10:{i % 60:02}:00Z',
}
ODD = ['02215', 'n/a', '1.5', '99999999999999999999', 'true', '2024-02-30', 'x y', '1e5', '-']


def csv_text(value):
    if isinstance(value, bool): return 'true' if value else 'false'
    text = str(value)
    if any(c in text for c in ',"\n'): return '"' + text.replace('"', '""') + '"'
    return text


def make(rng, folder, number, large):
    """Returns path, number of rows, odd column, odd text, and the values of the whole-number column."""
    count = int(10 ** rng.uniform(1, 4.4))
    if rng.random() < large: count = 150_000
    is_json = rng.random() < 0.5
    kinds = ['int'] + [rng.choice(list(KINDS)) for _ in range(rng.randint(1, 5))]
    names = [f'c{i}_{k}' for i, k in enumerate(kinds)]
    column = rng.randint(1, len(kinds) - 1)
    place = rng.choice([0, count // 2, count - 1, rng.randrange(count)])
    odd = rng.choice(ODD)
    is_key = is_json and rng.random() < 0.4
    is_nested = is_json and rng.random() < 0.3
    rows = []
    for i in range(count):
        row = {n: KINDS[k](rng, i) for n, k in zip(names, kinds)}
        if is_nested: row['o'] = {'a': i, 'b': [i, i + 1]}
        if i == place:
            if is_key and is_nested and rng.random() < 0.5: row['o'] = {'a': i, 'b': [], 'late': odd}
            elif is_key: row['late'] = odd
            elif is_json and rng.random() < 0.3: row[names[column]] = {'x': odd}
            else: row[names[column]] = odd
        rows.append(row)
    suffix = rng.choice(['', '', '', '.gz'])
    path = f'{folder}/f{number}.' + ('json' if is_json else rng.choice(['csv', 'csv', 'tsv'])) + suffix
    if is_json:
        style = rng.choice(['lines', 'lines', 'array'])
        lines = [json.dumps(r, separators=rng.choice([(',', ':'), (', ', ': ')])) for r in rows]
        body = '\n'.join(lines) + '\n' if style == 'lines' else '[' + ',\n'.join(lines) + ']'
    else:
        separator = '\t' if '.tsv' in path else ','
        end = rng.choice(['\n', '\r\n'])
        body = ''.join(separator.join(cells) + end for cells in [names] + [[csv_text(v) for v in r.values()] for r in rows])
    data = body.encode()
    if suffix:
        import gzip
        data = gzip.compress(data, 1)
    with open(path, 'wb') as f: f.write(data)
    found = rows[place]
    target = 'late' if 'late' in found else 'o' if 'late' in str(found.get('o', '')) else names[column]
    return path, count, target, odd, sum(r[names[0]] for r in rows), rows[place][names[0]]


def ask(sqlq, home, sql):
    run = subprocess.run([sqlq, '--home', home, '--no-results', '--output-format', 'jsonl_compact', sql],
                         capture_output=True, text=True, timeout=120)
    return run.returncode, [json.loads(l) for l in run.stdout.split('\n') if l], run.stderr.strip()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--sqlq', required=True)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--count', type=int, default=2000)
    parser.add_argument('--large', type=float, default=0.0)
    parser.add_argument('--keep')
    options = parser.parse_args()
    folder = options.keep or tempfile.mkdtemp(prefix='random-text-')
    os.makedirs(folder, exist_ok=True)
    failures = 0
    for number in range(options.count):
        rng = random.Random(options.seed * 1_000_003 + number)
        path, count, target, odd, total, key = make(rng, folder, number, options.large)
        sql = (f"SELECT count(*), sum(c0_int), count_if(strpos(lower(cast({'json_format(cast(o AS json))' if target == 'o' else target} AS varchar)), '{odd}') > 0) FROM '{path}'")
        if target not in ('late', 'o'):
            sql = f"SELECT count(*), sum(c0_int), count_if(strpos(lower(format('%s', {target})), '{odd}') > 0) FROM '{path}'"
        star = f"SELECT * FROM '{path}'"
        try:
            code, rows, message = ask(options.sqlq, folder + '/home', sql)
            problem = None
            if code != 0: problem = f'exit {code}: {message[:300]}'
            elif rows[0][0] != count or rows[0][1] != total: problem = f'{rows[0]} where {count}, {total} are right'
            elif rows[0][2] < 1 and odd not in ('1e5', '99999999999999999999'): problem = f'the odd value {odd!r} of {target} is not there'
            if problem is None:
                code, rows, message = ask(options.sqlq, folder + '/home', star)
                if code != 0: problem = f'*: exit {code}: {message[:300]}'
                elif len(rows) != count: problem = f'*: {len(rows)} rows where {count} are right'
                elif odd not in json.dumps(rows) and odd not in ('1e5', '99999999999999999999'): problem = f'*: the odd value {odd!r} is not there'
        except subprocess.TimeoutExpired:
            problem = 'no answer in 120 s'
        if problem:
            failures += 1
            print(f'--seed {options.seed} file {number} ({os.path.getsize(path)} bytes, {path}): {problem}', flush=True)
        elif not options.keep:
            os.remove(path)
    print(f'{options.count - failures} of {options.count} files right')
    sys.exit(failures > 0)


main()
