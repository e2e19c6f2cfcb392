/* tuner/page.h: what is written as HTML and as Markdown, and that nothing of it is taken for more than text. */
#include "tuner/page.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static void write_all(bool html, struct text *out)
{
	static const char *const columns[] = { "what|that", "-number" };
	struct page page = { .html = html, .out = out };
	struct tuner_error err;
	page_begin(&page, "a & b");
	page_section(&page, "one", "Heading <x>");
	page_say(&page, "%s", "[x](http://y) ~~z~~ &lt;");
	page_say(&page, "it *is* %s", "<script>alert(1)</script>");
	page_verbatim(&page, "cd x && `y` ```z```");
	page_table_open(&page, "t", columns, 2);
	page_row_open(&page);
	page_cell_text(&page, "a|b\nc");
	page_cell_number(&page, 1.0 / 3, "a.0.\"b\"");
	page_row_close(&page);
	page_row_open(&page);
	page_cell_text(&page, "");
	page_cell_number(&page, NAN, NULL);
	page_row_close(&page);
	page_table_close(&page, (struct page_source){ .query = "SELECT 1 WHERE 1 < 2" });
	assert_true(page_figure(&page, "f", "figure", "<svg></svg>", "x\ty\n1\t<2\n", NULL,
		(struct page_source){ .command = "tuner compare 'a b' --json" }, &err));
	page_end(&page);
	assert_false(text_failed(out));
}

static void assert_has(const struct text *out, const char *part)
{
	if (strstr(out->bytes, part) == NULL)
		fail_msg("\"%s\" is not in: %s", part, out->bytes);
}

static void html_escapes_everything(void **state)
{
	struct text out = TEXT_EMPTY;
	write_all(true, &out);
	assert_null(strstr(out.bytes, "<script"));
	assert_has(&out, "<title>a &amp; b</title>");
	assert_has(&out, "it *is* &lt;script&gt;");
	assert_has(&out, "data-v=\"0.3333333333333333\">0.333333</td>");
	assert_has(&out, "data-path=\"a.0.&quot;b&quot;\"");
	assert_has(&out, "data-v=\"\">-</td>");
	assert_has(&out, "<code class=\"sql\">SELECT 1 WHERE 1 &lt; 2</code>");
	assert_has(&out, "<pre class=\"rows\">x\ty\n1\t&lt;2\n</pre>");
	assert_has(&out, "<code class=\"command\">tuner compare ");
	assert_has(&out, "prefers-color-scheme:dark");
	text_finish(&out);
}

static void markdown_escapes_too(void **state)
{
	struct text out = TEXT_EMPTY;
	write_all(false, &out);
	assert_null(strstr(out.bytes, "it *is*"));
	assert_has(&out, "it \\*is\\* \\<script\\>");
	assert_has(&out, "\\[x\\](http://y) \\~\\~z\\~\\~ \\&lt;");
	assert_has(&out,
		"| what\\|that | number |\n| --- | ---: |\n| a\\|b c | 0.333333 |\n|  | - |\n");
	assert_has(&out, "````\ncd x && `y` ```z```\n````\n");
	assert_has(&out, "`SELECT 1 WHERE 1 < 2`");
	assert_has(&out, "no figure without --figures");
	assert_null(strstr(out.bytes, "<svg"));
	text_finish(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(html_escapes_everything),
		cmocka_unit_test(markdown_escapes_too),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
