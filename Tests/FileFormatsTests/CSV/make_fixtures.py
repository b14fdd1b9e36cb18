"""Writes the text fixtures; expected rows come from Python's csv and json modules."""
import bz2, csv, gzip, io, json, os, random

folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Fixtures", "text")


def write(name, data):
    with open(os.path.join(folder, name), "wb") as f:
        f.write(data)


def expected(name, rows):
    # One JSON-like line per row: fields by 0x1f, rows by 0x1e, NULL as 0x00.
    text = "\x1e".join("\x1f".join("\x00" if v is None else v for v in row) for row in rows)
    write(name, text.encode())


def quoted_csv():
    random.seed(7)
    pieces = ["a", "b,", '"', "\n", "\r\n", "x y", "é", ",", "", "zz", "漢字", '""', "'", "\t", ";"]
    rows = [["id", "t1", "t2", "n"]]
    for i in range(400):
        rows.append([str(i), "".join(random.choices(pieces, k=random.randint(0, 6))),
                     "v" + "".join(random.choices(pieces, k=random.randint(0, 9))), str(random.randint(-9999, 9999))])
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    data = out.getvalue().encode()
    write("quoted.csv", data)
    parsed = list(csv.reader(io.StringIO(data.decode(), newline="")))
    # An unquoted empty field is NULL; the csv writer quotes only what needs it.
    expected("quoted.expected", [[None if v == "" else v for v in row] for row in parsed[1:]])


def stray_csv():
    """Quotes inside unquoted fields, text behind closing quotes: as Python's csv module reads them."""
    random.seed(8)
    rows = []
    for i in range(300):
        kind = random.randint(0, 4)
        cells = ['%d' % i]
        for _ in range(2):
            cells.append(random.choice(['5" pipe', 'a"b"c', '"q""q"', '"x,y"', '"a"tail', 'plain', "w\"", '"line\nend"', "b'"]))
        rows.append(",".join(cells))
    data = ("\n".join(rows) + "\n").encode()
    write("stray.csv", data)
    expected("stray.expected", list(csv.reader(io.StringIO(data.decode(), newline=""))))


def compressed():
    rows = ["id,name,score"] + ["%d,name %d,%.2f" % (i, i % 17, i / 7) for i in range(3000)]
    data = ("\n".join(rows) + "\n").encode()
    write("plain.csv", data)
    write("plain.csv.gz", gzip.compress(data, mtime=0))
    write("plain.csv.bz2", bz2.compress(data))
    lines = [json.dumps({"id": i, "name": "name %d" % (i % 17), "score": round(i / 7, 2)}) for i in range(1500)]
    write("plain.json.gz", gzip.compress(("\n".join(lines) + "\n").encode(), mtime=0))


def doubles():
    random.seed(9)
    values = ["0", "-0", "1e23", "8.5e-324", "2.2250738585072011e-308", "1.7976931348623157e308", "1.8e308", "9007199254740993",
              "0.1", "123456789012345678901234567890", "3.4028236e38", "1.17549435e-38", "7.006492321624085e-46", "5e-324",
              "2.4703282292062327e-324", "2.4703282292062328e-324", "179769313486231580793e289", ".5", "5.", "1E5", "1e+5",
              "6929495644600919.5", "9007199254740992.5", "9007199254740993.00000000000000000000000001"]
    for _ in range(500):
        values.append(repr(random.uniform(-1e6, 1e6)))
        values.append("%.2f" % random.uniform(-1e5, 1e5))
        values.append("%de%d" % (random.getrandbits(63), random.randint(-340, 300)))
        values.append("%d.%de%d" % (random.getrandbits(40), random.getrandbits(80), random.randint(-330, 290)))
        values.append("%d.%d" % (random.getrandbits(random.randint(1, 60)), random.getrandbits(random.randint(1, 60))))
    import struct
    lines = ["%s %d %d" % (v, struct.unpack("<Q", struct.pack("<d", float(v)))[0], f32(v)) for v in values]
    write("doubles.txt", "\n".join(lines).encode())


def f32(text):
    import ctypes
    libc = ctypes.CDLL("libc.so.6")
    libc.strtof.restype = ctypes.c_float
    import struct
    return struct.unpack("<I", struct.pack("<f", libc.strtof(text.encode(), None)))[0]


def json_lines():
    random.seed(10)
    rows, out = [], []
    for i in range(500):
        row = {"id": i, "name": random.choice(["x", 'q"q', "back\\slash", "tab\t", "é漢😀", "", "a,b{}[]:"]),
               "score": random.choice([None, 1.5, -2.25e10, 3]), "ok": random.choice([True, False, None]),
               "tags": [random.choice(["a", "b\n", "]"]) for _ in range(random.randint(0, 3))],
               "o": {"k": random.randint(0, 9), "s": random.choice(["}", '"', "z"])}}
        if random.random() < 0.2:
            del row[random.choice(["name", "score", "ok", "tags", "o"])]
        keys = list(row)
        if random.random() < 0.3:
            random.shuffle(keys)
        row = {k: row[k] for k in keys}
        line = json.dumps(row, ensure_ascii=random.random() < 0.5, separators=random.choice([(",", ":"), (", ", ": "), (" , ", " : ")]))
        out.append(line)
        def text(v):
            if v is None: return None
            if isinstance(v, bool): return "true" if v else "false"
            if isinstance(v, float) or isinstance(v, int): return repr(v)
            return v
        tags = row.get("tags")
        o = row.get("o")
        score = row.get("score")
        rows.append([str(row["id"]), row.get("name"), None if score is None else repr(float(score)), text(row.get("ok")),
                     None if tags is None else "[" + ", ".join(tags) + "]", None if o is None else "{%d, %s}" % (o["k"], o["s"])])
    write("lines.json", ("\n".join(out) + "\n").encode())
    expected("lines.expected", rows)
    write("array.json", ("[\n" + ",\n".join(json.dumps(json.loads(l), indent=2) for l in out) + "\n]\n").encode())
    write("pretty.json", ("\n".join(json.dumps(json.loads(l), indent=1) for l in out[:100])).encode())


os.makedirs(folder, exist_ok=True)
quoted_csv(); stray_csv(); compressed(); doubles(); json_lines()
