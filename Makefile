# git harness. `make help` says what there is; `make demo` and `make test` need nothing but make on Debian 12.
VERSION = 0.1.0

prefix = /usr/local
bindir = $(prefix)/bin
datadir = $(prefix)/share
mandir = $(datadir)/man
DESTDIR =

BUILD = build
CC = gcc
CFLAGS = -O2 -g
SAN =
# What `make test` runs everything under a second time.
SANITIZERS = -fsanitize=address,undefined -fno-sanitize-recover=undefined
FUZZ_SECONDS = 30

PKGS = libgit2 yaml-0.1 libcurl zlib jansson
WARN = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion
# Asked once and only when something is compiled: a bare machine has no pkg-config until `make deps` ran.
PKG_CFLAGS = $(eval PKG_CFLAGS := $$(shell pkg-config --cflags $(PKGS)))$(PKG_CFLAGS)
PKG_LIBS = $(eval PKG_LIBS := $$(shell pkg-config --libs $(PKGS)))$(PKG_LIBS)
COMPILE = $(CC) -std=c11 -D_GNU_SOURCE $(WARN) -I. -Icore $(PKG_CFLAGS) $(CPPFLAGS) $(CFLAGS) $(SAN) \
	-MMD -MP -MF $@.d -MT $@
LINK = $(CC) $(CFLAGS) $(SAN) $(LDFLAGS) -Wl,--as-needed
LIBS = $(PKG_LIBS) -lm

# One line a file, the whole command with V=1.
ifneq ($(V),1)
Q = @
say = @echo '  $(1) $@'
endif
# demo and test use all processors unless make was told how many.
JOBS = $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(shell nproc 2>/dev/null || echo 2))

CORE_OBJ := $(patsubst %.c,$(BUILD)/%.o,$(sort $(wildcard core/*/*.c)))
CMD_OBJ := $(patsubst %.c,$(BUILD)/%.o,$(sort $(wildcard cmd/*.c)))
UNIT := $(patsubst t/unit/%.c,$(BUILD)/unit/%,$(sort $(wildcard t/unit/*.c)))
FUZZ := $(patsubst t/fuzz/%.c,%,$(sort $(wildcard t/fuzz/*.c)))
PERF := $(BUILD)/perf/grow $(BUILD)/perf/notes $(BUILD)/perf/nosync.so
PROGRAM = $(BUILD)/git-harness
LIBRARY = $(BUILD)/libharness.a

all: $(PROGRAM)

help:
	@echo 'make              build $(BUILD)/git-harness'
	@echo 'make demo         build it and watch it work for a minute (installs what is missing first)'
	@echo 'make test         everything: units, corpora, shell tests, lints; plain and under ASan+UBSan'
	@echo 'make lint         layers, sizes, manual against tables, shellcheck, mandoc; clang-tidy, cppcheck if there'
	@echo 'make perf         ratios against git and peers, as a table; nothing fails by time'
	@echo 'make fuzz         each parser under libFuzzer for FUZZ_SECONDS=$(FUZZ_SECONDS) (needs clang)'
	@echo 'make install      prefix=$(prefix) DESTDIR=; then: git harness'
	@echo 'make uninstall    what install put there, and nothing else'
	@echo 'make deps         install missing Debian packages (NO_INSTALL=1: only name them)'
	@echo 'make clean        remove the build directories'
	@echo 'Variables: CC, CFLAGS, SAN (sanitizer flags), BUILD (directory), NO_INSTALL, HARNESS_MUST_WORK, V=1 (whole commands)'

deps:
	@t/deps all

# The recursive makes begin after the packages are there: what pkg-config says is asked then.
demo:
	@t/deps build
	@$(MAKE) $(JOBS) --no-print-directory all
	@t/demo $(BUILD)

test:
	@t/deps all
	@$(MAKE) $(JOBS) --no-print-directory all units corpora
	@$(MAKE) $(JOBS) --no-print-directory BUILD=$(BUILD)-san SAN='$(SANITIZERS)' all units corpora
	@t/run $(BUILD) $(BUILD)-san

lint: all
	@LINT_SLOW=1 t/lint/run $(BUILD)

perf: all $(PERF)
	@t/perf/measure $(BUILD)

$(BUILD)/perf/%.so: t/perf/%.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(WARN) -O2 -shared -fPIC -o $@ $<

$(BUILD)/perf/%: t/perf/%.c $(LIBRARY) $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(COMPILE) -o $@ $< $(LDFLAGS) -Wl,--as-needed $(LIBRARY) $(LIBS)

fuzz:
	@$(MAKE) $(JOBS) --no-print-directory CC=clang BUILD=$(BUILD)-fuzz \
		SAN='-fsanitize=address,undefined,fuzzer-no-link' fuzzers
	@set -e; for f in $(FUZZ); do echo "== $$f"; mkdir -p $(BUILD)-fuzz/found/$$f; \
		(cd $(BUILD)-fuzz/found/$$f && ../../fuzz/$$f -max_total_time=$(FUZZ_SECONDS) -verbosity=0 \
		-print_final_stats=1 . $(CURDIR)/t/fuzz/corpus/$$f); done

$(LIBRARY): $(CORE_OBJ)
	@rm -f $@
	$(call say,AR)
	$(Q)ar rcs $@ $(CORE_OBJ)

$(PROGRAM): $(CMD_OBJ) $(LIBRARY)
	$(call say,LD)
	$(Q)$(LINK) -o $@ $(CMD_OBJ) $(LIBRARY) $(LIBS)

$(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(COMPILE) -c -o $@ $<

# Only this file knows where things are installed, so another prefix costs one compilation.
$(BUILD)/cmd/data.o: cmd/data.c $(BUILD)/flags $(BUILD)/place
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(COMPILE) -DHARNESS_DATADIR='"$(datadir)/git-harness"' -DHARNESS_VERSION='"$(VERSION)"' -c -o $@ $<

units: $(UNIT)

$(BUILD)/unit/%: t/unit/%.c $(LIBRARY) $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(COMPILE) -o $@ $< $(LDFLAGS) -Wl,--as-needed $(LIBRARY) $(LIBS) $$(pkg-config --cflags --libs cmocka)

# The frame is no library; what is worth a unit test in it is linked by name: t/unit/cmd_opt.c with cmd/opt.o.
$(BUILD)/unit/cmd_%: t/unit/cmd_%.c $(BUILD)/cmd/%.o $(LIBRARY) $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(COMPILE) -o $@ $< $(BUILD)/cmd/$*.o $(LDFLAGS) -Wl,--as-needed $(LIBRARY) $(LIBS) $$(pkg-config --cflags --libs cmocka)

# A fuzz target with a plain main(): its corpus is an ordinary test under any compiler.
corpora: $(FUZZ:%=$(BUILD)/corpus/%)

$(BUILD)/corpus/%: t/fuzz/%.c t/lib/corpus_main.c $(LIBRARY) $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(COMPILE) -c -o $@.o $<
	$(call say,LD)
	$(Q)$(LINK) -std=c11 -D_GNU_SOURCE -o $@ $@.o t/lib/corpus_main.c $(LIBRARY) $(LIBS)

fuzzers: $(FUZZ:%=$(BUILD)/fuzz/%)

$(BUILD)/fuzz/%: t/fuzz/%.c $(LIBRARY) $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(COMPILE) -fsanitize=fuzzer -o $@ $< $(LIBRARY) $(LIBS)

# Rewritten only when they change: other flags or another place rebuild what depends on them.
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(WARN) $(CPPFLAGS) $(CFLAGS) $(SAN) $(LDFLAGS)' | cmp -s - $@ || \
		echo '$(CC) $(WARN) $(CPPFLAGS) $(CFLAGS) $(SAN) $(LDFLAGS)' >$@
$(BUILD)/place: FORCE
	@mkdir -p $(@D)
	@echo '$(datadir) $(VERSION)' | cmp -s - $@ || echo '$(datadir) $(VERSION)' >$@

BASH_COMPLETION = $(datadir)/bash-completion/completions/git-harness
ZSH_COMPLETION = $(datadir)/zsh/site-functions/_git-harness
FISH_COMPLETION = $(datadir)/fish/vendor_completions.d/git-harness.fish

install: all
	install -d '$(DESTDIR)$(bindir)' '$(DESTDIR)$(mandir)/man1' '$(DESTDIR)$(datadir)/git-harness'
	install -m 755 $(PROGRAM) '$(DESTDIR)$(bindir)/git-harness'
	install -m 644 git-harness.1 '$(DESTDIR)$(mandir)/man1/git-harness.1'
	rm -rf '$(DESTDIR)$(datadir)/git-harness/templates' '$(DESTDIR)$(datadir)/git-harness/hooks'
	cp -R templates hooks '$(DESTDIR)$(datadir)/git-harness/'
	@for f in bash:'$(BASH_COMPLETION)' zsh:'$(ZSH_COMPLETION)' fish:'$(FISH_COMPLETION)'; do \
		to='$(DESTDIR)'"$${f#*:}"; echo "completion $$to"; \
		install -d "$${to%/*}" && $(PROGRAM) --completion="$${f%%:*}" >"$$to" && chmod 644 "$$to" || exit 1; done

uninstall:
	rm -f '$(DESTDIR)$(bindir)/git-harness' '$(DESTDIR)$(mandir)/man1/git-harness.1'
	rm -f '$(DESTDIR)$(BASH_COMPLETION)' '$(DESTDIR)$(ZSH_COMPLETION)' '$(DESTDIR)$(FISH_COMPLETION)'
	rm -rf '$(DESTDIR)$(datadir)/git-harness'

clean:
	rm -rf $(BUILD) $(BUILD)-san $(BUILD)-fuzz

FORCE:
.PHONY: all help deps demo test lint perf fuzz units corpora fuzzers install uninstall clean FORCE
.SECONDARY:
.DELETE_ON_ERROR:
-include $(CORE_OBJ:=.d) $(CMD_OBJ:=.d) $(UNIT:=.d) $(FUZZ:%=$(BUILD)/corpus/%.d) $(FUZZ:%=$(BUILD)/fuzz/%.d)
