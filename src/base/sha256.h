/* sha256.h - the SHA-256 of FIPS 180-4, for checksums that are kept on record. */
#ifndef RS_BASE_SHA256_H
#define RS_BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

typedef struct rs_sha256 {
    uint32_t h[8];
    uint64_t bytes;
    uint8_t block[64]; /* the bytes % 64 last ones */
} rs_sha256;

void rs_sha256_start(rs_sha256 *s);
void rs_sha256_add(rs_sha256 *s, const void *data, size_t n);
/* Ends the message; *s needs a new start. */
void rs_sha256_end(rs_sha256 *s, uint8_t digest[32]);

/* 64 lower-case hexadecimal digits and a NUL. */
void rs_sha256_hex(const uint8_t digest[32], char hex[65]);

#endif
