# Text as C string literals, one a line.
s/\\/\\\\/g
s/"/\\"/g
s/.*/"&\\n"/
