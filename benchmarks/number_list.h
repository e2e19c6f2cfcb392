/* Numbers with commas, as an option's value: "50,200,500". */
#ifndef BENCHMARKS_NUMBER_LIST_H
#define BENCHMARKS_NUMBER_LIST_H

#include <stddef.h>

enum { NUMBER_LIST_MAX = 16 };

/* How many there are; 0 for anything that is no list of up to NUMBER_LIST_MAX positive numbers. */
size_t number_list_read(const char *text, size_t ret[NUMBER_LIST_MAX]);

#endif
