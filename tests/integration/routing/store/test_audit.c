/* The audit of the database finds each breach, and none where all is well. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "tests/integration/routing/store/world.h"
#include "tests/support/pg.h"

static struct world world;

/* A workspace with a worker, a channel, a task t1 that ada is offered, a waiting task t2, and two
 * events: everything as it should be.
 */
static const char good[] =
    "INSERT INTO workspaces VALUES ('w', '', '', '', 1);"
    "INSERT INTO workspace_progress VALUES ('w', 2, '2026-01-01');"
    "INSERT INTO activities VALUES ('w', 'idle', '', true, 1);"
    "INSERT INTO task_channels VALUES ('w', 'voice', '', 1);"
    "INSERT INTO workers (workspace_id, id, display_name, attributes, activity_id, version)"
    " VALUES ('w', 'ada', '', '{}', 'idle', 1);"
    "INSERT INTO tasks (workspace_id, id, workflow_id, task_channel_id, attributes, priority, "
    "ttl_us,"
    " state, reason, task_queue_id, assignment_count, filter_index, target_index, expire_time,"
    " bridge_id, call_id, call_live, called_number, caller_number, version)"
    " SELECT 'w', id, '', 'voice', '{}', 0, 0, state, '', '', 0, 0, 0, '2026-01-02', '', '', false,"
    " '', '', 1 FROM (VALUES ('t1', 2), ('t2', 1)) AS v (id, state);"
    "INSERT INTO reservations (workspace_id, id, task_id, worker_id, task_channel_id, state,"
    " setup_state, reason, expire_time, version)"
    " VALUES ('w', 'r1', 't1', 'ada', 'voice', 1, 0, '', '2026-01-02', 1);"
    "INSERT INTO bridges VALUES ('w', 'b', '', 0, 1);"
    "INSERT INTO instructions (workspace_id, bridge_id, number, kind, call_id, task_id,"
    " reservation_id, worker_id, contact_uri, ring_timeout_us, reason, sip_status)"
    " VALUES ('w', 'b', 1, 1, '', '', '', '', '', 0, '', 0);"
    "INSERT INTO events VALUES ('w', 1, '2026-01-01', 'x', '', '', '', ''),"
    " ('w', 2, '2026-01-01', 'x', '', '', '', '');";

static void set_up(void)
{
    world_init(&world);
    test_sql(world.sql, good);
}

static void tear_down(void)
{
    world_deinit(&world);
}

TestSuite(audit, .init = set_up, .fini = tear_down);

#define ANOTHER_RESERVATION                                                                        \
    "INSERT INTO reservations SELECT workspace_id, 'r2', task_id, worker_id, task_channel_id,"     \
    " state, setup_state, reason, expire_time, version FROM reservations;"

static const struct {
    const char *breach;
    const char *rule;
} breaches[] = {
    {"DELETE FROM events WHERE sequence = 1; UPDATE events SET sequence = 4;"
     "INSERT INTO events VALUES ('w', 2, '2026-01-01', 'x', '', '', '', '')", "event sequences have no gap"                   },
    {"INSERT INTO events VALUES ('w', 2, '2026-01-03', 'x', '', '', '', '')",
     "event sequences have no gap"                                                                                                 },
    {"UPDATE workspace_progress SET last_sequence = 3",                            "the newest event is the one"                   },
    {"DELETE FROM workspace_progress",                                             "the newest event is the one"                   },
    {"UPDATE events SET time = '2025-01-01' WHERE sequence = 2",                   "time never runs backwards"                     },
    {"DELETE FROM workspaces",                                                     "everything belongs to a workspace"             },
    {ANOTHER_RESERVATION,                                                          "a task has one live reservation at most"       },
    {"UPDATE tasks SET state = 3 WHERE id = 't1'",                                 "a task and its live reservation agree"         },
    {"DELETE FROM reservations",                                                   "a task and its live reservation agree"         },
    {"DELETE FROM tasks WHERE id = 't1'",                                          "a live reservation has its task"               },
    {"DELETE FROM workers",                                                        "a live reservation has its task and its worker"},
    {ANOTHER_RESERVATION "UPDATE reservations SET task_id = 't2' WHERE id = 'r2'",
     "no worker has more than the capacity"                                                                                        },
    {"INSERT INTO worker_channels VALUES ('w', 'ada', 'voice', 0, true)",
     "no worker has more than the capacity"                                                                                        },
    {"DELETE FROM activities",                                                     "a worker is in an activity"                    },
    {"INSERT INTO worker_channels VALUES ('w', 'ada', 'chat', 1, true)",           "a worker channel has"                          },
    {"UPDATE tasks SET expire_time = NULL WHERE id = 't2'",                        "no task state is without a deadline"           },
    {"UPDATE reservations SET expire_time = NULL",                                 "no reservation waits for somebody"             },
    {"UPDATE bridges SET last_instruction_number = 0",                             "an instruction has a number"                   },
};

Test(audit, finds_nothing_where_all_is_well)
{
    CLEANUP(mem_free_at_exit) char *found = test_audit(world.sql);

    cr_assert_str_eq(found, "");
}

Test(audit, finds_each_breach)
{
    for (size_t i = 0; i < sizeof(breaches) / sizeof(breaches[0]); i++) {
        test_sql(world.sql, "BEGIN");
        test_sql(world.sql, breaches[i].breach);

        char *found = test_audit(world.sql);

        cr_expect(strstr(found, breaches[i].rule), "%s: %s", breaches[i].breach, found);
        free(found);
        test_sql(world.sql, "ROLLBACK");
    }
}
