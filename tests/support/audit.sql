-- What must hold in the database at rest, after any story: one row for each breach, none when all is
-- well. Run by test_audit() of pg.h and Database.audit() of pg.py.
--
-- Task states: 1 PENDING 2 RESERVED 3 ASSIGNED 4 WRAPPING 5 COMPLETED 6 CANCELED. Reservation states:
-- 1 PENDING 2 ACCEPTED 7 WRAPPING are the live ones (services/routing/domain/states.h).
WITH live AS (
  SELECT * FROM reservations WHERE state IN (1, 2, 7)
), occupied AS (
  SELECT workspace_id, worker_id, task_channel_id, count(*) AS used FROM live
  GROUP BY workspace_id, worker_id, task_channel_id
), owned AS (
  SELECT 'activities' AS kind, workspace_id FROM activities
  UNION SELECT 'task_channels', workspace_id FROM task_channels
  UNION SELECT 'workers', workspace_id FROM workers
  UNION SELECT 'worker_channels', workspace_id FROM worker_channels
  UNION SELECT 'task_queues', workspace_id FROM task_queues
  UNION SELECT 'workflows', workspace_id FROM workflows
  UNION SELECT 'tasks', workspace_id FROM tasks
  UNION SELECT 'reservations', workspace_id FROM reservations
  UNION SELECT 'trunks', workspace_id FROM trunks
  UNION SELECT 'inbound_routes', workspace_id FROM inbound_routes
)
SELECT 'event sequences have no gap and no repetition' AS rule, workspace_id AS what FROM events
  GROUP BY workspace_id
  HAVING max(sequence) - min(sequence) + 1 <> count(*) OR count(DISTINCT sequence) <> count(*)
UNION ALL
SELECT 'the newest event is the one that the progress names', workspace_id
  FROM (SELECT workspace_id, max(sequence) AS newest FROM events GROUP BY workspace_id) AS logged
  FULL JOIN workspace_progress USING (workspace_id)
  WHERE coalesce(newest, 0) <> coalesce(last_sequence, 0)
UNION ALL
SELECT 'time never runs backwards in the event log', workspace_id || ' ' || sequence
  FROM (SELECT workspace_id, sequence, time,
          lag(time) OVER (PARTITION BY workspace_id ORDER BY sequence) AS before FROM events) AS steps
  WHERE time < before
UNION ALL
SELECT 'everything belongs to a workspace that exists', kind || ' of ' || workspace_id
  FROM owned WHERE NOT EXISTS (SELECT FROM workspaces w WHERE w.workspace_id = owned.workspace_id)
UNION ALL
SELECT 'a task has one live reservation at most', workspace_id || '/' || task_id
  FROM live GROUP BY workspace_id, task_id HAVING count(*) > 1
UNION ALL
SELECT 'a task and its live reservation agree on the state', t.workspace_id || '/' || t.id
  FROM tasks t LEFT JOIN live r ON r.workspace_id = t.workspace_id AND r.task_id = t.id
  WHERE coalesce(r.state, 0) <> CASE t.state WHEN 2 THEN 1 WHEN 3 THEN 2 WHEN 4 THEN 7 ELSE 0 END
UNION ALL
SELECT 'a live reservation has its task and its worker', r.workspace_id || '/' || r.id FROM live r
  WHERE NOT EXISTS (SELECT FROM tasks t WHERE t.workspace_id = r.workspace_id AND t.id = r.task_id)
  OR NOT EXISTS (SELECT FROM workers w WHERE w.workspace_id = r.workspace_id AND w.id = r.worker_id)
UNION ALL
-- A client may lower a capacity below what is in use: a story that does so breaks this rule rightly.
SELECT 'no worker has more than the capacity of a channel', o.workspace_id || '/' || o.worker_id
  FROM occupied o LEFT JOIN worker_channels c ON c.workspace_id = o.workspace_id
    AND c.worker_id = o.worker_id AND c.task_channel_id = o.task_channel_id
  WHERE o.used > coalesce(c.capacity, 1)
UNION ALL
SELECT 'a worker is in an activity that exists', w.workspace_id || '/' || w.id FROM workers w
  WHERE NOT EXISTS (SELECT FROM activities a
    WHERE a.workspace_id = w.workspace_id AND a.id = w.activity_id)
UNION ALL
SELECT 'a worker channel has its worker and its task channel', c.workspace_id || '/' || c.worker_id
  FROM worker_channels c
  WHERE NOT EXISTS (SELECT FROM workers w WHERE w.workspace_id = c.workspace_id AND w.id = c.worker_id)
  OR NOT EXISTS (SELECT FROM task_channels k
    WHERE k.workspace_id = c.workspace_id AND k.id = c.task_channel_id)
UNION ALL
SELECT 'no task state is without a deadline, but for a caller on the line', workspace_id || '/' || id
  FROM tasks WHERE expire_time IS NULL AND NOT call_live
UNION ALL
SELECT 'no reservation waits for somebody without a deadline', workspace_id || '/' || id
  FROM live WHERE state IN (1, 7) AND expire_time IS NULL
UNION ALL
SELECT 'an instruction has a number that its bridge has issued', i.workspace_id || '/' || i.bridge_id
  FROM instructions i LEFT JOIN bridges b ON b.workspace_id = i.workspace_id AND b.id = i.bridge_id
  WHERE i.number > coalesce(b.last_instruction_number, 0)
ORDER BY 1, 2
