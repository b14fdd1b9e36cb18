#!/usr/bin/env python3
"""Fuzz the engine with libFuzzer under AddressSanitizer.

usage: fuzz.py [--seconds 60] [--debug] [TARGET...]

Builds the package beside this file into .build-fuzz, collects seeds from the SQL cases, the tests' fixtures and sample-data,
and runs each target (default: all) for so many seconds of one core. An input that ends the process, or that does not end
within 25 seconds, is kept in .build-fuzz/found and makes the exit code 1. Found inputs that were mended are kept in Found/,
which every run repeats first.
"""
import argparse, glob, os, re, shutil, subprocess, sys

HERE = os.path.dirname(os.path.abspath(__file__)); ROOT = os.path.dirname(os.path.dirname(HERE))
STATEMENTS = ['sql', 'plan']
FILES = ['csv', 'tsv', 'json', 'parquet', 'orc', 'avro', 'ion', 'csv.gz', 'csv.zst', 'csv.bz2', 'csv.lz4', 'csv.snappy', 'csv.br', 'csv.deflate']


def statements():
    for path in sorted(glob.glob(f'{ROOT}/Tests/SQLLogicTests/Cases/**/*.slt', recursive=True)):
        for record in open(path, errors='replace').read().split('\n\n'):
            lines = [line for line in record.split('\n') if not line.startswith('#')]
            while lines and re.match(r'(skipif|onlyif|include|halt)\b', lines[0]): lines.pop(0)
            if len(lines) > 1 and re.match(r'(statement|query|statistics)\b', lines[0]):
                text = '\n'.join(lines[1:]).split('\n----')[0]
                if '$FOLDER' not in text: yield text.encode()


def files(ending):
    for folder in ('sample-data', 'Tests/FileFormatsTests/Fixtures', 'Tests/ObjectStoreTests'):
        for path in sorted(glob.glob(f'{ROOT}/{folder}/**/*.{ending}', recursive=True)):
            if os.path.getsize(path) <= 32 << 10: yield open(path, 'rb').read()
    if ending.startswith('csv.'):
        tool = {'gz': ['gzip'], 'zst': ['zstd', '-q'], 'bz2': ['bzip2'], 'lz4': ['lz4', '-q'], 'br': ['brotli']}.get(ending[4:])
        if tool and shutil.which(tool[0]):
            for text in (b'a,b\n1,x\n2,y\n', b'a,b\n' + b'17,seventeen\n' * 900):
                yield subprocess.run(tool + ['-c'], input=text, capture_output=True, check=True).stdout


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument('--seconds', type=int, default=60); a.add_argument('--debug', action='store_true'); a.add_argument('target', nargs='*')
    a = a.parse_args()
    work = f'{ROOT}/.build-fuzz'
    runtime = os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(shutil.which('swiftc')))), 'lib/clang')
    libraries = glob.glob(f'{runtime}/*/lib/linux/libclang_rt.fuzzer_no_main-*.a')
    if not libraries: sys.exit('the toolchain has no libFuzzer')
    kind = 'debug' if a.debug else 'release'
    subprocess.run(
        ['swift', 'build', '--package-path', HERE, '--scratch-path', work, '-c', kind, '--sanitize', 'address', '--quiet',
         '-Xswiftc', '-sanitize-coverage=edge,trace-cmp,inline-8bit-counters', '-Xlinker', libraries[0]], check=True)
    # The runtime's own backtracer waits for a process that the sanitizer has stopped.
    environment = dict(os.environ, SWIFT_BACKTRACE='enable=no', ASAN_OPTIONS='detect_leaks=0:allocator_may_return_null=1:quarantine_size_mb=16')
    bad = []
    for target in a.target or STATEMENTS + FILES:
        corpus = f'{work}/corpus/{target}'; found = f'{work}/found/{target}'
        os.makedirs(corpus, exist_ok=True); os.makedirs(found, exist_ok=True)
        for number, seed in enumerate(statements() if target in STATEMENTS else files(target)):
            open(f'{corpus}/seed{number:05}', 'wb').write(seed)
        for path in glob.glob(f'{HERE}/Found/{target}/*'): shutil.copy(path, corpus)
        command = [f'{work}/{kind}/Fuzz', corpus, f'-max_total_time={a.seconds}', '-timeout=25', '-rss_limit_mb=3000', '-malloc_limit_mb=2000',
                   '-max_len=65536', '-print_final_stats=1', '-verbosity=1', f'-artifact_prefix={found}/']
        if target in STATEMENTS:
            words = f'{work}/words'
            open(words, 'w').write(''.join(f'"{w}"\n' for w in sorted(set(re.findall(r'[A-Za-z_]{3,}', b' '.join(statements()).decode()))) ))
            command.append(f'-dict={words}')
        log = open(f'{work}/{target}.log', 'w')
        run = subprocess.run(command, stdout=log, stderr=log, cwd=work, env=dict(environment, SQLQ_FUZZ_TARGET=target))
        text = open(f'{work}/{target}.log', errors='replace').read()
        count = re.search(r'number_of_executed_units: (\d+)', text); edges = re.findall(r' cov: (\d+)', text)
        print(f'{target}: {count.group(1) if count else "?"} inputs, {edges[-1] if edges else "?"} edges, exit {run.returncode}', flush=True)
        if run.returncode: bad.append(target); print('\n'.join(line for line in text.split('\n') if 'ERROR' in line or 'Test unit' in line or 'Fatal error' in line))
    for folder in glob.glob('/dev/shm/sqlq-fuzz-*'): shutil.rmtree(folder, ignore_errors=True)
    sys.exit(1 if bad else 0)


main()
