"""Lets a test written in Rust drive client.py: `drive.py ADDRESS PORT TOKEN`; without a token it proves that it is local.

Each line of the input is a request, `{"op": …}` with its payload in `hex`, or `{"next": true}`; each is answered by a line.
"""

import json
import sys

from client import Client, Fault, OutcomeUnknown


def say(header, payload=b""):
    print(json.dumps({"header": header, "hex": payload.hex()}), flush=True)


def main():
    address, port, token = sys.argv[1:4]
    client = Client(address, int(port), token or None, local=not token)
    say(client.welcome)
    for line in sys.stdin:
        fields = json.loads(line)
        payload = bytes.fromhex(fields.pop("hex", ""))
        try:
            say(*(client.next_event() if fields.pop("next", False) else client.request(fields.pop("op"), payload, **fields)))
        except Fault as fault:
            say({"error": fault.error})
        except OutcomeUnknown:
            say({"error": {"code": "outcome_unknown"}})


main()
