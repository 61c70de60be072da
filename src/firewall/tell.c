/* SPDX-License-Identifier: ISC */
/*
 * Design: what all findings and facts of an audit have in common. Findings
 * are few, one per kind of cause, so that two hundred flows behind one missing
 * rule are one sentence.
 */
#include "firewall/tell.h"

#include <string.h>

#include "base/i18n.h"

enum {
	QUOTES_MAX = 8,
};

static const struct {
	const char *id;
	enum finding_severity severity;
	const char *title, *detail;
	const char *step, *remedy;
} causes[] = {
	{"firewall.blocks", FINDING_FAIL,
         N_("The firewall's own rules block traffic that calls need."),
         N_("Each blocked flow names the rule that decides, with its line, "
            "and a packet that is dropped."),
         "open-flows",
         N_("Accept the blocked flows before the rule that drops them.")},
	{"firewall.unclear", FINDING_WARN,
         N_("The configuration does not say enough to be sure about some "
            "flows."),
         N_("A name, a schedule or a condition decides that this text does "
            "not show. Each such flow says which."),
         "resolve-names",
         N_("Give the whole configuration with the objects that its rules "
            "name, and the addresses of names with --resolve; or measure "
            "with prumo check.")},
	{"firewall.sip-alg", FINDING_FAIL,
         N_("The firewall rewrites SIP: its helper or ALG is on."),
         N_("It changes addresses inside SIP messages. Calls lose audio or "
            "drop; the provider asks for it to be off."),
         "alg-off-everywhere",
         N_("Turn the SIP ALG off in all of the places that turn it on, then "
            "clear the old sessions, which keep it.")},
	{"firewall.half-applied", FINDING_FAIL,
         N_("A recipe against the SIP ALG was applied only by half."),
         N_("One setting says off, another still turns it on: the ALG goes "
            "on working."),
         "alg-off-rest",
         N_("Do the rest of the recipe: each setting that still says on is "
            "among the evidence.")},
	{"firewall.udp-idle", FINDING_FAIL,
         N_("The firewall forgets idle UDP sessions too soon."),
         N_("Phones that rest between registrations stop ringing when "
            "their session is forgotten."),
         "session-time",
         N_("Raise the session time of UDP to what the provider asks for.")},
	{"firewall.offload", FINDING_WARN,
         N_("Calls are offloaded past the firewall's own processing."), NULL,
         "offload-off",
         N_("Where calls fail all the same, turn offload off in the rules "
            "that carry them.")},
	{"firewall.consistent-nat", FINDING_WARN,
         N_("The firewall gives a phone a new outside port for each "
            "conversation."),
         N_("Answers and calls may come to a port that is forgotten. The "
            "provider asks for consistent NAT."),
         "consistent-nat-on", N_("Turn consistent NAT on.")},
	{"firewall.dead-rules", FINDING_NOTE,
         N_("Some rules can never match: earlier rules take all of their "
            "packets."),
         NULL, "remove-dead-rules",
         N_("Take the dead rules out, or move them up if they were meant to "
            "decide.")},
	{"firewall.too-wide", FINDING_NOTE,
         N_("Some rules open more than calls need."), NULL, "narrow-rules",
         N_("If these rules are there for calls alone, limit them to the "
            "provider's addresses and ports.")},
};

/* The rules of this computer are not behind a router's password. */
static bool is_of_router(const struct fw_tell *au)
{
	return au->q->place.path == FW_PATH_FORWARD;
}

static struct finding *make_finding(const struct fw_tell *au, size_t i)
{
	struct finding *fd =
		report_finding(au->r, causes[i].id, causes[i].severity);
	struct remedy_step *step;

	fd->segment = is_of_router(au) ? SEGMENT_ROUTER : SEGMENT_DEVICE;
	fd->act = ACT_CUSTOMER;
	fd->title.msgid = causes[i].title;
	fd->detail.msgid = causes[i].detail;
	step = finding_remedy(au->r, fd, causes[i].step,
	                      (struct words){.msgid = causes[i].remedy});
	step->needs_router = is_of_router(au) &&
	                     strcmp(causes[i].id, "firewall.unclear") != 0;
	return fd;
}

struct finding *fw_tell_cause(struct fw_tell *au, struct fw_told *told,
                              const char *id)
{
	for (size_t i = 0; i < ARRAY_LEN(causes) && !told->finding; i++) {
		if (strcmp(causes[i].id, id) == 0)
			told->finding = make_finding(au, i);
	}
	return told->finding;
}

/* A default has no line; its name tells it from others. */
static bool is_quoted(const struct fw_told *told, int64_t line,
                      struct slice setting)
{
	for (const struct val_item *it = told->rules->items.first; it;
	     it = it->next) {
		if (val_get_int(&it->v, "line", 0) == line &&
		    (line ||
		     slice_eq(val_get_text(&it->v, "setting"), setting)))
			return true;
	}
	return false;
}

static void quote(struct fw_tell *au, struct fw_told *told, int64_t line,
                  struct slice setting, struct slice raw)
{
	struct arena *a = &au->r->arena;
	bool *bad = &au->r->no_memory;
	struct val *v;

	if (!line && !setting.n)
		return;
	if (!told->rules)
		told->rules = val_put(a, bad, &told->finding->evidence, "rules",
		                      val_list());
	if (is_quoted(told, line, setting) ||
	    told->rules->items.n == QUOTES_MAX)
		return;
	v = val_put(a, bad, told->rules, NULL, val_map());
	if (au->file)
		(void)val_put(
			a, bad, v, "file",
			val_text(report_text(au->r, slice_str(au->file))));
	if (line)
		(void)val_put(a, bad, v, "line", val_int(line));
	if (raw.n)
		(void)val_put(a, bad, v, "quote",
		              val_bytes(report_bytes(au->r, raw)));
	if (setting.n)
		(void)val_put(a, bad, v, "setting",
		              val_text(report_text(au->r, setting)));
}

void fw_tell_switches(struct fw_tell *au, struct fw_told *told)
{
	for (const struct fw_setting *s = au->rules->settings; s; s = s->next) {
		if (s->attrs.alg == FW_ON && s->line)
			quote(au, told, s->line, slice_str(s->id), s->raw);
	}
}

void fw_tell_because(struct fw_tell *au, struct fw_told *told, const char *id,
                     const struct fact *f)
{
	finding_because(au->r, fw_tell_cause(au, told, id), f);
	quote(au, told, val_get_int(&f->evidence, "line", 0),
	      val_get_text(&f->fields, "setting"),
	      val_get_text(&f->evidence, "quote"));
}

void fw_tell_place(struct fw_tell *au, struct fact *f, unsigned line,
                   struct slice raw)
{
	if (au->file)
		(void)fact_evidence(
			au->r, f, "file",
			val_text(report_text(au->r, slice_str(au->file))));
	if (line)
		(void)fact_evidence(au->r, f, "line", val_int(line));
	if (raw.n)
		(void)fact_evidence(au->r, f, "quote",
		                    val_bytes(report_bytes(au->r, raw)));
}

/* Of a chain, what says what becomes of the rest: its beginning, up to the
 * line with the policy. */
static struct slice policy_of(const struct fw_chain *c)
{
	const size_t policy = slice_find(c->raw, slice_str("policy"));
	const size_t from = policy == SIZE_MAX ? 0 : policy;
	const struct slice rest = slice_sub(c->raw, from, c->raw.n - from);
	const size_t end = slice_find(rest, slice_str("\n"));

	return slice_sub(c->raw, 0, end == SIZE_MAX ? c->raw.n : from + end);
}

void fw_tell_rule(struct fw_tell *au, struct fact *f,
                  const struct fw_rule *rule, const struct fw_chain *chain)
{
	if (rule) {
		(void)fact_field(
			au->r, f, "rule",
			val_text(report_text(au->r, slice_str(rule->id))));
		fw_tell_place(au, f, rule->line, rule->raw);
	} else if (chain) {
		(void)fact_field(
			au->r, f, "policy_of",
			val_text(report_text(au->r, slice_str(chain->name))));
		fw_tell_place(au, f, chain->line, policy_of(chain));
	}
}

static void put_ip(struct fw_tell *au, struct val *into, const char *key,
                   struct fw_ip ip, const char *name)
{
	const struct addr a = fw_ip_addr(ip);
	char text[ADDR_TEXT_BYTES];
	const char *s = name ? name : addr_ip_text(&a, text);

	(void)val_put(&au->r->arena, &au->r->no_memory, into, key,
	              val_text(report_text(au->r, slice_str(s))));
}

void fw_tell_int(struct fw_tell *au, struct val *into, const char *key,
                 int64_t v)
{
	(void)val_put(&au->r->arena, &au->r->no_memory, into, key, val_int(v));
}

void fw_tell_packet(struct fw_tell *au, struct fact *f,
                    const struct fw_packet *p)
{
	struct val *v = fact_evidence(au->r, f, "packet", val_map());
	const char *name = fw_proto_name(p->proto);

	if (p->in)
		(void)val_put(&au->r->arena, &au->r->no_memory, v, "in",
		              val_text(report_text(au->r, slice_str(p->in))));
	if (p->out)
		(void)val_put(&au->r->arena, &au->r->no_memory, v, "out",
		              val_text(report_text(au->r, slice_str(p->out))));
	put_ip(au, v, "src", p->src, p->src_name);
	put_ip(au, v, "dst", p->dst, p->dst_name);
	if (name)
		(void)val_put(&au->r->arena, &au->r->no_memory, v, "protocol",
		              val_text(name));
	fw_tell_int(au, v, "protocol_number", p->proto);
	fw_tell_int(au, v, "sport", p->sport);
	fw_tell_int(au, v, "dport", p->dport);
}

const char *fw_tell_line(struct fw_tell *au, unsigned line)
{
	if (au->rules->title)
		return report_fmt(au->r, "%u (%s)", line, au->rules->title);
	return report_fmt(au->r, "%u", line);
}

const struct fw_part *fw_tell_part(const struct fw_judgement *j)
{
	const struct fw_part *best = j->parts;

	for (const struct fw_part *p = j->parts; p; p = p->next) {
		if (p->verdict == FW_FAIL)
			return p;
		if (p->verdict == FW_DONT_KNOW && best->verdict == FW_PASS)
			best = p;
	}
	return best;
}
