/* SPDX-License-Identifier: ISC */
/*
 * The firewall's performance goals, measured: rules read, audited and written
 * in each dialect; union-shadow analysis. Prints one line each.
 *
 * usage: firewall [N_RULES]...
 *        firewall rules N_RULES  print the iptables rules that are measured
 *        firewall json N_RULES   measure these; JSON
 *        firewall shapes N_RULES...  the analysis of rules made to be hard
 *        firewall big N_MB       read and judge text of that size
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "firewall/audit.h"
#include "shapes.h"

#define DIE() die(__LINE__)

_Noreturn static void die(int line)
{
	(void)fprintf(stderr, "bench/firewall.c:%d: failed\n", line);
	exit(1);
}

static uint64_t seed = 1;

static unsigned rnd(unsigned n)
{
	seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (unsigned)(seed >> 33) % n;
}

/* Accept rules of five kinds as in policies of providers, some over whole
 * prefixes, some over many ports, a few of them dead; a policy of drop. */
static void make_nft(struct wr *w, size_t n)
{
	static const char *const ports[] = {
		"udp dport { 5060, 5061, 5080 }", "udp dport 10000-65535",
		"tcp dport { 80, 443 }", "tcp dport { 5222, 5280 }",
		"udp dport { 3478, 5349 }"};

	wr_str(w, "table inet fw {\n\tchain forward {\n\t\ttype filter hook "
	          "forward priority filter; policy drop;\n\t\tct state "
	          "established,related accept\n");
	for (size_t i = 0; i < n; i++) {
		const unsigned host = rnd(1 << 17), kind = rnd(100);

		wr_fmt(w, "\t\tip daddr 198.%u.%u.%u%s %s %s\n",
		       18 + (host >> 16), host >> 8 & 255,
		       kind < 3 ? 0 : host & 255, kind < 3 ? "/24" : "",
		       ports[i % 5], kind > 90 ? "drop" : "accept");
	}
	wr_str(w, "\t}\n}\n");
}

/* The same rules as nft lists them with -j. */
static void make_nft_json(struct wr *w, size_t n)
{
	static const struct {
		const char *proto, *ports;
	} kinds[] = {{"udp", "{\"set\": [5060, 5061, 5080]}"},
	             {"udp", "{\"range\": [10000, 65535]}"},
	             {"tcp", "{\"set\": [80, 443]}"},
	             {"tcp", "{\"set\": [5222, 5280]}"},
	             {"udp", "{\"set\": [3478, 5349]}"}};
	const char *const match =
		"{\"match\": {\"op\": \"==\", \"left\": {\"payload\": "
		"{\"protocol\": \"%s\", \"field\": \"%s\"}}, \"right\": ";

	wr_str(w,
	       "{\"nftables\": [{\"metainfo\": {\"version\": \"1.0.6\", "
	       "\"json_schema_version\": 1}}, {\"table\": {\"family\": "
	       "\"inet\", \"name\": \"fw\", \"handle\": 1}}, {\"chain\": "
	       "{\"family\": \"inet\", \"table\": \"fw\", \"name\": "
	       "\"forward\", \"handle\": 1, \"type\": \"filter\", \"hook\": "
	       "\"forward\", \"prio\": 0, \"policy\": \"drop\"}}"
	       ", {\"rule\": {\"family\": \"inet\", \"table\": \"fw\", \"chain\": "
	       "\"forward\", \"handle\": 2, \"expr\": [{\"match\": {\"op\": \"in\", "
	       "\"left\": {\"ct\": {\"key\": \"state\"}}, \"right\": "
	       "[\"established\", \"related\"]}}, {\"accept\": null}]}}");
	for (size_t i = 0; i < n; i++) {
		const unsigned host = rnd(1 << 17), kind = rnd(100);

		wr_fmt(w,
		       ", {\"rule\": {\"family\": \"inet\", \"table\": \"fw\", "
		       "\"chain\": \"forward\", \"handle\": %zu, \"expr\": [",
		       i + 3);
		wr_fmt(w, match, "ip", "daddr");
		if (kind < 3)
			wr_fmt(w,
			       "{\"prefix\": {\"addr\": \"198.%u.%u.0\", "
			       "\"len\": 24}}}}, ",
			       18 + (host >> 16), host >> 8 & 255);
		else
			wr_fmt(w, "\"198.%u.%u.%u\"}}, ", 18 + (host >> 16),
			       host >> 8 & 255, host & 255);
		wr_fmt(w, match, kinds[i % 5].proto, "dport");
		wr_fmt(w, "%s}}, {\"%s\": null}]}}", kinds[i % 5].ports,
		       kind > 90 ? "drop" : "accept");
	}
	wr_str(w, "]}\n");
}

static void make_ipt(struct wr *w, size_t n)
{
	static const char *const ports[] = {
		"-p udp -m multiport --dports 5060,5061,5080",
		"-p udp -m udp --dport 10000:65535",
		"-p tcp -m multiport --dports 80,443",
		"-p tcp -m multiport --dports 5222,5280",
		"-p udp -m multiport --dports 3478,5349"};

	wr_str(w, "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT "
	          "ACCEPT [0:0]\n-A FORWARD -m conntrack --ctstate "
	          "RELATED,ESTABLISHED -j ACCEPT\n");
	for (size_t i = 0; i < n; i++) {
		const unsigned host = rnd(1 << 17), kind = rnd(100);

		wr_fmt(w, "-A FORWARD -d 198.%u.%u.%u/%d %s -j %s\n",
		       18 + (host >> 16), host >> 8 & 255,
		       kind < 3 ? 0 : host & 255, kind < 3 ? 24 : 32,
		       ports[i % 5], kind > 90 ? "DROP" : "ACCEPT");
	}
	wr_str(w, "COMMIT\n");
}

/* A backup of a SonicWall, one row of each table a rule. */
static void make_sonicos_exp(struct wr *w, size_t n)
{
	struct wr plain = wr_init_heap();

	wr_str(&plain, "checksumVersion=1");
	for (unsigned i = 0; i < 5; i++)
		wr_fmt(&plain,
		       "&svcObjId_%u=s%u&svcObjType_%u=1&svcObjIpType_%u=17&"
		       "svcObjPort1_%u=%u&svcObjPort2_%u=%u",
		       i, i, i, i, i, 5060 + i, i, 5080 + i);
	for (size_t i = 0; i < n; i++) {
		const unsigned host = rnd(1 << 17);

		wr_fmt(&plain,
		       "&addrObjId_%zu=a%zu&addrObjType_%zu=1&addrObjZone_%zu="
		       "WAN&addrObjIp1_%zu=198.%u.%u.%u&addrObjIp2_%zu=0.0.0.0"
		       "&policyAction_%zu=%d&policySrcZone_%zu=LAN&"
		       "policyDstZone_%zu=WAN&policySrcNet_%zu=&policyDstNet_"
		       "%zu=a%zu&policyDstSvc_%zu=s%zu&policyEnabled_%zu=1&"
		       "policyPriority_%zu=%zu&policyInactivityUdp_%zu=300",
		       i, i, i, i, i, 18 + (host >> 16), host >> 8 & 255,
		       host & 255, i, i, rnd(100) > 90 ? 1 : 2, i, i, i, i, i,
		       i, i % 5, i, i, i + 1, i);
	}
	text_base64_put(w, wr_slice(&plain), 0);
	wr_str(w, "&&");
	wr_fini(&plain);
}

/* Texts that are made here; those of other dialects the rooms write. */
static const struct kind {
	const char *name, *dialect;
	void (*make)(struct wr *w, size_t n);
} kinds[] = {{"nftables", "nftables", make_nft},
             {"nftables-json", "nftables", make_nft_json},
             {"iptables", "iptables", make_ipt},
             {"sonicos-exp", "sonicos-exp", make_sonicos_exp}};

static double ms_since(int64_t from_ns)
{
	return (double)(clock_mono_ns() - from_ns) / (double)NS_PER_MS;
}

enum {
	N_FLOWS = 116,
	SMALL = 1000, /* rules, to see how long they are */
};

static void make_flows(struct arena *a, struct fw_flow *flows)
{
	for (unsigned i = 0; i < N_FLOWS; i++) {
		const struct fw_ip ip = {0,
		                         UINT64_C(0xffffc6120000) + rnd(999)};
		const uint16_t port = (uint16_t)(5060 + i % 3);

		flows[i] = (struct fw_flow){
			.id = "flow", .is_sip = true, .min_udp_idle_s = 300};
		if (!fw_addrs_add_range(a, &flows[i].dst, ip, ip) ||
		    !fw_services_add(a, &flows[i].services, FW_PROTO_UDP, port,
		                     port))
			DIE();
	}
}

struct figures {
	double parse_ms, answer_ms, emit_ms, reach_ms;
	size_t n_dead, n_bytes;
	long peak_kib;
};

/* @param emit_ms  As measured before; negative: from what is read here */
static struct figures measure(const char *name, struct slice text,
                              double emit_ms)
{
	const struct fw_dialect *d = fw_dialect_find(name);
	const struct fw_place place = {.path = FW_PATH_FORWARD};
	struct fw_flow flows[N_FLOWS];
	struct fw_question q = {.flows = flows, .n_flows = N_FLOWS};
	struct fw_answer *answers;
	struct fw_reach_info *infos;
	struct fw_space *sp = NULL;
	struct fw_rules rules;
	struct wr out = wr_init_heap();
	struct rusage use;
	struct arena a;
	struct diag dg;
	double parse_ms, answer_ms, reach_ms;
	size_t n_infos, n_dead = 0;
	int64_t from_ns;

	arena_init(&a);
	make_flows(&a, flows);
	q.place = place;
	diag_init(&dg, &a, NULL, text);
	fw_rules_init(&rules);
	from_ns = clock_mono_ns();
	if (d->parse(&rules, text, &dg))
		DIE();
	parse_ms = ms_since(from_ns);
	from_ns = clock_mono_ns();
	if (fw_answer_all(&answers, &a, &rules, &q))
		DIE();
	answer_ms = ms_since(from_ns);
	if (emit_ms < 0) {
		/* From the model, not a copy of the text. A backup is only
		 * read; its rules are written as commands. */
		rules.text.n = 0;
		from_ns = clock_mono_ns();
		if (fw_emit(&out, d->emit ? d : fw_dialect_find("sonicos"),
		            &rules, &dg))
			DIE();
		emit_ms = ms_since(from_ns);
	}
	(void)getrusage(RUSAGE_SELF, &use);
	from_ns = clock_mono_ns();
	if (fw_space_alloc(&sp, &rules, NULL, 0, &place, NULL, 0) ||
	    fw_space_reach(&infos, &n_infos, &a, sp))
		DIE();
	reach_ms = ms_since(from_ns);
	for (size_t i = 0; i < n_infos; i++)
		n_dead += infos[i].reach == FW_SHADOWED;
	fw_space_free(sp);
	wr_fini(&out);
	fw_rules_fini(&rules);
	arena_fini(&a);
	return (struct figures){parse_ms, answer_ms, emit_ms,      reach_ms,
	                        n_dead,   text.n,    use.ru_maxrss};
}

static void print(const char *name, size_t n, struct figures f)
{
	(void)printf("%s %zu rules: parse %.1f ms, judge %d flows %.1f ms, "
	             "emit %.1f ms, text of %zu bytes, %ld KiB; shadow %.1f "
	             "ms, %zu dead\n",
	             name, n, f.parse_ms, N_FLOWS, f.answer_ms, f.emit_ms,
	             f.n_bytes, f.peak_kib, f.reach_ms, f.n_dead);
}

/* A policy of @p n rules as we would write it for that box. @return false: it
 * holds fewer */
static bool make_box(struct wr *w, double *ms, const struct fw_dialect *d,
                     size_t n)
{
	static const uint16_t ports[][2] = {{5060, 5080},
	                                    {10000, 65535},
	                                    {443, 443},
	                                    {5222, 5222},
	                                    {3478, 3478}};
	/* EdgeOS binds rules to interfaces, and asks for their names. */
	const bool is_edgeos = strcmp(d->name, "edgeos") == 0;
	const struct fw_place place = {.path = FW_PATH_FORWARD,
	                               .in = is_edgeos ? "eth1" : "lan",
	                               .out = is_edgeos ? "eth0" : "wan"};
	struct fw_flow *flows;
	struct fw_rules rules;
	struct arena a;
	struct diag dg;
	int64_t from_ns;
	int err;

	arena_init(&a);
	diag_init(&dg, &a, NULL, slice_str(""));
	fw_rules_init(&rules);
	flows = arena_alloc(&a, n * sizeof(*flows));
	if (!flows)
		DIE();
	for (size_t i = 0; i < n; i++) {
		const struct fw_ip ip = {0, UINT64_C(0xffffc6120000) +
		                                    rnd(1 << 17)};
		const uint16_t *port = ports[i % ARRAY_LEN(ports)];
		struct fw_flow *f = &flows[i];

		*f = (struct fw_flow){
			.id = arena_fmt(&a, "row-%zu", i),
			.is_sip = i % ARRAY_LEN(ports) == 0,
			.min_udp_idle_s =
				d->caps & FW_CAP_UDP_IDLE ? 300 : FW_IDLE_UNSET,
			.min_tcp_idle_s = FW_IDLE_UNSET,
		};
		if (!f->id || !fw_addrs_add_range(&a, &f->dst, ip, ip) ||
		    !fw_services_add(&a, &f->services, FW_PROTO_UDP, port[0],
		                     port[1]))
			DIE();
	}
	if (fw_rules_from_flows(&rules, flows, n, &place))
		DIE();
	from_ns = clock_mono_ns();
	err = fw_emit(w, d, &rules, &dg);
	*ms = ms_since(from_ns);
	if (err && err != ENOTSUP)
		DIE();
	fw_rules_fini(&rules);
	arena_fini(&a);
	return err == 0;
}

/* For bench/beside_capirca.py. */
static int single(bool is_json, size_t n)
{
	struct wr w = wr_init_heap();
	struct figures f;

	make_ipt(&w, n);
	if (is_json) {
		f = measure("iptables", wr_slice(&w), -1);
		(void)printf("{\"emit_ms\": %.3f, \"shadow_ms\": %.3f}\n",
		             f.emit_ms, f.reach_ms);
	} else {
		(void)fwrite(w.p, 1, w.n, stdout);
	}
	wr_fini(&w);
	return 0;
}

/* What is open beyond no flow at all is the harder question of that kind. */
static void print_shape(const struct shape *s, unsigned n)
{
	const struct fw_place place = {.path = FW_PATH_FORWARD};
	struct wr w = wr_init_heap();
	size_t n_infos, n_dead = 0, n_open = 0, n_wide = 0;
	struct fw_reach_info *infos;
	struct fw_space *sp = NULL;
	struct fw_part *parts;
	struct fw_rules rules;
	struct rusage use;
	struct arena a;
	struct diag dg;
	double reach_ms;
	int64_t from_ns;

	shape_make(&w, s, n);
	arena_init(&a);
	diag_init(&dg, &a, NULL, wr_slice(&w));
	fw_rules_init(&rules);
	if (fw_dialect_find("nftables")->parse(&rules, wr_slice(&w), &dg))
		DIE();
	from_ns = clock_mono_ns();
	if (fw_space_alloc(&sp, &rules, NULL, 0, &place, NULL, 0) ||
	    fw_space_reach(&infos, &n_infos, &a, sp))
		DIE();
	reach_ms = ms_since(from_ns);
	from_ns = clock_mono_ns();
	if (fw_space_excess(&parts, &a, sp))
		DIE();
	for (size_t i = 0; i < n_infos; i++) {
		n_dead += infos[i].reach == FW_SHADOWED;
		n_open += infos[i].reach == FW_REACH_UNKNOWN;
	}
	for (; parts; parts = parts->next) {
		n_wide += parts->verdict == FW_PASS;
		n_open += parts->verdict == FW_DONT_KNOW;
	}
	(void)getrusage(RUSAGE_SELF, &use);
	(void)printf("%s of %u rules: dead %.0f ms, too wide %.0f ms; %zu "
	             "dead, %zu wide, %zu not found out, peak %ld KiB\n",
	             s->name, n, reach_ms, ms_since(from_ns), n_dead, n_wide,
	             n_open, use.ru_maxrss);
	(void)fflush(stdout);
	fw_space_free(sp);
	wr_fini(&w);
	fw_rules_fini(&rules);
	arena_fini(&a);
}

/* A size of text that nobody has; what counts is that there is an end. Each in
 * a process of its own, for the peak is one of processes. */
static void read_big(const char *name, const char *dialect, struct wr *w)
{
	const struct fw_dialect *d = fw_dialect_find(dialect);
	const struct fw_place place = {.path = FW_PATH_FORWARD};
	struct fw_flow flows[N_FLOWS];
	const struct fw_question q = {
		.flows = flows, .n_flows = N_FLOWS, .place = place};
	struct fw_answer *answers;
	struct fw_rules rules;
	struct rusage use;
	struct arena a;
	struct diag dg;
	double parse_ms;
	int64_t from_ns;

	arena_init(&a);
	make_flows(&a, flows);
	diag_init(&dg, &a, NULL, wr_slice(w));
	fw_rules_init(&rules);
	from_ns = clock_mono_ns();
	if (d->parse(&rules, wr_slice(w), &dg) == ENOMEM)
		DIE();
	parse_ms = ms_since(from_ns);
	from_ns = clock_mono_ns();
	if (fw_answer_all(&answers, &a, &rules, &q))
		DIE();
	(void)getrusage(RUSAGE_SELF, &use);
	(void)printf("%s of %zu MB, %zu rules: parse %.1f s, judge %d flows "
	             "%.1f s, peak %ld MiB\n",
	             name, w->n / 1000000, rules.n_rules, parse_ms / 1000,
	             N_FLOWS, ms_since(from_ns) / 1000, use.ru_maxrss / 1024);
	(void)fflush(stdout);
	fw_rules_fini(&rules);
	arena_fini(&a);
}

/* Of a box that holds no more, again and again what it holds. */
static void make_big_box(struct wr *w, const struct fw_dialect *d,
                         size_t n_bytes)
{
	struct wr part = wr_init_heap();
	size_t n = SMALL;
	double ms;

	if (!make_box(&part, &ms, d, n))
		DIE();
	n = n_bytes / (part.n / n);
	if (!make_box(w, &ms, d, n)) {
		wr_fini(w);
		*w = wr_init_heap();
		while (w->n < n_bytes && !w->bad)
			wr_put(w, wr_slice(&part));
	}
	wr_fini(&part);
}

static void measure_big(const struct kind *k, const struct fw_dialect *d,
                        size_t n_bytes)
{
	const pid_t pid = fork();
	struct wr w = wr_init_heap();
	int status;

	if (pid < 0)
		DIE();
	if (pid > 0) {
		if (waitpid(pid, &status, 0) < 0 || status != 0)
			DIE();
		return;
	}
	if (k) {
		k->make(&w, SMALL);
		n_bytes = n_bytes / (w.n / SMALL);
		wr_fini(&w);
		w = wr_init_heap();
		k->make(&w, n_bytes);
		read_big(k->name, k->dialect, &w);
	} else {
		make_big_box(&w, d, n_bytes);
		read_big(d->name, d->name, &w);
	}
	wr_fini(&w);
	exit(0);
}

static bool is_emitted(const struct fw_dialect *d)
{
	return d->parse && d->emit && !(d->caps & FW_CAP_CHAINS);
}

static int measure_all_big(size_t n_bytes)
{
	for (size_t k = 0; k < ARRAY_LEN(kinds); k++)
		measure_big(&kinds[k], NULL, n_bytes);
	for (size_t k = 0; fw_dialects[k]; k++) {
		if (is_emitted(fw_dialects[k]))
			measure_big(NULL, fw_dialects[k], n_bytes);
	}
	return 0;
}

static int measure_shapes(int argc, char **argv)
{
	for (int i = 2; i < argc; i++) {
		const unsigned n = (unsigned)strtoul(argv[i], NULL, 10);

		for (const struct shape *s = shapes; s->name; s++)
			print_shape(s, n);
	}
	return 0;
}

int main(int argc, char **argv)
{
	bool is_json = argc == 3 && strcmp(argv[1], "json") == 0;

	if (argc == 3 && strcmp(argv[1], "big") == 0)
		return measure_all_big(strtoul(argv[2], NULL, 10) * 1000000);
	if (argc > 2 && strcmp(argv[1], "shapes") == 0)
		return measure_shapes(argc, argv);
	if (is_json || (argc == 3 && strcmp(argv[1], "rules") == 0))
		return single(is_json, strtoul(argv[2], NULL, 10));
	for (int i = 1; i < argc || i == 1; i++) {
		const size_t n = argc > i ? strtoul(argv[i], NULL, 10) : 5000;

		for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
			struct wr w = wr_init_heap();

			kinds[k].make(&w, n);
			print(kinds[k].name, n,
			      measure(kinds[k].dialect, wr_slice(&w), -1));
			wr_fini(&w);
		}
		for (size_t k = 0; fw_dialects[k]; k++) {
			const struct fw_dialect *d = fw_dialects[k];
			struct wr w = wr_init_heap();
			double ms;

			if (!is_emitted(d))
				continue;
			if (make_box(&w, &ms, d, n))
				print(d->name, n,
				      measure(d->name, wr_slice(&w), ms));
			else
				(void)printf("%s holds fewer than %zu rules\n",
				             d->name, n);
			wr_fini(&w);
		}
	}
	return 0;
}
