/* mac_rows.h - addresses of up to 14 pixels from two bases with the strides 1, 2, 4 (scaled index),
 * 3, 5 and 6. In scope: s1, the numbers from pixel to pixel, s3 = 3*s1, s5 = 5*s1. */

/* Pixel r (r < 14) from the bases p (pixel 0) and q (pixel 7). */
#define MAC_ROW(p, q, r)                                                                           \
    ((r) == 0    ? (p)                                                                             \
     : (r) == 1  ? (p) + s1                                                                        \
     : (r) == 2  ? (p) + 2 * s1                                                                    \
     : (r) == 3  ? (p) + s3                                                                        \
     : (r) == 4  ? (p) + 4 * s1                                                                    \
     : (r) == 5  ? (p) + s5                                                                        \
     : (r) == 6  ? (p) + 2 * s3                                                                    \
     : (r) == 7  ? (q)                                                                             \
     : (r) == 8  ? (q) + s1                                                                        \
     : (r) == 9  ? (q) + 2 * s1                                                                    \
     : (r) == 10 ? (q) + s3                                                                        \
     : (r) == 11 ? (q) + 4 * s1                                                                    \
     : (r) == 12 ? (q) + s5                                                                        \
                 : (q) + 2 * s3)
