/* A set of texts, in their order. Not thread-safe. */
#ifndef COMMON_BASE_TEXT_SET_H
#define COMMON_BASE_TEXT_SET_H

#include <bsd/sys/tree.h>
#include <stdbool.h>

struct text_set_entry;
RB_HEAD(text_set_tree, text_set_entry);

/* All zero is the empty set. */
struct text_set {
    struct text_set_tree tree;
};

/* Copies the text; nothing happens when it is there already. */
void text_set_add(struct text_set *set, const char *text);
void text_set_remove(struct text_set *set, const char *text);
bool text_set_has(const struct text_set *set, const char *text);
void text_set_clear(struct text_set *set);

#endif
