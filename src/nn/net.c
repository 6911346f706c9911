#include "nn/net.h"

#include <stdio.h>
#include <string.h>

#define NAME_SIZE 96

static const char *const names[] = {"ResHedNet", "Unet", "dilnet", "SegResNet"};

const char *rs_net_name(rs_net net)
{
    return names[net];
}

static reshed_status which_net(const rs_model_file *m, rs_arch *a, reshed_error *err)
{
    static const int counts[] = {3, 4, 4, 3};
    for (int i = 0; i < 4; i++) {
        if (strcmp(m->model, names[i]) != 0) continue;
        a->net = (rs_net)i;
        if (m->levels != counts[i])
            return rs_fail(err, RESHED_EUNSUPPORTED, "%s of %s|%d|%d",
                           i == 0 ? "levels" : "counts of layers", names[i], counts[i], m->levels);
        return RESHED_OK;
    }
    return rs_fail(err, RESHED_EUNSUPPORTED, "model|ResHedNet, Unet, dilnet or SegResNet|%s",
                   m->model);
}

reshed_status rs_arch_from_file(const rs_model_file *m, rs_arch *arch, reshed_error *err)
{
    rs_arch a = {.levels = m->levels,
                 .filters = m->filters,
                 .classes = m->classes,
                 .batch_norm = !m->no_batch_norm,
                 .dropout = m->dropout,
                 .dilated = m->dilated};
    const reshed_status st = which_net(m, &a, err);
    if (st != RESHED_OK) return st;
    if (m->filters < 1 || m->filters > 1024)
        return rs_fail(err, RESHED_EUNSUPPORTED, "nb_filters|1 to 1024|%d", m->filters);
    if (m->classes < 1 || m->classes > RS_MAX_CLASSES)
        return rs_fail(err, RESHED_EUNSUPPORTED, "nb_classes|1 to %d|%d", RS_MAX_CLASSES,
                       m->classes);
    if (m->members < 1 || m->members > RS_MODEL_MAX_MEMBERS)
        return rs_fail(err, RESHED_EUNSUPPORTED, "members of the ensemble|1 to %d|%d",
                       RS_MODEL_MAX_MEMBERS, m->members);
    for (int k = 0; k < m->levels; k++) {
        if (m->layers[k] < 1 || m->layers[k] > 64)
            return rs_fail(err, RESHED_EUNSUPPORTED, "%s %d|1 to 64|%d",
                           a.net == RS_RESHEDNET ? "blocks of level" : "layers, count", k + 1,
                           m->layers[k]);
        a.layers[k] = m->layers[k];
    }
    if (strcmp(m->upsampling, "bilinear") == 0)
        a.upsampling = RS_BILINEAR;
    else if (strcmp(m->upsampling, "nearest") == 0)
        a.upsampling = RS_NEAREST;
    else
        return rs_fail(err, RESHED_EUNSUPPORTED, "upsampling|bilinear or nearest|%s",
                       m->upsampling);
    *arch = a;
    return RESHED_OK;
}

int rs_arch_unit(const rs_arch *arch)
{
    switch (arch->net) {
    case RS_RESHEDNET: return 1;
    case RS_UNET: return 8;
    case RS_DILNET: return 2;
    case RS_SEGRESNET: return 4;
    }
    return 1;
}

reshed_status rs_arch_check_size(const rs_arch *arch, int height, int width, reshed_error *err)
{
    const int u = rs_arch_unit(arch);
    if (height % u == 0 && width % u == 0) return RESHED_OK;
    char smaller[48] = ""; /* where there is one */
    if (height >= u && width >= u)
        snprintf(smaller, sizeof smaller, "%d x %d or ", height / u * u, width / u * u);
    return rs_fail(err, RESHED_EUNSUPPORTED,
                   "image size for a %s|sides that %d divides, such as %s%d x %d|%d x %d",
                   rs_net_name(arch->net), u, smaller, (height + u - 1) / u * u,
                   (width + u - 1) / u * u, height, width);
}

int rs_level_channels(const rs_arch *arch, int level)
{
    return arch->filters << level;
}

int rs_block_inputs(const rs_arch *arch, int level, int block)
{
    if (block > 0) return rs_level_channels(arch, level);
    return level == 0 ? 1 : rs_level_channels(arch, level - 1);
}

int rs_level_size(int n, int level)
{
    return n >> level; /* each pool floors, and floors of halves compose */
}

void rs_block_name(char *buf, int level, int block, const char *part)
{
    /* From the second level on the module is a Sequential whose first entry is the pool. */
    snprintf(buf, NAME_SIZE, "net%d%s.res_module.%d.%s", level + 1, level ? ".1" : "", block, part);
}

/* Output row i takes level k's score row j, which takes level k's rows j +- 2*blocks (two 3x3
 * convolutions a block), each the maximum of 2^k rows below and so on down to the image. With sizes
 * that are multiples of 2^k the bilinear resize reaches 2^k + 2^(k-1) - 1 rows and the nearest one
 * 2^k - 1; sizes that are not shift the resize by less than 2^k rows more, since each pool drops
 * its odd row. */
int rs_receptive_radius(const rs_arch *arch)
{
    int convs = 0, radius = 0;
    for (int k = 0; k < arch->levels; k++) {
        const int span = 1 << k;
        convs += 2 * arch->layers[k] * span;
        int resize = k == 0 ? 0 : arch->upsampling == RS_BILINEAR ? span + span / 2 - 1 : span - 1;
        int total = convs + resize + span - 1;
        if (total > radius) radius = total;
    }
    return radius;
}
