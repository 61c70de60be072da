/* SPDX-License-Identifier: ISC */
#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static int64_t read_ns(clockid_t id)
{
	struct timespec ts = {0};

	(void)clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

int64_t clock_mono_ns(void)
{
	return read_ns(CLOCK_MONOTONIC);
}

int64_t clock_wall_ns(void)
{
	return read_ns(CLOCK_REALTIME);
}

int64_t clock_busy_ns(void)
{
	char line[128], *end = line;
	FILE *f = fopen("/proc/self/schedstat", "re");
	int64_t ran, waited;

	if (!f)
		return 0;
	if (!fgets(line, sizeof(line), f))
		line[0] = '\0';
	(void)fclose(f);
	ran = strtoll(line, &end, 10);
	waited = strtoll(end, NULL, 10);
	return ran + waited;
}
