/*
 * watch.c: see watch.h. Sleeps in poll() until a daemon, a key, a signal or a moment comes.
 */
#include "watch.h"

#include "client.h"
#include "members.h"
#include "paper.h"
#include "terminal_signals.h"
#include "watch_layout.h"
#include "watch_screen.h"

#include <errno.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* A restart of the daemon takes about a second; asking a local socket costs nothing. */
#define RETRY_MS 500
/* Signals, keys, screen; the daemons follow. */
#define OWN_FDS 3

struct watching {
    struct watch_model model;
    struct client clients[INVOCATION_SPEAKERS_MAX];
    int64_t retry_at_ms;
    int signals;  /* descriptor */
    int ended_by; /* signal; 0: none */
    bool quit;
    struct view view;
};

/* --- daemons -------------------------------------------------------------------------------- */

/* 0 or -errno. */
static int subscribe(struct client *client, const char *path)
{
    int result = client_open(client, path);
    if (result == 0) {
        cJSON *request = cJSON_CreateObject();
        cJSON_AddStringToObject(request, "cmd", "subscribe");
        result = client_send(client, request, -1);
    }
    if (result < 0)
        client_close(client);
    return result < 0 ? result : 0;
}

static void connect_missing(struct watching *watching)
{
    for (int i = 0; i < watching->model.speaker_count; i++) {
        if (watching->clients[i].fd < 0)
            subscribe(&watching->clients[i], watching->model.speakers[i].path);
    }
}

static void take_lines(struct watching *watching, int index)
{
    struct client *client = &watching->clients[index];
    long got = lines_fill(&client->in, client->fd);
    char *line;
    while ((line = lines_next(&client->in)) != NULL)
        watch_model_take(&watching->model, index, cJSON_Parse(line), client_now_ms());
    if (got > 0 || got == -EINTR || got == -EAGAIN)
        return;
    client_close(client);
    watch_model_lost(&watching->model, index, client_now_ms());
    watching->retry_at_ms = client_now_ms() + RETRY_MS;
}

static void send_request(struct watching *watching, cJSON *request)
{
    int index = watching->model.chosen_speaker;
    struct client *client = &watching->clients[index];
    watch_model_sent(&watching->model, index, client->last_id + 1, request);
    if (client->fd < 0 || client_send(client, request, -1) < 0)
        watch_model_lost(&watching->model, index, client_now_ms());
}

/* --- the person ----------------------------------------------------------------------------- */

static void take_keys(struct watching *watching)
{
    struct watch_key key;
    int waiting = 0;
    cJSON *request;
    /* Readable, and nothing to read, or not even to be asked: the terminal has gone. */
    if (ioctl(STDIN_FILENO, FIONREAD, &waiting) < 0 || waiting == 0)
        watching->quit = true;
    while (!watching->quit && watch_screen_key(&key)) {
        switch (watch_model_key(&watching->model, key, client_now_ms(), &request)) {
        case WATCH_SEND:
            send_request(watching, request);
            break;
        case WATCH_QUIT:
            watching->quit = true;
            break;
        case WATCH_STAY:
            break;
        }
    }
}

/* --- the loop ------------------------------------------------------------------------------- */

static bool is_anybody_missing(const struct watching *watching)
{
    for (int i = 0; i < watching->model.speaker_count; i++) {
        if (watching->clients[i].fd < 0)
            return true;
    }
    return false;
}

/* Until when nothing is to be done unless something comes; -1: for ever. */
static int sleep_ms(struct watching *watching)
{
    int64_t now = client_now_ms(), until = watch_model_tick(&watching->model, now);
    if (is_anybody_missing(watching) && (until < 0 || watching->retry_at_ms < until))
        until = watching->retry_at_ms;
    return until < 0 ? -1 : until <= now ? 0 : (int)(until - now);
}

static void draw(struct watching *watching)
{
    int rows, columns;
    watch_screen_size(&rows, &columns);
    watch_layout(&watching->view, &watching->model, rows, columns);
    watch_screen_draw(&watching->view);
}

/* Of the terminal's two ends: also where it goes without SIGHUP, as one that is not ours to
 * control does. */
static bool is_gone(const struct pollfd *terminal)
{
    return terminal->revents & (POLLHUP | POLLERR | POLLNVAL);
}

static void take_what_came(struct watching *watching, const struct pollfd *ready)
{
    if (ready[0].revents)
        watching->ended_by = terminal_signals_take(watching->signals);
    if (is_gone(&ready[1]) || is_gone(&ready[2]))
        watching->quit = true;
    else if (ready[1].revents)
        take_keys(watching);
    for (int i = 0; i < watching->model.speaker_count; i++) {
        const struct pollfd *daemon = &ready[OWN_FDS + i];
        if (daemon->revents && watching->clients[i].fd == daemon->fd)
            take_lines(watching, i);
    }
    if (is_anybody_missing(watching) && client_now_ms() >= watching->retry_at_ms) {
        connect_missing(watching);
        watching->retry_at_ms = client_now_ms() + RETRY_MS;
    }
}

static void run(struct watching *watching)
{
    while (!watching->quit && !watching->ended_by) {
        struct pollfd ready[OWN_FDS + INVOCATION_SPEAKERS_MAX] = {
            {watching->signals, POLLIN, 0},
            {STDIN_FILENO, POLLIN, 0},
            {STDOUT_FILENO, 0, 0},
        };
        int timeout_ms = sleep_ms(watching), count = OWN_FDS + watching->model.speaker_count;
        for (int i = 0; i < watching->model.speaker_count; i++)
            ready[OWN_FDS + i] = (struct pollfd){watching->clients[i].fd, POLLIN, 0};
        draw(watching);
        if (poll(ready, (nfds_t)count, timeout_ms) >= 0)
            take_what_came(watching, ready);
    }
}

static enum exit_code on_screen(struct watching *watching)
{
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
        complain("watch needs a terminal; tuttictl --json watch does not");
        return EXIT_USAGE;
    }
    watching->signals = terminal_signals_open();
    if (watching->signals < 0 || !watch_screen_open()) {
        complain("this terminal cannot show a whole screen (TERM)");
        return EXIT_USAGE;
    }
    run(watching);
    watch_screen_close();
    close(watching->signals);
    if (watching->ended_by)
        terminal_signals_end_by(watching->ended_by);
    return EXIT_OK;
}

/* What the first speaker's daemon tells, a line each, until it goes. */
static enum exit_code as_json(struct client *client)
{
    char *line;
    do {
        while ((line = lines_next(&client->in)) != NULL) {
            cJSON *told = cJSON_Parse(line);
            bool refused = cJSON_IsFalse(member(told, "ok"));
            if (refused)
                complain("%s", member_text(told, "error"));
            else if (told)
                paper_json_line(stdout, told);
            cJSON_Delete(told);
            if (refused || fflush(stdout) != 0)
                return refused ? EXIT_REFUSED : EXIT_OK;
        }
    } while (lines_fill(&client->in, client->fd) > 0);
    complain("the daemon has gone");
    return EXIT_UNREACHABLE;
}

enum exit_code watch(struct invocation *invocation)
{
    static struct watching watching; /* too large for the stack */
    enum exit_code result = EXIT_UNREACHABLE;
    int error = 0, there = 0;
    watch_model_init(&watching.model, invocation->speaker_count, invocation->sockets);
    for (int i = 0; i < invocation->speaker_count; i++) {
        int outcome = subscribe(&watching.clients[i], invocation->sockets[i]);
        there += outcome == 0;
        error = i == 0 ? outcome : error;
    }
    if (there == 0 || (invocation->json && error < 0))
        client_explain(invocation->sockets[0], error);
    else if (!invocation->json)
        result = on_screen(&watching);
    else
        result = as_json(&watching.clients[0]);
    for (int i = 0; i < invocation->speaker_count; i++)
        client_close(&watching.clients[i]);
    watch_model_finish(&watching.model);
    return result;
}
