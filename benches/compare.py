#!/usr/bin/env python3
"""How long the same file takes to the same PostgreSQL, by each way that is installed here.

Measured are whole processes: wall time, the client's processor time, the client's peak memory. The server's part is in the
wall time. Every contender has to leave the same target (OUTCOME), or its time does not count. Rounds alternate between the
contenders, so that a slow minute of the machine is everybody's; what is compared is the median.

The yardstick, "limit", is the server by itself: COPY of binary files that lie on its disk, in one session, then keys, index
and foreign key. No client takes part, and no SQLite.

Called by script/bench, which makes the file and the server.
"""

import argparse
import importlib.util
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from dataclasses import dataclass, field

TABLES = {
    "tracks": "track_id text, name text NOT NULL, artist_name text NOT NULL, album_name text, duration_ms integer,"
    " spotify_url text, raw_json jsonb",
    "snapshots": "track_id text NOT NULL, snapshot_date date NOT NULL, time_range text NOT NULL, rank integer NOT NULL",
}
KEYS = [
    "ALTER TABLE tracks ADD PRIMARY KEY (track_id)",
    "ALTER TABLE snapshots ADD PRIMARY KEY (track_id, snapshot_date, time_range)",
    "CREATE INDEX idx_snapshots_date ON snapshots (snapshot_date, time_range)",
    "ALTER TABLE snapshots ADD FOREIGN KEY (track_id) REFERENCES tracks",
]
CLEAN = "DROP TABLE IF EXISTS snapshots, tracks CASCADE; DROP SCHEMA IF EXISTS mtm CASCADE;" \
    " DROP TABLE IF EXISTS seaql_migrations; CHECKPOINT"
# Rows of both tables, payloads that are objects, the two types that must not be text, valid indexes, valid foreign keys.
OUTCOME = """
SELECT (SELECT count(*) FROM tracks), (SELECT count(*) FROM snapshots),
  (SELECT count(*) FROM tracks WHERE jsonb_typeof(raw_json::jsonb) = 'object'),
  (SELECT string_agg(format_type(atttypid, NULL), ' ' ORDER BY attname) FROM pg_attribute
   WHERE attrelid IN ('tracks'::regclass, 'snapshots'::regclass) AND attname IN ('raw_json', 'snapshot_date')),
  (SELECT count(*) FROM pg_index WHERE indrelid IN ('tracks'::regclass, 'snapshots'::regclass) AND indisvalid),
  (SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND convalidated AND conrelid = 'snapshots'::regclass)
"""
LONGEST_S = 600

# What a user would write in an evening: a loop over SQLite's rows.
SCRIPTS = {
    "psycopg2": """
import json, sqlite3, sys, psycopg2
from psycopg2.extras import Json, execute_values
source, target = sqlite3.connect(sys.argv[1]), psycopg2.connect(sys.argv[2])
cursor = target.cursor()
tracks = ((*row[:6], Json(json.loads(row[6]))) for row in source.execute("SELECT * FROM tracks"))
execute_values(cursor, "INSERT INTO tracks VALUES %s", tracks, page_size=1000)
execute_values(cursor, "INSERT INTO snapshots VALUES %s", source.execute("SELECT * FROM snapshots"), page_size=1000)
target.commit()
""",
    "psycopg": """
import sqlite3, sys, psycopg
source = sqlite3.connect(sys.argv[1])
with psycopg.connect(sys.argv[2]) as target, target.cursor() as cursor:
    for table in ("tracks", "snapshots"):
        with cursor.copy(f"COPY {table} FROM STDIN") as copy:
            for row in source.execute(f"SELECT * FROM {table}"):
                copy.write_row(row)
""",
    "duckdb": """
import sys, duckdb
from duckdb_extensions import import_extension
session = duckdb.connect()
for extension in ("sqlite_scanner", "postgres_scanner"):
    import_extension(extension, con=session)
    session.execute(f"LOAD {extension}")
session.execute(f"ATTACH '{sys.argv[1]}' AS source (TYPE sqlite)")
session.execute(f"ATTACH '{sys.argv[2]}' AS target (TYPE postgres)")
session.execute("INSERT INTO target.tracks SELECT * REPLACE (duration_ms::int AS duration_ms, raw_json::json AS raw_json)"
                " FROM source.tracks")
session.execute("INSERT INTO target.snapshots SELECT * REPLACE (snapshot_date::date AS snapshot_date, rank::int AS rank)"
                " FROM source.snapshots")
""",
}


@dataclass
class Contender:
    """A way to bring the file over."""

    name: str
    command: list
    # What is made before the clock starts.
    before: list = field(default_factory=list)
    # Whether it goes on from what the contender before it left.
    follows: bool = False
    runs: list = field(default_factory=list)


def psql(url, *statements):
    command = ["psql", "-qAtX", "-v", "ON_ERROR_STOP=1", url]
    for statement in statements:
        command += ["-c", statement]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr.strip())
    return done.stdout.strip()


def timed(command):
    """Wall seconds, processor seconds, peak MiB, and what went wrong, if anything did."""
    with tempfile.TemporaryFile() as output:
        begun = time.monotonic()
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        guard = threading.Timer(LONGEST_S, process.kill)
        guard.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - begun
        guard.cancel()
        output.seek(0)
        said = output.read()[-400:].decode("utf-8", "replace").strip()
    code = os.waitstatus_to_exitcode(status)
    fault = None if code == 0 else f"exit {code}: {said}"
    return (wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024), fault


def contenders(arguments, folder):
    database, url = arguments.database, arguments.url
    limit = folder / "limit.sql"
    statements = [f"CREATE TABLE {table} ({columns})" for table, columns in TABLES.items()]
    statements += [f"COPY {table} FROM '{folder}/{table}.bin' (FORMAT binary)" for table in TABLES]
    limit.write_text(";\n".join(statements + KEYS) + ";\n")
    ends = ["--source", database, "--target", url, "--mapping", arguments.mapping, "--quiet"]
    yield Contender("limit", ["psql", "-qX", "-v", "ON_ERROR_STOP=1", url, "-f", str(limit)])
    yield Contender("mtm apply", [arguments.mtm, "apply", "--yes", *ends])
    yield Contender("mtm verify", [arguments.mtm, "verify", *ends], follows=True)
    tables = [f"CREATE TABLE {table} ({columns})" for table, columns in TABLES.items()]
    for module, script in SCRIPTS.items():
        if importlib.util.find_spec(module):
            yield Contender(module, [sys.executable, "-c", script, database, url], before=tables + KEYS)
    if shutil.which("pgloader"):
        load = folder / "pgloader.load"
        parts = urllib.parse.urlsplit(url)
        socket = urllib.parse.parse_qs(parts.query).get("host", [None])[0]
        # It has a spelling of its own for a server on a socket.
        target = f"postgresql://{parts.username}@unix:{socket}:{parts.port or 5432}{parts.path}" if socket else url
        load.write_text(
            f"LOAD DATABASE FROM sqlite://{database} INTO {target}\n"
            "WITH include drop, create tables, create indexes, reset sequences, workers = 2, concurrency = 1\n"
            "CAST column tracks.raw_json to jsonb, column snapshots.snapshot_date to date;\n"
        )
        yield Contender("pgloader", ["pgloader", str(load)])


def main():
    parser = argparse.ArgumentParser(description="Times each way from one SQLite file into PostgreSQL.")
    parser.add_argument("--database", required=True, help="the SQLite file, as examples/sample.rs writes it")
    parser.add_argument("--url", required=True, help="a database to play in: its tables are DROPPED; as a superuser")
    parser.add_argument("--mtm", default="target/release/mtm")
    parser.add_argument("--mapping", default="mappings/examples/bench.yaml")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", help="contenders, with commas between; the limit always takes part")
    arguments = parser.parse_args()
    arguments.database = os.path.abspath(arguments.database)

    folder = pathlib.Path(tempfile.mkdtemp(prefix="mtm-bench-"))
    # The server reads and writes there, as another user perhaps.
    folder.chmod(0o777)
    chosen = [name for name in arguments.only.split(",") if name]
    known = list(contenders(arguments, folder))
    running = [c for c in known if not chosen or c.name in ["limit", *chosen]]

    apply = next(c for c in known if c.name == "mtm apply")
    psql(arguments.url, CLEAN)
    _, fault = timed(apply.command)
    if fault:
        sys.exit(f"mtm apply: {fault}")
    wanted = psql(arguments.url, OUTCOME)
    for table in TABLES:
        psql(arguments.url, f"COPY {table} TO '{folder}/{table}.bin' (FORMAT binary)")

    for number in range(1, arguments.rounds + 1):
        for contender in running:
            if not contender.follows:
                psql(arguments.url, CLEAN, *contender.before)
            measured, fault = timed(contender.command)
            if not fault:
                found = psql(arguments.url, OUTCOME)
                fault = None if found == wanted else f"left {found}, and not {wanted}"
            print(f"round {number}  {contender.name:11} {measured[0]:7.2f} s  {fault or 'ok'}", flush=True)
            if not fault:
                contender.runs.append(measured)
    shutil.rmtree(folder, ignore_errors=True)

    limit = statistics.median(wall for wall, _, _ in running[0].runs)
    print(f"\n{'contender':11} {'median s':>9} {'x limit':>8} {'client cpu s':>13} {'peak MiB':>9}")
    for contender in running:
        if contender.runs:
            wall, processor, memory = (statistics.median(column) for column in zip(*contender.runs))
            print(f"{contender.name:11} {wall:9.2f} {wall / limit:8.2f} {processor:13.2f} {memory:9.0f}")


if __name__ == "__main__":
    main()
