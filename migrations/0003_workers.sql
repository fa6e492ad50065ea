-- Workers and their channels.
--
-- Makes tables; locks nothing that exists.
CREATE TABLE workers (
  workspace_id text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  display_name text NOT NULL,
  attributes text NOT NULL,
  activity_id text COLLATE "C" NOT NULL,
  activity_change_time timestamptz,
  last_assignment_time timestamptz,
  version bigint NOT NULL,
  create_time timestamptz,
  update_time timestamptz,
  PRIMARY KEY (workspace_id, id)
) WITH (fillfactor = 70);

-- Only channels that were set; others have capacity 1 and are available.
CREATE TABLE worker_channels (
  workspace_id text COLLATE "C" NOT NULL,
  worker_id text COLLATE "C" NOT NULL,
  task_channel_id text COLLATE "C" NOT NULL,
  capacity integer NOT NULL,
  available boolean NOT NULL,
  PRIMARY KEY (workspace_id, worker_id, task_channel_id)
);
