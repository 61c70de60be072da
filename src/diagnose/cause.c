/* SPDX-License-Identifier: ISC */
/*
 * Design: a finding names what its flows have in common and no more: their
 * ports and hosts, each once, and the place where the first one that was
 * followed ends. Flows of one cause that end elsewhere are another finding,
 * because somebody else has to act.
 */
#include "diagnose/cause.h"

#include <string.h>

#include "base/i18n.h"

enum {
	PORTS_SHOWN = 8,
	HOSTS_SHOWN = 8,
};

static struct val *put(struct flows *fs, struct val *into, const char *key,
                       struct val v)
{
	return val_put(&fs->report->arena, &fs->report->no_memory, into, key,
	               v);
}

/* What a finding says of its flows */

static bool is_of(const struct flow *f, const struct finding *fd)
{
	return f->finding == fd;
}

static bool same_ports(const struct flow *a, const struct flow *b)
{
	return a->port == b->port && a->last == b->last &&
	       a->is_udp == b->is_udp;
}

static void put_ports(struct wr *w, const struct flow *f)
{
	wr_fmt(w, "%lld", (long long)f->port);
	if (f->last != f->port)
		wr_fmt(w, "-%lld", (long long)f->last);
	wr_str(w, f->is_udp ? "/UDP" : "/TCP");
}

static const char *keep(struct flows *fs, struct wr *w)
{
	const char *text = report_text(fs->report, wr_slice(w));

	fs->report->no_memory |= w->bad;
	wr_fini(w);
	return text;
}

/* "5060/UDP, 5061/UDP, ..." */
static const char *ports_text(struct flows *fs, const struct finding *fd,
                              struct val *list)
{
	struct wr w = wr_init_heap();
	size_t n = 0;

	for (size_t i = 0; i < fs->n; i++) {
		const struct flow *f = &fs->all[i];
		struct wr one = wr_init_heap();
		bool is_new = is_of(f, fd);

		for (size_t k = 0; is_new && k < i; k++)
			is_new = !is_of(&fs->all[k], fd) ||
			         !same_ports(&fs->all[k], f);
		if (is_new) {
			put_ports(&one, f);
			(void)put(fs, list, NULL, val_text(keep(fs, &one)));
			if (n < PORTS_SHOWN) {
				wr_str(&w, n ? ", " : "");
				put_ports(&w, f);
			}
			n++;
		}
		wr_fini(&one);
	}
	wr_str(&w, n > PORTS_SHOWN ? ", ..." : "");
	return keep(fs, &w);
}

static const char *hosts_text(struct flows *fs, const struct finding *fd,
                              struct val *list)
{
	struct wr w = wr_init_heap();
	size_t n = 0;

	for (size_t i = 0; i < fs->n; i++) {
		const struct flow *f = &fs->all[i];
		bool is_new = is_of(f, fd);

		for (size_t k = 0; is_new && k < i; k++)
			is_new = !is_of(&fs->all[k], fd) ||
			         !slice_eq(fs->all[k].host, f->host);
		if (!is_new)
			continue;
		(void)put(fs, list, NULL,
		          val_text(report_text(fs->report, f->host)));
		if (n < HOSTS_SHOWN) {
			wr_str(&w, n ? ", " : "");
			wr_put(&w, f->host);
		}
		n++;
	}
	wr_str(&w, n > HOSTS_SHOWN ? ", ..." : "");
	return keep(fs, &w);
}

/* A blocked part of a range, and where its ends may be at most. */
struct part {
	int64_t first_min, first, last, last_max;
};

/* @return whether @p v is a list of so many numbers */
static bool get_numbers(int64_t *out, size_t n, const struct val *v)
{
	const struct val_item *it = v->kind == VAL_LIST ? v->items.first : NULL;

	for (size_t i = 0; i < n; i++, it = it->next) {
		if (!it || it->v.kind != VAL_INT)
			return false;
		out[i] = it->v.i;
	}
	return true;
}

static const struct val_item *list_of(const struct val *map, const char *key)
{
	const struct val *v = map ? val_get(map, key) : NULL;

	return v && v->kind == VAL_LIST ? v->items.first : NULL;
}

static bool get_part(struct part *p, const struct flow *f,
                     const struct val_item *it)
{
	int64_t n[2], edges[4];

	if (!get_numbers(n, ARRAY_LEN(n), &it->v))
		return false;
	*p = (struct part){n[0], n[0], n[1], n[1]};
	for (it = list_of(&f->ask->evidence, "blocked_edges"); it;
	     it = it->next) {
		if (get_numbers(edges, ARRAY_LEN(edges), &it->v) &&
		    edges[1] == p->first && edges[2] == p->last)
			*p = (struct part){edges[0], edges[1], edges[2],
			                   edges[3]};
	}
	return true;
}

static bool is_exact_part(const struct part *p)
{
	return p->first == p->first_min && p->last == p->last_max;
}

/* Another host, cut by the same box, has a part with both ends known that this
 * one may well be: flows did not suffice to look. */
static bool is_known_elsewhere(const struct flows *fs, const struct flow *f,
                               const struct part *p)
{
	for (size_t i = 0; i < fs->n && !is_exact_part(p); i++) {
		const struct flow *g = &fs->all[i];
		struct part q;

		if (g->finding != f->finding || g->is_udp != f->is_udp)
			continue;
		for (const struct val_item *it =
		             list_of(flow_detail(g), "blocked");
		     it; it = it->next) {
			if (get_part(&q, g, it) && is_exact_part(&q) &&
			    p->first_min <= q.first && q.first <= p->first &&
			    p->last <= q.last && q.last <= p->last_max)
				return true;
		}
	}
	return false;
}

/* "10000-12345/UDP, 20000/UDP" of one flow's range. */
static void put_blocked(struct flows *fs, struct val *list,
                        const struct flow *f)
{
	for (const struct val_item *it = list_of(flow_detail(f), "blocked"); it;
	     it = it->next) {
		struct flow one = *f;
		struct wr w = wr_init_heap();
		struct part p;
		bool is_new =
			get_part(&p, f, it) && !is_known_elsewhere(fs, f, &p);
		const char *text;

		if (is_new) {
			one.port = p.first;
			one.last = p.last;
			put_ports(&w, &one);
		}
		text = keep(fs, &w);
		for (const struct val_item *k = list->items.first; k && is_new;
		     k = k->next)
			is_new = !slice_eq_str(k->v.s, text);
		if (is_new)
			(void)put(fs, list, NULL, val_text(text));
	}
}

static const char *blocked_text(struct flows *fs, struct finding *fd)
{
	struct val list = val_list();
	struct wr w = wr_init_heap();
	size_t n = 0;

	for (size_t i = 0; i < fs->n; i++) {
		if (is_of(&fs->all[i], fd))
			put_blocked(fs, &list, &fs->all[i]);
	}
	for (const struct val_item *it = list.items.first;
	     it && n < PORTS_SHOWN; it = it->next, n++) {
		wr_str(&w, n ? ", " : "");
		wr_put(&w, it->v.s);
	}
	wr_str(&w, list.items.n > PORTS_SHOWN ? ", ..." : "");
	(void)put(fs, &fd->evidence, "blocked", list);
	return keep(fs, &w);
}

static int64_t stop_hop(const struct flow *f, const char *key)
{
	return val_get_int(&f->stop->fields, key, -1);
}

static bool is_exact(const struct flow *f)
{
	const struct val *v =
		f->stop ? val_get(&f->stop->fields, "is_exact") : NULL;

	return v && v->kind == VAL_BOOL && v->b;
}

void cause_locate(struct flows *fs, struct finding *fd, const struct flow *f)
{
	static const char *const keys[] = {"address", "hop_min", "hop_max",
	                                   "basis"};
	struct val *box;

	if (!f->stop)
		return;
	finding_because(fs->report, fd, f->stop);
	box = put(fs, &fd->evidence, "location", val_map());
	if (is_exact(f))
		(void)put(fs, box, "hop", val_int(stop_hop(f, "hop_min")));
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		const struct val *v = val_get(&f->stop->fields, keys[i]);

		if (v && v->kind != VAL_NULL)
			(void)put(fs, box, keys[i], *v);
	}
}

static enum act act_of(enum segment s)
{
	if (s == SEGMENT_CARRIER)
		return ACT_CARRIER;
	return s == SEGMENT_PROVIDER ? ACT_PROVIDER : ACT_CUSTOMER;
}

/* Somebody said no, and so which box it is. */
static bool is_refusal(const struct flow *f)
{
	struct slice basis = f->stop ? val_get_text(&f->stop->fields, "basis")
	                             : (struct slice){0};

	return slice_eq_str(basis, "icmp-refusal") ||
	       slice_eq_str(basis, "reset");
}

/* The one ends right where the other still went on, or both may end between
 * the same hops. */
static bool is_near(const struct flow *a, const struct flow *b)
{
	return stop_hop(a, "hop_min") <= stop_hop(b, "hop_max") &&
	       stop_hop(b, "hop_min") <= stop_hop(a, "hop_max");
}

/* Routers limit their ICMP errors, those of IPv6 most: a walk may end in
 * silence a hop too early. That two boxes side by side stop the same ports,
 * each of another host, is less likely. */
static bool is_same_rule(const struct flow *a, const struct flow *b)
{
	return !is_refusal(a) && !is_refusal(b) && same_ports(a, b) &&
	       !slice_eq(a->address, b->address) && is_near(a, b);
}

/* Flows that were not followed, or not to the same hop exactly, go with the
 * first place that theirs may be. A box that refuses too often falls silent:
 * what then ends right before it is its doing. */
static bool same_place(const struct flow *a, const struct flow *b)
{
	bool is_either = is_refusal(a) != is_refusal(b);

	if (!a->stop || !b->stop || is_same_rule(a, b))
		return true;
	if (is_refusal(a) && is_refusal(b) &&
	    val_get_text(&a->stop->fields, "address").n > 0 &&
	    slice_eq(val_get_text(&a->stop->fields, "address"),
	             val_get_text(&b->stop->fields, "address")))
		return true;
	if (is_either && is_near(a, b))
		return true;
	if (is_exact(a) && is_exact(b) &&
	    stop_hop(a, "hop_min") != stop_hop(b, "hop_min"))
		return false;
	if (a->segment != SEGMENT_UNKNOWN && b->segment != SEGMENT_UNKNOWN &&
	    a->segment != b->segment)
		return false;
	return is_near(a, b);
}

static bool is_taken(const struct flows *fs, const struct flow *f,
                     const struct cause *c)
{
	bool is_unknown = f->end == FLOW_UNKNOWN && !f->finding;
	bool is_reached = f->end == FLOW_REACHED && !f->finding;

	if (!flow_is_open(f) &&
	    !(is_unknown && c->flags & CAUSE_TAKES_UNKNOWN) &&
	    !(is_reached && c->flags & CAUSE_TAKES_REACHED))
		return false;
	return c->takes(fs, f);
}

/* All at once: what a cause takes may depend on what is unexplained. */
static void pick(struct flows *fs, const struct cause *c,
                 const struct flow *head)
{
	for (size_t i = 0; i < fs->n; i++) {
		struct flow *f = &fs->all[i];

		f->is_picked =
			is_taken(fs, f, c) &&
			(!(c->flags & CAUSE_BY_PLACE) || same_place(f, head));
	}
}

static void add(struct flows *fs, const struct cause *c, struct flow *head,
                const struct ladder *l)
{
	struct report *r = fs->report;
	struct finding *fd = report_finding(r, c->id, c->light);
	struct val ports = val_list(), hosts = val_list();
	const struct ladder none = {.n = 0};
	bool has_sip = false;
	size_t n = 0;

	pick(fs, c, head);
	for (size_t i = 0; i < fs->n; i++) {
		struct flow *f = &fs->all[i];

		if (!f->is_picked)
			continue;
		f->finding = fd;
		finding_because(r, fd, f->fact);
		if (f->is_heavy && f->end != FLOW_REACHED)
			fd->severity = c->heavy;
		has_sip |= slice_eq_str(f->cls, "sip");
		r->is_incomplete |= c->flags & CAUSE_IS_GAP && f->is_heavy;
		n++;
	}
	fd->title = (struct words){c->title,
	                           {ports_text(fs, fd, &ports),
	                            report_fmt(r, "%zu", n),
	                            report_fmt(r, "%zu", fs->n_asked),
	                            hosts_text(fs, fd, &hosts)}};
	fd->detail.msgid = c->detail;
	(void)put(fs, &fd->evidence, "ports", ports);
	(void)put(fs, &fd->evidence, "hosts", hosts);
	if (c->flags & CAUSE_HAS_SPANS)
		fd->title.args[4] = blocked_text(fs, fd);
	else if (c->tell)
		fd->title.args[4] = c->tell(fs, head);
	if (c->segment == SEGMENT_UNKNOWN)
		cause_locate(fs, fd, head);
	fd->segment =
		c->segment == SEGMENT_UNKNOWN ? head->segment : c->segment;
	fd->act = act_of(fd->segment);
	/* another way for SIP helps nobody whose chat is blocked */
	remedies_add(r, fd, has_sip ? l : &none, c->trouble,
	             FINGERPRINT_UNKNOWN);
}

static int weight(const struct flow *f)
{
	return (f->stop != NULL) + 2 * is_exact(f) +
	       4 * (is_refusal(f) && is_exact(f));
}

/* What went further has passed the box where the other seems to end. */
static bool is_further(const struct flow *f, const struct flow *than)
{
	return f->stop && than->stop && weight(f) == weight(than) &&
	       is_same_rule(f, than) &&
	       stop_hop(f, "hop_min") > stop_hop(than, "hop_min");
}

/* A flow whose end is known speaks for those that were not followed. */
static struct flow *head_of(struct flows *fs, const struct cause *c)
{
	struct flow *head = NULL;

	for (size_t i = 0; i < fs->n; i++) {
		struct flow *f = &fs->all[i];

		if (is_taken(fs, f, c) &&
		    (!head || weight(f) > weight(head) || is_further(f, head)))
			head = f;
	}
	return head;
}

void cause_find(struct flows *fs, const struct cause *c, const struct ladder *l)
{
	struct flow *head;

	while ((head = head_of(fs, c)) != NULL)
		add(fs, c, head, l);
}
