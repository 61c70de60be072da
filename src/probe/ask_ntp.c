/* SPDX-License-Identifier: ISC */
/*
 * Design: as the time of sending a request bears a cookie, another in every
 * repetition: so the answer tells which of them it is for, and the offset is
 * right even after a loss.
 *
 * Fields: those of probe/ask_link.h, and
 *   stratum    (int)
 *   offset_ms  the server's clock minus this computer's (real)
 *   delay_ms   there and back (real)
 *   is_set     its clock is synchronised (bool)
 *   kiss       why it does not serve: "RATE", "DENY"... (text)
 * Evidence: answer; other: what was no NTP.
 */
#include "probe/asks.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/i18n.h"
#include "net/loop.h"
#include "probe/ask_keep.h"
#include "probe/ask_link.h"
#include "probe/ntp.h"

enum {
	TRIES = 8,
	LEAP_NOT_SET = 3,
	OTHER_BYTES = 512,
};

struct
try {
	uint64_t cookie;
	int64_t sent_ns;
};

struct ntp {
	struct ask *ask;
	struct ask_link *link;
	struct net_timer *timer;
	struct try tries[TRIES];
	unsigned n_tries;
	bool is_other;
};

static void send_one(void *arg)
{
	struct ntp *n = arg;
	struct try *t = &n->tries[n->n_tries];
	uint8_t buf[NTP_BYTES];
	struct wr w = wr_init(buf, sizeof(buf));

	if (n->n_tries == TRIES ||
	    getrandom(&t->cookie, sizeof(t->cookie), 0) != sizeof(t->cookie))
		return; /* the patience ends it */
	n->n_tries++;
	ntp_put_request(&w, t->cookie);
	t->sent_ns = clock_wall_ns();
	net_timer_set(n->timer,
	              ask_link_rto_ns(ask_link_left_ns(n->link), n->n_tries));
	ask_link_send(n->link, wr_slice(&w));
}

static double ms(int64_t ns)
{
	return (double)ns / (double)NS_PER_MS;
}

static void note(struct ntp *n, const struct ntp_answer *a, struct slice bytes)
{
	struct ask *ask = n->ask;

	ask_keep_evidence(ask, "answer", bytes);
	ask_keep(ask, "stratum", val_int(a->stratum));
	if (a->stratum == NTP_STRATUM_KISS) {
		ask_keep(
			ask, "kiss",
			val_text(report_text(ask->report, slice_str(a->kiss))));
		return;
	}
	ask_keep(ask, "is_set",
	         val_bool(a->leap != LEAP_NOT_SET &&
	                  a->stratum <= NTP_STRATUM_MAX));
	ask_keep(ask, "offset_ms", val_real(ms(a->offset_ns)));
	ask_keep(ask, "delay_ms", val_real(ms(a->delay_ns)));
}

static void on_data(void *arg, struct slice bytes)
{
	struct ntp *n = arg;
	int64_t now_ns = clock_wall_ns();
	struct ntp_answer a;
	int err = ENOENT;

	for (unsigned i = 0; i < n->n_tries && err == ENOENT; i++)
		err = ntp_decode(&a, bytes, n->tries[i].cookie,
		                 n->tries[i].sent_ns, now_ns);
	if (err) {
		n->is_other = n->is_other || err == EBADMSG;
		ask_keep_evidence(n->ask, "other",
		                  slice_sub(bytes, 0, OTHER_BYTES));
		return;
	}
	net_timer_cancel(n->timer);
	ask_link_answered(n->link);
	note(n, &a, bytes);
	ask_link_finish(n->link, n->ask);
}

static void on_over(void *arg, enum ask_end how)
{
	struct ntp *n = arg;

	net_timer_cancel(n->timer);
	if (n->ask->result.layer < ASK_LAYER_PROTOCOL)
		n->ask->result.end =
			how == ASK_SILENT && n->is_other ? ASK_OTHER : how;
	ask_link_finish(n->link, n->ask);
}

static const struct ask_link_ops link_ops = {
	.on_open = send_one,
	.on_data = on_data,
	.on_over = on_over,
};

static void stop(void *state)
{
	struct ntp *n = state;

	ask_link_close(n->link);
	net_timer_free(n->timer);
}

static int start(void *state, struct ask *a)
{
	struct ntp *n = state;
	int err;

	n->ask = a;
	if (a->target->via != ASK_UDP)
		return EINVAL;
	err = net_timer_alloc(&n->timer, send_one, n);
	if (err)
		return err;
	err = ask_link_open(&n->link, a, NULL, &link_ops, n);
	if (err)
		net_timer_free(n->timer);
	return err;
}

const struct ask_ops ask_ntp = {
	.name = "ntp",
	.summary = N_("NTP: the server's time"),
	.state_bytes = sizeof(struct ntp),
	.start = start,
	.stop = stop,
};
