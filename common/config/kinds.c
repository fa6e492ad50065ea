/* What each kind of setting takes for a value. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/base/arena.h"
#include "common/config/load.h"

enum {
    SECRET_MAX = 64 * 1024
};

struct unit {
    const char *name;
    int64_t factor;
};

static bool parse_count(const char *text, int64_t *ret_count, const char **ret_rest)
{
    char *end = NULL;

    if (text[0] < '0' || text[0] > '9') {
        return false;
    }
    errno = 0;
    long long count = strtoll(text, &end, 10);

    if (errno != 0) {
        return false;
    }
    *ret_count = count;
    *ret_rest = end;
    return true;
}

/* A whole number and one of the units; zero needs none. */
static bool parse_quantity(const char *text, const struct unit *units, int64_t *ret_amount)
{
    int64_t count = 0;
    const char *rest = NULL;

    if (!parse_count(text, &count, &rest)) {
        return false;
    }
    for (; units->name; units++) {
        if (strcmp(rest, units->name) == 0) {
            return !__builtin_mul_overflow(count, units->factor, ret_amount);
        }
    }
    *ret_amount = 0;
    return count == 0 && *rest == '\0';
}

static bool parse_duration(const char *text, int64_t *ret_us)
{
    static const struct unit units[] = {
        {"us", 1                   },
        {"ms", 1000                },
        {"s",  1000000             },
        {"m",  INT64_C(60000000)   },
        {"h",  INT64_C(3600000000) },
        {"d",  INT64_C(86400000000)},
        {NULL, 0                   },
    };

    return parse_quantity(text, units, ret_us);
}

static bool parse_size(const char *text, int64_t *ret_bytes)
{
    static const struct unit units[] = {
        {"",    1      },
        {"KiB", 1 << 10},
        {"MiB", 1 << 20},
        {"GiB", 1 << 30},
        {NULL,  0      }
    };

    return parse_quantity(text, units, ret_bytes);
}

static bool parse_flag(const char *text, bool *ret_flag)
{
    static const char *const words[] = {"false", "true", "no", "yes", "off", "on", "0", "1"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcasecmp(text, words[i]) == 0) {
            *ret_flag = i % 2 == 1;
            return true;
        }
    }
    return false;
}

/* RFC 3986's way to write an address and a port; a name is not looked up here. */
static bool parse_address(struct arena *arena, const char *text, struct config_address *ret_address)
{
    const char *colon = strrchr(text, ':');
    int64_t port = 0;
    const char *rest = NULL;

    if (!colon || colon == text || !parse_count(colon + 1, &port, &rest) || *rest != '\0' ||
        port > 65535) {
        return false;
    }

    bool brackets = text[0] == '[' && colon[-1] == ']';
    const char *host = brackets ? text + 1 : text;
    size_t length = (size_t)(colon - text) - (brackets ? 2 : 0);

    /* Without brackets a second colon would leave open where the port starts. */
    if (length == 0 || (!brackets && memchr(host, ':', length)) ||
        strcspn(host, " \t/[") < length) {
        return false;
    }
    *ret_address = (struct config_address){text, arena_strndup(arena, host, length), (int)port};
    return true;
}

static bool parse_choice(const char *choices, const char *text, const char **ret_choice)
{
    size_t length = strlen(text);

    for (const char *choice = choices; *choice != '\0';) {
        size_t this_length = strcspn(choice, "|");

        if (this_length == length && strncmp(choice, text, length) == 0) {
            *ret_choice = text;
            return true;
        }
        choice += this_length + (choice[this_length] == '|');
    }
    return false;
}

static const char *read_secret(struct config_load *load, const struct config_given *given)
{
    FILE *file = fopen(given->text, "re");

    if (!file) {
        config_report(
            &load->problems, given->origin, "cannot read %s: %s", given->text,
            strerrordesc_np(errno));
        return NULL;
    }

    char *secret = arena_alloc(load->arena, SECRET_MAX + 1);
    size_t length = fread(secret, 1, SECRET_MAX + 1, file);
    bool failed = ferror(file) != 0;

    (void)fclose(file);
    if (failed || length > SECRET_MAX || memchr(secret, '\0', length)) {
        config_report(
            &load->problems, given->origin, "%s is not a text of at most 64 KiB", given->text);
        return NULL;
    }
    secret[length] = '\0';
    if (length > 0 && secret[length - 1] == '\n') {
        secret[length - 1] = '\0';
    }
    return secret;
}

static bool parse(
    struct config_load *load,
    const struct config_setting *setting,
    const struct config_given *given,
    void *member)
{
    const char *text = given->text;
    const char *rest = NULL;

    switch (setting->kind) {
    case CONFIG_COUNT:
        return parse_count(text, member, &rest) && *rest == '\0';
    case CONFIG_DURATION:
        return parse_duration(text, member);
    case CONFIG_SIZE:
        return parse_size(text, member);
    case CONFIG_FLAG:
        return parse_flag(text, member);
    case CONFIG_ADDRESS:
        return parse_address(load->arena, text, member);
    case CONFIG_CHOICE:
        return parse_choice(setting->fallback, text, member);
    case CONFIG_FILE:
        *(const char **)member = text;
        return access(text, R_OK) == 0;
    case CONFIG_SECRET:
    case CONFIG_TEXT:
        *(const char **)member = text;
        return text[0] != '\0';
    }
    return false;
}

/* An empty value is only good where the default is empty too. */
static bool is_unset(const struct config_setting *setting, const char *text)
{
    return text[0] == '\0' && setting->fallback[0] == '\0';
}

static void unset(enum config_kind kind, void *member)
{
    if (kind == CONFIG_ADDRESS) {
        *(struct config_address *)member = (struct config_address){"", "", 0};
    } else if (
        kind == CONFIG_TEXT || kind == CONFIG_FILE || kind == CONFIG_SECRET ||
        kind == CONFIG_CHOICE) {
        *(const char **)member = "";
    }
}

void config_understand(
    struct config_load *load,
    const struct config_setting *setting,
    const struct config_given *given,
    void *member)
{
    struct config_given value = *given;

    if (given->is_path && given->text[0] != '\0') {
        value.text = read_secret(load, given);
        if (!value.text) {
            return;
        }
    }
    if (is_unset(setting, value.text)) {
        unset(setting->kind, member);
    } else if (!parse(load, setting, &value, member)) {
        config_report(
            &load->problems, given->origin, "not %s: '%s'%s%s", config_kind_name(setting->kind),
            setting->kind == CONFIG_SECRET ? "***" : value.text,
            setting->kind == CONFIG_CHOICE ? ", choose from " : "",
            setting->kind == CONFIG_CHOICE ? setting->fallback : "");
    }
}

const char *config_kind_name(enum config_kind kind)
{
    static const char *const names[] = {
        [CONFIG_TEXT] = "a text",
        [CONFIG_COUNT] = "a count such as 8",
        [CONFIG_DURATION] = "a duration such as 250ms, 30s, 2m, 1h",
        [CONFIG_SIZE] = "a size such as 512, 64KiB, 16MiB",
        [CONFIG_FLAG] = "true or false",
        [CONFIG_ADDRESS] = "an address such as 127.0.0.1:5060, [::1]:5060",
        [CONFIG_CHOICE] = "one of the choices",
        [CONFIG_FILE] = "a readable file",
        [CONFIG_SECRET] = "a secret",
    };

    return names[kind];
}
