#!/bin/sh
# python.sh: prints the Python that has NumPy and cffi: $PYTHON, the first in PATH, or the system's. Fails without one.
for p in "${PYTHON:-}" python3 /usr/bin/python3; do
    if [ -n "$p" ] && "$p" -c 'import numpy, cffi' >/dev/null 2>&1; then
        echo "$p"
        exit 0
    fi
done
exit 1
