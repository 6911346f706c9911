/* blas.h - the seam to OpenBLAS: the only file that knows it, with a plain C twin (make
 * BLAS=none). */
#ifndef RS_NN_BLAS_H
#define RS_NN_BLAS_H

/* out[m,n] (row stride ldo) = a[m,k] (lda) * b[k,n] (ldb), row-major float32. One thread: the
 * library is held to it here, so that it may be called from our own threads. */
void rs_sgemm(int m, int n, int k, const float *a, int lda, const float *b, int ldb, float *out,
              int ldo);

/* Holds the library to one thread; call it once before any rs_sgemm that runs beside others. */
void rs_blas_init(void);

/* Name and version, for --version. */
const char *rs_blas_name(void);

#endif
