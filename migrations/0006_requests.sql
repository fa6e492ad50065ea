-- Request ids that were used, and what they made: a repeated request makes nothing twice.
--
-- Makes a table; locks nothing that exists.
CREATE TABLE requests (
  workspace_id text COLLATE "C" NOT NULL,
  request_id text COLLATE "C" NOT NULL,
  operation text NOT NULL,
  request_hash bigint NOT NULL,
  resource_id text COLLATE "C" NOT NULL,
  create_time timestamptz,
  PRIMARY KEY (workspace_id, request_id)
) WITH (autovacuum_vacuum_scale_factor = 0.02);
