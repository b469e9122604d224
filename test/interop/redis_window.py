"""Hears a fleet on ZeroMQ and then looks at what its mirror wrote, with Debian's python3-redis and nothing of ours.

    redis_window.py <redis url> <env> <endpoint>...

Says `ready` once it listens. Then, for each line on stdin, prints one JSON line with a list of findings, each
[holds, text]: `health` while the fleet runs, `window` when it has stopped, `gaps` after a drain that had to leave some
out. What is expected is written out here, as the manual has it: it shares no line with the code that wrote the keys.
"""

import json
import re
import sys
import time

import redis
import zmq

redis_url, env, endpoints = sys.argv[1], sys.argv[2], sys.argv[3:]
prefix = "" if env == "prod" else f"{env}:"
client = redis.Redis.from_url(redis_url)

# Stream, about how many entries it keeps, and what its topics begin with.
STREAMS = {
    "prices:kalshi": (10_000, b"prices.kalshi."),
    "prices:poly": (10_000, b"prices.poly."),
    "orderbook:kalshi": (10_000, b"orderbook.kalshi."),
    "orderbook:poly": (10_000, b"orderbook.poly."),
    "signals:trades": (1_000, b"signals.trade."),
    "orders:history": (100_000, b"orders."),
    "trades:history": (100_000, b"trades."),
    "games:events": (10_000, b"games."),
}
HEALTH = ["monitor:kalshi", "monitor:poly", "orchestrator:0", "shard:0", "exec:0", "mirror:0"]
KINDS = [
    (r"(prices|orderbook):(kalshi|poly)|signals:trades|orders:history|trades:history|games:events", "stream"),
    (r"arbees:gaps", "stream"),
    (r"games:[a-z0-9-]+:[^:]+", "string"),
    (r"market:[^:]+:game_id", "string"),
    (r"arbees:checkpoint:[a-z0-9.-]+", "hash"),
    (r"arbees:health:[a-z]+:[a-z0-9]+", "string"),
]
DAY_MS = 24 * 3600 * 1000

# By source, epoch and seq: topic and bytes as they came over ZeroMQ.
heard = {}
newest_game = {}
findings = []


def find(holds, text):
    findings.append([bool(holds), text])


def hear(topic, body):
    if topic.startswith(b"health."):
        return
    envelope = json.loads(body)
    heard[(envelope["source"], envelope["epoch"], envelope["seq"])] = (topic, body)
    if topic.startswith(b"games.") and topic.count(b".") > 1:
        newest_game[topic] = (body, envelope["timestamp_ms"])


def look_at_health():
    missing = []
    for name in HEALTH:
        key = f"{prefix}arbees:health:{name}"
        text, left = client.get(key), client.pttl(key)
        beat = None if text is None else json.loads(text)
        if beat is None or beat["env"] != env or not 0 < left <= 5_000:
            missing.append((name, left))
    find(not missing, f"{len(HEALTH)} heartbeats under arbees:health, each gone within 5 s of its last: {missing or 'all'}")


def look_at_keys():
    strange, wrong, seen = [], [], {}
    for raw in client.scan_iter():
        key = raw.decode("utf-8")
        kind = next((k for pattern, k in KINDS if re.fullmatch(re.escape(prefix) + f"({pattern})", key)), None)
        if kind is None:
            strange.append(key)
        elif client.type(raw).decode() != kind:
            wrong.append(key)
        else:
            seen[kind] = seen.get(kind, 0) + 1
    find(not strange, f"no key that the manual does not name: {strange or seen}")
    find(not wrong, f"each is of its kind: {wrong or 'all'}")


def look_at_stream(name, maxlen, topic_prefix, compared):
    entries = client.xrange(prefix + name)
    by_source = {}
    bad = 0
    differ = 0
    same = 0
    for _, fields in entries:
        envelope = json.loads(fields[b"data"])
        place = (envelope["source"], envelope["epoch"], envelope["seq"])
        told = (fields[b"source"].decode(), int(fields[b"epoch"]), int(fields[b"seq"]))
        in_order = list(fields) == [b"topic", b"data", b"source", b"epoch", b"seq"]
        if not in_order or place != told or not fields[b"topic"].startswith(topic_prefix):
            bad += 1
        by_source.setdefault(place[0], []).append(place[1:])
        if place in heard:
            same += heard[place] == (fields[b"topic"], fields[b"data"])
            differ += heard[place] != (fields[b"topic"], fields[b"data"])
    find(entries and bad == 0, f"{name}: {len(entries)} entries of topic, data, source, epoch, seq, in agreement with data")
    find(len(entries) <= maxlen + 100, f"{name}: keeps about {maxlen}")
    find(same > 0 and differ == 0, f"{name}: {same} of {same + differ} that were heard on ZeroMQ are the same bytes")
    compared.update((source, at[0], at[1]) for source, places in by_source.items() for at in places)
    for source, places in by_source.items():
        first, last = places[0], places[-1]
        whole = places == [(first[0], seq) for seq in range(first[1], last[1] + 1)]
        checkpoint = client.hgetall(f"{prefix}arbees:checkpoint:{source}")
        at = (int(checkpoint[b"epoch"]), int(checkpoint[b"seq"]))
        find(whole and at == last, f"{source}: {first[1]} to {last[1]} without a hole, and its checkpoint says {at[1]}")
        later = [place for place in heard if place[0] == source and place[1:] > last]
        find(not later, f"{source}: nothing was heard that is not there yet: {later[:3] or 'nothing'}")


def look_at_strings():
    now_ms = time.time() * 1000
    stale, ends = [], []
    for topic, (body, stamp) in newest_game.items():
        _, league, game = topic.decode().split(".", 2)
        key = f"{prefix}games:{league}:{game}"
        if client.get(key) != body:
            stale.append(key)
        if abs(client.pttl(key) - (stamp + DAY_MS - now_ms)) > 5_000:
            ends.append(key)
    find(newest_game and not stale, f"{len(newest_game)} games hold the newest that was heard, byte for byte: {stale or 'all'}")
    find(not ends, f"and end 24 h after it was sent: {ends or 'all'}")
    markets = list(client.scan_iter(f"{prefix}market:*:game_id"))
    games = {topic.decode().split(".", 2)[2] for topic in newest_game}
    wrong = [key for key in markets if client.get(key).decode() not in games]
    kept = [key for key in markets if not 0 < client.ttl(key) <= 7 * 24 * 3600]
    find(markets and not wrong and not kept, f"{len(markets)} markets name a game that was heard, for 7 days: {wrong + kept or 'all'}")


def look_at_window():
    look_at_keys()
    compared = set()
    for name, (maxlen, topic_prefix) in STREAMS.items():
        look_at_stream(name, maxlen, topic_prefix, compared)
    look_at_strings()
    sources = sorted({source for source, _, _ in compared})
    find(len(sources) == 8, f"of every channel: {', '.join(sources)}")
    find(client.xlen(f"{prefix}arbees:gaps") == 0, "nothing is missing, and arbees:gaps is empty")


def look_at_gaps():
    entries = client.xrange(f"{prefix}arbees:gaps")
    right = [
        list(fields) == [b"channel", b"epoch", b"from", b"to", b"reason"]
        and fields[b"reason"] == b"trimmed"
        and 0 < int(fields[b"from"]) <= int(fields[b"to"])
        for _, fields in entries
    ]
    find(entries and all(right), f"{len(entries)} gaps of channel, epoch, from, to, reason: trimmed")
    for _, fields in entries:
        channel, to = fields[b"channel"].decode(), int(fields[b"to"])
        family, publisher = channel.split(".")[1], channel.split(".")[0]
        stream = prefix + (f"{family}:{publisher}" if family != "games" else "games:events")
        first = client.xrange(stream, count=1)[0][1]
        find(int(first[b"seq"]) == to + 1, f"{channel}: the stream begins where its gap ends, behind {to}")


context = zmq.Context()
sub = context.socket(zmq.SUB)
sub.setsockopt(zmq.RCVHWM, 0)
sub.setsockopt(zmq.SUBSCRIBE, b"")
sub.setsockopt(zmq.RECONNECT_IVL, 20)
for endpoint in endpoints:
    sub.connect(endpoint)
poller = zmq.Poller()
poller.register(sub, zmq.POLLIN)
poller.register(sys.stdin.fileno(), zmq.POLLIN)
LOOKS = {"health": look_at_health, "window": look_at_window, "gaps": look_at_gaps}

print("ready", flush=True)
while True:
    ready = dict(poller.poll())
    while sub.poll(0):
        hear(*sub.recv_multipart())
    if sys.stdin.fileno() not in ready:
        continue
    line = sys.stdin.readline()
    if line == "":
        break
    findings = []
    LOOKS[line.strip()]()
    print(json.dumps(findings), flush=True)
