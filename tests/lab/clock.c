/* SPDX-License-Identifier: ISC */
/**
 * A wrong clock for one program: preloaded, it adds CLOCK_AHEAD_S seconds to
 * the wall clock and to nothing else, so that timers run as they should.
 */
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "base/attr.h"

#define SHOWN __attribute__((visibility("default")))

static time_t ahead(void)
{
	const char *s = getenv("CLOCK_AHEAD_S");

	return s ? (time_t)strtoll(s, NULL, 10) : 0;
}

SHOWN int clock_gettime(clockid_t id, struct timespec *ts)
{
	long err = syscall(SYS_clock_gettime, id, ts);

	if (err == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
		ts->tv_sec += ahead();
	return (int)err;
}

SHOWN time_t time(time_t *out)
{
	struct timespec ts = {0};

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	if (out)
		*out = ts.tv_sec;
	return ts.tv_sec;
}

SHOWN int gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
	struct timespec ts = {0};

	UNUSED(zone);
	(void)clock_gettime(CLOCK_REALTIME, &ts);
	tv->tv_sec = ts.tv_sec;
	tv->tv_usec = ts.tv_nsec / 1000;
	return 0;
}
