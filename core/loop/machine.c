#include "loop/machine.h"

#include <string.h>

#include "base/mem.h"

/* clang-format off */
const struct edge edges[] = {
	/* in       on                to       */
	{ BUDGET,   MOVE_FIRST,       BASELINE },
	{ BUDGET,   MOVE_APPROVED,    CHECK    },
	{ BUDGET,   MOVE_GO,          PROPOSE  },
	{ BUDGET,   MOVE_END,         DONE     },

	{ BASELINE, MOVE_READY,       EXECUTE  },

	{ PROPOSE,  MOVE_PROPOSED,    CHECK    },
	{ PROPOSE,  MOVE_NO_IDEAS,    DONE     },
	{ PROPOSE,  MOVE_FAILED,      REJECT   },
	{ PROPOSE,  MOVE_DISCARDED,   REJECT   },

	{ CHECK,    MOVE_INSIDE,      EXECUTE  },
	{ CHECK,    MOVE_REFUSED,     REJECT   },
	{ CHECK,    MOVE_ASK,         ESCALATE },
	{ CHECK,    MOVE_DISCARDED,   REJECT   },

	{ EXECUTE,  MOVE_RAN,         EVALUATE },
	{ EXECUTE,  MOVE_FAILED,      REJECT   },
	{ EXECUTE,  MOVE_BROKEN,      ESCALATE },
	{ EXECUTE,  MOVE_DISCARDED,   REJECT   },

	{ EVALUATE, MOVE_MEASURED,    DECIDE   },
	{ EVALUATE, MOVE_FAILED,      REJECT   },
	{ EVALUATE, MOVE_BROKEN,      ESCALATE },
	{ EVALUATE, MOVE_DISCARDED,   REJECT   },

	{ DECIDE,   MOVE_AGAIN,       EXECUTE  },
	{ DECIDE,   MOVE_MOVED,       EXECUTE  },
	{ DECIDE,   MOVE_BETTER,      ACCEPT   },
	{ DECIDE,   MOVE_NOT_BETTER,  REJECT   },
	{ DECIDE,   MOVE_ASK,         ESCALATE },

	{ ACCEPT,   MOVE_JUDGED,      RECORD   },
	{ REJECT,   MOVE_JUDGED,      RECORD   },
	{ ESCALATE, MOVE_JUDGED,      RECORD   },

	{ RECORD,   MOVE_RECORDED,    BUDGET   },
};
/* clang-format on */

const size_t edges_n = ARRAY_SIZE(edges);

const char *const state_names[STATE_N] = {
	[BUDGET] = "BUDGET", [BASELINE] = "BASELINE", [PROPOSE] = "PROPOSE", [CHECK] = "CHECK", [EXECUTE] = "EXECUTE",
	[EVALUATE] = "EVALUATE", [DECIDE] = "DECIDE", [ACCEPT] = "ACCEPT", [REJECT] = "REJECT", [ESCALATE] = "ESCALATE",
	[RECORD] = "RECORD", [DONE] = "DONE",
};

const char *const move_names[MOVE_N] = {
	[MOVE_FIRST] = "first", [MOVE_GO] = "go", [MOVE_APPROVED] = "approved", [MOVE_END] = "end", [MOVE_READY] = "ready",
	[MOVE_PROPOSED] = "proposed", [MOVE_NO_IDEAS] = "no-ideas", [MOVE_FAILED] = "failed", [MOVE_INSIDE] = "inside",
	[MOVE_REFUSED] = "refused", [MOVE_ASK] = "ask", [MOVE_RAN] = "ran", [MOVE_MEASURED] = "measured",
	[MOVE_BROKEN] = "broken", [MOVE_AGAIN] = "again", [MOVE_MOVED] = "moved", [MOVE_BETTER] = "better",
	[MOVE_NOT_BETTER] = "not-better",
	[MOVE_JUDGED] = "judged", [MOVE_RECORDED] = "recorded", [MOVE_DISCARDED] = "discarded",
};

const struct edge *edge_find(enum state in, enum move on)
{
	for (size_t i = 0; i < edges_n; i++)
		if (edges[i].in == in && edges[i].on == on)
			return &edges[i];
	return NULL;
}

int state_parse(const char *name)
{
	for (int i = 0; i < STATE_N; i++)
		if (!strcmp(state_names[i], name))
			return i;
	return -1;
}

void machine_print(struct str *ret)
{
	for (size_t i = 0; i < edges_n; i++)
		str_printf(ret, "%-9s %-11s %s\n", state_names[edges[i].in], move_names[edges[i].on],
			   state_names[edges[i].to]);
}
