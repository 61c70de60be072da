/* SPDX-License-Identifier: ISC */
/*
 * Design: libcyaml's tables are the one description of the format in C. It
 * fills the structs from them; we walk the tree by the same tables to find all
 * faults with their places, since libcyaml stops at the first. A fault that
 * only libcyaml sees is still reported, in its words.
 */
#include "profile/schema.h"

#include <cyaml/cyaml.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "base/text.h"
#include "profile/slip.h"

enum {
	MAX_ITEMS = 1024,          /* of lists other than rows */
	MAX_FILL_BYTES = 64 << 20, /* asked of the allocator in one load */
};

#define OPTIONAL CYAML_FLAG_OPTIONAL
#define REQUIRED CYAML_FLAG_DEFAULT
#define STRICT   CYAML_FLAG_STRICT

#define TEXT(key, flags, type, member)                      \
	CYAML_FIELD_STRING_PTR(key, flags, type, member, 1, \
	                       PROFILE_MAX_TEXT_BYTES)
#define NAME(key, flags, type, member)                      \
	CYAML_FIELD_STRING_PTR(key, flags, type, member, 1, \
	                       PROFILE_MAX_NAME_BYTES)
#define LIST(key, flags, type, member, count, entry, min, max)              \
	CYAML_FIELD_SEQUENCE_COUNT(key, (flags) | CYAML_FLAG_POINTER, type, \
	                           member, count, entry, min, max)

static const cyaml_strval_t class_names[] = {
	{"sip", PROFILE_SIP},
	{"rtp", PROFILE_RTP},
	{"stun", PROFILE_STUN},
	{"web", PROFILE_WEB},
	{"chat", PROFILE_CHAT},
	{"webrtc", PROFILE_WEBRTC},
	{"licence", PROFILE_LICENCE},
	{"api", PROFILE_API},
	{"provisioning", PROFILE_PROVISIONING},
	{"ntp", PROFILE_NTP},
	{"dns", PROFILE_DNS},
};

static const cyaml_strval_t transport_names[] = {
	{"udp", PROFILE_UDP},
	{"tcp", PROFILE_TCP},
	{"tls", PROFILE_TLS},
};

static const cyaml_strval_t direction_names[] = {
	{"both", PROFILE_BOTH},
	{"out", PROFILE_OUT},
	{"in", PROFILE_IN},
};

static const cyaml_strval_t timer_names[] = {
	{"udp-session", PROFILE_TIMER_UDP_SESSION},
	{"tcp-session", PROFILE_TIMER_TCP_SESSION},
	{"registration", PROFILE_TIMER_REGISTRATION},
	{"keepalive", PROFILE_TIMER_KEEPALIVE},
	{"mapping", PROFILE_TIMER_MAPPING},
};

static const cyaml_strval_t effect_names[] = {
	{"other", PROFILE_EFFECT_OTHER},   {"alg-off", PROFILE_EFFECT_ALG_OFF},
	{"alg-on", PROFILE_EFFECT_ALG_ON}, {"weakens", PROFILE_EFFECT_WEAKENS},
	{"timer", PROFILE_EFFECT_TIMER},   {"offload", PROFILE_EFFECT_OFFLOAD},
};

static const cyaml_schema_value_t name_entry = {CYAML_VALUE_STRING(
	CYAML_FLAG_POINTER, char *, 1, PROFILE_MAX_NAME_BYTES)};

static const cyaml_schema_value_t number_entry = {
	CYAML_VALUE_UINT(CYAML_FLAG_DEFAULT, unsigned)};

static const cyaml_schema_field_t source_fields[] = {
	TEXT("title", REQUIRED, struct profile_source, title),
	TEXT("publisher", OPTIONAL, struct profile_source, publisher),
	TEXT("url", OPTIONAL, struct profile_source, url),
	NAME("date", OPTIONAL, struct profile_source, date),
	NAME("language", OPTIONAL, struct profile_source, language),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t table_fields[] = {
	NAME("id", REQUIRED, struct profile_table, id),
	TEXT("title", OPTIONAL, struct profile_table, title),
	TEXT("page", OPTIONAL, struct profile_table, page),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t table_entry = {CYAML_VALUE_MAPPING(
	CYAML_FLAG_DEFAULT, struct profile_table, table_fields)};

static const cyaml_schema_field_t row_fields[] = {
	NAME("table", REQUIRED, struct profile_row, table),
	CYAML_FIELD_UINT("row", REQUIRED, struct profile_row, row),
	NAME("host", REQUIRED, struct profile_row, host),
	LIST("addresses", OPTIONAL, struct profile_row, address_texts,
             n_addresses, &name_entry, 1, PROFILE_MAX_ADDRESSES),
	LIST("issuers", OPTIONAL, struct profile_row, issuers, n_issuers,
             &name_entry, 1, PROFILE_MAX_ISSUERS),
	LIST("ports", REQUIRED, struct profile_row, port_texts, n_ports,
             &name_entry, 1, PROFILE_MAX_PORTS),
	CYAML_FIELD_FLAGS("transports", STRICT, struct profile_row, transports,
                          transport_names, ARRAY_LEN(transport_names)),
	CYAML_FIELD_ENUM("direction", STRICT, struct profile_row, direction,
                         direction_names, ARRAY_LEN(direction_names)),
	TEXT("direction_printed", OPTIONAL, struct profile_row,
             direction_printed),
	TEXT("description", REQUIRED, struct profile_row, description),
	CYAML_FIELD_ENUM("class", STRICT, struct profile_row, cls, class_names,
                         ARRAY_LEN(class_names)),
	NAME("service", REQUIRED, struct profile_row, service),
	TEXT("purpose", OPTIONAL, struct profile_row, purpose),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t row_entry = {CYAML_VALUE_MAPPING(
	CYAML_FLAG_DEFAULT, struct profile_row, row_fields)};

static const cyaml_schema_field_t timer_fields[] = {
	CYAML_FIELD_ENUM("kind", STRICT, struct profile_timer, kind,
                         timer_names, ARRAY_LEN(timer_names)),
	CYAML_FIELD_UINT("min_s", OPTIONAL, struct profile_timer, min_s),
	CYAML_FIELD_UINT("max_s", OPTIONAL, struct profile_timer, max_s),
	TEXT("text", OPTIONAL, struct profile_timer, text),
	TEXT("stated", REQUIRED, struct profile_timer, stated),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t timer_entry = {CYAML_VALUE_MAPPING(
	CYAML_FLAG_DEFAULT, struct profile_timer, timer_fields)};

static const cyaml_schema_field_t codec_fields[] = {
	NAME("name", REQUIRED, struct profile_codec, name),
	CYAML_FIELD_UINT("payload_ms", OPTIONAL, struct profile_codec,
                         payload_ms),
	CYAML_FIELD_UINT("call_kbps", OPTIONAL, struct profile_codec,
                         call_kbps),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t codec_entry = {CYAML_VALUE_MAPPING(
	CYAML_FLAG_DEFAULT, struct profile_codec, codec_fields)};

static const cyaml_schema_field_t threshold_fields[] = {
	CYAML_FIELD_UINT("rtt_ms", OPTIONAL, struct profile_thresholds, rtt_ms),
	CYAML_FIELD_UINT("one_way_ms", OPTIONAL, struct profile_thresholds,
                         one_way_ms),
	CYAML_FIELD_UINT("jitter_ms", OPTIONAL, struct profile_thresholds,
                         jitter_ms),
	CYAML_FIELD_UINT("loss_ppm", OPTIONAL, struct profile_thresholds,
                         loss_ppm),
	CYAML_FIELD_UINT("setup_ms", OPTIONAL, struct profile_thresholds,
                         setup_ms),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t antivirus_fields[] = {
	TEXT("path", OPTIONAL, struct profile_antivirus, path),
	CYAML_FIELD_BOOL("allows_hosts", OPTIONAL, struct profile_antivirus,
                         allows_hosts),
	TEXT("text", OPTIONAL, struct profile_antivirus, text),
	TEXT("stated", REQUIRED, struct profile_antivirus, stated),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t antivirus_entry = {CYAML_VALUE_MAPPING(
	CYAML_FLAG_DEFAULT, struct profile_antivirus, antivirus_fields)};

static const cyaml_schema_field_t requirement_fields[] = {
	CYAML_FIELD_BOOL("sip_alg_allowed", REQUIRED,
                         struct profile_requirements, sip_alg_allowed),
	TEXT("sip_alg_text", OPTIONAL, struct profile_requirements,
             sip_alg_text),
	TEXT("sip_alg_stated", OPTIONAL, struct profile_requirements,
             sip_alg_stated),
	LIST("timers", OPTIONAL, struct profile_requirements, timers, n_timers,
             &timer_entry, 0, MAX_ITEMS),
	LIST("web_ports", OPTIONAL, struct profile_requirements, web_ports,
             n_web_ports, &number_entry, 0, MAX_ITEMS),
	CYAML_FIELD_UINT("call_kbps", OPTIONAL, struct profile_requirements,
                         call_kbps),
	TEXT("bandwidth_text", OPTIONAL, struct profile_requirements,
             bandwidth_text),
	TEXT("bandwidth_stated", OPTIONAL, struct profile_requirements,
             bandwidth_stated),
	LIST("codecs", OPTIONAL, struct profile_requirements, codecs, n_codecs,
             &codec_entry, 0, MAX_ITEMS),
	CYAML_FIELD_UINT("dscp_media", OPTIONAL, struct profile_requirements,
                         dscp_media),
	CYAML_FIELD_UINT("dscp_signalling", OPTIONAL,
                         struct profile_requirements, dscp_signalling),
	CYAML_FIELD_MAPPING("thresholds", OPTIONAL, struct profile_requirements,
                            thresholds, threshold_fields),
	LIST("antivirus", OPTIONAL, struct profile_requirements, antivirus,
             n_antivirus, &antivirus_entry, 0, MAX_ITEMS),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t setting_fields[] = {
	NAME("vendor", REQUIRED, struct profile_setting, vendor),
	NAME("setting", REQUIRED, struct profile_setting, setting),
	NAME("value", REQUIRED, struct profile_setting, value),
	CYAML_FIELD_ENUM("effect", STRICT, struct profile_setting, effect,
                         effect_names, ARRAY_LEN(effect_names)),
	TEXT("command", OPTIONAL, struct profile_setting, command),
	LIST("hosts", OPTIONAL, struct profile_setting, hosts, n_hosts,
             &name_entry, 0, MAX_ITEMS),
	TEXT("text", OPTIONAL, struct profile_setting, text),
	TEXT("stated", REQUIRED, struct profile_setting, stated),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t setting_entry = {CYAML_VALUE_MAPPING(
	CYAML_FLAG_DEFAULT, struct profile_setting, setting_fields)};

static const cyaml_schema_field_t contact_fields[] = {
	TEXT("role", REQUIRED, struct profile_contact, role),
	TEXT("name", OPTIONAL, struct profile_contact, name),
	TEXT("url", OPTIONAL, struct profile_contact, url),
	TEXT("email", OPTIONAL, struct profile_contact, email),
	TEXT("phone", OPTIONAL, struct profile_contact, phone),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t contact_entry = {CYAML_VALUE_MAPPING(
	CYAML_FLAG_DEFAULT, struct profile_contact, contact_fields)};

static const cyaml_schema_field_t profile_fields[] = {
	NAME("schema", REQUIRED, struct profile, schema),
	NAME("id", REQUIRED, struct profile, id),
	TEXT("name", REQUIRED, struct profile, name),
	TEXT("version", OPTIONAL, struct profile, version),
	CYAML_FIELD_MAPPING("source", REQUIRED, struct profile, source,
                            source_fields),
	LIST("tables", REQUIRED, struct profile, tables, n_tables, &table_entry,
             1, MAX_ITEMS),
	LIST("rows", REQUIRED, struct profile, rows, n_rows, &row_entry, 1,
             PROFILE_MAX_ROWS),
	CYAML_FIELD_MAPPING("requirements", REQUIRED, struct profile,
                            requirements, requirement_fields),
	LIST("settings", OPTIONAL, struct profile, settings, n_settings,
             &setting_entry, 0, MAX_ITEMS),
	LIST("contacts", OPTIONAL, struct profile, contacts, n_contacts,
             &contact_entry, 0, MAX_ITEMS),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t profile_schema = {CYAML_VALUE_MAPPING(
	CYAML_FLAG_POINTER, struct profile, profile_fields)};

static const char *name_of(const cyaml_strval_t *names, size_t n, int64_t val)
{
	for (size_t i = 0; i < n; i++) {
		if (names[i].val == val)
			return names[i].str;
	}
	return "?";
}

const char *profile_class_name(enum profile_class c)
{
	return name_of(class_names, ARRAY_LEN(class_names), (int64_t)c);
}

const char *profile_transport_name(enum profile_transport t)
{
	return name_of(transport_names, ARRAY_LEN(transport_names), (int64_t)t);
}

const char *profile_timer_name(enum profile_timer_kind k)
{
	return name_of(timer_names, ARRAY_LEN(timer_names), (int64_t)k);
}

/* Error, at a place in the source. */
#define fault(dg, at, ...) diag_add(dg, DIAG_ERROR, at, __VA_ARGS__)

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

static bool check_kind(const struct tree_node *n, enum tree_node_kind kind,
                       struct diag *dg)
{
	if (n->kind == kind)
		return true;
	fault(dg, n->at, _("found %s, expected %s"), kind_words(n->kind),
	      kind_words(kind));
	return false;
}

static void list_names(struct wr *w, const cyaml_strval_t *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		wr_fmt(w, "%s%s", i ? ", " : "", names[i].str);
	wr_u8(w, 0);
}

static void check_name(const cyaml_schema_value_t *sv,
                       const struct tree_node *n, struct diag *dg)
{
	struct wr w;
	char buf[256];

	if (!check_kind(n, TREE_NODE_SCALAR, dg))
		return;
	for (uint32_t i = 0; i < sv->enumeration.count; i++) {
		if (slice_eq_str(n->text, sv->enumeration.strings[i].str))
			return;
	}
	w = wr_init(buf, sizeof(buf));
	list_names(&w, sv->enumeration.strings, sv->enumeration.count);
	fault(dg, n->at, _("'%s' is not known here; expected one of: %s"),
	      (const char *)n->text.p, buf);
}

static void check_flags(const cyaml_schema_value_t *sv,
                        const struct tree_node *n, struct diag *dg)
{
	if (!check_kind(n, TREE_NODE_LIST, dg))
		return;
	if (!n->n)
		fault(dg, n->at, _("this list must not be empty"));
	for (const struct tree_node *c = n->first; c; c = c->next)
		check_name(sv, c, dg);
}

static void check_number(const struct tree_node *n, struct diag *dg)
{
	uint64_t v;

	if (!check_kind(n, TREE_NODE_SCALAR, dg))
		return;
	/* A leading zero means octal to libcyaml and decimal to people. */
	if (text_u64(&v, n->text, INT32_MAX) ||
	    (n->text.n > 1 && n->text.p[0] == '0'))
		fault(dg, n->at, _("'%s' is not a whole number from 0 to %d"),
		      (const char *)n->text.p, INT32_MAX);
}

static void check_bool(const struct tree_node *n, struct diag *dg)
{
	if (check_kind(n, TREE_NODE_SCALAR, dg) &&
	    !slice_eq_str(n->text, "true") && !slice_eq_str(n->text, "false"))
		fault(dg, n->at, _("'%s' is neither true nor false"),
		      (const char *)n->text.p);
}

static void check_string(const cyaml_schema_value_t *sv,
                         const struct tree_node *n, struct diag *dg)
{
	if (!check_kind(n, TREE_NODE_SCALAR, dg))
		return;
	if (n->text.n < sv->string.min)
		fault(dg, n->at, _("this text must not be empty"));
	else if (n->text.n > sv->string.max)
		fault(dg, n->at,
		      _("this text has %zu bytes; at most %u are allowed"),
		      n->text.n, sv->string.max);
}

static void check_value(const cyaml_schema_value_t *sv,
                        const struct tree_node *n, struct diag *dg);

static void check_list(const cyaml_schema_value_t *sv,
                       const struct tree_node *n, struct diag *dg)
{
	if (!check_kind(n, TREE_NODE_LIST, dg))
		return;
	if (n->n < sv->sequence.min) {
		fault(dg, n->at, _("this list must not be empty"));
	} else if (n->n > sv->sequence.max) {
		fault(dg, n->at,
		      _("this list has %zu items; at most %u are allowed"),
		      n->n, sv->sequence.max);
		return;
	}
	for (const struct tree_node *c = n->first; c; c = c->next)
		check_value(sv->sequence.entry, c, dg);
}

static void unknown_key(const cyaml_schema_field_t *fields,
                        const struct tree_node *n, struct diag *dg)
{
	struct wr w;
	char buf[512];

	for (const cyaml_schema_field_t *f = fields; f->key; f++) {
		if (profile_is_slip(n->key, slice_str(f->key))) {
			fault(dg, n->key_at,
			      _("unknown key '%s'; did you mean '%s'?"),
			      (const char *)n->key.p, f->key);
			return;
		}
	}
	w = wr_init(buf, sizeof(buf));
	for (const cyaml_schema_field_t *f = fields; f->key; f++)
		wr_fmt(&w, "%s%s", f == fields ? "" : ", ", f->key);
	wr_u8(&w, 0);
	fault(dg, n->key_at, _("unknown key '%s'; expected one of: %s"),
	      (const char *)n->key.p, buf);
}

static const cyaml_schema_field_t *field_of(const cyaml_schema_field_t *fields,
                                            struct slice key)
{
	for (const cyaml_schema_field_t *f = fields; f->key; f++) {
		if (slice_eq_str(key, f->key))
			return f;
	}
	return NULL;
}

static void check_map(const cyaml_schema_value_t *sv, const struct tree_node *n,
                      struct diag *dg)
{
	const cyaml_schema_field_t *fields = sv->mapping.fields, *f;

	if (!check_kind(n, TREE_NODE_MAP, dg))
		return;
	for (f = fields; f->key; f++) {
		if (!(f->value.flags & CYAML_FLAG_OPTIONAL) &&
		    !tree_get(n, f->key))
			fault(dg, n->key_at.n ? n->key_at : n->at,
			      _("the key '%s' is missing"), f->key);
	}
	for (const struct tree_node *c = n->first; c; c = c->next) {
		f = field_of(fields, c->key);
		if (f)
			check_value(&f->value, c, dg);
		else
			unknown_key(fields, c, dg);
	}
}

/* Recursion is as deep as the tables are, not as the text is. */
static void check_value(const cyaml_schema_value_t *sv,
                        const struct tree_node *n, struct diag *dg)
{
	switch (sv->type) {
	case CYAML_UINT:
		check_number(n, dg);
		break;
	case CYAML_BOOL:
		check_bool(n, dg);
		break;
	case CYAML_ENUM:
		check_name(sv, n, dg);
		break;
	case CYAML_FLAGS:
		check_flags(sv, n, dg);
		break;
	case CYAML_STRING:
		check_string(sv, n, dg);
		break;
	case CYAML_MAPPING:
		check_map(sv, n, dg);
		break;
	case CYAML_SEQUENCE:
		check_list(sv, n, dg);
		break;
	default:
		fault(dg, n->at, _("the format cannot be checked here"));
		break;
	}
}

int profile_schema_check(const struct tree_node *root, struct diag *dg)
{
	size_t before = dg->n_errors;

	check_value(&profile_schema, root, dg);
	return dg->n_errors > before ? EBADMSG : 0;
}

/* What libcyaml asks of the allocator, and the first thing it says. */
struct fill {
	size_t left_bytes;
	bool no_memory;
	char words[256];
};

/* @p arg is NULL while freeing. */
static void *fill_mem(void *arg, void *ptr, size_t size)
{
	struct fill *f = arg;
	void *p;

	if (!size) {
		free(ptr);
		return NULL;
	}
	if (f && size > f->left_bytes) {
		f->no_memory = true;
		return NULL;
	}
	p = realloc(ptr, size);
	if (f) {
		f->left_bytes -= p ? size : 0;
		f->no_memory |= !p;
	}
	return p;
}

static void fill_log(cyaml_log_t level, void *arg, const char *fmt, va_list ap)
	PRINTF_FMT(3, 0);

static void fill_log(cyaml_log_t level, void *arg, const char *fmt, va_list ap)
{
	struct fill *f = arg;
	size_t n;

	UNUSED(level);
	if (f->words[0])
		return;
	(void)vsnprintf(f->words, sizeof(f->words), fmt, ap);
	n = strcspn(f->words, "\n");
	f->words[n] = '\0';
}

int profile_schema_fill(struct profile **pp, struct slice text, struct diag *dg)
{
	struct fill fill = {.left_bytes = MAX_FILL_BYTES};
	const cyaml_config_t cfg = {
		.log_fn = fill_log,
		.log_ctx = &fill,
		.mem_fn = fill_mem,
		.mem_ctx = &fill,
		.log_level = CYAML_LOG_ERROR,
		.flags = CYAML_CFG_NO_ALIAS,
	};
	cyaml_data_t *data = NULL;
	cyaml_err_t res;

	res = cyaml_load_data(text.p, text.n, &cfg, &profile_schema, &data,
	                      NULL);
	if (res == CYAML_OK) {
		*pp = data;
		return 0;
	}
	if (res == CYAML_ERR_OOM || fill.no_memory)
		return ENOMEM;
	fault(dg, (struct slice){0}, _("the profile was refused: %s"),
	      fill.words[0] ? fill.words : cyaml_strerror(res));
	return EBADMSG;
}

void profile_schema_free(struct profile *p)
{
	const cyaml_config_t cfg = {.mem_fn = fill_mem};

	if (p)
		(void)cyaml_free(&cfg, &profile_schema, p, 0);
}
