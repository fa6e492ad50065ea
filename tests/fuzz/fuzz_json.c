/* JSON text that is accepted prints to text that parses to an equal value and prints the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/base/mem.h"
#include "common/base/utf8.h"
#include "common/error/error.h"
#include "common/json/json.h"
#include "common/value/value.h"

/* NOLINTNEXTLINE(readability-identifier-naming): the name libFuzzer calls */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void require(bool condition)
{
    if (!condition) {
        abort();
    }
}

static void check_value(const struct json_reader *reader, const struct value *value)
{
    CLEANUP(mem_free_at_exit) char *printed = json_print(value);
    CLEANUP(value_free_at_exit) struct value *copy = value_copy(value);
    struct value again = value_null;
    struct error err;

    require(json_parse(reader, printed, strlen(printed), &again, &err));

    CLEANUP(mem_free_at_exit) char *printed_again = json_print(&again);

    require(strcmp(printed, printed_again) == 0);
    require(value_equal(value, &again) && value_equal(value, copy));
    require(value_hash(value, 1) == value_hash(copy, 1));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    /* A small table, so that some keys are loose. */
    CLEANUP(value_keys_free_at_exit) struct value_keys *keys = value_keys_new(4);
    CLEANUP(arena_free_at_exit) struct arena *arena = arena_new();
    struct json_reader reader = {.keys = keys, .arena = arena, .max_bytes = 1U << 20};
    struct value value = value_null;
    struct error err = {0};

    if (json_parse(&reader, (const char *)bytes, size, &value, &err)) {
        reader.max_bytes = SIZE_MAX;
        check_value(&reader, &value);
    } else {
        /* A client gets it as UTF-8, whatever it sent. */
        require(err.message[0] != '\0' && utf8_is_text(err.message, strlen(err.message)));
    }
    return 0;
}
