/* SPDX-License-Identifier: ISC */
/*
 * Design: boxes, not decision diagrams. Rules of firewalls are products of
 * few intervals, and a diagram over 300 header bits pays for all of them at
 * each node; one rule that leaves the first variables open walks the whole
 * diagram. Boxes over compressed coordinates are eight pairs of words, an
 * intersection test is a handful of compares, and the one hard question (is
 * this box covered by the union of those?) is answered by cutting space in
 * two where the boxes' edges lie, keeping for each half only the boxes that
 * meet it. A half that one box fills is done; a half that no box meets is the
 * witness. That is exact, needs memory only for the depth, and finds a
 * witness early when there is one.
 */
#include "firewall/box.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	MAX_DEPTH = 2000, /* of cuts; honest rules need a hundred */
};

void fw_set_init(struct fw_set *s)
{
	*s = (struct fw_set){0};
}

void fw_set_fini(struct fw_set *s)
{
	free(s->boxes);
	fw_set_init(s);
}

int fw_set_add(struct fw_set *s, const struct fw_box *b)
{
	struct fw_box *boxes;
	size_t cap;

	if (s->n == FW_SET_MAX_BOXES)
		return E2BIG;
	if (s->n == s->cap) {
		cap = s->cap ? s->cap * 2 : 4;
		boxes = realloc(s->boxes, cap * sizeof(*boxes));
		if (!boxes)
			return ENOMEM;
		s->boxes = boxes;
		s->cap = cap;
	}
	s->boxes[s->n++] = *b;
	return 0;
}

bool fw_box_meets(const struct fw_box *a, const struct fw_box *b)
{
	for (unsigned d = 0; d < FW_DIMS; d++) {
		if (a->lo[d] > b->hi[d] || b->lo[d] > a->hi[d])
			return false;
	}
	return true;
}

bool fw_box_has(const struct fw_box *outer, const struct fw_box *inner)
{
	for (unsigned d = 0; d < FW_DIMS; d++) {
		if (inner->lo[d] < outer->lo[d] || inner->hi[d] > outer->hi[d])
			return false;
	}
	return true;
}

bool fw_box_common(struct fw_box *out, const struct fw_box *a,
                   const struct fw_box *b)
{
	struct fw_box c;

	for (unsigned d = 0; d < FW_DIMS; d++) {
		c.lo[d] = a->lo[d] > b->lo[d] ? a->lo[d] : b->lo[d];
		c.hi[d] = a->hi[d] < b->hi[d] ? a->hi[d] : b->hi[d];
		if (c.lo[d] > c.hi[d])
			return false;
	}
	*out = c;
	return true;
}

static int finish(struct fw_set *out, int err)
{
	if (err)
		fw_set_fini(out);
	return err;
}

int fw_set_intersect(struct fw_set *out, const struct fw_set *a,
                     const struct fw_set *b)
{
	int err = 0;

	for (size_t i = 0; i < a->n && !err; i++) {
		for (size_t k = 0; k < b->n && !err; k++) {
			struct fw_box c;

			if (fw_box_common(&c, &a->boxes[i], &b->boxes[k]))
				err = fw_set_add(out, &c);
		}
	}
	return finish(out, err);
}

/* Append the at most 2 * FW_DIMS disjoint pieces of a \ b. */
static int carve(struct fw_set *out, const struct fw_box *a,
                 const struct fw_box *b)
{
	struct fw_box rest = *a;
	int err = 0;

	if (!fw_box_meets(a, b))
		return fw_set_add(out, a);
	for (unsigned d = 0; d < FW_DIMS && !err; d++) {
		struct fw_box piece = rest;

		if (rest.lo[d] < b->lo[d]) {
			piece.hi[d] = b->lo[d] - 1;
			err = fw_set_add(out, &piece);
			rest.lo[d] = b->lo[d];
		}
		piece = rest;
		if (!err && rest.hi[d] > b->hi[d]) {
			piece.lo[d] = b->hi[d] + 1;
			err = fw_set_add(out, &piece);
			rest.hi[d] = b->hi[d];
		}
	}
	return err;
}

int fw_set_subtract(struct fw_set *out, const struct fw_set *a,
                    const struct fw_set *b)
{
	return fw_set_subtract_within(out, a, b, FW_SET_MAX_BOXES);
}

int fw_set_subtract_within(struct fw_set *out, const struct fw_set *a,
                           const struct fw_set *b, size_t max)
{
	struct fw_set now, next;
	int err = 0;

	fw_set_init(&now);
	fw_set_init(&next);
	/* Each box of a without those before it: the result is disjoint. */
	for (size_t i = 0; i < a->n && !err; i++) {
		now.n = 0;
		err = fw_set_add(&now, &a->boxes[i]);
		for (size_t k = 0; k < i + b->n && !err && now.n; k++) {
			const struct fw_box *by =
				k < i ? &a->boxes[k] : &b->boxes[k - i];
			struct fw_set swap = now;

			next.n = 0;
			for (size_t j = 0; j < now.n && !err; j++)
				err = next.n > max
				              ? E2BIG
				              : carve(&next, &now.boxes[j], by);
			now = next;
			next = swap;
		}
		for (size_t j = 0; j < now.n && !err; j++)
			err = fw_set_add(out, &now.boxes[j]);
	}
	fw_set_fini(&now);
	fw_set_fini(&next);
	return finish(out, err);
}

int fw_set_union(struct fw_set *out, const struct fw_set *a,
                 const struct fw_set *b)
{
	struct fw_set all, none;
	int err = 0;

	fw_set_init(&all);
	fw_set_init(&none);
	for (size_t i = 0; i < a->n + b->n && !err; i++)
		err = fw_set_add(&all,
		                 i < a->n ? &a->boxes[i] : &b->boxes[i - a->n]);
	if (!err)
		err = fw_set_subtract(out, &all, &none);
	fw_set_fini(&all);
	return err;
}

/* The search of fw_cover_find(): boxes are named by their index, those of a
 * half live behind those of the whole in one growing array. */
struct cover {
	const struct fw_box *by;
	uint32_t *ids;
	size_t cap;
	uint64_t *left;
	struct fw_box *witness;
};

static int reserve(struct cover *c, size_t n)
{
	uint32_t *ids;
	size_t cap = c->cap ? c->cap : 64;

	if (n <= c->cap)
		return 0;
	while (cap < n)
		cap *= 2;
	ids = realloc(c->ids, cap * sizeof(*ids));
	if (!ids)
		return ENOMEM;
	c->ids = ids;
	c->cap = cap;
	return 0;
}

bool fw_box_choose_cut(unsigned *dim, uint32_t *at, const struct fw_box *box,
                       const struct fw_box *const sample[], size_t n,
                       unsigned kept)
{
	uint32_t edges[FW_DIMS][2 * FW_CUT_SAMPLE];
	unsigned n_edges[FW_DIMS] = {0};
	unsigned best = FW_DIMS;

	for (size_t i = 0; i < n; i++) {
		const struct fw_box *b = sample[i];

		for (unsigned d = 0; d < FW_DIMS; d++) {
			if (b->lo[d] > box->lo[d])
				edges[d][n_edges[d]++] = b->lo[d];
			if (b->hi[d] < box->hi[d])
				edges[d][n_edges[d]++] = b->hi[d] + 1;
		}
	}
	for (unsigned d = 0; d < FW_DIMS; d++) {
		if (n_edges[d] && !(kept >> d & 1) &&
		    (best == FW_DIMS || n_edges[d] > n_edges[best]))
			best = d;
	}
	if (best == FW_DIMS)
		return false;
	for (unsigned i = 1; i < n_edges[best]; i++) {
		const uint32_t e = edges[best][i];
		unsigned k = i;

		for (; k > 0 && edges[best][k - 1] > e; k--)
			edges[best][k] = edges[best][k - 1];
		edges[best][k] = e;
	}
	*dim = best;
	*at = edges[best][n_edges[best] / 2];
	return true;
}

static bool choose_cut(const struct cover *c, const struct fw_box *box,
                       size_t from, size_t n, unsigned *dim, uint32_t *at)
{
	const size_t step = n > FW_CUT_SAMPLE ? n / FW_CUT_SAMPLE : 1;
	const struct fw_box *sample[FW_CUT_SAMPLE];
	size_t taken = 0;

	for (size_t i = 0; i < n && taken < FW_CUT_SAMPLE; i += step)
		sample[taken++] = &c->by[c->ids[from + i]];
	return fw_box_choose_cut(dim, at, box, sample, taken, 0);
}

/* Copy the ids of boxes that meet @p box behind the list; SIZE_MAX when one
 * fills it. */
static int narrow(struct cover *c, const struct fw_box *box, size_t from,
                  size_t n, size_t *n_out)
{
	size_t kept = 0;
	int err = reserve(c, from + n + n);

	if (err)
		return err;
	if (*c->left < n)
		return ETIMEDOUT;
	*c->left -= n;
	for (size_t i = 0; i < n; i++) {
		const uint32_t id = c->ids[from + i];
		const struct fw_box *b = &c->by[id];

		if (!fw_box_meets(b, box))
			continue;
		if (fw_box_has(b, box)) {
			*n_out = SIZE_MAX;
			return 0;
		}
		c->ids[from + n + kept++] = id;
	}
	*n_out = kept;
	return 0;
}

/* @return 0 found, ENOENT covered, or an error */
static int search(struct cover *c, const struct fw_box *box, size_t from,
                  size_t n, unsigned depth)
{
	struct fw_box half[2] = {*box, *box};
	unsigned dim;
	uint32_t at;

	if (n == 0 || !choose_cut(c, box, from, n, &dim, &at)) {
		if (n)
			return ENOENT;
		if (c->witness)
			*c->witness = *box;
		return 0;
	}
	if (depth == MAX_DEPTH)
		return ETIMEDOUT;
	half[0].hi[dim] = at - 1;
	half[1].lo[dim] = at;
	for (unsigned i = 0; i < 2; i++) {
		size_t n_half;
		int err = narrow(c, &half[i], from, n, &n_half);

		if (!err && n_half != SIZE_MAX)
			err = search(c, &half[i], from + n, n_half, depth + 1);
		else if (!err)
			err = ENOENT;
		if (err != ENOENT)
			return err;
	}
	return ENOENT;
}

static int find(struct cover *c, const struct fw_box *box, const uint32_t *ids,
                size_t n_ids)
{
	size_t n = 0;
	int err;

	if (*c->left < n_ids)
		return ETIMEDOUT;
	*c->left -= n_ids;
	err = reserve(c, n_ids + 1);
	for (size_t i = 0; i < n_ids && !err; i++) {
		const uint32_t id = ids ? ids[i] : (uint32_t)i;

		if (fw_box_has(&c->by[id], box))
			err = ENOENT;
		else if (fw_box_meets(&c->by[id], box))
			c->ids[n++] = id;
	}
	if (!err)
		err = search(c, box, 0, n, 0);
	free(c->ids);
	return err;
}

int fw_cover_find(struct fw_box *witness, const struct fw_box *box,
                  const struct fw_box *by, size_t n_by, uint64_t *left)
{
	struct cover c = {.by = by, .left = left, .witness = witness};

	return find(&c, box, NULL, n_by);
}

int fw_cover_find_of(struct fw_box *witness, const struct fw_box *box,
                     const struct fw_box *by, const uint32_t *ids, size_t n_ids,
                     uint64_t *left)
{
	struct cover c = {.by = by, .left = left, .witness = witness};

	return find(&c, box, ids, n_ids);
}

int fw_set_is_subset(struct fw_box *witness, const struct fw_set *a,
                     const struct fw_set *b)
{
	uint64_t left = UINT64_C(1) << 32;

	for (size_t i = 0; i < a->n; i++) {
		int err = fw_cover_find(witness, &a->boxes[i], b->boxes, b->n,
		                        &left);

		if (err == 0)
			return ENOENT;
		if (err != ENOENT)
			return err;
	}
	return 0;
}

double fw_set_count(const struct fw_set *s,
                    double (*width)(enum fw_dim d, uint32_t id,
                                    const void *arg),
                    const void *arg)
{
	double sum = 0;

	for (size_t i = 0; i < s->n; i++) {
		double n = 1;

		for (unsigned d = 0; d < FW_DIMS; d++) {
			double w = 0;

			for (uint32_t v = s->boxes[i].lo[d];; v++) {
				w += width((enum fw_dim)d, v, arg);
				if (v == s->boxes[i].hi[d])
					break;
			}
			n *= w;
		}
		sum += n;
	}
	return sum;
}
