"""A client of the protocol in docs/protocol.md, written from that page alone, with nothing but Python's own library.

It does what the page asks of a client: the hello and the proof of being local, numbered requests and acknowledgements, a session that outlives its
connection, and subscriptions with credit.
"""

import base64
import hashlib
import hmac
import json
import os
import socket
import stat
import struct
import time


class Fault(Exception):
    """What the host refused, by its code."""

    def __init__(self, error):
        super().__init__(error["message"])
        self.code, self.error = error["code"], error


class OutcomeUnknown(Exception):
    """The host forgot the session: a change that was sent may have been made or not."""


LOOKS = {"list", "describe", "participants", "locks", "wait_graph", "doctor", "status", "read", "wait", "peek", "records",
         "subscribe", "watch", "unsubscribe", "cancel", "bye"}


class Client:
    def __init__(self, host, port, token=None, local=False):
        self.address, self.token, self.local = (host, port), token, local
        self.session, self.number, self.socket, self.connections = None, 0, None, 0
        self.unanswered, self.answers, self.events, self.arrived = {}, {}, [], 0
        self.connect()

    # The connection: RFC 6455, as much of it as a client needs.

    def connect(self):
        self.connections += 1
        self.received = b""
        self.socket = socket.create_connection(self.address, timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            f"GET /api/v1 HTTP/1.1\r\nHost: {self.address[0]}:{self.address[1]}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
        while b"\r\n\r\n" not in self.received:
            self.receive()
        answer, self.received = self.received.split(b"\r\n\r\n", 1)
        accept = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest())
        if b" 101 " not in answer.split(b"\r\n", 1)[0] or accept not in answer:
            raise ConnectionError(answer.decode(errors="replace"))
        self.greet()

    def receive(self):
        received = self.socket.recv(1 << 20)
        if not received:
            raise ConnectionError("the host closed the connection")
        self.received += received

    def take(self, count):
        while len(self.received) < count:
            self.receive()
        taken, self.received = self.received[:count], self.received[count:]
        return taken

    def send_frame(self, opcode, payload):
        length = len(payload)
        head = bytes([0x80 | opcode])
        head += (bytes([0x80 | length]) if length < 126 else
                 bytes([0xfe]) + struct.pack(">H", length) if length < 65536 else bytes([0xff]) + struct.pack(">Q", length))
        mask = os.urandom(4)
        masked = (int.from_bytes(payload, "little") ^ int.from_bytes((mask * (length // 4 + 1))[:length], "little")).to_bytes(length, "little")
        self.socket.sendall(head + mask + masked)

    def receive_message(self):
        """A header and its payload."""
        message, kind = b"", None
        while True:
            first, second = self.take(2)
            length = second & 0x7f
            if length >= 126:
                length = int.from_bytes(self.take(2 if length == 126 else 8), "big")
            payload, opcode = self.take(length), first & 15
            if opcode == 9:
                self.send_frame(10, payload)
            elif opcode == 8:
                raise ConnectionError("the host closed the connection")
            elif opcode in (0, 1, 2):
                message, kind = message + payload, opcode or kind
                if first & 0x80:
                    break
        if kind == 1:
            return json.loads(message), b""
        (length,) = struct.unpack_from("<I", message)
        return json.loads(message[4:4 + length]), message[4 + length:]

    def send_message(self, header, payload=b""):
        text = json.dumps(header).encode()
        self.send_frame(*((2, struct.pack("<I", len(text)) + text + payload) if payload else (1, text)))

    # The conversation: docs/protocol.md.

    def greet(self):
        host = self.receive_message()[0]["hello"]
        hello = {"protocol": 1, "client": "client.py", "token": self.token, "session": self.session,
                 "proof": self.proof(host) if self.local else None}
        self.send_message({"hello": {name: value for name, value in hello.items() if value is not None}})
        reply = self.receive_message()[0]
        if "refused" in reply:
            raise Fault(reply["refused"])
        self.welcome = reply["welcome"]
        self.session = self.welcome["session"]
        if not self.welcome["resumed"]:
            self.arrived = self.number = 0
            old, self.unanswered = self.unanswered, {}
            if any(header["op"] not in LOOKS for header, _ in old.values()):
                raise OutcomeUnknown
            for header, payload in old.values():
                self.begin(header["op"], payload, **{name: value for name, value in header.items() if name not in ("n", "ack", "op")})
        else:
            for number in sorted(self.unanswered):
                self.send_message(*self.unanswered[number])

    def proof(self, host):
        """The answer to the challenge, if the host's secret can be read here."""
        path = os.path.join(host["space"], ".memlane", os.path.basename(host["secret"]))
        try:
            with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
                status = os.fstat(file.fileno())
                if not stat.S_ISREG(status.st_mode) or status.st_size > 64 or status.st_uid != os.geteuid():
                    return None
                secret = file.read()
        except OSError:
            return None
        ends = " ".join(f"{ip.removeprefix('::ffff:')} {port}" for ip, port, *_ in (self.socket.getsockname(), self.socket.getpeername()))
        lines = "\n".join(["memlane local 1", host["instance"], host["challenge"], ends])
        return hmac.new(secret, lines.encode(), hashlib.sha256).hexdigest()

    def begin(self, operation, payload=b"", **fields):
        """Sends a request; its number."""
        self.number += 1
        self.unanswered[self.number] = ({"n": self.number, "ack": self.arrived, "op": operation, **fields}, payload)
        try:
            self.send_message(*self.unanswered[self.number])
        except OSError:
            self.reconnect()
        return self.number

    def finish(self, number):
        """The answer to a request, whatever happens to the connection; other messages are kept."""
        while number not in self.answers:
            try:
                header, payload = self.receive_message()
            except OSError:
                self.reconnect()
                continue
            if "n" in header:
                if self.unanswered.pop(header["n"], None):
                    self.answers[header["n"]] = (header, payload)
                    self.arrived = min(self.unanswered, default=self.number + 1) - 1
            elif "refused" not in header:
                self.events.append((header, payload))
        header, payload = self.answers.pop(number)
        if "error" in header:
            raise Fault(header["error"])
        return header["ok"], payload

    def request(self, operation, payload=b"", **fields):
        return self.finish(self.begin(operation, payload, **fields))

    def reconnect(self):
        delay = 0.02
        while True:
            self.socket.close()
            try:
                return self.connect()
            except OSError:
                time.sleep(delay)
                delay = min(delay * 2, 1)

    def next_event(self):
        """What a subscription delivers next; credit is given for it."""
        while not self.events:
            self.events.append(self.receive_message())
        header, payload = self.events.pop(0)
        if "event" in header:
            self.send_message({"credit": [{"subscription": header["subscription"], "event": header["event"]}]})
        return header, payload
