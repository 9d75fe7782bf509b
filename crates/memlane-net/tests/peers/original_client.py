"""Stand-in for the original client, with the standard library alone, and with its faults.

usage: original_client.py PORT ID

Connects, checks the metadata, says "ready"; then for each line on standard input, a JSON text to write or null
to read, prints the reply as JSON. Its fault: a line end at the end of what one `recv` gave ends the reply.
"""

import json
import socket
import sys


def receive(connection):
    data = b""
    while not data.endswith(b"\n"):
        piece = connection.recv(65536)
        if not piece:
            sys.exit("the host left")
        data += piece
    return data.decode()


def main():
    port, name = int(sys.argv[1]), sys.argv[2]
    connection = socket.create_connection(("127.0.0.1", port), timeout=10)
    words = receive(connection).split()
    if len(words) != 6:
        sys.exit("无效的元数据格式")
    if words[0] != name:
        sys.exit("共享内存 ID 不匹配！")
    print("ready", flush=True)
    for line in sys.stdin:
        text = json.loads(line)
        if text is None:
            connection.sendall(b"READ\n")
        else:
            data = text.encode()
            connection.sendall(f"WRITE {len(data)}\n".encode())
            connection.sendall(data + b"\n")
        print(json.dumps(receive(connection), ensure_ascii=False), flush=True)


main()
