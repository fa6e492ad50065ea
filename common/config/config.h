/* Settings: one table per program, from which come the struct, the parser, --help, and
 * docs/reference/settings-*.md.
 *
 *     SETTING(listen_address, ADDRESS, "127.0.0.1:50051", "Where the gRPC server listens.")
 *     SETTING(offer_timeout, DURATION, "2m", "How long a worker may think.")
 *     SETTING(log_format, CHOICE, "text|json", "How log lines are written.")
 *
 * A value comes from the default, the file named by --config or <PREFIX>CONFIG, the environment, or
 * a flag; the later one wins. listen_address is `listen_address: ...` in the file,
 * CORDBOARD_ROUTING_LISTEN_ADDRESS in the environment, and --listen-address=... as a flag.
 *
 * Whatever is unknown or wrong is reported, all of it, by the name under which it was given, and
 * the program ends with code 2. The loaded struct is const and passed down: no module reads the
 * environment itself.
 *
 * The file is YAML: one mapping of names to scalars. Every value is taken as text first, so `on`
 * and `0123` mean what the setting's kind makes of them.
 */
#ifndef COMMON_CONFIG_CONFIG_H
#define COMMON_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/base/attr.h"

struct arena;
struct config_problems;

/*    kind          text                          member of the struct
 *    TEXT          anything                      const char *name
 *    COUNT         0, 1, 2, ...                  int64_t name
 *    DURATION      250ms, 30s, 2m, 1h, 7d, 0     int64_t name_us
 *    SIZE          512, 64KiB, 16MiB, 2GiB       int64_t name_bytes
 *    FLAG          true/false, yes/no, on/off    bool name
 *    ADDRESS       host:port, [::1]:port         struct config_address name
 *    CHOICE        one of "a|b|c"; default: a    const char *name
 *    FILE          path of a readable file       const char *name
 *    SECRET        anything, see below           const char *name
 *
 * An empty default makes an empty value allowed: "not set".
 *
 * A secret is best given as a file: <name>_file, <NAME>_FILE, --<name>-file, of which one newline
 * at the end is removed. It is never accepted as a flag, which every user of the machine could
 * read, and never shown.
 */
enum config_kind {
    CONFIG_TEXT,
    CONFIG_COUNT,
    CONFIG_DURATION,
    CONFIG_SIZE,
    CONFIG_FLAG,
    CONFIG_ADDRESS,
    CONFIG_CHOICE,
    CONFIG_FILE,
    CONFIG_SECRET
};

struct config_address {
    const char *text; /* as given */
    const char *host; /* without brackets; "" when not set */
    int port;         /* 0: the system chooses */
};

struct config_setting {
    const char *name;
    enum config_kind kind;
    const char *fallback; /* of a CHOICE: all of them */
    const char *help;
    size_t offset; /* of the member */
};

struct config_program {
    const char *name;    /* "cordboard-routing" */
    const char *version; /* "0.1.0" */
    const char *summary; /* one sentence for --help */
    const char *usage;   /* commands for --help, with the newline at the end; may be NULL */
    const char *prefix;  /* "CORDBOARD_ROUTING_" */
    const struct config_setting *settings;
    size_t setting_count;
    /* What no setting alone can tell; called when each is good in itself. May be NULL. */
    void (*check)(const void *config, struct config_problems *problems);
};

/* What main returns, unless it is CONFIG_READY. */
enum config_outcome {
    CONFIG_READY = -1,
    CONFIG_SHOWN = 0,  /* --help, --version, --print-settings, or --check-config found all well */
    CONFIG_REFUSED = 2 /* every problem has been printed */
};

/* Where values come from and what is said goes to; tests fill in their own. */
struct config_sources {
    int argc;
    char *const *argv;
    char *const *environment; /* NULL-terminated NAME=value */
    FILE *out;
    FILE *err;
};

/* Fills in `config`, a struct of the program's members; its strings live in the arena. */
MUST_USE enum config_outcome config_load(
    const struct config_program *program,
    const struct config_sources *sources,
    struct arena *arena,
    void *config);
/* The same from argv, the process's environment, and its standard streams. */
MUST_USE enum config_outcome config_load_process(
    const struct config_program *program,
    int argc,
    char **argv,
    struct arena *arena,
    void *config);

/* For `check`: `name` as in the table. */
void config_add_problem(struct config_problems *problems, const char *name, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* The table as Markdown: what --print-settings shows. */
void config_print_reference(const struct config_program *program, FILE *out);

/* In a settings.h: `struct x_config { ... };` around the table with `#define SETTING
 * CONFIG_MEMBER`; in its settings.c: `#define CONFIG_STRUCT struct x_config` and the table, with
 * `#define SETTING CONFIG_ROW`, inside an array of struct config_setting. */
/* NOLINTBEGIN(bugprone-macro-parentheses): names and types take no parentheses. */
#define CONFIG_MEMBER(name, kind, fallback, help) CONFIG_TYPE_##kind CONFIG_NAME_##kind(name);
#define CONFIG_ROW(name_, kind_, fallback_, help_)                                                 \
    {.name = #name_,                                                                               \
     .kind = CONFIG_##kind_,                                                                       \
     .fallback = (fallback_),                                                                      \
     .help = (help_),                                                                              \
     .offset = offsetof(CONFIG_STRUCT, CONFIG_NAME_##kind_(name_))},

#define CONFIG_TYPE_TEXT const char *
#define CONFIG_TYPE_COUNT int64_t
#define CONFIG_TYPE_DURATION int64_t
#define CONFIG_TYPE_SIZE int64_t
#define CONFIG_TYPE_FLAG bool
#define CONFIG_TYPE_ADDRESS struct config_address
#define CONFIG_TYPE_CHOICE const char *
#define CONFIG_TYPE_FILE const char *
#define CONFIG_TYPE_SECRET const char *

#define CONFIG_NAME_TEXT(name) name
#define CONFIG_NAME_COUNT(name) name
#define CONFIG_NAME_DURATION(name) name##_us
#define CONFIG_NAME_SIZE(name) name##_bytes
#define CONFIG_NAME_FLAG(name) name
#define CONFIG_NAME_ADDRESS(name) name
#define CONFIG_NAME_CHOICE(name) name
#define CONFIG_NAME_FILE(name) name
#define CONFIG_NAME_SECRET(name) name
/* NOLINTEND(bugprone-macro-parentheses) */

#endif
