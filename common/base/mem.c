#include "common/base/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *checked(void *memory)
{
    if (!memory) {
        (void)fputs("out of memory\n", stderr);
        abort();
    }
    return memory;
}

void *mem_alloc(size_t size)
{
    return checked(calloc(1, size ? size : 1));
}

void *mem_alloc_array(size_t count, size_t size)
{
    return checked(calloc(count ? count : 1, size));
}

void *mem_realloc_array(void *old, size_t count, size_t size)
{
    return checked(reallocarray(old, count ? count : 1, size));
}

char *mem_strdup(const char *text)
{
    return text ? checked(strdup(text)) : NULL;
}

char *mem_strndup(const char *text, size_t length)
{
    return checked(strndup(text, length));
}

void *mem_dup(const void *bytes, size_t size)
{
    void *copy = mem_alloc(size);

    if (size > 0) {
        memcpy(copy, bytes, size);
    }
    return copy;
}

char *mem_printf(const char *format, ...)
{
    va_list args;
    char *text = NULL;

    va_start(args, format);
    int length = vasprintf(&text, format, args);
    va_end(args);

    return checked(length < 0 ? NULL : text);
}

void mem_free_at_exit(void *slot)
{
    void *memory = NULL;

    memcpy(&memory, slot, sizeof(memory));
    free(memory);
}
