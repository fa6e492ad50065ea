-- Tasks and reservations: the rows that change most. Room is left in each page, so that an update
-- stays in it and touches no index.
--
-- Makes tables; locks nothing that exists.
CREATE TABLE tasks (
  workspace_id text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  workflow_id text COLLATE "C" NOT NULL,
  task_channel_id text COLLATE "C" NOT NULL,
  attributes text NOT NULL,
  priority integer NOT NULL,
  ttl_us bigint NOT NULL,
  virtual_start_time timestamptz,
  state integer NOT NULL,
  reason text NOT NULL,
  task_queue_id text COLLATE "C" NOT NULL,
  task_queue_enter_time timestamptz,
  assignment_count integer NOT NULL,
  filter_index integer NOT NULL,
  target_index integer NOT NULL,
  target_start_time timestamptz,
  target_expire_time timestamptz,
  expire_time timestamptz,
  bridge_id text COLLATE "C" NOT NULL,
  call_id text COLLATE "C" NOT NULL,
  call_live boolean NOT NULL,
  called_number text NOT NULL,
  caller_number text NOT NULL,
  version bigint NOT NULL,
  create_time timestamptz,
  update_time timestamptz,
  PRIMARY KEY (workspace_id, id)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02);

CREATE TABLE reservations (
  workspace_id text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  task_id text COLLATE "C" NOT NULL,
  worker_id text COLLATE "C" NOT NULL,
  task_channel_id text COLLATE "C" NOT NULL,
  state integer NOT NULL,
  setup_state integer NOT NULL,
  reason text NOT NULL,
  expire_time timestamptz,
  version bigint NOT NULL,
  create_time timestamptz,
  update_time timestamptz,
  PRIMARY KEY (workspace_id, id)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02);
