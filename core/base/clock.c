#include "base/clock.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DAY INT64_C(86400)
#define YEAR_MAX 2261	/* the last whole year whose nanoseconds fit an int64_t */

static int64_t now(clockid_t id)
{
	struct timespec ts;

	if (clock_gettime(id, &ts) < 0)
		abort();	/* neither clock can be missing on Linux */
	return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

static bool fixed_start(int64_t *ret)
{
	const char *text = getenv("GIT_HARNESS_TEST_CLOCK");
	char *end;
	long long seconds;

	if (!text || !*text)
		return false;
	seconds = strtoll(text, &end, 10);
	if (*end || seconds < 0 || seconds > INT64_MAX / NS_PER_S / 2)
		return false;
	*ret = seconds * NS_PER_S;
	return true;
}

int64_t clock_wall(void)
{
	static bool looked, fixed;
	static int64_t start, since;

	if (!looked) {
		looked = true;
		fixed = fixed_start(&start);
		since = clock_mono();
	}
	return fixed ? start + (clock_mono() - since) : now(CLOCK_REALTIME);
}

int64_t clock_mono(void)
{
	return now(CLOCK_MONOTONIC);
}

/*
 * Days since 1970-01-01 of a proleptic Gregorian date: timegm() would do, but not in the sign of
 * its errors.
 */
static int64_t days_of(int64_t y, int m, int d)
{
	int64_t era, yoe, doy;

	y -= m <= 2;
	era = (y >= 0 ? y : y - 399) / 400;
	yoe = y - era * 400;
	doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static int days_in_month(int y, int m)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return m == 2 && y % 4 == 0 && (y % 100 != 0 || y % 400 == 0) ? 29 : days[m - 1];
}

void clock_format(int64_t wall, char ret[CLOCK_TEXT])
{
	int64_t rest = wall % NS_PER_S;
	time_t seconds = (time_t)(wall / NS_PER_S) - (rest < 0);
	long us = (long)((rest < 0 ? rest + NS_PER_S : rest) / 1000);
	char whole[96];
	struct tm tm;

	gmtime_r(&seconds, &tm);
	snprintf(whole, sizeof(whole), "%04d-%02d-%02dT%02d:%02d:%02d.%06ldZ", tm.tm_year + 1900,
		 tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, us);
	memcpy(ret, whole, CLOCK_TEXT - 1);
	ret[CLOCK_TEXT - 1] = '\0';
}

/* The pattern: '0' stands for a digit, all else for itself. Reads the runs of digits into n. */
static const char *scan(const char *text, const char *pattern, int *n)
{
	int *at = n;

	for (bool in_run = false; *pattern; pattern++, text++) {
		if (*pattern != '0') {
			if (*text != *pattern)
				return NULL;
			at += in_run;
			in_run = false;
			continue;
		}
		if (*text < '0' || *text > '9')
			return NULL;
		*at = (in_run ? *at * 10 : 0) + (*text - '0');
		in_run = true;
	}
	return text;
}

static const char *scan_fraction(const char *text, int64_t *ret)
{
	int64_t unit = NS_PER_S / 10;

	*ret = 0;
	if (*text != '.')
		return text;
	for (text++; *text >= '0' && *text <= '9'; text++, unit /= 10) {
		if (!unit)
			return NULL;
		*ret += unit * (*text - '0');
	}
	return text;
}

/* No leap seconds: POSIX time has none. */
static bool is_date(const int n[6])
{
	return n[0] >= 1970 && n[0] <= YEAR_MAX && n[1] >= 1 && n[1] <= 12 && n[2] >= 1 &&
	       n[2] <= days_in_month(n[0], n[1]);
}

int64_t clock_parse(const char *text)
{
	int n[6];
	int64_t fraction;
	const char *rest = scan(text, "0000-00-00T00:00:00", n);

	if (rest)
		rest = scan_fraction(rest, &fraction);
	if (!rest || strcmp(rest, "Z"))
		return -1;
	if (!is_date(n) || n[3] > 23 || n[4] > 59 || n[5] > 59)
		return -1;
	return (days_of(n[0], n[1], n[2]) * DAY + n[3] * 3600 + n[4] * 60 + n[5]) * NS_PER_S +
	       fraction;
}
