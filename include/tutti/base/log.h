/*
 * log.h: one line per event, to stderr, or to the journal when stderr is connected to it.
 *
 * Under systemd (JOURNAL_STREAM set) lines carry the <N> priority prefix that the journal
 * understands and no timestamp; elsewhere a UTC timestamp and the level's name.
 * Secrets given to log_add_secret() never appear in a line: they are masked as "***".
 * Lines may come from any thread, and secrets as well; the level is the main one's to set.
 */
#ifndef TUTTI_BASE_LOG_H
#define TUTTI_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>

enum log_level {
    LOG_ERROR,
    LOG_WARN,
    LOG_INFO,
    LOG_DEBUG,
};

/* How many secrets can be masked at a time; the oldest makes room. */
#define LOG_SECRETS_MAX 8
/* Shorter strings are not secrets worth masking: they would mangle ordinary text. */
#define LOG_SECRET_MIN_LEN 6
/* Longer lines are cut, with "..." at the end. */
#define LOG_LINE_MAX 2048

/* "error", "warn", "info" or "debug" into *ret_level; false, untouched, for anything else. */
bool log_level_parse(const char *name, enum log_level *ret_level);
const char *log_level_name(enum log_level level);

void log_set_level(enum log_level level);
enum log_level log_get_level(void);

/* Masks every later occurrence of secret (copied). NULL and short strings are ignored. */
void log_add_secret(const char *secret);
void log_forget_secrets(void);

/* Replaces every registered secret in text, in place. */
void log_redact(char *text);

/* Prefer the macros below. */
void log_write(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_write(LOG_ERROR, __VA_ARGS__)
#define log_warn(...) log_write(LOG_WARN, __VA_ARGS__)
#define log_info(...) log_write(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__)

#endif
