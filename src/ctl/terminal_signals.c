/*
 * terminal_signals.c: see terminal_signals.h.
 */
#include "terminal_signals.h"

#include "watch_screen.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

int terminal_signals_open(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGWINCH);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

int terminal_signals_take(int signals)
{
    struct signalfd_siginfo info;
    int ended_by = 0;
    while (read(signals, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo == SIGWINCH)
            watch_screen_resized();
        else
            ended_by = (int)info.ssi_signo;
    }
    return ended_by;
}

void terminal_signals_end_by(int number)
{
    sigset_t set;
    signal(number, SIG_DFL);
    sigemptyset(&set);
    sigaddset(&set, number);
    raise(number);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}
