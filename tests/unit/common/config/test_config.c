#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/arena.h"
#include "common/base/mem.h"
#include "common/config/config.h"

#define SETTINGS                                                                                   \
    SETTING(listen_address, ADDRESS, "127.0.0.1:50051", "Where the server listens.")               \
    SETTING(metrics_address, ADDRESS, "", "Where the metrics are.")                                \
    SETTING(pool_size, COUNT, "8", "Connections kept open.")                                       \
    SETTING(offer_timeout, DURATION, "2m", "How long a worker may think.")                         \
    SETTING(message_limit, SIZE, "4MiB", "Largest message.")                                       \
    SETTING(dry_run, FLAG, "false", "Whether nothing happens.")                                    \
    SETTING(log_format, CHOICE, "text|json", "How log lines are written.")                         \
    SETTING(greeting, TEXT, "", "What is said first.")                                             \
    SETTING(certificate, FILE, "", "The certificate.")                                             \
    SETTING(database_url, SECRET, "", "Where the database is.")

struct demo {
#define SETTING CONFIG_MEMBER
    SETTINGS
#undef SETTING
};

#define CONFIG_STRUCT struct demo
static const struct config_setting settings[] = {
#define SETTING CONFIG_ROW
    SETTINGS
#undef SETTING
};

static void check(const void *config, struct config_problems *problems)
{
    const struct demo *demo = config;

    if (demo->pool_size > 100) {
        config_add_problem(problems, "pool_size", "must not exceed 100");
    }
}

static const struct config_program program = {
    .name = "demo",
    .version = "1.2.3",
    .summary = "shows settings.",
    .prefix = "DEMO_",
    .settings = settings,
    .setting_count = sizeof(settings) / sizeof(settings[0]),
    .check = check,
};

struct run {
    struct arena *arena;
    struct demo demo;
    enum config_outcome outcome;
    char out[8192];
    char err[4096];
};

enum {
    WORDS = 8
};

/* Loads with these flags and variables, each list ended by NULL. */
static void load(struct run *run, const char *const flags[WORDS], const char *const env[WORDS])
{
    char name[] = "demo";
    char *argv[WORDS + 1] = {name};
    char *environment[WORDS + 1] = {NULL};
    int argc = 1;

    *run = (struct run){.arena = arena_new()};
    for (int i = 0; flags && flags[i]; i++) {
        argv[argc++] = arena_strdup(run->arena, flags[i]);
    }
    for (int i = 0; env && env[i]; i++) {
        environment[i] = arena_strdup(run->arena, env[i]);
    }

    const struct config_sources sources = {
        .argc = argc,
        .argv = argv,
        .environment = environment,
        .out = fmemopen(run->out, sizeof(run->out), "w"),
        .err = fmemopen(run->err, sizeof(run->err), "w"),
    };

    run->outcome = config_load(&program, &sources, run->arena, &run->demo);
    (void)fclose(sources.out);
    (void)fclose(sources.err);
}

static void run_free(struct run *run)
{
    run->arena = arena_free(run->arena);
}

#define FLAGS(...)                                                                                 \
    (const char *const[WORDS])                                                                     \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

/* A file with this content; unlink and free the name. */
static char *file_with(const char *content)
{
    char *name = mem_strdup("/tmp/cordboard-config-XXXXXX");
    int descriptor = mkstemp(name);

    cr_assert_geq(descriptor, 0);
    cr_assert_eq(write(descriptor, content, strlen(content)), (ssize_t)strlen(content));
    (void)close(descriptor);
    return name;
}

static void assert_refused(const char *flag, const char *message)
{
    struct run run;

    load(&run, FLAGS(flag), NULL);
    cr_assert_eq(run.outcome, CONFIG_REFUSED, "%s is taken", flag);
    cr_assert(strstr(run.err, message), "%s said '%s'", flag, run.err);
    run_free(&run);
}

Test(config, has_the_defaults_of_its_table)
{
    struct run run;

    load(&run, NULL, NULL);
    cr_assert_eq(run.outcome, CONFIG_READY, "%s", run.err);
    cr_assert_str_eq(run.demo.listen_address.host, "127.0.0.1");
    cr_assert_eq(run.demo.listen_address.port, 50051);
    cr_assert_str_eq(run.demo.metrics_address.host, "");
    cr_assert_eq(run.demo.pool_size, 8);
    cr_assert_eq(run.demo.offer_timeout_us, 120000000);
    cr_assert_eq(run.demo.message_limit_bytes, 4 << 20);
    cr_assert_not(run.demo.dry_run);
    cr_assert_str_eq(run.demo.log_format, "text");
    cr_assert_str_eq(run.demo.greeting, "");
    cr_assert_str_eq(run.demo.database_url, "");
    run_free(&run);
}

Test(config, takes_the_later_of_file_variable_and_flag)
{
    CLEANUP(mem_free_at_exit)
    char *path = file_with("# settings\npool_size: 1\ngreeting: on\nlog_format: json\n");
    CLEANUP(mem_free_at_exit) char *flag = mem_printf("--config=%s", path);
    struct run run;

    load(
        &run, FLAGS(flag, "--pool-size=3"),
        FLAGS("DEMO_POOL_SIZE=2", "DEMO_GREETING=variable", "OTHER_POOL_SIZE=x"));
    (void)unlink(path);
    cr_assert_eq(run.outcome, CONFIG_READY, "%s", run.err);
    cr_assert_eq(run.demo.pool_size, 3);
    cr_assert_str_eq(run.demo.greeting, "variable");
    cr_assert_str_eq(run.demo.log_format, "json");
    run_free(&run);
}

Test(config, takes_a_flag_and_its_value_as_two_words)
{
    struct run run;

    load(&run, FLAGS("--pool-size", "3", "--dry-run", "--listen-address", "[::1]:0"), NULL);
    cr_assert_eq(run.outcome, CONFIG_READY, "%s", run.err);
    cr_assert_eq(run.demo.pool_size, 3);
    cr_assert(run.demo.dry_run);
    cr_assert_str_eq(run.demo.listen_address.host, "::1");
    cr_assert_eq(run.demo.listen_address.port, 0);
    run_free(&run);
}

Test(config, reports_every_problem_by_the_name_it_was_given_under)
{
    CLEANUP(mem_free_at_exit) char *path = file_with("pool_size: 1\ncolour: red\npool_size: 2\n");
    CLEANUP(mem_free_at_exit) char *variable = mem_printf("DEMO_CONFIG=%s", path);
    struct run run;

    load(
        &run, FLAGS("--log-format=xml", "--shout", "stray"),
        FLAGS(variable, "DEMO_OFFER_TIMEOUT=soon", "DEMO_POOL_SIZ=3"));
    (void)unlink(path);
    cr_assert_eq(run.outcome, CONFIG_REFUSED);
    cr_assert(strstr(run.err, "demo: --log-format: not one of the choices: 'xml'"), "%s", run.err);
    cr_assert(strstr(run.err, "text|json"));
    cr_assert(strstr(run.err, "demo: --shout: there is no such setting"));
    cr_assert(strstr(run.err, "demo: stray: is not a flag"));
    cr_assert(strstr(run.err, "demo: DEMO_OFFER_TIMEOUT: not a duration"));
    cr_assert(strstr(run.err, "demo: DEMO_POOL_SIZ: there is no such setting"));
    cr_assert(strstr(run.err, ":2 (colour): there is no such setting"));
    cr_assert(strstr(run.err, ":3: pool_size is given twice"));
    run_free(&run);
}

Test(config, refuses_values_that_are_not_of_the_kind)
{
    static const char *const wrong[] = {
        "--pool-size=",
        "--pool-size=-1",
        "--pool-size=8x",
        "--pool-size= 8",
        "--pool-size=99999999999999999999",
        "--offer-timeout=30",
        "--offer-timeout=1.5s",
        "--offer-timeout=99999999999d",
        "--message-limit=4MB",
        "--dry-run=maybe",
        "--listen-address=",
        "--listen-address=host",
        "--listen-address=:1",
        "--listen-address=h:65536",
        "--listen-address=::1:5",
        "--listen-address=[::1",
        "--listen-address=h:1x",
        "--listen-address=[]:1",
        "--log-format=",
        "--log-format=tex",
        "--certificate=/no/such",
        "--config=/no/such",
        "--pool-size",
        "--",
        "--config",
    };

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_refused(wrong[i], "demo: ");
    }
}

Test(config, asks_the_program_what_no_setting_alone_can_tell)
{
    assert_refused("--pool-size=101", "demo: --pool-size: must not exceed 100");
}

Test(config, asks_the_program_even_when_something_else_is_wrong)
{
    struct run run;

    load(&run, FLAGS("--log-format=xml", "--pool-size=101"), NULL);
    cr_assert_eq(run.outcome, CONFIG_REFUSED);
    cr_assert(strstr(run.err, "demo: --log-format: not one of the choices: 'xml'"), "%s", run.err);
    cr_assert(strstr(run.err, "demo: --pool-size: must not exceed 100"), "%s", run.err);
    run_free(&run);
}

Test(config, reads_a_secret_from_its_file_and_never_shows_it)
{
    CLEANUP(mem_free_at_exit) char *path = file_with("postgres://me:hidden@db\n");
    CLEANUP(mem_free_at_exit) char *flag = mem_printf("--database-url-file=%s", path);
    struct run run;

    load(&run, FLAGS(flag), NULL);
    cr_assert_eq(run.outcome, CONFIG_READY, "%s", run.err);
    cr_assert_str_eq(run.demo.database_url, "postgres://me:hidden@db");
    run_free(&run);

    load(&run, FLAGS(flag, "--check-config"), NULL);
    cr_assert_eq(run.outcome, CONFIG_SHOWN);
    cr_assert_null(strstr(run.out, "hidden"));
    run_free(&run);

    load(&run, FLAGS("--check-config"), FLAGS("DEMO_DATABASE_URL=hidden"));
    cr_assert_eq(run.outcome, CONFIG_SHOWN);
    cr_assert(strstr(run.out, "database_url: ***"), "%s", run.out);
    cr_assert_null(strstr(run.out, "hidden"));
    run_free(&run);
    (void)unlink(path);
}

Test(config, refuses_a_secret_on_the_command_line_without_repeating_it)
{
    struct run run;

    load(&run, FLAGS("--database-url=hidden"), NULL);
    cr_assert_eq(run.outcome, CONFIG_REFUSED);
    cr_assert(strstr(run.err, "--database-url-file=PATH"), "%s", run.err);
    cr_assert_null(strstr(run.err, "hidden"));
    run_free(&run);
}

Test(config, passes_over_the_variables_that_kubernetes_makes_for_services)
{
    struct run run;

    load(
        &run, NULL,
        FLAGS(
            "DEMO_SERVICE_HOST=10.0.0.1", "DEMO_SERVICE_PORT=50051", "DEMO_SERVICE_PORT_GRPC=50051",
            "DEMO_PORT=tcp://10.0.0.1:50051", "DEMO_PORT_50051_TCP=tcp://10.0.0.1:50051",
            "DEMO_PORT_50051_TCP_ADDR=10.0.0.1"));
    cr_assert_eq(run.outcome, CONFIG_READY, "%s", run.err);
    run_free(&run);

    load(&run, NULL, FLAGS("DEMO_PORT=50051"));
    cr_assert_eq(run.outcome, CONFIG_REFUSED, "somebody's mistake, not a service link");
    run_free(&run);
}

Test(config, refuses_a_file_that_is_not_one_mapping_of_plain_values)
{
    static const char *const wrong[] = {
        "- pool_size\n", "pool_size: [1]\n", "pool_size: {a: b}\n", "a: b: c\n",
        "\tpool_size: 1\n"};

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        CLEANUP(mem_free_at_exit) char *path = file_with(wrong[i]);
        CLEANUP(mem_free_at_exit) char *flag = mem_printf("--config=%s", path);

        assert_refused(flag, path);
        (void)unlink(path);
    }
}

Test(config, of_an_empty_file_is_the_default)
{
    CLEANUP(mem_free_at_exit) char *path = file_with("# nothing\n");
    CLEANUP(mem_free_at_exit) char *flag = mem_printf("--config=%s", path);
    struct run run;

    load(&run, FLAGS(flag), NULL);
    cr_assert_eq(run.outcome, CONFIG_READY, "%s", run.err);
    run_free(&run);
    (void)unlink(path);
}

Test(config, answers_help_version_and_reference_instead_of_running)
{
    struct run run;

    load(&run, FLAGS("--version", "--pool-size=wrong"), NULL);
    cr_assert_eq(run.outcome, CONFIG_SHOWN);
    cr_assert_str_eq(run.out, "demo 1.2.3\n");
    run_free(&run);

    load(&run, FLAGS("--help"), NULL);
    cr_assert_eq(run.outcome, CONFIG_SHOWN);
    cr_assert(
        strstr(run.out, "  --offer-timeout=DURATION        How long a worker may think. [2m]\n"));
    cr_assert(strstr(run.out, "  --database-url-file=FILE "));
    run_free(&run);

    load(&run, FLAGS("--print-settings"), FLAGS("DEMO_POOL_SIZE=77"));
    cr_assert_eq(run.outcome, CONFIG_SHOWN);
    cr_assert(strstr(run.out, "| `pool_size` | `DEMO_POOL_SIZE` | COUNT | `8` | Connections kept"));
    cr_assert(strstr(run.out, "| `log_format` | `DEMO_LOG_FORMAT` | text\\|json | `text` |"));
    cr_assert(strstr(run.out, "| `database_url_file` | `DEMO_DATABASE_URL_FILE` | FILE | | Where"));
    run_free(&run);
}
