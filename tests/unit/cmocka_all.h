/* cmocka.h wants these four before it, in this order of need. */
#ifndef TUTTI_TESTS_CMOCKA_ALL_H
#define TUTTI_TESTS_CMOCKA_ALL_H

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#endif
