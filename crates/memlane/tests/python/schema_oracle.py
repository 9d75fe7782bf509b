"""Answers what CPython and NumPy think of a schema: one question per line in, one answer per line out.

    numpy TAB schema TAB body in hex    -> itemsize TAB offsets TAB values
    aligned TAB schema                  -> itemsize TAB offsets TAB alignment
    struct TAB format TAB body in hex   -> calcsize TAB offsets TAB values, or "refused"
    nearest TAB scalar TAB double       -> itemsize TAB nothing TAB that double as the scalar, both in hex

"aligned" ignores the offsets and sizes in the schema and lets NumPy lay the fields out.
It reads the schema's canonical text by the grammar alone, as any foreign program would.
Offsets are those of all fields, outer before inner. Values: numbers in decimal, floats as the bits of a double, bytes
in hex without trailing zeros.
"""

import re
import struct
import sys

import numpy

SCALAR = re.compile(r"[<>|][biuf][1248]|\|S[0-9]+")
NAME = re.compile(r'[A-Za-z_][A-Za-z0-9_]*|"(?:[^"\\]|\\["\\])*"')
NUMBER = re.compile(r"[0-9]+")
TOKEN = re.compile(r"([0-9]*)([a-zA-Z?])")


class Reader:
    """The canonical text as (type, shape), where type is a NumPy code or (fields, size); size None is the end."""

    def __init__(self, text):
        self.text, self.at = text, 0

    def match(self, pattern):
        found = pattern.match(self.text, self.at)
        if not found:
            raise ValueError(f"expected {pattern.pattern} at {self.text[self.at:]!r}")
        self.at = found.end()
        return found.group()

    def take(self, token):
        taken = self.text.startswith(token, self.at)
        self.at += len(token) * taken
        return taken

    def label(self):
        label = self.match(NAME)
        return re.sub(r"\\(.)", r"\1", label[1:-1]) if label.startswith('"') else label

    def item(self):
        shape = []
        if self.take("["):
            shape.append(int(self.match(NUMBER)))
            while self.take(","):
                shape.append(int(self.match(NUMBER)))
            assert self.take("]")
        kind = self.structure() if self.take("{") else self.match(SCALAR)
        return kind, tuple(shape)

    def structure(self):
        fields, size = [], None
        while not self.text.startswith(("}", ";"), self.at):
            name = self.label()
            offset = int(self.match(NUMBER)) if self.take("@") else None
            assert self.take(":")
            fields.append((name, offset, self.item()))
            if self.take(" unit="):
                self.label()
            self.take(",")
        if self.take(";"):
            size = int(self.match(NUMBER))
        assert self.take("}")
        return fields, size

    def schema(self):
        item = self.item()
        for attribute in (" unit=", " encoding="):
            if self.take(attribute):
                self.label()
        assert self.at == len(self.text), self.text[self.at:]
        return item


def numpy_dtype(kind, aligned=False):
    if isinstance(kind, str):
        return numpy.dtype(kind)
    fields, size = kind
    names, formats, offsets, end = [], [], [], 0
    for name, offset, (inner, shape) in fields:
        inner = numpy_dtype(inner, aligned)
        names.append(name)
        formats.append((inner, shape) if shape else inner)
        offsets.append(end if offset is None else offset)
        end = offsets[-1] + numpy.dtype(formats[-1]).itemsize
    if aligned:
        return numpy.dtype({"names": names, "formats": formats}, align=True)
    itemsize = end if size is None else size
    return numpy.dtype({"names": names, "formats": formats, "offsets": offsets, "itemsize": itemsize})


def all_offsets(dtype):
    offsets = []
    for name in dtype.names or ():
        field, offset = dtype.fields[name][:2]
        offsets += [offset, *all_offsets(field.base)]
    return offsets


def leaves(value):
    if isinstance(value, numpy.ndarray):
        return [leaf for item in value for leaf in leaves(item)]
    if isinstance(value, numpy.void):
        return [leaf for name in value.dtype.names for leaf in leaves(value[name])]
    return [shown(value.item() if isinstance(value, numpy.generic) else value)]


def shown(value):
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return "nan" if value != value else struct.pack(">d", value).hex()
    if isinstance(value, bytes):
        return "b" + value.rstrip(b"\0").hex()
    return str(value)


def answer_numpy(text, body):
    kind, shape = Reader(text).schema()
    dtype = numpy_dtype(kind)
    array = numpy.frombuffer(bytes.fromhex(body), dtype).reshape(shape)
    return dtype.itemsize, all_offsets(dtype), leaves(array if shape else array[()])


def answer_aligned(text):
    dtype = numpy_dtype(Reader(text).schema()[0], aligned=True)
    return dtype.itemsize, all_offsets(dtype), [dtype.alignment]


def answer_struct(text, body):
    order = text[0] if text[:1] in tuple("<>!=@") else ""
    size = struct.calcsize(text)
    offsets = []
    for token in TOKEN.finditer(text):
        if token[2] != "x" and token[1] != "0":
            offsets.append(struct.calcsize(text[: token.end()]) - struct.calcsize(order + token[0]))
    values = struct.unpack(text, bytes.fromhex(body)) if len(body) == 2 * size else ["no body of this size"]
    return size, offsets, [shown(value) for value in values]


def answer_nearest(scalar, double):
    dtype = numpy.dtype(scalar)
    with numpy.errstate(over="ignore", under="ignore"):
        nearest = numpy.frombuffer(bytes.fromhex(double), "<f8").astype(dtype)
    return dtype.itemsize, [], [nearest.tobytes().hex()]


ANSWERS = {"numpy": answer_numpy, "aligned": answer_aligned, "struct": answer_struct, "nearest": answer_nearest}

for line in sys.stdin:
    question, *arguments = line.rstrip("\n").split("\t")
    try:
        size, offsets, rest = ANSWERS[question](*arguments)
        print(size, ",".join(map(str, offsets)), ",".join(map(str, rest)), sep="\t", flush=True)
    except struct.error:
        print("refused", flush=True)
