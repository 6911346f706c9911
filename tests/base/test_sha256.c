/* SHA-256 against published answers. */
#include "base/sha256.h"

#include <stdlib.h>
#include <string.h>

#include "support/support.h"

static void sha256_text(const void *data, size_t n, char hex[65])
{
    rs_sha256 s;
    uint8_t digest[32];
    rs_sha256_start(&s);
    rs_sha256_add(&s, data, n);
    rs_sha256_end(&s, digest);
    rs_sha256_hex(digest, hex);
}

/* The examples of FIPS 180-4 and NIST's long one. */
static void sha256_known_answers(void **state)
{
    (void)state;
    static const struct {
        const char *text, *hex;
    } cases[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
        {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopq"
         "klmnopqrlmnopqrsmnopqrstnopqrstu",
         "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
    };
    char hex[65];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sha256_text(cases[i].text, strlen(cases[i].text), hex);
        assert_string_equal(hex, cases[i].hex);
    }
    char *a = malloc(1000000);
    memset(a, 'a', 1000000);
    sha256_text(a, 1000000, hex);
    assert_string_equal(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    /* However the message is cut: every length across three blocks, in pieces of every size. */
    for (size_t n = 0; n < 200; n += 1 + n / 20)
        for (size_t piece = 1; piece <= n; piece++) {
            char whole[65], parts[65];
            rs_sha256 s;
            uint8_t digest[32];
            sha256_text(a, n, whole);
            rs_sha256_start(&s);
            for (size_t at = 0; at < n; at += piece)
                rs_sha256_add(&s, a + at, n - at < piece ? n - at : piece);
            rs_sha256_end(&s, digest);
            rs_sha256_hex(digest, parts);
            assert_string_equal(parts, whole);
        }
    free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_known_answers),
    };
    return cmocka_run_group_tests_name("sha256", tests, NULL, NULL);
}
