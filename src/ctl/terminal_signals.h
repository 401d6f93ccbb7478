/*
 * terminal_signals.h: the signals of a program that has taken the terminal: they come through a
 * descriptor, so that none is missed between two looks, and the terminal is given back before they end
 * it.
 */
#ifndef TUTTI_CTL_TERMINAL_SIGNALS_H
#define TUTTI_CTL_TERMINAL_SIGNALS_H

/* A descriptor to be polled, or -1. They are blocked for good. */
int terminal_signals_open(void);
/* Takes what has come. The number of one that ends it; 0: none, or the window has another size, which the
 * screen has been told. */
int terminal_signals_take(int signals);
/* So that who started us sees how we ended. */
void terminal_signals_end_by(int number);

#endif
