/* A store in memory that does as a test tells it: holds writes back, is away, refuses a row, gives
 * the shards to somebody else. It checks what every store may rely on: batches without gap, fences
 * that match, event sequences without gap; a breach aborts.
 *
 * All functions here: any thread.
 */
#ifndef TESTS_FAKES_FAKE_STORE_H
#define TESTS_FAKES_FAKE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "services/routing/store/store.h"

struct fake_store;

struct fake_store *fake_store_new(int32_t shard_count);
struct fake_store *fake_store_free(struct fake_store *fake);
struct store *fake_store_base(struct fake_store *fake);

/* Held: whatever the committer wants waits, as with a PostgreSQL that hangs. */
void fake_store_hold(struct fake_store *fake, bool held);
/* Away: it fails at once, as with a PostgreSQL that was stopped. */
void fake_store_away(struct fake_store *fake, bool away);
/* The next write is carried out, but its answer is lost: STORE_UNAVAILABLE. */
void fake_store_lose_answer(struct fake_store *fake);
/* Batches with this task are refused; "" for none. */
void fake_store_refuse_task(struct fake_store *fake, const char *task_id);
/* Another owner takes all shards, or gives them back. */
void fake_store_take_away(struct fake_store *fake, bool taken);

/* Waits until a write is held back; false when none comes within 20 s. */
MUST_USE bool fake_store_wait_for_held_write(struct fake_store *fake);
/* Waits until somebody waits, be it with a renewal. */
MUST_USE bool fake_store_wait_for_held(struct fake_store *fake);

bool fake_store_has_task(struct fake_store *fake, const char *workspace_id, const char *task_id);
size_t fake_store_commits(struct fake_store *fake);
int64_t fake_store_events(struct fake_store *fake); /* of all workspaces together */

DEFINE_CLEANUP(struct fake_store *, fake_store_free)

#endif
