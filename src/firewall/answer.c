/* SPDX-License-Identifier: ISC */
/*
 * Design: judging is apart from telling, because a patch is judged with the
 * same eyes as the configuration it mends, and tells nobody.
 */
#include <errno.h>

#include "firewall/audit.h"

static bool has_udp(const struct fw_flow *f)
{
	for (const struct fw_service *s = f->services.first; s; s = s->next) {
		if (s->proto == FW_PROTO_UDP)
			return true;
	}
	return false;
}

static void apply_defaults(struct fw_answer *an, const struct fw_rules *rules,
                           const struct fw_flow *f)
{
	an->alg = an->out.attrs.alg;
	if (an->alg == FW_UNSET)
		an->alg = rules->defaults.alg;
	if (an->alg == FW_UNSET)
		an->alg = FW_UNKNOWN;
	an->udp_idle_s = FW_IDLE_UNSET;
	an->is_idle_by_offload = false;
	if (!has_udp(f) || rules->is_stateless)
		return;
	an->udp_idle_s = an->out.attrs.udp_idle_s;
	an->is_idle_default = !an->out.idle_rule;
	/* All of it is blocked: what would hold is the box's own time. */
	if (an->udp_idle_s == FW_IDLE_UNSET)
		an->udp_idle_s = rules->defaults.udp_idle_s;
	if (an->udp_idle_s == FW_IDLE_UNSET)
		an->udp_idle_s = FW_IDLE_UNKNOWN;
}

/* What a flowtable has leaves it after its own time, and then gets what is left
 * of nf_conntrack_udp_timeout_stream, never of a ct timeout: it lives for the
 * longer of both times (Linux 5.14 and on, nf_flow_table_core.c,
 * flow_offload_fixup_ct(); before that for 60 s, which a text cannot show).
 * It may take a part of the flow only, so that time is never a longer one. What
 * has a helper is not let in (nft_flow_offload.c). */
static void apply_offload(struct fw_answer *an, const struct fw_rules *rules)
{
	const struct fw_judgement *by = &an->out;
	int64_t idle_s = rules->defaults.udp_idle_s;

	if (by->attrs.offload != FW_ON && an->back.attrs.offload != FW_UNSET)
		by = &an->back;
	if (rules->offload_idle_s == FW_IDLE_UNSET ||
	    an->udp_idle_s == FW_IDLE_UNSET || an->out.is_idle_by_helper ||
	    !by->offload_rule)
		return;
	if (idle_s < rules->offload_idle_s)
		idle_s = rules->offload_idle_s;
	if (an->udp_idle_s <= idle_s || by->attrs.offload == FW_OFF)
		return;
	an->out.is_idle_perhaps = by->attrs.offload != FW_ON;
	an->udp_idle_s = an->out.is_idle_perhaps ? FW_IDLE_UNKNOWN : idle_s;
	an->is_idle_by_offload = true;
	an->out.idle_rule = by->offload_rule;
	an->is_idle_default = false;
}

int fw_answer_all(struct fw_answer **answers, struct arena *a,
                  const struct fw_rules *rules, const struct fw_question *q)
{
	struct fw_answer *v = arena_alloc(a, (q->n_flows + 1) * sizeof(*v));
	struct fw_space *sp = NULL;
	int err;

	if (!v)
		return ENOMEM;
	err = fw_space_alloc(&sp, rules, q->flows, q->n_flows, &q->place,
	                     q->hosts, q->n_hosts);
	for (size_t i = 0; i < q->n_flows && !err; i++) {
		err = fw_space_judge(&v[i].out, a, sp, i);
		if (!err)
			err = fw_space_judge_reply(&v[i].back, a, sp, i,
			                           &v[i].out);
		v[i].verdict =
			fw_verdict_worse(v[i].out.verdict, v[i].back.verdict);
		apply_defaults(&v[i], rules, &q->flows[i]);
		apply_offload(&v[i], rules);
	}
	fw_space_free(sp);
	if (!err)
		*answers = v;
	return err;
}
