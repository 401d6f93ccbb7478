/*
 * web_url.h: addresses as browsers take them: https://url.spec.whatwg.org/, of http and https.
 *
 * Blanks, a bare %, backslashes and letters of any language are right in a browser; what comes out
 * is ASCII but for an international host name, which libcurl turns into its xn-- form.
 */
#ifndef TUTTI_CORE_WEB_URL_H
#define TUTTI_CORE_WEB_URL_H

#include <stdbool.h>
#include <stddef.h>

/*
 * An absolute address. base: what a reference without a host is relative to, its path included
 * (also for one that begins with a slash); "" when there is none. On false, ret_problem (static):
 * what is wrong with it, for people.
 */
bool web_url_resolve(const char *base, const char *reference, char *to, size_t size,
                     const char **ret_problem);

#endif
