/* A group: the steps that will be durable together, in order, with the commands that wait for it.
 *
 * Not thread-safe: the shard's mutex guards the open group; a group that was taken belongs to the
 * committer.
 */
#ifndef ROUTING_SHARD_GROUP_H
#define ROUTING_SHARD_GROUP_H

#include <stddef.h>
#include <stdint.h>

#include "services/routing/store/store.h"

struct arena;
struct command;
struct step;

struct group_item {
    struct command *command; /* NULL for a timer's step */
    struct step *step;       /* owned; NULL: the command was never run */
};

struct group {
    int64_t number; /* of the batch */
    struct group_item *items;
    size_t count;
    size_t capacity;
    size_t change_count; /* of all steps */
};

void group_add(struct group *group, struct command *command, struct step *step);
/* Moves all items of `from` behind those of `to`. */
void group_append(struct group *to, struct group *from);
/* Frees the steps; the commands are not touched. The number stays. */
void group_clear(struct group *group);
void group_deinit(struct group *group);

/* Folds the changes of all steps (the last of each row counts) into the batch; the array lives in
 * the arena. */
void group_fold(const struct group *group, struct arena *arena, struct store_batch *ret_batch);

#endif
