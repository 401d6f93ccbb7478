/*
 * hooks.h: commands of the administrator's, run beside the loop, one after another.
 *
 * A command is the shell's (/bin/sh -c), in a process group of its own, with nothing on its
 * standard input and without our secrets in its environment. What it prints is logged, a line at a
 * time. One that takes longer than its limit is ended, first politely; and whether it succeeds or
 * not, the next one runs.
 */
#ifndef TUTTI_IO_HOOKS_H
#define TUTTI_IO_HOOKS_H

#include <stdbool.h>
#include <stdint.h>

/* As many may wait; of more, the latest counts. */
#define HOOKS_WAITING_MAX 4
#define HOOKS_COMMAND_MAX 512

struct hooks;
struct loop;

/* timeout_ns: of each command. NULL when out of memory. */
struct hooks *hooks_create(struct loop *loop, int64_t timeout_ns);
/* Ends what runs, and forgets what waits. NULL is fine. */
void hooks_destroy(struct hooks *hooks);

/* name: for the log ("on_play"), a literal. command: shorter than HOOKS_COMMAND_MAX; "": nothing
 * happens. */
void hooks_run(struct hooks *hooks, const char *name, const char *command);

/* Nothing runs and nothing waits. */
bool hooks_idle(const struct hooks *hooks);
/* Called once, as soon as nothing runs and nothing waits; not if that is so already. */
void hooks_when_idle(struct hooks *hooks, void (*idle)(void *user), void *user);

#endif
