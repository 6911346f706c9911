/* reshed_base.h - shared by reshed.h, reshed_driver.h and every room of the library: the version,
 * and the words for why a call failed. The two include it; a program need not name it. */
#ifndef RESHED_BASE_H
#define RESHED_BASE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The one place that says the version. */
#define RESHED_VERSION "0.2.0"
/* Grows with every change that a program built against an older header would notice; the shared
 * library is called libreshed.so.RESHED_ABI. */
#define RESHED_ABI 1

#if defined(__GNUC__)
#define RESHED_API __attribute__((visibility("default")))
#else
#define RESHED_API
#endif

/* Reasons for which calls fail. Each is one kind of remedy: correct the call, use another file, ... */
typedef enum reshed_status {
    RESHED_OK = 0,
    RESHED_EINVAL,       /* an argument is out of its stated range */
    RESHED_EUNSUPPORTED, /* well-formed, but not something this program handles */
    RESHED_EIO,          /* the operating system refused to open, read or write */
    RESHED_ECORRUPT,     /* the bytes contradict the format */
    RESHED_ENOMEM,       /* memory could not be had */
    RESHED_ETIMEOUT,     /* an instrument did not answer in time */
    RESHED_EINTERNAL,    /* a bug in reshed */
    RESHED_ECANCELLED    /* the caller's cancel function asked for it */
} reshed_status;

/* A failure in the words a user needs. Owned by the caller; every string is NUL-terminated and
 * may be empty. The path of the file is not in it: the caller knows it and puts it in front. */
typedef struct reshed_error {
    reshed_status status;
    char what[192];
    char expected[128];
    char found[128];
    char where[96];
} reshed_error;

/* A short English name of a status; never NULL. */
RESHED_API const char *reshed_status_text(reshed_status status);

/* Writes "what (expected X, found Y) at WHERE" into buf of n bytes, cut to fit; returns buf. */
RESHED_API const char *reshed_error_text(const reshed_error *err, char *buf, size_t n);

#ifdef __cplusplus
}
#endif

#endif
