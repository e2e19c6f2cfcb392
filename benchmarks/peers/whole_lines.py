"""Text files that are only added to. What an end of the program cut off is the last line, without its end: it counts for nothing."""
import pathlib


def read(path):
    """The whole lines; none where there is no file."""
    path = pathlib.Path(path)
    text = path.read_text() if path.exists() else ""
    return text[:text.rfind("\n") + 1].splitlines(keepends=True)


def append(path, header, text):
    """text: whole lines. header: the first line of a new file."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = "".join(read(path)) or header
    if path.exists() and path.stat().st_size == len(whole.encode()):
        with open(path, "a") as file:
            file.write(text)
        return
    path.with_suffix(".new").write_text(whole + text)
    path.with_suffix(".new").replace(path)
