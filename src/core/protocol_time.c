/*
 * protocol_time.c: ISO 8601 timestamps, without libc's time zones and locales.
 *
 * Days are counted by the proleptic Gregorian calendar with years that begin in March, so that
 * the leap day is the last of its year.
 */
#include "tutti/core/protocol.h"

#include <stdio.h>
#include <string.h>

#define SECONDS_PER_DAY INT64_C(86400)

static int64_t days_from_civil(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static void civil_from_days(int64_t days, int *ret_year, int *ret_month, int *ret_day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted = (5 * day_of_year + 2) / 153;
    *ret_day = (int)(day_of_year - (153 * shifted + 2) / 5 + 1);
    *ret_month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
    *ret_year = (int)(year_of_era + era * 400 + (*ret_month <= 2));
}

/* Exactly `digits` decimal digits; advances *text. */
static bool take_number(const char **text, int digits, int *ret_number)
{
    int number = 0;
    for (int i = 0; i < digits; i++, (*text)++) {
        if (**text < '0' || **text > '9')
            return false;
        number = number * 10 + (**text - '0');
    }
    *ret_number = number;
    return true;
}

static bool take_char(const char **text, char wanted)
{
    if (**text != wanted)
        return false;
    (*text)++;
    return true;
}

/* ".123456": nanoseconds; more digits than nine are cut. Absent: 0. */
static bool take_fraction(const char **text, int64_t *ret_ns)
{
    int64_t ns = 0, unit = NS_PER_S / 10;
    *ret_ns = 0;
    if (**text != '.' && **text != ',')
        return true;
    (*text)++;
    if (**text < '0' || **text > '9')
        return false;
    for (; **text >= '0' && **text <= '9'; (*text)++, unit /= 10)
        ns += (**text - '0') * unit;
    *ret_ns = ns;
    return true;
}

/* Nothing, "Z", "+hh:mm", "-hhmm": seconds east of UTC. */
static bool take_zone(const char **text, int *ret_seconds)
{
    int hours, minutes;
    *ret_seconds = 0;
    if (**text == '\0')
        return true;
    if (take_char(text, 'Z') || take_char(text, 'z'))
        return **text == '\0';
    int sign = **text == '-' ? -1 : 1;
    if (!take_char(text, '+') && !take_char(text, '-'))
        return false;
    if (!take_number(text, 2, &hours))
        return false;
    take_char(text, ':');
    if (!take_number(text, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *ret_seconds = sign * (hours * 3600 + minutes * 60);
    return **text == '\0';
}

bool protocol_parse_time(const char *text, struct server_time *ret_time)
{
    int year, month, day, hour, minute, second, zone_s;
    int64_t fraction_ns;
    if (!take_number(&text, 4, &year) || !take_char(&text, '-') || !take_number(&text, 2, &month) ||
        !take_char(&text, '-') || !take_number(&text, 2, &day))
        return false;
    if (!take_char(&text, 'T') && !take_char(&text, 't') && !take_char(&text, ' '))
        return false;
    if (!take_number(&text, 2, &hour) || !take_char(&text, ':') ||
        !take_number(&text, 2, &minute) || !take_char(&text, ':') ||
        !take_number(&text, 2, &second) || !take_fraction(&text, &fraction_ns) ||
        !take_zone(&text, &zone_s))
        return false;
    /* Outside these years, nanoseconds do not fit. */
    if (year < 1970 || year > 2200 || month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 ||
        minute > 59 || second > 60)
        return false;
    int64_t seconds = days_from_civil(year, month, day) * SECONDS_PER_DAY + INT64_C(3600) * hour +
                      INT64_C(60) * minute + second - zone_s;
    ret_time->ns = seconds * NS_PER_S + fraction_ns;
    return true;
}

void protocol_format_time(int64_t utc_ns, char text[PROTOCOL_TIME_MAX])
{
    int64_t us = utc_ns / NS_PER_US - (utc_ns % NS_PER_US < 0);
    int64_t seconds = us / 1000000 - (us % 1000000 < 0);
    int64_t days = seconds / SECONDS_PER_DAY - (seconds % SECONDS_PER_DAY < 0);
    int of_day = (int)(seconds - days * SECONDS_PER_DAY);
    int year, month, day;
    civil_from_days(days, &year, &month, &day);
    snprintf(text, PROTOCOL_TIME_MAX, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", year % 10000, month,
             day, of_day / 3600, of_day / 60 % 60, of_day % 60, (int)(us - seconds * 1000000));
}
