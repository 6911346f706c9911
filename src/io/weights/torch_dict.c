/* The forms in which torch users keep a network:
 *
 *   {model_type: 'seg', model: 'ResHedNet', nb_classes, batch_norm, dropout, upsampling, nb_filters,
 *    layers, optimizer, weights: STATES}       AtomAI's save_model; a Unet has with_dilation, too
 *   STATES                                     torch.save(net.state_dict()), or of AtomAI's ensemble
 *   {state_dict: STATES, epoch, ...}           checkpoints
 *
 * STATES is {name: tensor, ...}, or several of these as a dict (of any keys), list or tuple. */
#include "io/weights/torch_dict.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "io/weights/model.h"
#include "io/weights/torch_storage.h"

/* The tensor that every ResHedNet has, and that of the other networks. */
#define FIRST_TENSOR "net1.res_module.0.c0.weight"
#define FIRST_OF_OTHERS "c1.block.0.weight"

static const char *const networks[] = {"ResHedNet", "Unet", "dilnet", "SegResNet"};
#define NETWORKS "'ResHedNet', 'Unet', 'dilnet' or 'SegResNet'"

/* AtomAI's name of the network that v names; NULL for others. */
static const char *network_of(const rs_pkl *v)
{
    for (size_t i = 0; i < sizeof networks / sizeof *networks; i++)
        if (rs_pkl_is(v, networks[i])) return networks[i];
    return NULL;
}

/* -------------------------------------------------------------------------------- AtomAI's dict */
static reshed_status fail_key(reshed_error *err, reshed_status st, const char *key,
                              const char *expected, const rs_pkl *found)
{
    char text[128];
    return rs_fail(err, st, "AtomAI model: '%s'|%s|%s", key, expected,
                   rs_pkl_describe(found, text, sizeof text));
}

static reshed_status get_int(const rs_pkl *meta, const char *key, int max, int *out,
                             reshed_error *err)
{
    const rs_pkl *v = rs_pkl_get(meta, key);
    int64_t i;
    if (!rs_pkl_integer(v, &i) || i < 1 || i > max) {
        char expected[64];
        snprintf(expected, sizeof expected, "an integer from 1 to %d", max);
        return fail_key(err, RESHED_ECORRUPT, key, expected, v);
    }
    *out = (int)i;
    return RESHED_OK;
}

static reshed_status get_layers(const rs_pkl *meta, rs_model_file *m, reshed_error *err)
{
    const rs_pkl *v = rs_pkl_get(meta, "layers");
    if (!v || (v->kind != RS_PKL_LIST && v->kind != RS_PKL_TUPLE) || v->u.items.n < 1 ||
        v->u.items.n > RS_MODEL_MAX_LEVELS)
        return fail_key(err, RESHED_ECORRUPT, "layers", "a list of block counts", v);
    m->levels = (int)v->u.items.n;
    for (int i = 0; i < m->levels; i++) {
        const rs_pkl *k = v->u.items.at[i];
        int64_t blocks;
        if (!rs_pkl_integer(k, &blocks) || blocks < 1 || blocks > RS_MODEL_MAX_BLOCKS)
            return fail_key(err, RESHED_ECORRUPT, "layers", "counts of 1 or more", k);
        m->layers[i] = (int)blocks;
    }
    return RESHED_OK;
}

/* AtomAI stores a network of the user's own as {<the module>: 'custom'}, and its type as 'Seg'. */
static bool is_custom(const rs_pkl *meta)
{
    if (!meta || meta->kind != RS_PKL_DICT) return false;
    for (size_t i = 0; i + 1 < meta->u.items.n; i += 2)
        if (rs_pkl_is(meta->u.items.at[i + 1], "custom")) return true;
    return false;
}

/* Says what the file holds when it is no network for segmentation, or not one of AtomAI's. */
static reshed_status check_kind(const rs_pkl *meta, reshed_error *err)
{
    const rs_pkl *type = rs_pkl_get(meta, "model_type"), *model = rs_pkl_get(meta, "model");
    if (is_custom(meta))
        return rs_fail(err, RESHED_EUNSUPPORTED,
                       "AtomAI model|one of AtomAI's own networks: " NETWORKS
                       "|a custom network, of which Python code is part");
    if (rs_pkl_is(type, "imspec"))
        return rs_fail(
            err, RESHED_EUNSUPPORTED,
            "AtomAI model: 'model_type'|'seg' (a segmentation network)|'imspec': a network "
            "that makes spectra of images or images of spectra");
    if (!rs_pkl_is(type, "seg"))
        return fail_key(err, RESHED_EUNSUPPORTED, "model_type", "'seg' (a segmentation network)",
                        type);
    if (!network_of(model)) return fail_key(err, RESHED_EUNSUPPORTED, "model", NETWORKS, model);
    return RESHED_OK;
}

/* True or False; None and nothing at all are `none`. */
static reshed_status get_flag(const rs_pkl *meta, const char *key, bool none, bool *out,
                              reshed_error *err)
{
    const rs_pkl *v = rs_pkl_get(meta, key);
    int64_t i = none;
    if (v && v->kind == RS_PKL_BOOL)
        i = v->u.i;
    else if (v && v->kind != RS_PKL_NONE && !(rs_pkl_is_numpy(v) && rs_pkl_integer(v, &i)))
        return fail_key(err, RESHED_ECORRUPT, key, "True or False", v);
    *out = i != 0;
    return RESHED_OK;
}

/* What AtomAI leaves to choose but for its ResHedNet, which has batch normalisation and no dropout
 * whatever its file says. */
static reshed_status get_flags(const rs_pkl *meta, rs_model_file *m, reshed_error *err)
{
    bool norm = true;
    const rs_pkl *stated = rs_pkl_get(meta, "batch_norm");
    if (!stated || stated->kind == RS_PKL_NONE)
        return fail_key(err, RESHED_ECORRUPT, "batch_norm", "True or False", stated);
    reshed_status st = get_flag(meta, "batch_norm", true, &norm, err);
    if (strcmp(m->model, "ResHedNet") == 0) return st;
    m->no_batch_norm = !norm;
    if (st == RESHED_OK && strcmp(m->model, "SegResNet") != 0)
        st = get_flag(meta, "dropout", false, &m->dropout, err);
    if (st == RESHED_OK && strcmp(m->model, "Unet") == 0)
        st = get_flag(meta, "with_dilation", false, &m->dilated, err);
    return st;
}

/* Every field but members, as AtomAI writes them. Dropout does nothing outside training but to number the
 * tensors. */
static reshed_status read_meta(const rs_pkl *meta, rs_model_file *m, reshed_error *err)
{
    reshed_status st = check_kind(meta, err);
    if (st == RESHED_OK) st = get_int(meta, "nb_classes", RS_MODEL_MAX_CLASSES, &m->classes, err);
    if (st == RESHED_OK) st = get_int(meta, "nb_filters", RS_MODEL_MAX_FILTERS, &m->filters, err);
    if (st == RESHED_OK) st = get_layers(meta, m, err);
    if (st != RESHED_OK) return st;
    const rs_pkl *up = rs_pkl_get(meta, "upsampling");
    if (rs_pkl_is(up, "bilinear") || rs_pkl_is(up, "nearest"))
        snprintf(m->upsampling, sizeof m->upsampling, "%.*s", (int)up->u.text.n,
                 (const char *)up->u.text.s);
    else
        return fail_key(err, RESHED_EUNSUPPORTED, "upsampling", "'bilinear' or 'nearest'", up);
    strcpy(m->model, network_of(rs_pkl_get(meta, "model")));
    return get_flags(meta, m, err);
}

/* ------------------------------------------------------------------------------- the state_dicts */
static bool is_tensor(const rs_pkl *v)
{
    const rs_pkl *of = v && v->kind == RS_PKL_OBJECT ? v->u.call.of : NULL;
    return of && of->kind == RS_PKL_GLOBAL && rs_pkl_is(of->u.global.module, "torch._utils");
}

static bool is_state_dict(const rs_pkl *v)
{
    return v && v->kind == RS_PKL_DICT && v->u.items.n >= 2 &&
           v->u.items.at[0]->kind == RS_PKL_STR && is_tensor(v->u.items.at[1]);
}

/* Sorts by integer keys, which must differ; false when two are equal. key[n] and member[n]. */
static bool sort_members(int64_t *key, rs_torch_member *member, size_t n)
{
    for (size_t i = 1; i < n; i++)
        for (size_t j = i; j > 0 && key[j - 1] >= key[j]; j--) {
            if (key[j - 1] == key[j]) return false;
            const int64_t k = key[j];
            const rs_torch_member m = member[j];
            key[j] = key[j - 1], member[j] = member[j - 1];
            key[j - 1] = k, member[j - 1] = m;
        }
    return true;
}

/* The state_dicts of `states`. */
static reshed_status find_members(const rs_pkl *states, rs_torch_member *member, int *members,
                                  reshed_error *err)
{
    int64_t key[RS_MODEL_MAX_MEMBERS];
    const bool dict = states && states->kind == RS_PKL_DICT;
    const bool list = states && (states->kind == RS_PKL_LIST || states->kind == RS_PKL_TUPLE);
    const size_t n = dict ? states->u.items.n / 2 : list ? states->u.items.n : 0;
    bool numbered = dict;
    if (n == 0)
        return fail_key(err, RESHED_ECORRUPT, "weights", "a dict of tensors or of state_dicts",
                        states);
    if (dict && states->u.items.at[0]->kind == RS_PKL_STR &&
        states->u.items.at[1]->kind != RS_PKL_DICT) {
        member[0].dict = states;
        *members = 1;
        return RESHED_OK;
    }
    if (n > RS_MODEL_MAX_MEMBERS)
        return rs_fail(err, RESHED_EUNSUPPORTED, "members of the ensemble|at most %d|%zu",
                       RS_MODEL_MAX_MEMBERS, n);
    for (size_t i = 0; i < n; i++) {
        const rs_pkl *value = states->u.items.at[dict ? 2 * i + 1 : i];
        if (!value || value->kind != RS_PKL_DICT || value->u.items.n == 0)
            return fail_key(err, RESHED_ECORRUPT, "weights", "a state_dict for each member", value);
        member[i].dict = value;
        numbered = numbered && rs_pkl_integer(states->u.items.at[2 * i], &key[i]);
    }
    if (numbered && !sort_members(key, member, n))
        return rs_fail(err, RESHED_ECORRUPT,
                       "AtomAI model: 'weights'|a key of its own for each member|one key twice");
    *members = (int)n;
    return RESHED_OK;
}

static bool ends_with(const rs_pkl *name, const char *tail, size_t *before)
{
    const size_t k = strlen(tail), n = name->kind == RS_PKL_STR ? name->u.text.n : 0;
    if (n < k || memcmp(name->u.text.s + n - k, tail, k) != 0) return false;
    *before = n - k;
    return true;
}

/* Finds the prefix of AtomAI's names: "module." by DataParallel, "_orig_mod." by compile, the
 * attribute's name of a module around it. */
static void find_prefix(rs_torch_member *m, const char *first)
{
    size_t k;
    for (size_t i = 0; i < m->dict->u.items.n; i += 2) {
        const rs_pkl *name = m->dict->u.items.at[i];
        if (!ends_with(name, first, &k) || (k > 0 && name->u.text.s[k - 1] != '.')) continue;
        m->first = name;
        m->prefix = k;
        return;
    }
}

size_t rs_torch_prefix(const rs_torch_member *member, const rs_pkl *name)
{
    const size_t k = member->prefix;
    return k > 0 && name->u.text.n > k && memcmp(name->u.text.s, member->first->u.text.s, k) == 0
               ? k
               : 0;
}

/* ------------------------------------------------------------------------------ from the shapes */
/* The shape of the tensor of that name; false when there is none. */
static bool find_shape(const rs_torch_member *m, const char *wanted, rs_torch_view *view)
{
    for (size_t i = 0; i < m->dict->u.items.n; i += 2) {
        const rs_pkl *name = m->dict->u.items.at[i];
        if (name->kind != RS_PKL_STR) continue;
        const size_t skip = rs_torch_prefix(m, name), n = name->u.text.n - skip;
        if (n == strlen(wanted) && memcmp(name->u.text.s + skip, wanted, n) == 0)
            return rs_torch_view_parse(m->dict->u.items.at[i + 1], name, 0, view, NULL) ==
                   RESHED_OK;
    }
    return false;
}

static bool has_block(const rs_torch_member *m, int level, int block)
{
    char name[64];
    rs_torch_view view;
    snprintf(name, sizeof name, "net%d%s.res_module.%d.c0.weight", level + 1, level ? ".1" : "",
             block);
    return find_shape(m, name, &view);
}

/* The fields that AtomAI would have written beside these tensors. */
static reshed_status read_shapes(const rs_torch_member *member, rs_model_file *m, reshed_error *err)
{
    rs_torch_view first, out;
    const rs_pkl *name = member->dict->u.items.at[0];
    char text[128];
    if (!find_shape(member, FIRST_TENSOR, &first) || !find_shape(member, "out.weight", &out))
        return rs_fail(err, RESHED_EUNSUPPORTED,
                       "state_dict of another network|the tensors of a ResHedNet (" FIRST_TENSOR
                       ", ..., out.weight), or AtomAI's own file, which names its network|tensors "
                       "that begin with %s",
                       rs_pkl_describe(name, text, sizeof text));
    for (m->levels = 0; m->levels < RS_MODEL_MAX_LEVELS; m->levels++) {
        int n = 0;
        while (n < RS_MODEL_MAX_BLOCKS && has_block(member, m->levels, n)) n++;
        if (n == 0) break;
        m->layers[m->levels] = n;
    }
    if (first.ndim != 4 || out.ndim != 4 || first.dims[0] > RS_MODEL_MAX_FILTERS ||
        out.dims[0] > RS_MODEL_MAX_CLASSES)
        return rs_fail(err, RESHED_ECORRUPT,
                       "shapes of the state_dict|at most %d filters and %d classes|others",
                       RS_MODEL_MAX_FILTERS, RS_MODEL_MAX_CLASSES);
    m->filters = (int)first.dims[0];
    m->classes = (int)out.dims[0];
    strcpy(m->model, "ResHedNet");
    strcpy(m->upsampling, "bilinear");
    m->upsampling_assumed = true;
    return RESHED_OK;
}

/* ------------------------------------------------------------------------------------- the root */
/* Returns the state_dicts in an object that is not AtomAI's dict, NULL when there are none. */
static const rs_pkl *find_states(const rs_pkl *root)
{
    static const char *const keys[] = {"weights", "state_dict", "model_state_dict", "model", "net"};
    const rs_pkl *first = rs_pkl_item(root, 0);
    if (root && root->kind == RS_PKL_DICT && root->u.items.n >= 2) first = root->u.items.at[1];
    if (is_state_dict(root) || is_state_dict(first)) return root;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const rs_pkl *v = rs_pkl_get(root, keys[i]);
        if (v && (v->kind == RS_PKL_DICT || v->kind == RS_PKL_LIST || v->kind == RS_PKL_TUPLE))
            return v;
    }
    return NULL;
}

reshed_status rs_torch_dict_read(const rs_pkl *root, rs_model_file *m, rs_torch_member *member,
                                 int *members, reshed_error *err)
{
    const rs_pkl *type = rs_pkl_get(root, "model_type"), *states;
    const bool atomai = type || network_of(rs_pkl_get(root, "model"));
    reshed_status st = atomai ? read_meta(root, m, err) : RESHED_OK;
    if (st != RESHED_OK) return st;
    states = atomai ? rs_pkl_get(root, "weights") : find_states(root);
    if (!atomai && !states) {
        char text[128];
        return rs_fail(err, RESHED_EUNSUPPORTED,
                       "not an AtomAI model|what AtomAI's save_model writes, or state_dicts of a "
                       "ResHedNet|%s%s",
                       rs_pkl_describe(root, text, sizeof text),
                       root && root->kind == RS_PKL_OBJECT
                           ? ": a whole model, of which Python code is part; save its state_dict()"
                           : " without them");
    }
    st = find_members(states, member, members, err);
    const bool other = atomai && strcmp(m->model, "ResHedNet") != 0;
    for (int i = 0; st == RESHED_OK && i < *members; i++)
        find_prefix(&member[i], other ? FIRST_OF_OTHERS : FIRST_TENSOR);
    return st == RESHED_OK && !atomai ? read_shapes(&member[0], m, err) : st;
}
