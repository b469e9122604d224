"""A publisher of the first design, as its own code sends: a PUB socket, topic and JSON body, no sequence.

    legacy_publisher.py <endpoint> bare|envelope <ticker>

Sends 50 a second until its stdin closes; then prints how many, and the last body byte for byte, as one JSON line.
"""

import json
import select
import sys
import time

import zmq

endpoint, form, ticker = sys.argv[1:]

zmq_context = zmq.Context()
zmq_pub = zmq_context.socket(zmq.PUB)
zmq_pub.bind(endpoint)
print("bound", flush=True)

seq = 0
first_ms = int(time.time() * 1000)
payload = b""
while not select.select([sys.stdin], [], [], 0.02)[0]:
    seq += 1
    msg = {
        "ticker": ticker,
        "yes_ask": 0.47,
        "yes_bid": 0.45,
        "timestamp_ms": first_ms + seq,
    }
    if form == "envelope":
        msg = {"seq": seq, "timestamp_ms": first_ms + seq, "payload": msg}
    topic = f"prices.kalshi.{ticker}"
    payload = json.dumps(msg).encode("utf-8")
    zmq_pub.send_multipart([topic.encode("utf-8"), payload])

time.sleep(0.3)
zmq_pub.close(linger=1000)
print(json.dumps({"sent": seq, "first_ms": first_ms, "last": payload.decode("utf-8")}), flush=True)
