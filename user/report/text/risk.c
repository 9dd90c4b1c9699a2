// SPDX-License-Identifier: BSD-2-Clause
/* Risks of a deferral in words: what was seen of a module while it loaded. */
#include <stdio.h>
#include <string.h>

#include "report/text/finding.h"
#include "report/text/wording.h"

const char *word_signal(char buf[SIGNAL_NAME_SZ], unsigned int number)
{
	const char *name = sigabbrev_np((int)number);

	if (name)
		snprintf(buf, SIGNAL_NAME_SZ, "SIG%s", name);
	else
		snprintf(buf, SIGNAL_NAME_SZ, "SIG%u", number);
	return buf;
}

void phrase_signals(__u64 signals, struct text_buf *buf)
{
	char name[SIGNAL_NAME_SZ];
	const char *between = "";

	for (unsigned int number = 1; number <= 64; number++) {
		if (!(signals & 1ULL << (number - 1)))
			continue;
		text_buf__printf(buf, "%s%s", between, word_signal(name, number));
		between = ", ";
	}
}

/* "connects to 192.0.2.1:443 and 2 more" */
static void add_what(const struct view *view, const struct risk *risk, const char *verb,
		     struct text_buf *buf)
{
	char num[TEXT_NUM_SZ];

	text_buf__printf(buf, " %s ", verb);
	if (risk->what)
		text_buf__escape(buf, risk->what, view_escape_flags(view));
	else
		text_buf__add(buf, "something unknown");
	if (risk->cnt > 1)
		text_buf__printf(buf, " and %s more", text_count(num, risk->cnt - 1));
}

void phrase_risk(const struct view *view, const struct process *process, const struct risk *risk,
		 struct text_buf *buf)
{
	const struct site *site = &risk->load->importer;
	char num[TEXT_NUM_SZ];

	if (risk->load->module)
		text_buf__escape(buf, risk->load->module, view_escape_flags(view));
	else
		text_buf__add(buf, "a module");
	if (site->file || site->module) {
		text_buf__add(buf, " (");
		phrase_place(view, process, site, buf);
		text_buf__add(buf, ")");
	}
	switch (risk->kind) {
	case RISK_THREADS:
		text_buf__printf(buf, " starts %s thread%s", text_count(num, risk->cnt),
				 risk->cnt == 1 ? "" : "s");
		break;
	case RISK_CHILDREN:
		text_buf__printf(buf, " starts %s child process%s", text_count(num, risk->cnt),
				 risk->cnt == 1 ? "" : "es");
		break;
	case RISK_NETWORK:
		add_what(view, risk, "talks to", buf);
		break;
	case RISK_LISTEN:
		add_what(view, risk, "listens on", buf);
		break;
	case RISK_SIGNALS:
		text_buf__add(buf, " handles ");
		phrase_signals(risk->signals, buf);
		break;
	default:
		add_what(view, risk, "writes", buf);
	}
}

const char *word_risk(enum risk_kind kind)
{
	static const char *const words[RISK_KIND_CNT] = {
		[RISK_THREADS] = "threads", [RISK_CHILDREN] = "children",
		[RISK_NETWORK] = "network", [RISK_LISTEN] = "listen", [RISK_SIGNALS] = "signals",
		[RISK_FILES] = "files",
	};

	return words[kind];
}
