/* SPDX-License-Identifier: ISC */
/*
 * Design: adding never fails in the caller's face. A probe that has just
 * measured something has no better plan for ENOMEM than to go on, so the
 * report remembers that it is incomplete and the CLI refuses to show it.
 */
#include "fact/fact.h"

#include <stdarg.h>
#include <string.h>

void report_init(struct report *r)
{
	memset(r, 0, sizeof(*r));
	arena_init(&r->arena);
	r->profile = val_map();
	r->run = val_map();
}

void report_fini(struct report *r)
{
	arena_fini(&r->arena);
	report_init(r);
}

const char *report_text(struct report *r, struct slice s)
{
	const char *p = arena_dup(&r->arena, s);

	if (!p)
		r->no_memory = true;
	return p ? p : "";
}

struct slice report_bytes(struct report *r, struct slice s)
{
	const char *p = arena_dup(&r->arena, s);

	if (!p) {
		r->no_memory = true;
		return (struct slice){0};
	}
	return (struct slice){(const uint8_t *)p, s.n};
}

const char *report_fmt(struct report *r, const char *fmt, ...)
{
	struct wr w = wr_init_heap();
	const char *p;
	va_list ap;

	va_start(ap, fmt);
	wr_vfmt(&w, fmt, ap);
	va_end(ap);
	r->no_memory |= w.bad;
	p = report_text(r, wr_slice(&w));
	wr_fini(&w);
	return p;
}

struct fact *report_fact(struct report *r, const char *id,
                         enum fact_state state, const char *scope)
{
	static struct fact scratch;
	struct fact *f = arena_alloc(&r->arena, sizeof(*f));

	if (!f) {
		r->no_memory = true;
		scratch = (struct fact){0};
		f = &scratch;
	} else {
		if (r->facts_last)
			r->facts_last->next = f;
		else
			r->facts = f;
		r->facts_last = f;
		f->index = r->n_facts++;
	}
	f->id = id;
	f->state = state;
	f->scope = scope ? report_text(r, slice_str(scope)) : NULL;
	f->fields = val_map();
	f->evidence = val_map();
	return f;
}

struct val *fact_field(struct report *r, struct fact *f, const char *key,
                       struct val v)
{
	return val_put(&r->arena, &r->no_memory, &f->fields, key, v);
}

struct val *fact_evidence(struct report *r, struct fact *f, const char *key,
                          struct val v)
{
	return val_put(&r->arena, &r->no_memory, &f->evidence, key, v);
}

struct finding *report_finding(struct report *r, const char *id,
                               enum finding_severity severity)
{
	static struct finding scratch;
	struct finding *fd = arena_alloc(&r->arena, sizeof(*fd));

	if (!fd) {
		r->no_memory = true;
		scratch = (struct finding){0};
		fd = &scratch;
	} else {
		if (r->findings_last)
			r->findings_last->next = fd;
		else
			r->findings = fd;
		r->findings_last = fd;
		r->n_findings++;
	}
	fd->id = id;
	fd->severity = severity;
	fd->facts = val_list();
	fd->evidence = val_map();
	return fd;
}

void finding_because(struct report *r, struct finding *fd, const struct fact *f)
{
	(void)val_put(&r->arena, &r->no_memory, &fd->facts, NULL,
	              val_int((int64_t)f->index));
}

struct remedy_step *finding_remedy(struct report *r, struct finding *fd,
                                   const char *id, struct words text)
{
	static struct remedy_step scratch;
	struct remedy_step *s = arena_alloc(&r->arena, sizeof(*s));

	if (!s) {
		r->no_memory = true;
		scratch = (struct remedy_step){0};
		s = &scratch;
	} else {
		if (fd->remedy_last)
			fd->remedy_last->next = s;
		else
			fd->remedy = s;
		fd->remedy_last = s;
	}
	s->id = id;
	s->text = text;
	return s;
}

enum verdict report_verdict(const struct report *r)
{
	enum finding_severity worst = FINDING_NOTE;

	for (const struct finding *fd = r->findings; fd; fd = fd->next) {
		if (fd->severity > worst)
			worst = fd->severity;
	}
	if (worst == FINDING_FAIL)
		return VERDICT_NOT_READY;
	if (!r->is_tested || r->is_incomplete)
		return VERDICT_COULD_NOT_TEST;
	return worst == FINDING_WARN ? VERDICT_READY_WITH_REMARKS
	                             : VERDICT_READY;
}

const char *fact_state_name(enum fact_state s)
{
	static const char *const names[] = {
		[FACT_PASS] = "pass",       [FACT_WARN] = "warn",
		[FACT_FAIL] = "fail",       [FACT_UNKNOWN] = "unknown",
		[FACT_SKIPPED] = "skipped",
	};

	return names[s];
}

const char *finding_severity_name(enum finding_severity s)
{
	static const char *const names[] = {
		[FINDING_NOTE] = "note",
		[FINDING_WARN] = "warn",
		[FINDING_FAIL] = "fail",
	};

	return names[s];
}

const char *segment_name(enum segment s)
{
	static const char *const names[] = {
		[SEGMENT_UNKNOWN] = "unknown", [SEGMENT_DEVICE] = "device",
		[SEGMENT_LAN] = "lan",         [SEGMENT_ROUTER] = "router",
		[SEGMENT_CARRIER] = "carrier", [SEGMENT_PROVIDER] = "provider",
	};

	return names[s];
}

const char *act_name(enum act a)
{
	static const char *const names[] = {
		[ACT_CUSTOMER] = "customer",
		[ACT_CARRIER] = "carrier",
		[ACT_PROVIDER] = "provider",
	};

	return names[a];
}

const char *verdict_name(enum verdict v)
{
	static const char *const names[] = {
		[VERDICT_READY] = "ready",
		[VERDICT_READY_WITH_REMARKS] = "ready-with-remarks",
		[VERDICT_NOT_READY] = "not-ready",
		[VERDICT_COULD_NOT_TEST] = "could-not-test",
	};

	return names[v];
}
