#include "support/train_oracle.h"

#include <string.h>

#include "base/alloc.h"
#include "nn/kernels/ref/grad.h"
#include "nn/kernels/ref/ref.h"
#include "support/support.h"

#define SLOPE 0.01
#define MAX_ARRAYS 4096

/* One pass: its arrays are freed together. */
typedef struct pass {
    const rs_arch *arch;
    const rs_tensors *t;
    rs_tensors *gradient;
    bool frozen;
    int n; /* images */
    int arrays;
    double *array[MAX_ARRAYS];
} pass;

static double *array(pass *p, size_t n)
{
    double *a = rs_zalloc(n, sizeof *a);
    assert_non_null(a);
    assert_true(p->arrays < MAX_ARRAYS);
    return p->array[p->arrays++] = a;
}

static double *param(pass *p, const char *prefix, const char *part)
{
    char name[128];
    snprintf(name, sizeof name, "%s.%s", prefix, part);
    const rs_tensor *t = rs_tensors_find(p->t, name);
    assert_non_null(t);
    double *a = array(p, t->count);
    for (size_t i = 0; i < t->count; i++) a[i] = rs_tensor_at(t, i);
    return a;
}

/* Where the gradient of a parameter goes: zeros. */
static double *gradient(pass *p, const char *prefix, const char *part)
{
    char name[128];
    snprintf(name, sizeof name, "%s.%s", prefix, part);
    const rs_tensor *t = rs_tensors_find(p->t, name);
    rs_tensor *g = rs_tensors_add(p->gradient, name, RS_F64, t->ndim, t->dims);
    assert_non_null(g);
    memset(g->data, 0, t->count * sizeof(double));
    return g->data;
}

/* A map: [n,c,h,w] */
typedef struct map {
    int c, h, w;
    double *v;
} map;

static size_t pixels(const map *m)
{
    return (size_t)m->h * (size_t)m->w;
}

static size_t numbers(const map *m)
{
    return (size_t)m->c * pixels(m);
}

static map make(pass *p, int c, int h, int w)
{
    map m = {c, h, w, NULL};
    m.v = array(p, (size_t)p->n * numbers(&m));
    return m;
}

static map copy(pass *p, const map *m)
{
    map out = make(p, m->c, m->h, m->w);
    memcpy(out.v, m->v, (size_t)p->n * numbers(m) * sizeof *m->v);
    return out;
}

static map conv(pass *p, const char *name, const map *in, int c, int k)
{
    map out = make(p, c, in->h, in->w);
    const double *w = param(p, name, "weight"), *b = param(p, name, "bias");
    for (int i = 0; i < p->n; i++)
        rs_ref_conv(in->v + (size_t)i * numbers(in), in->c, in->h, in->w, w, b, c, k, 1,
                    out.v + (size_t)i * numbers(&out));
    return out;
}

static map conv_grad(pass *p, const char *name, const map *in, int k, const map *d)
{
    map out = make(p, in->c, in->h, in->w);
    const double *w = param(p, name, "weight");
    double *dw = gradient(p, name, "weight"), *db = gradient(p, name, "bias");
    for (int i = 0; i < p->n; i++)
        rs_ref_conv_grad(in->v + (size_t)i * numbers(in), in->c, in->h, in->w, w, d->c, k,
                         d->v + (size_t)i * numbers(d), out.v + (size_t)i * numbers(in), dw, db);
    return out;
}

static void statistics(pass *p, const char *name, const map *in, double **mean, double **var)
{
    *mean = param(p, name, "running_mean");
    *var = param(p, name, "running_var");
    if (!p->frozen) rs_ref_batch_statistics(in->v, p->n, in->c, pixels(in), *mean, *var);
}

static map norm(pass *p, const char *name, const map *in)
{
    map out = make(p, in->c, in->h, in->w);
    double *mean, *var;
    statistics(p, name, in, &mean, &var);
    for (int i = 0; i < p->n; i++)
        rs_ref_batch_norm(in->v + (size_t)i * numbers(in), in->c, in->h, in->w,
                          param(p, name, "weight"), param(p, name, "bias"), mean, var, RS_BN_EPS,
                          out.v + (size_t)i * numbers(in));
    return out;
}

static map norm_grad(pass *p, const char *name, const map *in, const map *d)
{
    map out = make(p, in->c, in->h, in->w);
    double *mean, *var;
    statistics(p, name, in, &mean, &var);
    rs_ref_batch_norm_grad(in->v, p->n, in->c, pixels(in), param(p, name, "weight"), mean, var,
                           RS_BN_EPS, !p->frozen, d->v, out.v, gradient(p, name, "weight"),
                           gradient(p, name, "bias"));
    return out;
}

static void add(const pass *p, map *to, const map *from)
{
    for (size_t i = 0; i < (size_t)p->n * numbers(to); i++) to->v[i] += from->v[i];
}

typedef struct block {
    map in, x, z1, y1, z2, out;
} block;

static void names(int level, int b, char name[5][96])
{
    static const char *const part[] = {"c0", "c1", "bn1", "c2", "bn2"};
    for (int i = 0; i < 5; i++) rs_block_name(name[i], level, b, part[i]);
}

static block block_forward(pass *p, int level, int index, const map *in)
{
    const int c = rs_level_channels(p->arch, level);
    char name[5][96];
    names(level, index, name);
    block b = {.in = *in};
    b.x = conv(p, name[0], in, c, 1);
    b.z1 = conv(p, name[1], &b.x, c, 3);
    b.y1 = norm(p, name[2], &b.z1);
    rs_ref_leaky_relu(b.y1.v, (size_t)p->n * numbers(&b.y1), SLOPE);
    b.z2 = conv(p, name[3], &b.y1, c, 3);
    b.out = norm(p, name[4], &b.z2);
    add(p, &b.out, &b.x);
    rs_ref_leaky_relu(b.out.v, (size_t)p->n * numbers(&b.out), SLOPE);
    return b;
}

static map block_backward(pass *p, int level, int index, const block *b, const map *dout)
{
    const size_t all = (size_t)p->n * numbers(&b->out);
    char name[5][96];
    names(level, index, name);
    map ds = copy(p, dout);
    rs_ref_leaky_relu_grad(b->out.v, all, SLOPE, ds.v);
    map d = norm_grad(p, name[4], &b->z2, &ds);
    d = conv_grad(p, name[3], &b->y1, 3, &d);
    rs_ref_leaky_relu_grad(b->y1.v, all, SLOPE, d.v);
    d = norm_grad(p, name[2], &b->z1, &d);
    d = conv_grad(p, name[1], &b->x, 3, &d);
    add(p, &d, &ds);
    return conv_grad(p, name[0], &b->in, 1, &d);
}

typedef struct head {
    map raw, up; /* up: resized */
} head;

static head head_forward(pass *p, int level, const map *out, int h, int w)
{
    char name[40];
    head a;
    snprintf(name, sizeof name, "net%dscore.0", level + 1);
    a.raw = conv(p, name, out, 1, 1);
    snprintf(name, sizeof name, "net%dscore.1", level + 1);
    const map score = norm(p, name, &a.raw);
    a.up = make(p, 1, h, w);
    rs_ref_resize(score.v, p->n, out->h, out->w, p->arch->upsampling, h, w, a.up.v);
    return a;
}

static map head_backward(pass *p, int level, const head *a, const map *out, const map *dup)
{
    char name[40];
    map d = make(p, 1, out->h, out->w);
    rs_ref_resize_grad(dup->v, p->n, out->h, out->w, p->arch->upsampling, dup->h, dup->w, d.v);
    snprintf(name, sizeof name, "net%dscore.1", level + 1);
    d = norm_grad(p, name, &a->raw, &d);
    snprintf(name, sizeof name, "net%dscore.0", level + 1);
    return conv_grad(p, name, out, 1, &d);
}

#define MAX_BLOCKS 64

typedef struct network {
    block b[RS_MODEL_MAX_LEVELS][MAX_BLOCKS];
    head h[RS_MODEL_MAX_LEVELS];
    map logit;
} network;

static const map *output(const pass *p, const network *net, int level)
{
    return &net->b[level][p->arch->layers[level] - 1].out;
}

static void forward(pass *p, network *net, const map *image)
{
    map in = *image;
    const double *w = param(p, "out", "weight"), *bias = param(p, "out", "bias");
    net->logit = make(p, 1, image->h, image->w);
    for (size_t i = 0; i < (size_t)p->n * pixels(image); i++) net->logit.v[i] = bias[0];
    for (int k = 0; k < p->arch->levels; k++) {
        if (k) {
            const map *above = output(p, net, k - 1);
            in = make(p, above->c, above->h / 2, above->w / 2);
            rs_ref_max_pool(above->v, p->n * above->c, above->h, above->w, in.v);
        }
        for (int b = 0; b < p->arch->layers[k]; b++) {
            net->b[k][b] = block_forward(p, k, b, &in);
            in = net->b[k][b].out;
        }
        net->h[k] = head_forward(p, k, &in, image->h, image->w);
        for (size_t i = 0; i < (size_t)p->n * pixels(image); i++)
            net->logit.v[i] += w[k] * net->h[k].up.v[i];
    }
}

static void backward(pass *p, const network *net, const map *dlogit)
{
    const size_t all = (size_t)p->n * pixels(dlogit);
    const double *w = param(p, "out", "weight");
    double *dw = gradient(p, "out", "weight"), *db = gradient(p, "out", "bias");
    map below = {0}; /* gradient of the pooled input of the level below */
    for (size_t i = 0; i < all; i++) db[0] += dlogit->v[i];
    for (int k = p->arch->levels - 1; k >= 0; k--) {
        const map *out = output(p, net, k);
        map dup = copy(p, dlogit);
        for (size_t i = 0; i < all; i++) {
            dw[k] += dlogit->v[i] * net->h[k].up.v[i];
            dup.v[i] *= w[k];
        }
        map d = head_backward(p, k, &net->h[k], out, &dup);
        if (k + 1 < p->arch->levels) {
            map pool = make(p, out->c, out->h, out->w);
            rs_ref_max_pool_grad(out->v, p->n * out->c, out->h, out->w, below.v, pool.v);
            add(p, &d, &pool);
        }
        for (int b = p->arch->layers[k] - 1; b >= 0; b--)
            d = block_backward(p, k, b, &net->b[k][b], &d);
        below = d;
    }
}

double test_train_oracle(const rs_arch *arch, const rs_tensors *t, const rs_batch *batch,
                         bool frozen, rs_tensors *out)
{
    pass *p = rs_zalloc(1, sizeof *p);
    network *net = rs_zalloc(1, sizeof *net);
    assert_non_null(p);
    assert_non_null(net);
    *p = (pass){.arch = arch, .t = t, .gradient = out, .frozen = frozen, .n = batch->n};
    map image = make(p, 1, batch->height, batch->width), d = copy(p, &image);
    const size_t n = (size_t)batch->n * pixels(&image);
    double *target = array(p, n), *weight = array(p, n);
    for (size_t i = 0; i < n; i++) {
        image.v[i] = batch->image[i];
        target[i] = batch->target[i];
        weight[i] = batch->weight[i];
    }
    forward(p, net, &image);
    const double loss = rs_ref_wall_loss(net->logit.v, target, weight, n, 1, 1, out ? d.v : NULL);
    if (out) backward(p, net, &d);
    for (int i = 0; i < p->arrays; i++) rs_free(p->array[i]);
    rs_free(net);
    rs_free(p);
    return loss;
}
