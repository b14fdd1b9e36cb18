// libpq's types; its functions are looked up when they are needed.
#ifndef SQLQ_CPOSTGRESQL_SHIM_H
#define SQLQ_CPOSTGRESQL_SHIM_H

#include <postgresql/libpq-fe.h>

#endif
