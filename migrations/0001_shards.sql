-- Shards: who owns which part of the workspaces, and the fence of every batch that is written. Not a
-- table of workspaces: with Citus it is a reference table or stays on the coordinator.
--
-- Makes a table; locks nothing that exists.
CREATE TABLE shards (
  shard_id integer NOT NULL,
  epoch bigint NOT NULL, -- raised at each take-over
  batch bigint NOT NULL, -- raised by each batch that is committed
  writer bigint NOT NULL, -- number of the owner's connection: a former one cannot commit any more
  owner text NOT NULL, -- name of the replica; '' when it is free
  lease_expire_time timestamptz, -- by the database's clock, like the next one
  renew_time timestamptz, -- when it was last renewed or given up
  PRIMARY KEY (shard_id)
) WITH (fillfactor = 50);
