/*
 * md.h - a campaign as Markdown, for pull requests and chats: what came of it, then one table row a number.
 * Foreign text can format nothing, link nothing and call nobody.
 */
#ifndef REPORT_MD_H
#define REPORT_MD_H

#include "report/outline.h"

void report_md(const struct outline *o, struct str *ret);

#endif
