/* SPDX-License-Identifier: ISC */
/*
 * Design: a certificate that has expired by this computer's clock is wrong,
 * or the clock is. Every HTTP answer bears its server's time, so there are
 * witnesses; several hosts that agree are right. One alone is believed where
 * it says just what would make the certificate good, and nobody contradicts:
 * a server whose clock is as wrong as its certificate is old is the stranger
 * story.
 */
#include "diagnose/wallclock.h"

#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "diagnose/remedies.h"

enum {
	AGREE_S = 120,   /* so near to each other, two say the same */
	OFF_MIN_S = 300, /* less than that harms nothing */
	SURE = 2,
	MS_PER_S = 1000,
};

/* @return false: it says nothing of the time */
static bool read_witness(int64_t *ahead_s, const struct fact *f)
{
	const struct val *d = val_get(&f->fields, "detail");
	const struct val *date, *offset, *is_set;

	if (!d || d->kind != VAL_MAP || val_get(d, "is_proxied") ||
	    val_get(d, "portal"))
		return false;
	date = val_get(d, "clock_ahead_s");
	if (date && date->kind == VAL_INT) {
		*ahead_s = date->i;
		return true;
	}
	offset = val_get(d, "offset_ms");
	is_set = val_get(d, "is_set");
	if (!offset || offset->kind != VAL_REAL || !is_set || !is_set->b)
		return false;
	*ahead_s = -(int64_t)(offset->d / MS_PER_S);
	return true;
}

static struct slice host_of(const struct fact *f)
{
	return val_get_text(&f->fields, "address");
}

/* How many hosts say about the same as @p about. */
static size_t n_agreeing(const struct flows *fs, int64_t about, bool does_agree)
{
	size_t n = 0;

	for (size_t i = 0; i < fs->report->n_facts; i++) {
		int64_t ahead_s;
		bool is_new = read_witness(&ahead_s, fs->facts[i]) &&
		              (llabs(ahead_s - about) <= AGREE_S) == does_agree;

		for (size_t k = 0; is_new && k < i; k++) {
			int64_t other_s;

			is_new = !read_witness(&other_s, fs->facts[k]) ||
			         !slice_eq(host_of(fs->facts[k]),
			                   host_of(fs->facts[i]));
		}
		n += is_new;
	}
	return n;
}

size_t wallclock_ahead(int64_t *ahead_s, const struct flows *fs)
{
	size_t most = 0, against = 0;

	for (size_t i = 0; i < fs->report->n_facts; i++) {
		int64_t one_s;
		size_t n;

		if (!read_witness(&one_s, fs->facts[i]))
			continue;
		n = n_agreeing(fs, one_s, true);
		if (n <= most)
			continue;
		most = n;
		against = n_agreeing(fs, one_s, false);
		if (n > against)
			*ahead_s = one_s;
	}
	return most > against ? most : 0;
}

static bool is_only_dated(const struct flow *f)
{
	const struct val *faults = val_get(&f->cert->fields, "faults");

	return faults && faults->kind == VAL_LIST && faults->items.n == 1 &&
	       (flow_has_fault(f, "expired") || flow_has_fault(f, "not-yet"));
}

bool wallclock_explains(const struct flows *fs, const struct flow *f)
{
	int64_t ahead_s = 0, behind_by, ahead_by;

	if (!f->cert || !is_only_dated(f) || wallclock_ahead(&ahead_s, fs) == 0)
		return false;
	behind_by = val_get_int(&f->cert->fields, "clock_behind_s", 0);
	ahead_by = val_get_int(&f->cert->fields, "clock_ahead_s", 0);
	return (behind_by > 0 && -ahead_s >= behind_by) ||
	       (ahead_by > 0 && ahead_s >= ahead_by);
}

static struct finding *finding_of(const struct flows *fs)
{
	struct finding *fd = fs->report->findings;

	while (fd && strcmp(fd->id, "device.clock-wrong") != 0)
		fd = fd->next;
	return fd;
}

static struct finding *remark(struct flows *fs, const struct ladder *l,
                              int64_t ahead_s, size_t n)
{
	struct report *r = fs->report;
	struct finding *fd =
		report_finding(r, "device.clock-wrong", FINDING_WARN);

	fd->segment = SEGMENT_DEVICE;
	fd->title = (struct words){
		N_("The clock of this computer is wrong by %1$s seconds, by the "
	           "word of %2$s servers."),
		{report_fmt(r, "%lld", llabs(ahead_s)),
	         report_fmt(r, "%zu", n)}};
	fd->detail.msgid = N_("Nothing fails by it yet. Certificates, and the "
	                      "times of calls and recordings, depend on it.");
	remedies_add(r, fd, l, TROUBLE_CLOCK, FINGERPRINT_UNKNOWN);
	return fd;
}

void wallclock_find(struct flows *fs, const struct ladder *l)
{
	struct finding *fd = finding_of(fs);
	int64_t ahead_s = 0, one_s;
	size_t n = wallclock_ahead(&ahead_s, fs);

	if (n == 0 || (!fd && (n < SURE || llabs(ahead_s) < OFF_MIN_S)))
		return;
	if (!fd)
		fd = remark(fs, l, ahead_s, n);
	(void)val_put(&fs->report->arena, &fs->report->no_memory, &fd->evidence,
	              "clock_ahead_s", val_int(ahead_s));
	for (size_t i = 0; i < fs->report->n_facts; i++) {
		if (read_witness(&one_s, fs->facts[i]) &&
		    llabs(one_s - ahead_s) <= AGREE_S)
			finding_because(fs->report, fd, fs->facts[i]);
	}
}
