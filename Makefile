# trimscope. `make help` lists the targets.

PREFIX  ?= /usr/local
DESTDIR ?=
BUILD   ?= build
CC      ?= gcc
# SANITIZE=address,undefined builds an instrumented copy (use another BUILD= for it).
SANITIZE ?=
WERROR  ?=

PACKAGES := openblas ncursesw libsixel libjpeg libpng zlib libwebp jansson libpcre2-8 libutf8proc
DEB_BUILD := build-essential pkg-config libopenblas-pthread-dev libncurses-dev libsixel-dev \
             libjpeg62-turbo-dev libpng-dev zlib1g-dev libwebp-dev libjansson-dev libpcre2-dev libutf8proc-dev gettext \
             libxxhash-dev
DEB_TEST  := libcmocka-dev libvterm-dev

# Loaded at run time when a PNG is drawn (ui/pango.h): their headers alone are needed here.
LOADED   := pangocairo
LOADED_OBJ = $(call obj,ui/pango.c ui/drawing_png.c)
DEB_BUILD += libpango1.0-dev
DEB_TEST  += libexpat1-dev

WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wundef -Wcast-qual \
            -Wwrite-strings -Wformat=2 -Wdouble-promotion -Wpointer-arith -Wvla -Wconversion \
            -Wno-sign-conversion
CFLAGS   ?= -O2 -g
VERSION  := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
CPPFLAGS += -I. -D_POSIX_C_SOURCE=200809L -D_DEFAULT_SOURCE \
            -DTRIMSCOPE_ASSETS='"$(PREFIX)/share/trimscope"' -DTRIMSCOPE_LOCALE='"$(PREFIX)/share/locale"'
ALL_CFLAGS = -std=gnu11 -pthread -fopenmp-simd -MMD -MP $(WARNINGS) $(if $(WERROR),-Werror) \
             $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-omit-frame-pointer -fno-sanitize-recover=all) \
             $(PACKAGE_CFLAGS) $(CFLAGS)
LDLIBS   += $(PACKAGE_LIBS) -lm
# Asked once, and not before a recipe needs it: in `make deps run` the packages come while make runs.
PACKAGE_CFLAGS = $(eval PACKAGE_CFLAGS := $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null))$(PACKAGE_CFLAGS)
PACKAGE_LIBS = $(eval PACKAGE_LIBS := $(shell pkg-config --libs $(PACKAGES) 2>/dev/null))$(PACKAGE_LIBS)
# Test programs are many: gold links them in half the time.
TEST_LINK = $(if $(wildcard /usr/bin/ld.gold),-fuse-ld=gold)
LDFLAGS  += -pthread $(if $(SANITIZE),-fsanitize=$(SANITIZE))

ENGINE_SRC := $(wildcard engine/*/*.c)
UI_SRC     := $(wildcard ui/*.c)
APP_SRC    := $(wildcard app/*.c)
TEST_SRC   := $(wildcard tests/*/test_*.c)
TOOL_SRC   := $(wildcard tests/tools/*.c)
FUZZ_SRC   := $(wildcard tests/fuzz/fuzz_*.c)
SUPPORT_SRC := $(wildcard tests/support/*.c)

# Hot loops (*_kernels.c) are compiled once per instruction set and chosen at run time: one binary
# serves every machine. Each file names its table with KERNEL_VARIANT, see engine/math/variant.h.
KERNEL_SRC := $(filter %_kernels.c,$(ENGINE_SRC))
ENGINE_SRC := $(filter-out $(KERNEL_SRC),$(ENGINE_SRC))
ifneq (,$(findstring x86_64,$(shell $(CC) -dumpmachine)))
VARIANTS := avx512 avx2 base
endif
VARIANTS ?= base
FLAGS_avx512 := -march=x86-64-v4 -mprefer-vector-width=512
FLAGS_avx2   := -march=x86-64-v3
FLAGS_base   :=
KERNEL_CFLAGS := -O3 -fno-math-errno -fno-trapping-math -ffp-contract=fast
CPPFLAGS += -DKERNEL_VARIANTS_$(words $(VARIANTS))

obj = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
ENGINE_OBJ := $(call obj,$(ENGINE_SRC)) \
              $(foreach v,$(VARIANTS),$(patsubst %.c,$(BUILD)/obj/%.$(v).o,$(KERNEL_SRC)))
UI_OBJ     := $(call obj,$(UI_SRC))
APP_OBJ    := $(call obj,$(APP_SRC))
SUPPORT_OBJ := $(filter-out %/fuzz_main.o,$(call obj,$(SUPPORT_SRC)))
TESTS      := $(patsubst tests/%.c,$(BUILD)/tests/%,$(TEST_SRC))
TOOLS      := $(patsubst tests/tools/%.c,$(BUILD)/tests/%,$(TOOL_SRC))
FUZZERS    := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(FUZZ_SRC))

LANGUAGES  := $(patsubst po/%.po,%,$(wildcard po/*.po))
CATALOGUES := $(LANGUAGES:%=$(BUILD)/locale/%/LC_MESSAGES/trimscope.mo)

.PHONY: FORCE all help deps run pot tests fuzzers check check-all bench bench-full ablation robustness train install uninstall format clean compile_commands.json
.SECONDARY:
.DELETE_ON_ERROR:

all: $(BUILD)/trimscope $(CATALOGUES)

help:
	@echo 'make                 build $(BUILD)/trimscope'
	@echo 'make deps            install the Debian packages that building and testing need (root or sudo)'
	@echo 'make run             step through the bundled model on a bundled picture'
	@echo 'make check           build and run all tests, sanitizers and fuzz smoke runs included'
	@echo 'make bench           measure speed on this machine, as ratios'
	@echo 'make bench-full      the same with models of the published sizes, against PyTorch and ONNX Runtime'
	@echo 'make robustness      accuracy on worse pictures and unseen styles, into assets/results (minutes)'
	@echo 'make ablation        train and evaluate the variants of the method, write assets/results (hours; can be stopped)'
	@echo 'make train           train the bundled model again (hours; can be stopped and resumed)'
	@echo 'make install         install below PREFIX=$(PREFIX), DESTDIR= for packagers'
	@echo 'make pot             bring the translations in po/ up to date with the source'
	@echo 'make format          clang-format every source'
	@echo 'make clean           remove $(BUILD)'

deps:
	@tools/deps $(DEB_BUILD) $(DEB_TEST)

run: all
	$(BUILD)/trimscope

check:
	@tests/check

# The same with clang as a second opinion, for those who have it.
check-all:
	@CHECK_CLANG=1 tests/check

# Once with one thread, once with all; what hangs on no number of threads is measured once.
bench: $(BUILD)/trimscope
	$(BUILD)/trimscope bench
	$(BUILD)/trimscope bench --threads $(shell nproc) linear meter prune bundled train

# Everything about models of the published sizes; peers that are not installed are named and left out (ONNX Runtime is
# found from here or NODE_PATH: npm install --ignore-scripts onnxruntime-node).
bench-full: $(BUILD)/trimscope
	$(BUILD)/trimscope bench start meter blip prune prune_blip
	$(BUILD)/trimscope bench --threads 2 start meter blip prune prune_blip

# Interrupted, it stops with an error and goes on from there the next time.
ablation: $(BUILD)/trimscope
	tools/ablation --trimscope $(BUILD)/trimscope --work $(BUILD)/ablation

robustness: $(BUILD)/trimscope
	tools/robustness --trimscope $(BUILD)/trimscope --work $(BUILD)/robustness

# What a patch shows is learnt first, by the encoder alone: it costs a sixth of a step with questions.
train: $(BUILD)/trimscope
	$(BUILD)/trimscope train --estimate --config assets/training/perception.json
	$(BUILD)/trimscope train --estimate --config assets/training/dense.json
	$(BUILD)/trimscope train --estimate --trim --config assets/training/pruned.json
	$(BUILD)/trimscope train --config assets/training/perception.json --out $(BUILD)/perception.safetensors
	$(BUILD)/trimscope train --config assets/training/dense.json --init $(BUILD)/perception.safetensors --grow \
	    --out $(BUILD)/dense.safetensors
	$(BUILD)/trimscope train --trim --config assets/training/pruned.json --init $(BUILD)/dense.safetensors \
	    --half --out $(BUILD)/pruned.safetensors

# Translations. What xgettext finds in the source goes into the template; `make pot` brings po/ up to date with it.
# Errors of the engine are looked up by error_set() itself, policies where they are shown.
$(BUILD)/locale/%/LC_MESSAGES/trimscope.mo: po/%.po
	@mkdir -p $(@D)
	@echo '  MO   $@'
	@msgfmt -c -o $@ $<

XGETTEXT := xgettext --from-code=UTF-8 --package-name=trimscope --no-location --add-comments=TRANSLATORS \
            -k -k_ -kN_ -kngettext_:2,3 -kin_:1c,2 -kNin_:1c,2 -kerror_set:3 -kerror_prefix:2 -kerror_no_memory:2 -kcomplain:3 \
            --flag=error_set:3:c-format --flag=error_prefix:2:c-format --flag=complain:3:c-format
POT_SRC := $(wildcard ui/*.[ch] app/*.[ch] engine/*/*.c)
$(BUILD)/trimscope.pot: $(POT_SRC) engine/prune/policy.h engine/learn/settings.h engine/run/intervention_text.h
	@mkdir -p $(@D)
	@$(XGETTEXT) -o $@ $(sort $(POT_SRC))
	@$(XGETTEXT) -j -k -kX:3 -o $@ engine/prune/policy.h
	@$(XGETTEXT) -j -k -kX:7 --flag=X:7:no-c-format -o $@ engine/learn/settings.h
	@$(XGETTEXT) -j -k -kX:4 -o $@ engine/run/intervention_text.h

pot: $(BUILD)/trimscope.pot
	@for language in $(LANGUAGES); do \
	    msgmerge -q --no-fuzzy-matching --no-location --backup=none -U po/$$language.po $< && \
	    msgfmt --statistics -c -o /dev/null po/$$language.po; done

tests: $(TESTS) $(TOOLS) $(CATALOGUES) $(BUILD)/trimscope.pot
fuzzers: $(FUZZERS)

$(BUILD)/libengine.a: $(ENGINE_OBJ)
	@rm -f $@
	@$(AR) rcs $@ $^

$(BUILD)/libui.a: $(UI_OBJ)
	@rm -f $@
	@$(AR) rcs $@ $^

# The program without main(), so that tests can call the commands.
$(BUILD)/libapp.a: $(filter-out $(BUILD)/obj/app/main.o,$(APP_OBJ)) $(BUILD)/libui.a
	@rm -f $@
	@$(AR) rcs $@ $(filter %.o,$^)

# Helpers of tests, tools and fuzzers: an archive, so that each takes only what it uses (some need cmocka).
$(BUILD)/libsupport.a: $(SUPPORT_OBJ)
	@rm -f $@
	@$(AR) rcs $@ $^

LIBS := $(BUILD)/libapp.a $(BUILD)/libui.a $(BUILD)/libengine.a

$(BUILD)/trimscope: $(BUILD)/obj/app/main.o $(LIBS)
	@echo '  LD   $@'
	@$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/tests/%: $(BUILD)/obj/tests/%.o $(BUILD)/libsupport.a $(LIBS) | $(CATALOGUES)
	@mkdir -p $(@D)
	@$(CC) $(LDFLAGS) $(TEST_LINK) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LDLIBS) -lcmocka -lvterm -lexpat -lutil

# The gradient tests differentiate numerically, so they run the same training sources in double precision.
DOUBLE_SRC := $(addprefix engine/learn/,learn_kernels.c ops.c blocks.c answer_head.c trimmer.c net_stem.c net_refs.c \
                net_refs_meter.c net_refs_blip.c net_layers.c net_embed.c net_answer.c net.c net_pair.c fusion_compact.c \
                cost.c upkeep.c params.c objective.c)
DOUBLE_TESTS := test_blocks test_gradients test_objective
DOUBLE_OBJ := $(patsubst %.c,$(BUILD)/double/%.o,$(DOUBLE_SRC))
$(BUILD)/double/%.o: %.c
	@mkdir -p $(@D)
	@echo '  CC   $< (double)'
	@$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -DLEARN_DOUBLE -DKERNEL_VARIANT=double -c -o $@ $<
$(DOUBLE_TESTS:%=$(BUILD)/obj/tests/learn/%.o): CPPFLAGS += -DLEARN_DOUBLE
$(DOUBLE_TESTS:%=$(BUILD)/tests/learn/%): $(DOUBLE_OBJ)

$(BUILD)/tests/%: $(BUILD)/obj/tests/tools/%.o $(BUILD)/libsupport.a $(LIBS)
	@mkdir -p $(@D)
	@$(CC) $(LDFLAGS) $(TEST_LINK) -o $@ $^ $(LDLIBS) -lcmocka -lvterm -lexpat -lutil

# Fuzz targets define LLVMFuzzerTestOneInput; tests/support/fuzz_main.c runs them over files without
# libFuzzer. FUZZ_ENGINE=-fsanitize=fuzzer with CC=clang links the real thing.
FUZZ_ENGINE ?= $(BUILD)/obj/tests/support/fuzz_main.o
$(BUILD)/fuzz/%: $(BUILD)/obj/tests/fuzz/%.o $(BUILD)/libsupport.a $(LIBS) $(if $(filter %.o,$(FUZZ_ENGINE)),$(FUZZ_ENGINE))
	@mkdir -p $(@D)
	@$(CC) $(LDFLAGS) $(TEST_LINK) -o $@ $(filter %.o %.a,$^) $(filter-out %.o,$(FUZZ_ENGINE)) $(LDLIBS)

define kernel_rule
$(BUILD)/obj/%_kernels.$(1).o: %_kernels.c
	@mkdir -p $$(@D)
	@echo '  CC   $$< ($(1))'
	@$(CC) $(CPPFLAGS) $$(ALL_CFLAGS) $(KERNEL_CFLAGS) $(FLAGS_$(1)) -DKERNEL_VARIANT=$(1) -c -o $$@ $$<
endef
$(foreach v,$(VARIANTS),$(eval $(call kernel_rule,$(v))))

# Compiled again when the version changes, and nothing else is.
$(BUILD)/version: FORCE
	@mkdir -p $(@D)
	@echo '$(VERSION)' | cmp -s - $@ || echo '$(VERSION)' >$@
$(call obj,engine/base/version.c): $(BUILD)/version
$(call obj,engine/base/version.c): CPPFLAGS += -DTRIMSCOPE_VERSION='"$(VERSION)"'
FORCE:

$(LOADED_OBJ): CPPFLAGS += $(patsubst -I%,-isystem %,$(shell pkg-config --cflags $(LOADED) 2>/dev/null))

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	@echo '  CC   $<'
	@$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -c -o $@ $<

# The manual page and completions are made by the program itself, from the tables that it runs on.
PAPERS := $(BUILD)/papers/man $(BUILD)/papers/bash $(BUILD)/papers/zsh $(BUILD)/papers/fish \
          $(LANGUAGES:%=$(BUILD)/papers/man.%)
$(BUILD)/papers/man.%: $(BUILD)/trimscope $(BUILD)/locale/%/LC_MESSAGES/trimscope.mo
	@mkdir -p $(@D)
	@XDG_CONFIG_HOME=/nonexistent LC_ALL=C.UTF-8 $(BUILD)/trimscope --lang $* help man >$@
$(BUILD)/papers/%: $(BUILD)/trimscope
	@mkdir -p $(@D)
	@XDG_CONFIG_HOME=/nonexistent $(BUILD)/trimscope --lang en help $* >$@

SHARE = $(DESTDIR)$(PREFIX)/share
install: $(BUILD)/trimscope $(CATALOGUES) $(PAPERS)
	install -Dm755 $(BUILD)/trimscope $(DESTDIR)$(PREFIX)/bin/trimscope
	install -Dm644 $(BUILD)/papers/man $(SHARE)/man/man1/trimscope.1
	install -Dm644 $(BUILD)/papers/bash $(SHARE)/bash-completion/completions/trimscope
	install -Dm644 $(BUILD)/papers/zsh $(SHARE)/zsh/site-functions/_trimscope
	install -Dm644 $(BUILD)/papers/fish $(SHARE)/fish/vendor_completions.d/trimscope.fish
	install -Dm644 engine/model/names.md $(SHARE)/doc/trimscope/names.md
	for language in $(LANGUAGES); do \
	    install -Dm644 $(BUILD)/locale/$$language/LC_MESSAGES/trimscope.mo -t \
	        $(DESTDIR)$(PREFIX)/share/locale/$$language/LC_MESSAGES && \
	    install -Dm644 $(BUILD)/papers/man.$$language $(SHARE)/man/$$language/man1/trimscope.1 || exit 1; done
	cd assets && find . -type f -exec install -Dm644 {} $(DESTDIR)$(PREFIX)/share/trimscope/{} \;

uninstall:
	rm -rf $(DESTDIR)$(PREFIX)/bin/trimscope $(DESTDIR)$(PREFIX)/share/trimscope $(SHARE)/doc/trimscope \
	    $(SHARE)/man/man1/trimscope.1 $(LANGUAGES:%=$(SHARE)/man/%/man1/trimscope.1) $(SHARE)/bash-completion/completions/trimscope \
	    $(SHARE)/zsh/site-functions/_trimscope $(SHARE)/fish/vendor_completions.d/trimscope.fish \
	    $(LANGUAGES:%=$(DESTDIR)$(PREFIX)/share/locale/%/LC_MESSAGES/trimscope.mo)

format:
	clang-format -i $(wildcard engine/*/*.[ch] ui/*.[ch] app/*.[ch] tests/*/*.[ch])

# How each source is compiled, for editors and clang tools: written from the rules above, nothing is built.
define command_entry
$(comma){"directory": "$(CURDIR)", "file": "$(1)", "command": "$(command_flags) $(if $(filter %_kernels.c,$(1)),-DKERNEL_VARIANT=base) -c $(1)"}
$(eval comma := ,)
endef
compile_commands.json:
	$(eval comma :=)$(eval command_flags := $(subst ",\",$(subst \,\\,$(CC) $(CPPFLAGS) $(filter-out -MMD -MP,$(ALL_CFLAGS)))))
	$(file >$@,[)
	$(foreach f,$(ENGINE_SRC) $(KERNEL_SRC) $(UI_SRC) $(APP_SRC) $(TEST_SRC) $(TOOL_SRC) $(FUZZ_SRC) $(SUPPORT_SRC),\
	    $(file >>$@,$(call command_entry,$(f))))
	$(file >>$@,])
	@echo '  GEN  $@'

clean:
	rm -rf $(BUILD) $(BUILD)-asan $(BUILD)-clang

-include $(shell find $(BUILD)/obj $(BUILD)/double -name '*.d' 2>/dev/null)
