#include "common/base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

enum {
    FIRST_BLOCK_BYTES = 4096,
    LARGEST_BLOCK_BYTES = 256 * 1024
};

struct block {
    struct block *next;
    size_t size;
    size_t used;
    alignas(max_align_t) unsigned char bytes[];
};

struct arena {
    struct block *newest; /* the chain ends in the first block, which a reset keeps */
    size_t used;
};

static struct block *block_new(size_t size, struct block *next)
{
    struct block *block = mem_alloc(sizeof(struct block) + size);

    block->next = next;
    block->size = size;
    return block;
}

struct arena *arena_new(void)
{
    struct arena *arena = mem_new(struct arena);

    arena->newest = block_new(FIRST_BLOCK_BYTES, NULL);
    return arena;
}

void arena_reset(struct arena *arena)
{
    while (arena->newest->next) {
        struct block *block = arena->newest;

        arena->newest = block->next;
        free(block);
    }
    memset(arena->newest->bytes, 0, arena->newest->used);
    arena->newest->used = 0;
    arena->used = 0;
}

struct arena *arena_free(struct arena *arena)
{
    if (!arena) {
        return NULL;
    }

    arena_reset(arena);
    free(arena->newest);
    free(arena);
    return NULL;
}

size_t arena_used(const struct arena *arena)
{
    return arena->used;
}

static void arena_grow(struct arena *arena, size_t size)
{
    size_t block_size = arena->newest->size * 2;

    if (block_size > LARGEST_BLOCK_BYTES) {
        block_size = LARGEST_BLOCK_BYTES;
    }
    arena->newest = block_new(size > block_size ? size : block_size, arena->newest);
}

void *arena_alloc(struct arena *arena, size_t size)
{
    size_t align = alignof(max_align_t);

    if (size > SIZE_MAX - align) {
        (void)fputs("arena: size overflow\n", stderr);
        abort();
    }
    size = (size + align - 1) & ~(align - 1);
    if (size > arena->newest->size - arena->newest->used) {
        arena_grow(arena, size);
    }

    void *memory = arena->newest->bytes + arena->newest->used;

    arena->newest->used += size;
    arena->used += size;
    return memory;
}

void *arena_alloc_array(struct arena *arena, size_t count, size_t size)
{
    size_t bytes = 0;

    if (__builtin_mul_overflow(count, size, &bytes)) {
        (void)fputs("arena: size overflow\n", stderr);
        abort();
    }
    return arena_alloc(arena, bytes);
}

void *arena_dup(struct arena *arena, const void *bytes, size_t size)
{
    void *copy = arena_alloc(arena, size);

    if (size > 0) {
        memcpy(copy, bytes, size);
    }
    return copy;
}

char *arena_strndup(struct arena *arena, const char *text, size_t length)
{
    size_t size = strnlen(text, length);
    char *copy = arena_alloc(arena, size + 1);

    memcpy(copy, text, size);
    return copy;
}

char *arena_strdup(struct arena *arena, const char *text)
{
    return text ? arena_dup(arena, text, strlen(text) + 1) : NULL;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length < 0) {
        abort();
    }

    char *text = arena_alloc(arena, (size_t)length + 1);

    va_start(args, format);
    (void)vsnprintf(text, (size_t)length + 1, format, args);
    va_end(args);
    return text;
}
