/*
 * ink.h: how words may look, on paper and on a whole screen.
 */
#ifndef TUTTI_CTL_INK_H
#define TUTTI_CTL_INK_H

enum ink {
    INK_PLAIN,
    INK_BOLD,
    INK_DIM,
    INK_TITLE,
    INK_GOOD,
    INK_WAITING,
    INK_BAD,
};
#define INK_COUNT 7

/* Of a request's status: pending, approved or denied. */
enum ink ink_of_request(const char *status);

#endif
