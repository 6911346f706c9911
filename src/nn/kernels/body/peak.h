/* peak.h - multiply-adds on registers alone: the most that one core could do. */

float RS_SUFFIX(rs_peak)(long rounds)
{
    const vf x = vf_set1(0.999f), y = vf_set1(0.001f);
    vf a[RS_PEAK_CHAINS];
    float sum = 0;
    for (int i = 0; i < RS_PEAK_CHAINS; i++) a[i] = vf_set1((float)i);
    for (long n = 0; n < rounds; n++) {
#pragma GCC unroll 12
        for (int i = 0; i < RS_PEAK_CHAINS; i++) a[i] = vf_fma(a[i], x, y);
    }
    for (int i = 0; i < RS_PEAK_CHAINS; i++) sum += vf_sum(a[i]);
    return sum;
}
