/* The inside of loading: what config.c gathers, kinds.c understands, yaml.c reads, print.c shows.
 */
#ifndef COMMON_CONFIG_LOAD_H
#define COMMON_CONFIG_LOAD_H

#include <stdbool.h>
#include <stdio.h>

#include "common/config/config.h"

/* What was given for one setting, and where. */
struct config_given {
    const char *text;
    const char *origin; /* "--listen-address", "CORDBOARD_...", "config.yaml:3" */
    bool is_path;       /* the text is the path of the file that has the secret */
    bool misunderstood; /* reported already; the default stands in for it */
};

struct config_problem {
    struct config_problem *next;
    const char *text;
};

struct config_problems {
    struct config_problem *first;
    struct config_problem **last;
    size_t count;
    struct arena *arena;
    const struct config_program *program;
    const struct config_given *given;
};

/* How names are written: listen_address, LISTEN_ADDRESS, listen-address. */
enum config_spelling {
    CONFIG_IN_FILE,
    CONFIG_IN_VARIABLE,
    CONFIG_IN_FLAG
};

/* What the flags ask for. */
enum config_wish {
    CONFIG_WISH_RUN,
    CONFIG_WISH_HELP,
    CONFIG_WISH_VERSION,
    CONFIG_WISH_REFERENCE,
    CONFIG_WISH_CHECK
};

struct config_load {
    const struct config_program *program;
    const struct config_sources *sources;
    struct arena *arena;
    struct config_given *given; /* one per setting */
    struct config_problems problems;
    enum config_wish wish;
    const char *path; /* of the file; NULL: none */
};

extern const char config_origin_default[];

void config_report(struct config_problems *problems, const char *origin, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* NULL when there is none. A secret is also found as the file that has it. */
const struct config_setting *config_find(
    const struct config_program *program,
    const char *given,
    enum config_spelling spelling,
    bool *ret_is_path);
/* Takes a value for the setting of that name, or reports that there is none. */
void config_give(
    struct config_load *load,
    const char *name,
    enum config_spelling spelling,
    const char *text,
    const char *origin);

/* sources.c: gives everything in the file, the environment and the flags, in this order. */
void config_read_sources(struct config_load *load);

/* kinds.c: reads what was given into the member, or reports. */
void config_understand(
    struct config_load *load,
    const struct config_setting *setting,
    const struct config_given *given,
    void *member);
/* "a duration such as 30s" */
const char *config_kind_name(enum config_kind kind);

/* yaml.c: gives everything in the file, or reports. */
void config_read_yaml(struct config_load *load, const char *path);

/* print.c */
void config_print_help(const struct config_program *program, FILE *out);
void config_print_values(const struct config_load *load, FILE *out);
#endif
