/* SPDX-License-Identifier: ISC */
#include "probe/near.h"

#include "base/clock.h"
#include "probe/ask_stream.h"

int64_t near_far_ns(const struct near_times *t)
{
	int64_t least = t->known_ns;

	for (size_t i = 0; i < t->n_answers; i++) {
		if (least == 0 || t->answer_ns[i] < least)
			least = t->answer_ns[i];
	}
	return least;
}

bool near_is_near(const struct near_times *t)
{
	int64_t far = near_far_ns(t);

	if (t->connect_ns <= 0 || t->n_answers == 0 ||
	    (t->known_ns == 0 && t->n_answers < NEAR_ANSWERS_MIN))
		return false;
	return far / NEAR_RATIO >= t->connect_ns &&
	       far - t->connect_ns >= NEAR_MARGIN_MS * NS_PER_MS;
}

void near_put(struct ask *a, const struct near_times *t)
{
	if (!near_is_near(t))
		return;
	val_put(&a->report->arena, &a->report->no_memory, &a->result.fields,
	        "is_near", val_bool(true));
	ask_put_ms(a, "near_ms", t->connect_ns);
	ask_put_ms(a, "far_ms", near_far_ns(t));
}
