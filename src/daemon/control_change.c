/*
 * control_change.c: the commands that change the playlist, the requests for changes of it, or the
 * session that this speaker is in.
 */
#include "control_internal.h"

#include <math.h>
#include <string.h>

static void do_remove(struct daemon *daemon, const struct asker *asker,
                      const struct control_cmd *cmd)
{
    struct waiting *waiting = control_wait(daemon, asker);
    if (waiting)
        link_remove(daemon->link, cmd->item_id, control_confirmed, waiting);
}

static void do_move(struct daemon *daemon, const struct asker *asker, const struct control_cmd *cmd)
{
    struct waiting *waiting = control_wait(daemon, asker);
    if (waiting)
        link_move(daemon->link, cmd->item_id, cmd->new_position, control_confirmed, waiting);
}

static void send_request(struct daemon *daemon, const struct asker *asker,
                         const struct request_wish *wish)
{
    struct waiting *waiting = control_wait(daemon, asker);
    if (waiting)
        link_request(daemon->link, wish, control_confirmed, waiting);
}

/* The full backend takes an add request for its word, and fails at its approval when the path and
 * the type of the media are not in it. */
static void request_again(struct daemon *daemon, const struct asker *asker,
                          const struct playlist_item *item)
{
    char path[PROTOCOL_PATH_MAX];
    if (!playlist_media_path(item, path)) {
        control_fail(asker, "that track's media are not the backend's own; they cannot be added");
        return;
    }
    send_request(daemon, asker,
                 &(struct request_wish){
                     .type = REQUEST_ADD,
                     .item_id = "",
                     .new_position = -1,
                     .track_id = item->track_id,
                     .name = item->name,
                     .media_path = path,
                     .media_type = item->media_type[0] ? item->media_type : "audio/mpeg",
                     .duration_s = item->duration_s,
                 });
}

static void do_request(struct daemon *daemon, const struct asker *asker,
                       const struct control_cmd *cmd)
{
    bool add = cmd->type == REQUEST_ADD;
    const struct playlist_item *item = playlist_find(&daemon->session->playlist, cmd->item_id);
    if (cmd->item_id[0] && !item) {
        control_fail(asker, "the playlist has no such item");
        return;
    }
    if (add && item) {
        request_again(daemon, asker, item);
        return;
    }
    send_request(daemon, asker,
                 &(struct request_wish){
                     .type = cmd->type,
                     .item_id = cmd->item_id,
                     .new_position = cmd->type == REQUEST_REORDER ? cmd->new_position : -1,
                     .track_id = add ? cmd->track_id : "",
                     .name = !add           ? ""
                             : cmd->name[0] ? cmd->name
                                            : cmd->track_id,
                     .media_path = add ? cmd->media_path : "",
                     .media_type = add ? cmd->media_type : "",
                     .duration_s = isnan(cmd->duration_s) ? -1 : cmd->duration_s,
                 });
}

/* One that is known to be decided is not decided again: on the full backend it would be applied
 * again. */
static void do_decide(struct daemon *daemon, const struct asker *asker,
                      const struct control_cmd *cmd)
{
    const struct request_entry *entry = requests_find(&daemon->session->requests, cmd->request_id);
    if (entry && entry->message.status != REQUEST_PENDING) {
        control_fail(asker, entry->message.status == REQUEST_APPROVED
                                ? "the request has been approved already"
                                : "the request has been denied already");
        return;
    }
    struct waiting *waiting = control_wait(daemon, asker);
    if (waiting)
        link_decide(daemon->link, cmd->request_id, cmd->verb == CONTROL_APPROVE, cmd->reason,
                    control_confirmed, waiting);
}

static void joined(void *user, const struct link_result *result)
{
    struct waiting *waiting = user;
    struct daemon *daemon = waiting->daemon;
    if (result->error[0]) {
        control_confirmed(waiting, result);
        return;
    }
    struct asker asker = control_stop_waiting(waiting);
    control_answer(&asker, "session", status_build_session(daemon));
}

static void do_join(struct daemon *daemon, const struct asker *asker, const struct control_cmd *cmd)
{
    struct waiting *waiting = control_wait(daemon, asker);
    if (waiting)
        link_join(daemon->link, cmd->code, joined, waiting);
}

static void do_leave(struct daemon *daemon, const struct asker *asker)
{
    if (link_leave(daemon->link))
        control_answer(asker, "session", status_build_session(daemon));
    else
        control_fail(asker, "this speaker is in no session");
}

void control_change(struct daemon *daemon, const struct asker *asker, const struct control_cmd *cmd)
{
    switch (cmd->verb) {
    case CONTROL_ADD:
        control_add(daemon, asker, cmd);
        break;
    case CONTROL_REMOVE:
        do_remove(daemon, asker, cmd);
        break;
    case CONTROL_MOVE:
        do_move(daemon, asker, cmd);
        break;
    case CONTROL_REQUEST:
        do_request(daemon, asker, cmd);
        break;
    case CONTROL_APPROVE:
    case CONTROL_DENY:
        do_decide(daemon, asker, cmd);
        break;
    case CONTROL_JOIN:
        do_join(daemon, asker, cmd);
        break;
    case CONTROL_LEAVE:
        do_leave(daemon, asker);
        break;
    default: /* control.c has the rest */
        break;
    }
}
