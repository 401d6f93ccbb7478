/*
 * vcard.c: a sound card in user space, as an ALSA external I/O plugin.
 *
 *   pcm.kitchen {
 *       type tutti_vcard
 *       record "/tmp/kitchen.vcrd"      # record_file.h; required
 *       control "/tmp/kitchen.control"  # card_control.h
 *       rates [ 44100 48000 ]           # or one number
 *       formats [ S16 S32 ]             # as alsa-lib names them
 *       ppm 80  wander_ppm 5  wander_period_s 60
 *       step_us 1000                    # coarseness of the reported pointer
 *       buffer_max_frames 96000
 *       no_delay 1                      # reports a delay of zero, whatever is queued
 *       shared 1                        # may be opened again while it is open
 *   }
 *
 * The hardware pointer follows CLOCK_MONOTONIC through the card's crystal (card_clock.h), whenever
 * it is asked for. Frames become final, and are recorded, only when the true pointer passes them: a
 * rewind up to there is honoured. The application sees a pointer that is stale by up to a step. A
 * pointer that passes the application's is an xrun.
 */
#include "card_clock.h"
#include "card_control.h"
#include "record_file.h"

#include <alsa/asoundlib.h>
#include <alsa/pcm_external.h>
#include <limits.h>
#include <math.h>
#include <sys/timerfd.h>
#include <time.h>

#define LIST_MAX 16
#define CHANNELS 2
/* Openings of a shared card at a time. */
#define SHARED_MAX 8
#define RUN_NS INT64_C(50000000)

struct vcard {
    snd_pcm_ioplug_t io;
    struct card_clock clock;
    struct card_control control;
    struct record_file *record;
    snd_pcm_ioplug_callback_t callbacks;
    char *record_path;
    bool shared;
    char *control_path;
    double step_us;
    bool no_delay;
    unsigned rates[LIST_MAX];
    unsigned rate_count;
    unsigned formats[LIST_MAX];
    unsigned format_count;
    unsigned buffer_max_frames;
    uint64_t step_frames;
    bool failed;
    bool frozen;
    bool running;
    bool xrun_wanted;
    uint64_t played; /* frames recorded since the start */
    unsigned frame_bytes;
};

static int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void mark(struct vcard *card, const char *kind)
{
    record_file_mark(card->record, now_ns(), card->played, kind);
}

static void obey(void *user, enum card_command command, double value)
{
    struct vcard *card = user;
    int64_t now = now_ns();

    switch (command) {
    case CARD_FAIL:
        card->failed = true;
        break;
    case CARD_OK:
        card->failed = false;
        break;
    case CARD_XRUN:
        card->xrun_wanted = true;
        break;
    case CARD_SUSPEND:
        snd_pcm_ioplug_set_state(&card->io, SND_PCM_STATE_SUSPENDED);
        break;
    case CARD_FREEZE:
        card->frozen = true;
        break;
    case CARD_THAW:
        card_clock_set_origin(&card->clock, now, (double)card->played);
        card->frozen = false;
        break;
    case CARD_PPM:
        if (card->running)
            card_clock_set_origin(&card->clock, now, card_clock_position(&card->clock, now));
        card->clock.ppm = value;
        break;
    case CARD_BUSY:
        break;
    }
}

/* --- consuming ----------------------------------------------------------------------------- */

static void record_span(struct vcard *card, uint64_t from, uint64_t count)
{
    const snd_pcm_channel_area_t *areas = snd_pcm_ioplug_mmap_areas(&card->io);
    uint64_t run_max = (uint64_t)(card->clock.hz * (double)RUN_NS / 1e9);

    while (count > 0) {
        uint64_t at = from % card->io.buffer_size;
        uint64_t run = card->io.buffer_size - at;
        if (run > count)
            run = count;
        if (run > run_max)
            run = run_max;
        const char *data =
            (const char *)areas[0].addr + areas[0].first / 8 + at * (areas[0].step / 8);
        int64_t ns = card_clock_time(&card->clock, (double)from);
        record_file_run(card->record, ns, from, card_clock_rate_hz(&card->clock, ns), data,
                        run * card->frame_bytes);
        from += run;
        count -= run;
    }
}

/* Brings the recording up to now. False when the pointer has passed the application's. */
static bool consume(struct vcard *card, int64_t now)
{
    uint64_t target = (uint64_t)floor(card_clock_position(&card->clock, now));
    uint64_t written = card->io.appl_ptr; /* counts from 0 since prepare; the boundary is far */
    bool enough = target <= written;

    if (!enough)
        target = written;
    if (target > card->played) {
        record_span(card, card->played, target - card->played);
        card->played = target;
    }
    record_file_flush_old(card->record, now);
    return enough;
}

static snd_pcm_sframes_t vcard_pointer(snd_pcm_ioplug_t *io)
{
    struct vcard *card = io->private_data;
    int64_t now = now_ns();

    card_control_poll(&card->control, obey, card);
    if (card->failed) {
        if (card->running)
            mark(card, "fail");
        card->running = false;
        /* An error here would become an xrun in alsa-lib; as on hardware, the state tells. */
        snd_pcm_ioplug_set_state(io, SND_PCM_STATE_DISCONNECTED);
        return 0;
    }
    if (!card->running)
        return 0;
    if (!card->frozen && (!consume(card, now) || card->xrun_wanted)) {
        mark(card, "xrun");
        card->running = false;
        card->xrun_wanted = false;
        return -EPIPE;
    }
    uint64_t reported = card->played - card->played % card->step_frames;
    return (snd_pcm_sframes_t)(reported % io->buffer_size);
}

static int vcard_start(snd_pcm_ioplug_t *io)
{
    struct vcard *card = io->private_data;
    struct itimerspec timer = {0};
    long period_ns = (long)(1e9 * (double)io->period_size / (double)io->rate);

    if (card->failed)
        return -ENODEV;
    card->played = 0;
    card->running = true;
    card_clock_set_origin(&card->clock, now_ns(), 0);
    mark(card, "start");
    timer.it_interval.tv_nsec = timer.it_value.tv_nsec = period_ns % 1000000000;
    timer.it_interval.tv_sec = timer.it_value.tv_sec = period_ns / 1000000000;
    timerfd_settime(io->poll_fd, 0, &timer, NULL);
    return 0;
}

static int vcard_stop(snd_pcm_ioplug_t *io)
{
    struct vcard *card = io->private_data;
    struct itimerspec timer = {0};

    if (card->running) {
        consume(card, now_ns());
        mark(card, "stop");
    }
    card->running = false;
    timerfd_settime(io->poll_fd, 0, &timer, NULL);
    return 0;
}

static int vcard_poll_revents(snd_pcm_ioplug_t *io, struct pollfd *pfd, unsigned int nfds,
                              unsigned short *revents)
{
    uint64_t expirations;

    (void)nfds;
    if (pfd[0].revents & POLLIN) {
        if (read(io->poll_fd, &expirations, sizeof(expirations)) < 0 && errno != EAGAIN)
            return -errno;
        *revents = POLLOUT;
    } else {
        *revents = 0;
    }
    return 0;
}

/* --- setting up ---------------------------------------------------------------------------- */

static int vcard_hw_params(snd_pcm_ioplug_t *io, snd_pcm_hw_params_t *params)
{
    struct vcard *card = io->private_data;
    unsigned bits = (unsigned)snd_pcm_format_width(io->format);
    unsigned bytes = (unsigned)snd_pcm_format_physical_width(io->format) / 8;
    struct record_conf conf = {
        io->rate, CHANNELS, bytes, bits, (uint32_t)io->buffer_size, (uint32_t)io->period_size};

    (void)params;
    card->clock.hz = io->rate;
    card->frame_bytes = bytes * CHANNELS;
    card->step_frames = (uint64_t)(card->step_us * 1e-6 * io->rate);
    if (card->step_frames == 0)
        card->step_frames = 1;
    record_file_conf(card->record, &conf);
    return 0;
}

static int vcard_prepare(snd_pcm_ioplug_t *io)
{
    struct vcard *card = io->private_data;

    card->played = 0;
    card->running = false;
    card_control_poll(&card->control, obey, card);
    return card->failed ? -ENODEV : 0;
}

static int vcard_close(snd_pcm_ioplug_t *io)
{
    struct vcard *card = io->private_data;

    if (card->record)
        mark(card, "close");
    record_file_close(card->record);
    if (io->poll_fd >= 0)
        close(io->poll_fd);
    free(card->record_path);
    free(card->control_path);
    free(card);
    return 0;
}

static const snd_pcm_ioplug_callback_t callbacks = {
    .start = vcard_start,
    .stop = vcard_stop,
    .pointer = vcard_pointer,
    .hw_params = vcard_hw_params,
    .prepare = vcard_prepare,
    .close = vcard_close,
    .poll_revents = vcard_poll_revents,
};

/* For drivers that do not know their delay; the others' is what alsa-lib makes of the pointer. */
static int tell_no_delay(snd_pcm_ioplug_t *io, snd_pcm_sframes_t *delay)
{
    (void)io;
    *delay = 0;
    return 0;
}

static int constrain(struct vcard *card)
{
    static const unsigned accesses[] = {SND_PCM_ACCESS_RW_INTERLEAVED,
                                        SND_PCM_ACCESS_MMAP_INTERLEAVED};
    snd_pcm_ioplug_t *io = &card->io;
    int err = snd_pcm_ioplug_set_param_list(io, SND_PCM_IOPLUG_HW_ACCESS, 2, accesses);

    if (err >= 0)
        err = snd_pcm_ioplug_set_param_list(io, SND_PCM_IOPLUG_HW_FORMAT, card->format_count,
                                            card->formats);
    if (err >= 0)
        err = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_CHANNELS, CHANNELS, CHANNELS);
    if (err >= 0)
        err = snd_pcm_ioplug_set_param_list(io, SND_PCM_IOPLUG_HW_RATE, card->rate_count,
                                            card->rates);
    if (err >= 0)
        err = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_PERIOD_BYTES, 64, 1 << 18);
    if (err >= 0)
        err = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_BUFFER_BYTES, 256,
                                              card->buffer_max_frames * 8);
    return err;
}

static bool read_number(snd_config_t *entry, double *to)
{
    return snd_config_get_ireal(entry, to) >= 0;
}

static void read_rates(struct vcard *card, snd_config_t *entry)
{
    snd_config_iterator_t i, next;
    double rate;

    card->rate_count = 0;
    if (read_number(entry, &rate)) {
        card->rates[card->rate_count++] = (unsigned)rate;
        return;
    }
    snd_config_for_each(i, next, entry)
    {
        if (card->rate_count < LIST_MAX && read_number(snd_config_iterator_entry(i), &rate))
            card->rates[card->rate_count++] = (unsigned)rate;
    }
}

static void read_formats(struct vcard *card, snd_config_t *entry)
{
    snd_config_iterator_t i, next;

    card->format_count = 0;
    snd_config_for_each(i, next, entry)
    {
        const char *name;
        snd_pcm_format_t format = SND_PCM_FORMAT_UNKNOWN;
        if (snd_config_get_string(snd_config_iterator_entry(i), &name) >= 0)
            format = snd_pcm_format_value(name);
        if (card->format_count < LIST_MAX && format != SND_PCM_FORMAT_UNKNOWN)
            card->formats[card->format_count++] = (unsigned)format;
    }
}

static int read_config(struct vcard *card, snd_config_t *conf)
{
    snd_config_iterator_t i, next;

    snd_config_for_each(i, next, conf)
    {
        snd_config_t *entry = snd_config_iterator_entry(i);
        const char *id, *text;
        double number = 0;
        if (snd_config_get_id(entry, &id) < 0 || strcmp(id, "type") == 0 ||
            strcmp(id, "comment") == 0 || strcmp(id, "hint") == 0)
            continue;
        bool is_number = read_number(entry, &number);
        if (strcmp(id, "record") == 0 && snd_config_get_string(entry, &text) >= 0) {
            card->record_path = strdup(text);
        } else if (strcmp(id, "control") == 0 && snd_config_get_string(entry, &text) >= 0) {
            card->control_path = strdup(text);
        } else if (strcmp(id, "rates") == 0) {
            read_rates(card, entry);
        } else if (strcmp(id, "formats") == 0) {
            read_formats(card, entry);
        } else if (strcmp(id, "ppm") == 0 && is_number) {
            card->clock.ppm = number;
        } else if (strcmp(id, "wander_ppm") == 0 && is_number) {
            card->clock.wander_ppm = number;
        } else if (strcmp(id, "wander_period_s") == 0 && is_number) {
            card->clock.wander_period_s = number;
        } else if (strcmp(id, "step_us") == 0 && is_number) {
            card->step_us = number;
        } else if (strcmp(id, "no_delay") == 0 && is_number) {
            card->no_delay = number != 0;
        } else if (strcmp(id, "shared") == 0 && is_number) {
            card->shared = number != 0;
        } else if (strcmp(id, "buffer_max_frames") == 0 && is_number) {
            card->buffer_max_frames = (unsigned)number;
        } else {
            SNDERR("tutti_vcard: unknown field %s", id);
            return -EINVAL;
        }
    }
    return card->record_path ? 0 : -EINVAL;
}

/* What the control file says lasts: an opened card may be gone or busy from the beginning. */
static void obey_at_open(void *user, enum card_command command, double value)
{
    int *refusal = ((void **)user)[1];

    if (command == CARD_FAIL)
        *refusal = -ENODEV;
    else if (command == CARD_BUSY)
        *refusal = -EBUSY;
    else if (command == CARD_OK)
        *refusal = 0;
    else if (command == CARD_PPM)
        ((struct vcard *)((void **)user)[0])->clock.ppm = value;
    else if (command == CARD_FREEZE || command == CARD_THAW)
        ((struct vcard *)((void **)user)[0])->frozen = command == CARD_FREEZE;
}

static struct vcard *create_card(void)
{
    struct vcard *card = calloc(1, sizeof(*card));

    if (!card)
        return NULL;
    card->clock.wander_period_s = 60;
    card->rates[0] = 44100;
    card->rates[1] = 48000;
    card->rate_count = 2;
    card->formats[0] = SND_PCM_FORMAT_S16;
    card->formats[1] = SND_PCM_FORMAT_S32;
    card->format_count = 2;
    card->buffer_max_frames = 192000;
    card->io.poll_fd = -1;
    return card;
}

/* Programs that open a device again before they have closed it, as browsers do, take a shared one for a sound server: each
 * opening beside others has a recording of its own, record.2 and so on. */
static int open_record(struct vcard *card, const char *name)
{
    char path[PATH_MAX];
    int err = record_file_open(card->record_path, name, &card->record);
    for (int i = 2; err == -EBUSY && card->shared && i <= SHARED_MAX; i++) {
        snprintf(path, sizeof path, "%s.%d", card->record_path, i);
        err = record_file_open(path, name, &card->record);
    }
    return err;
}

SND_PCM_PLUGIN_DEFINE_FUNC(tutti_vcard)
{
    struct vcard *card = create_card();
    int refusal = 0;
    void *opening[2] = {card, &refusal};
    int err;

    (void)root;
    if (!card)
        return -ENOMEM;
    err = read_config(card, conf);
    card->control.path = card->control_path;
    if (err >= 0)
        card_control_poll(&card->control, obey_at_open, opening);
    if (err >= 0 && refusal < 0)
        err = refusal;
    if (err >= 0)
        err = open_record(card, name);
    if (err >= 0) {
        card->io.poll_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
        err = card->io.poll_fd < 0 ? -errno : 0;
    }
    if (err >= 0) {
        card->io.version = SND_PCM_IOPLUG_VERSION;
        card->io.name = "tutti virtual card";
        card->io.mmap_rw = 1;
        card->io.poll_events = POLLIN;
        card->callbacks = callbacks;
        card->callbacks.delay = card->no_delay ? tell_no_delay : NULL;
        card->io.callback = &card->callbacks;
        card->io.private_data = card;
        err = snd_pcm_ioplug_create(&card->io, name, stream, mode);
    }
    if (err < 0) {
        record_file_close(card->record);
        if (card->io.poll_fd >= 0)
            close(card->io.poll_fd);
        free(card->record_path);
        free(card->control_path);
        free(card);
        return err;
    }
    err = constrain(card);
    if (err < 0) {
        snd_pcm_ioplug_delete(&card->io);
        return err;
    }
    *pcmp = card->io.pcm;
    return 0;
}

SND_PCM_PLUGIN_SYMBOL(tutti_vcard);
