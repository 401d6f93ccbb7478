/*
 * group_internal.h: the parts of a group, each of which needs only those below it:
 *
 *   group.c            what comes and goes
 *   group_news.c       who has heard what
 *   group_follow.c     the line by our clock
 *   group_reference.c  the line that we tell
 *   group_members.c    who is there, and who should be the reference
 *   group_evidence.c   what we know ourselves
 *   group_line.c, group_pace.c
 *                      a line at an instant; when a word is said
 */
#ifndef TUTTI_CORE_GROUP_INTERNAL_H
#define TUTTI_CORE_GROUP_INTERNAL_H

#include "tutti/core/group.h"

/* --- group_members.c --- */

struct group_member *group_member(struct group *group, uint64_t id);
const struct group_member *group_find(const struct group *group, uint64_t id);
/* A known one, or a new one in a free place; NULL: there are too many, or it is an old message. */
struct group_member *group_note_member(struct group *group, const struct group_message *message,
                                       group_peer from, bool by_multicast, struct mono_time now);
void group_forget_gone(struct group *group, struct mono_time now);
unsigned group_count(const struct group *group); /* ourselves included */
/* How many follow it, itself included. */
unsigned group_support(const struct group *group, uint64_t id);
/* Is the first the better reference of two? Either may be ourselves. */
bool group_is_better(const struct group *group, uint64_t a, uint64_t b, struct mono_time now);
/* By its evidence or its network, not only by its age. */
bool group_is_much_better(const struct group *group, uint64_t a, uint64_t b, struct mono_time now);
/* The best of those that say they are the reference; 0: none. */
uint64_t group_best_reference(const struct group *group, struct mono_time now);
/* How many would be a better reference than we are. */
unsigned group_betters(const struct group *group, struct mono_time now);
bool group_may_follow(const struct group *group, const struct group_member *member,
                      struct mono_time now);
/* Do more than half of those who do not speak for themselves doubt it? We, too, if we do. */
bool group_majority_doubts(const struct group *group, uint64_t id);
bool group_somebody_plays(const struct group *group);

/* --- group_follow.c --- */

void group_decide(struct group *group, struct mono_time now);
void group_take_answer(struct group *group, const struct group_message *message,
                       struct mono_time arrived);
void group_take_line(struct group *group, const struct group_message *message,
                     struct mono_time now);
struct group_measure *group_measure_of(struct group *group, uint64_t id);
/* Gives the line in force to the server_clock, or takes it back. */
void group_apply(struct group *group, struct mono_time now);
/* A stamp has come, and what plays by it follows within milliseconds: so does the line. */
void group_take_stamp(struct group *group, struct mono_time now);
int64_t group_follow_due_ns(const struct group *group);

/* --- group_reference.c --- */

/* From now on we are the reference, with the line that was followed so far. */
void group_become_reference(struct group *group, struct mono_time now);
/* Moves what is told towards what is known. True: by a step, to be told at once. */
bool group_steer(struct group *group, struct mono_time now);

/* --- group_news.c --- */

void group_compare_news(struct group *group, struct group_member *member, struct mono_time now);
void group_news_due(struct group *group, struct mono_time now);
void group_fill_news(const struct group *group, struct group_word *word);

/* --- group_evidence.c --- */

/* What we know without the group; not computed anew for every datagram. */
const struct server_clock_own *group_own(struct group *group, struct mono_time now);
enum group_evidence group_own_evidence(const struct group *group);
/* That stamp came to this member then, by our clock. */
void group_share_stamp(struct group *group, uint64_t id, int64_t stamp_ns, int64_t at_ns,
                       struct mono_time now);

/* --- group_line.c --- */

/* Offset at t, by a line as server_clock has it. */
int64_t group_line_offset_ns(const struct server_clock_line *line, int64_t t_ns);
double group_line_frequency(const struct server_clock_line *line, int64_t t_ns);

/* --- group_pace.c --- */

/* Two words are never closer, but for urgent ones, of which no two are. */
#define GROUP_WORD_MIN_NS (200 * NS_PER_MS)

uint64_t group_next_random(struct group *group);
/* Uniform in [0, below). */
int64_t group_random(struct group *group, int64_t below);
/* A word is to be said soon: at once, if the last one is not too recent. */
void group_speak_soon(struct group *group, struct mono_time now);
/* The same, however recent the last one is: our line has stepped, and others begin to play by it. */
void group_speak_at_once(struct group *group, struct mono_time now);

#endif
