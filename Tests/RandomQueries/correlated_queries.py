#!/usr/bin/env python3
"""Run random queries full of correlated subqueries under several configurations of sqlq, and in DuckDB.

usage: correlated_queries.py --sqlq .build/release/sqlq [--seed 1] [--count 10000] (and the options of random_queries.py)

Subqueries stand in every clause and nest; outer columns of any level occur in conditions, projections, grouping keys, join
conditions, set operations, windows, UNNEST, VALUES, and below ORDER BY with LIMIT and OFFSET.
"""
from random_queries import Generator, Column, TABLES, main


class CorrelatedGenerator(Generator):
    def outer(self, kind, scope):
        """An outer column of a kind, if there is one; inner levels likelier than outer ones."""
        found = [c.text for c in scope if c.kind == kind]
        return self.rng.choice(found) if found else None

    def value(self, kind, columns, scope, p=0.45):
        text = self.outer(kind, scope) if self.chance(p) else None
        return text or self.expression(kind, columns, 1, scope)

    def link(self, columns, scope):
        """A condition between a level's own columns and outer ones."""
        kind = self.rng.choices(['int', 'str', 'date', 'dbl'], [6, 3, 1, 1])[0]
        mine, theirs = [c.text for c in columns if c.kind == kind], self.outer(kind, scope)
        if not mine or not theirs: return self.condition(columns, 1, scope)
        op = self.pick('=', '=', '=', '<', '>=', '<>', 'IS NOT DISTINCT FROM')
        side = theirs if self.chance(0.7) or kind != 'int' else f'({theirs} + {self.pick("0", "1", "-1")})'
        return f'{self.rng.choice(mine)} {op} {side}'

    def where(self, columns, level, scope):
        parts = []
        if scope and self.chance(0.75): parts.append(self.link(columns, scope))
        if self.chance(0.3): parts.append(self.condition(columns, 1, scope))
        if level > 0 and self.chance(0.35): parts.append(self.test(columns, level - 1, scope))
        return ' WHERE ' + self.pick(' AND ', ' AND ', ' OR ').join(parts) if parts else ''

    def source(self, level, scope):
        """(FROM clause, columns, a column unique in its rows or None)"""
        form = self.rng.random()
        if form < 0.5 or level < 0: return self.table()
        if form < 0.6 and scope:
            kind = self.kind()
            alias, column = self.name('u'), self.name('c')
            items = ', '.join(self.value(kind, [], scope) for _ in range(self.rng.randint(1, 3)))
            return f'UNNEST(ARRAY[{items}]) {alias}({column})', [Column(f'{alias}.{column}', kind)], None
        if form < 0.67 and scope:
            kinds = [self.kind() for _ in range(self.rng.randint(1, 2))]
            alias = self.name('v')
            names = [self.name('c') for _ in kinds]
            rows = ', '.join('(' + ', '.join(self.value(k, [], scope) for k in kinds) + ')' for _ in range(self.rng.randint(1, 3)))
            return f'(VALUES {rows}) {alias}({", ".join(names)})', [Column(f'{alias}.{n}', k) for n, k in zip(names, kinds)], None
        if form < 0.8:
            text, kinds = self.body(level - 1, scope, [self.kind() for _ in range(self.rng.randint(1, 3))])
            return self.derived(text, kinds)
        left, columns, _ = self.source(level - 1, scope)
        if self.chance(0.3):
            text, kinds = self.body(level - 1, tuple(columns) + tuple(scope), [self.kind()])
            right, more, _ = self.derived(text, kinds)
            join, on = self.pick(('CROSS JOIN', ''), ('LEFT JOIN', ' ON TRUE'), ('LEFT JOIN', ' ON ' + self.condition(columns + more, 1)))
            return f'{left} {join} LATERAL {right}{on}', columns + more, None
        right, more, _ = self.source(level - 1, scope)
        kind = self.pick('JOIN', 'LEFT JOIN', 'LEFT JOIN', 'RIGHT JOIN', 'FULL JOIN')
        equal = [(c.text, d.text) for c in columns for d in more if c.kind == d.kind and c.kind != 'bool']
        on = ' = '.join(self.rng.choice(equal)) if equal else self.condition(columns + more, 1)
        if scope and kind != 'FULL JOIN' and self.chance(0.4): on += ' AND ' + self.link(columns + more, scope)
        if level > 0 and kind in ('JOIN', 'LEFT JOIN') and self.chance(0.15): on += ' AND ' + self.test(columns + more, level - 1, scope)
        return f'{left} {kind} {right} ON {on}', columns + more, None

    def derived(self, text, kinds):
        alias = self.name('q')
        names = [self.name('c') for _ in kinds]
        return f'({text}) {alias}({", ".join(names)})', [Column(f'{alias}.{n}', k) for n, k in zip(names, kinds)], None

    def body(self, level, scope, kinds):
        """(a query that may use outer columns, kinds)"""
        if level > 0 and self.chance(0.2):
            left, right = self.body(level - 1, scope, kinds)[0], self.body(level - 1, scope, kinds)[0]
            return f'({left}) {self.pick("UNION", "UNION ALL", "INTERSECT", "EXCEPT", "INTERSECT ALL", "EXCEPT ALL")} ({right})', kinds
        source, columns, key = self.source(level, scope)
        where = self.where(columns, level, scope)
        form = self.rng.random()
        if form < 0.15:
            return f'SELECT {", ".join(self.aggregate(k, columns, 1) for k in kinds)} FROM {source}{where}', kinds
        if form < 0.35:
            keys = [Column(self.expression(k, columns, 1, scope if self.chance(0.3) else ()), k) for k in (self.kind() for _ in range(self.rng.randint(1, 2)))]
            keys = [k for k in keys if any(c.text in k.text for c in columns)] or columns[:1]
            items = []
            for kind in kinds:
                own = [k.text for k in keys if k.kind == kind]
                items.append(self.rng.choice(own) if own and self.chance(0.6) else self.aggregate(kind, columns, 1))
            grouping = ', '.join(dict.fromkeys(k.text for k in keys))
            plain = all(k.text.replace('.', '').replace('_', '').isalnum() for k in keys)
            if plain and self.chance(0.3): grouping = self.pick(f'ROLLUP ({grouping})', f'CUBE ({grouping})', f'GROUPING SETS (({grouping}), ())')
            having = f' HAVING {self.aggregate("int", columns, 1)} {self.comparison()} {self.outer("int", scope) or 1}' if self.chance(0.3) else ''
            return f'SELECT {", ".join(items)} FROM {source}{where} GROUP BY {grouping}{having}', kinds
        if form < 0.45:
            return f'SELECT {", ".join(self.window(k, columns, key) if k in ("int", "dbl", "str") else self.value(k, columns, scope) for k in kinds)} FROM {source}{where}', kinds
        items = [self.scalar(level - 1, tuple(columns) + tuple(scope), k) if level > 0 and self.chance(0.2) else self.value(k, columns, scope) for k in kinds]
        if key and self.chance(0.3):
            order = self.pick('', f'{self.value("int", columns, scope)} NULLS FIRST, ') + f'{key} {self.pick("ASC", "DESC")}'
            cut = (f' OFFSET {self.rng.randint(0, 2)}' if self.chance(0.3) else '') + f' LIMIT {self.rng.randint(0, 3)}'
            return f'SELECT {", ".join(items)} FROM {source}{where} ORDER BY {order}{cut}', kinds
        return f'SELECT {"DISTINCT " if self.chance(0.2) else ""}{", ".join(items)} FROM {source}{where}', kinds

    def scalar(self, level, scope, kind):
        form = self.rng.random()
        if form < 0.25:  # at most one row
            source, columns, key = self.table()
            return f'(SELECT {self.value(kind, columns, scope)} FROM {source}{self.where(columns, level, scope)} ORDER BY {key} LIMIT 1{self.pick("", " OFFSET 1")})'.replace(' LIMIT 1 OFFSET 1)', ' OFFSET 1 LIMIT 1)')
        if form < 0.35:
            return f'(SELECT {self.value(kind, [], scope, 0.8)})'
        if form < 0.5 and level > 0:
            text, kinds = self.body(level - 1, scope, [self.kind() for _ in range(2)])
            source, columns, _ = self.derived(text, kinds)
        else: source, columns, _ = self.source(level, scope)
        value = self.aggregate(kind, columns, 1)
        if self.chance(0.25): value = f'coalesce({value}, {self.value(kind, [], scope)})'
        having = f' HAVING count(*) {self.comparison()} {self.outer("int", scope) or 1}' if self.chance(0.1) else ''
        return f'(SELECT {value} FROM {source}{self.where(columns, level, scope)}{having})'

    def test(self, columns, level, scope=()):
        around = tuple(columns) + tuple(scope)
        k = self.rng.choices(['int', 'str', 'date', 'dbl'], [6, 3, 1, 1])[0]
        mine = self.expression(k, columns, 1, scope)
        text = self.pick(
            lambda: f'EXISTS ({self.body(level, around, [k])[0]})', lambda: f'NOT EXISTS ({self.body(level, around, [k])[0]})',
            lambda: f'{mine} IN ({self.body(level, around, [k])[0]})', lambda: f'{mine} NOT IN ({self.body(level, around, [k])[0]})',
            lambda: f'{mine} {self.comparison()} {self.pick("ANY", "ALL")} ({self.body(level, around, [k])[0]})',
            lambda: f'{mine} {self.comparison()} {self.scalar(level, around, k)}')()
        return f'({text})'

    def query(self):
        self.names = 0
        self.own = False
        level = self.rng.choice([0, 1, 1, 2])
        source, columns, key = self.table()
        scope = tuple(columns)
        form = self.rng.random()
        if form < 0.35:
            items = [self.pick(lambda: self.scalar(level, scope, self.kind()), lambda: self.test(columns, level),
                               lambda: f'CASE WHEN {self.test(columns, level)} THEN {self.scalar(level, scope, "int")} ELSE -1 END')() for _ in range(self.rng.randint(1, 2))]
            text = f'SELECT {key}, {", ".join(items)} FROM {source}'
        elif form < 0.6: text = f'SELECT {key} FROM {source} WHERE {self.test(columns, level)} {self.pick("AND", "OR")} {self.test(columns, level)}'
        elif form < 0.8:
            body, kinds = self.body(level, scope, [self.kind() for _ in range(self.rng.randint(1, 2))])
            right, more, _ = self.derived(body, kinds)
            join, on = self.pick(('CROSS JOIN', ''), ('LEFT JOIN', ' ON TRUE'), ('JOIN', ' ON ' + self.condition(columns + more, 1)), ('LEFT JOIN', ' ON ' + self.condition(columns + more, 1)))
            text = f'SELECT {key}, {", ".join(c.text for c in more)} FROM {source} {join} LATERAL {right}{on}'
        elif form < 0.9:
            group = self.rng.choice([c for c in columns if c.kind in ('int', 'str')])
            text = f'SELECT {group.text}, sum({self.scalar(level, scope, "int")}), count(*) FROM {source} GROUP BY {group.text} HAVING {self.pick("", "NOT ")}EXISTS ({self.body(level, (group,), ["int"])[0]})'
        else:
            other, more, _ = self.table()
            text = f'SELECT {key}, {more[0].text} FROM {source} {self.pick("JOIN", "LEFT JOIN", "RIGHT JOIN")} {other} ON {self.test(columns + more, level)}'
        return text, False, False


if __name__ == '__main__': main(CorrelatedGenerator)
