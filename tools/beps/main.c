/* reshed-beps - band-excitation switching spectroscopy: spectra to resonances, loops to numbers. */
#include <string.h>

#include "tools/beps/loops.h"
#include "tools/beps/sho.h"
#include "tools/cli/cli.h"

static const cli_program self = {
    "reshed-beps",
    "Usage: reshed-beps sho [OPTION]... IN.h5 -o OUT.h5\n"
    "       reshed-beps loops [OPTION]... IN.h5 -o OUT.h5 [--csv OUT.csv] [--png PREFIX]\n"
    "\n"
    "  sho      fits the simple harmonic oscillator to band-excitation spectra\n"
    "  loops    reduces hysteresis loops to maps of widths, voltages, areas\n"
    "\n"
    "`reshed-beps sho --help` and `reshed-beps loops --help` tell the options. loops reads what "
    "sho\n"
    "writes.\n"
    "      --help, --version\n"};

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(int argc, char **argv);
    } commands[] = {{"sho", beps_sho_main}, {"loops", beps_loops_main}};
    if (argc < 2) return cli_usage_error(&self, "no command given");
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(argv[1], commands[i].name) == 0) return commands[i].run(argc - 1, argv + 1);
    if (strcmp(argv[1], "--help") == 0) return cli_help(&self);
    if (strcmp(argv[1], "--version") == 0) return cli_version(&self);
    return cli_usage_error(&self, "unknown command '%s'", argv[1]);
}
