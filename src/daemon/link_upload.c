/*
 * link_upload.c: a file on its way to the backend. Whether it has arrived is told by the answer, or
 * by the playlist; it is not sent twice.
 */
#include "link_internal.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool link_takes_guest_files(const struct link *link)
{
    /* The hub does; of the full backend's ways it has none, it would keep a request without the
     * file. What answers probes is a hub. */
    return link->config.clock->echo_seen;
}

static void end(struct link *link)
{
    track_upload_destroy(link->upload.upload);
    link->upload.upload = NULL;
}

void link_cancel_upload(struct link *link)
{
    struct link_order *pending = link_order_of(link, ORDER_ADD);
    if (pending)
        link_order_cancel(pending);
}

/* There are bytes again. */
static void go_on(void *user)
{
    struct link_order *pending = link_order_of(user, ORDER_ADD);
    if (pending && pending->call)
        http_go_on(pending->call);
}

static int64_t give_body(void *user, char *to, size_t room)
{
    struct link_order *pending = user;
    struct link *link = pending->link;
    int64_t given = track_upload_give(link->upload.upload, to, room);
    if (given > 0)
        link->upload.on_progress(pending->user, track_upload_file_given(link->upload.upload),
                                 link->upload.file_bytes);
    return given;
}

static void start(struct link_order *pending, const struct order *order)
{
    (void)order;
    struct link *link = pending->link;
    const struct link_pass *pass = &link->member.used;
    char url[PROTOCOL_URL_MAX];
    if (!link->upload.upload || !protocol_url(url, sizeof url, link->config.settings->backend.url,
                                              "/sessions/%s/playlist", pass->session_id)) {
        link_order_fail(pending, "out of memory");
        return;
    }
    link_order_call(pending, &(struct http_request){
                                 .method = "POST",
                                 .url = url,
                                 .token = pass->token,
                                 .on_body = give_body,
                                 .body_bytes = track_upload_bytes(link->upload.upload),
                             });
}

static const struct link_order_kind uploading = {
    .send = start, .answered = link_take_answer, .ended = end};

void link_upload(struct link *link, const struct link_file *file, link_done *done, void *user)
{
    struct order order = {.kind = ORDER_ADD, .position_ms = -1, .new_position = -1};
    snprintf(order.track_id, sizeof order.track_id, "%s", file->track_id);
    if (link_order_of(link, ORDER_ADD)) {
        close(file->fd);
        done(user, &(struct link_result){.error = "another upload is under way"});
        return;
    }
    if (!link_order_begin(link, &order, &uploading, NULL, done, user)) {
        close(file->fd);
        return;
    }
    link->upload.on_progress = file->on_progress;
    link->upload.file_bytes = file->file_bytes;
    link->upload.upload =
        track_upload_create(link->config.background, file->fd, file->file_bytes,
                            &(struct track_upload_config){.track_id = file->track_id,
                                                          .name = file->name,
                                                          .filename = file->filename,
                                                          .content_type = file->content_type,
                                                          .duration_s = file->duration_s},
                            go_on, link);
    link_orders_run(link);
}
