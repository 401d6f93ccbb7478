/*
 * speakers_watch.h: `tuttictl speakers --watch`: the table of the session's speakers, live, on a terminal
 * of any width; or, as JSON, a line of it each time.
 */
#ifndef TUTTI_CTL_SPEAKERS_WATCH_H
#define TUTTI_CTL_SPEAKERS_WATCH_H

#include "exit_code.h"
#include "invocation.h"
#include "view.h"

#include <cjson/cJSON.h>

/* Until the person quits, or the daemon goes. */
enum exit_code speakers_watch(const struct invocation *invocation);

/* Pure. speakers: as the daemon tells them, or NULL: not yet; problem: "" or why they are of before. */
void speakers_layout(struct view *view, const cJSON *speakers, const char *problem, int rows,
                     int columns);

#endif
