/*
 * library.h: the library of the house, which a hub has: what is found in it, and adding that.
 */
#ifndef TUTTI_CTL_LIBRARY_H
#define TUTTI_CTL_LIBRARY_H

#include "client.h"
#include "exit_code.h"
#include "print.h"

order_build order_search;
print_answer print_found;
print_answer print_cleared;

/* Playlists that are kept under a name. */
order_build order_list; /* one, by its name */
order_build order_load; /* the same; without a name: which there are */
print_answer print_saved;
print_answer print_loaded;
print_answer print_forgotten;

/* The answer to a request (which becomes the callee's), the caller's. NULL after a line on standard
 * error, and then *ret_failed says how; else that is EXIT_OK. */
cJSON *library_ask(struct client *client, cJSON *request, enum exit_code *ret_failed);

/* Are these numbers, of what the last search found? */
bool library_are_numbers(int count, const char *const *words);
/*
 * Adds the tracks that have these numbers; or else what the words, taken together, are: an album's
 * title, for all of it in its order, or words that only one track has. What went wrong is on
 * standard error.
 */
enum exit_code library_add(struct client *client, int count, const char *const *words, bool json,
                           const struct paper *paper);

#endif
