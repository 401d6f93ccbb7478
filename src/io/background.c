/*
 * background.c: a queue, a thread that sleeps until there is work, an eventfd that tells the loop.
 *
 * The thread is started with the first job: a speaker that keeps everything in memory has none.
 */
#include "tutti/io/background.h"

#include "tutti/base/units.h"
#include "tutti/io/loop.h"
#include "tutti/io/thread.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

struct item {
    void (*work)(void *job);
    void (*done)(void *job);
    void *job;
    struct item *next;
};

struct queue {
    struct item *first;
    struct item **last;
};

struct background {
    struct loop *loop;
    int finished_fd; /* -1: not our loop, which wake_loop() wakes */
    void (*wake_loop)(void *user);
    void *wake_user;
    struct loop_fd *watch;
    bool started;
    pthread_t thread;
    int64_t patience_ns;
    pthread_mutex_t lock; /* over the rest */
    pthread_cond_t wake;
    struct queue waiting;
    struct queue finished;
    bool stopping;
    bool left;    /* to itself: nobody is there any more */
    bool leaving; /* the loop's: nothing more is taken on */
};

static void put(struct queue *queue, struct item *item)
{
    item->next = NULL;
    *queue->last = item;
    queue->last = &item->next;
}

static struct item *take(struct queue *queue)
{
    struct item *item = queue->first;
    if (!item)
        return NULL;
    queue->first = item->next;
    if (!queue->first)
        queue->last = &queue->first;
    return item;
}

static void tell_loop(struct background *background)
{
    uint64_t one = 1;
    if (background->wake_loop) {
        background->wake_loop(background->wake_user);
        return;
    }
    ssize_t written = write(background->finished_fd, &one, sizeof one);
    (void)written; /* an eventfd takes more than jobs there can be */
}

static void free_queue(struct queue *queue)
{
    struct item *item;
    while ((item = take(queue)) != NULL)
        free(item);
}

static void free_background(struct background *background)
{
    free_queue(&background->waiting);
    free_queue(&background->finished);
    pthread_cond_destroy(&background->wake);
    pthread_mutex_destroy(&background->lock);
    free(background);
}

static void *serve(void *argument)
{
    struct background *background = argument;
    pthread_mutex_lock(&background->lock);
    for (;;) {
        struct item *item = background->left ? NULL : take(&background->waiting);
        if (!item && background->stopping)
            break;
        if (!item) {
            pthread_cond_wait(&background->wake, &background->lock);
            continue;
        }
        pthread_mutex_unlock(&background->lock);
        item->work(item->job);
        pthread_mutex_lock(&background->lock);
        put(&background->finished, item);
        if (background->left)
            continue; /* nobody waits for it */
        tell_loop(background);
    }
    bool left = background->left;
    pthread_mutex_unlock(&background->lock);
    if (left)
        free_background(background);
    return NULL;
}

static void finish_all(struct background *background)
{
    struct item *item;
    for (;;) {
        pthread_mutex_lock(&background->lock);
        item = take(&background->finished);
        pthread_mutex_unlock(&background->lock);
        if (!item)
            return;
        item->done(item->job);
        free(item);
    }
}

static void finished_ready(void *user, unsigned events)
{
    struct background *background = user;
    uint64_t count;
    (void)events;
    ssize_t got = read(background->finished_fd, &count, sizeof count);
    (void)got;
    finish_all(background);
}

static struct background *create(void)
{
    struct background *background = calloc(1, sizeof *background);
    if (!background)
        return NULL;
    background->patience_ns = BACKGROUND_PATIENCE_NS;
    background->finished_fd = -1;
    background->waiting.last = &background->waiting.first;
    background->finished.last = &background->finished.first;
    pthread_mutex_init(&background->lock, NULL);
    pthread_cond_init(&background->wake, NULL);
    return background;
}

struct background *background_create(struct loop *loop)
{
    struct background *background = create();
    if (!background)
        return NULL;
    background->loop = loop;
    background->finished_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (background->finished_fd >= 0)
        background->watch =
            loop_fd_add(loop, background->finished_fd, LOOP_READ, finished_ready, background);
    if (background->watch)
        return background;
    background_destroy(background);
    return NULL;
}

struct background *background_create_woken(void (*wake)(void *user), void *user)
{
    struct background *background = create();
    if (!background)
        return NULL;
    background->wake_loop = wake;
    background->wake_user = user;
    return background;
}

void background_finish(struct background *background)
{
    finish_all(background);
}

void background_set_patience(struct background *background, int64_t patience_ns)
{
    background->patience_ns = patience_ns;
}

static bool start(struct background *background)
{
    if (!background->started && !background->stopping)
        background->started = thread_start(&background->thread, serve, background);
    return background->started && !background->stopping;
}

bool background_try(struct background *background, void (*work)(void *job), void (*done)(void *job),
                    void *job)
{
    bool takes = !background->leaving && start(background);
    struct item *item = takes ? malloc(sizeof *item) : NULL;
    if (!item)
        return false;
    *item = (struct item){.work = work, .done = done, .job = job};
    pthread_mutex_lock(&background->lock);
    put(&background->waiting, item);
    pthread_cond_signal(&background->wake);
    pthread_mutex_unlock(&background->lock);
    return true;
}

void background_run(struct background *background, void (*work)(void *job), void (*done)(void *job),
                    void *job)
{
    if (background_try(background, work, done, job) || background->leaving)
        return;
    work(job);
    done(job);
}

static bool join(struct background *background)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(background->patience_ns / NS_PER_S);
    until.tv_nsec += (long)(background->patience_ns % NS_PER_S);
    until.tv_sec += until.tv_nsec / NS_PER_S;
    until.tv_nsec %= NS_PER_S;
    pthread_mutex_lock(&background->lock);
    background->stopping = true;
    pthread_cond_signal(&background->wake);
    pthread_mutex_unlock(&background->lock);
    return pthread_clockjoin_np(background->thread, NULL, CLOCK_MONOTONIC, &until) == 0;
}

/* The thread still holds its job, and the queues, which it frees when it comes back. */
static void leave_to_itself(struct background *background)
{
    pthread_mutex_lock(&background->lock);
    int fd = background->finished_fd;
    background->finished_fd = -1;
    background->left = true;
    pthread_detach(background->thread);
    pthread_mutex_unlock(&background->lock);
    if (fd >= 0)
        close(fd);
}

bool background_destroy(struct background *background)
{
    if (!background)
        return true;
    bool finished = !background->started || join(background);
    background->leaving = !finished;
    finish_all(background);
    loop_fd_remove(background->watch);
    if (!finished) {
        leave_to_itself(background);
        return false;
    }
    if (background->finished_fd >= 0)
        close(background->finished_fd);
    free_background(background);
    return true;
}
