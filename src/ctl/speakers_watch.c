/*
 * speakers_watch.c: see speakers_watch.h. Asks once a second, which is as often as a hub tells of a
 * speaker, and sleeps in poll() in between.
 */
#include "speakers_watch.h"

#include "client.h"
#include "members.h"
#include "paper.h"
#include "terminal_signals.h"
#include "watch_screen.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define ASK_MS 1000
/* An answer that does not come is waited for, and said to be missing. */
#define PATIENCE_MS 4000

struct table {
    struct client client;
    cJSON *answer; /* the last good one; NULL: none yet */
    char problem[256];
    int asked_id; /* 0: nothing is awaited */
    int64_t asked_ms;
    bool quit, gone;
    int ended_by; /* signal */
    struct view view;
};

/* --- the daemon ---------------------------------------------------------------------------- */

static void ask(struct table *table)
{
    cJSON *request = cJSON_CreateObject();
    cJSON_AddStringToObject(request, "cmd", "speakers");
    int id = client_send(&table->client, request, -1);
    table->gone = id < 0;
    table->asked_id = id < 0 ? 0 : id;
    table->asked_ms = client_now_ms();
}

/* Takes the line's answer, if it is the one that is waited for: true. */
static bool take_line(struct table *table, const char *line)
{
    cJSON *answer = cJSON_Parse(line);
    if (!table->asked_id || member_number(answer, "id") != table->asked_id) {
        cJSON_Delete(answer);
        return false;
    }
    table->asked_id = 0;
    bool good = member_is_true(answer, "ok");
    snprintf(table->problem, sizeof table->problem, "%s", good ? "" : member_text(answer, "error"));
    cJSON *old = good ? table->answer : answer;
    if (good)
        table->answer = answer;
    cJSON_Delete(old);
    return true;
}

static bool take_lines(struct table *table)
{
    long got = lines_fill(&table->client.in, table->client.fd);
    bool told = false;
    char *line;
    while ((line = lines_next(&table->client.in)) != NULL)
        told = take_line(table, line) || told;
    table->gone = got <= 0 && got != -EINTR && got != -EAGAIN;
    return told;
}

static int64_t next_ask_ms(const struct table *table)
{
    return table->asked_ms + (table->asked_id ? PATIENCE_MS : ASK_MS);
}

static int sleep_ms(const struct table *table)
{
    int64_t left = next_ask_ms(table) - client_now_ms();
    return left > 0 ? (int)left : 0;
}

static void ask_if_due(struct table *table)
{
    if (client_now_ms() < next_ask_ms(table))
        return;
    if (table->asked_id)
        snprintf(table->problem, sizeof table->problem, "the daemon does not answer");
    ask(table);
}

/* --- on the screen ------------------------------------------------------------------------- */

static void take_keys(struct table *table)
{
    struct watch_key key;
    int waiting = 0;
    /* Readable, and nothing to read, or not even to be asked: the terminal has gone. */
    if (ioctl(STDIN_FILENO, FIONREAD, &waiting) < 0 || waiting == 0)
        table->quit = true;
    while (!table->quit && watch_screen_key(&key))
        table->quit = key.kind == WATCH_KEY_CHARACTER && key.character == L'q';
}

static void draw(struct table *table)
{
    int rows, columns;
    watch_screen_size(&rows, &columns);
    speakers_layout(&table->view, member(table->answer, "speakers"), table->problem, rows, columns);
    watch_screen_draw(&table->view);
}

static void run(struct table *table, int signals)
{
    while (!table->quit && !table->ended_by && !table->gone) {
        struct pollfd ready[] = {{signals, POLLIN, 0},
                                 {STDIN_FILENO, POLLIN, 0},
                                 {STDOUT_FILENO, 0, 0},
                                 {table->client.fd, POLLIN, 0}};
        draw(table);
        if (poll(ready, sizeof ready / sizeof *ready, sleep_ms(table)) < 0)
            continue;
        if (ready[0].revents)
            table->ended_by = terminal_signals_take(signals);
        if ((ready[1].revents | ready[2].revents) & (POLLHUP | POLLERR | POLLNVAL))
            table->quit = true;
        else if (ready[1].revents)
            take_keys(table);
        if (ready[3].revents)
            take_lines(table);
        if (!table->gone)
            ask_if_due(table);
    }
}

static enum exit_code on_screen(struct table *table)
{
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
        complain("--watch needs a terminal; tuttictl --json speakers --watch does not");
        return EXIT_USAGE;
    }
    int signals = terminal_signals_open();
    if (signals < 0 || !watch_screen_open()) {
        complain("this terminal cannot show a whole screen (TERM)");
        return EXIT_USAGE;
    }
    run(table, signals);
    watch_screen_close();
    close(signals);
    if (table->ended_by)
        terminal_signals_end_by(table->ended_by);
    return EXIT_OK;
}

/* --- as JSON ------------------------------------------------------------------------------- */

/* A line each time, until it is refused, the daemon goes, or nobody reads it. */
static enum exit_code as_json(struct table *table)
{
    while (!table->gone) {
        struct pollfd ready[] = {{table->client.fd, POLLIN, 0}, {STDOUT_FILENO, 0, 0}};
        if (poll(ready, 2, sleep_ms(table)) < 0)
            continue;
        if (ready[1].revents & (POLLERR | POLLHUP))
            return EXIT_OK;
        if (ready[0].revents && take_lines(table)) {
            if (*table->problem) {
                complain("%s", table->problem);
                return EXIT_REFUSED;
            }
            paper_json_line(stdout, member(table->answer, "speakers"));
            if (fflush(stdout) != 0)
                return EXIT_OK;
        }
        if (!table->gone)
            ask_if_due(table);
    }
    return EXIT_OK;
}

enum exit_code speakers_watch(const struct invocation *invocation)
{
    static struct table table; /* too large for the stack */
    enum exit_code result = EXIT_UNREACHABLE;
    int error = client_open(&table.client, invocation->sockets[0]);
    if (error < 0) {
        client_explain(invocation->sockets[0], error);
    } else {
        ask(&table);
        result = invocation->json ? as_json(&table) : on_screen(&table);
    }
    if (error == 0 && table.gone) {
        complain("the daemon has gone");
        result = EXIT_UNREACHABLE;
    }
    client_close(&table.client);
    cJSON_Delete(table.answer);
    return result;
}
