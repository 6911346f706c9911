/* networks.c - AtomAI's segmentation networks, a description each. Names are those of its tensors. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "nn/graph.h"

typedef struct builder {
    rs_graph g;
    int room[3]; /* of places, filters, nodes */
    bool failed;
} builder;

/* -------------------------------------------------------------------------------------- the parts */

/* The array with room for one more than n. */
static void *grow(builder *b, void *array, int which, int n, size_t size)
{
    if (n < b->room[which] || b->failed) return array;
    const int more = b->room[which] ? 2 * b->room[which] : 32;
    void *p = rs_regrow(array, (size_t)n, (size_t)more, size);
    if (!p) {
        b->failed = true;
        return array;
    }
    b->room[which] = more;
    return p;
}

static int place(builder *b, int level, int channels, int border)
{
    b->g.place = grow(b, b->g.place, 0, b->g.places, sizeof *b->g.place);
    if (b->failed) return 0;
    b->g.place[b->g.places] =
        (rs_row_place){.level = level, .channels = channels, .border = border};
    return b->g.places++;
}

static int filter(builder *b, rs_filter f)
{
    b->g.filter = grow(b, b->g.filter, 1, b->g.filters, sizeof *b->g.filter);
    if (b->failed) return 0;
    if (f.norm_kind == RS_NORM_NONE) f.norm[0] = '\0';
    b->g.filter[b->g.filters] = f;
    return b->g.filters++;
}

static int node(builder *b, rs_op n)
{
    b->g.node = grow(b, b->g.node, 2, b->g.nodes, sizeof *b->g.node);
    if (b->failed) return 0;
    b->g.node[b->g.nodes] = n;
    return b->g.nodes++;
}

static void use(builder *b, int at, rs_use u)
{
    if (b->failed) return;
    rs_op *n = &b->g.node[at];
    n->use[n->uses++] = u;
}

static void leave_in(builder *b, int at, int to, int offset)
{
    if (b->failed) return;
    b->g.node[at].to = to;
    b->g.node[at].offset = offset;
}

/* A 1x1 convolution without normalisation. */
static int point(builder *b, const char *name, int first, int second, int cout)
{
    rs_filter f = {.k = 1, .cin = {first, second}, .cout = cout};
    snprintf(f.conv, sizeof f.conv, "%s", name);
    return filter(b, f);
}

static int point_node(builder *b, int level, int in, int by, int to, const char *name)
{
    rs_op n = {.kind = RS_OP_POINT, .level = level, .filter = by, .in = in};
    n.residual = -1;
    n.to = to;
    n.dilation = 1;
    n.slope = 1;
    snprintf(n.name, sizeof n.name, "%s", name);
    return node(b, n);
}

/* Rows of place `in` at twice the size, into the channels of `to` from `offset` on. */
static void grow_node(builder *b, int level, int in, int to, int offset)
{
    rs_op n = {.kind = RS_OP_GROW, .level = level, .filter = -1, .in = in, .residual = -1};
    n.to = to;
    n.offset = offset;
    n.dilation = 1;
    n.slope = 1;
    snprintf(n.name, sizeof n.name, "up %d", level + 1);
    node(b, n);
}

static int conv_node(builder *b, int level, int in, int by, int dilation, float slope)
{
    rs_op n = {.kind = RS_OP_CONV, .level = level, .filter = by, .in = in};
    n.residual = n.to = -1;
    n.dilation = dilation;
    n.slope = slope;
    return node(b, n);
}

static void name_node(builder *b, int at, const char *prefix, int i, const char *part)
{
    if (b->failed) return;
    snprintf(b->g.node[at].name, sizeof b->g.node[at].name, "%.6s.%d%s%.3s", prefix, i + 1,
             *part ? " " : "", part);
}

/* The inputs of a block: a place, and the channels of its parts. */
typedef struct input {
    int place, cin[2];
} input;

/* The tensors of layer i of a ConvBlock or DilatedBlock: an nn.Sequential of convolution, dropout
 * where it was trained with, activation, batch normalisation where there is one. */
static rs_filter layer_of(const builder *b, const char *module, int i, const input *in, int cout,
                          bool dropout)
{
    const bool norm = b->g.arch.batch_norm;
    const int per = 2 + (dropout ? 1 : 0) + (norm ? 1 : 0);
    rs_filter f = {.k = 3, .cin = {in->cin[0], in->cin[1]}, .cout = cout};
    f.image = !b->failed && b->g.place[in->place].channels == 1;
    f.norm_kind = norm ? RS_NORM_AFTER : RS_NORM_NONE;
    snprintf(f.conv, sizeof f.conv, "%s.%d", module, per * i);
    snprintf(f.norm, sizeof f.norm, "%s.%d", module, per * i + per - 1);
    return f;
}

/* n convolutions, each with activation and then normalisation. Returns the last node, whose rows have
 * no place yet. */
static int conv_block(builder *b, const char *prefix, int n, input in, int cout, int level,
                      bool dropout)
{
    char module[32];
    int last = 0;
    snprintf(module, sizeof module, "%s.block", prefix);
    for (int i = 0; i < n; i++) {
        const int f = filter(b, layer_of(b, module, i, &in, cout, dropout));
        last = conv_node(b, level, in.place, f, 1, RS_LRELU_SLOPE);
        name_node(b, last, prefix, i, "");
        if (i + 1 == n) break;
        in = (input){place(b, level, rs_pad_channels(cout), 1), {cout, 0}};
        leave_in(b, last, in.place, 0);
    }
    return last;
}

/* n convolutions of dilation 2, 4, ... Every sub-layer's output (of convolution, dropout, activation,
 * normalisation) counts in the sum, which is the block's output; it goes to place `sum`. */
static void dilated_block(builder *b, const char *prefix, int n, input in, int cout, int level,
                          bool dropout, int sum)
{
    char module[32];
    snprintf(module, sizeof module, "%s.atrous_module", prefix);
    for (int i = 0; i < n; i++) {
        rs_filter f = layer_of(b, module, i, &in, cout, dropout);
        f.bends = dropout ? 2 : 1;
        const int by = filter(b, f), at = conv_node(b, level, in.place, by, 2 * (i + 1), 1);
        name_node(b, at, prefix, i, "");
        if (i + 1 < n) {
            in = (input){place(b, level, rs_pad_channels(cout), 2 * (i + 2)), {cout, 0}};
            use(b, at, (rs_use){.kind = RS_USE_STATE, .filter = by, .to = in.place});
        }
        use(b, at, (rs_use){.kind = RS_USE_SUM, .filter = by, .to = sum, .add = i > 0});
    }
}

/* The 1x1 convolution with which residual block i of a module begins. */
static int res_entry(builder *b, const char *module, int i, int first, int second, int c)
{
    char name[RS_GRAPH_NAME];
    snprintf(name, sizeof name, "%s.%d.c0", module, i);
    return point(b, name, first, second, c);
}

/* The two 3x3 convolutions of residual block i: place x (which holds what its 1x1 convolution made)
 * to place y, and back with x added. Returns the second node, whose rows have no place yet. */
static int res_block(builder *b, const char *module, const char *shown, int i, int x, int y, int c,
                     int level, bool norm)
{
    static const char *const conv[] = {"c1", "c2"}, *const bn[] = {"bn1", "bn2"};
    int last = 0;
    for (int j = 0; j < 2; j++) {
        rs_filter f = {.k = 3, .cin = {c, 0}, .cout = c};
        f.norm_kind = norm ? RS_NORM_BEFORE : RS_NORM_NONE;
        snprintf(f.conv, sizeof f.conv, "%s.%d.%s", module, i, conv[j]);
        snprintf(f.norm, sizeof f.norm, "%s.%d.%s", module, i, bn[j]);
        last = conv_node(b, level, j ? y : x, filter(b, f), 1, RS_LRELU_SLOPE);
        name_node(b, last, shown, i, conv[j]);
        if (j == 0)
            leave_in(b, last, y, 0);
        else if (!b->failed)
            b->g.node[last].residual = x;
    }
    return last;
}

/* n residual blocks; x holds what the first one's 1x1 convolution made. */
static int res_module(builder *b, const char *prefix, int n, int x, int c, int level)
{
    char module[32];
    int last = 0;
    snprintf(module, sizeof module, "%s.res_module", prefix);
    for (int i = 0; i < n; i++) {
        if (i > 0) {
            const int next = place(b, level, rs_pad_channels(c), 1);
            const rs_use enter = {
                .kind = RS_USE_POINT, .filter = res_entry(b, module, i, c, 0, c), .to = next};
            use(b, last, enter);
            x = next;
        }
        const int y = place(b, level, rs_pad_channels(c), 1);
        last = res_block(b, module, prefix, i, x, y, c, level, b->g.arch.batch_norm);
    }
    return last;
}

/* A place for two joined parts of c channels each. */
static int joined(builder *b, int level, int c)
{
    return place(b, level, 2 * rs_pad_channels(c), 1);
}

/* The last block of a network: scores of the rows that node `last` makes. */
static void finish(builder *b, int last, int c)
{
    const int classes = b->g.arch.classes;
    rs_filter f = {.k = 1, .cin = {c, 0}, .cout = classes, .head = true};
    snprintf(f.conv, sizeof f.conv, "px");
    const int by = filter(b, f), to = place(b, 0, classes, 0);
    use(b, last, (rs_use){.kind = RS_USE_HEAD, .filter = by, .to = to});
    if (!b->failed) b->g.place[to].score = true;
    b->g.scores = 1;
    b->g.score[0] = to;
    b->g.mix = -1;
}

/* The image as a place of one channel. */
static input enter(builder *b)
{
    const int to = place(b, 0, 1, 1);
    b->g.image = (rs_use){.kind = RS_USE_COPY, .filter = -1, .to = to};
    return (input){to, {1, 0}};
}

/* ----------------------------------------------------------------------------------- the networks */

/* The image by a 1x1 convolution. */
static void enter_by(builder *b, rs_use u)
{
    b->g.image = u;
    if (!b->failed) b->g.filter[u.filter].image = true;
}

static void reshednet(builder *b)
{
    const rs_arch *a = &b->g.arch;
    int blocks = 0, last = 0;
    for (int k = 0; k < a->levels; k++) blocks += a->layers[k];
    b->g.levels = a->levels;
    b->g.scores = a->levels;
    /* Streaming (spans.h) counts on this order: places x and y of each block, then the scores; nodes
     * c1 and c2 of each block. */
    for (int k = 0; k < a->levels; k++) {
        const int c = rs_level_channels(a, k), padded = rs_pad_channels(c);
        char module[32], shown[16];
        snprintf(module, sizeof module, "net%d%s.res_module", k + 1, k ? ".1" : "");
        snprintf(shown, sizeof shown, "%d", k + 1);
        for (int i = 0; i < a->layers[k]; i++) {
            const int x = place(b, k, padded, 1), y = place(b, k, padded, 1);
            const rs_use in = {.kind = RS_USE_POINT,
                               .pool = k > 0 && i == 0,
                               .filter = res_entry(b, module, i, rs_block_inputs(a, k, i), 0, c),
                               .to = x};
            if (k == 0 && i == 0)
                enter_by(b, in);
            else
                use(b, last, in);
            last = res_block(b, module, shown, i, x, y, c, k, true);
        }
        rs_filter f = {.k = 1, .cin = {c, 0}, .cout = a->classes, .head = true};
        f.norm_kind = RS_NORM_BEFORE;
        snprintf(f.conv, sizeof f.conv, "net%dscore.0", k + 1);
        snprintf(f.norm, sizeof f.norm, "net%dscore.1", k + 1);
        b->g.score[k] = 2 * blocks + k;
        use(b, last, (rs_use){.kind = RS_USE_HEAD, .filter = filter(b, f), .to = b->g.score[k]});
    }
    for (int k = 0; k < a->levels; k++) {
        const int to = place(b, k, a->classes, 0);
        if (!b->failed) b->g.place[to].score = true;
    }
    rs_filter out = {.k = 1, .cin = {a->levels * a->classes, 0}, .cout = a->classes, .head = true};
    snprintf(out.conv, sizeof out.conv, "out");
    b->g.mix = filter(b, out);
}

static void unet(builder *b)
{
    static const char *const down[] = {"c1", "c2", "c3"}, *const up[] = {"c6", "c5", "c4"};
    const rs_arch *a = &b->g.arch;
    const int f = a->filters;
    const bool drop = a->dropout;
    int cat[3], u;
    input in = enter(b);
    b->g.levels = 4;
    for (int k = 0; k < 3; k++) {
        const int c = f << k, padded = rs_pad_channels(c);
        cat[k] = joined(b, k, c);
        const int last = conv_block(b, down[k], a->layers[k], in, c, k, drop && k == 2);
        leave_in(b, last, cat[k], 0);
        in = (input){place(b, k + 1, padded, k == 2 && a->dilated ? 2 : 1), {c, 0}};
        use(b, last, (rs_use){.kind = RS_USE_COPY, .pool = true, .filter = -1, .to = in.place});
    }
    const int rise = point(b, "upsample_block1.conv", 8 * f, 0, 4 * f);
    u = place(b, 3, rs_pad_channels(4 * f), 0);
    if (a->dilated) {
        const int sum = place(b, 3, rs_pad_channels(8 * f), 0);
        dilated_block(b, "bn", a->layers[3], in, 8 * f, 3, drop, sum);
        point_node(b, 3, sum, rise, u, "rise 1");
    } else {
        const int last = conv_block(b, "bn", a->layers[3], in, 8 * f, 3, drop);
        use(b, last, (rs_use){.kind = RS_USE_POINT, .filter = rise, .to = u});
    }
    for (int k = 2; k >= 0; k--) {
        const int c = f << k;
        char name[32];
        grow_node(b, k, u, cat[k], rs_pad_channels(c));
        in = (input){cat[k], {c, c}};
        const int last = conv_block(b, up[k], a->layers[k], in, c, k, drop && k == 2);
        if (k == 0) {
            finish(b, last, c);
            break;
        }
        snprintf(name, sizeof name, "upsample_block%d.conv", 4 - k);
        u = place(b, k, rs_pad_channels(c / 2), 0);
        use(b, last,
            (rs_use){.kind = RS_USE_POINT, .filter = point(b, name, c, 0, c / 2), .to = u});
    }
}

static void dilnet(builder *b)
{
    const rs_arch *a = &b->g.arch;
    const int f = a->filters, wide = rs_pad_channels(2 * f);
    input in = enter(b);
    b->g.levels = 2;
    const int cat = joined(b, 0, f);
    int last = conv_block(b, "c1", a->layers[0], in, f, 0, false);
    leave_in(b, last, cat, 0);
    in = (input){place(b, 1, rs_pad_channels(f), 2), {f, 0}};
    use(b, last, (rs_use){.kind = RS_USE_COPY, .pool = true, .filter = -1, .to = in.place});
    const int first = place(b, 1, wide, 2), second = place(b, 1, wide, 0);
    dilated_block(b, "at1", a->layers[1], in, 2 * f, 1, a->dropout, first);
    dilated_block(b, "at2", a->layers[2], (input){first, {2 * f, 0}}, 2 * f, 1, a->dropout, second);
    const int u = place(b, 1, rs_pad_channels(f), 0);
    point_node(b, 1, second, point(b, "up1.conv", 2 * f, 0, f), u, "rise 1");
    grow_node(b, 0, u, cat, rs_pad_channels(f));
    last = conv_block(b, "c2", a->layers[3], (input){cat, {f, f}}, f, 0, false);
    finish(b, last, f);
}

static void segresnet(builder *b)
{
    const rs_arch *a = &b->g.arch;
    const int f = a->filters;
    const int cat0 = joined(b, 0, f), cat1 = joined(b, 1, 2 * f);
    const input in = enter(b);
    b->g.levels = 3;
    int last = conv_block(b, "c1", 1, in, f, 0, false);
    leave_in(b, last, cat0, 0);
    int x = place(b, 1, rs_pad_channels(2 * f), 1);
    use(b, last,
        (rs_use){.kind = RS_USE_POINT,
                 .pool = true,
                 .filter = res_entry(b, "c2.res_module", 0, f, 0, 2 * f),
                 .to = x});
    last = res_module(b, "c2", a->layers[0], x, 2 * f, 1);
    leave_in(b, last, cat1, 0);
    x = place(b, 2, rs_pad_channels(4 * f), 1);
    use(b, last,
        (rs_use){.kind = RS_USE_POINT,
                 .pool = true,
                 .filter = res_entry(b, "bn.res_module", 0, 2 * f, 0, 4 * f),
                 .to = x});
    last = res_module(b, "bn", a->layers[1], x, 4 * f, 2);
    int u = place(b, 2, rs_pad_channels(2 * f), 0);
    int rise = point(b, "upsample_block1.conv", 4 * f, 0, 2 * f);
    use(b, last, (rs_use){.kind = RS_USE_POINT, .filter = rise, .to = u});
    grow_node(b, 1, u, cat1, rs_pad_channels(2 * f));
    x = place(b, 1, rs_pad_channels(2 * f), 1);
    point_node(b, 1, cat1, res_entry(b, "c3.res_module", 0, 2 * f, 2 * f, 2 * f), x, "c3.1 c0");
    last = res_module(b, "c3", a->layers[2], x, 2 * f, 1);
    u = place(b, 1, rs_pad_channels(f), 0);
    rise = point(b, "upsample_block2.conv", 2 * f, 0, f);
    use(b, last, (rs_use){.kind = RS_USE_POINT, .filter = rise, .to = u});
    grow_node(b, 0, u, cat0, rs_pad_channels(f));
    last = conv_block(b, "c4", 1, (input){cat0, {f, f}}, f, 0, false);
    finish(b, last, f);
}

reshed_status rs_graph_make(const rs_arch *arch, rs_graph *out, reshed_error *err)
{
    builder b = {.g = {.arch = *arch}};
    switch (arch->net) {
    case RS_RESHEDNET: reshednet(&b); break;
    case RS_UNET: unet(&b); break;
    case RS_DILNET: dilnet(&b); break;
    case RS_SEGRESNET: segresnet(&b); break;
    }
    if (b.failed) {
        rs_graph_clear(&b.g);
        return rs_fail_nomem(err, "the graph of a network", sizeof *b.g.node);
    }
    *out = b.g;
    return RESHED_OK;
}
