/*
 * control_add.c: "add": a file that a person has opened and passed to us goes to the backend.
 *
 * First it is looked at beside the loop, by the decoder: what no speaker could play is not sent,
 * and how long it is must be told to a backend that limits it.
 */
#include "control_internal.h"
#include "tutti/audio/decoder.h"
#include "tutti/io/background.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* So much of the music is decoded: enough to notice what only looks like it. */
#define LOOK_READS 64
#define LOOK_STEP_FRAMES 4096
/* Also of those whose askers have gone: each holds a descriptor until it has been read. */
#define LOOKS_MAX 4
/* Progress is told this often at most. */
static const int64_t PROGRESS_NS = 250 * NS_PER_MS;

/* From the line to the answer. */
struct addition {
    struct waiting *waiting; /* NULL: whoever asked has gone */
    struct daemon *daemon;
    struct control_cmd cmd;
    int fd;
    int64_t file_bytes;
    bool uploading;
    struct mono_time told_at;
    /* What was found out: */
    double duration_s;
    enum audio_kind kind;
    char error[CONTROL_ERROR_MAX];
};

static void forget(struct addition *addition)
{
    if (addition->fd >= 0)
        close(addition->fd);
    free(addition);
}

static void fail(struct addition *addition, const char *error)
{
    if (addition->waiting) {
        struct asker asker = control_stop_waiting(addition->waiting);
        control_fail(&asker, error);
    }
    forget(addition);
}

/* --- the upload ---------------------------------------------------------------------------- */

static void tell_progress(void *user, int64_t sent_bytes, int64_t total_bytes)
{
    struct addition *addition = user;
    struct mono_time now = loop_now(addition->daemon->loop);
    if (mono_sub(now, addition->told_at) < PROGRESS_NS)
        return;
    addition->told_at = now;
    control_tell_progress(&addition->waiting->asker, sent_bytes, total_bytes);
}

static void uploaded(void *user, const struct link_result *result)
{
    struct addition *addition = user;
    struct waiting *waiting = addition->waiting;
    forget(addition);
    control_confirmed(waiting, result);
}

/* Whoever asked has gone: nobody waits for the file. */
static void abandon(struct waiting *waiting)
{
    struct addition *addition = waiting->user;
    addition->waiting = NULL;
    control_stop_waiting(waiting);
    if (!addition->uploading)
        return; /* it is being looked at, which ends by itself */
    link_cancel_upload(addition->daemon->link);
    forget(addition);
}

/* --- the look at it ------------------------------------------------------------------------ */

/* Walks through the file for its exact length, which the hub will find as well. */
static void measure(struct addition *addition, struct decoder *decoder)
{
    while (decoder_walk(decoder))
        ;
    int64_t length = decoder_length_frames(decoder);
    if (length >= 0)
        addition->duration_s = (double)length / decoder_rate_hz(decoder);
}

/* Time passes by itself only for what is decoded in this process. */
static bool waits(const struct decoder *decoder, enum decoder_result result)
{
    if (result != DECODER_AGAIN || !decoder_wants_time(decoder))
        return false;
    if (decoder_kind(decoder) != AUDIO_MP3)
        nanosleep(&(struct timespec){.tv_nsec = NS_PER_MS}, NULL);
    return true;
}

static bool open_file(const struct addition *addition, struct decoder **opening, char *error)
{
    enum decoder_result result;
    do
        result =
            decoder_open(addition->fd, addition->file_bytes, addition->file_bytes, opening, error);
    while (waits(*opening, result));
    return result == DECODER_OK;
}

static bool listen_to(struct decoder *decoder)
{
    static const size_t step = LOOK_STEP_FRAMES;
    float *frames = malloc(step * DECODER_CHANNELS * sizeof *frames);
    enum decoder_result result = frames ? DECODER_OK : DECODER_END;
    for (int i = 0; i < LOOK_READS && result != DECODER_ERROR && result != DECODER_END; i++) {
        size_t count;
        do
            result = decoder_read(decoder, frames, step, &count);
        while (decoder_kind(decoder) != AUDIO_MP3 && waits(decoder, result));
    }
    free(frames);
    return result != DECODER_ERROR;
}

static void refuse(struct addition *addition, const char *why)
{
    snprintf(addition->error, sizeof addition->error, "%s cannot be played: %s",
             addition->cmd.filename, why);
}

static void look(void *job)
{
    struct addition *addition = job;
    struct decoder *decoder = NULL;
    char error[DECODER_ERROR_MAX] = "it changes while it is read";
    if (!open_file(addition, &decoder, error)) {
        decoder_destroy(decoder);
        refuse(addition, error);
        return;
    }
    addition->kind = decoder_kind(decoder);
    if (listen_to(decoder))
        measure(addition, decoder);
    else
        refuse(addition, decoder_error(decoder));
    decoder_destroy(decoder);
}

static void name_track(struct control_cmd *cmd)
{
    unsigned char random[8];
    if (!cmd->name[0])
        snprintf(cmd->name, sizeof cmd->name, "%s", cmd->filename);
    if (cmd->track_id[0] || getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
        return;
    for (size_t i = 0; i < sizeof random; i++)
        snprintf(cmd->track_id + 2 * i, 3, "%02x", random[i]);
}

static void looked_at(void *job)
{
    struct addition *addition = job;
    struct daemon *daemon = addition->daemon;
    daemon->files_looked_at--;
    if (!addition->waiting || daemon->stopping || addition->error[0]) {
        fail(addition, addition->error);
        return;
    }
    name_track(&addition->cmd);
    struct link_file file = {
        .fd = addition->fd,
        .file_bytes = addition->file_bytes,
        .track_id = addition->cmd.track_id,
        .name = addition->cmd.name,
        .filename = addition->cmd.filename,
        .content_type = audio_kind_media_type(addition->kind),
        .duration_s = addition->duration_s,
        .on_progress = tell_progress,
    };
    addition->fd = -1; /* the link's from here on */
    addition->uploading = true;
    link_upload(daemon->link, &file, uploaded, addition);
}

/* --- the command --------------------------------------------------------------------------- */

/* Why this file cannot be uploaded; "" when it can be. */
static void check_file(const struct daemon *daemon, int fd, int64_t *ret_bytes, char *error)
{
    struct stat about;
    int64_t limit_mb = daemon->settings->paths.track_max_mb;
    if (fstat(fd, &about) < 0 || !S_ISREG(about.st_mode))
        snprintf(error, CONTROL_ERROR_MAX, "the file is not a regular one");
    else if (about.st_size == 0)
        snprintf(error, CONTROL_ERROR_MAX, "the file is empty");
    else if (about.st_size > limit_mb * 1024 * 1024)
        snprintf(error, CONTROL_ERROR_MAX,
                 "the file is larger than the %lld MB that a track may have ([paths] track_max_mb)",
                 (long long)limit_mb);
    else
        *ret_bytes = about.st_size;
}

static void check_role(const struct daemon *daemon, char *error)
{
    const struct session *session = daemon->session;
    if (daemon->settings->backend.role == SETTINGS_HOST)
        return;
    if (session->has_settings && session->settings.add == WHO_HOST)
        snprintf(error, CONTROL_ERROR_MAX,
                 "only the session's host may add tracks; this speaker is a guest: ask there, or "
                 "have everybody allowed to, there: tuttictl session add everyone");
    else if (!link_takes_guest_files(daemon->link))
        snprintf(error, CONTROL_ERROR_MAX,
                 "only the session's host may upload to this backend; this speaker is a guest: ask "
                 "with tuttictl request");
}

void control_add(struct daemon *daemon, const struct asker *asker, const struct control_cmd *cmd)
{
    int fd = asker->client ? control_client_take_file(asker->client) : -1;
    struct addition *addition = calloc(1, sizeof *addition);
    char error[CONTROL_ERROR_MAX] = "";
    int64_t file_bytes = 0;
    if (!addition)
        snprintf(error, sizeof error, "out of memory");
    else if (daemon->files_looked_at >= LOOKS_MAX)
        snprintf(error, sizeof error,
                 "%d files are being looked at already: is one where nothing answers?", LOOKS_MAX);
    else if (fd < 0)
        snprintf(error, sizeof error, "add takes an open file, passed beside the line");
    else
        check_file(daemon, fd, &file_bytes, error);
    if (!error[0])
        check_role(daemon, error);
    struct waiting *waiting = NULL;
    if (error[0])
        control_fail(asker, error);
    else
        waiting = control_wait(daemon, asker);
    if (!waiting || !addition) {
        if (fd >= 0)
            close(fd);
        free(addition);
        return;
    }
    *addition = (struct addition){.waiting = waiting,
                                  .daemon = daemon,
                                  .cmd = *cmd,
                                  .fd = fd,
                                  .file_bytes = file_bytes,
                                  .duration_s = -1};
    waiting->abandon = abandon;
    waiting->user = addition;
    daemon->files_looked_at++;
    background_run(daemon->files, look, looked_at, addition);
}
