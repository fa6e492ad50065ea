-- Workspaces and what is configured in them.
--
-- Rules of all our tables, those of Citus, so that the database can be distributed by workspace one
-- day: workspace_id is the first column of every key; no trigger, no sequence, no default that calls
-- a function. Time, ids and random numbers come from the program. No index but the primary key unless
-- a query needs it. Ids compare byte by byte (COLLATE "C"), the same on every server.
--
-- The columns are those of services/routing/domain/rows.def; a test compares them. A time that is not
-- set is null, a text that is not set is empty.
--
-- Makes tables; locks nothing that exists.
CREATE TABLE workspaces (
  workspace_id text COLLATE "C" NOT NULL,
  display_name text NOT NULL,
  default_activity_id text COLLATE "C" NOT NULL,
  timeout_activity_id text COLLATE "C" NOT NULL,
  version bigint NOT NULL,
  create_time timestamptz,
  update_time timestamptz,
  PRIMARY KEY (workspace_id)
);

-- How far a workspace has come; changes with every batch that has events of it. It outlives its
-- workspace, so that sequences never start again.
CREATE TABLE workspace_progress (
  workspace_id text COLLATE "C" NOT NULL,
  last_sequence bigint NOT NULL,
  last_time timestamptz,
  PRIMARY KEY (workspace_id)
) WITH (fillfactor = 70);

CREATE TABLE activities (
  workspace_id text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  display_name text NOT NULL,
  available boolean NOT NULL,
  version bigint NOT NULL,
  create_time timestamptz,
  update_time timestamptz,
  PRIMARY KEY (workspace_id, id)
);

CREATE TABLE task_channels (
  workspace_id text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  display_name text NOT NULL,
  version bigint NOT NULL,
  create_time timestamptz,
  update_time timestamptz,
  PRIMARY KEY (workspace_id, id)
);

CREATE TABLE task_queues (
  workspace_id text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  display_name text NOT NULL,
  target_workers text NOT NULL,
  version bigint NOT NULL,
  create_time timestamptz,
  update_time timestamptz,
  PRIMARY KEY (workspace_id, id)
);

CREATE TABLE workflows (
  workspace_id text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  display_name text NOT NULL,
  configuration text NOT NULL,
  task_reservation_timeout_us bigint NOT NULL,
  wrap_up_timeout_us bigint NOT NULL,
  default_instruction integer NOT NULL,
  version bigint NOT NULL,
  create_time timestamptz,
  update_time timestamptz,
  PRIMARY KEY (workspace_id, id)
);
