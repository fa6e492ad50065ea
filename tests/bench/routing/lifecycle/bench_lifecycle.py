"""Durable lifecycles per second: 64 clients take tasks from creation to completion over gRPC, on a
PostgreSQL that syncs every commit.

The bound: a bare client of PostgreSQL writes the same rows and events into the same tables of the same
cluster, copied from those that the run has left, in transactions of as many lifecycles as suit it
best. It has no gRPC, no matching and nobody who waits for an answer.
"""
import functools
import os
import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "support"))
import pg  # noqa: E402
import routing as r  # noqa: E402

CLIENTS = 64
RUN_S = 8
BOUND_S = 3
BATCHES = (16, 64, 256, 1024)
WORKERS = 16
BUILD = pathlib.Path(os.environ["BUILD_DIR"])


def run_clients(service, seconds):
    done = subprocess.run([BUILD / "tests/bench/routing/lifecycle/lifecycle_clients", service.address, "bench",
                           str(CLIENTS), str(seconds)], capture_output=True, text=True, check=False)
    if done.returncode:
        service.show_log()
        sys.exit(done.stderr)
    return float(done.stdout)


@functools.lru_cache(None)
def columns(database, table):
    return [name for (name,) in database.rows(
        f"SELECT attname FROM pg_attribute WHERE attrelid = '{table}'::regclass AND attnum > 0"
        " AND NOT attisdropped ORDER BY attnum")]


def copy(database, table, changed, source):
    """INSERT of rows like those of `source`, with other values in some columns."""
    names = columns(database, table)
    values = ", ".join(changed.get(name, f"s.{name}") for name in names)
    return f"INSERT INTO {table} ({', '.join(names)}) SELECT {values} FROM {source}"


class Writer:
    """One psql that is fed transactions."""

    def __init__(self, database):
        self.database = database
        self.task = database.value("SELECT id FROM tasks WHERE workspace_id = 'bench' AND state = 5 LIMIT 1")
        self.per_lifecycle = int(database.value(
            f"SELECT count(*) FROM events WHERE workspace_id = 'bench' AND task_id = '{self.task}'"))
        self.number, self.sequence = 0, 0

    def templates(self):
        """Temporary tables with the rows of one lifecycle, so that copying them costs nothing."""
        mine = f"WHERE workspace_id = 'bench' AND {{}} = '{self.task}'"
        return (f"CREATE TEMP TABLE one_task AS SELECT * FROM tasks {mine.format('id')};\n"
                f"CREATE TEMP TABLE one_reservation AS SELECT * FROM reservations {mine.format('task_id')};\n"
                "CREATE TEMP TABLE its_events AS SELECT *, row_number() OVER (ORDER BY sequence) AS place"
                f" FROM events {mine.format('task_id')};\n")

    def transactions(self, batch):
        """What a batch of lifecycles costs: created and offered, accepted, completed."""
        first, last = self.number + 1, self.number + batch
        numbers = f"generate_series({first}, {last}) AS g"
        ids = ", ".join(f"'t-{g}'" for g in range(first, last + 1))
        those = f"workspace_id = 'bound' AND id = ANY (ARRAY[{ids}])"
        fence = "UPDATE shards SET batch = batch + 1 WHERE shard_id = 0"
        parts = []
        for step in range(3):
            places = [self.per_lifecycle * n // 3 for n in (step, step + 1)]
            if step == 0:
                rows = copy(self.database, "tasks", {"workspace_id": "'bound'", "id": "'t-' || g"},
                            f"one_task s, {numbers}") + ";" + \
                    copy(self.database, "reservations",
                         {"workspace_id": "'bound'", "id": "'t-' || g", "task_id": "'t-' || g"},
                         f"one_reservation s, {numbers}")
            else:
                rows = f"UPDATE tasks SET version = version + 1, update_time = now() WHERE {those};" \
                       f"UPDATE reservations SET version = version + 1, update_time = now() WHERE {those}"
            events = copy(self.database, "events", {
                "workspace_id": "'bound'", "time": "now()",
                "sequence": f"{self.sequence} + row_number() OVER ()"},
                f"its_events s, {numbers} WHERE s.place > {places[0]} AND s.place <= {places[1]}")
            self.sequence += batch * (places[1] - places[0])
            parts.append(f"BEGIN; {rows}; {events}; {fence}; COMMIT;\n")
        self.number = last
        return "".join(parts)

    def measure(self, batch):
        psql = subprocess.Popen([pg.binaries() / "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d",
                                 self.database.url], stdin=subprocess.PIPE, text=True, stdout=subprocess.DEVNULL)
        psql.stdin.write(self.templates())
        first, start = self.number, time.monotonic()
        while time.monotonic() - start < BOUND_S:
            psql.stdin.write(self.transactions(batch))
            psql.stdin.flush()
            if psql.poll() is not None:
                sys.exit("the writer failed")
        psql.stdin.close()
        if psql.wait() != 0:
            sys.exit("the writer failed")
        return (self.number - first) / (time.monotonic() - start)


def main():
    with pg.Cluster(durable=True) as cluster:
        database = cluster.create_database()
        with r.RoutingService(database=database) as service:
            bench = r.Workspace(service, "bench")
            for i in range(WORKERS):
                bench.add_worker(f"w{i}", activity="available", capacities={"chat": 1000})
            run_clients(service, 2)  # warm
            value = run_clients(service, RUN_S)
            commits = service.metric("cordboard_routing_commits_total")
            steps = service.metric("cordboard_routing_steps_total")
        writer = Writer(database)
        bound = max(writer.measure(batch) for batch in BATCHES)
    print(f"RESULT lifecycle_per_s {value:.0f} 1/s")
    print(f"RESULT lifecycle_per_s.bound {bound:.0f} 1/s")
    print(f"RESULT lifecycle_per_s.ratio {value / bound:.3f} 1")
    print(f"RESULT lifecycle_per_s.steps_per_commit {steps / commits:.1f} 1")


if __name__ == "__main__":
    main()
