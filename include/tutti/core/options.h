/*
 * options.h: a program's options as one table, from which parsing, validation, --help, the
 * commented configuration file and the man page's list are all made.
 *
 * A table describes the members of one plain struct, the target. Texts are UTF-8 without control
 * characters. All functions are pure.
 */
#ifndef TUTTI_CORE_OPTIONS_H
#define TUTTI_CORE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OPTIONS_ERROR_MAX 640
#define OPTIONS_ALLOWED_MAX 160
#define OPTIONS_NAME_MAX 96
#define OPTIONS_LINE_MAX 400

enum option_kind {
    OPTION_TEXT,    /* char[size] */
    OPTION_INTEGER, /* int64_t */
    OPTION_REAL,    /* double */
    OPTION_BOOL,    /* bool */
    OPTION_CHOICE,  /* int: the place of the chosen word */
};

struct option_spec {
    const char *section;
    const char *key;
    enum option_kind kind;
    size_t offset;        /* of the member in the target */
    size_t size;          /* texts: of the array, the terminator included */
    double low, high;     /* numbers: the range, both ends allowed */
    const char *choices;  /* "a | b" */
    const char *fallback; /* the default, as text */
    const char *help;     /* one sentence */
    bool secret;          /* its value is never repeated in an error */
    const char *takes;    /* texts: what valid() accepts, in words; NULL: any text */
    bool (*valid)(const char *text);
};

struct option_table {
    const struct option_spec *specs; /* those of a section stand together */
    size_t count;
    const char *environment; /* "TUTTI": the variables are TUTTI_SECTION_KEY */
};

/* Every member gets its default. */
void options_init(const struct option_table *table, void *target);

/*
 * Sets one option from text. False, with what is wrong and what is allowed in error, for an unknown
 * section or key and for a bad value; the target is untouched then.
 */
bool options_set(const struct option_table *table, void *target, const char *section,
                 const char *key, const char *value, char error[OPTIONS_ERROR_MAX]);

/* Whether there is such an option, and its value is not for everybody's eyes. */
bool options_is_secret(const struct option_table *table, const char *section, const char *key);

/* Whether two targets agree in this option. */
bool options_are_equal(const struct option_spec *spec, const void *a, const void *b);

/* "a whole number from 0 to 100", "guest | host", ... */
void options_describe_allowed(const struct option_spec *spec, char allowed[OPTIONS_ALLOWED_MAX]);

/* The environment variable of an option. */
void options_variable(const struct option_table *table, const struct option_spec *spec,
                      char name[OPTIONS_NAME_MAX]);
/* A variable that looks like one of ours (TUTTI_SECTION_...) but is of no option. */
bool options_is_unknown_variable(const struct option_table *table, const char *name);

enum options_style {
    OPTIONS_HELP,   /* for --help */
    OPTIONS_CONFIG, /* a configuration file with every option commented out */
    OPTIONS_MAN,    /* man page source */
};

/* The whole table as text, line by line, without line ends. */
void options_print(const struct option_table *table, enum options_style style,
                   void (*emit)(void *user, const char *line), void *user);

#endif
