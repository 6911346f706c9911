/* sho.h - the subcommand `reshed-beps sho IN.h5 -o OUT.h5`. */
#ifndef RS_TOOLS_BEPS_SHO_H
#define RS_TOOLS_BEPS_SHO_H

/* argv[0] is "sho", the words after it are its arguments. Returns the exit status. */
int beps_sho_main(int argc, char **argv);

#endif
