/* Loads an endpoint and measures it: one thread, epoll, HTTP/1.1 with kept connections, 127.0.0.1 only, bounded in time.
 *
 *   load_driver --port 4000 --connections 64 --seconds 2 --rate 0 --bytes 600 --stream 0 --spread-us 0 --header "K: V"
 *
 * rate 0: closed loop, each connection asks again as soon as it is answered. Otherwise an open loop: requests follow
 * a fixed schedule and latency counts from the instant a request was due, so that a slow answer delays no later one.
 * Prints one JSON object: counts, latencies and times to the first body byte in microseconds.
 * An answer counts as good when it has status 200 and is whole; a stream, when it also ended with [DONE].
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { HEAD_ROOM = 8192, BATCH = 256, SIZE_LINE = 24, BODIES = 16 };
enum framing { BY_LENGTH, CHUNK_SIZE, CHUNK, CHUNK_END, TRAILER, UNTIL_CLOSE };
enum verdict { MORE, WHOLE, BROKEN };

struct line {
  int fd;
  bool is_busy, has_head, must_close, is_done_seen;
  int status, mark, done_mark;
  enum framing framing;
  size_t left, head_length, size_length, sent, length;
  const char *request;
  uint64_t due, first_byte, events;
  char head[HEAD_ROOM], size[SIZE_LINE];
};

static struct line *lines;
static int poll_fd, port, connections = 64, idle_count, *idle;
static bool is_stream;
static double seconds = 2, rate, spread_us;
static char *requests[BODIES], *path = "/v1/chat/completions", *model = "gpt-4o";
static size_t lengths[BODIES], prompt_bytes = 600;
static unsigned asked_in_all;
static uint64_t end_at;
static struct sockaddr_in address;
static uint64_t good, bad, bad_status, incomplete, events, first_bad;
static uint32_t *latency, *first_byte;
static size_t measured, measured_room;

static uint64_t now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

static void watch(const struct line *l, uint32_t wanted, int change) {
  struct epoll_event e = {.events = wanted, .data.u32 = (uint32_t)(l - lines)};
  epoll_ctl(poll_fd, change, l->fd, &e);
}

static bool dial(struct line *l) {
  int one = 1;
  l->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (connect(l->fd, (struct sockaddr *)&address, sizeof address) && errno != EINPROGRESS) {
    close(l->fd);
    l->fd = -1;
    return false;
  }
  watch(l, EPOLLIN | EPOLLOUT, EPOLL_CTL_ADD);
  return true;
}

static void hang_up(struct line *l) {
  if (l->fd >= 0) close(l->fd);
  l->fd = -1;
}

static void note(struct line *l, bool is_good) {
  uint64_t now = now_us();
  if (!is_good) {
    bad++;
    if (l->has_head && l->status != 200) {
      bad_status++;
      if (!first_bad) first_bad = (uint64_t)l->status;
    } else {
      incomplete++;
    }
    return;
  }
  if (measured == measured_room) {
    measured_room = measured_room ? measured_room * 2 : 65536;
    latency = realloc(latency, measured_room * sizeof *latency);
    first_byte = realloc(first_byte, measured_room * sizeof *first_byte);
    if (!latency || !first_byte) abort();
  }
  good++;
  events += l->events;
  latency[measured] = (uint32_t)(now - l->due);
  first_byte[measured++] = (uint32_t)(l->first_byte - l->due);
}

static void send_rest(struct line *l) {
  while (l->sent < l->length) {
    ssize_t n = send(l->fd, l->request + l->sent, l->length - l->sent, MSG_NOSIGNAL);
    if (n < 0) {
      if (errno == EAGAIN || errno == ENOTCONN) return; /* goes on when the line is writable */
      break;
    }
    l->sent += (size_t)n;
  }
  watch(l, EPOLLIN, EPOLL_CTL_MOD);
}

static void ask(struct line *l, uint64_t due) {
  l->is_busy = true;
  l->has_head = l->must_close = l->is_done_seen = false;
  l->status = l->mark = l->done_mark = 0;
  l->head_length = l->size_length = l->sent = 0;
  l->events = l->first_byte = 0;
  l->due = due;
  /* Bodies differ in length, as callers' do: a gateway that remembers a head has to look at the next one too. */
  unsigned which = asked_in_all++ % BODIES;
  l->request = requests[which];
  l->length = lengths[which];
  if (l->fd < 0 && !dial(l)) return;
  send_rest(l);
  if (l->sent < l->length) watch(l, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
}

/* Counts `data: {` and looks for `data: [DONE]`, wherever the stream is split. */
static void scan(struct line *l, const char *at, size_t length) {
  static const char event[] = "data: {", done[] = "data: [DONE]";
  if (!l->first_byte) l->first_byte = now_us();
  if (!is_stream) return;
  for (size_t i = 0; i < length; i++) {
    char c = at[i];
    l->mark = c == event[l->mark] ? l->mark + 1 : c == 'd';
    if (!event[l->mark]) {
      l->events++;
      l->mark = 0;
    }
    l->done_mark = c == done[l->done_mark] ? l->done_mark + 1 : c == 'd';
    if (!done[l->done_mark]) {
      l->is_done_seen = true;
      l->done_mark = 0;
    }
  }
}

static enum verdict read_head(struct line *l, const char **at, size_t *length) {
  size_t before = l->head_length, n = HEAD_ROOM - 1 - before;
  if (n > *length) n = *length;
  memcpy(l->head + before, *at, n);
  l->head_length += n;
  l->head[l->head_length] = 0;
  char *end = strstr(l->head, "\r\n\r\n");
  if (!end) {
    *length = 0;
    return l->head_length < HEAD_ROOM - 1 ? MORE : BROKEN;
  }
  size_t used = (size_t)(end - l->head) + 4 - before;
  *at += used;
  *length -= used;
  l->has_head = true;
  l->status = atoi(l->head + 9);
  l->framing = UNTIL_CLOSE;
  end[2] = 0;
  for (char *field = strstr(l->head, "\r\n"); field; field = strstr(field + 2, "\r\n")) {
    if (!strncasecmp(field + 2, "content-length:", 15)) {
      l->framing = BY_LENGTH;
      l->left = strtoul(field + 17, NULL, 10);
    } else if (!strncasecmp(field + 2, "transfer-encoding: chunked", 26)) {
      l->framing = CHUNK_SIZE;
    } else if (!strncasecmp(field + 2, "connection: close", 17)) {
      l->must_close = true;
    }
  }
  return WHOLE;
}

static enum verdict read_chunks(struct line *l, const char *at, size_t length) {
  while (length) {
    if (l->framing == CHUNK) {
      size_t n = l->left < length ? l->left : length;
      scan(l, at, n);
      at += n;
      length -= n;
      l->left -= n;
      if (!l->left) l->framing = CHUNK_END;
      continue;
    }
    char c = *at++;
    length--;
    if (c != '\n') {
      if (l->size_length < SIZE_LINE - 1 && c != '\r') l->size[l->size_length++] = c;
      continue;
    }
    l->size[l->size_length] = 0;
    bool is_empty = !l->size_length;
    l->size_length = 0;
    if (l->framing == CHUNK_END) {
      l->framing = CHUNK_SIZE;
    } else if (l->framing == TRAILER) {
      if (is_empty) return length ? BROKEN : WHOLE;
    } else {
      l->left = strtoul(l->size, NULL, 16);
      l->framing = l->left ? CHUNK : TRAILER;
    }
  }
  return MORE;
}

static enum verdict read_answer(struct line *l, const char *at, size_t length) {
  if (!l->has_head) {
    enum verdict found = read_head(l, &at, &length);
    if (found != WHOLE) return found;
  }
  if (l->framing == UNTIL_CLOSE) {
    scan(l, at, length);
    return MORE;
  }
  if (l->framing != BY_LENGTH) return read_chunks(l, at, length);
  if (length > l->left) return BROKEN;
  if (length || !l->left) scan(l, at, length);
  l->left -= length;
  return l->left ? MORE : WHOLE;
}

static void over(struct line *l, bool is_whole) {
  note(l, is_whole && l->status == 200 && (!is_stream || l->is_done_seen));
  l->is_busy = false;
  if (!is_whole || l->must_close) hang_up(l);
  if (rate > 0) idle[idle_count++] = (int)(l - lines);
  else if (now_us() < end_at) ask(l, now_us());
}

static void receive(struct line *l) {
  static char room[262144];
  ssize_t n = recv(l->fd, room, sizeof room, 0);
  if (n < 0 && errno == EAGAIN) return;
  if (!l->is_busy) {
    if (n <= 0) hang_up(l);
    return;
  }
  if (n <= 0) {
    bool is_whole = n == 0 && l->has_head && l->framing == UNTIL_CLOSE;
    l->must_close = true;
    over(l, is_whole);
    return;
  }
  enum verdict found = read_answer(l, room, (size_t)n);
  if (found != MORE) over(l, found == WHOLE);
}

static void make_request(int which, const char *fields) {
  static const char words[] = "the quick brown fox jumps over the lazy dog ";
  size_t text = prompt_bytes + (size_t)which * 5;
  char *body = malloc(text + 1000), *request = malloc(text + 12000);
  if (!body || !request) abort();
  size_t n = (size_t)sprintf(body,
                             "{\"model\":\"%s\",\"messages\":[{\"role\":\"system\",\"content\":\"You are a helpful "
                             "assistant.\"},{\"role\":\"user\",\"content\":\"",
                             model);
  for (size_t i = 0; i < text; i++) body[n++] = words[i % (sizeof words - 1)];
  n += (size_t)sprintf(body + n, "\"}],\"temperature\":0.7,\"max_tokens\":256%s}", is_stream ? ",\"stream\":true" : "");
  size_t used = (size_t)sprintf(request,
                                "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUser-Agent: load-driver\r\nAccept: */*\r\n"
                                   "Content-Type: application/json\r\n%sContent-Length: %zu\r\n\r\n",
                                   path, port, fields, n);
  memcpy(request + used, body, n);
  requests[which] = request;
  lengths[which] = used + n;
  free(body);
}

static void read_options(int count, char **words) {
  static char fields[4096];
  if (count % 2 == 0) {
    fprintf(stderr, "load_driver: every option takes a value; the source says which there are\n");
    exit(2);
  }
  for (int i = 1; i + 1 < count; i += 2) {
    char *name = words[i], *value = words[i + 1];
    if (!strcmp(name, "--port")) port = atoi(value);
    else if (!strcmp(name, "--path")) path = value;
    else if (!strcmp(name, "--model")) model = value;
    else if (!strcmp(name, "--connections")) connections = atoi(value);
    else if (!strcmp(name, "--seconds")) seconds = atof(value);
    else if (!strcmp(name, "--rate")) rate = atof(value);
    else if (!strcmp(name, "--bytes")) prompt_bytes = strtoul(value, NULL, 10);
    else if (!strcmp(name, "--stream")) is_stream = atoi(value);
    else if (!strcmp(name, "--spread-us")) spread_us = atof(value);
    else if (!strcmp(name, "--header")) {
      size_t used = strlen(fields);
      snprintf(fields + used, sizeof fields - used, "%s\r\n", value);
    } else {
      fprintf(stderr, "load_driver: unknown option %s\n", name);
      exit(2);
    }
  }
  if (!port || connections < 1 || seconds > 60) {
    fprintf(stderr, "load_driver: needs a port, a connection and at most 60 seconds\n");
    exit(2);
  }
  for (int which = 0; which < BODIES; which++) make_request(which, fields);
}

static int by_size(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return x < y ? -1 : x > y;
}

static unsigned quantile(const uint32_t *sorted, double share) {
  return measured ? sorted[(size_t)((double)(measured - 1) * share)] : 0;
}

static void report(uint64_t unsent, double took_s) {
  uint64_t hung = 0;
  for (int i = 0; i < connections; i++) hung += lines[i].is_busy;
  qsort(latency, measured, sizeof *latency, by_size);
  qsort(first_byte, measured, sizeof *first_byte, by_size);
  printf("{\"good\":%llu,\"bad\":%llu,\"bad_status\":%llu,\"first_bad\":%llu,\"incomplete\":%llu,\"hung\":%llu,"
         "\"unsent\":%llu,\"events\":%llu,\"took_s\":%.4f,\"p50\":%u,\"p90\":%u,\"p99\":%u,\"max\":%u,"
         "\"first50\":%u,\"first99\":%u}\n",
         (unsigned long long)good, (unsigned long long)bad, (unsigned long long)bad_status,
         (unsigned long long)first_bad, (unsigned long long)incomplete, (unsigned long long)hung,
         (unsigned long long)unsent, (unsigned long long)events, took_s, quantile(latency, .5), quantile(latency, .9),
         quantile(latency, .99), quantile(latency, 1), quantile(first_byte, .5), quantile(first_byte, .99));
}

int main(int count, char **words) {
  read_options(count, words);
  address.sin_family = AF_INET;
  address.sin_port = htons((uint16_t)port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  poll_fd = epoll_create1(0);
  lines = calloc((size_t)connections, sizeof *lines);
  idle = malloc(sizeof *idle * (size_t)(connections + 1));
  uint64_t planned = rate > 0 ? (uint64_t)(rate * seconds) : 0, asked = 0, start = now_us();
  int begun = rate > 0 ? connections : 0;
  end_at = start + (uint64_t)(seconds * 1e6);
  for (int i = 0; i < connections; i++) {
    lines[i].fd = -1;
    if (rate > 0) idle[idle_count++] = connections - 1 - i;
  }
  for (;;) {
    uint64_t now = now_us(), wake = now + 50000;
    /* Lines of a closed loop begin one after the other, so that streams need not beat in time. */
    for (; begun < connections && now < end_at; begun++) {
      uint64_t due = start + (uint64_t)(spread_us * begun / connections);
      if (due > now) {
        wake = due < wake ? due : wake;
        break;
      }
      ask(&lines[begun], now);
    }
    while (asked < planned) {
      uint64_t due = start + (uint64_t)((double)asked * 1e6 / rate);
      if (due > now) {
        wake = due < wake ? due : wake;
        break;
      }
      if (!idle_count) break;
      ask(&lines[idle[--idle_count]], due);
      asked++;
    }
    if (now >= end_at) {
      bool is_busy = asked < planned;
      for (int i = 0; i < connections && !is_busy; i++) is_busy = lines[i].is_busy;
      if (!is_busy || now >= end_at + 10000000u) break;
    }
    struct epoll_event ready[BATCH];
    uint64_t left = wake > now ? wake - now : 0;
    struct timespec wait = {.tv_sec = (time_t)(left / 1000000u), .tv_nsec = (long)(left % 1000000u) * 1000};
    int n = epoll_pwait2(poll_fd, ready, BATCH, &wait, NULL);
    for (int i = 0; i < n; i++) {
      struct line *l = &lines[ready[i].data.u32];
      if (l->fd < 0) continue;
      if ((ready[i].events & EPOLLOUT) && l->is_busy) send_rest(l);
      if (ready[i].events & (EPOLLIN | EPOLLERR | EPOLLHUP)) receive(l);
    }
  }
  report(planned - asked, (double)(now_us() - start) / 1e6);
  return 0;
}
