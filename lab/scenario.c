/* SPDX-License-Identifier: ISC */
/*
 * Design: a scenario is small, so it is read by hand from the tree, a
 * function for each map, and every function begins with the list of its
 * keys. A fault is said where it is and reading goes on; whether there was
 * one is asked once, at the end.
 */
#include "lab/scenario.h"

#include <errno.h>
#include <string.h>

#include "base/i18n.h"
#include "base/text.h"
#include "lab/plan.h"
#include "router/conf.h"
#include "tree/tree.h"

#define SCHEMA "prumo/scenario/1"

enum {
	MAX_TIMEOUT_S = 86400,
	MAX_SEED = INT32_MAX,
	MAX_NAME_BYTES = 253, /* RFC 1035, section 2.3.4 */
	MAX_SUMMARY_BYTES = 200,
};

struct reader {
	struct arena *arena;
	struct diag *dg;
	struct lab_scenario *s;
	bool no_memory;
};

#define fault(r, at, ...) diag_add((r)->dg, DIAG_ERROR, at, __VA_ARGS__)

static const char *kind_words(enum tree_node_kind kind)
{
	switch (kind) {
	case TREE_NODE_MAP:
		return _("keys with values");
	case TREE_NODE_LIST:
		return _("a list");
	case TREE_NODE_SCALAR:
		break;
	}
	return _("a single value");
}

static bool is_kind(struct reader *r, const struct tree_node *n,
                    enum tree_node_kind kind)
{
	if (n->kind == kind)
		return true;
	fault(r, n->at, _("found %s, expected %s"), kind_words(n->kind),
	      kind_words(kind));
	return false;
}

/* Words parted by blanks. */
static bool is_among(struct slice word, const char *words)
{
	struct slice rest = slice_str(words);

	while (rest.n) {
		size_t n = slice_find(rest, slice_str(" "));

		if (slice_eq(slice_sub(rest, 0, n), word))
			return true;
		rest = slice_sub(rest, n == SIZE_MAX ? n : n + 1, SIZE_MAX);
	}
	return false;
}

/* Is it a map with these keys? The first @p n_needed must be there. */
static bool map_check(struct reader *r, const struct tree_node *map,
                      const char *const *keys, size_t n_needed)
{
	struct wr w = wr_init_heap();

	if (!is_kind(r, map, TREE_NODE_MAP))
		return false;
	for (size_t i = 0; i < n_needed; i++) {
		if (!tree_get(map, keys[i]))
			fault(r, map->key_at.n ? map->key_at : map->at,
			      _("the key '%s' is missing"), keys[i]);
	}
	for (size_t i = 0; keys[i]; i++)
		wr_fmt(&w, "%s%s", i ? " " : "", keys[i]);
	wr_u8(&w, 0);
	for (const struct tree_node *c = map->first; c && !w.bad; c = c->next) {
		if (!is_among(c->key, (const char *)w.p))
			fault(r, c->key_at,
			      _("unknown key '%s'; expected one of: %s"),
			      (const char *)c->key.p, (const char *)w.p);
	}
	r->no_memory |= w.bad;
	wr_fini(&w);
	return true;
}

static void number_read(struct reader *r, unsigned *v,
                        const struct tree_node *n, unsigned max)
{
	uint64_t read;

	if (!n || !is_kind(r, n, TREE_NODE_SCALAR))
		return;
	if (text_u64(&read, n->text, max) != 0)
		fault(r, n->at, _("'%s' is not a whole number from 0 to %d"),
		      (const char *)n->text.p, (int)max);
	else
		*v = (unsigned)read;
}

static void bool_read(struct reader *r, bool *v, const struct tree_node *n)
{
	if (!n || !is_kind(r, n, TREE_NODE_SCALAR))
		return;
	*v = slice_eq_str(n->text, "true");
	if (!*v && !slice_eq_str(n->text, "false"))
		fault(r, n->at, _("'%s' is neither true nor false"),
		      (const char *)n->text.p);
}

/* @return the text, or what @p v was */
static const char *text_read(struct reader *r, const char *v,
                             const struct tree_node *n, size_t max_bytes)
{
	if (!n || !is_kind(r, n, TREE_NODE_SCALAR))
		return v;
	if (!n->text.n) {
		fault(r, n->at, _("this text must not be empty"));
		return v;
	}
	if (n->text.n > max_bytes) {
		fault(r, n->at,
		      _("this text has %zu bytes; at most %u are allowed"),
		      n->text.n, (unsigned)max_bytes);
		return v;
	}
	return (const char *)n->text.p;
}

/* Letters, digits, dots and the like: it goes into files of others. */
static const char *name_read(struct reader *r, const char *v,
                             const struct tree_node *n)
{
	const char *name = text_read(r, NULL, n, MAX_NAME_BYTES);

	if (!name)
		return v;
	for (const char *c = name; *c; c++) {
		if ((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') ||
		    *c == '-' || *c == '.' || *c == '_')
			continue;
		fault(r, n->at,
		      _("'%s' has other characters than small letters, "
		        "digits, '-', '.' and '_'"),
		      name);
		return v;
	}
	return name;
}

/* @return the list's first item, or NULL; longer than @p max is a fault */
static const struct tree_node *list_first(struct reader *r,
                                          const struct tree_node *n, size_t max)
{
	if (!n || !is_kind(r, n, TREE_NODE_LIST))
		return NULL;
	if (n->n <= max)
		return n->first;
	fault(r, n->at, _("this list has %zu items; at most %u are allowed"),
	      n->n, (unsigned)max);
	return NULL;
}

static void net_read(struct reader *r, const struct tree_node *n)
{
	struct lab_spec *spec = &r->s->spec, one = {.n_hops = 1};

	if (!is_kind(r, n, TREE_NODE_SCALAR))
		return;
	one.n_server_nets = 1;
	if (prefix_parse(&one.server_nets[0], n->text) != 0 ||
	    lab_plan_check(&one) != 0) {
		fault(r, n->at,
		      _("'%s' is not an address or net within "
		        "198.51.100.0/24, 198.19.0.0/16 or "
		        "2001:db8:ffff::/48"),
		      (const char *)n->text.p);
		return;
	}
	spec->server_nets[spec->n_server_nets++] = one.server_nets[0];
}

static bool is_servers(const struct lab_spec *spec, const struct addr *a)
{
	static const char *const own[] = {LAB_SERVER_IP4, LAB_SERVER2_IP4,
	                                  LAB_SERVER_IP6};
	struct addr known;

	for (size_t i = 0; i < ARRAY_LEN(own); i++) {
		if (addr_parse(&known, slice_str(own[i])) == 0 &&
		    addr_ip_eq(&known, a))
			return true;
	}
	for (size_t i = 0; i < spec->n_server_nets; i++) {
		if (prefix_has(&spec->server_nets[i], a))
			return true;
	}
	return false;
}

static bool addr_read(struct reader *r, struct addr *a,
                      const struct tree_node *n)
{
	if (!n || !is_kind(r, n, TREE_NODE_SCALAR))
		return false;
	if (addr_parse(a, n->text) == 0 && is_servers(&r->s->spec, a) &&
	    (a->family != ADDR_IP6 || r->s->spec.has_ip6))
		return true;
	fault(r, n->at, _("'%s' is not an address that the server has here"),
	      (const char *)n->text.p);
	return false;
}

static void features_read(struct reader *r, struct lab_hop *hop,
                          const struct tree_node *list)
{
	static const char words[] = "nat alg firewall silent";
	const struct tree_node *c = list_first(r, list, 4);

	for (; c; c = c->next) {
		if (!is_kind(r, c, TREE_NODE_SCALAR))
			continue;
		if (!is_among(c->text, words))
			fault(r, c->at,
			      _("'%s' is not known here; expected one of: %s"),
			      (const char *)c->text.p, words);
		hop->has_nat |= slice_eq_str(c->text, "nat");
		hop->has_alg |= slice_eq_str(c->text, "alg");
		hop->has_firewall |= slice_eq_str(c->text, "firewall");
		hop->is_silent |= slice_eq_str(c->text, "silent");
	}
}

static void word_refuse(struct reader *r, const struct tree_node *n,
                        struct slice bad, int err)
{
	struct wr want = wr_init_heap();

	if (err == EEXIST) {
		fault(r, n->at,
		      _("'%.*s' comes after another value for the same word; "
		        "expected one of them"),
		      (int)bad.n, (const char *)bad.p);
		return;
	}
	router_conf_want(&want, bad);
	fault(r, n->at, _("the router does not know '%.*s'; expected %.*s"),
	      (int)bad.n, (const char *)bad.p, (int)want.n,
	      (const char *)want.p);
	r->no_memory |= want.bad;
	wr_fini(&want);
}

/* Checked now, so that a fault has its place. */
static bool words_take(struct reader *r, struct wr *w,
                       const struct tree_node *n, struct router_conf *conf)
{
	struct slice bad;
	int err;

	if (!is_kind(r, n, TREE_NODE_SCALAR))
		return false;
	err = router_conf_read(conf, &bad, n->text);
	if (err) {
		word_refuse(r, n, bad, err);
		return false;
	}
	wr_fmt(w, "%s%s", w->n ? "," : "", (const char *)n->text.p);
	return true;
}

/* @return the scalar of @p n that says @p key */
static const struct tree_node *word_node(const struct tree_node *n,
                                         const char *key)
{
	const struct tree_node *c = n->first;

	while (c && slice_find(c->text, slice_str(key)) == SIZE_MAX)
		c = c->next;
	return c ? c : n;
}

static void words_check(struct reader *r, const struct tree_node *n,
                        const struct router_conf *conf)
{
	const char *word, *need;

	if (router_conf_check(conf, &word, &need) != 0)
		fault(r, word_node(n, word)->at,
		      _("'%s' does nothing without '%s'; expected both"), word,
		      need);
}

static void words_read(struct reader *r, const char **wordsp,
                       const struct tree_node *n)
{
	struct router_conf conf = router_defaults;
	struct wr w = wr_init_heap();
	bool is_good = true;

	if (n->kind == TREE_NODE_LIST) {
		for (const struct tree_node *c = n->first; c && is_good;
		     c = c->next)
			is_good = words_take(r, &w, c, &conf);
	} else {
		is_good = words_take(r, &w, n, &conf);
	}
	if (is_good)
		words_check(r, n, &conf);
	*wordsp = arena_dup(r->arena, wr_slice(&w));
	r->no_memory |= w.bad || !*wordsp;
	wr_fini(&w);
}

static void router_read(struct reader *r, const struct tree_node *n)
{
	static const char *const keys[] = {"kernel", "program", "udp-timeout",
	                                   "shared-wan", NULL};
	const struct tree_node *kernel = tree_get(n, "kernel");
	const struct tree_node *program = tree_get(n, "program");
	unsigned i = r->s->spec.n_hops++;
	struct lab_hop *hop = &r->s->spec.hops[i];

	if (!map_check(r, n, keys, 0))
		return;
	if (!kernel == !program)
		fault(r, n->at,
		      _("a router has either the key '%s' or the key '%s'"),
		      "kernel", "program");
	if (kernel)
		features_read(r, hop, kernel);
	if (program) {
		hop->is_program = true;
		words_read(r, &r->s->words[i], program);
	}
	bool_read(r, &hop->has_shared_wan, tree_get(n, "shared-wan"));
	number_read(r, &hop->udp_timeout_s, tree_get(n, "udp-timeout"),
	            MAX_TIMEOUT_S);
	if (hop->udp_timeout_s &&
	    !(hop->has_nat || hop->has_alg || hop->has_firewall))
		fault(r, tree_get(n, "udp-timeout")->at,
		      _("a router without nat, alg or firewall has no entries "
		        "that could time out"));
}

static void routers_read(struct reader *r, const struct tree_node *list)
{
	const struct tree_node *c = list_first(r, list, LAB_MAX_HOPS);

	if (list && list->kind == TREE_NODE_LIST && !list->n)
		fault(r, list->at, _("this list must not be empty"));
	for (; c; c = c->next)
		router_read(r, c);
}

static void names_read(struct reader *r, const struct tree_node *list)
{
	static const char *const keys[] = {"name", "address", NULL};
	const struct tree_node *c = list_first(r, list, LAB_MAX_NAMES);

	for (; c; c = c->next) {
		struct lab_name *to = &r->s->names[r->s->n_names];

		if (!map_check(r, c, keys, 2))
			continue;
		to->name = name_read(r, NULL, tree_get(c, "name"));
		if (addr_read(r, &to->addr, tree_get(c, "address")) && to->name)
			r->s->n_names++;
	}
}

static void slot_read(struct reader *r, struct lab_server *server, size_t slot,
                      const struct tree_node *n)
{
	unsigned flags = server->service->slots[slot].flags;
	const struct tree_node *c =
		list_first(r, n, flags & LAB_SLOT_ONE ? 1 : LAB_MAX_PORTS);

	server->n_ports[slot] = 0;
	if (!n->n && flags & LAB_SLOT_NEEDED)
		fault(r, n->at, _("this list must not be empty"));
	for (; c; c = c->next) {
		uint64_t port;

		if (!is_kind(r, c, TREE_NODE_SCALAR))
			continue;
		if (text_u64(&port, c->text, UINT16_MAX) == 0 && port > 0)
			server->ports[slot][server->n_ports[slot]++] =
				(uint16_t)port;
		else
			fault(r, c->at, _("'%s' is not a port from 1 to 65535"),
			      (const char *)c->text.p);
	}
}

static void ports_read(struct reader *r, struct lab_server *server,
                       const struct tree_node *map)
{
	const char *keys[LAB_MAX_SLOTS + 1] = {NULL};
	const struct lab_slot *slots = server->service->slots;

	for (size_t i = 0; slots[i].name; i++)
		keys[i] = slots[i].name;
	if (!map || !map_check(r, map, keys, 0))
		return;
	for (size_t i = 0; slots[i].name; i++) {
		const struct tree_node *n = tree_get(map, slots[i].name);

		if (n)
			slot_read(r, server, i, n);
	}
}

static void cert_read(struct reader *r, struct lab_server *server,
                      const struct tree_node *n)
{
	if (!n || !is_kind(r, n, TREE_NODE_SCALAR))
		return;
	server->has_cert = true;
	for (size_t i = 0; i < LAB_N_CERTS; i++) {
		if (slice_eq_str(n->text, lab_cert_names[i])) {
			server->cert = (enum lab_cert)i;
			return;
		}
	}
	fault(r, n->at, _("'%s' is not known here; expected one of: %s"),
	      (const char *)n->text.p, "valid expired wrong-name self-signed");
}

/* Those that bind one by one cannot be on all. */
static void server_addresses(struct reader *r, struct lab_server *server,
                             const struct tree_node *list)
{
	const struct tree_node *c = list_first(r, list, LAB_MAX_ADDRESSES);

	for (; c; c = c->next) {
		if (addr_read(r, &server->at[server->n_at], c))
			server->n_at++;
	}
	if (list && !list->n)
		fault(r, list->at, _("this list must not be empty"));
	if (list || !server->service->program)
		return;
	if (addr_parse(&server->at[0], slice_str(LAB_SERVER_IP4)) == 0)
		server->n_at = 1;
	if (r->s->spec.has_ip6 &&
	    addr_parse(&server->at[1], slice_str(LAB_SERVER_IP6)) == 0)
		server->n_at = 2;
}

static const struct lab_service *service_read(struct reader *r,
                                              const struct tree_node *n)
{
	const struct lab_service *service;
	char known[256];
	struct wr w = wr_init(known, sizeof(known) - 1);

	if (!n || !is_kind(r, n, TREE_NODE_SCALAR))
		return NULL;
	service = lab_service_find(n->text);
	if (service)
		return service;
	for (const struct lab_service *s = lab_services; s->name; s++)
		wr_fmt(&w, "%s%s", w.n ? ", " : "", s->name);
	known[w.n] = '\0';
	fault(r, n->at, _("'%s' is not known here; expected one of: %s"),
	      (const char *)n->text.p, known);
	return NULL;
}

/* Or the first would be taken for the second, which fails to start. */
static void clash_find(struct reader *r, const struct lab_server *server,
                       const struct tree_node *n)
{
	for (size_t i = 0; i < r->s->n_servers; i++) {
		const struct lab_server *first = &r->s->servers[i];
		unsigned port = lab_server_clash(server, first);

		if (!port)
			continue;
		fault(r, n->at, _("%s has port %u at this address already"),
		      first->service->name, port);
		return;
	}
}

static void server_read(struct reader *r, const struct tree_node *n)
{
	static const char *const keys[] = {"program",     "addresses", "host",
	                                   "certificate", "ports",     NULL};
	struct lab_server *server = &r->s->servers[r->s->n_servers];
	const struct lab_service *service;

	if (!map_check(r, n, keys, 1))
		return;
	service = service_read(r, tree_get(n, "program"));
	if (!service)
		return;
	lab_server_init(server, service);
	server_addresses(r, server, tree_get(n, "addresses"));
	server->host = name_read(r, server->host, tree_get(n, "host"));
	cert_read(r, server, tree_get(n, "certificate"));
	if (server->has_cert && !service->takes_cert)
		fault(r, tree_get(n, "certificate")->at,
		      _("'%s' takes no certificate"), service->name);
	ports_read(r, server, tree_get(n, "ports"));
	clash_find(r, server, n);
	r->s->n_servers++;
}

static void servers_read(struct reader *r, const struct tree_node *list)
{
	const struct tree_node *c = list_first(r, list, LAB_MAX_SERVERS);

	for (; c; c = c->next)
		server_read(r, c);
}

static void program_read(struct reader *r, const struct tree_node *n)
{
	static const char *const keys[] = {"in", "run", "await", NULL};
	struct lab_program *p = &r->s->programs[r->s->n_programs];
	const struct tree_node *in = tree_get(n, "in");
	unsigned node;

	if (!map_check(r, n, keys, 2))
		return;
	p->node = text_read(r, NULL, in, MAX_NAME_BYTES);
	p->shell =
		text_read(r, NULL, tree_get(n, "run"), LAB_SCENARIO_MAX_BYTES);
	bool_read(r, &p->is_awaited, tree_get(n, "await"));
	if (!p->node || !p->shell)
		return;
	if (lab_plan_node(&node, &r->s->spec, p->node) != 0)
		fault(r, in->at, _("there is no node '%s' here"), p->node);
	else
		r->s->n_programs++;
}

static void programs_read(struct reader *r, const struct tree_node *list)
{
	const struct tree_node *c = list_first(r, list, LAB_MAX_PROGRAMS);

	for (; c; c = c->next)
		program_read(r, c);
}

static void expect_read(struct reader *r, const struct tree_node *map)
{
	static const char *const keys[] = {"alg", "alg-at", "findings", NULL};
	struct lab_expect *e = &r->s->expect;
	const struct tree_node *c;

	if (!map || !map_check(r, map, keys, 0))
		return;
	e->has_alg = tree_get(map, "alg") != NULL;
	bool_read(r, &e->is_alg, tree_get(map, "alg"));
	number_read(r, &e->alg_at, tree_get(map, "alg-at"), r->s->spec.n_hops);
	c = list_first(r, tree_get(map, "findings"), LAB_MAX_EXPECTED);
	for (; c; c = c->next) {
		const char *id = name_read(r, NULL, c);

		if (id)
			e->findings[e->n_findings++] = id;
	}
}

/* In this order: what comes later is held against what came before. */
static void root_read(struct reader *r, const struct tree_node *root)
{
	static const char *const keys[] = {
		"schema",   "name",   "summary",   "routers", "clients",
		"ip6",      "seed",   "addresses", "names",   "servers",
		"programs", "expect", NULL};
	const struct tree_node *schema = tree_get(root, "schema"), *c;
	struct lab_scenario *s = r->s;
	unsigned seed = 1;

	if (!map_check(r, root, keys, 4))
		return;
	if (schema && is_kind(r, schema, TREE_NODE_SCALAR) &&
	    !slice_eq_str(schema->text, SCHEMA))
		fault(r, schema->at,
		      _("'%s' is not known here; expected one of: %s"),
		      (const char *)schema->text.p, SCHEMA);
	s->name = name_read(r, NULL, tree_get(root, "name"));
	s->summary = text_read(r, NULL, tree_get(root, "summary"),
	                       MAX_SUMMARY_BYTES);
	routers_read(r, tree_get(root, "routers"));
	bool_read(r, &s->spec.has_ip6, tree_get(root, "ip6"));
	number_read(r, &s->spec.n_clients, tree_get(root, "clients"),
	            LAB_MAX_CLIENTS);
	number_read(r, &seed, tree_get(root, "seed"), MAX_SEED);
	s->seed = seed;
	for (c = list_first(r, tree_get(root, "addresses"), LAB_MAX_NETS); c;
	     c = c->next)
		net_read(r, c);
	names_read(r, tree_get(root, "names"));
	servers_read(r, tree_get(root, "servers"));
	programs_read(r, tree_get(root, "programs"));
	expect_read(r, tree_get(root, "expect"));
}

int lab_scenario_read(const struct lab_scenario **sp, struct arena *a,
                      struct slice text, struct diag *dg)
{
	struct reader r = {.arena = a, .dg = dg};
	const struct tree_node *root;
	size_t before = dg->n_errors;
	int err;

	if (text.n > LAB_SCENARIO_MAX_BYTES) {
		diag_add(dg, DIAG_ERROR, (struct slice){0},
		         _("this text has %zu bytes; at most %u are allowed"),
		         text.n, LAB_SCENARIO_MAX_BYTES);
		return EBADMSG;
	}
	err = tree_read(&root, a, text, dg);
	if (err)
		return err;
	r.s = arena_alloc(a, sizeof(*r.s));
	if (!r.s)
		return ENOMEM;
	root_read(&r, root);
	if (r.no_memory)
		return ENOMEM;
	if (dg->n_errors > before)
		return EBADMSG;
	*sp = r.s;
	return 0;
}
