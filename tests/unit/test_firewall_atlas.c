/* SPDX-License-Identifier: ISC */
/*
 * Coordinates against brute force: what a set of addresses or zones matches
 * by its own words is what its intervals hold, for every address and name
 * near one of its edges.
 */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include "firewall/atlas.h"
#include "oom.h"

enum {
	ROUNDS = 600,
	N_SETS = 4,
	N_NAMES = 6,
};

#define MAPPED UINT64_C(0xffff00000000)

static uint64_t seed = 1;

static unsigned rnd(unsigned n)
{
	seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (unsigned)(seed >> 33) % n;
}

/* Edges of both families, and of the range that is cut out of one. */
static struct fw_ip edge(void)
{
	static const struct fw_ip edges[] = {
		{0, 0},
		{0, 1},
		{0, MAPPED - 1},
		{0, MAPPED},
		{0, MAPPED + 1},
		{0, MAPPED | 0xc0000200},
		{0, MAPPED | 0xc00002ff},
		{0, MAPPED | 0xfffffffe},
		{0, MAPPED | 0xffffffff},
		{0, MAPPED + (UINT64_C(1) << 32)},
		{0, UINT64_MAX},
		{1, 0},
		{UINT64_C(0x20010db800000000), 0},
		{UINT64_C(0x20010db800000000), UINT64_MAX},
		{UINT64_MAX, UINT64_MAX - 1},
		{UINT64_MAX, UINT64_MAX},
	};

	return edges[rnd(ARRAY_LEN(edges))];
}

static bool holds(const struct fw_ivals *s, uint32_t v)
{
	bool is_in = false;

	for (size_t i = 0; i < s->n; i++) {
		assert_true(s->v[i].lo <= s->v[i].hi);
		if (i > 0)
			assert_true(s->v[i].lo > s->v[i - 1].hi);
		is_in |= v >= s->v[i].lo && v <= s->v[i].hi;
	}
	return is_in;
}

static bool has_ip(const struct fw_addrs *set, struct fw_ip ip)
{
	bool is_in = !set->first && !set->is_negated;

	for (const struct fw_addr *a = set->first; a; a = a->next)
		is_in |= fw_ip_cmp(a->lo, ip) <= 0 && fw_ip_cmp(ip, a->hi) <= 0;
	return is_in != set->is_negated;
}

static void make_addrs(struct arena *a, struct fw_addrs *set)
{
	*set = (struct fw_addrs){.is_negated = rnd(3) == 0};
	for (unsigned n = rnd(4); n > 0; n--) {
		struct fw_ip lo = edge(), hi = edge();

		if (fw_ip_cmp(lo, hi) > 0) {
			const struct fw_ip t = lo;

			lo = hi;
			hi = t;
		}
		assert_non_null(fw_addrs_add_range(a, set, lo, hi));
	}
}

static void test_addresses_agree_with_their_ranges(void **state)
{
	UNUSED(state);
	for (unsigned k = 0; k < ROUNDS; k++) {
		struct fw_addrs sets[N_SETS];
		struct fw_atlas at;
		struct arena a;

		arena_init(&a);
		fw_atlas_init(&at, NULL, 0);
		for (size_t i = 0; i < N_SETS; i++) {
			make_addrs(&a, &sets[i]);
			fw_atlas_note_addrs(&at, &sets[i]);
		}
		assert_int_equal(fw_atlas_close(&at), 0);
		for (size_t i = 0; i < N_SETS * 2; i++) {
			const struct fw_addrs *set = &sets[i / 2];
			struct fw_ivals v = {0};

			fw_atlas_addrs(&v, &at, set, i % 2);
			for (unsigned n = 0; n < 20; n++) {
				const struct fw_ip ip = edge();

				assert_int_equal(
					holds(&v, fw_atlas_ip(&at, ip)),
					has_ip(set, ip));
			}
			fw_ivals_fini(&v);
		}
		fw_atlas_fini(&at);
		arena_fini(&a);
	}
}

/* A coordinate's own address is at it; all of them together are all. */
static void test_coordinates_are_whole_and_apart(void **state)
{
	UNUSED(state);
	for (unsigned k = 0; k < ROUNDS; k++) {
		const struct fw_ival *all;
		struct fw_ival v4, v46;
		struct fw_addrs set;
		struct fw_atlas at;
		struct arena a;

		arena_init(&a);
		fw_atlas_init(&at, NULL, 0);
		make_addrs(&a, &set);
		fw_atlas_note_addrs(&at, &set);
		assert_int_equal(fw_atlas_close(&at), 0);
		v4 = fw_atlas_family(&at, FW_IP4);
		v46 = fw_atlas_family(&at, FW_IP4 | FW_IP6);
		all = &v46;
		assert_true(fw_atlas_ip_width(&at, v4.lo, v4.hi) ==
		            4294967296.0);
		for (uint32_t id = all->lo; id <= all->hi; id++) {
			const char *name;
			const struct fw_ip ip = fw_atlas_ip_at(&at, id, &name);

			assert_null(name);
			assert_int_equal(fw_atlas_ip(&at, ip), id);
			assert_int_equal(fw_ip_is4(ip), id <= v4.hi);
			assert_true(fw_atlas_ip_width(&at, id, id) >= 1);
		}
		fw_atlas_fini(&at);
		arena_fini(&a);
	}
}

/* Few letters, so that names begin with each other, and the last byte there
 * is, behind which no string comes. */
static void make_name(char name[8], bool may_be_pattern)
{
	static const char letters[] = "ab\xff";
	size_t n = rnd(4);

	for (size_t i = 0; i < n; i++)
		name[i] = letters[rnd(3)];
	if (may_be_pattern && rnd(2))
		name[n++] = '*';
	name[n] = '\0';
}

static bool is_match(const char *pattern, const char *name)
{
	const size_t n = strlen(pattern);

	if (n > 0 && pattern[n - 1] == '*')
		return strncmp(pattern, name, n - 1) == 0;
	return strcmp(pattern, name) == 0;
}

static bool has_zone(const struct fw_zones *set, const char *name)
{
	bool is_in = !set->first && !set->is_negated;

	for (const struct fw_zone *z = set->first; z; z = z->next)
		is_in |= is_match(z->name, name);
	return is_in != set->is_negated;
}

static void test_zones_agree_with_their_patterns(void **state)
{
	UNUSED(state);
	for (unsigned k = 0; k < ROUNDS; k++) {
		char names[N_NAMES][8];
		struct fw_zones set = {.is_negated = rnd(3) == 0};
		struct fw_ivals v = {0};
		struct fw_atlas at;
		struct arena a;

		arena_init(&a);
		fw_atlas_init(&at, NULL, 0);
		for (size_t i = 0; i < N_NAMES; i++) {
			make_name(names[i], true);
			fw_atlas_note_zone(&at, names[i]);
			if (i % 2)
				assert_non_null(
					fw_zones_add(&a, &set, names[i]));
		}
		assert_int_equal(fw_atlas_close(&at), 0);
		fw_atlas_zones(&v, &at, &set, rnd(2));
		assert_false(v.no_memory);
		for (unsigned n = 0; n < 40; n++) {
			char name[8];
			const char *seen;
			bool is_like;
			uint32_t id;

			make_name(name, false);
			id = fw_atlas_zone(&at, name);
			assert_int_equal(holds(&v, id), has_zone(&set, name));
			seen = fw_atlas_zone_at(&at, id, &is_like);
			if (seen && !is_like)
				assert_string_equal(seen, name);
		}
		fw_ivals_fini(&v);
		fw_atlas_fini(&at);
		arena_fini(&a);
	}
}

/* Between "surely" and "at most" lies exactly what the name may be. */
static void test_a_name_is_somewhere_or_where_it_was_found(void **state)
{
	const struct fw_ip one = {0, MAPPED | 0xc0000209};
	const struct fw_ip two = {0, MAPPED | 0xc000020a};
	struct fw_host host = {.name = "b.example"};
	struct fw_addrs set = {0};
	struct arena a;

	UNUSED(state);
	arena_init(&a);
	assert_non_null(fw_addrs_add_range(&a, &host.addrs, one, one));
	assert_non_null(fw_addrs_add_name(&a, &set, FW_ADDR_NAME, "B.example"));
	for (size_t n_hosts = 0; n_hosts < 2; n_hosts++) {
		struct fw_ivals sure = {0}, most = {0};
		struct fw_atlas at;

		fw_atlas_init(&at, &host, n_hosts);
		fw_atlas_note_addrs(&at, &set);
		assert_int_equal(fw_atlas_close(&at), 0);
		fw_atlas_addrs(&sure, &at, &set, false);
		fw_atlas_addrs(&most, &at, &set, true);
		assert_int_equal(holds(&sure, fw_atlas_ip(&at, one)), n_hosts);
		assert_true(holds(&most, fw_atlas_ip(&at, one)));
		assert_false(holds(&sure, fw_atlas_ip(&at, two)));
		assert_int_equal(holds(&most, fw_atlas_ip(&at, two)),
		                 n_hosts == 0);
		fw_ivals_fini(&sure);
		fw_ivals_fini(&most);
		fw_atlas_fini(&at);
	}
	arena_fini(&a);
}

static void test_no_memory_is_not_lost(void **state)
{
	static const char *const names[] = {"eth*", "\xff*", "lan"};
	int err;

	UNUSED(state);
	for (unsigned long n = 0;; n++) {
		struct fw_atlas at;

		fw_atlas_init(&at, NULL, 0);
		oom_after(n);
		for (size_t i = 0; i < ARRAY_LEN(names); i++)
			fw_atlas_note_zone(&at, names[i]);
		err = fw_atlas_close(&at);
		oom_after(OOM_NEVER);
		/* "eth" to before "eti", and \xff to the end */
		if (!err)
			assert_int_equal(at.n_zones, 6);
		fw_atlas_fini(&at);
		if (!err)
			break;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses_agree_with_their_ranges),
		cmocka_unit_test(test_coordinates_are_whole_and_apart),
		cmocka_unit_test(test_zones_agree_with_their_patterns),
		cmocka_unit_test(
			test_a_name_is_somewhere_or_where_it_was_found),
		cmocka_unit_test(test_no_memory_is_not_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
