/* cordboard: the command-line client of both services. */
#include <stdio.h>
#include <string.h>

#include "common/base/arena.h"
#include "services/ctl/commands.h"
#include "services/ctl/settings.h"

enum {
    WORDS_MAX = 3
};

struct words {
    const char *word[WORDS_MAX + 1];
    size_t count;
};

/* Whether the argument is a flag that takes the next argument as its value. */
static bool takes_next(const char *argument)
{
    static const char *const alone[] = {
        "--help", "--version", "--print-settings", "--check-config"};

    for (size_t i = 0; i < sizeof(alone) / sizeof(alone[0]); i++) {
        if (strcmp(argument, alone[i]) == 0) {
            return false;
        }
    }
    return strchr(argument, '=') == NULL;
}

/* Flags may stand anywhere; they go to the settings, the rest are the command's words. */
static int split(int argc, char **argv, struct words *words, char **flags)
{
    int flag_count = 0;
    bool value_follows = false;

    for (int i = 0; i < argc; i++) {
        bool flag = i == 0 || value_follows || strncmp(argv[i], "--", 2) == 0;

        value_follows = i > 0 && flag && !value_follows && takes_next(argv[i]);
        if (flag) {
            flags[flag_count++] = argv[i];
        } else if (words->count <= WORDS_MAX) {
            words->word[words->count++] = argv[i];
        }
    }
    return flag_count;
}

static enum exit_code run(const struct ctl_config *config, const struct words *words)
{
    static const struct {
        const char *name;
        size_t min;
        size_t max;
    } commands[] = {
        {"rpc",     2, 3},
        {"methods", 1, 2},
        {"watch",   2, 3},
    };
    const char *name = words->count > 0 ? words->word[0] : "";
    size_t i = 0;

    while (i < sizeof(commands) / sizeof(commands[0]) && strcmp(name, commands[i].name) != 0) {
        i++;
    }
    if (i == sizeof(commands) / sizeof(commands[0])) {
        (void)fprintf(
            stderr,
            name[0] ? "cordboard: there is no command '%s'; `cordboard --help` shows them\n"
                    : "cordboard: say what to do%s; `cordboard --help` shows the commands\n",
            name);
        return EXIT_WRONG_COMMAND;
    }
    if (words->count < commands[i].min || words->count > commands[i].max) {
        (void)fprintf(
            stderr, "cordboard: too %s words for '%s'; see `cordboard --help`\n",
            words->count < commands[i].min ? "few" : "many", name);
        return EXIT_WRONG_COMMAND;
    }
    if (name[0] == 'r') {
        return command_rpc(config, words->word[1], words->word[2]);
    }
    return name[0] == 'm' ? command_methods(words->word[1])
                          : command_watch(config, words->word[1], words->word[2]);
}

int main(int argc, char **argv)
{
    CLEANUP(arena_free_at_exit) struct arena *arena = arena_new();
    char **flags = arena_new_array(arena, char *, (size_t)argc + 1);
    struct words words = {0};
    struct ctl_config config;
    int flag_count = split(argc, argv, &words, flags);
    enum config_outcome outcome =
        config_load_process(&ctl_program, flag_count, flags, arena, &config);

    return outcome == CONFIG_READY ? (int)run(&config, &words) : (int)outcome;
}
