#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/base/attr.h"
#include "common/clock/clock.h"
#include "common/error/error.h"
#include "common/log/log.h"

static const struct log_event log_event_quiet = {"quiet", LOG_DEBUG, "Not shown by default."};
static const struct log_event log_event_loud = {"loud", LOG_WARN, "Shown by default."};

/* Reads what was logged into the pipe. */
static const char *logged(int descriptor)
{
    static char text[4096];
    ssize_t length = read(descriptor, text, sizeof(text) - 1);

    text[length > 0 ? length : 0] = '\0';
    return text;
}

static int start(enum log_level level, const struct clock *clock)
{
    int ends[2];

    cr_assert_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    log_start(&(struct log_options){.level = level, .descriptor = ends[1], .clock = clock});
    return ends[0];
}

Test(log, writes_events_at_or_above_its_level)
{
    CLEANUP(clock_free_at_exit) struct clock *clock = clock_new_settable(0, 0);
    int descriptor = start(LOG_INFO, clock);

    LOG(NULL, quiet);
    cr_assert_str_eq(logged(descriptor), "");
    LOG(NULL, loud, LOG_TEXT("who", "me"));
    cr_assert_str_eq(logged(descriptor), "1970-01-01T00:00:00.000Z WARN  loud who=me\n");

    log_set_level(LOG_DEBUG);
    LOG(NULL, quiet);
    cr_assert_str_eq(logged(descriptor), "1970-01-01T00:00:00.000Z DEBUG quiet\n");
}

Test(log, counts_the_lines_it_could_not_write)
{
    (void)start(LOG_INFO, NULL);
    int64_t before = log_lines_lost();

    while (log_lines_lost() == before) { /* until the pipe is full */
        LOG(NULL, loud);
    }
    LOG(NULL, loud);
    cr_assert_eq(log_lines_lost(), before + 2);
}

Test(log, knows_the_names_of_levels_and_formats)
{
    enum log_level level = LOG_INFO;
    enum log_format format = LOG_FORMAT_TEXT;

    cr_assert(log_level_parse("warn", &level));
    cr_assert_eq(level, LOG_WARN);
    cr_assert_not(log_level_parse("loud", &level));
    cr_assert(log_format_parse("json", &format));
    cr_assert_eq(format, LOG_FORMAT_JSON);
    cr_assert_not(log_format_parse("xml", &format));
}

static bool passes(const struct log_event *first, const struct log_event *second)
{
    const struct log_event *const table[] = {first, second, NULL};
    struct error err;

    return log_events_check(table, &err);
}

Test(log, events_out_of_order_twice_or_without_a_sentence_fail_the_check)
{
    const struct log_event wordless = {"wordless", LOG_INFO, ""};

    cr_assert(passes(&log_event_loud, &log_event_quiet));
    cr_assert_not(passes(&log_event_quiet, &log_event_loud));
    cr_assert_not(passes(&log_event_loud, &log_event_loud));
    cr_assert_not(passes(&log_event_loud, &wordless));
}
