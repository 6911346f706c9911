#include "python/rooms.h"

const char *rs_py_headers(void)
{
    return RS_PY_HEADERS; /* from the Makefile */
}
