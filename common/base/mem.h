/* Memory that never fails: when there is none left the process aborts, as libgrpc's does. Limits
 * stand before every allocation that input can size.
 */
#ifndef COMMON_BASE_MEM_H
#define COMMON_BASE_MEM_H

#include <stddef.h>

#include "common/base/attr.h"

/* Zeroed memory for one `type`; free() it. */
#define mem_new(type) ((type *)mem_alloc(sizeof(type)))
/* Zeroed memory for `count` of `type`. */
#define mem_new_array(type, count) ((type *)mem_alloc_array((count), sizeof(type)))

void *mem_alloc(size_t size);
void *mem_alloc_array(size_t count, size_t size);
/* As realloc; the new part is not zeroed. */
void *mem_realloc_array(void *old, size_t count, size_t size);
char *mem_strdup(const char *text); /* NULL stays NULL */
char *mem_strndup(const char *text, size_t length);
void *mem_dup(const void *bytes, size_t size);
char *mem_printf(const char *format, ...) PRINTF_LIKE(1, 2);

/* For CLEANUP(mem_free_at_exit) char *text = NULL; works for any pointer type. */
void mem_free_at_exit(void *slot);

#endif
