"""Recomputes what `arbees latency --json` says, from the stamps of the same messages, heard over libzmq's own binding.

    hop_latencies.py <endpoint> ...

Subscribes at once and says "joined" when every endpoint was heard. A line of input is a report of `arbees latency`: the
messages are cut to those that it measured (`channels`), each hop's median is taken again, and what was found goes back
as one JSON line of [holds, text]. Nothing of ours is used here: the stamps are what docs and schema say they are.
"""

import json
import sys
import threading
import time

import zmq

# Of the larger of the two; below this many microseconds whole microseconds are coarser than that.
TOLERANCE = 0.02
COARSE_US = 1

endpoints = sys.argv[1:]
heard = []
receive_us = []
joined = set()


def monotonic_us():
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000


def listen():
    context = zmq.Context()
    poller = zmq.Poller()
    sockets = {}
    for endpoint in endpoints:
        sub = context.socket(zmq.SUB)
        sub.setsockopt(zmq.RCVHWM, 100_000)
        sub.setsockopt(zmq.SUBSCRIBE, b"")
        sub.connect(endpoint)
        poller.register(sub, zmq.POLLIN)
        sockets[sub] = endpoint
    while True:
        for sub, _ in poller.poll():
            topic, body = sub.recv_multipart()
            now = monotonic_us()
            joined.add(sockets[sub])
            if topic.startswith(b"health."):
                continue
            message = json.loads(body)
            receive_us.append(now - message["stamps"]["pub"])
            heard.append((topic.decode(), message))


def median(values):
    """The value that half of them do not exceed."""
    ordered = sorted(values)
    return ordered[-(-len(ordered) // 2) - 1]


def hops_of(messages):
    """Every hop's latencies in us, from the messages in the order of their channels."""
    found = {}
    published = {}
    for _, message in messages:
        published[(message["source"], message["epoch"], message["seq"])] = message["stamps"]["pub"]

    def add(hop, us):
        found.setdefault(hop, []).append(max(0, us))

    arrived = set()
    sent = set()
    for topic, message in messages:
        stamps, payload = message["stamps"], message["payload"]
        family = topic.split(".")[0]
        if family in ("prices", "orderbook") and "recv" in stamps:
            add("frame_to_quote", stamps["pub"] - stamps["recv"])
            if "venue_ms" in stamps:
                frame_ms = message["timestamp_ms"] - (stamps["pub"] - stamps["recv"]) / 1000
                add("venue_monitor", round((frame_ms - stamps["venue_ms"]) * 1000))
        if family == "signals":
            source, epoch, seq = message["trace"].rsplit("/", 2)
            trigger = published.get((source, int(epoch), int(seq)))
            if trigger is not None:
                add("monitor_shard", stamps["shard_in"] - trigger)
            add("decision", stamps["shard_out"] - stamps["shard_in"])
        if family == "orders" and payload["leg"] == 0 and payload["attempt"] == 0 and "exec_in" in stamps:
            if payload["signal_id"] not in arrived:
                arrived.add(payload["signal_id"])
                add("shard_exec", stamps["exec_in"] - stamps["shard_out"])
            if "order" in stamps and payload["order_id"] not in sent:
                sent.add(payload["order_id"])
                add("exec_venue", stamps["order"] - stamps["exec_in"])
                add("tick_to_order", stamps["order"] - stamps["recv"])
    return found


def measured(report):
    """The messages that the report is of, by channel and seq."""
    spans = {(each["source"], each["epoch"]): each for each in report["channels"]}
    kept = []
    for topic, message in list(heard):
        span = spans.get((message["source"], message["epoch"]))
        if span is not None and span["first_seq"] <= message["seq"] <= span["last_seq"]:
            kept.append((topic, message))
    kept.sort(key=lambda each: (each[1]["source"], each[1]["epoch"], each[1]["seq"]))
    return kept


def compare(report):
    messages = measured(report)
    yield [
        report["gaps"] == 0 and len(messages) == report["messages"],
        f"heard the same {len(messages)} messages as the command ({report['messages']}, {report['gaps']} gaps)",
    ]
    ours = hops_of(messages)
    theirs = {row["hop"]: row for row in report["hops"] if row["hop"] != "mirror_lag"}
    yield [sorted(ours) == sorted(theirs), f"the same hops: {' '.join(sorted(theirs))}"]
    for hop, row in theirs.items():
        values = ours.get(hop, [])
        own = median(values) if values else None
        off = None if own is None else abs(own - row["p50_us"])
        yield [
            off is not None and len(values) == row["n"] and off <= max(COARSE_US, TOLERANCE * max(own, row["p50_us"])),
            f"{hop}: p50 {row['p50_us']} us of {row['n']}, recomputed {own} us of {len(values)}",
        ]
    [receive] = report["receive"]
    yield [
        receive["n"] == report["messages"] and min(receive_us) > 0,
        f"from the bus to a reader: p50 {receive['p50_us']} us in the command, {median(receive_us)} us in Python",
    ]


threading.Thread(target=listen, daemon=True).start()
while len(joined) < len(endpoints):
    time.sleep(0.05)
print("joined", flush=True)
for line in sys.stdin:
    time.sleep(0.5)  # What the command has heard is on its way here too.
    print(json.dumps(list(compare(json.loads(line)))), flush=True)
