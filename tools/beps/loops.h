/* loops.h - the subcommand `reshed-beps loops IN.h5 -o OUT.h5`. */
#ifndef RS_TOOLS_BEPS_LOOPS_H
#define RS_TOOLS_BEPS_LOOPS_H

/* argv[0] is "loops", the words after it are its arguments. Returns the exit status. */
int beps_loops_main(int argc, char **argv);

#endif
