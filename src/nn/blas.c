#include "nn/blas.h"

#ifndef RS_NO_BLAS

#include <cblas.h>

void rs_blas_init(void)
{
    /* Threads are ours: members and rows run side by side, and each product on its own thread. */
    openblas_set_num_threads(1);
}

void rs_sgemm(int m, int n, int k, const float *a, int lda, const float *b, int ldb, float *out,
              int ldo)
{
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, n, k, 1.0f, a, lda, b, ldb, 0.0f, out,
                ldo);
}

const char *rs_blas_name(void)
{
    return openblas_get_config();
}

#else

#include <stddef.h>

void rs_blas_init(void) {}

void rs_sgemm(int m, int n, int k, const float *a, int lda, const float *b, int ldb, float *out,
              int ldo)
{
    for (int i = 0; i < m; i++) {
        float *o = out + (size_t)i * (size_t)ldo;
        for (int j = 0; j < n; j++) o[j] = 0;
        for (int l = 0; l < k; l++) {
            const float x = a[(size_t)i * (size_t)lda + (size_t)l];
            const float *row = b + (size_t)l * (size_t)ldb;
            for (int j = 0; j < n; j++) o[j] += x * row[j];
        }
    }
}

const char *rs_blas_name(void)
{
    return "none";
}

#endif
