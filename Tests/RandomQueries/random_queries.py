#!/usr/bin/env python3
"""Run random queries under several configurations of sqlq, and in DuckDB, and report every difference.

usage: random_queries.py --sqlq .build/release/sqlq [--seed 1] [--count 10000] [--no-duckdb] [--out differences.txt]

Queries are over a few small tables full of NULLs and ties, written as Parquet by DuckDB. Each query is asked of sqlq with
its default settings, with the optimizer off, with batches of one row, and with all hashes equal; all must agree. Where
the dialects mean the same, DuckDB must agree too. One process runs hundreds of statements: a marker follows each of them,
and `--testing keep_going` lets it go on after errors.

A query that fails under one configuration must fail under all of them, except that plans may differ in whether they
evaluate an expression that fails; such pairs are counted, not reported. Rerun with the seed of a report to see it again.
"""
import argparse, collections, decimal, json, math, os, random, subprocess, sys, tempfile
import duckdb

CONFIGURATIONS = {'default': [], 'plain': ['no_optimizer'], 'rows': ['batch_size=1'], 'colliding': ['colliding_hashes', 'batch_size=3']}
BATCH = 400

TABLES = {  # name: (rows, columns: name -> type)
    't1': (12, dict(id='int', a='int', b='int', s='str', x='bool', d='date', f='dbl', m='dec')),
    't2': (20, dict(id='int', a='int', b='int', s='str', x='bool', d='date', f='dbl')),
    't3': (5, dict(id='int', a='int', c='int', s='str')),
    't4': (0, dict(id='int', a='int', s='str')),
    't5': (60, dict(id='int', g='int', a='int', s='str', f='dbl', m='dec')),
}
SQL_TYPES = dict(int='BIGINT', str='VARCHAR', bool='BOOLEAN', date='DATE', dbl='DOUBLE', dec='DECIMAL(12,2)')
WORDS = ['', 'a', 'b', 'ab', 'abc', 'B', 'x%y', '_', 'zebra', '12', '7', 'longer than twelve bytes', 'ä', 'aä€b']


def make_tables(folder, seed):
    rng = random.Random(seed)
    db = duckdb.connect()
    for name, (count, columns) in TABLES.items():
        rows = []
        for i in range(count):
            row = []
            for column, kind in columns.items():
                if column == 'id': row.append(str(i))
                elif rng.random() < 0.25: row.append('NULL')
                else: row.append(literal(rng, kind))
            rows.append('(' + ', '.join(row) + ')')
        db.execute(f"CREATE TABLE {name} (" + ', '.join(f'{c} {SQL_TYPES[k]}' for c, k in columns.items()) + ')')
        if rows: db.execute(f"INSERT INTO {name} VALUES " + ', '.join(rows))
        db.execute(f"COPY {name} TO '{folder}/{name}.parquet' (FORMAT parquet, ROW_GROUP_SIZE 2048)")
    return db


def literal(rng, kind):
    if kind == 'int': return str(rng.choice([0, 1, 2, 3, 4, 5, 7, 10, -1, -3]))
    if kind == 'str': return "'" + rng.choice(WORDS) + "'"
    if kind == 'bool': return rng.choice(['TRUE', 'FALSE'])
    if kind == 'date': return "DATE '" + rng.choice(['2024-01-01', '2024-02-29', '2023-12-31', '1969-07-20', '2024-03-10']) + "'"
    if kind == 'dbl': return 'CAST(' + rng.choice(['0.0', '0.25', '1.5', '-2.75', '100.0', '3.0']) + ' AS DOUBLE)'
    return 'CAST(' + rng.choice(['0.00', '1.25', '-3.10', '99.99', '10.00']) + ' AS DECIMAL(12,2))'


class Column:
    def __init__(self, text, kind, name=None): self.text, self.kind, self.name = text, kind, name


class Generator:
    """Random queries; `columns` lists are what an expression may name."""

    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.names = 0
        self.own = False  # whether expressions may use what DuckDB lacks

    def pick(self, *options): return self.rng.choice(options)
    def chance(self, p): return self.rng.random() < p
    def name(self, prefix):
        self.names += 1
        return f'{prefix}{self.names}'
    def kind(self): return self.rng.choices(['int', 'str', 'bool', 'date', 'dbl', 'dec'], [8, 5, 2, 2, 2, 2])[0]

    # Expressions

    def expression(self, kind, columns, depth, outer=()):
        own = [c.text for c in columns if c.kind == kind]
        others = [c.text for c in outer if c.kind == kind]
        if depth <= 0 or self.chance(0.25):
            if others and self.chance(0.35): return self.rng.choice(others)
            if own and self.chance(0.85): return self.rng.choice(own)
            if self.chance(0.08): return f'CAST(NULL AS {SQL_TYPES[kind]})'
            return literal(self.rng, kind)
        e = lambda k, d=depth - 1: self.expression(k, columns, d, outer)
        if self.chance(0.12): return f'CASE WHEN {e("bool")} THEN {e(kind)}' + (f' ELSE {e(kind)}' if self.chance(0.7) else '') + ' END'
        if self.chance(0.08): return f'coalesce({e(kind)}, {e(kind)})'
        if self.chance(0.06): return f'nullif({e(kind)}, {e(kind)})'
        if self.chance(0.05): return f'CASE {e("int")} WHEN {e("int", 0)} THEN {e(kind)} WHEN {e("int", 0)} THEN {e(kind)} ELSE {e(kind)} END'
        if self.own and self.chance(0.35): return self.athena_expression(kind, e)
        if kind == 'int':
            return self.pick(
                lambda: f'({e("int")} + {e("int")})', lambda: f'({e("int")} - {e("int")})',
                lambda: f'({e("int", 0)} * {self.pick("2", "3", "-1")})', lambda: f'length({e("str")})',
                lambda: f'abs({e("int")})', lambda: f'({e("int")} % nullif({e("int", 0)}, 0))',
                lambda: f'strpos({e("str")}, {e("str", 0)})', lambda: f'CAST({e("bool")} AS BIGINT)',
                lambda: f'year({e("date")})', lambda: f'month({e("date")})', lambda: f'(- {e("int")})')()
        if kind == 'str':
            return self.pick(
                lambda: f'({e("str")} || {e("str")})', lambda: f'upper({e("str")})', lambda: f'lower({e("str")})',
                lambda: f'substr({e("str")}, {self.pick("1", "2", "3")}, {self.pick("0", "1", "2", "5")})',
                lambda: f'replace({e("str")}, {self.pick("chr(97)", "chr(98)")}, {e("str", 0)})', lambda: f'CAST({e("int")} AS VARCHAR)',
                lambda: f'trim({e("str")})', lambda: f'reverse({e("str")})', lambda: f'CAST({e("date")} AS VARCHAR)')()
        if kind == 'bool': return self.condition(columns, depth, outer)
        if kind == 'date': return self.pick(lambda: f'CASE WHEN {e("bool")} THEN {e("date")} ELSE {e("date", 0)} END', lambda: e('date', 0))()
        if kind == 'dbl':
            return self.pick(
                lambda: f'({e("dbl")} + {e("dbl")})', lambda: f'({e("dbl")} - {e("dbl", 0)})', lambda: f'({e("dbl", 0)} * CAST(2 AS DOUBLE))',
                lambda: f'CAST({e("int")} AS DOUBLE)', lambda: f'abs({e("dbl")})', lambda: f'floor({e("dbl")})')()
        return self.pick(lambda: f'({e("dec", 0)} + {e("dec", 0)})', lambda: f'({e("dec", 0)} - {e("dec", 0)})', lambda: f'(- {e("dec", 0)})')()

    def athena_expression(self, kind, e):
        """Functions that only sqlq has, or that DuckDB reads otherwise."""
        array = lambda k: f'ARRAY[{", ".join(e(k) for _ in range(self.rng.randint(1, 3)))}]'
        x = self.name('x')
        if kind == 'int':
            return self.pick(
                lambda: f'cardinality({array(self.kind())})', lambda: f'reduce({array("int")}, 0, (s, {x}) -> s + coalesce({x}, 1), s -> s)',
                lambda: f'element_at({array("int")}, {self.pick("1", "2", "-1", "5")})', lambda: f'try({e("int")} / {e("int", 0)})',
                lambda: f'greatest({e("int")}, {e("int")})', lambda: f'least({e("int")}, {e("int")})', lambda: f'array_max({array("int")})',
                lambda: f'array_position({array("int")}, {e("int")})', lambda: f'levenshtein_distance(coalesce({e("str")}, {chr(39)}{chr(39)}), {e("str")})',
                lambda: f'date_diff({chr(39)}{self.pick("day", "week", "month", "year")}{chr(39)}, {e("date")}, {e("date")})',
                lambda: f'bitwise_and({e("int")}, {e("int")})', lambda: f'try_cast({e("str")} AS BIGINT)', lambda: f'day_of_week({e("date")})',
                lambda: f'element_at(map(ARRAY[1, 2, 3], ARRAY[{e("int")}, {e("int")}, 7]), {e("int")})', lambda: f'codepoint(CAST(substr({e("str")} || {chr(39)}z{chr(39)}, 1, 1) AS VARCHAR(1)))',
                lambda: f'CAST(ROW({e("int")}, {e("str")}) AS ROW(p BIGINT, q VARCHAR)).p', lambda: f'regexp_count({e("str")}, {chr(39)}[a-c]{chr(39)})')()
        if kind == 'str':
            return self.pick(
                lambda: f'array_join({array("str")}, {chr(39)},{chr(39)}, {chr(39)}null{chr(39)})', lambda: f'concat({e("str")}, {e("str")}, {e("str")})',
                lambda: f'split_part({e("str")}, {chr(39)}b{chr(39)}, 2)', lambda: f'regexp_replace({e("str")}, {chr(39)}[ab]+{chr(39)}, {chr(39)}<$0>{chr(39)})',
                lambda: f'lpad({e("str")}, 6, {chr(39)}xy{chr(39)})', lambda: f'CAST({e("dbl")} AS VARCHAR)', lambda: f'CAST({e("dec")} AS VARCHAR)',
                lambda: f'json_extract_scalar(CAST(CAST(ROW({e("int")}, {e("str")}) AS ROW(p BIGINT, q VARCHAR)) AS JSON) , {chr(39)}$.q{chr(39)})',
                lambda: f'date_format({e("date")}, {chr(39)}%Y/%m/%d %W{chr(39)})', lambda: f'json_format(CAST({array("int")} AS JSON))',
                lambda: f'substr({e("str")}, {self.pick("-1", "-2", "0", "2")})', lambda: f'to_hex(to_utf8({e("str")}))', lambda: f'typeof({e("int")})')()
        if kind == 'bool':
            return self.pick(
                lambda: f'contains({array("int")}, {e("int")})', lambda: f'any_match({array("int")}, {x} -> {x} > {e("int")})',
                lambda: f'all_match({array("str")}, {x} -> {x} LIKE {chr(39)}%a%{chr(39)})', lambda: f'regexp_like({e("str")}, {chr(39)}^a{chr(39)})',
                lambda: f'(ROW({e("int")}, {e("str")}) = ROW({e("int")}, {e("str")}))', lambda: f'(ROW({e("int")}, {e("int")}) < ROW({e("int")}, {e("int")}))',
                lambda: f'({array("int")} = {array("int")})', lambda: f'({array("int")} < {array("int")})', lambda: f'arrays_overlap({array("int")}, {array("int")})',
                lambda: f'(ROW({e("int")}, {e("str")}) IS DISTINCT FROM ROW({e("int")}, {e("str")}))', lambda: f'is_nan({e("dbl")} / CAST(0 AS DOUBLE))')()
        if kind == 'date': return self.pick(lambda: f'date_add({chr(39)}{self.pick("day", "month", "year")}{chr(39)}, {e("int", 0)}, {e("date")})', lambda: f'date_trunc({chr(39)}month{chr(39)}, {e("date")})', lambda: f'last_day_of_month({e("date")})')()
        if kind == 'dbl': return self.pick(lambda: f'({e("dbl")} / {e("dbl")})', lambda: f'round({e("dbl")}, 1)', lambda: f'sqrt({e("dbl")})', lambda: f'CAST({e("dec")} AS DOUBLE)', lambda: f'mod({e("dbl")}, {e("dbl")})')()
        return self.pick(lambda: f'CAST({e("int")} % 1000 AS DECIMAL(12,2))', lambda: f'round({e("dec", 0)}, 1)', lambda: f'abs({e("dec", 0)})')()

    def condition(self, columns, depth, outer=()):
        e = lambda k, d=depth - 1: self.expression(k, columns, d, outer)
        if depth <= 0: return f'{e("int", 0)} {self.comparison()} {e("int", 0)}'
        k = self.kind()
        return self.pick(
            lambda: f'({e("bool")} AND {e("bool")})', lambda: f'({e("bool")} OR {e("bool")})', lambda: f'(NOT {e("bool")})',
            lambda: f'({e(k)} {self.comparison()} {e(k)})', lambda: f'({e(k)} {self.comparison()} {e(k)})', lambda: f'({e(k)} {self.comparison()} {e(k)})',
            lambda: f'({e(k)} IS {self.pick("", "NOT ")}NULL)', lambda: f'({e(k)} IS {self.pick("", "NOT ")}DISTINCT FROM {e(k)})',
            lambda: f'({e(k)} {self.pick("", "NOT ")}BETWEEN {e(k, 0)} AND {e(k, 0)})',
            lambda: f'({e(k)} {self.pick("", "NOT ")}IN ({", ".join(e(k, 0) for _ in range(self.rng.randint(1, 4)))}))',
            lambda: f'({e("str")} {self.pick("", "NOT ")}LIKE {self.pick(chr(39) + "a%" + chr(39), chr(39) + "%b%" + chr(39), chr(39) + "_b%" + chr(39), chr(39) + chr(39))})')()

    def comparison(self): return self.pick('=', '=', '<>', '<', '<=', '>', '>=')

    def predicate(self, columns, depth, level, outer=()):
        """A condition that may hold subqueries."""
        if level <= 0 or self.chance(0.6): return self.condition(columns, depth, outer)
        k = self.rng.choices(['int', 'str', 'date', 'dbl'], [5, 3, 1, 1])[0]
        scope = tuple(columns) + tuple(outer)
        e = lambda kind: self.expression(kind, columns, 1, outer)
        text = self.pick(
            lambda: f'{self.pick("", "NOT ")}EXISTS ({self.select(level - 1, scope, [k])[0]})',
            lambda: f'({e(k)} {self.pick("", "NOT ")}IN ({self.select(level - 1, scope, [k])[0]}))',
            lambda: f'({e(k)} {self.comparison()} {self.pick("ANY", "ALL")} ({self.select(level - 1, scope, [k])[0]}))',
            lambda: f'({e(k)} {self.comparison()} {self.scalar(level - 1, scope, k)})')()
        if self.chance(0.3): return f'({text} {self.pick("AND", "OR")} {self.condition(columns, depth, outer)})'
        return text

    def scalar(self, level, scope, kind):
        """A subquery of one row: a global aggregate."""
        source, columns = self.relation(level)
        where = f' WHERE {self.predicate(columns, 2, level, scope)}' if self.chance(0.8) else ''
        value = self.aggregate(kind, columns, 1)
        return f'(SELECT {value} FROM {source}{where})'

    # Aggregates and windows

    def aggregate(self, kind, columns, depth):
        e = lambda k: self.expression(k, columns, depth)
        if kind == 'int':
            text = self.pick(
                lambda: 'count(*)', lambda: f'count({e(self.kind())})', lambda: f'sum({e("int")})', lambda: f'min({e("int")})',
                lambda: f'max({e("int")})', lambda: f'count(DISTINCT {e(self.kind())})', lambda: f'sum(DISTINCT {e("int")})')()
        elif kind == 'bool': text = f'{self.pick("bool_and", "bool_or", "min", "max")}({e("bool")})'
        elif kind == 'dbl': text = self.pick(lambda: f'avg({e("int")})', lambda: f'sum({e("dbl")})', lambda: f'max({e("dbl")})', lambda: f'min({e("dbl")})')()
        else: text = f'{self.pick("min", "max")}({e(kind)})'
        if self.chance(0.2): text += f' FILTER (WHERE {self.condition(columns, 1)})'
        return text

    def window(self, kind, columns, key):
        """A call over a window; `key` is a column unique in the rows, or None."""
        e = lambda k: self.expression(k, columns, 1)
        partition = f'PARTITION BY {e(self.kind())} ' if self.chance(0.6) else ''
        order = f'ORDER BY {e("int")} {self.pick("ASC", "DESC")} NULLS {self.pick("FIRST", "LAST")}'
        if kind == 'int' and self.chance(0.3): return f'{self.pick("rank", "dense_rank")}() OVER ({partition}{order})'
        if key is not None and self.chance(0.6):
            total = f'{order}, {key}'
            frame = self.pick('', ' ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING', ' ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW',
                              ' ROWS BETWEEN 2 PRECEDING AND 1 PRECEDING', ' ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING',
                              ' ROWS BETWEEN 1 FOLLOWING AND 3 FOLLOWING')
            call = self.pick(lambda: f'lag({e(kind)})', lambda: f'lead({e(kind)}, 2)', lambda: f'first_value({e(kind)})', lambda: f'last_value({e(kind)})',
                             lambda: f'nth_value({e(kind)}, 2)', lambda: self.aggregate_plain(kind, columns))()
            if call.startswith(('lag', 'lead')): frame = ''
            return f'{call} OVER ({partition}{total}{frame})'
        if self.chance(0.5): return f'{self.aggregate_plain(kind, columns)} OVER ({partition.strip()})'
        frame = self.pick('', ' RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW', ' RANGE BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING',
                          ' GROUPS BETWEEN 1 PRECEDING AND 1 FOLLOWING', ' RANGE BETWEEN 1 PRECEDING AND 1 FOLLOWING')
        return f'{self.aggregate_plain(kind, columns)} OVER ({partition}{order}{frame})'

    def aggregate_plain(self, kind, columns):
        text = self.aggregate(kind, columns, 1)
        return text if 'DISTINCT' not in text.split('(')[1][:9] and 'FILTER' not in text and 'DISTINCT' not in text else f'{"count" if kind == "int" else "max"}({self.expression(kind, columns, 0)})'

    # Relations and queries

    def table(self):
        name = self.rng.choice(list(TABLES))
        alias = self.name('r')
        return f'{name} {alias}', [Column(f'{alias}.{c}', k) for c, k in TABLES[name][1].items()], f'{alias}.id'

    def relation(self, level):
        source, columns, _ = self.keyed_relation(level)
        return source, columns

    def keyed_relation(self, level, outer=()):
        if level <= 0 or self.chance(0.45): return self.table()
        if self.chance(0.25):
            query, kinds = self.select(level - 1, ())
            alias = self.name('q')
            names = [self.name('c') for _ in kinds]
            return f'({query}) {alias}({", ".join(names)})', [Column(f'{alias}.{n}', k) for n, k in zip(names, kinds)], None
        left, columns, _ = self.keyed_relation(level - 1)
        right, more, _ = self.keyed_relation(level - 1)
        kind = self.pick('JOIN', 'JOIN', 'LEFT JOIN', 'LEFT JOIN', 'RIGHT JOIN', 'FULL JOIN', 'CROSS JOIN')
        if self.chance(0.12):
            query, kinds = self.select(0, tuple(columns))
            alias = self.name('q')
            names = [self.name('c') for _ in kinds]
            columns = columns + [Column(f'{alias}.{n}', k) for n, k in zip(names, kinds)]
            join, condition = self.pick(('CROSS JOIN', ''), ('LEFT JOIN', ' ON TRUE'))
            return f'{left} {join} LATERAL ({query}) {alias}({", ".join(names)}){condition}', columns, None
        if self.chance(0.1):
            alias, column = self.name('u'), self.name('c')
            of = self.kind()
            items = ', '.join(self.expression(of, columns, 1) for _ in range(self.rng.randint(1, 3)))
            return f'{left} CROSS JOIN UNNEST(ARRAY[{items}]) {alias}({column})', columns + [Column(f'{alias}.{column}', of)], None
        if kind == 'CROSS JOIN': return f'{left} CROSS JOIN {right}', columns + more, None
        equal = [(c.text, d.text) for c in columns for d in more if c.kind == d.kind and c.kind != 'bool']
        condition = ' = '.join(self.rng.choice(equal)) if equal and self.chance(0.9) else self.condition(columns + more, 1)
        if kind != 'FULL JOIN' and self.chance(0.3): condition += f' AND {self.condition(columns + more, 1)}'
        return f'{left} {kind} {right} ON {condition}', columns + more, None

    def select(self, level, outer=(), kinds=None):
        """(text, kinds of its columns)"""
        if kinds is None: kinds = [self.kind() for _ in range(self.rng.randint(1, 4))]
        if level > 0 and self.chance(0.12):
            left, right = self.select(level - 1, outer, kinds)[0], self.select(level - 1, outer, kinds)[0]
            return f'({left}) {self.pick("UNION", "UNION ALL", "INTERSECT", "EXCEPT", "INTERSECT ALL", "EXCEPT ALL")} ({right})', kinds
        source, columns, key = self.keyed_relation(level)
        where = f' WHERE {self.predicate(columns, 2, level, outer)}' if self.chance(0.65) or outer else ''
        form = self.rng.random()
        if form < 0.3:  # grouped
            keys = [Column(self.expression(k, columns, 1), k) for k in (self.kind() for _ in range(self.rng.randint(1, 3)))]
            keys = [k for k in keys if '.' in k.text] or [Column(c.text, c.kind) for c in columns[:1]]
            items = []
            for kind in kinds:
                own = [k.text for k in keys if k.kind == kind]
                if own and self.chance(0.5): items.append(self.rng.choice(own))
                else: items.append(self.aggregate(kind, columns, 1))
            texts = list(dict.fromkeys(k.text for k in keys))
            grouping = ', '.join(texts)
            if not outer and self.chance(0.2) and all(t.replace('.', '').replace('_', '').isalnum() for t in texts):
                grouping = self.pick(f'ROLLUP ({grouping})', f'CUBE ({grouping})', f'GROUPING SETS (({grouping}), ())', f'GROUPING SETS (({texts[0]}), ({texts[-1]}), ())')
            having = f' HAVING {self.aggregate("int", columns, 1)} {self.comparison()} {self.rng.randint(0, 4)}' if self.chance(0.25) else ''
            return f'SELECT {", ".join(items)} FROM {source}{where} GROUP BY {grouping}{having}', kinds
        if form < 0.42 and not outer:  # windows
            items = [self.window(k, columns, key) if self.chance(0.6) and k in ('int', 'dbl', 'str', 'date') else self.expression(k, columns, 1) for k in kinds]
            return f'SELECT {", ".join(items)} FROM {source}{where}', kinds
        if form < 0.5:
            return f'SELECT {", ".join(self.aggregate(k, columns, 1) for k in kinds)} FROM {source}{where}', kinds
        items = []
        for kind in kinds:
            if level > 0 and self.chance(0.1): items.append(self.scalar(level - 1, tuple(columns) + tuple(outer), kind))
            else: items.append(self.expression(kind, columns, 2, outer))
        distinct = 'DISTINCT ' if self.chance(0.15) else ''
        return f'SELECT {distinct}{", ".join(items)} FROM {source}{where}', kinds

    def query(self):
        """(text, whether rows are in order, whether DuckDB reads it otherwise)"""
        self.names = 0
        self.own = self.chance(0.3)
        text, kinds = self.select(self.rng.choice([0, 1, 1, 2, 2, 3]))
        if self.chance(0.15):
            name = self.name('w')
            names = [self.name('c') for _ in kinds]
            columns = [Column(f'{name}.{n}', k) for n, k in zip(names, kinds)]
            outer = ', '.join(self.expression(k, columns, 1) for k in kinds)
            text = f'WITH {name}({", ".join(names)}) AS ({text}) SELECT {outer} FROM {name}' + (f' WHERE {self.predicate(columns, 1, 1)}' if self.chance(0.5) else '')
            if self.chance(0.3): text += f' UNION ALL SELECT {", ".join(c.text for c in columns)} FROM {name}'
        ordered = self.chance(0.25)
        if ordered:
            keys = ', '.join(f'{i + 1} {self.pick("ASC", "DESC")} NULLS {self.pick("FIRST", "LAST")}' for i in range(len(kinds)))
            text = f'SELECT * FROM ({text}) z({", ".join(f"z{i}" for i in range(len(kinds)))}) ORDER BY {keys}'
            if self.chance(0.6): text += (f' OFFSET {self.rng.randint(0, 3)}' if self.chance(0.3) else '') + f' LIMIT {self.rng.randint(0, 7)}'
        return text, ordered, self.own


def run_sqlq(binary, home, settings, queries):
    """One outcome a query: ('rows', lines), ('error', message) or ('crash', message)."""
    outcomes = []
    while len(outcomes) < len(queries):
        with tempfile.NamedTemporaryFile('w', suffix='.sql', delete=False) as file:
            for query in queries[len(outcomes):]: file.write(query + ";\nSELECT '#';\n")
        command = [binary, '--home', home, '--no-results', '--threads', '1', '--output-format', 'jsonl_compact', '-f', file.name]
        if settings: command += ['--testing', ','.join(settings)]
        process = subprocess.run(command, capture_output=True, text=True, errors='replace', timeout=600)
        os.unlink(file.name)
        rows, error = [], None
        for line in process.stdout.splitlines():
            if line == '["#"]':
                outcomes.append(('error', error) if error else ('rows', rows))
                rows, error = [], None
            elif line.startswith('!'): error = line[1:]
            else: rows.append(line)
        if process.returncode:
            reason = (process.stderr.strip().splitlines() or ['?'])[0][:300]
            outcomes.append(('crash' if process.returncode < 0 or process.returncode > 7 else 'error', reason))
        elif len(outcomes) < len(queries): raise SystemExit('lost track: ' + process.stderr[-300:])
    return outcomes


def normal(value):
    if isinstance(value, bool) or value is None: return value
    if isinstance(value, float) and not math.isfinite(value): return str(value)
    if isinstance(value, (int, float, decimal.Decimal)): return '%.9e' % decimal.Decimal(value) if value else '0'
    return str(value)


def rows_of(lines): return [tuple(normal(v) for v in json.loads(line, parse_float=decimal.Decimal)) for line in lines]
def key(row): return tuple((v is None, str(type(v)), str(v)) for v in row)


def main(make=Generator):
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--sqlq', default='.build/release/sqlq'); p.add_argument('--seed', type=int, default=1)
    p.add_argument('--count', type=int, default=10000); p.add_argument('--no-duckdb', action='store_true')
    p.add_argument('--configurations', default=','.join(CONFIGURATIONS)); p.add_argument('--out')
    p.add_argument('--show', type=int, default=20)
    o = p.parse_args()
    names = o.configurations.split(',')
    tally, reports = collections.Counter(), []
    with tempfile.TemporaryDirectory() as folder:
        db = make_tables(folder, o.seed)
        home = folder + '/home'
        for table in TABLES:
            sql = f"CREATE OR REPLACE VIEW {table} AS SELECT * FROM '{folder}/{table}.parquet'"
            subprocess.run([o.sqlq, '--home', home, '--no-results', '-e', sql], check=True, capture_output=True)
        probe = subprocess.run([o.sqlq, '--home', home, '--testing', 'keep_going', '-e', 'SELECT 1'], capture_output=True)
        going = ['keep_going'] if probe.returncode == 0 else []
        generator = make(o.seed)
        done = 0
        while done < o.count:
            batch = [generator.query() for _ in range(min(BATCH, o.count - done))]
            texts = [text for text, _, _ in batch]
            answers = {name: run_sqlq(o.sqlq, home, CONFIGURATIONS[name] + going, texts) for name in names}
            for index, (text, ordered, own) in enumerate(batch):
                first = answers[names[0]][index]
                tally[first[0]] += 1
                if first[0] == 'error': tally[first[1].split(':')[0]] += 1
                found = []
                def rows(outcome):
                    result = rows_of(outcome[1])
                    return result if ordered else sorted(result, key=key)
                for name in names[1:]:
                    other = answers[name][index]
                    if 'crash' in (first[0], other[0]): found.append((name, other))
                    elif first[0] != other[0]:
                        tally['one fails'] += 1
                        if 'INTERNAL' in str(first[1]) + str(other[1]): found.append((name, other))
                    elif first[0] == 'rows' and rows(first) != rows(other): found.append((name, other))
                if first[0] == 'crash' or (first[0] == 'error' and ('INTERNAL' in first[1] or o.show > 1000)): found.append(('sqlq', first))
                if not o.no_duckdb and not own and first[0] == 'rows':
                    try:
                        wanted = [tuple(normal(v) for v in row) for row in db.execute(text).fetchall()]
                        if not ordered: wanted.sort(key=key)
                        tally['duckdb'] += 1
                        if wanted != rows(first): found.append(('duckdb', wanted[:6]))
                    except duckdb.Error as error: tally['duckdb fails'] += 1
                for name, outcome in found:
                    shown = outcome[1][:6] if isinstance(outcome, tuple) and isinstance(outcome[1], list) else outcome
                    got = first[1][:6] if isinstance(first[1], list) else first
                    reports.append(f'-- seed {o.seed}, query {done + index}, differs in {name}\n{text};\n--   default: {got}\n--   {name}: {shown}\n')
            done += len(batch)
            print(f'{done} queries, {len(reports)} differences, {dict(tally)}', flush=True)
    for report in reports[:o.show]: print(report)
    if o.out: open(o.out, 'w').write('\n'.join(reports))
    sys.exit(1 if reports else 0)


if __name__ == '__main__': main()
