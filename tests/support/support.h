/* support.h - what the test programs share. Include it instead of cmocka.h. */
#ifndef RS_TESTS_SUPPORT_SUPPORT_H
#define RS_TESTS_SUPPORT_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/random.h"
#include "base/status.h"

/* ------------------------------------------------------------------------------- random numbers */
typedef rs_random test_rng;
uint64_t test_rand(test_rng *r);
/* Uniform in [0,n); 0 when n is 0. */
uint64_t test_below(test_rng *r, uint64_t n);
/* Uniform in [lo,hi). */
double test_uniform(test_rng *r, double lo, double hi);
double test_gauss(test_rng *r);
/* The seed of this run: RESHED_SEED, or the fixed default. Print it when a random test fails. */
uint64_t test_seed(void);
/* True under `make check-long`, and under `make check-quick`. */
bool test_long(void);
bool test_quick(void);
/* A number of rounds, or a stride through them: that of check-quick, check or check-long. */
long test_tier(long quick, long usual, long full);
/* Skips the running test under check-quick: it takes seconds, and another stands for its subject. */
void test_not_quick(void);

/* The next instruction set after `isa` (base/cpu.h) that this machine has, or a number above all. */
int test_next_isa(int isa);

/* ---------------------------------------------------------------------------------- allocations */
/* Allocations by the project's code, of any kind, since the last reset. */
long test_alloc_count(void);
void test_alloc_reset(void);
/* The n-th allocation from now (0: the next) gives NULL, once; -1: none. */
void test_alloc_fail_at(long n);
/* True once the failure that was asked for has happened. */
bool test_alloc_failed(void);

/* -------------------------------------------------------------------------------------- readers */
/* A reader under test: reads the bytes, checks that a success is a sane object, frees it. */
typedef reshed_status (*test_reader)(const uint8_t *data, size_t len, reshed_error *err);

/* Each strict prefix of data must be read without harm; prefixes in [fail_below) must fail. Pass
 * len to demand that every one fails. */
void test_truncate(test_reader read, const uint8_t *data, size_t len, size_t fail_below);
/* n seeded mutations (bytes flipped, set to extremes, numbers changed, blocks cut, doubled or
 * moved); every failure must carry a status and a text. The count is printed as "# NAME: n
 * mutations, k read". */
void test_mutate(const char *name, test_reader read, const uint8_t *data, size_t len, long n);
/* The i-th of the same kind of mutants, by itself, into out[len + 256]; returns its length. */
size_t test_mutant(long i, const uint8_t *data, size_t len, uint8_t *out);
/* Mutations to ask for: 20,000, 1,000 under check-quick, 1,000,000 under check-long. */
long test_mutations(void);
/* Fails every allocation of one read in turn: each must give RESHED_ENOMEM and leak nothing. */
void test_each_alloc(test_reader read, const uint8_t *data, size_t len);

/* ---------------------------------------------------------------------------------------- files */
/* Path of a file under tests/data (static buffer, four deep). */
const char *test_data(const char *name);
/* Path of a file of the optional shared data folder; skips the running test when it is absent. */
const char *test_shared(const char *name);
/* A path in a fresh folder of this process, removed at exit. */
const char *test_temp(const char *name);
/* Reads a whole file or fails the test; free with rs_free. */
uint8_t *test_read_file(const char *path, size_t *len);
/* Writes a whole file, in place of what was there, without waiting for the disk as rs_os_write_file
 * does. Ends the program on failure: child processes call it as well. */
void test_write_file(const char *path, const void *data, size_t n);

/* -------------------------------------------------------------------------------------- asserts */
/* Asserts |got - want| <= tolerance, printing both. */
#define assert_near(got, want, tolerance)                                                          \
    test_assert_near((got), (want), (tolerance), #got, __FILE__, __LINE__)
void test_assert_near(double got, double want, double tolerance, const char *what, const char *file,
                      int line);

/* Asserts RESHED_OK, printing the error otherwise. */
#define assert_ok(expr, err) test_assert_ok((expr), (err), #expr, __FILE__, __LINE__)
void test_assert_ok(reshed_status st, const reshed_error *err, const char *what, const char *file,
                    int line);

#endif
