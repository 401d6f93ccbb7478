/*
 * lws_log.h: libwebsockets' own words, into our log: what it calls an error is a warning here.
 */
#ifndef TUTTI_IO_LWS_LOG_H
#define TUTTI_IO_LWS_LOG_H

/* Before the first context. */
void lws_log_start(void);

#endif
