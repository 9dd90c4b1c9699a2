/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The views and formats, in the order of --help; the first is the default. A row makes the
 * prototype, the entry in the registry, --help and the shells' completions: X(name, function).
 */
#ifndef REPORT_LIST_H
#define REPORT_LIST_H

/* Of the format text. */
#define REPORT_VIEWS(X) \
	X(summary, summary_write) \
	X(modules, modules_write) \
	X(tree, tree_write) \
	X(blame, blame_write) \
	X(workers, workers_write) \
	X(inventory, inventory_write) \
	X(advice, advice_write) \
	X(service, service_write) \
	X(phases, phases_write) \
	X(causes, causes_write) \
	X(files, files_write) \
	X(libs, libs_write) \
	X(net, net_write)

/* Beside text. Each is one document with everything, so that the view does not matter. */
#define REPORT_FORMATS(X) \
	X(json, json_write) \
	X(importtime, importtime_write) \
	X(chrome, chrome_write) \
	X(speedscope, speedscope_write) \
	X(folded, folded_write) /* -ENODATA: opts.by was not measured */ \
	X(dot, dot_write) \
	X(openmetrics, openmetrics_write) \
	X(otlp, otlp_write) \
	X(html, html_write) \
	X(sqlite, sqlite_write)

/* Of commands that show something else: X(command, format, function). */
#define REPORT_COMMANDS(X) \
	X(why, text, why_write) \
	X(why, json, why_write_json) \
	X(bench, text, bench_write) \
	X(bench, json, bench_write_json) \
	X(check, text, check_write) \
	X(check, json, check_write_json) \
	X(check, junit, check_write_junit) \
	X(check, sarif, check_write_sarif) \
	X(check, github, check_write_github) \
	X(check, markdown, check_write_markdown) \
	X(diff, text, diff_write) \
	X(diff, json, diff_write_json) \
	X(diff, markdown, diff_write_markdown) \
	X(diff, html, diff_write_html)

#endif
