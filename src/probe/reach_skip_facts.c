/* SPDX-License-Identifier: ISC */
/*
 * Design: why a flow was not asked is two words: one for people, one that
 * diagnose/ reads. A name that leads nowhere is a failure all the same.
 */
#include "probe/reach.h"

#include "base/i18n.h"
#include "net/guard.h"

static const char *skip_why(enum plan_skip skip)
{
	static const char *const whys[] = {
		[PLAN_NOT_WANTED] = N_("not asked for in this run"),
		[PLAN_FAMILY] = N_("its host has no address of the IP version "
	                           "that was asked for"),
		[PLAN_HOME] = N_("its address is outside, and PRUMO_STAY_HOME "
	                         "is set"),
		[PLAN_HOME_NAME] = N_("there is nobody to ask for its name"),
		[PLAN_NOT_NAMED] = N_("the service's records lead to another "
	                              "port"),
		[PLAN_NO_ADDRESS] = N_("its name has no address here"),
		[PLAN_NO_ROOM] = N_("there was no memory left for it"),
	};

	return whys[skip];
}

/* For machines; diagnose/ tells a choice from a gap by it. */
static const char *skip_reason(enum plan_skip skip)
{
	static const char *const reasons[] = {
		[PLAN_NOT_WANTED] = "not-wanted",
		[PLAN_FAMILY] = "ip-version",
		[PLAN_HOME] = "stay-home",
		[PLAN_HOME_NAME] = "no-name-server",
		[PLAN_NOT_NAMED] = "not-named",
		[PLAN_NO_ADDRESS] = "unfinished",
		[PLAN_NO_ROOM] = "no-memory",
	};

	/* whoever could be asked is outside as well */
	if (skip == PLAN_HOME_NAME && net_guard_is_on())
		return reasons[PLAN_HOME];
	return reasons[skip];
}

void reach_put_skipped(struct reach *r, struct fact *f,
                       const struct plan_flow *pf)
{
	if (pf->skip == PLAN_NOT_OFFERED) {
		f->state = FACT_FAIL;
		reach_field(r, f, "result", val_text("not-offered"));
		f->summary.msgid =
			N_("%1$s of %2$s (%3$s): its record says that there "
		           "is no such service");
		return;
	}
	/* a name that leads nowhere is a failure, not a choice */
	if (pf->skip == PLAN_NO_ADDRESS && reach_is_looked_up(r, pf)) {
		reach_field_text(r, f, "target", reach_target_at(r, pf, NULL));
		f->state = FACT_FAIL;
		reach_field(r, f, "result", val_text("no-address"));
		f->summary.msgid =
			N_("%1$s of %2$s (%3$s): the name has no address");
		return;
	}
	f->state = pf->skip == PLAN_NO_ADDRESS ? FACT_UNKNOWN : FACT_SKIPPED;
	reach_field(
		r, f, "result",
		val_text(f->state == FACT_SKIPPED ? "skipped" : "unfinished"));
	reach_field(r, f, "reason", val_text(skip_reason(pf->skip)));
	f->why.msgid = pf->skip == PLAN_NO_ADDRESS
	                       ? N_("the test was ended before its name was "
	                            "known")
	                       : skip_why(pf->skip);
	f->summary.msgid = N_("%1$s of %2$s (%3$s): not tested");
}
