/* SPDX-License-Identifier: ISC */
/* Rules about what the document says beside its tables. */
#include <string.h>

#include "base/i18n.h"
#include "profile/rule.h"
#include "profile/slip.h"

enum {
	MIN_WORD_BYTES = 5 /* shorter ones are one letter from anything */
};

static const char *span_text(const struct lint *l,
                             const struct profile_timer *t)
{
	if (!t->max_s)
		return report_fmt(l->r, ">= %u s", t->min_s);
	if (!t->min_s)
		return report_fmt(l->r, "<= %u s", t->max_s);
	return report_fmt(l->r, "%u-%u s", t->min_s, t->max_s);
}

static const char *words_of(const char *text, const char *otherwise)
{
	return text ? text : otherwise;
}

static void add_timer(const struct lint *l, const struct profile_timer *a,
                      const struct profile_timer *b)
{
	const struct lint_fault fault = {
		.id = "profile.timer-differs",
		.severity = FINDING_WARN,
		.place = b->place,
		.text = words_of(b->text, b->stated),
		.title = {N_("The timer '%1$s' is %2$s in one place (%3$s) and "
	                     "%4$s in another (%5$s)."),
	                  {profile_timer_name(a->kind), span_text(l, a),
	                   a->stated, span_text(l, b), b->stated}},
		.detail = {.msgid = N_(
				   "Far longer than needed, a timer fills the "
				   "session table; shorter, and calls stop "
				   "arriving.")},
		.suggestion = {N_("State one value in both places: %1$s."),
	                       {span_text(l, a)}},
	};
	struct finding *fd = profile_rule_add(l, &fault);

	profile_rule_place(l, fd, a->place, words_of(a->text, a->stated));
	profile_rule_place(l, fd, b->place, words_of(b->text, b->stated));
}

/* Against the first of its kind: the general rule comes before the special. */
void profile_rule_timer_differs(const struct lint *l)
{
	const struct profile_requirements *q = &l->p->requirements;

	for (size_t i = 0; i < q->n_timers; i++) {
		const struct profile_timer *b = &q->timers[i];
		size_t k = 0;

		while (q->timers[k].kind != b->kind)
			k++;
		if (q->timers[k].min_s != b->min_s ||
		    q->timers[k].max_s != b->max_s)
			add_timer(l, &q->timers[k], b);
	}
}

static const struct profile_timer *
find_timer(const struct profile_requirements *q, enum profile_timer_kind kind)
{
	for (size_t i = 0; i < q->n_timers; i++) {
		if (q->timers[i].kind == kind)
			return &q->timers[i];
	}
	return NULL;
}

static unsigned shortest_s(const struct profile_timer *t)
{
	return t->min_s ? t->min_s : t->max_s;
}

static unsigned longest_s(const struct profile_timer *t)
{
	return t->max_s ? t->max_s : t->min_s;
}

void profile_rule_slow_register(const struct lint *l)
{
	const struct profile_requirements *q = &l->p->requirements;
	const struct profile_timer *mapping, *reg, *keep;
	struct lint_fault fault = {
		.id = "profile.keepalive-missing",
		.severity = FINDING_WARN,
	};
	struct finding *fd;

	mapping = find_timer(q, PROFILE_TIMER_MAPPING);
	reg = find_timer(q, PROFILE_TIMER_REGISTRATION);
	keep = find_timer(q, PROFILE_TIMER_KEEPALIVE);
	if (!mapping || !reg || longest_s(reg) <= shortest_s(mapping))
		return;
	if (keep && longest_s(keep) <= shortest_s(mapping))
		return;
	fault.place = reg->place;
	fault.text = words_of(reg->text, reg->stated);
	fault.title = (struct words){
		N_("Routers forget a phone after %1$s, but it registers only "
	           "every %2$s, and no keep-alive in between is asked for."),
		{span_text(l, mapping), span_text(l, reg)}};
	fault.detail = (struct words){
		.msgid = N_("Between the two the phone cannot be called.")};
	fault.suggestion = (struct words){
		N_("State a keep-alive shorter than %1$s seconds."),
		{report_fmt(l->r, "%u", shortest_s(mapping))}};
	fd = profile_rule_add(l, &fault);
	profile_rule_place(l, fd, mapping->place,
	                   words_of(mapping->text, mapping->stated));
	profile_rule_place(l, fd, reg->place, fault.text);
}

static bool is_same_setting(const struct profile_setting *a,
                            const struct profile_setting *b)
{
	return strcmp(a->vendor, b->vendor) == 0 &&
	       strcmp(a->setting, b->setting) == 0;
}

static void add_contradiction(const struct lint *l,
                              const struct profile_setting *a,
                              const struct profile_setting *b)
{
	const struct lint_fault fault = {
		.id = "profile.setting-contradicts",
		.severity = FINDING_FAIL,
		.place = b->place,
		.text = words_of(b->text, b->value),
		.title = {N_("For %1$s the setting '%2$s' is '%3$s' in one "
	                     "place (%4$s) and '%5$s' in another (%6$s)."),
	                  {a->vendor, a->setting, a->value, a->stated, b->value,
	                   b->stated}},
		.suggestion =
			{.msgid = N_("Keep the one that the other requirements "
	                             "need: a SIP ALG stays off.")},
	};
	struct finding *fd = profile_rule_add(l, &fault);

	profile_rule_place(l, fd, a->place, words_of(a->text, a->value));
	profile_rule_place(l, fd, b->place, words_of(b->text, b->value));
}

void profile_rule_setting_contradicts(const struct lint *l)
{
	const struct profile_setting *s = l->p->settings;

	for (size_t i = 0; i < l->p->n_settings; i++) {
		size_t k = 0;

		while (!is_same_setting(&s[k], &s[i]))
			k++;
		if (strcmp(s[k].value, s[i].value) != 0)
			add_contradiction(l, &s[k], &s[i]);
	}
}

void profile_rule_setting_alg_on(const struct lint *l)
{
	if (l->p->requirements.sip_alg_allowed)
		return;
	for (size_t i = 0; i < l->p->n_settings; i++) {
		const struct profile_setting *s = &l->p->settings[i];
		struct lint_fault fault = {
			.id = "profile.setting-alg-on",
			.severity = FINDING_FAIL,
			.place = s->place,
			.text = words_of(s->text, s->value),
			.title = {N_("For %1$s the document asks for '%2$s', "
		                     "which turns the SIP ALG on; elsewhere it "
		                     "wants every SIP ALG off."),
		                  {s->vendor, words_of(s->text, s->setting)}},
			.detail =
				{.msgid = N_(
					 "Who follows this advice makes the "
					 "fault that the document warns of.")},
			.suggestion = {N_("Ask for '%1$s' to be off."),
		                       {s->setting}},
		};

		if (s->effect == PROFILE_EFFECT_ALG_ON)
			(void)profile_rule_add(l, &fault);
	}
}

void profile_rule_setting_weakens(const struct lint *l)
{
	for (size_t i = 0; i < l->p->n_settings; i++) {
		const struct profile_setting *s = &l->p->settings[i];
		struct lint_fault fault = {
			.id = "profile.setting-weakens",
			.severity = FINDING_WARN,
			.place = s->place,
			.text = words_of(s->text, s->value),
			.title = {N_("For %1$s the document asks for '%2$s' to "
		                     "be '%3$s', which protects the network "
		                     "less."),
		                  {s->vendor, s->setting, s->value}},
			.suggestion =
				{.msgid = N_(
					 "Leave it as it is: turning the SIP "
					 "ALG off and opening the listed "
					 "ports is enough.")},
		};

		if (s->effect == PROFILE_EFFECT_WEAKENS)
			(void)profile_rule_add(l, &fault);
	}
}

static bool is_listed(const struct profile_setting *s, const char *host)
{
	for (size_t i = 0; i < s->n_hosts; i++) {
		if (slice_ieq(slice_str(s->hosts[i]), slice_str(host)))
			return true;
	}
	return false;
}

/* The SIP hosts that a setting leaves out; NULL when it has none or all. */
static const char *left_out(const struct lint *l,
                            const struct profile_setting *s)
{
	struct wr w = wr_init_heap();
	const char *text = NULL;
	bool has_some = false;

	for (size_t i = 0; i < l->p->n_rows; i++) {
		const struct profile_row *row = &l->p->rows[i];

		if (row->cls != PROFILE_SIP)
			continue;
		if (is_listed(s, row->host))
			has_some = true;
		else
			wr_fmt(&w, "%s%s", w.n ? ", " : "", row->host);
	}
	l->r->no_memory |= w.bad;
	if (has_some && w.n)
		text = report_text(l->r, wr_slice(&w));
	wr_fini(&w);
	return text;
}

/* One finding a vendor: its settings come from one recipe. */
static bool has_earlier(const struct lint *l, size_t at)
{
	const struct profile_setting *s = l->p->settings;

	for (size_t i = 0; i < at; i++) {
		if (s[i].n_hosts && strcmp(s[i].vendor, s[at].vendor) == 0)
			return true;
	}
	return false;
}

void profile_rule_setting_partial(const struct lint *l)
{
	for (size_t i = 0; i < l->p->n_settings; i++) {
		const struct profile_setting *s = &l->p->settings[i];
		const char *rest;
		struct lint_fault fault = {
			.id = "profile.setting-partial",
			.severity = FINDING_WARN,
			.place = s->place,
			.text = s->n_hosts ? s->hosts[0] : NULL,
		};

		if (!s->n_hosts || has_earlier(l, i))
			continue;
		rest = left_out(l, s);
		if (!rest)
			continue;
		fault.title = (struct words){
			N_("The recipe for %1$s covers only a part of the SIP "
		           "servers; it leaves out %2$s."),
			{s->vendor, rest}};
		fault.detail = (struct words){
			.msgid = N_(
				"Phones that register there keep the firewall's "
				"usual timers.")};
		fault.suggestion =
			(struct words){.msgid = N_("Apply it to all of them.")};
		(void)profile_rule_add(l, &fault);
	}
}

/* Words that firewalls' command lines are made of. */
static const char *const command_words[] = {
	"access-list",
	"application",
	"conntrack",
	"consistent",
	"default",
	"delete",
	"diagnose",
	"disable",
	"disabled",
	"enable",
	"enabled",
	"expectation",
	"expectations",
	"firewall",
	"helper",
	"helpers",
	"inspect",
	"inspection",
	"kernel-helper-based",
	"module",
	"modules",
	"policy-map",
	"profile",
	"profiles",
	"proxy-based",
	"security",
	"service",
	"services",
	"service-port",
	"session",
	"sessions",
	"session-helper",
	"session-ttl",
	"setting",
	"settings",
	"sip-expectation",
	"sip-helper",
	"sip-nat-trace",
	"status",
	"strict-register",
	"system",
	"timeout",
	"timeouts",
	"transformations",
};

/* The word that @p token is a slip of, or NULL. */
static const char *command_word_meant(struct slice token)
{
	const char *meant = NULL;

	for (size_t i = 0; i < ARRAY_LEN(command_words); i++) {
		struct slice word = slice_str(command_words[i]);

		if (slice_ieq(token, word))
			return NULL;
		if (profile_slip_distance(token, word) == 1)
			meant = command_words[i];
	}
	return meant;
}

static void check_command(const struct lint *l, const struct profile_setting *s)
{
	const char *p = s->command;
	size_t n;

	for (; *p; p += n) {
		struct slice token;
		const char *meant;
		struct lint_fault fault = {
			.id = "profile.setting-misspelt",
			.severity = FINDING_WARN,
			.place = s->command_place,
		};

		p += strspn(p, " ,\"");
		n = strcspn(p, " ,\"");
		token = (struct slice){(const uint8_t *)p, n};
		meant = n >= MIN_WORD_BYTES ? command_word_meant(token) : NULL;
		if (!meant)
			continue;
		fault.text = report_text(l->r, token);
		fault.title = (struct words){
			N_("'%1$s' in a command for %2$s looks like a slip of "
		           "the keyboard for '%3$s'."),
			{fault.text, s->vendor, meant}};
		fault.suggestion = (struct words){N_("Write '%1$s'."), {meant}};
		(void)profile_rule_add(l, &fault);
	}
}

void profile_rule_setting_misspelt(const struct lint *l)
{
	for (size_t i = 0; i < l->p->n_settings; i++) {
		if (l->p->settings[i].command)
			check_command(l, &l->p->settings[i]);
	}
}
