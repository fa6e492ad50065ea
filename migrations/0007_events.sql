-- The event log: one sequence without gaps for each workspace, appended in the transaction of the
-- change that it tells of, never changed. The payload is the packed public message; SQL reports read
-- other tables.
--
-- The key ends with the time, so that the table can be partitioned by it: a partitioned table's key
-- must hold the column it is partitioned by.
--
-- Makes a table; locks nothing that exists.
CREATE TABLE events (
  workspace_id text COLLATE "C" NOT NULL,
  sequence bigint NOT NULL,
  time timestamptz NOT NULL,
  type text NOT NULL,
  task_id text COLLATE "C" NOT NULL,
  worker_id text COLLATE "C" NOT NULL,
  reservation_id text COLLATE "C" NOT NULL,
  payload bytea NOT NULL,
  PRIMARY KEY (workspace_id, sequence, time)
);

-- For listing the events of one task, worker or reservation.
CREATE INDEX events_by_task ON events (workspace_id, task_id, sequence) WHERE task_id <> '';
CREATE INDEX events_by_worker ON events (workspace_id, worker_id, sequence) WHERE worker_id <> '';
CREATE INDEX events_by_reservation ON events (workspace_id, reservation_id, sequence)
  WHERE reservation_id <> '';
