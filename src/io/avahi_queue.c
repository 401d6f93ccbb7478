/*
 * avahi_queue.c: what the thread has for the loop.
 */
#include "avahi_internal.h"

#include <unistd.h>

bool avahi_tell(struct avahi *avahi, const struct avahi_event *event)
{
    uint64_t one = 1;
    pthread_mutex_lock(&avahi->lock);
    while (avahi->count == AVAHI_QUEUE_MAX && !avahi->stopping)
        pthread_cond_wait(&avahi->room, &avahi->lock);
    bool stopping = avahi->stopping;
    if (!stopping)
        avahi->queue[(avahi->first + avahi->count++) % AVAHI_QUEUE_MAX] = *event;
    pthread_mutex_unlock(&avahi->lock);
    if (!stopping && write(avahi->news_fd, &one, sizeof one) < 0)
        return false;
    return !stopping;
}

bool avahi_take(struct avahi *avahi, struct avahi_event *ret)
{
    uint64_t count;
    pthread_mutex_lock(&avahi->lock);
    bool any = avahi->count > 0;
    if (any) {
        *ret = avahi->queue[avahi->first];
        avahi->first = (avahi->first + 1) % AVAHI_QUEUE_MAX;
        avahi->count--;
        pthread_cond_signal(&avahi->room);
    } else if (read(avahi->news_fd, &count, sizeof count) < 0) {
        any = false; /* nothing was there: as good */
    }
    pthread_mutex_unlock(&avahi->lock);
    return any;
}

int avahi_fd(const struct avahi *avahi)
{
    return avahi->news_fd;
}
