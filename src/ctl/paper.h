/*
 * paper.h: what is written on: a stream, with or without colours; and the errors beside it.
 */
#ifndef TUTTI_CTL_PAPER_H
#define TUTTI_CTL_PAPER_H

#include "ink.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdio.h>

#define PAPER_COLUMNS 80

struct paper {
    FILE *out;
    bool coloured;
};

/* Standard output: coloured on a terminal that can, unless NO_COLOR is set to something. */
struct paper paper_stdout(void);

/* What is formatted is made harmless, and cut, or filled up, to exactly so many columns. */
void paper_field(const struct paper *paper, enum ink ink, int columns, const char *text);
/* Harmless and whole. */
void paper_text(const struct paper *paper, enum ink ink, const char *text);

/* Indented JSON in which nothing can command a terminal, and a line's end. */
void paper_json(FILE *out, const cJSON *json);
/* The same on one line. */
void paper_json_line(FILE *out, const cJSON *json);

/* "tuttictl: ..." on standard error, harmless. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
