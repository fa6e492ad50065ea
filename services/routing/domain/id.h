/* Ids and the length of texts, as the API documents them. */
#ifndef ROUTING_DOMAIN_ID_H
#define ROUTING_DOMAIN_ID_H

#include <stdbool.h>
#include <stddef.h>

/* 1 to 63 characters of a-z, A-Z, 0-9, '-', '_' and '.', starting with a letter or digit. */
bool id_valid(const char *id);
/* The same for a task channel, whose id expressions use: letters, digits, '_', no digit first. */
bool id_valid_word(const char *id);

/* Characters, not bytes, of UTF-8 text. */
size_t text_characters(const char *text);

#endif
