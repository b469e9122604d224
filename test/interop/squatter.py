"""A squatter: holds the endpoint of one publisher and sends well-formed messages of another one's source.

    squatter.py <endpoint> <source>

Sends until its stdin closes; then prints how many as one JSON line.
"""

import json
import select
import sys
import time

import zmq

endpoint, source = sys.argv[1:]

zmq_context = zmq.Context()
zmq_pub = zmq_context.socket(zmq.PUB)
zmq_pub.bind(endpoint)
print("bound", flush=True)

epoch = int(time.time() * 1000)
seq = 0
while not select.select([sys.stdin], [], [], 0.02)[0]:
    seq += 1
    envelope = {
        "v": 1,
        "env": "sim",
        "source": source,
        "epoch": epoch,
        "seq": seq,
        "prev": seq - 1,
        "timestamp_ms": epoch + seq,
        "host": "squatter",
        "trace": f"{source}/{epoch}/{seq}",
        "stamps": {},
        "payload": {
            "venue": "kalshi",
            "market_id": "KXSQUATTED",
            "selection": "MIA",
            "state": "LIVE",
            "yes_bid": 0.01,
            "yes_ask": 0.02,
            "yes_bid_size": 1000,
            "yes_ask_size": 1000,
            "book_seq": seq,
        },
    }
    zmq_pub.send_multipart([b"prices.kalshi.KXSQUATTED", json.dumps(envelope).encode("utf-8")])

zmq_pub.close(linger=0)
print(json.dumps({"sent": seq}), flush=True)
