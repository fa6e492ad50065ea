/* A workflow document is accepted whole or refused with a path; an accepted one keeps its rules. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/error/error.h"
#include "common/json/json.h"
#include "common/value/value.h"
#include "services/routing/domain/workflow_document.h"

/* NOLINTNEXTLINE(readability-identifier-naming): the name libFuzzer calls */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void require(bool condition)
{
    if (!condition) {
        abort();
    }
}

static void check_filter(const struct workflow_filter *filter)
{
    int64_t elapsed_us = 0;

    require(filter->expression != NULL && filter->target_count > 0);
    for (size_t i = 0; i < filter->target_count; i++) {
        const struct workflow_target *target = &filter->targets[i];

        elapsed_us += target->timeout_us;
        require(target->queue_id[0] != '\0' && !strchr(target->queue_id, '/'));
        require(target->deadline_us == (target->timeout_us ? elapsed_us : 0));
    }
}

static void check_document(const struct workflow_document *document, struct arena *arena)
{
    const char *const *queues = NULL;
    struct value task = value_null;

    for (size_t i = 0; i < document->filter_count; i++) {
        check_filter(&document->filters[i]);
    }
    require(workflow_document_queues(document, arena, &queues) > 0);
    require(workflow_document_match(document, 0, &task) <= document->filter_count);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    CLEANUP(value_keys_free_at_exit) struct value_keys *keys = value_keys_new(16);
    CLEANUP(arena_free_at_exit) struct arena *arena = arena_new();
    CLEANUP(workflow_document_free_at_exit) struct workflow_document *document = NULL;
    struct json_reader reader = {
        .keys = keys, .arena = arena, .max_bytes = WORKFLOW_DOCUMENT_BYTES_MAX};
    struct value value = value_null;
    struct error err = {0};

    if (!json_parse(&reader, (const char *)bytes, size, &value, &err)) {
        return 0;
    }
    if (workflow_document_new(&value, keys, &document, &err)) {
        check_document(document, arena);
    } else {
        require(err.field[0] != '\0' && err.message[0] != '\0');
    }
    return 0;
}
