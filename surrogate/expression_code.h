/* Inside of expression.h: a parsed expression, as operations on a stack. */
#ifndef SURROGATE_EXPRESSION_CODE_H
#define SURROGATE_EXPRESSION_CODE_H

#include "surrogate/expression.h"

enum operation {
	PUSH_NUMBER, /* number */
	PUSH_VARIABLE, /* values[variable] */
	PUSH_MEANING, /* meanings[first + values[variable]], n of them */
	NEGATE,
	NOT,
	ABS,
	CEIL,
	EXP,
	FLOOR,
	LOG,
	LOG10,
	LOG2,
	SQRT,
	ADD,
	SUBTRACT,
	MULTIPLY,
	DIVIDE,
	POWER,
	MAX,
	MIN,
	LESS,
	LESS_EQUAL,
	GREATER,
	GREATER_EQUAL,
	EQUAL,
	DIFFERENT,
	AND,
	OR,
};

struct instruction {
	enum operation operation;
	double number;
	size_t variable, first, n;
};

enum { STACK_MAX = 128 };

struct expression {
	size_t n, n_meanings, n_variables;
	struct instruction *code;
	double *meanings;
	size_t *variables;
	char *text;
};

#endif
