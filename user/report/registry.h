/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The views and formats, in the order of --help; the first is the default. A row makes the
 * prototype, the entry in the registry, --help and the shells' completions: X(name, function, what
 * it shows of a trace, see uses.h).
 */
#ifndef REPORT_REGISTRY_H
#define REPORT_REGISTRY_H

/* Of the format text. */
#define REPORT_VIEWS(X) \
	X(summary, summary_write, USES_HEAD | USES_FILES | USES_SOME_STATEMENTS) \
	X(modules, modules_write, USES_HEAD | USES_SOME_STATEMENTS) \
	X(tree, tree_write, USES_HEAD) \
	X(blame, blame_write, USES_HEAD) \
	X(workers, workers_write, USES_HEAD) \
	X(inventory, inventory_write, USES_HEAD) \
	X(advice, advice_write, USES_ALL) \
	X(service, service_write, USES_CAUSES) \
	X(phases, phases_write, USES_CAUSES) \
	X(causes, causes_write, USES_CAUSES) \
	X(files, files_write, USES_HEAD | USES_FILES) \
	X(libs, libs_write, USES_HEAD | USES_FILES) \
	X(net, net_write, USES_HEAD | USES_FILES | USES_NET)

/* Beside text. Each is one document with everything, so that the view does not matter. */
#define REPORT_FORMATS(X) \
	X(json, json_write, USES_ALL) \
	X(importtime, importtime_write, USES_LOADS) \
	X(chrome, chrome_write, USES_CAUSES) \
	X(speedscope, speedscope_write, USES_CPU | USES_MEMORY | USES_FILES) \
	X(folded, folded_write, USES_BY_MEASURE) /* -ENODATA: opts.by was not measured */ \
	X(dot, dot_write, USES_STATEMENTS) \
	X(openmetrics, openmetrics_write, USES_CAUSES | USES_SOME_STATEMENTS) \
	X(otlp, otlp_write, USES_CAUSES | USES_SOME_STATEMENTS) \
	X(html, html_write, USES_ALL) \
	X(sqlite, sqlite_write, USES_ALL)

/* Of commands that show something else: X(command, format, function, what it shows). */
#define REPORT_COMMANDS(X) \
	X(why, text, why_write, USES_ALL) \
	X(why, json, why_write_json, USES_ALL) \
	X(bench, text, bench_write, USES_LOADS) \
	X(bench, json, bench_write_json, USES_LOADS) \
	X(check, text, check_write, USES_ALL) \
	X(check, json, check_write_json, USES_ALL) \
	X(check, junit, check_write_junit, USES_ALL) \
	X(check, sarif, check_write_sarif, USES_ALL) \
	X(check, github, check_write_github, USES_ALL) \
	X(check, markdown, check_write_markdown, USES_ALL) \
	X(diff, text, diff_write, USES_ALL) \
	X(diff, json, diff_write_json, USES_ALL) \
	X(diff, markdown, diff_write_markdown, USES_ALL) \
	X(diff, html, diff_write_html, USES_ALL)

#endif
