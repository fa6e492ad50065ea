/* Compiler attributes under readable names. GCC 12 and Clang 14 both support all of them. */
#ifndef COMMON_BASE_ATTR_H
#define COMMON_BASE_ATTR_H

#include <stddef.h>

#define MUST_USE __attribute__((warn_unused_result))
#define PRINTF_LIKE(format_arg, first_arg) __attribute__((format(printf, format_arg, first_arg)))
#define CLEANUP(function) __attribute__((cleanup(function)))

/* NOLINTBEGIN(bugprone-macro-parentheses): a type and a declarator cannot be parenthesised. */

/* Lets a local free itself: CLEANUP(x_free_at_exit) struct x *x = NULL; */
#define DEFINE_CLEANUP(type, free_function)                                                        \
    static inline void free_function##_at_exit(type *slot)                                         \
    {                                                                                              \
        free_function(*slot);                                                                      \
    }

/* NOLINTEND(bugprone-macro-parentheses) */

/* Hands a pointer over: yields its value and leaves NULL behind, so that cleanup does nothing. */
#define STEAL(pointer)                                                                             \
    __extension__({                                                                                \
        __typeof__(pointer) stolen_ = (pointer);                                                   \
        (pointer) = NULL;                                                                          \
        stolen_;                                                                                   \
    })

#endif
