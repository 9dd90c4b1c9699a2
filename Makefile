# SPDX-License-Identifier: BSD-2-Clause
# pyimport-bpf: `make help` lists the targets. Everything generated lands in .output/.
O       := .output
V       ?= 0
Q       := $(if $(filter 1,$(V)),,@)
msg      = $(if $(filter 1,$(V)),,@printf '  %-5s %s\n' "$(1)" "$(2)")
CLANG   ?= clang
BPFTOOL ?= $(or $(shell command -v bpftool),/usr/sbin/bpftool)
CC      ?= cc
PKGS    := libbpf libelf zlib capstone jansson libcap-ng yaml-0.1 ncurses sqlite3 libdeflate libzstd libmicrohttpd libprotobuf-c
ARCH    := $(shell uname -m | sed 's/x86_64/x86/; s/aarch64/arm64/')

prefix  ?= /usr/local
VERSION := $(shell cat VERSION)
GITREV  := $(shell git rev-parse --short HEAD 2>/dev/null)

WARN    := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla
CFLAGS  ?= -O2 -g
HOST    := -std=gnu11 $(WARN) $(CFLAGS) -D_GNU_SOURCE -Iinclude -Iuser -I$(O) \
           -DPYIMPORT_VERSION='"$(VERSION)"' -DPYIMPORT_GITREV='"$(GITREV)"' \
           $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
LIBS    := $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lcrypt -lpthread
ifeq ($(SAN),1)
O       := .output/san
HOST    += -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
LIBS    += -fsanitize=address,undefined
endif
ifeq ($(CI),true)
HOST    += -Werror
endif
BPFFLAGS := -g -O2 -Wall -Werror -target bpf -mcpu=v3 -D__TARGET_ARCH_$(ARCH) -Iinclude -Ivmlinux -Ibpf

BIN     := $(if $(filter 1,$(SAN)),$(O)/pyimport-bpf,pyimport-bpf)
SRCS    := $(sort $(shell find user -name '*.c'))
OBJS    := $(SRCS:user/%.c=$(O)/user/%.o) $(O)/otlp.pb-c.o
LIBOBJS := $(filter-out $(O)/user/cli/main.o,$(OBJS))
# core first: libbpf's linker misplaces maps that it meets as extern before their definition.
BPFSRCS := bpf/core/core.bpf.c $(filter-out bpf/core/core.bpf.c,$(sort $(wildcard bpf/*/*.bpf.c)))
BPFOBJS := $(BPFSRCS:bpf/%.bpf.c=$(O)/bpf/%.bpf.o)
SKEL    := $(O)/pyimport.skel.h
UNITS   := $(patsubst %.c,$(O)/tests/%,$(notdir $(wildcard tests/unit/*/test_*.c)))

.DELETE_ON_ERROR:
.PHONY: all help clean install check
all: $(BIN) ## build pyimport-bpf

$(BIN): $(OBJS)
	$(call msg,BIN,$@)
	$(Q)$(CC) $(CFLAGS) $^ $(LIBS) $(LDFLAGS) -o $@

# A pattern without a recipe would only cancel the rule below: name the objects.
$(filter $(O)/user/probe/%,$(OBJS)): $(SKEL)
$(O)/user/%.o: user/%.c Makefile VERSION
	$(call msg,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(HOST) -MMD -MP -c $< -o $@

$(O)/bpf/%.bpf.o: bpf/%.bpf.c Makefile
	$(call msg,BPF,$@)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(BPFFLAGS) -MMD -MP -c $< -o $@
$(O)/pyimport.bpf.o: $(BPFOBJS)
	$(call msg,LINK,$@)
	$(Q)$(BPFTOOL) gen object $@ $^
$(SKEL): $(O)/pyimport.bpf.o
	$(call msg,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name pyimport_bpf > $@

# The schema that --json-schema prints: a string of C, line by line.
$(O)/report_schema.h: docs/report.schema.json Makefile
	$(call msg,EMBED,$@)
	@mkdir -p $(@D)
	$(Q)(echo 'static const char report_schema[] ='; sed 's/[\\"]/\\&/g; s/.*/"&\\n"/' $<; echo ';') > $@
$(O)/user/cli/commands/schema.o: $(O)/report_schema.h
$(O)/sqlite_tables.h: user/report/export/sqlite.sql Makefile
	$(call msg,EMBED,$@)
	@mkdir -p $(@D)
	$(Q)(echo 'static const char sqlite_tables[] ='; sed 's/[\\"]/\\&/g; s/.*/"&\\n"/' $<; echo ';') > $@
$(O)/user/report/export/sqlite.o: $(O)/sqlite_tables.h

# What is sent by --otlp.
$(O)/otlp.pb-c.c: user/agent/otlp/otlp.proto Makefile
	$(call msg,PROTO,$@)
	@mkdir -p $(@D)
	$(Q)protoc-c --proto_path=$(<D) --c_out=$(@D) $<
$(O)/otlp.pb-c.o: $(O)/otlp.pb-c.c
	$(call msg,CC,$@)
	$(Q)$(CC) $(HOST) -c $< -o $@
$(O)/user/agent/otlp/proto.o: $(O)/otlp.pb-c.c

# The page of the HTML report, from its parts.
PAGE    := $(wildcard user/report/html/page/*)
$(O)/html_page.h: scripts/embed.py $(PAGE)
	$(call msg,PAGE,$@)
	@mkdir -p $(@D)
	$(Q)python3 $< user/report/html/page > $@
$(O)/user/report/html/html.o: $(O)/html_page.h

# Unit tests: one program per file of tests/unit/*, linked with everything but main.
vpath test_%.c $(wildcard tests/unit/*)
$(O)/tests/test_%: test_%.c $(LIBOBJS)
	$(call msg,TEST,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(HOST) -Itests/unit -MMD -MP $< $(LIBOBJS) $(LIBS) -o $@
# Fuzz targets: with their corpus alone in `make check`, with libFuzzer in `make fuzz`.
FUZZERS := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_TIME ?= 60
$(O)/tests/fuzz_%: tests/fuzz/fuzz_%.c tests/fuzz/replay.c $(LIBOBJS)
	$(call msg,TEST,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(HOST) -Itests/fuzz -MMD -MP $< tests/fuzz/replay.c $(LIBOBJS) $(LIBS) -o $@
# Of the command line what reads budgets.
FUZZ_CLI := user/cli/budget/budget.c user/cli/budget/budget_text.c user/cli/budget/budget_write.c user/cli/units.c
$(O)/fuzz/%: tests/fuzz/fuzz_%.c $(filter-out user/probe/% user/cli/%,$(SRCS)) $(FUZZ_CLI) \
		$(shell find user -name '*.h')
	$(call msg,FUZZ,$@)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(HOST) -Itests/fuzz -fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=undefined $(filter user/event/% user/model/% user/report/% \
		user/base/% $(FUZZ_CLI),$(filter %.c,$^)) $< $(LIBS) -o $@
.PHONY: fuzz
fuzz: $(FUZZERS:%=$(O)/fuzz/%) ## fuzz whatever reads foreign input, FUZZ_TIME seconds each
	$(Q)set -e; for f in $(FUZZERS); do echo "--- $$f"; mkdir -p $(O)/fuzz/$$f.corpus; \
		$(O)/fuzz/$$f -max_total_time=$(FUZZ_TIME) -verbosity=0 -timeout=10 -rss_limit_mb=2048 \
		-artifact_prefix=$(O)/fuzz/$$f. $(O)/fuzz/$$f.corpus tests/fuzz/corpus/$$f; done

check: $(UNITS) $(FUZZERS:%=$(O)/tests/fuzz_%) ## unit tests: no root, no BPF
	$(Q)set -e; for t in $(UNITS); do $$t; done
	$(Q)set -e; for f in $(FUZZERS); do $(O)/tests/fuzz_$$f tests/fuzz/corpus/$$f/*; done

clean: ## remove what was built
	$(Q)rm -rf .output pyimport-bpf

# Interpreters of other suites, an image, kernels, programs that open exports: some 2 GB.
CACHES := $(wildcard $(addprefix /var/tmp/pyimport-,roots image tools vm fresh tests))
.PHONY: clean-caches
clean-caches: ## remove what the tests keep between runs, /var/tmp/pyimport-* (root)
	$(Q)rm -rf --one-file-system $(CACHES)

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

-include $(wildcard $(OBJS:.o=.d) $(BPFOBJS:.o=.d) $(O)/tests/*.d)

# What needs root, installs what it needs, or both: each is a script of its own.
.PHONY: deps demo test check-root check-starts bench lint
deps: ## install what building needs (root, Debian)
	$(Q)scripts/deps.sh build
demo: ## install, build, and trace a real program of this machine (root)
	$(Q)scripts/deps.sh demo
	$(Q)$(MAKE) --no-print-directory all
	$(Q)scripts/demo.sh
test: ## install, build, and pass every test (root)
	$(Q)scripts/deps.sh test
	$(Q)scripts/test_tools.sh || echo "some programs that open exports are missing: their tests are skipped"
	$(Q)scripts/test_roots.sh $(TEST_ROOTS) || echo "some interpreters are missing: their tests are skipped"
	$(Q)scripts/test_image.sh || echo "no image: the tests with containers are skipped"
	$(Q)$(MAKE) --no-print-directory -j$$(nproc) all $(O)/vm/load
	$(Q)$(MAKE) --no-print-directory check
	$(Q)rc=0; tests/run $(PYIMPORT_TEST_ARGS) || rc=1; \
		$(MAKE) --no-print-directory lint || rc=1; exit $$rc
check-root: all ## the end-to-end tests alone (root)
	$(Q)tests/run $(PYIMPORT_TEST_ARGS)
.PHONY: check-random
N ?= 30
SEED ?= 1
check-random: all ## N random programs from SEED on, on every interpreter, against a spy inside (root)
	$(Q)tests/model/randomly.py -n $(N) -s $(SEED) $(if $(FORKS),-f) $(INTERP)
.PHONY: check-truth
check-truth: all ## figures of 40 programs against untraced runs, on an idle machine (root, minutes)
	$(Q)tests/truth/check.py $(if $(N),-n $(N)) $(PROGRAMS)

.PHONY: check-savings
check-savings: all ## predicted savings against measured ones, on an idle machine (root, minutes)
	$(Q)tests/truth/savings.py
check-starts: all ## a thousand first starts of interpreters nobody has seen (root, minutes)
	$(Q)PYIMPORT_STARTS=1000 tests/run -v hold::first_starts
bench: ## install, build, and measure what tracing costs (root)
	$(Q)scripts/deps.sh bench
	$(Q)$(MAKE) --no-print-directory all
	$(Q)scripts/bench.sh $(BENCH)
.PHONY: soak
soak: all ## what the tracer holds over two hours of starts (root); MINUTES=10 SOAK='--rate 5'
	$(Q)python3 tests/bench/soak.py $(if $(MINUTES),--minutes $(MINUTES)) $(SOAK)
.PHONY: check-fleet
check-fleet: all ## the agent under load and faults, against a count of starts (root); FLEET='--minutes 10'
	$(Q)python3 tests/bench/fleet.py $(FLEET)

.PHONY: bench-report
bench-report: all ## what reading a capture of 1,000,000 imports costs (root, sqlite3)
	$(Q)scripts/bench_report.sh
.PHONY: bench-scale
bench-scale: all ## the same by size and shape of synthetic captures, up to 1,000,000 loads
	$(Q)scripts/bench_scale.sh
lint: ## the rules of this project, and static analysis
	$(Q)mkdir -p .output
	$(Q)scripts/lint.sh

PYIMPORT_TEST_ARGS ?=
# Suites move; sid's interpreters are those of forky, a little newer.
TEST_ROOTS ?= bullseye trixie forky

SHELLS := bash-completion/completions/pyimport-bpf zsh/site-functions/_pyimport_bpf \
	fish/vendor_completions.d/pyimport-bpf.fish
install: all ## install below $(DESTDIR)$(prefix)
	install -D -m 755 $(BIN) $(DESTDIR)$(prefix)/sbin/pyimport-bpf
	install -d $(addprefix $(DESTDIR)$(prefix)/share/,$(dir $(SHELLS)))
	$(foreach file,$(SHELLS),$(BIN:%=./%) --completion $(firstword $(subst -, ,$(subst /, ,$(file)))) \
		> $(DESTDIR)$(prefix)/share/$(file) &&) true
	$(if $(wildcard man/*.8),install -D -m 644 -t $(DESTDIR)$(prefix)/share/man/man8 man/*.8)

# One file without a single shared library, for any Linux of this architecture. Some elfutils lack a
# part of their static libelf: see the file that stands in for it.
STATIC      := $(O)/static/pyimport-bpf
# libmicrohttpd without the TLS that it could do: see no_tls.c.
STATIC_LIBS  = -lmicrohttpd $(shell pkg-config --static --libs $(filter-out libmicrohttpd,$(PKGS))) -lcrypt -lpthread
LIBEU       := $(O)/static/eu_search.o
NO_TLS      := $(O)/static/no_tls.o
.PHONY: static
static: $(STATIC) ## one static binary, .output/static/pyimport-bpf
$(STATIC): $(OBJS) $(LIBEU) $(NO_TLS)
	$(call msg,BIN,$@)
	$(Q)if ! $(CC) $(CFLAGS) -static $(OBJS) $(NO_TLS) $(STATIC_LIBS) $(LDFLAGS) -Wl,-Map=$@.map -o $@ 2>$@.log; then \
		$(CC) $(CFLAGS) -static $(OBJS) $(LIBEU) $(NO_TLS) $(STATIC_LIBS) $(LDFLAGS) \
			-Wl,-Map=$@.map -o $@ 2>$@.log || \
			{ cat $@.log >&2; exit 1; }; fi
$(LIBEU) $(NO_TLS): $(O)/static/%.o: packaging/static/%.c Makefile
	$(call msg,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(HOST) -c $< -o $@

# What is handed on: packaging/ has a script for each.
.PHONY: dist deb wheel
dist: $(STATIC) ## a tarball with the static binary, its SBOM and SHA-256 sums, in .output/dist
	$(Q)packaging/dist.sh $(STATIC) .output/dist
deb: ## a Debian package, in .output/deb (debhelper)
	$(Q)packaging/deb.sh .output/deb
wheel: $(STATIC) ## a Python wheel with the binary and the pytest plugin, in .output/wheel (python3-build)
	$(Q)packaging/wheel.sh $(STATIC) .output/wheel

.PHONY: check-packages
check-packages: ## build them all, install each where it belongs, trace and pass a budget (root, minutes)
	$(Q)scripts/deps.sh packages
	$(Q)$(MAKE) --no-print-directory all static dist deb wheel static-arm64
	$(Q)scripts/check_packages.sh
	$(Q)tests/run static wheel diff::action

# The other architecture, from a machine of this one.
.PHONY: arm64 static-arm64
static-arm64: ## the static binary for arm64, .output/arm64/static/pyimport-bpf (clang, lld)
	$(Q)scripts/build_arm64.sh static
arm64: ## build for arm64 on another machine, into .output/arm64 (clang, lld)
	$(Q)scripts/build_arm64.sh all .output/arm64/vm/load

# Other kernels, in software emulation: no KVM, nothing installed on this machine.
.PHONY: check-vm
$(O)/vm/load: tests/vm/load.c $(SKEL)
	$(call msg,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(HOST) $(LDFLAGS) $< $(LIBS) -o $@
check-vm: all $(O)/vm/load ## the oldest to the newest kernel under qemu, and arm64 if it was built
	$(Q)set -e; for k in $${PYIMPORT_KERNELS:-$$(tests/vm/run.sh --list)}; do \
		echo "--- $$k"; tests/vm/run.sh $$k; done
