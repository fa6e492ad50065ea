/* A worker: what it is doing, how much it can take, and which queues it serves.
 *
 * A worker can take a task of a channel while its activity is an available one, its channel is
 * switched on, and fewer reservations live there than its capacity allows (rows 23 to 25, 89). The
 * workers that can are in their channels' `open` trees, longest idle first.
 */
#ifndef ROUTING_DOMAIN_WORKER_H
#define ROUTING_DOMAIN_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "services/routing/domain/expression/reference.h"
#include "services/routing/domain/objects.h"

struct engine;

RB_PROTOTYPE(membership_tree, membership, by_queue, membership_compare)
int membership_compare(struct membership *one, struct membership *other); /* by queue id */

/* Live reservations, and accepted ones among them, in one channel. */
int32_t worker_load(const struct worker *worker, const struct task_channel *channel);
int32_t worker_assigned(const struct worker *worker, const struct task_channel *channel);
/* floor((1 - load / capacity) * 100), never below 0; 0 when there is no capacity. */
int32_t worker_available_percentage(const struct worker_channel *channel);
/* Its share in a channel. */
struct worker_channel *worker_channel_of(
    const struct worker *worker,
    const struct task_channel *channel);

/* Whether a new reservation may be made there. */
bool worker_channel_can_take(const struct worker_channel *channel);

/* Has shares in all channels of the workspace; adds those that are missing, with the defaults. */
void worker_add_channels(struct engine *engine, struct worker *worker);
/* Every worker gets a share in a new channel; and loses it. */
void task_channel_add_workers(struct engine *engine, struct task_channel *channel);
void task_channel_drop_workers(struct task_channel *channel);

/* Derives from its row, its channels and its live reservations where it is open. */
void worker_index(struct worker *worker);
void worker_unindex(struct worker *worker);
/* Sets activity and its count of workers. */
void worker_link_activity(struct engine *engine, struct worker *worker);

/* Queue membership, derived from the queues' expressions and the worker's attributes. */
bool worker_serves(const struct worker *worker, struct task_queue *queue);
void worker_join_queues(struct engine *engine, struct worker *worker);
void worker_leave_queues(struct worker *worker);
void task_queue_gather(struct engine *engine, struct task_queue *queue);
void task_queue_disband(struct task_queue *queue);

/* In the order of a channel's open tree: longest idle first, then id. */
struct worker_channel *task_channel_first_open(struct task_channel *channel);
struct worker_channel *worker_channel_next_open(struct worker_channel *channel);
bool worker_idles_longer(const struct worker *one, const struct worker *other);

/* What expressions read: of a worker, with a task or without (NULL); of a queue's members. */
struct expression_subject worker_subject(const struct worker *worker, const struct task *task);
struct expression_subject task_queue_subject(
    const struct task_queue *queue,
    const struct task *task);

#endif
