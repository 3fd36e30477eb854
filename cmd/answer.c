#include "cmd/answer.h"

#include "base/logfmt.h"
#include "base/mem.h"
#include "ledger/act.h"

int answer_send(struct cmd_ctx *ctx, const char *ask, int number, const char *why, struct err *err)
{
	CLEANUP(ident_free) struct ident who = { 0 };
	EVENT request = { 0 };
	STR said = STR_INIT;

	if (repo_ident(ctx->repo, &who, err) < 0)
		return err->code;
	event_add(&request, "ask", ask);
	if (number >= 0)
		event_add_int(&request, "experiment", number);
	event_addf(&request, "by", "%s <%s>", who.name, who.mail);
	event_add(&request, "why", why);
	if (act_request(ctx->repo, ctx->campaign, &request, &said, err) < 0)
		return err->code;
	return cmd_print(&said, err);
}
