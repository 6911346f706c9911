# Builds the library, the programs and the tests. `make help` prints this.
#
#   make                  libraries and programs; writes below build/ and nowhere else
#   make deps             installs what is missing (apt), or says what to install; deps-browser: Chromium, for tests/browser.sh
#   make demo             installs what is missing, builds, runs an acquisition on a simulated instrument
#   make check            installs what is missing, builds, runs the tests: the gate
#   make check-quick      the same with short loops, in 90 s;  make check-long  with long ones
#   make check-arm        cross-builds for 64-bit ARM and runs the network's tests under qemu;  deps-arm  installs what that needs
#   make python           the Python package, in build/gcc/python, and its tests
#   make ensemble         trains an ensemble like the shipped one, into build/ensemble: some processor hours
#   make install          programs, libraries, header, manual pages, weights;  make uninstall
#   make lib | programs | tests | test-objects | man | peers | format | clean
#
# Settings: CC=gcc|clang  SAN=address,undefined|thread  BLAS=openblas|none  WERROR=1  V=1
#           PREFIX=/usr/local  DESTDIR=  JOBS=N (tests at a time)  EXPECT_SKIPS=N
# Objects of each setting have their own folder under build/, so no `clean` is needed between them.

CC      ?= cc
ifeq ($(origin CC),default)
CC      := gcc
endif
SAN     ?=
BLAS    ?= openblas
PREFIX  ?= /usr/local
DESTDIR ?=
VERSION := $(shell sed -n 's/.*RESHED_VERSION "\(.*\)"/\1/p' include/reshed_base.h)
ABI     := $(shell sed -n 's/^\#define RESHED_ABI \(.*\)/\1/p' include/reshed_base.h)

ifneq ($(BLAS),openblas)
ifneq ($(BLAS),none)
$(error BLAS is '$(BLAS)': expected openblas or none)
endif
endif

comma   := ,
CONFIG  := $(notdir $(CC))$(if $(SAN),-$(subst $(comma),-,$(SAN)))$(if $(filter none,$(BLAS)),-noblas)
B       := build/$(CONFIG)
# The default configuration's programs stand directly in build/, the others beside their objects.
BIN     := $(if $(filter gcc,$(CONFIG)),build,$(B))

# ---------------------------------------------------------------------------------------- packages
LIBPKGS := hdf5 libzip $(if $(filter openblas,$(BLAS)),openblas)
PKGS    := $(LIBPKGS) libpng libtiff-4 cairo inih libmicrohttpd
TESTPKG := cmocka
DEBS    := gcc libc6-dev make pkg-config help2man libpng-dev libtiff-dev libhdf5-dev libzip-dev libcairo2-dev libinih-dev libmicrohttpd-dev libopenblas-dev libcmocka-dev fonts-dejavu-core python3-numpy python3-cffi
FEDORA  := gcc make pkgconf-pkg-config help2man libpng-devel libtiff-devel hdf5-devel libzip-devel cairo-devel inih-devel libmicrohttpd-devel openblas-devel libcmocka-devel python3-numpy python3-cffi
BREW    := gcc make pkg-config help2man libpng libtiff hdf5 libzip cairo inih libmicrohttpd openblas cmocka numpy cffi
PC      := pkg-config
pc       = $(shell $(PC) $(1) 2>/dev/null)
PCFLAGS := $(call pc,--cflags $(PKGS))
PCLIBS  := $(call pc,--libs $(PKGS))
LIBLIBS := $(call pc,--libs $(LIBPKGS))
# Fails with one line when one of $(1) is missing.
need     = for p in $(1); do $(PC) --exists $$p 2>/dev/null || m="$$m $$p"; done; \
           [ -z "$$m" ] || { echo "missing:$$m; 'make deps' installs what is missing, or says what to install" >&2; exit 1; }

# ------------------------------------------------------------------------------------------- flags
WARN    := -Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes $(if $(WERROR),-Werror)
# clang notes loops that it cannot vectorise for a sanitizer; that is no warning of ours.
SANFLAG := $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=all \
            $(if $(findstring clang,$(CC)),-Wno-pass-failed))
CFLAGS  ?= -O2 -g
ALLCFLAGS = -std=c11 $(WARN) $(CFLAGS) -fPIC -fvisibility=hidden -fopenmp $(SANFLAG) \
            -Iinclude -Isrc -Itests -I. $(PCFLAGS)
# gold (of binutils) and lld link a test in a third of the usual linker's time; there are more than a hundred and fifty.
# Where the compiler takes neither, a trial shows it.
links    = $(shell o=$$(mktemp) && echo 'int main(void) { return 0; }' | $(CC) -fuse-ld=$(1) -x c -o "$$o" - >/dev/null 2>&1 && echo yes; rm -f "$$o")
LINKER  ?= $(if $(call links,gold),-fuse-ld=gold,$(if $(call links,lld),-fuse-ld=lld))
LINKER  := $(LINKER)
LINK    = $(LDFLAGS) $(LINKER) -fopenmp $(SANFLAG) -Wl,--as-needed
ALLLIBS = $(LINK) $(PCLIBS) -ldl -lm
# Tests see every allocation and every change of a file, and can make them fail (tests/support/support.c, disk.c).
WRAP    := -Wl,--wrap=rs_os_alloc,--wrap=malloc,--wrap=calloc,--wrap=realloc \
           -Wl,--wrap=rs_os_write_at,--wrap=rs_os_resize,--wrap=rs_os_sync,--wrap=rs_os_sync_folder,--wrap=rs_os_close

# ISA flags reach these folders' objects and nothing else. clang takes ten minutes to check an unrolled kernel for
# undefined behaviour; gcc takes a minute, and a fifth of it with -O1, without following variables for a debugger.
KERNEL  := $(if $(SAN),$(if $(findstring clang,$(CC)),-O3 -fno-sanitize=undefined,-O1 -fno-var-tracking),-O3)
ISA_generic := $(KERNEL)
ISA_avx2   := $(KERNEL) -mavx2 -mfma -mf16c
ISA_avx512 := $(KERNEL) -mavx512f -mavx512bw -mavx512vl -mavx512dq -mfma
ISA_avx512bf16 := $(ISA_avx512) -mavx512bf16
ISA_neon   := $(KERNEL)
TARGET  := $(shell $(CC) -dumpmachine 2>/dev/null)
X86     := $(filter x86_64%,$(TARGET))
ARM64   := $(filter aarch64% arm64%,$(TARGET))
# A cross compiler's linker and archiver have its prefix.
TOOL    := $(if $(findstring /,$(CC)),,$(if $(filter %-gcc,$(CC)),$(patsubst %gcc,%,$(CC))))

# ----------------------------------------------------------------------------------------- sources
# Two libraries. libreshed is what others link: networks, images, the public interface; no cairo, no
# instrument. The programs link it and, from the other one, the objects that they use.
c_in     = $(wildcard $(addsuffix /*.c,$(1)))
KERNELS := $(call c_in,src/nn/kernels/ref src/nn/kernels/generic \
                       $(if $(X86),src/nn/kernels/avx2 src/nn/kernels/avx512 src/nn/kernels/avx512bf16) \
                       $(if $(ARM64),src/nn/kernels/neon))
LIBSRC  := $(call c_in,src/base src/base/os src/imgproc/image src/nn src/io/hdf5 src/io/weights src/infer src/api) $(KERNELS)
LIBOBJ  := $(LIBSRC:%.c=$(B)/%.o)
APPSRC  := $(filter-out $(LIBSRC) src/nn/kernels/%,$(call c_in,src/* src/*/* src/*/*/*))
APPOBJ  := $(APPSRC:%.c=$(B)/%.o)
PROGS   := $(patsubst tools/%/main.c,reshed-%,$(wildcard tools/*/main.c))
objects  = $(patsubst %.c,$(B)/%.o,$(call c_in,$(1)))
# Everything of the programs but their mains, for the tests.
TOOLOBJ := $(filter-out %/main.o,$(call objects,tools/*)) $(call objects,benchmarks)
TESTSRC := $(call c_in,tests/* tests/*/*)
TESTS   := $(filter test_%,$(notdir $(TESTSRC:.c=)))
# What every test links, and what it takes of the rest: a test of text then loads none of HDF5's thirty libraries.
SUPPORT := $(B)/tests/support/support.o $(B)/tests/support/disk.o

.PHONY: all lib programs quick-programs tests test-objects help FORCE need-tests check check-quick check-long check-arm deps-arm python python-lib fuzz deps deps-browser peers demo ensemble man install uninstall format clean
.SECONDARY:
.DELETE_ON_ERROR:
all: lib programs
programs: $(PROGS:%=$(BIN)/%)
lib: $(B)/libreshed.a $(B)/libreshed.so
tests: $(TESTS:%=$(B)/tests/%)
# For another compiler's warnings: a hundred tests need not be linked.
test-objects: $(TESTSRC:%.c=$(B)/%.o) $(TOOLOBJ)

help:
	@sed -n '1,/^$$/s/^# \{0,1\}//p' Makefile

# ------------------------------------------------------------------------------------------- rules
Q       := $(if $(V),,@)
say      = $(if $(V),,@printf '  %-5s %s\n' $(1) $@)

# Objects are rebuilt when the flags change, and the two that hold more when that changes: the prefix,
# and the commit that a measurement belongs to.
keep     = mkdir -p $(@D); printf '%s\n' $(1) > $@.new; cmp -s $@.new $@ && rm $@.new || mv $@.new $@
FLAGS    = $(CC) $(ALLCFLAGS) $(ALLLIBS) $(ISA_avx2) $(ISA_avx512bf16)
$(B)/flags: FORCE
	@$(if $(PCLIBS),,$(call need,$(PKGS));)$(call keep,'$(FLAGS)')
$(B)/prefix: FORCE
	@$(call keep,'$(PREFIX)')
$(B)/commit: FORCE
	@$(call keep,"$$(git describe --always --dirty 2>/dev/null || echo unknown)")
$(B)/tools/cli/find_weights.o: MORE = -DRESHED_PREFIX=\"$(PREFIX)\"
$(B)/tools/cli/find_weights.o: $(B)/prefix
$(B)/tools/bench/report.o: MORE = -DRESHED_COMMIT=\"$$(cat $(B)/commit)\"
$(B)/tools/bench/report.o: $(B)/commit
$(B)/src/python/headers.o: MORE = -DRS_PY_HEADERS=\"$$(cat include/reshed_base.h include/reshed_driver.h src/python/rooms.h | cksum | tr -dc 0-9)\"
$(B)/src/nn/blas.o: MORE = $(if $(filter none,$(BLAS)),-DRS_NO_BLAS)
$(B)/src/nn/kernels/generic/%.o: MORE = $(ISA_generic)
$(B)/src/nn/kernels/neon/%.o: MORE = $(ISA_neon)
$(B)/src/nn/kernels/avx2/%.o: MORE = $(ISA_avx2)
$(B)/src/nn/kernels/avx512/%.o: MORE = $(ISA_avx512)
$(B)/src/nn/kernels/avx512bf16/%.o: MORE = $(ISA_avx512bf16)
$(TESTSRC:%.c=$(B)/%.o): | need-tests
need-tests:
	@$(call need,$(TESTPKG))
$(B)/%.o: %.c $(B)/flags
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(ALLCFLAGS) $(MORE) -MMD -MP -c -o $@ $<

# The page, which the programs serve from memory.
WEB     := $(sort $(wildcard web/*.html web/*.css web/*.js web/*.svg))
$(B)/web/list: FORCE
	@$(call keep,'$(WEB)')
$(B)/web/files.c: tools/embed.sh $(B)/web/list $(WEB)
	$(call say,EMBED)
	$(Q)sh tools/embed.sh $(WEB) > $@
$(B)/web/files.o: $(B)/web/files.c $(B)/flags
	$(call say,CC)
	$(Q)$(CC) $(ALLCFLAGS) -MMD -MP -c -o $@ $<

# What the programs and tests link: every symbol of the libraries.
$(B)/core.a: $(LIBOBJ)
$(B)/rooms.a: $(APPOBJ) $(B)/web/files.o
$(B)/cli.a: $(call objects,tools/cli)
$(B)/tools.a: $(TOOLOBJ)
$(B)/support.a: $(filter-out $(SUPPORT),$(call objects,tests/support))
$(B)/core.a $(B)/rooms.a $(B)/cli.a $(B)/tools.a $(B)/support.a:
	$(call say,AR)
	$(Q)rm -f $@ && $(TOOL)ar rcs $@ $^

# What others link: only the functions of include/reshed.h are visible. It is linked without the programs'
# packages and with every symbol resolved, so that none of them can slip in.
$(B)/libreshed.a: $(LIBOBJ)
	$(call say,AR)
	$(Q)$(TOOL)ld -r -o $(B)/reshed.o $^ && $(TOOL)objcopy --localize-hidden $(B)/reshed.o && rm -f $@ && $(TOOL)ar rcs $@ $(B)/reshed.o
$(B)/libreshed.so: $(LIBOBJ)
	$(call say,LD)
	$(Q)$(CC) -shared -Wl,-soname,libreshed.so.$(ABI) $(if $(SAN),,-Wl$(comma)-z$(comma)defs) -o $@.$(ABI) $^ $(LINK) \
	    $(LIBLIBS) -lm && ln -sf libreshed.so.$(ABI) $@

# What the Python package uses beside libreshed: flat functions over the other rooms (src/python/rooms.h), which
# alone are visible. Never installed but inside the package.
python-lib: $(B)/libreshed_rooms.so
$(B)/libreshed_rooms.so: $(call objects,src/python) $(B)/rooms.a $(B)/core.a
	$(call say,LD)
	$(Q)$(CC) -shared -Wl,-soname,libreshed_rooms.so -Wl,--exclude-libs,ALL $(if $(SAN),,-Wl$(comma)-z$(comma)defs) -o $@ $^ $(ALLLIBS)

# A program: its own folder, the command line's, and what these use of the libraries.
define program_rule
$(BIN)/reshed-$(1): $(call objects,tools/$(1) $(if $(filter bench,$(1)),benchmarks)) $(B)/cli.a $(B)/rooms.a $(B)/core.a
	$$(call say,LD)
	$$(Q)$$(CC) -o $$@ $$^ $$(ALLLIBS)
endef
$(foreach p,$(PROGS:reshed-%=%),$(eval $(call program_rule,$(p))))

# The same for check-quick, which starts them more than a thousand times and half the time waits for the loader: HDF5's
# shared library brings thirty others for network drivers, cairo's twenty for X11. Archives need none of them. Where one
# is absent, the usual program stands in. (libzip and libmicrohttpd lead to libraries without archives.) Not for a sanitizer, which
# tells fontconfig's leaks from ours by the library's name.
QUICK    := $(if $(SAN),$(BIN),build/$(CONFIG)-quick)
found     = $(or $(firstword $(wildcard $(patsubst -L%,%/lib$(1).a,$(filter -L%,$(PCLIBS))))),-l$(1))
archives  = $(call found,hdf5) $(if $(filter openblas,$(BLAS)),$(call found,openblas)) -Wl,-Bstatic -Wl,--start-group \
            $(filter-out -pthread -lpthread -lm -ldl,$(call pc,--static --libs $(filter-out $(LIBPKGS) libmicrohttpd,$(PKGS)))) \
            -lsz -laec -lz -Wl,--end-group -Wl,-Bdynamic -lzip -lmicrohttpd -lstdc++ -ldl -lm
quick-programs: $(PROGS:%=$(QUICK)/%)
ifeq ($(SAN),)
$(QUICK)/reshed-%: $(BIN)/reshed-%
	$(call say,LD)
	@mkdir -p $(@D)
	$(Q)rm -f $@ && $(CC) -no-pie -o $@ $(call objects,tools/$* $(if $(filter bench,$*),benchmarks)) \
	    $(B)/cli.a $(B)/rooms.a $(B)/core.a $(LINK) $(archives) 2>$@.log || ln -sf $(abspath $<) $@
endif

# A test: its object, wherever under tests/ it lies, and everything else.
define test_rule
$(B)/tests/$(notdir $(1)): $(B)/$(1).o $(SUPPORT) $(B)/support.a $(B)/tools.a $(B)/rooms.a $(B)/core.a
	$$(call say,LD)
	$$(Q)$$(CC) -o $$@ $$^ $$(WRAP) $$(ALLLIBS) $$(call pc,--libs $$(TESTPKG))
endef
$(foreach t,$(TESTSRC:%.c=%),$(if $(filter test_%,$(notdir $(t))),$(eval $(call test_rule,$(t)))))

# What one test preloads into programs; a sanitizer would have no place there.
$(B)/tests/fail_calls.so: tests/data/fail_calls.c
	$(call say,LD)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=c11 $(WARN) $(CFLAGS) -fPIC -shared -o $@ $< -ldl
$(B)/tests/test_failing_calls: | $(B)/tests/fail_calls.so

-include $(shell find $(B) -name '*.d' 2>/dev/null)

# ------------------------------------------------------------------------------------------- tests
check check-quick check-long: deps
	@$(MAKE) --no-print-directory lib python-lib programs tests $(if $(filter check-quick,$@),quick-programs)
	@RESHED_LONG=$(if $(filter check-long,$@),1) RESHED_QUICK=$(if $(filter check-quick,$@),1) \
	    JOBS=$(or $(JOBS),$(if $(filter check-quick,$@),$$(($$(getconf _NPROCESSORS_ONLN) + 1)),1)) \
	    BIN=$(if $(filter check-quick,$@),$(QUICK),$(BIN)) SHARED_BIN=$(BIN) B=$(B) SAN=$(SAN) CC=$(CC) BLAS=$(BLAS) sh tests/run.sh \
	    tests/arrows.sh tests/docs.sh tests/build.sh tests/library.sh tests/python.sh \
	    $(if $(filter check-quick,$@),,tests/browser.sh) $(TESTS:%=$(B)/tests/%)
	@$(if $(filter check-long,$@),if command -v clang >/dev/null; then $(MAKE) --no-print-directory fuzz; fi)

# 64-bit ARM, on any Debian machine: cross-built against Debian's arm64 packages, which are unpacked into a folder, and
# run under qemu, which takes long: the short forms, and suites that start no program.
ARM_CC    := aarch64-linux-gnu-gcc
ARM_ROOT  := build/arm64
ARM_PKGS   = libc6-dev libgomp1 libgcc-s1 $(filter-out libc6-dev libopenblas-dev,$(filter lib%-dev,$(DEBS)))
ARM_SYS    = --sysroot=$(CURDIR)/$(ARM_ROOT)/root
ARM_PC     = env PKG_CONFIG_SYSROOT_DIR=$(CURDIR)/$(ARM_ROOT)/root \
    PKG_CONFIG_LIBDIR=$(CURDIR)/$(ARM_ROOT)/root/usr/lib/aarch64-linux-gnu/pkgconfig:$(CURDIR)/$(ARM_ROOT)/root/usr/share/pkgconfig pkg-config
ARM_MAKE   = $(MAKE) --no-print-directory CC=$(ARM_CC) BLAS=none PC='$(ARM_PC)' CFLAGS='-O2 -g $(ARM_SYS)' LDFLAGS='$(ARM_SYS)'
ARM_TESTS := base kernels nn networks bf16 stream goldens train_kernels train_goldens
deps-arm:
	@for c in $(ARM_CC) qemu-aarch64; do command -v $$c >/dev/null || \
	    { echo "missing: $$c; apt-get install gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user" >&2; exit 1; }; done
	@sh tools/arm_root.sh $(ARM_ROOT) $(ARM_PKGS)
check-arm: deps-arm
	@$(ARM_MAKE) lib programs $(ARM_TESTS:%=build/$(ARM_CC)-noblas/tests/test_%)
	@RESHED_QUICK=1 EMULATOR='qemu-aarch64 -L $(CURDIR)/$(ARM_ROOT)/root' JOBS=$(or $(JOBS),1) sh tests/run.sh \
	    $(ARM_TESTS:%=build/$(ARM_CC)-noblas/tests/test_%)

python: deps
	@$(MAKE) --no-print-directory lib python-lib
	@BIN=$(BIN) B=$(B) SAN=$(SAN) CC=$(CC) sh tests/python.sh

# ---------------------------------------------------------------------------------------- fuzzing
# clang's libFuzzer on every reader: make fuzz [TARGETS="png tiff"] [SECONDS=60], of each target.
SECONDS ?= 60
FUZZCONF := CC=clang SAN=fuzzer-no-link,address,undefined BLAS=none
FUZZER   := build/clang-fuzzer-no-link-address-undefined-noblas/fuzz/reshed-fuzz
$(B)/fuzz/reshed-fuzz: $(call objects,tests/fuzz src/base src/base/os src/io src/io/common src/io/instruments src/io/hdf5 src/io/nsid src/io/weights)
	$(say) LINK
	@mkdir -p $(@D)
	$(Q)$(CC) $^ -o $@ -fsanitize=fuzzer,address,undefined $(ALLLIBS)
fuzz:
	@command -v clang >/dev/null || { echo "missing: clang" >&2; exit 1; }
	@$(MAKE) --no-print-directory $(FUZZCONF) $(FUZZER)
	@sh tests/fuzz/run.sh $(FUZZER) $(SECONDS) $(TARGETS)

# ------------------------------------------------------------------------------------ dependencies
deps:
	@sh tools/deps.sh '$(PKGS) $(TESTPKG)' '$(DEBS)' '$(FEDORA)' '$(BREW)'
# What tests/browser.sh drives: a browser, some hundred megabytes.
deps-browser:
	apt-get install -y --no-install-recommends chromium chromium-driver python3
# What `reshed-bench --peers` compares with.
peers:
	@sh benchmarks/peers/install.sh build/peers

# -------------------------------------------------------------------------------------------- demo
demo: deps
	@$(MAKE) --no-print-directory programs
	@sh tools/demo.sh $(BIN)

# ----------------------------------------------------------------------------------- the ensemble
# Interrupted, it goes on where it was. The score's frames are those that weights/README.md counts.
ensemble: programs
	@mkdir -p build/ensemble
	[ -f build/ensemble/fit.h5 ] || \
	    $(BIN)/reshed-train fit -o build/ensemble/fit.h5 --curve build/ensemble/fit.png
	$(BIN)/reshed-train tune -w build/ensemble/fit.h5 -o build/ensemble/mix.h5 \
	    --film mix --noisy 0.05 --steps 200 --rate 0.0008 --keep 0.5
	$(BIN)/reshed-train calibrate -w build/ensemble/mix.h5 -o build/ensemble/reshednet16x10.h5 \
	    --film mix --scales 1 --shifts 0 --most-error 0.2 --fp16
	$(BIN)/reshed-evaluate shift --weights build/ensemble/reshednet16x10.h5 --film mix --store --fit 400

# -------------------------------------------------------------------------------- install, manuals
# Manual pages are what --help says, by help2man.
man: programs
	@command -v help2man >/dev/null || { echo "missing: help2man; 'make deps' installs it" >&2; exit 1; }
	@mkdir -p build/man
	$(Q)for p in $(PROGS); do \
	    help2man --no-info --no-discard-stderr --source="reshed $(VERSION)" --name="$$(sed -n "s|^$$p: ||p" docs/man-names)" \
	        --output=build/man/$$p.1 $(BIN)/$$p || exit 1; done
	$(Q)for c in sho loops; do \
	    help2man --no-info --no-discard-stderr --version-string=$(VERSION) --source="reshed $(VERSION)" \
	        --name="$$(sed -n "s|^reshed-beps $$c: ||p" docs/man-names)" \
	        --output=build/man/reshed-beps-$$c.1 "$(BIN)/reshed-beps $$c" || exit 1; done
	$(Q){ echo '.SH SETTINGS AND DRIVERS'; echo '.nf'; $(BIN)/reshed-scan --list | sed 's|\\|\\e|g; s|^[.]|\\\&.|'; echo '.fi'; } >>build/man/reshed-scan.1

TO      := $(DESTDIR)$(PREFIX)
HEADERS := $(notdir $(wildcard include/*.h))
install: lib programs man
	install -d $(TO)/bin $(TO)/lib/pkgconfig $(TO)/include $(TO)/share/reshed $(TO)/share/man/man1
	install $(PROGS:%=$(BIN)/%) $(TO)/bin
	install -m 644 $(HEADERS:%=include/%) $(TO)/include
	install -m 644 $(B)/libreshed.a $(TO)/lib
	install $(B)/libreshed.so.$(ABI) $(TO)/lib
	ln -sf libreshed.so.$(ABI) $(TO)/lib/libreshed.so
	install -m 644 $(wildcard weights/*.h5) $(TO)/share/reshed
	install -m 644 $(PROGS:%=build/man/%.1) build/man/reshed-beps-sho.1 build/man/reshed-beps-loops.1 $(TO)/share/man/man1
	sed -e 's|@PREFIX@|$(PREFIX)|; s|@VERSION@|$(VERSION)|; s|@LIBS@|$(LIBLIBS)|' reshed.pc.in \
	    > $(TO)/lib/pkgconfig/reshed.pc

uninstall:
	rm -f $(PROGS:%=$(TO)/bin/%) $(HEADERS:%=$(TO)/include/%) $(PROGS:%=$(TO)/share/man/man1/%.1) \
	    $(TO)/share/man/man1/reshed-beps-sho.1 $(TO)/share/man/man1/reshed-beps-loops.1 \
	    $(TO)/lib/libreshed.a $(TO)/lib/libreshed.so $(TO)/lib/libreshed.so.$(ABI) $(TO)/lib/pkgconfig/reshed.pc
	rm -rf $(TO)/share/reshed

# ------------------------------------------------------------------------------------------- other
format:
	clang-format -i $$(git ls-files '*.c' '*.h')
clean:
	rm -rf build
