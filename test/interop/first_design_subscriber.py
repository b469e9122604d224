"""A reader of the first design: prices by prefix from ZeroMQ, then the same from the Redis stream's `data`.

    first_design_subscriber.py <endpoint> <redis url> <stream> <count>

Reads with the first design's own field access and prints what it found as one JSON line. A price of which only one
side is quoted carries no first-design fields; such messages are counted apart.
"""

import json
import sys
import time

import redis
import zmq

endpoint, redis_url, stream, count = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])


def read(topic, body):
    """The four fields of the first design's price, or None for a quote of one side."""
    msg = json.loads(body)
    inner = msg["payload"]
    if inner["yes_bid"] is None or inner["yes_ask"] is None:
        assert "ticker" not in msg, "first-design fields on a quote of one side"
        return None
    ticker = msg["ticker"]
    yes_bid = msg["yes_bid"]
    yes_ask = msg["yes_ask"]
    timestamp_ms = msg["timestamp_ms"]
    assert topic == f"prices.kalshi.{ticker}", (topic, ticker)
    assert 0 <= yes_bid < yes_ask <= 1, (yes_bid, yes_ask)
    assert isinstance(timestamp_ms, int) and abs(timestamp_ms - time.time() * 1000) < 60_000, timestamp_ms
    return {"ticker": ticker, "yes_bid": yes_bid, "yes_ask": yes_ask, "timestamp_ms": timestamp_ms}


zmq_context = zmq.Context()
zmq_sub = zmq_context.socket(zmq.SUB)
zmq_sub.connect(endpoint)
zmq_sub.setsockopt(zmq.SUBSCRIBE, b"prices.kalshi.")
zmq_sub.setsockopt(zmq.RCVTIMEO, 20_000)

prices = []
one_sided = 0
bodies = {}
while len(prices) < count:
    topic, body = zmq_sub.recv_multipart()
    bodies[body] = topic.decode("utf-8")
    price = read(topic.decode("utf-8"), body)
    if price is None:
        one_sided += 1
    else:
        prices.append(price)

# The mirror is asynchronous: what came over ZeroMQ stands in Redis a moment later.
client = redis.Redis.from_url(redis_url)
deadline = time.time() + 10
while True:
    entries = client.xrange(stream)
    mirrored = {fields[b"data"]: fields[b"topic"].decode("utf-8") for _, fields in entries}
    found = sum(1 for body, topic in bodies.items() if mirrored.get(body) == topic)
    if found == len(bodies) or time.time() > deadline:
        break
    time.sleep(0.1)
from_redis = [read(topic, body) for body, topic in mirrored.items()]

print(
    json.dumps(
        {
            "from_zeromq": len(prices),
            "one_sided": one_sided,
            "same_bytes_in_redis": found,
            "from_redis": sum(1 for price in from_redis if price is not None),
            "sample": prices[-1],
        }
    ),
    flush=True,
)
