/*
 * log.c: formats a line in a bounded buffer, masks secrets, writes it with one write(2).
 *
 * What is harmful in words from outside (text.h) is turned into spaces, so that nobody can forge a
 * log line, or command the terminal of who reads it, through a track's name.
 */
#include "tutti/base/log.h"

#include "tutti/base/text.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *const level_names[] = {"error", "warn", "info", "debug"};
/* sd-daemon(3) priorities of the levels. */
static const int level_priorities[] = {3, 4, 6, 7};

/* Beyond the longest line: more than masking eight secrets of 512 bytes in it can take away. */
#define SECRET_ROOM 4096

static enum log_level threshold = LOG_INFO;
static pthread_mutex_t secrets_lock = PTHREAD_MUTEX_INITIALIZER; /* over these two */
static char *secrets[LOG_SECRETS_MAX];
static size_t secrets_next;

bool log_level_parse(const char *name, enum log_level *ret_level)
{
    for (size_t i = 0; i < sizeof level_names / sizeof *level_names; i++) {
        if (strcmp(name, level_names[i]) == 0) {
            *ret_level = (enum log_level)i;
            return true;
        }
    }
    return false;
}

const char *log_level_name(enum log_level level)
{
    return level_names[level];
}

void log_set_level(enum log_level level)
{
    threshold = level;
}

enum log_level log_get_level(void)
{
    return threshold;
}

static bool is_known(const char *secret)
{
    for (size_t i = 0; i < LOG_SECRETS_MAX; i++)
        if (secrets[i] && strcmp(secrets[i], secret) == 0)
            return true;
    return false;
}

void log_add_secret(const char *secret)
{
    if (!secret || strlen(secret) < LOG_SECRET_MIN_LEN)
        return;
    pthread_mutex_lock(&secrets_lock);
    if (!is_known(secret)) {
        free(secrets[secrets_next]);
        secrets[secrets_next] = strdup(secret);
        if (!secrets[secrets_next])
            abort(); /* better silent than with a secret in the log */
        secrets_next = (secrets_next + 1) % LOG_SECRETS_MAX;
    }
    pthread_mutex_unlock(&secrets_lock);
}

void log_forget_secrets(void)
{
    pthread_mutex_lock(&secrets_lock);
    for (size_t i = 0; i < LOG_SECRETS_MAX; i++) {
        free(secrets[i]);
        secrets[i] = NULL;
    }
    secrets_next = 0;
    pthread_mutex_unlock(&secrets_lock);
}

static void mask(char *text, const char *secret)
{
    size_t len = strlen(secret);
    char *hit = text;
    while ((hit = strstr(hit, secret)) != NULL) {
        memset(hit, '*', 3); /* LOG_SECRET_MIN_LEN > 3 */
        memmove(hit + 3, hit + len, strlen(hit + len) + 1);
        hit += 3;
    }
}

void log_redact(char *text)
{
    pthread_mutex_lock(&secrets_lock);
    for (size_t i = 0; i < LOG_SECRETS_MAX; i++) {
        if (secrets[i])
            mask(text, secrets[i]);
    }
    pthread_mutex_unlock(&secrets_lock);
}

static size_t write_prefix(char *line, size_t size, enum log_level level)
{
    int len;
    if (getenv("JOURNAL_STREAM")) {
        len = snprintf(line, size, "<%d>", level_priorities[level]);
    } else {
        struct timespec now;
        struct tm utc;
        clock_gettime(CLOCK_REALTIME, &now);
        gmtime_r(&now.tv_sec, &utc);
        len = snprintf(line, size, "%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ %s: ", utc.tm_year + 1900,
                       utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
                       now.tv_nsec / 1000000, level_names[level]);
    }
    return len < 0 ? 0 : (size_t)len;
}

void log_write(enum log_level level, const char *format, ...)
{
    if (level > threshold)
        return;

    /* Longer than what is written: a secret is masked before the line is cut. */
    char line[LOG_LINE_MAX + SECRET_ROOM];
    size_t prefix = write_prefix(line, sizeof line, level);
    char *text = line + prefix;
    size_t room = sizeof line - prefix - 1; /* one byte kept for the newline */

    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, room, format, args);
    va_end(args);
    if (len < 0)
        return;

    log_redact(text);
    /* What did not fit into the room either may end in half a secret: it is far beyond the cut. */
    size_t longest = LOG_LINE_MAX - prefix - 2;
    if (strlen(text) > longest)
        memcpy(text + longest - 3, "...", 4);
    text_defuse(text, ' ');

    size_t total = strlen(line);
    line[total] = '\n';
    /* A log that cannot be written has nowhere to say so. */
    ssize_t written = write(STDERR_FILENO, line, total + 1);
    (void)written;
}
