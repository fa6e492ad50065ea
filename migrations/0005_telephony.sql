-- Trunks, inbound routes, and the bridges with their instructions.
--
-- Makes tables; locks nothing that exists.
CREATE TABLE trunks (
  workspace_id text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  display_name text NOT NULL,
  source_addresses text NOT NULL,
  version bigint NOT NULL,
  create_time timestamptz,
  update_time timestamptz,
  PRIMARY KEY (workspace_id, id)
);

CREATE TABLE inbound_routes (
  workspace_id text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  display_name text NOT NULL,
  trunk_id text COLLATE "C" NOT NULL,
  called_number text NOT NULL,
  workflow_id text COLLATE "C" NOT NULL,
  priority integer NOT NULL,
  attributes text NOT NULL,
  answer integer NOT NULL,
  version bigint NOT NULL,
  create_time timestamptz,
  update_time timestamptz,
  PRIMARY KEY (workspace_id, id)
);

-- How far both sides of a link have got.
CREATE TABLE bridges (
  workspace_id text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  incarnation text NOT NULL,
  last_report_number bigint NOT NULL,
  last_instruction_number bigint NOT NULL,
  PRIMARY KEY (workspace_id, id)
) WITH (fillfactor = 70);

-- Not yet acknowledged by their bridge.
CREATE TABLE instructions (
  workspace_id text COLLATE "C" NOT NULL,
  bridge_id text COLLATE "C" NOT NULL,
  number bigint NOT NULL,
  kind integer NOT NULL,
  call_id text COLLATE "C" NOT NULL,
  task_id text COLLATE "C" NOT NULL,
  reservation_id text COLLATE "C" NOT NULL,
  worker_id text COLLATE "C" NOT NULL,
  contact_uri text NOT NULL,
  ring_timeout_us bigint NOT NULL,
  reason text NOT NULL,
  sip_status integer NOT NULL,
  create_time timestamptz,
  PRIMARY KEY (workspace_id, bridge_id, number)
) WITH (autovacuum_vacuum_scale_factor = 0.02);
