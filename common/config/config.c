#include "common/config/config.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/arena.h"
#include "common/config/load.h"

const char config_origin_default[] = "default";

static void add_problem(
    struct config_problems *problems,
    const char *origin,
    const char *format,
    va_list args) PRINTF_LIKE(3, 0);

static void add_problem(
    struct config_problems *problems,
    const char *origin,
    const char *format,
    va_list args)
{
    char text[512];
    struct config_problem *problem = arena_new_object(problems->arena, struct config_problem);

    (void)vsnprintf(text, sizeof(text), format, args);
    problem->text = arena_printf(problems->arena, "%s: %s", origin, text);
    *problems->last = problem;
    problems->last = &problem->next;
    problems->count++;
}

void config_report(struct config_problems *problems, const char *origin, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    add_problem(problems, origin, format, args);
    va_end(args);
}

/* What was given for the setting; NULL when it has its default. */
static const struct config_given *given_for(
    const struct config_problems *problems,
    const char *name)
{
    for (size_t i = 0; i < problems->program->setting_count; i++) {
        if (strcmp(problems->program->settings[i].name, name) == 0 &&
            problems->given[i].origin != config_origin_default) {
            return &problems->given[i];
        }
    }
    return NULL;
}

void config_add_problem(struct config_problems *problems, const char *name, const char *format, ...)
{
    const struct config_given *given = given_for(problems, name);
    va_list args;

    if (given && given->misunderstood) {
        return;
    }
    va_start(args, format);
    add_problem(problems, given ? given->origin : name, format, args);
    va_end(args);
}

/* How a letter of the table's name is written where the name was given. */
static int spelled(char letter, enum config_spelling spelling)
{
    if (spelling == CONFIG_IN_FLAG && letter == '_') {
        return '-';
    }
    return spelling == CONFIG_IN_VARIABLE ? toupper((unsigned char)letter) : letter;
}

/* The length of `name` when `given` starts with it, else 0. */
static size_t match(const char *given, const char *name, enum config_spelling spelling)
{
    size_t length = 0;

    while (name[length] != '\0') {
        if (given[length] != spelled(name[length], spelling)) {
            return 0;
        }
        length++;
    }
    return length;
}

const struct config_setting *config_find(
    const struct config_program *program,
    const char *given,
    enum config_spelling spelling,
    bool *ret_is_path)
{
    for (size_t i = 0; i < program->setting_count; i++) {
        const struct config_setting *setting = &program->settings[i];
        size_t length = match(given, setting->name, spelling);
        size_t end = 0;

        if (length == 0) {
            continue;
        }
        if (setting->kind == CONFIG_SECRET) {
            end = match(given + length, "_file", spelling);
        }
        if (given[length + end] == '\0') {
            *ret_is_path = end > 0;
            return setting;
        }
    }
    return NULL;
}

void config_give(
    struct config_load *load,
    const char *name,
    enum config_spelling spelling,
    const char *text,
    const char *origin)
{
    bool is_path = false;
    const struct config_setting *setting = config_find(load->program, name, spelling, &is_path);

    if (!setting) {
        config_report(&load->problems, origin, "there is no such setting; --help shows them all");
    } else if (setting->kind == CONFIG_SECRET && spelling == CONFIG_IN_FLAG && !is_path) {
        config_report(
            &load->problems, origin, "a secret is not taken from a flag; use %s-file=PATH", origin);
    } else {
        load->given[setting - load->program->settings] =
            (struct config_given){.text = text, .origin = origin, .is_path = is_path};
    }
}

static struct config_given fallback(struct config_load *load, const struct config_setting *setting)
{
    size_t length = setting->kind == CONFIG_CHOICE ? strcspn(setting->fallback, "|")
                                                   : strlen(setting->fallback);

    return (struct config_given){
        .text = arena_strndup(load->arena, setting->fallback, length),
        .origin = config_origin_default,
    };
}

static void give_defaults(struct config_load *load)
{
    for (size_t i = 0; i < load->program->setting_count; i++) {
        load->given[i] = fallback(load, &load->program->settings[i]);
    }
}

static void understand(struct config_load *load, void *config)
{
    for (size_t i = 0; i < load->program->setting_count; i++) {
        const struct config_setting *setting = &load->program->settings[i];

        void *member = (char *)config + setting->offset;
        size_t before = load->problems.count;

        config_understand(load, setting, &load->given[i], member);
        if (load->problems.count > before) {
            struct config_given instead = fallback(load, setting);

            load->given[i].misunderstood = true;
            config_understand(load, setting, &instead, member);
        }
    }
    if (load->program->check) { /* always, so that everything wrong is reported at once */
        load->program->check(config, &load->problems);
    }
}

static enum config_outcome conclude(const struct config_load *load)
{
    const struct config_sources *sources = load->sources;
    const struct config_problem *problem = load->problems.first;

    for (; problem; problem = problem->next) {
        (void)fprintf(sources->err, "%s: %s\n", load->program->name, problem->text);
    }
    if (load->problems.count > 0) {
        return CONFIG_REFUSED;
    }
    if (load->wish != CONFIG_WISH_CHECK) {
        return CONFIG_READY;
    }
    config_print_values(load, sources->out);
    return CONFIG_SHOWN;
}

enum config_outcome config_load(
    const struct config_program *program,
    const struct config_sources *sources,
    struct arena *arena,
    void *config)
{
    struct config_load load = {
        .program = program,
        .sources = sources,
        .arena = arena,
        .given = arena_new_array(arena, struct config_given, program->setting_count),
    };

    load.problems = (struct config_problems){
        .last = &load.problems.first, .arena = arena, .program = program, .given = load.given};
    give_defaults(&load);
    config_read_sources(&load);

    switch (load.wish) {
    case CONFIG_WISH_HELP:
        config_print_help(program, sources->out);
        return CONFIG_SHOWN;
    case CONFIG_WISH_VERSION:
        (void)fprintf(sources->out, "%s %s\n", program->name, program->version);
        return CONFIG_SHOWN;
    case CONFIG_WISH_REFERENCE:
        config_print_reference(program, sources->out);
        return CONFIG_SHOWN;
    case CONFIG_WISH_CHECK:
    case CONFIG_WISH_RUN:
        break;
    }
    understand(&load, config);
    return conclude(&load);
}

enum config_outcome config_load_process(
    const struct config_program *program,
    int argc,
    char **argv,
    struct arena *arena,
    void *config)
{
    const struct config_sources sources = {
        .argc = argc, .argv = argv, .environment = environ, .out = stdout, .err = stderr};

    return config_load(program, &sources, arena, config);
}
