/* SPDX-License-Identifier: ISC */
#include "base/i18n.h"
#include "profile/rule.h"

/*
 * How many neighbouring ports a purpose can need. RTP: a call takes a pair of
 * ports at the server, so 20000 are ten thousand calls; STUN: the relays of
 * TURN may take the dynamic ports (RFC 8656, section 7.2).
 */
static const unsigned max_width[PROFILE_N_CLASSES] = {
	[PROFILE_SIP] = 32,          [PROFILE_RTP] = 20001,
	[PROFILE_STUN] = 16384,      [PROFILE_WEB] = 32,
	[PROFILE_CHAT] = 32,         [PROFILE_WEBRTC] = 32,
	[PROFILE_LICENCE] = 32,      [PROFILE_API] = 32,
	[PROFILE_PROVISIONING] = 32, [PROFILE_NTP] = 1,
	[PROFILE_DNS] = 1,
};

static unsigned width(const struct profile_ports *ports)
{
	return (unsigned)ports->last - ports->first + 1;
}

static struct finding *add_wide(const struct lint *l,
                                const struct profile_row *row,
                                const struct profile_ports *ports)
{
	const char *range = profile_ports_text(l, ports);
	struct lint_fault fault = {
		.id = "profile.range-too-wide",
		.severity = FINDING_WARN,
		.place = ports->place,
		.text = range,
		.title = {N_("The range %1$s has %2$s ports, far more than "
	                     "'%3$s' needs (%4$s at most)."),
	                  {range, report_fmt(l->r, "%u", width(ports)),
	                   profile_class_name(row->cls),
	                   report_fmt(l->r, "%u", max_width[row->cls])}},
		.detail =
			{.msgid = N_(
				 "Every port that is open without need is one "
				 "more way in or out.")},
		.suggestion =
			{.msgid = N_("State the ports that the servers really "
	                             "use.")},
	};

	return profile_rule_add(l, &fault);
}

void profile_rule_too_wide(const struct lint *l)
{
	/* One for each class, since its rows have one cause. */
	struct finding *found[PROFILE_N_CLASSES] = {0};

	for (size_t i = 0; i < l->p->n_rows; i++) {
		const struct profile_row *row = &l->p->rows[i];

		for (size_t k = 0; k < row->n_ports; k++) {
			const struct profile_ports *ports = &row->ports[k];
			struct finding **fd = &found[row->cls];

			if (width(ports) <= max_width[row->cls])
				continue;
			if (!*fd)
				*fd = add_wide(l, row, ports);
			profile_rule_place(l, *fd, ports->place,
			                   row->port_texts[k]);
		}
	}
}

/* Which words of a row are at fault. */
enum mark {
	MARK_PORT,
	MARK_TRANSPORTS,
	MARK_DIRECTION,
};

/* A rule that looks at one port of one row, and whose places are one cause. */
struct per_port {
	bool (*is_fault)(const struct profile_row *row,
	                 const struct profile_ports *ports);
	struct lint_fault fault;
	enum mark mark;
};

static void mark(struct lint_fault *fault, enum mark m,
                 const struct profile_row *row, size_t port)
{
	switch (m) {
	case MARK_PORT:
		fault->place = row->ports[port].place;
		fault->text = row->port_texts[port];
		break;
	case MARK_TRANSPORTS:
		fault->place = row->transports_place;
		fault->text = profile_transport_name(PROFILE_TCP);
		break;
	case MARK_DIRECTION:
		fault->place = row->direction_place;
		fault->text = row->direction == PROFILE_IN ? "in" : "both";
		if (row->direction_printed)
			fault->text = row->direction_printed;
		break;
	}
}

static void run_per_port(const struct lint *l, const struct per_port *rule)
{
	struct finding *fd = NULL;

	for (size_t i = 0; i < l->p->n_rows; i++) {
		const struct profile_row *row = &l->p->rows[i];

		for (size_t k = 0; k < row->n_ports; k++) {
			struct lint_fault fault = rule->fault;

			if (!rule->is_fault(row, &row->ports[k]))
				continue;
			mark(&fault, rule->mark, row, k);
			if (!fd)
				fd = profile_rule_add(l, &fault);
			profile_rule_place(l, fd, fault.place, fault.text);
			if (rule->mark != MARK_PORT)
				break; /* the words are the row's */
		}
	}
}

static bool is_rtp_over_tcp(const struct profile_row *row,
                            const struct profile_ports *ports)
{
	UNUSED(ports);
	return row->cls == PROFILE_RTP && row->transports & PROFILE_TCP;
}

void profile_rule_rtp_over_tcp(const struct lint *l)
{
	static const struct per_port rule = {
		.is_fault = is_rtp_over_tcp,
		.mark = MARK_TRANSPORTS,
		.fault =
			{
				.id = "profile.rtp-over-tcp",
				.severity = FINDING_WARN,
				.title =
					{.msgid = N_(
						 "RTP is asked for over TCP, which voice "
						 "does not use.")},
				.detail =
					{.msgid = N_(
						 "Phones send RTP over UDP; the TCP half "
						 "of these rows opens ports for "
						 "nothing.")},
				.suggestion =
					{.msgid = N_(
						 "Ask for UDP only in the rows of "
						 "RTP.")},
			},
	};

	run_per_port(l, &rule);
}

/* Services that RFC 3261 (5061), RFC 6120 (5222), RFC 6455 over plain HTTP
 * (80, 5280) and their registrations put on TCP alone. */
static bool is_tcp_port_over_udp(const struct profile_row *row,
                                 const struct profile_ports *ports)
{
	static const uint16_t tcp_only[] = {80, 5061, 5222, 5280};

	if (!(row->transports & PROFILE_UDP) || width(ports) != 1)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(tcp_only); i++) {
		if (ports->first == tcp_only[i])
			return true;
	}
	return false;
}

void profile_rule_tcp_port_over_udp(const struct lint *l)
{
	static const struct per_port rule = {
		.is_fault = is_tcp_port_over_udp,
		.fault =
			{
				.id = "profile.tcp-port-over-udp",
				.severity = FINDING_NOTE,
				.title =
					{.msgid = N_(
						 "A port of a service that only runs over "
						 "TCP is asked for over UDP as well.")},
				.suggestion =
					{.msgid = N_(
						 "Ask for TCP only, in a row of its "
						 "own.")},
			},
	};

	run_per_port(l, &rule);
}

static bool is_plain_web(const struct profile_row *row,
                         const struct profile_ports *ports)
{
	switch (row->cls) {
	case PROFILE_SIP:
	case PROFILE_RTP:
	case PROFILE_STUN:
	case PROFILE_NTP:
	case PROFILE_DNS:
		return false;
	default:
		return ports->first == 80 && width(ports) == 1 &&
		       row->transports & PROFILE_TCP;
	}
}

void profile_rule_plain_web(const struct lint *l)
{
	static const struct per_port rule = {
		.is_fault = is_plain_web,
		.fault =
			{
				.id = "profile.plain-web",
				.severity = FINDING_NOTE,
				.title =
					{.msgid = N_(
						 "Port 80 is asked for: web traffic that "
						 "anybody on the way can read and "
						 "change.")},
				.suggestion =
					{.msgid = N_(
						 "Ask for 443 only, or say what "
						 "still needs 80.")},
			},
	};

	run_per_port(l, &rule);
}

static bool is_inbound(const struct profile_row *row,
                       const struct profile_ports *ports)
{
	UNUSED(ports);
	return row->direction != PROFILE_OUT;
}

void profile_rule_inbound(const struct lint *l)
{
	static const struct per_port rule = {
		.is_fault = is_inbound,
		.mark = MARK_DIRECTION,
		.fault =
			{
				.id = "profile.inbound",
				.severity = FINDING_NOTE,
				.title =
					{.msgid = N_(
						 "Ports are asked for in both directions, "
						 "or inwards.")},
				.detail =
					{.msgid = N_(
						 "A firewall that keeps state needs only "
						 "the rule outwards: answers come "
						 "back by themselves. Read to the "
						 "letter, the row also opens the "
						 "customer's network to the outside.")},
				.suggestion =
					{.msgid = N_(
						 "Write 'outwards' where the customer "
						 "begins, and keep 'both' for what "
						 "the provider begins.")},
			},
	};

	run_per_port(l, &rule);
}
