# temporary: builds objects, a library and unit tests
BUILD ?= build
CC ?= gcc
PKGS = libgit2 yaml-0.1 libcurl zlib jansson
CFLAGS ?= -O2 -g
W = -std=c11 -D_GNU_SOURCE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Icore -I. $(SAN)
LIBS := $(shell pkg-config --libs $(PKGS)) -lm
SRC := $(wildcard core/*/*.c)
OBJ := $(SRC:%.c=$(BUILD)/%.o)
CMD := $(wildcard cmd/*.c)
UNIT := $(patsubst t/unit/%.c,$(BUILD)/unit/%,$(wildcard t/unit/*.c))
all: $(BUILD)/libharness.a $(if $(wildcard cmd/main.c),$(BUILD)/git-harness) $(UNIT)
$(BUILD)/libharness.a: $(OBJ)
	rm -f $@; ar rcs $@ $^
$(BUILD)/git-harness: $(CMD:%.c=$(BUILD)/%.o) $(BUILD)/libharness.a
	$(CC) $(SAN) -o $@ $^ $(LIBS)
$(BUILD)/unit/%: t/unit/%.c $(BUILD)/libharness.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(W) -o $@ $< $(BUILD)/libharness.a $(LIBS) -lcmocka
$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(W) -MMD -MP -c -o $@ $<
-include $(OBJ:.o=.d)
