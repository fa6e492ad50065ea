/* The library's red-black trees, with functions that are private to one file. (Its own macro for
 * that needs an attribute which glibc does not define.) */
#ifndef ROUTING_DOMAIN_TREE_H
#define ROUTING_DOMAIN_TREE_H

#include <bsd/sys/tree.h>

#define TREE_GENERATE_STATIC(name, type, field, compare)                                           \
    RB_GENERATE_INTERNAL(name, type, field, compare, __attribute__((__unused__)) static)

#endif
