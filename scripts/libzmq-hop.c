/*
 * One hop over libzmq without Node: the floor that `arbees bench hop` is measured against, which compiles it.
 *
 *     libzmq-hop pub <topic> <body bytes> <warm-up> <measured> <burst>
 *     libzmq-hop sub <endpoint> <topic> <warm-up> <measured>
 *     libzmq-hop version
 *
 * pub binds a free port and prints `endpoint <url>`. Then it says hello until it reads a line `<start us> <tick us>` on
 * stdin, and behind it a byte for each tick of a metronome: at each it sends the burst that is due. A tick of 0 us has no
 * schedule: the first byte sends everything. sub prints `ready` with the first hello. Both end with a line of JSON. Times
 * are CLOCK_MONOTONIC.
 */

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

#define HELLO_MS 5
/* What has not arrived this long after the last arrival is lost. */
#define DRAIN_MS 1000
#define HELLO (-1)

typedef struct {
  int64_t index;
  int64_t due_us;
  int64_t pub_us;
} stamp_t;

static int64_t now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int64_t cpu_us(void) {
  struct rusage u;
  getrusage(RUSAGE_SELF, &u);
  return (int64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000 + u.ru_utime.tv_usec + u.ru_stime.tv_usec;
}

static void fail(const char *what) {
  fprintf(stderr, "libzmq-hop: %s: %s\n", what, zmq_strerror(zmq_errno()));
  exit(1);
}

static int by_value(const void *a, const void *b) {
  const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return x < y ? -1 : x > y;
}

/* The value that `percent` of the samples do not exceed; sorts in place. */
static int64_t percentile(int64_t *samples, int64_t count, int percent) {
  if (count == 0) return 0;
  qsort(samples, (size_t)count, sizeof *samples, by_value);
  const int64_t rank = (count * percent + 99) / 100;
  return samples[rank > 0 ? rank - 1 : 0];
}

static void print_latencies(const char *name, int64_t *samples, int64_t count) {
  printf("\"%s\":{\"p50_us\":%lld,\"p90_us\":%lld,\"p99_us\":%lld,\"max_us\":%lld}", name,
         (long long)percentile(samples, count, 50), (long long)percentile(samples, count, 90),
         (long long)percentile(samples, count, 99), (long long)percentile(samples, count, 100));
}

static void *open_socket(void *context, int type) {
  void *socket = zmq_socket(context, type);
  const int unbounded = 0;
  if (socket == NULL) fail("socket");
  zmq_setsockopt(socket, type == ZMQ_PUB ? ZMQ_SNDHWM : ZMQ_RCVHWM, &unbounded, sizeof unbounded);
  return socket;
}

static void send_one(void *socket, const char *topic, char *body, size_t bytes, int64_t index, int64_t due_us) {
  const stamp_t stamp = {index, due_us, now_us()};
  memcpy(body, &stamp, sizeof stamp);
  if (zmq_send(socket, topic, strlen(topic), ZMQ_SNDMORE) < 0 || zmq_send(socket, body, bytes, 0) < 0) fail("send");
}

static int has_input(int timeout_ms) {
  struct pollfd in = {STDIN_FILENO, POLLIN, 0};
  return poll(&in, 1, timeout_ms) > 0;
}

static void read_schedule(long long *start_us, long long *tick_us) {
  char line[64];
  size_t at = 0;
  for (char c; at + 1 < sizeof line && read(STDIN_FILENO, &c, 1) == 1 && c != '\n';) line[at++] = c;
  line[at] = 0;
  if (sscanf(line, "%lld %lld", start_us, tick_us) != 2) {
    fprintf(stderr, "libzmq-hop: not a schedule: '%s'\n", line);
    exit(1);
  }
}

static int publish(const char *topic, size_t bytes, int64_t warm_up, int64_t measured, int64_t burst) {
  void *context = zmq_ctx_new();
  void *socket = open_socket(context, ZMQ_PUB);
  char endpoint[256];
  size_t length = sizeof endpoint;
  if (zmq_bind(socket, "tcp://127.0.0.1:*") < 0) fail("bind");
  zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, endpoint, &length);
  printf("endpoint %s\n", endpoint);
  fflush(stdout);

  if (bytes < sizeof(stamp_t)) bytes = sizeof(stamp_t);
  char *body = malloc(bytes);
  const int64_t total = warm_up + measured;
  int64_t *late_us = calloc((size_t)measured + 1, sizeof *late_us);
  if (body == NULL || late_us == NULL) fail("memory");
  memset(body, 'x', bytes);
  while (!has_input(HELLO_MS)) send_one(socket, topic, body, bytes, HELLO, 0);
  long long start_us, tick_us;
  read_schedule(&start_us, &tick_us);

  char ticks[4096];
  int64_t sent = 0, noted = 0, cpu_before = 0, began_us = 0, tick = 0;
  while (sent < total) {
    const ssize_t count = read(STDIN_FILENO, ticks, sizeof ticks);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return 1;
    const int64_t each = tick_us == 0 ? total : burst;
    for (ssize_t i = 0; i < count && sent < total; i++, tick++) {
      const int64_t due_us = tick_us == 0 ? 0 : start_us + tick * tick_us;
      for (int64_t k = 0; k < each && sent < total; k++, sent++) {
        if (sent == warm_up) {
          cpu_before = cpu_us();
          began_us = now_us();
        }
        if (k == 0 && sent >= warm_up && tick_us != 0) late_us[noted++] = now_us() - due_us;
        send_one(socket, topic, body, bytes, sent, tick_us == 0 ? now_us() : due_us);
      }
    }
  }
  const int64_t ended_us = now_us();
  const int64_t used_us = cpu_us() - cpu_before;
  /* Returns when everything has left. */
  zmq_close(socket);
  zmq_ctx_term(context);
  printf("{\"cpu_us\":%lld,\"late_p50_us\":%lld,\"late_p99_us\":%lld,\"took_us\":%lld,\"ended_us\":%lld}\n",
         (long long)used_us, (long long)percentile(late_us, noted, 50), (long long)percentile(late_us, noted, 99),
         (long long)(ended_us - began_us), (long long)ended_us);
  return 0;
}

static int subscribe(const char *endpoint, const char *topic, int64_t warm_up, int64_t measured) {
  void *context = zmq_ctx_new();
  void *socket = open_socket(context, ZMQ_SUB);
  if (zmq_setsockopt(socket, ZMQ_SUBSCRIBE, topic, strlen(topic)) < 0) fail("subscribe");
  if (zmq_connect(socket, endpoint) < 0) fail("connect");
  const int linger = 0, drain_ms = DRAIN_MS;
  zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger);
  zmq_setsockopt(socket, ZMQ_RCVTIMEO, &drain_ms, sizeof drain_ms);

  int64_t *due = calloc((size_t)measured + 1, sizeof *due);
  int64_t *pub = calloc((size_t)measured + 1, sizeof *pub);
  if (due == NULL || pub == NULL) fail("memory");
  int64_t received = 0, first_us = 0, last_us = 0, cpu_first = 0, cpu_last = 0;
  int is_ready = 0, is_measuring = 0;
  zmq_msg_t name, message;
  zmq_msg_init(&name);
  zmq_msg_init(&message);
  while (received < measured) {
    if (zmq_msg_recv(&name, socket, 0) < 0) {
      if (zmq_errno() != EAGAIN) fail("receive");
      if (is_measuring) break;
      /* Nobody writes there: it ends with who started us. */
      if (has_input(0)) return 1;
      continue;
    }
    if (zmq_msg_recv(&message, socket, 0) < (int)sizeof(stamp_t)) continue;
    const int64_t at_us = now_us();
    stamp_t stamp;
    memcpy(&stamp, zmq_msg_data(&message), sizeof stamp);
    if (!is_ready) {
      is_ready = 1;
      printf("ready\n");
      fflush(stdout);
    }
    if (stamp.index < warm_up) continue;
    if (received == 0) {
      is_measuring = 1;
      first_us = at_us;
      cpu_first = cpu_us();
    }
    due[received] = at_us - stamp.due_us;
    pub[received] = at_us - stamp.pub_us;
    last_us = at_us;
    received++;
  }
  cpu_last = cpu_us();
  printf("{\"received\":%lld,\"cpu_us\":%lld,\"span_us\":%lld,", (long long)received,
         (long long)(cpu_last - cpu_first), (long long)(last_us - first_us));
  print_latencies("from_schedule", due, received);
  printf(",");
  print_latencies("from_publish", pub, received);
  printf("}\n");
  zmq_close(socket);
  zmq_ctx_term(context);
  return 0;
}

static int version(void) {
  int major, minor, patch;
  zmq_version(&major, &minor, &patch);
  printf("%d.%d.%d\n", major, minor, patch);
  return 0;
}

int main(int argc, char **argv) {
  /* A terminal's Ctrl-C reaches the whole group: who started us decides when we end, or ends. */
  signal(SIGINT, SIG_IGN);
  if (argc == 2 && strcmp(argv[1], "version") == 0) return version();
  if (argc == 7 && strcmp(argv[1], "pub") == 0)
    return publish(argv[2], (size_t)atoll(argv[3]), atoll(argv[4]), atoll(argv[5]), atoll(argv[6]));
  if (argc == 6 && strcmp(argv[1], "sub") == 0)
    return subscribe(argv[2], argv[3], atoll(argv[4]), atoll(argv[5]));
  fprintf(stderr, "usage: libzmq-hop pub <topic> <body bytes> <warm-up> <measured> <burst>\n"
                  "       libzmq-hop sub <endpoint> <topic> <warm-up> <measured>\n"
                  "       libzmq-hop version\n");
  return 2;
}
