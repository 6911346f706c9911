#include "tools/bench/report.h"

#include <math.h>
#include <stdio.h>

#include "base/json.h"
#include "tools/cli/cli.h"

#ifndef RESHED_COMMIT
#define RESHED_COMMIT "unknown"
#endif

static double mib(double bytes)
{
    return bytes / (1 << 20);
}

/* Direct convolution's multiply-adds a second, times two, of the whole ensemble. */
static double effective_flops(const bench_subject *s, const bench_result *r, double seconds)
{
    return 2 * bench_network_macs(&s->arch, r->size, r->size) * s->members / seconds;
}

/* ----------------------------------------------------------------------------------- for people */

void bench_print_subject(const bench_subject *s)
{
    printf("reshed %s (commit %s), %s, kernels %s", RESHED_VERSION, RESHED_COMMIT, s->cpu,
           rs_isa_name(s->isa));
    if (s->core_hz > 0) printf(", about %.2f GHz", s->core_hz * 1e-9);
    printf("\n%d member%s, %s, %d filters, %d classes, ", s->members, s->members > 1 ? "s" : "",
           rs_net_name(s->arch.net), s->arch.filters, s->arch.classes);
    if (s->weights)
        printf("weights from %s in %.2f s\n", CLI_TEXT(s->weights), s->load_seconds);
    else
        printf("random weights (seed %llu)\n", (unsigned long long)s->seed);
}

static void print_times(const char *name, const double *v, int n, double divisor)
{
    const bench_summary t = bench_summarise(v, n);
    printf("  %-34s %10.4f %10.4f %10.4f\n", name, t.median / divisor, t.best / divisor,
           t.worst / divisor);
}

static void print_layers(const bench_result *r)
{
    const double peak = r->fma_peak / r->threads;
    printf("\n  one member on one thread, in ms    in  product   out  after   total  GFLOP/s  of "
           "peak  weights\n");
    for (int i = 0; i < r->layers; i++) {
        const bench_layer *l = &r->layer[i];
        printf("  %-8s %-12s       ", l->name, l->algo);
        printf("%7.3f %8.3f %6.3f %6.3f %7.3f", 1e3 * l->phase[RS_PHASE_IN],
               1e3 * l->phase[RS_PHASE_PRODUCT], 1e3 * l->phase[RS_PHASE_OUT],
               1e3 * l->phase[RS_PHASE_AFTER], 1e3 * l->seconds);
        if (l->macs > 0 && l->seconds > 0)
            printf(" %8.1f %7.0f %%", 2e-9 * l->macs / l->seconds,
                   100 * 2 * l->macs / l->seconds / peak);
        if (l->weight_bytes) printf(" %5.2f MiB", mib((double)l->weight_bytes));
        putchar('\n');
    }
}

static void print_peer(const bench_peer *p, const bench_subject *s, const bench_result *r)
{
    if (!p->times.n) {
        printf("  %s: not measured: %s\n", p->name, p->missing[0] ? p->missing : "no run");
        return;
    }
    const bench_summary ours = bench_summarise(r->times.wall, r->times.n),
                        theirs = bench_summarise(p->times.wall, p->times.n),
                        cpu = bench_summarise(r->times.cpu, r->times.n),
                        their_cpu = bench_summarise(p->times.cpu, p->times.n);
    printf("  %s %s: %.4f s a member (best %.4f, worst %.4f), ratio %.2f (best %.2f, processor "
           "time %.2f)\n",
           p->name, p->version, theirs.median / s->members, theirs.best / s->members,
           theirs.worst / s->members, theirs.median / ours.median, theirs.best / ours.best,
           their_cpu.median / cpu.median);
    printf("    as %s; outputs differ by %.1e at most: %s\n", p->config, p->difference,
           p->difference <= 1e-3 ? "they agree" : "THEY DISAGREE");
    printf("    tried: %s\n", p->tried);
}

static void print_piece(const bench_piece_result *p, double peak, double core_hz)
{
    printf("  %-9s%-26s %-18s %10.2f %10.2f", p->room, p->name, p->shape, 1e6 * p->hot.median,
           1e6 * p->cold.median);
    if (p->flops > 0)
        printf(" %8.1f %5.0f %%", 1e-9 * p->flops / p->hot.median,
               100 * p->flops / p->hot.median / peak);
    else
        printf(" %16s", "");
    if (p->bytes > 0)
        printf(" %7.1f", 1e-9 * p->bytes / p->hot.median);
    else
        printf(" %7s", "");
    if (p->items > 0)
        printf("  %.4g %ss/s, %.1f cycles each", p->items / p->hot.median, p->item,
               p->hot.median * core_hz / p->items);
    if (p->peer[0]) printf("; %s: %.1f times as long", p->peer, p->peer_seconds / p->hot.median);
    putchar('\n');
}

static void print_pieces(const bench_subject *s, const bench_result *r)
{
    printf("\n  one thread                                               hot us    cold us  "
           "GFLOP/s of peak    GB/s\n");
    for (int i = 0; i < r->pieces; i++) print_piece(&r->piece[i], r->piece_peak, s->core_hz);
}

static void print_stream(const bench_subject *s, const bench_result *r)
{
    const double whole = bench_network_macs(&s->arch, r->size, r->size) * s->members;
    printf(
        "\n  scanned line by line, ms a push     median    p90    p99   mean  whole/median  peers'"
        " whole/median\n");
    for (int i = 0; i < bench_stream_case_count; i++) {
        const bench_stream_result *c = &r->stream[i];
        printf("  %-32s %9.2f %6.1f %6.1f %6.1f %13.1f", c->what->name, 1e3 * c->median,
               1e3 * c->p90, 1e3 * c->p99, 1e3 * c->mean, c->whole / c->median);
        for (int p = 0; r->peers && p < BENCH_PEERS; p++)
            if (r->peers[p].times.n)
                printf("  %s %.1f", r->peers[p].name,
                       bench_summarise(r->peers[p].times.wall, r->peers[p].times.n).median /
                           c->median);
        putchar('\n');
    }
    printf("  a line, all members:               G multiply-adds, as direct convolutions  done  "
           "weights GiB  of the frame's work\n");
    for (int i = 0; i < bench_stream_case_count; i++) {
        const bench_stream_result *c = &r->stream[i];
        printf("  %-32s %12.2f %28.2f %12.3f %11.2f %%\n", c->what->name, 1e-9 * c->done.macs,
               1e-9 * c->done.products, mib(c->done.weight_bytes) / 1024,
               100 * c->done.macs / whole);
    }
    printf("  memory: weights %.0f MiB, state %.0f MiB\n", mib((double)r->stream->weight_bytes),
           mib((double)r->stream->state_bytes));
}

void bench_print_result(const bench_subject *s, const bench_result *r)
{
    const bench_summary t = bench_summarise(r->times.wall, r->times.n),
                        cpu = bench_summarise(r->times.cpu, r->times.n);
    const double flops = effective_flops(s, r, t.median);
    printf("\n%d x %d on %d thread%s, algorithm %s, %s; packed in %.2f s, plan %.0f MiB, peak "
           "resident "
           "%.0f MiB\n",
           r->size, r->size, r->threads, r->threads > 1 ? "s" : "", s->algo, s->precision,
           r->pack_seconds, mib((double)r->plan_bytes), mib((double)r->peak_rss));
    printf("  %2d runs                                median       best      worst\n", r->times.n);
    print_times("ensemble, seconds", r->times.wall, r->times.n, 1);
    print_times("a member, seconds", r->times.wall, r->times.n, s->members);
    print_times("processor seconds a member", r->times.cpu, r->times.n, s->members);
    printf("  %-34s %10.3f\n", "images a second", 1 / t.median);
    printf("  %-34s %10.1f   best %.1f: %.0f %% of the FMA peak, %.1f GFLOP/s\n",
           "effective GFLOP/s", 1e-9 * flops, 1e-9 * effective_flops(s, r, t.best),
           100 * effective_flops(s, r, t.best) / r->fma_peak, 1e-9 * r->fma_peak);
    const double got = cpu.median / (t.median * r->threads);
    if (got < 0.9)
        printf("  The machine was shared: these threads had %.0f %% of the processor time.\n",
               100 * got);
    if (r->layers) print_layers(r);
    if (r->pieces) print_pieces(s, r);
    if (r->stream) print_stream(s, r);
    for (int i = 0; r->peers && i < BENCH_PEERS; i++) print_peer(&r->peers[i], s, r);
}

void bench_print_growth(const bench_subject *s, const bench_result *r, int n)
{
    if (n < 2) return;
    printf("\n   size threads  s a member  processor s  ns a pixel  processor ns  GFLOP/s\n");
    for (int i = 0; i < n; i++) {
        const double t = bench_summarise(r[i].times.wall, r[i].times.n).median / s->members,
                     cpu = bench_summarise(r[i].times.cpu, r[i].times.n).median / s->members,
                     pixels = (double)r[i].size * r[i].size;
        printf("  %5d %7d %11.4f %12.4f %11.1f %13.1f %8.1f\n", r[i].size, r[i].threads, t, cpu,
               1e9 * t / pixels, 1e9 * cpu / pixels,
               1e-9 * effective_flops(s, &r[i], t * s->members));
    }
}

static const char *verdict(const bench_choice *c)
{
    return c->wrong ? "WRONG HERE" : c->choice.pays ? "pays" : "does not pay";
}

void bench_print_choices(const bench_choice *c, int n)
{
    printf("\n  %-9s %-9s %-5s  processor ms a member   times the default   the table says\n",
           "kernels", "algorithm", "prec.");
    for (int i = 0; i < n; i++)
        printf("  %-9s %-9s %-5s  %9.3f               %6.2f              %s: %s\n",
               rs_isa_name(c[i].choice.isa), rs_algo_name(c[i].choice.algo),
               rs_precision_name(c[i].choice.precision), 1e3 * c[i].seconds, c[i].ratio,
               i ? verdict(&c[i]) : "used", c[i].choice.reason);
}

/* ----------------------------------------------------------------------------------------- JSON */

/* The first keys of every object. */
static void json_subject(rs_json *j, const bench_subject *s)
{
    rs_json_string(j, "program", "reshed-bench");
    rs_json_string(j, "version", RESHED_VERSION);
    rs_json_string(j, "commit", RESHED_COMMIT);
    rs_json_string(j, "cpu", s->cpu);
    rs_json_string(j, "isa", rs_isa_name(s->isa));
    rs_json_string(j, "precision", s->precision);
    rs_json_string(j, "network", rs_net_name(s->arch.net));
    rs_json_number(j, "filters", s->arch.filters);
    rs_json_number(j, "members", s->members);
    rs_json_number(j, "core_ghz", s->core_hz * 1e-9);
}

static void json_layers(rs_json *j, const bench_result *r)
{
    const double peak = r->fma_peak / r->threads;
    rs_json_array(j, "layers");
    for (int i = 0; i < r->layers; i++) {
        const bench_layer *l = &r->layer[i];
        rs_json_object(j, NULL);
        rs_json_string(j, "name", l->name);
        rs_json_string(j, "algo", l->algo);
        rs_json_number(j, "ms", 1e3 * l->seconds);
        rs_json_number(j, "in_ms", 1e3 * l->phase[RS_PHASE_IN]);
        rs_json_number(j, "product_ms", 1e3 * l->phase[RS_PHASE_PRODUCT]);
        rs_json_number(j, "out_ms", 1e3 * l->phase[RS_PHASE_OUT]);
        rs_json_number(j, "after_ms", 1e3 * l->phase[RS_PHASE_AFTER]);
        rs_json_number(j, "effective_gflops", 2e-9 * l->macs / l->seconds);
        rs_json_number(j, "fraction_of_peak", 2 * l->macs / l->seconds / peak);
        rs_json_number(j, "weight_bytes", (double)l->weight_bytes);
        rs_json_end(j);
    }
    rs_json_end(j);
}

static void json_peers(rs_json *j, const bench_subject *s, const bench_result *r)
{
    const bench_summary ours = bench_summarise(r->times.wall, r->times.n),
                        cpu = bench_summarise(r->times.cpu, r->times.n);
    rs_json_object(j, "peers");
    for (int i = 0; i < BENCH_PEERS; i++) {
        const bench_peer *p = &r->peers[i];
        rs_json_object(j, p->key);
        if (!p->times.n) {
            rs_json_null(j, "version");
            rs_json_null(j, "member_seconds");
            rs_json_null(j, "ratio");
            rs_json_string(j, "missing", p->missing);
        } else {
            const bench_summary t = bench_summarise(p->times.wall, p->times.n),
                                c = bench_summarise(p->times.cpu, p->times.n);
            rs_json_string(j, "version", p->version);
            rs_json_number(j, "member_seconds", t.median / s->members);
            rs_json_number(j, "ratio", t.median / ours.median);
            rs_json_number(j, "member_seconds_best", t.best / s->members);
            rs_json_number(j, "member_seconds_worst", t.worst / s->members);
            rs_json_number(j, "ratio_of_best", t.best / ours.best);
            rs_json_number(j, "ratio_of_processor_time", c.median / cpu.median);
            rs_json_number(j, "largest_difference", p->difference);
            rs_json_string(j, "configuration", p->config);
            rs_json_string(j, "tried", p->tried);
        }
        rs_json_end(j);
    }
    rs_json_end(j);
}

static void json_pieces(rs_json *j, const bench_subject *s, const bench_result *r)
{
    rs_json_array(j, "kernels");
    for (int i = 0; i < r->pieces; i++) {
        const bench_piece_result *p = &r->piece[i];
        rs_json_object(j, NULL);
        rs_json_string(j, "room", p->room);
        rs_json_string(j, "name", p->name);
        rs_json_string(j, "shape", p->shape);
        rs_json_number(j, "hot_us", 1e6 * p->hot.median);
        rs_json_number(j, "hot_us_best", 1e6 * p->hot.best);
        rs_json_number(j, "cold_us", 1e6 * p->cold.median);
        if (p->flops > 0) rs_json_number(j, "gflops", 1e-9 * p->flops / p->hot.median);
        if (p->flops > 0)
            rs_json_number(j, "fraction_of_peak", p->flops / p->hot.median / r->piece_peak);
        if (p->bytes > 0) rs_json_number(j, "gbytes_per_second", 1e-9 * p->bytes / p->hot.median);
        if (p->items > 0) {
            rs_json_string(j, "item", p->item);
            rs_json_number(j, "items_per_second", p->items / p->hot.median);
            rs_json_number(j, "cycles_per_item", p->hot.median * s->core_hz / p->items);
        }
        if (p->peer[0]) {
            rs_json_string(j, "peer", p->peer);
            rs_json_number(j, "peer_us", 1e6 * p->peer_seconds);
            rs_json_number(j, "peer_ratio", p->peer_seconds / p->hot.median);
        }
        rs_json_end(j);
    }
    rs_json_end(j);
}

/* The first case in full, as the contract has it, and all of them. */
static void json_stream(rs_json *j, const bench_result *r)
{
    const bench_stream_result *first = r->stream;
    double final_only = NAN;
    for (int i = bench_stream_case_count - 1; i >= 0; i--)
        if (r->stream[i].what->preview == RS_PREVIEW_OFF) final_only = 1e3 * r->stream[i].mean;
    rs_json_object(j, "stream");
    rs_json_integer(j, "lines_at_once", first->what->lines);
    rs_json_number(j, "median_ms", 1e3 * first->median);
    rs_json_number(j, "p90_ms", 1e3 * first->p90);
    rs_json_number(j, "p99_ms", 1e3 * first->p99);
    rs_json_number(j, "final_only_ms", final_only);
    rs_json_number(j, "ratio_to_whole", first->whole / first->median);
    rs_json_number(j, "weights_mib", mib((double)first->weight_bytes));
    rs_json_number(j, "state_mib", mib((double)first->state_bytes));
    rs_json_object(j, "cases");
    for (int i = 0; i < bench_stream_case_count; i++) {
        const bench_stream_result *c = &r->stream[i];
        rs_json_object(j, c->what->key);
        rs_json_integer(j, "lines_at_once", c->what->lines);
        rs_json_number(j, "median_ms", 1e3 * c->median);
        rs_json_number(j, "p90_ms", 1e3 * c->p90);
        rs_json_number(j, "p99_ms", 1e3 * c->p99);
        rs_json_number(j, "mean_ms", 1e3 * c->mean);
        rs_json_number(j, "worst_ms", 1e3 * c->worst);
        rs_json_number(j, "ratio_to_whole", c->whole / c->median);
        rs_json_number(j, "gmacs_a_line", 1e-9 * c->done.macs);
        rs_json_number(j, "gproducts_a_line", 1e-9 * c->done.products);
        rs_json_number(j, "weight_bytes_a_line", c->done.weight_bytes);
        for (int p = 0; r->peers && p < BENCH_PEERS; p++) {
            char key[64];
            if (!r->peers[p].times.n) continue;
            snprintf(key, sizeof key, "ratio_to_%s", r->peers[p].key);
            rs_json_number(j, key,
                           bench_summarise(r->peers[p].times.wall, r->peers[p].times.n).median /
                               c->median);
        }
        rs_json_end(j);
    }
    rs_json_end(j);
    rs_json_end(j);
}

void bench_json_result(const bench_subject *s, const bench_result *r)
{
    const bench_summary t = bench_summarise(r->times.wall, r->times.n),
                        cpu = bench_summarise(r->times.cpu, r->times.n);
    rs_json out = rs_json_to(stdout), *j = &out;
    rs_json_object(j, NULL);
    json_subject(j, s);
    rs_json_string(j, "algo", s->algo);
    rs_json_number(j, "threads", r->threads);
    rs_json_number(j, "size", r->size);
    rs_json_number(j, "runs", r->times.n);
    rs_json_number(j, "member_seconds", t.median / s->members);
    rs_json_number(j, "ensemble_seconds", t.median);
    rs_json_number(j, "ensemble_seconds_best", t.best);
    rs_json_number(j, "ensemble_seconds_worst", t.worst);
    rs_json_number(j, "images_per_second", 1 / t.median);
    rs_json_number(j, "processor_seconds", cpu.median);
    rs_json_number(j, "effective_gflops", 1e-9 * effective_flops(s, r, t.median));
    rs_json_number(j, "fma_peak_gflops", 1e-9 * r->fma_peak);
    rs_json_number(j, "load_seconds", s->weights ? s->load_seconds : NAN);
    rs_json_number(j, "pack_seconds", r->pack_seconds);
    rs_json_number(j, "plan_mib", mib((double)r->plan_bytes));
    rs_json_number(j, "peak_rss_mib", mib((double)r->peak_rss));
    if (r->layers) json_layers(j, r);
    if (r->peers) json_peers(j, s, r);
    if (r->stream) json_stream(j, r);
    if (r->pieces) json_pieces(j, s, r);
    rs_json_end(j);
}

void bench_json_choices(const bench_subject *s, int size, int threads, const bench_choice *c, int n)
{
    for (int i = 0; i < n; i++) {
        rs_json j = rs_json_to(stdout);
        rs_json_object(&j, NULL);
        rs_json_string(&j, "cpu", s->cpu);
        rs_json_integer(&j, "filters", s->arch.filters);
        rs_json_integer(&j, "size", size);
        rs_json_integer(&j, "threads", threads);
        rs_json_string(&j, "isa", rs_isa_name(c[i].choice.isa));
        rs_json_string(&j, "algo", rs_algo_name(c[i].choice.algo));
        rs_json_string(&j, "precision", rs_precision_name(c[i].choice.precision));
        rs_json_number(&j, "cpu_seconds", c[i].seconds);
        rs_json_number(&j, "ratio", c[i].ratio);
        rs_json_bool(&j, "pays", c[i].choice.pays);
        rs_json_bool(&j, "wrong", c[i].wrong);
        rs_json_string(&j, "reason", c[i].choice.reason);
        rs_json_end(&j);
        putchar('\n');
    }
}
