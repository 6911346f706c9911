/* crc32.h - CRC-32 as of zlib and PNG, for files that tests make or mend. */
#ifndef RS_TESTS_CRC32_H
#define RS_TESTS_CRC32_H

#include <stddef.h>
#include <stdint.h>

static inline uint32_t test_crc32(const uint8_t *p, size_t n)
{
    uint32_t c = 0xffffffffu;
    for (size_t i = 0; i < n; i++) {
        c ^= p[i];
        for (int k = 0; k < 8; k++) c = c & 1 ? 0xedb88320u ^ c >> 1 : c >> 1;
    }
    return ~c;
}

#endif
