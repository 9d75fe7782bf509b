"""Stand-in for the original host, with the standard library alone, and with its faults.

usage: original_host.py NAME [CUT_MILLISECONDS]

Makes the block NAME, serves it on a port of the system's choice, says "ready PORT", removes the block when
standard input ends. With a number, each reply is cut behind its first inner line end, and the rest comes so
much later.

Its faults: a request has to come in one piece; what stands behind a header in the same piece is counted in
characters, although the header counts bytes.
"""

import socket
import struct
import sys
import threading
import time
from multiprocessing import shared_memory

SIZE, CODE_LENGTH, TEXT = 4096, 4, 5


def read(block):
    return bytes(block.buf[TEXT:SIZE]).rstrip(b"\0").decode(errors="replace")


def write(block, text):
    data = text.rstrip().encode()
    if len(data) > SIZE - TEXT:
        raise ValueError(f"文本太长: {len(data)} > {SIZE - TEXT} bytes")
    struct.pack_into("<I", block.buf, CODE_LENGTH, len(data))
    block.buf[TEXT:SIZE] = data.ljust(SIZE - TEXT, b"\0")


def receive_exactly(connection, count):
    data = b""
    while len(data) < count:
        piece = connection.recv(count - len(data))
        if not piece:
            raise ConnectionError("连接中断")
        data += piece
    return data.decode()


def answer(connection, block, request):
    if request.strip() == "READ":
        return f"OK {read(block)}\n"
    if request.lstrip().startswith("WRITE "):
        header, _, rest = request.lstrip().partition("\n")
        count = int(header.split()[1])
        rest = rest[:count]
        write(block, rest + receive_exactly(connection, count - len(rest)))
        return "OK\n"
    return None


def send(connection, reply, cut):
    data = reply.encode()
    inner = data.find(b"\n")
    if cut and inner < len(data) - 1:
        connection.sendall(data[: inner + 1])
        time.sleep(cut)
        data = data[inner + 1 :]
    connection.sendall(data)


def serve(connection, block, name, cut):
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with connection:
        connection.sendall(f"{name} {SIZE} 0 {SIZE - 1} 0 {TEXT}\n".encode())
        while data := connection.recv(SIZE):
            try:
                reply = answer(connection, block, data.decode())
            except (ValueError, ConnectionError) as error:
                reply = f"ERROR {error}\n"
            if reply:
                send(connection, reply, cut)


def accept(listener, *arguments):
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0], *arguments), daemon=True).start()


def main():
    name, cut = sys.argv[1], int((sys.argv[2:] + ["0"])[0]) / 1000
    block = shared_memory.SharedMemory(name=name, create=True, size=SIZE)
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=accept, args=(listener, block, name, cut), daemon=True).start()
    print("ready", listener.getsockname()[1], flush=True)
    sys.stdin.read()
    block.unlink()
    sys.stdout.flush()
    # Threads still look at the block, so it is left to the system to unmap it.
    import os

    os._exit(0)


main()
