#!/usr/bin/env python3
"""What a query over Parquet must read: the column chunks of the named columns in the surviving row groups.

usage: check_bytes.py PATH --columns a,b,c [--where "a >= 5 and a < 9"] [--row-groups 0,3] [--files]
       check_bytes.py PATH --columns … --expect BYTES        exit code 1 unless the sum is BYTES
needs: pip install pyarrow

PATH is a file or a folder (hidden names skipped). A chunk's bytes are its total_compressed_size, which counts its dictionary
page, its data pages and their headers. --where keeps row groups (and key=value folders) that the statistics do not rule out:
comparisons (=, <, <=, >, >=, between … and …, in (…)) of a column with literals, joined by and. Footers are listed apart.
A nested column counts all its leaves; name one leaf by its dotted path. * is every column.
"""
import argparse, datetime as dt, decimal, os, re, struct, sys, urllib.parse

import pyarrow.parquet as pq


def files_of(path):
    if os.path.isfile(path): return [path]
    found = []
    for folder, dirs, names in os.walk(path):
        dirs[:] = sorted(d for d in dirs if d[0] not in '._')
        found += [os.path.join(folder, n) for n in sorted(names) if n[0] not in '._']
    return found


def literal(text):
    text = text.strip()
    m = re.fullmatch(r"(?:(date|timestamp)\s*)?'((?:[^']|'')*)'", text, re.I)
    if m:
        value = m.group(2).replace("''", "'")
        if (m.group(1) or '').lower() == 'date': return dt.date.fromisoformat(value)
        if (m.group(1) or '').lower() == 'timestamp': return dt.datetime.fromisoformat(value)
        return value
    return decimal.Decimal(text)


def conditions(where):
    """[(column, low, low_open, high, high_open, set)]"""
    found = []
    text = re.sub(r"(?i)(\S+)\s+between\s+((?:date\s+|timestamp\s+)?(?:'[^']*'|\S+))\s+and\s+((?:date\s+|timestamp\s+)?(?:'[^']*'|\S+))", r'\1 >= \2 and \1 <= \3', where or '')
    for part in filter(None, (p.strip() for p in re.split(r'(?i)\s+and\s+', text))):
        m = re.fullmatch(r"(?i)(\S+)\s+in\s*\((.*)\)", part)
        if m:
            found.append((m.group(1).lower(), 'in', [literal(x) for x in m.group(2).split(',')])); continue
        m = re.fullmatch(r'([^\s<>=]+)\s*(<=|>=|=|<|>)\s*(.+)', part)
        if not m: sys.exit(f'check_bytes.py: cannot read condition {part!r}')
        found.append((m.group(1).lower(), m.group(2), literal(m.group(3))))
    return found


def alike(value, bound):
    """value in bound's type, so that the two compare."""
    if isinstance(bound, decimal.Decimal) and not isinstance(value, decimal.Decimal): return decimal.Decimal(str(value))
    if isinstance(bound, str) and isinstance(value, bytes): return value.decode('utf-8', 'replace')
    if isinstance(bound, dt.datetime) and isinstance(value, dt.date) and not isinstance(value, dt.datetime): return dt.datetime.combine(value, dt.time())
    if isinstance(bound, dt.date) and isinstance(value, dt.datetime) and not isinstance(bound, dt.datetime): return value.date()
    return value


def possible(low, high, op, bound):
    if op == 'in': return any(possible(low, high, '=', b) for b in bound)
    low, high = alike(low, bound), alike(high, bound)
    return {'=': low <= bound <= high, '<': low < bound, '<=': low <= bound, '>': high > bound, '>=': high >= bound}[op]


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument('path'); a.add_argument('--columns', default=''); a.add_argument('--where'); a.add_argument('--row-groups')
    a.add_argument('--files', action='store_true'); a.add_argument('--expect', type=int)
    a = a.parse_args()
    wanted = {c.strip().lower() for c in a.columns.split(',') if c.strip()}
    tests = conditions(a.where)
    only = {int(x) for x in a.row_groups.split(',')} if a.row_groups else None
    total = footers = dictionaries = groups = kept = files = kept_files = chunks = file_bytes = 0
    for path in files_of(a.path):
        files += 1; file_bytes += os.path.getsize(path)
        keys = {}
        for part in os.path.relpath(path, a.path).split(os.sep)[:-1] if os.path.isdir(a.path) else []:
            if '=' in part:
                k, v = part.split('=', 1); keys[k.lower()] = None if v == '__HIVE_DEFAULT_PARTITION__' else urllib.parse.unquote(v)
        m = pq.read_metadata(path)
        ruled_out = False
        for c, op, bound in tests:
            if c in keys:
                v = keys[c]
                if v is None: ruled_out = True; continue
                b0 = bound[0] if op == 'in' else bound
                typed = decimal.Decimal(v) if isinstance(b0, decimal.Decimal) else dt.date.fromisoformat(v) if isinstance(b0, dt.date) else v
                ruled_out |= not possible(typed, typed, op, bound)
        if ruled_out: continue
        kept_files += 1
        with open(path, 'rb') as f: f.seek(-8, 2); footers += struct.unpack('<I', f.read(4))[0] + 8
        mine = 0
        for g in range(m.num_row_groups):
            groups += 1
            if only is not None and g not in only: continue
            rg = m.row_group(g); survives = True
            leaves = [rg.column(i) for i in range(rg.num_columns)]
            for c, op, bound in tests:
                for leaf in leaves:
                    if leaf.path_in_schema.lower() == c and leaf.statistics is not None and leaf.statistics.has_min_max: survives &= possible(leaf.statistics.min, leaf.statistics.max, op, bound)
                    elif leaf.path_in_schema.lower() == c and leaf.statistics is not None and leaf.statistics.has_null_count and leaf.statistics.null_count == leaf.num_values: survives = False
            if not survives: continue
            kept += 1
            for leaf in leaves:
                p = leaf.path_in_schema.lower()
                if '*' in wanted or p in wanted or p.split('.')[0] in wanted:
                    mine += leaf.total_compressed_size; chunks += 1
                    if leaf.has_dictionary_page and leaf.dictionary_page_offset: dictionaries += max(leaf.data_page_offset - leaf.dictionary_page_offset, 0)
        total += mine
        if a.files: print(f'{path}: {mine}')
    print(f'column chunks: {total} bytes in {chunks} chunks (of which dictionary pages {dictionaries})')
    print(f'row groups: {kept} of {groups} · files: {kept_files} of {files} · file sizes: {file_bytes} bytes · footers of the files read: {footers} bytes')
    if a.expect is not None:
        print('equal' if a.expect == total else f'DIFFERENT: expected {a.expect}, {a.expect - total:+d}')
        return 0 if a.expect == total else 1


if __name__ == '__main__': sys.exit(main())
