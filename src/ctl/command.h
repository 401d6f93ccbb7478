/*
 * command.h: the table of tuttictl's commands: the one place that knows them all. Help, completion
 * and the tests of the manual read it.
 */
#ifndef TUTTI_CTL_COMMAND_H
#define TUTTI_CTL_COMMAND_H

#include "list_file.h"
#include "orders.h"
#include "print.h"

enum command_kind {
    COMMAND_ASKS,    /* one request, one answer */
    COMMAND_ADDS,    /* one for each file, see add.h */
    COMMAND_WATCHES, /* see watch.h */
};

enum command_needs {
    COMMAND_NEEDS_PLAYLIST = 1, /* to know which item is meant */
    COMMAND_NEEDS_REQUESTS = 2,
    COMMAND_NEEDS_SPEAKERS = 4,
};

#define COMMAND_WORDS_MAX 2

struct command {
    const char *name;
    const char *arguments;
    const char *help;
    enum command_kind kind;
    int least, most; /* arguments */
    unsigned needs;
    order_build *build;
    print_answer *print;
    order_build *rooms_build; /* with --room or --all; NULL: it takes neither */
    print_answer *rooms_print;
    list_file_act *file; /* with FILE.m3u or "-" alone; NULL: that means nothing more */
    const char *done;    /* for print_confirmed() and print_request() */
    const char *result;  /* the member that --json prints; NULL: the whole answer */
    /* What completes its arguments, in their order: words, or one of "@item", "@request", "@speaker", "@file".
     */
    const char *words[COMMAND_WORDS_MAX];
    const char *options; /* of its own, for completion; NULL: none */
};

extern const struct command commands[];
extern const size_t command_count;

/* NULL if there is none of that name. */
const struct command *command_find(const char *name);
/* The one whose name is most like it. */
const struct command *command_nearest(const char *name);

void command_print_help(FILE *out);
void command_print_usage(FILE *out, const struct command *command);

#endif
