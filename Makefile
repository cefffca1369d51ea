# SPDX-License-Identifier: MIT
# Carbyne's one makefile. Sources are found by wildcard; everything made goes to build/.
#
#   make            build/carbyne, the one binary
#   make run        what is missing is installed, then a small pipeline runs inside
#   make test       what is missing is installed, then every check and test
#   make check      the quick tests: unit tests and one test per system call
#   make lint       every linter          make lint-NAME   one of them
#   make debug      build/carbyne-debug, with the kernel's run-time checks
#   make asan       the launcher and the unit tests under AddressSanitizer and UBSan
#   make bench install clean
#
# Settings: DEBUG=1 (lock ranks and other run-time checks), WERROR=1 (CI=true implies it),
# CC, B (the build directory), CMD (for run), T (names of tests, for check and test),
# PREFIX and DESTDIR (for install).

MAKEFLAGS += --no-builtin-rules
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.SECONDARY:

B ?= build
ifeq ($(origin CC),default)
CC := gcc
endif
OBJCOPY ?= objcopy
PREFIX ?= /usr/local
DEBUG ?=
EXTRA ?=
JOBS := $(shell nproc)
CLANG := clang-19
FUZZ_CLANG := clang-14

ifeq ($(CI),true)
WERROR ?= 1
endif
WERROR ?=

# ------------------------------------------------------------------------------- sources

find = $(sort $(shell find $(1) -name '$(2)' $(3) 2>/dev/null))
obj = $(addprefix $(B)/,$(addsuffix .o,$(basename $(1))))

VDSO_DIR := kernel/arch/x86_64/vdso
VDSO_LDS := $(wildcard $(VDSO_DIR)/vdso.lds)
VDSO_SRC := $(if $(VDSO_LDS),$(wildcard $(VDSO_DIR)/*.[cS]))
VDSO := $(if $(VDSO_LDS),$(B)/gen/vdso.so)

NOT_KERNEL := -not -path 'kernel/host/fake/*' $(if $(VDSO_LDS),-not -path '$(VDSO_DIR)/*')
KERNEL_C := $(call find,kernel,*.c,$(NOT_KERNEL))
KERNEL_S := $(call find,kernel,*.S,$(NOT_KERNEL))
KERNEL_H := $(call find,kernel,*.h)
LAUNCHER_C := $(call find,launcher,*.c)
TOOLS_C := $(wildcard tools/*.c)
KERNEL_OBJ := $(call obj,$(KERNEL_C) $(KERNEL_S))
LAUNCHER_OBJ := $(call obj,$(LAUNCHER_C))

SYS_C := $(wildcard tests/sys/*.c tests/stress/*.c tests/security/*.c)
STATIC_C := $(wildcard tests/sys/static/*.c)
UNIT_C := $(wildcard tests/unit/*.c)
FUZZ_C := $(wildcard tests/fuzz/*.c)
TSAN_C := $(if $(UNIT_C),$(shell grep -lE '/\* tsan \*/' $(UNIT_C)))
TESTS := $(addprefix $(B)/,$(basename $(SYS_C) $(STATIC_C) $(UNIT_C) $(FUZZ_C)) \
	$(addsuffix .tsan,$(basename $(TSAN_C))))

# Headers that host tools print; the tool is there or the header is not wanted.
GEN_H := $(if $(wildcard tools/gen-seccomp.c),$(B)/gen/seccomp_filter.h)

# --------------------------------------------------------------------------------- flags

WARN := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
	-Wcast-qual -Wpointer-arith -Wwrite-strings -Wvla -Wundef -Wformat=2 \
	-Wimplicit-fallthrough $(if $(WERROR),-Werror)
GCC_FLAGS := -Wlogical-op -Wduplicated-cond
GCC_KERNEL_FLAGS := -fno-tree-loop-distribute-patterns
ifneq ($(findstring clang,$(CC)),)
GCC_FLAGS :=
GCC_KERNEL_FLAGS :=
endif

DEFINES := $(if $(DEBUG),-DCONFIG_DEBUG)
CODEGEN := -std=gnu17 -O2 -g -ffreestanding -nostdlib -fno-stack-protector -mgeneral-regs-only \
	-mno-red-zone -fPIE -fno-omit-frame-pointer -fcf-protection=none \
	-fno-strict-aliasing -fno-asynchronous-unwind-tables
KERNEL_INCLUDES := -Ikernel -I$(B)/gen
KERNEL_FLAGS := $(CODEGEN) $(GCC_KERNEL_FLAGS) $(WARN) $(GCC_FLAGS) \
	-Wframe-larger-than=2048 $(KERNEL_INCLUDES) $(DEFINES) -Wa,-I$(B)/gen
HOST_FLAGS := -std=gnu17 -O2 -g -fno-omit-frame-pointer -D_GNU_SOURCE= $(WARN) $(GCC_FLAGS)
LAUNCHER_INCLUDES := -Ilauncher -Ikernel -I$(B)/gen
LAUNCHER_FLAGS := $(HOST_FLAGS) $(LAUNCHER_INCLUDES) $(DEFINES)
LAUNCHER_LIBS :=
# A static program of glibc's asks the processor for its features at length, which takes
# 0.25 ms in a virtual machine; with musl, if it is there, the command starts that much sooner.
MUSL := $(if $(filter gcc,$(CC)),$(shell command -v musl-gcc))
LAUNCHER_CC := $(or $(MUSL),$(CC))
MUSL_HEADERS := $(if $(MUSL),$(B)/gen/host)
MUSL_FLAGS := $(addprefix -isystem ,$(MUSL_HEADERS))
TEST_FLAGS := -std=gnu17 -O1 -g -D_GNU_SOURCE= -Wall -Wextra $(if $(WERROR),-Werror) -pthread \
	-Itests/sys
UNIT_FLAGS := -std=gnu17 -O1 -g -fno-omit-frame-pointer -Ikernel -I$(B)/gen -DCONFIG_UNIT_TEST \
	-DCONFIG_DEBUG -pthread $(if $(WERROR),-Werror)
ASAN_FLAGS := -fsanitize=address,undefined -fno-sanitize-recover=all
# gcc warns of atomic_thread_fence(), which it cannot follow there
TSAN_FLAGS := -fsanitize=thread $(if $(findstring clang,$(CC)),,-Wno-tsan)
DEPS = -MMD -MP -MF $(@:.o=).d

# Objects depend on this file, which changes only when the compiler or its flags do.
STAMP := $(B)/flags
STAMP_TEXT := $(CC) $(LAUNCHER_CC) $(KERNEL_FLAGS) $(HOST_FLAGS) $(TEST_FLAGS) $(EXTRA)
$(shell mkdir -p $(B); [ "$$(cat $(STAMP) 2>/dev/null)" = '$(STAMP_TEXT)' ] || \
	echo '$(STAMP_TEXT)' >$(STAMP))

# --------------------------------------------------------------------------------- build

.PHONY: all tests objects
all: $(B)/carbyne
tests: $(TESTS)
objects: $(call obj,$(KERNEL_C) $(LAUNCHER_C))

$(KERNEL_OBJ) $(LAUNCHER_OBJ): | $(GEN_H)
$(LAUNCHER_OBJ): | $(MUSL_HEADERS)
$(call obj,$(KERNEL_S)): $(VDSO)

$(B)/kernel/%.o: kernel/%.c $(STAMP)
	@mkdir -p $(@D)
	$(CC) $(KERNEL_FLAGS) $(EXTRA) $(DEPS) -c -o $@ $<

$(B)/kernel/%.o: kernel/%.S $(STAMP)
	@mkdir -p $(@D)
	$(CC) $(KERNEL_FLAGS) $(EXTRA) $(DEPS) -c -o $@ $<

$(B)/launcher/%.o: launcher/%.c $(STAMP)
	@mkdir -p $(@D)
	$(LAUNCHER_CC) $(MUSL_FLAGS) $(LAUNCHER_FLAGS) $(EXTRA) $(DEPS) -c -o $@ $<

# Linux's own headers, which musl has none of.
$(B)/gen/host:
	@mkdir -p $@
	ln -sfn /usr/include/linux /usr/include/asm-generic $@
	ln -sfn $(or $(wildcard /usr/include/$(shell $(CC) -print-multiarch)/asm),/usr/include/asm) $@/asm

$(B)/gen/vdso.so: $(VDSO_SRC) $(VDSO_LDS) $(KERNEL_H) $(STAMP)
	@mkdir -p $(@D)
	$(CC) $(filter-out -fPIE,$(KERNEL_FLAGS)) $(EXTRA) -fPIC -shared -g0 -static-libgcc \
		-Wl,-T,$(VDSO_LDS) -Wl,-soname,linux-vdso.so.1 -Wl,--hash-style=both \
		-Wl,--build-id=none -Wl,-Bsymbolic -Wl,-z,noexecstack -Wl,--no-relax -o $@ $(VDSO_SRC)
	$(OBJCOPY) --strip-unneeded $@

# The kernel is linked twice: the second time with the symbol table of the first. The table
# comes last in the read-only data, so that nothing else moves; this is checked.
LINK_KERNEL = $(CC) -static -nostdlib -no-pie -Wl,-T,kernel/kernel.lds -Wl,--build-id=none \
	-Wl,-z,noexecstack -Wl,--no-relax -Wl,-z,max-page-size=4096 -Wl,--fatal-warnings

MAY_MOVE := ' kernel_\(symbol\|rodata_end\)'

$(B)/gen/no_symbols.S: tools/gen-symbols
	@mkdir -p $(@D)
	tools/gen-symbols >$@
$(B)/gen/symbols.S: $(B)/kernel.first.elf tools/gen-symbols
	tools/gen-symbols $< >$@
$(B)/gen/%.o: $(B)/gen/%.S
	$(CC) -c -o $@ $<
$(B)/kernel.first.elf: $(KERNEL_OBJ) $(B)/gen/no_symbols.o kernel/kernel.lds
	$(LINK_KERNEL) -o $@ $(filter %.o,$^)
$(B)/kernel.elf: $(KERNEL_OBJ) $(B)/gen/symbols.o kernel/kernel.lds
	$(LINK_KERNEL) -o $@ $(filter %.o,$^)
	cmp <(nm $(B)/kernel.first.elf | grep -v $(MAY_MOVE)) <(nm $@ | grep -v $(MAY_MOVE))

# Only the loaded bytes go into the launcher; build/kernel.elf keeps the debug information.
$(B)/kernel.image: $(B)/kernel.elf
	$(OBJCOPY) --strip-all $< $@
$(B)/gen/kernel_image.o: $(B)/kernel.image
	@printf '%s\n' '.section .rodata' '.globl kernel_image_start, kernel_image_end' \
		'.balign 4096' 'kernel_image_start: .incbin "$<"' 'kernel_image_end:' \
		'.section .note.GNU-stack,"",@progbits' >$(@:.o=.S)
	$(CC) -c -o $@ $(@:.o=.S)

$(B)/carbyne: $(LAUNCHER_OBJ) $(B)/gen/kernel_image.o
	$(LAUNCHER_CC) $(EXTRA) -static -o $@ $^ $(LAUNCHER_LIBS)

# Host tools, and what they print.
$(B)/tools/gen-seccomp: LDLIBS := -lseccomp
$(B)/tools/%: tools/%.c $(STAMP)
	@mkdir -p $(@D)
	$(CC) $(HOST_FLAGS) -Ikernel $(DEPS) -o $@ $< $(LDLIBS)
$(B)/gen/seccomp_filter.h: $(B)/tools/gen-seccomp
	@mkdir -p $(@D)
	$< >$@

# --------------------------------------------------------------------------------- tests
# A test is one file. Comments in its first lines may say
#   /* cflags: -no-pie */  /* libs: -lm */          how to build it
#   /* unit: lib/tree.c base/slab.c */  /* tsan */  what of the kernel a unit test or fuzzer is of
# tools/gen-test-rules turns them into rules; tests/run reads the others.

ifneq ($(MAKECMDGOALS),clean)
-include $(B)/tests.mk
endif
$(B)/tests.mk: tools/gen-test-rules $(SYS_C) $(STATIC_C) $(UNIT_C) $(FUZZ_C)
	@tools/gen-test-rules $(filter %.c,$^) >$@

$(B)/tests/unit/%: tests/unit/%.c $(STAMP) | $(GEN_H)
	@mkdir -p $(@D)
	$(CC) $(UNIT_FLAGS) $(ASAN_FLAGS) -D_GNU_SOURCE= -Wall -Wextra -Itests/sys $(DEPS) \
		$(TEST_CFLAGS) -o $@ $< $(filter %.o,$^) $(TEST_LIBS)
$(B)/tests/unit/%.tsan: tests/unit/%.c $(STAMP) | $(GEN_H)
	@mkdir -p $(@D)
	$(CC) $(UNIT_FLAGS) $(TSAN_FLAGS) -D_GNU_SOURCE= -Wall -Wextra -Itests/sys $(DEPS) \
		$(TEST_CFLAGS) -o $@ $< $(filter %.o,$^) $(TEST_LIBS)
$(B)/unit/asan/%.o: kernel/%.c $(STAMP) | $(GEN_H)
	@mkdir -p $(@D)
	$(CC) $(UNIT_FLAGS) $(ASAN_FLAGS) $(DEPS) -c -o $@ $<
$(B)/unit/tsan/%.o: kernel/%.c $(STAMP) | $(GEN_H)
	@mkdir -p $(@D)
	$(CC) $(UNIT_FLAGS) $(TSAN_FLAGS) $(DEPS) -c -o $@ $<
$(B)/tests/fuzz/%: tests/fuzz/%.c $(STAMP) | $(GEN_H)
	@mkdir -p $(@D)
	$(FUZZ_CLANG) $(UNIT_FLAGS) -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
		-D_GNU_SOURCE= $(TEST_CFLAGS) -o $@ $(filter %.c,$^) $(TEST_LIBS)
$(B)/tests/sys/static/%: tests/sys/static/%.c $(STAMP)
	@mkdir -p $(@D)
	$(CC) $(TEST_FLAGS) -static $(DEPS) $(TEST_CFLAGS) -o $@ $< -lrt $(TEST_LIBS)
$(B)/tests/%: tests/%.c $(STAMP)
	@mkdir -p $(@D)
	$(CC) $(TEST_FLAGS) $(DEPS) $(TEST_CFLAGS) -o $@ $< -lrt $(TEST_LIBS)

.PHONY: check test bench asan
check: all tests
	tests/run --only unit,sys $(T)

# One summary line ends it: the runner builds and lints too, and counts both as tests.
test:
	tools/install-deps --tests
	tests/run --build --lint $(T)

# A debug kernel's figures mean nothing.
BENCH_C := bench/ubench.c $(wildcard bench/cases_*.c)
bench: $(B)/carbyne $(B)/bench/ubench
	$(if $(DEBUG),$(error bench is of the kernel without DEBUG))bench/run --build $(B) $(T)
$(B)/bench/ubench: $(BENCH_C) bench/ubench.h $(STAMP)
	@mkdir -p $(@D)
	$(CC) $(HOST_FLAGS) -pthread -o $@ $(BENCH_C)

# The kernel with DEBUG=1, for a leg of the tests.
.PHONY: debug
debug: | $(GEN_H)
	@$(MAKE) -s B=$(B)/debug DEBUG=1 $(B)/debug/carbyne
	@cmp -s $(B)/debug/carbyne $(B)/carbyne-debug || cp $(B)/debug/carbyne $(B)/carbyne-debug

asan:
	$(MAKE) $(B)/carbyne-asan $(filter $(B)/tests/unit/%,$(TESTS))
	tests/run --only unit
$(B)/carbyne-asan: $(LAUNCHER_C) $(B)/gen/kernel_image.o $(STAMP) | $(GEN_H)
	$(CC) $(LAUNCHER_FLAGS) $(ASAN_FLAGS) -o $@ $(filter %.c %.o,$^) $(LAUNCHER_LIBS)

# ---------------------------------------------------------------------------------- lint
# NAME:PROGRAM that it needs, in the order in which make test reports them.

LINTS := format:clang-format-14 layers:python3 headers:$(CC) syscalls:python3 \
	host-calls:objdump gcc:gcc clang:$(CLANG) cppcheck:cppcheck tidy:clang-tidy-14
LINT_TARGETS := $(foreach lint,$(LINTS),lint-$(firstword $(subst :, ,$(lint))))
.PHONY: lint print-lints $(LINT_TARGETS)
lint: $(LINT_TARGETS)
print-lints:
	@printf '%s\n' $(LINTS)

FORMATTED := $(call find,kernel launcher tests bench tools,*.[ch])
lint-format:
	@printf '%s\n' $(FORMATTED) | xargs -r -P2 -I{} sh -c 'clang-format-14 {} | cmp -s - {} || \
		{ echo "{}: is not as clang-format-14 -i leaves it"; exit 1; }'
lint-layers:
	@tools/check-layers
lint-headers: $(GEN_H)
	@printf '%s\n' $(filter-out kernel/host/fake/%,$(KERNEL_H:kernel/%=%)) | xargs -r -P2 -I{} \
		sh -c 'echo "#include \"{}\"" | $(CC) $(KERNEL_FLAGS) -Werror -fsyntax-only -x c - || \
			{ echo "{}: does not compile by itself"; exit 1; }'
lint-syscalls:
	@tools/check-syscalls
lint-host-calls: $(B)/kernel.elf
	@tools/check-host-calls $(B)
lint-gcc:
	@$(MAKE) -s $(if $(WERROR),,B=$(B)/lint/gcc WERROR=1) CC=gcc -k objects
lint-clang:
	@$(MAKE) -s B=$(B)/lint/clang WERROR=1 CC=$(CLANG) DEBUG=1 EXTRA=-Wthread-safety -k objects
lint-cppcheck:
	@mkdir -p $(B)/lint/cppcheck
	@[ -z '$(KERNEL_C)$(LAUNCHER_C)' ] || cppcheck -q -j2 --std=c11 --platform=unix64 -Ikernel -Ilauncher \
		--enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
		--cppcheck-build-dir=$(B)/lint/cppcheck --suppress=missingInclude --suppress=comparePointers \
		-D__x86_64__ -D__GNUC__=12 $(KERNEL_C) $(LAUNCHER_C)

# clang-tidy is slow: each clean file leaves a stamp, and what three minutes do not reach is
# named, not failed.
TIDY := $(addprefix $(B)/lint/tidy/,$(addsuffix .ok,$(KERNEL_C) $(LAUNCHER_C)))
lint-tidy: $(GEN_H)
	@timeout 180 $(MAKE) -s -k $(if $(filter -j%,$(MAKEFLAGS)),,-j2) tidy-files || { status=$$?; [ $$status -eq 124 ] || exit 1; \
		echo "clang-tidy: out of time, $$($(MAKE) -n tidy-files | grep -c -- --quiet)" \
			'files not looked at'; }
.PHONY: tidy-files
tidy-files: $(TIDY)
$(B)/lint/tidy/kernel/%.ok: TIDY_FLAGS := -ffreestanding -mgeneral-regs-only $(KERNEL_INCLUDES)
$(B)/lint/tidy/launcher/%.ok: TIDY_FLAGS := -D_GNU_SOURCE= $(LAUNCHER_INCLUDES)
$(B)/lint/tidy/%.ok: % .clang-tidy
	@mkdir -p $(@D)
	clang-tidy-14 --quiet $< -- -std=gnu17 $(TIDY_FLAGS) $(DEFINES) 2>/dev/null
	$(CC) -std=gnu17 $(TIDY_FLAGS) -MM -MP -MT $@ -MF $(@:.ok=.d) $<
	touch $@

# ---------------------------------------------------------------------- run, install, clean

.PHONY: run install clean
define PIPELINE
cd "$(mktemp -d)"
cat >sum.c <<'END'
#include <stdio.h>

int main(void)
{
	int n, sum = 0;

	while (scanf("%d", &n) == 1)
		sum += n;
	printf("the sum of 1 to 100, by way of bash, gcc, python3 and sort: %d\n", sum);
	return 0;
}
END
gcc -O2 -o sum sum.c
python3 -c 'for n in range(1, 101): print(n)' | sort -rn | ./sum
endef
# CMD is the shell's, dollar signs and all
override CMD := $(if $(filter undefined,$(origin CMD)),$(value PIPELINE),$(value CMD))
export CMD
run:
	@tools/install-deps --build
	@$(MAKE) -s -j$(JOBS) all
	@$(B)/carbyne run -- bash -c "$$CMD"

install: all
	install -D -m 755 $(B)/carbyne $(DESTDIR)$(PREFIX)/bin/carbyne
	install -D -m 644 docs/carbyne.1 $(DESTDIR)$(PREFIX)/share/man/man1/carbyne.1

clean:
	rm -rf $(B)

ifneq ($(MAKECMDGOALS),clean)
-include $(KERNEL_OBJ:.o=.d) $(LAUNCHER_OBJ:.o=.d) $(addsuffix .d,$(TESTS)) \
	$(patsubst tools/%.c,$(B)/tools/%.d,$(TOOLS_C)) $(TIDY:.ok=.d) \
	$(wildcard $(B)/unit/*/*/*.d $(B)/unit/*/*/*/*.d)
endif
