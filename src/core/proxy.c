/*
 * proxy.c: libcurl's reading of http_proxy and no_proxy,
 * https://curl.se/libcurl/c/CURLOPT_NOPROXY.html and its lib/noproxy.c of 7.86 and later (networks
 * as ADDRESS/BITS).
 */
#include "tutti/core/proxy.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* --- no_proxy --- */

struct number {
    int family; /* AF_UNSPEC: none */
    unsigned char bytes[16];
};

static struct number number_of(const char *text, size_t length)
{
    char copy[64];
    struct number number = {AF_UNSPEC, {0}};
    if (length >= sizeof copy)
        return number;
    snprintf(copy, sizeof copy, "%.*s", (int)length, text);
    copy[strcspn(copy, "%")] = '\0'; /* a zone */
    if (inet_pton(AF_INET, copy, number.bytes) == 1)
        number.family = AF_INET;
    else if (inet_pton(AF_INET6, copy, number.bytes) == 1)
        number.family = AF_INET6;
    return number;
}

static bool same_bits(const struct number *a, const struct number *b, int bits)
{
    int bytes = bits / 8, rest = bits % 8;
    if (memcmp(a->bytes, b->bytes, (size_t)bytes) != 0)
        return false;
    return rest == 0 || ((a->bytes[bytes] ^ b->bytes[bytes]) >> (8 - rest)) == 0;
}

static bool is_in_network(const struct number *host, const char *token, size_t length)
{
    const char *slash = memchr(token, '/', length);
    int bits_max = host->family == AF_INET ? 32 : 128;
    int bits = slash ? atoi(slash + 1) : bits_max;
    size_t digits = slash ? (size_t)(slash - token) : length;
    if (digits > 2 && token[0] == '[' && token[digits - 1] == ']') {
        token++;
        digits -= 2;
    }
    struct number network = number_of(token, digits);
    if (bits == 0)
        bits = bits_max;
    return network.family == host->family && bits > 0 && bits <= bits_max &&
           same_bits(host, &network, bits);
}

static bool is_in_domain(const char *host, size_t host_length, const char *token, size_t length)
{
    if (length > 0 && token[length - 1] == '.')
        length--;
    if (length > 0 && token[0] == '.') {
        token++;
        length--;
    }
    if (length == 0 || host_length < length ||
        strncasecmp(host + host_length - length, token, length) != 0)
        return false;
    return host_length == length || host[host_length - length - 1] == '.';
}

static bool is_excepted(const char *no_proxy, const char *host)
{
    static const char between[] = " \t,";
    size_t host_length = strlen(host);
    struct number number = number_of(host, host_length);
    if (strcmp(no_proxy, "*") == 0)
        return true;
    if (host_length > 0 && host[host_length - 1] == '.')
        host_length--;
    for (const char *at = no_proxy + strspn(no_proxy, between); *at; at += strspn(at, between)) {
        size_t length = strcspn(at, between);
        if (number.family != AF_UNSPEC ? is_in_network(&number, at, length)
                                       : is_in_domain(host, host_length, at, length))
            return true;
        at += length;
    }
    return false;
}

/* --- the proxy --- */

static int hex(char c)
{
    const char *digits = "0123456789abcdef0123456789ABCDEF";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) % 16 : -1;
}

static bool keep_login(const char *text, size_t length, char to[PROXY_LOGIN_MAX])
{
    size_t at = 0;
    for (size_t i = 0; i < length; i++) {
        bool coded =
            text[i] == '%' && i + 2 < length && hex(text[i + 1]) >= 0 && hex(text[i + 2]) >= 0;
        if (at + 1 >= PROXY_LOGIN_MAX)
            return false;
        to[at++] = coded ? (char)(hex(text[i + 1]) * 16 + hex(text[i + 2])) : text[i];
        i += coded ? 2 : 0;
    }
    to[at] = '\0';
    return true;
}

static bool keep_host(const char *text, size_t length, struct proxy *proxy)
{
    const char *bracket = text[0] == '[' ? memchr(text, ']', length) : NULL;
    const char *start = bracket ? text + 1 : text;
    size_t host = bracket ? (size_t)(bracket - start) : strcspn(text, ":/?#");
    if (host > length)
        host = length;
    const char *behind = bracket ? bracket + 1 : text + host;
    if (host == 0 || host >= sizeof proxy->host)
        return false;
    snprintf(proxy->host, sizeof proxy->host, "%.*s", (int)host, start);
    if (behind < text + length && *behind == ':' && behind[1] >= '0' && behind[1] <= '9')
        proxy->port = (int)strtol(behind + 1, NULL, 10);
    return proxy->port > 0 && proxy->port <= 65535;
}

static bool parse(const char *text, struct proxy *proxy)
{
    const char *scheme = strstr(text, "://");
    if (scheme && (scheme - text != 4 || strncasecmp(text, "http", 4) != 0))
        return false;
    if (scheme)
        text = scheme + 3;
    size_t length = strcspn(text, "/?#");
    const char *login_end = memrchr(text, '@', length);
    *proxy = (struct proxy){.port = 1080}; /* as curl has it */
    if (login_end) {
        size_t login = (size_t)(login_end - text);
        if (!keep_login(text, login, proxy->login))
            return false;
        text += login + 1;
        length -= login + 1;
    }
    return keep_host(text, length, proxy);
}

static const char *given(const char *value)
{
    return value && value[0] ? value : NULL;
}

enum proxy_kind proxy_choose(const struct proxy_environment *environment, bool tls,
                             const char *host, struct proxy *ret_proxy)
{
    const char *text = given(tls ? environment->https_proxy : environment->http_proxy);
    if (!text)
        text = given(environment->all_proxy);
    if (!text || (given(environment->no_proxy) && is_excepted(environment->no_proxy, host)))
        return PROXY_NONE;
    return parse(text, ret_proxy) ? PROXY_HTTP : PROXY_UNUSABLE;
}
