/* Several threads log into one pipe while another changes the level: every line arrives whole. */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log/log.h"

static const struct log_event log_event_counted = {"counted", LOG_ERROR, "One of many."};

enum {
    WRITERS = 4,
    LINES = 2000
};

static void *write_lines(void *context)
{
    for (int i = 0; i < LINES; i++) {
        log_set_level(i % 2 ? LOG_DEBUG : LOG_ERROR);
        LOG(NULL, counted, LOG_TEXT("writer", context), LOG_INT("line", i),
            LOG_TEXT("end", "\n of the line"));
    }
    return NULL;
}

static bool whole(const char *line)
{
    static const char end[] = " end=\"\\n of the line\"\n";
    size_t length = strlen(line);

    return strstr(line, " ERROR counted writer=w line=") != NULL && length > sizeof(end) &&
           strcmp(line + length - (sizeof(end) - 1), end) == 0;
}

int main(void)
{
    char writer[] = "w";
    char line[4096];
    pthread_t threads[WRITERS];
    int ends[2];
    int count = 0;

    if (pipe2(ends, O_CLOEXEC) != 0) {
        return 1;
    }
    log_start(&(struct log_options){.level = LOG_INFO, .descriptor = ends[1]});
    for (int i = 0; i < WRITERS; i++) {
        if (pthread_create(&threads[i], NULL, write_lines, writer) != 0) {
            return 1;
        }
    }

    FILE *reader = fdopen(ends[0], "r");

    while (count < WRITERS * LINES && reader && fgets(line, sizeof(line), reader)) {
        if (!whole(line)) {
            (void)fprintf(stderr, "broken line: %s", line);
            return 1;
        }
        count++;
    }
    for (int i = 0; i < WRITERS; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    return count != WRITERS * LINES;
}
