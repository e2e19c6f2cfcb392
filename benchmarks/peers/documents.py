"""Tables in Markdown, and the documents that they stand in between two markers."""
import sys

BEGIN, END = "<!-- tables: begin -->", "<!-- tables: end -->"


def row(cells):
    return "| " + " | ".join(cells) + " |"


def table(head, rows):
    return "\n".join([row(head), row(["---"] * len(head)), *map(row, rows)]) + "\n"


def interval(mean, low, high):
    """Bold where it excludes zero."""
    text = f"{mean:+.3f} [{low:+.3f}, {high:+.3f}]"
    return f"**{text}**" if low > 0 or high < 0 else text


def replace_tables(path, text):
    """Replaces what stands between the markers."""
    before, begin, rest = path.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        sys.exit(f"{path} lacks the lines {BEGIN} and {END}")
    path.write_text(f"{before}{BEGIN}\n\n{text}\n{END}{after}")
