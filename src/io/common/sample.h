/* sample.h - arrays of numbers in the types and byte orders that files hold. */
#ifndef RS_IO_COMMON_SAMPLE_H
#define RS_IO_COMMON_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum rs_sample {
    RS_SAMPLE_U8,
    RS_SAMPLE_I8,
    RS_SAMPLE_U16,
    RS_SAMPLE_I16,
    RS_SAMPLE_U32,
    RS_SAMPLE_I32,
    RS_SAMPLE_U64,
    RS_SAMPLE_I64,
    RS_SAMPLE_F16,
    RS_SAMPLE_F32,
    RS_SAMPLE_F64
} rs_sample;

/* Bytes of one. */
size_t rs_sample_size(rs_sample type);

/* n numbers at src (n*rs_sample_size bytes, any alignment) of that byte order, as floats or
 * doubles. 64-bit integers round to the nearest double. */
void rs_sample_to_float(rs_sample type, bool big_endian, const uint8_t *src, size_t n, float *dst);
void rs_sample_to_double(rs_sample type, bool big_endian, const uint8_t *src, size_t n,
                         double *dst);

/* n numbers of `size` bytes from that byte order to this machine's, at another place. */
void rs_sample_native(size_t size, bool big_endian, const uint8_t *src, size_t n, void *dst);

/* The same number in little-endian bytes. */
void rs_put_u16(uint8_t *p, uint16_t v);
void rs_put_u32(uint8_t *p, uint32_t v);
void rs_put_f32(uint8_t *p, float v);

#endif
