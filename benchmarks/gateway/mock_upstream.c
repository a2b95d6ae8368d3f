/* A model server without a model: answers POSTs as the OpenAI interface would, as fast as the machine allows.
 *
 * One thread, epoll, HTTP/1.1 with kept connections, 127.0.0.1 only. A request whose body holds "stream":true gets
 * Server-Sent Events, one write per event: role, `tokens` pieces of text, finish, usage when asked for, [DONE].
 * GET /stats tells what arrived, so that the runner can check what a gateway did to the requests. GET /pace/step has the
 * words of all streams sent at the same instants from now on, GET /pace/own each stream's by when its request came.
 *
 *   mock_upstream --port 0 --tokens 64 --first-us 0 --gap-us 10000 --expect NAME --forbid TEXT
 *
 * With port 0 the system chooses; the port is printed as the first line. It ends when standard input does.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
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

enum { MAX_FD = 32768, ROOM = 16384, BATCH = 256 };

struct bytes {
  char *at;
  size_t length, room;
};

struct caller {
  int fd;
  struct bytes in, out;
  size_t sent;
  bool is_stream, wants_usage, is_waiting, is_gone;
  int step; /* -1: the answer has not begun */
  uint64_t due, id;
  struct caller *later;
};

/* Every wait of a kind is equally long, so what was put in first is due first. */
struct line {
  struct caller *first, *last;
};

static struct caller *callers[MAX_FD];
static struct line firsts, gaps;
static bool in_step; /* all streams go on at the same instants, as an engine's do; else each by its own beginning */
static int poll_fd, tokens = 64;
static uint64_t first_us, gap_us, posts, streams, wrong_model, no_usage_asked, forbidden, connections, ids;
static const char *expected = "", *forbid = "";
static struct bytes text;

static uint64_t now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

static void append(struct bytes *b, const char *from, size_t length) {
  if (b->length + length > b->room) {
    b->room = (b->length + length) * 2;
    b->at = realloc(b->at, b->room);
    if (!b->at) abort();
  }
  memcpy(b->at + b->length, from, length);
  b->length += length;
}

static void watch(const struct caller *c, uint32_t events, int change) {
  struct epoll_event e = {.events = events, .data.fd = c->fd};
  epoll_ctl(poll_fd, change, c->fd, &e);
}

static void wait_in(struct line *line, struct caller *c, uint64_t due) {
  c->due = due;
  c->is_waiting = true;
  c->later = NULL;
  if (line->last) line->last->later = c;
  else line->first = c;
  line->last = c;
}

static void release(struct caller *c) {
  free(c->in.at);
  free(c->out.at);
  free(c);
}

/* A caller that is waiting is freed when its turn comes. */
static void hang_up(struct caller *c) {
  callers[c->fd] = NULL;
  close(c->fd);
  if (c->is_waiting) c->is_gone = true;
  else release(c);
}

/* False when the connection is dead. */
static bool flush(struct caller *c) {
  while (c->sent < c->out.length) {
    ssize_t n = send(c->fd, c->out.at + c->sent, c->out.length - c->sent, MSG_NOSIGNAL);
    if (n < 0) {
      if (errno != EAGAIN) return false;
      watch(c, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
      return true;
    }
    c->sent += (size_t)n;
  }
  c->sent = c->out.length = 0;
  return true;
}

static void answer_whole(struct caller *c) {
  char head[256], begin[320], end[200];
  int before = snprintf(begin, sizeof begin,
                        "{\"id\":\"chatcmpl-%012llu\",\"object\":\"chat.completion\",\"created\":1760000000,\"model\":\"%s\","
                        "\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"",
                        (unsigned long long)++ids, expected);
  int after = snprintf(end, sizeof end,
                       "\"},\"logprobs\":null,\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":100,"
                       "\"completion_tokens\":%d,\"total_tokens\":%d}}",
                       tokens, tokens + 100);
  int lines = snprintf(head, sizeof head,
                       "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %zu\r\n"
                       "x-request-id: r%012llu\r\n\r\n",
                       (size_t)before + text.length + (size_t)after, (unsigned long long)ids);
  append(&c->out, head, (size_t)lines);
  append(&c->out, begin, (size_t)before);
  append(&c->out, text.at, text.length);
  append(&c->out, end, (size_t)after);
}

static void add_event(struct caller *c, const char *body) {
  char event[512], size[16];
  int n = snprintf(event, sizeof event, "data: %s\n\n", body);
  append(&c->out, size, (size_t)snprintf(size, sizeof size, "%x\r\n", (unsigned)n));
  append(&c->out, event, (size_t)n);
  append(&c->out, "\r\n", 2);
}

static void add_chunk(struct caller *c, const char *rest) {
  char body[480];
  snprintf(body, sizeof body,
           "{\"id\":\"chatcmpl-%012llu\",\"object\":\"chat.completion.chunk\",\"created\":1760000000,\"model\":\"%s\",%s}",
           (unsigned long long)c->id, expected, rest);
  add_event(c, body);
}

/* Writes the next event; false after the last. */
static bool add_step(struct caller *c) {
  char rest[200];
  int step = c->step++;
  if (step == 0) {
    add_chunk(c, "\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}]");
  } else if (step <= tokens) {
    snprintf(rest, sizeof rest,
             "\"choices\":[{\"index\":0,\"delta\":{\"content\":\" tok%d\"},\"finish_reason\":null}]", step);
    add_chunk(c, rest);
  } else if (step == tokens + 1) {
    add_chunk(c, "\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]");
  } else if (step == tokens + 2 && c->wants_usage) {
    snprintf(rest, sizeof rest,
             "\"choices\":[],\"usage\":{\"prompt_tokens\":100,\"completion_tokens\":%d,\"total_tokens\":%d}", tokens,
             tokens + 100);
    add_chunk(c, rest);
  } else {
    add_event(c, "[DONE]");
    append(&c->out, "0\r\n\r\n", 5);
    c->step = -1;
    return false;
  }
  return true;
}

/* Sends what is due; true while the connection lives. */
static bool respond(struct caller *c) {
  if (!c->is_stream) {
    answer_whole(c);
    return flush(c);
  }
  if (c->step < 0) {
    static const char head[] = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
                               "transfer-encoding: chunked\r\ncache-control: no-cache\r\n\r\n";
    append(&c->out, head, sizeof head - 1);
    c->step = 0;
    c->id = ++ids;
    c->due = now_us();
  }
  while (add_step(c)) {
    if (!flush(c)) return false;
    if (gap_us) {
      wait_in(&gaps, c, in_step ? (now_us() / gap_us + 1) * gap_us : c->due + gap_us);
      return true;
    }
  }
  return flush(c);
}

static void tell_stats(struct caller *c) {
  char body[300], head[128];
  int n = snprintf(body, sizeof body,
                   "{\"posts\":%llu,\"streams\":%llu,\"wrong_model\":%llu,\"no_usage_asked\":%llu,\"forbidden\":%llu,"
                   "\"connections\":%llu,\"object\":\"list\",\"data\":[{\"id\":\"%s\",\"object\":\"model\"}],"
                   "\"model_path\":\"%s\"}",
                   (unsigned long long)posts, (unsigned long long)streams, (unsigned long long)wrong_model,
                   (unsigned long long)no_usage_asked, (unsigned long long)forbidden, (unsigned long long)connections,
                   expected, expected);
  append(&c->out, head,
         (size_t)snprintf(head, sizeof head,
                          "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n", n));
  append(&c->out, body, (size_t)n);
}

static bool holds(const char *at, size_t length, const char *word) {
  return memmem(at, length, word, strlen(word)) != NULL;
}

static void count_post(struct caller *c, size_t head, size_t body) {
  const char *at = c->in.at + head;
  size_t looked_at = body < 4096 ? body : 4096; /* flags stand at the beginning or the end; text lies between */
  const char *tail = at + body - looked_at;
  posts++;
  c->is_stream = holds(tail, looked_at, "\"stream\":true") || holds(tail, looked_at, "\"stream\": true") ||
                 holds(at, looked_at, "\"stream\":true") || holds(at, looked_at, "\"stream\": true");
  c->wants_usage = holds(tail, looked_at, "\"include_usage\":true") || holds(at, looked_at, "\"include_usage\":true") ||
                   holds(tail, looked_at, "\"include_usage\": true") || holds(at, looked_at, "\"include_usage\": true");
  if (*expected && !holds(at, looked_at, expected) && !holds(tail, looked_at, expected)) wrong_model++;
  if (*forbid && holds(c->in.at, head, forbid)) forbidden++;
  if (c->is_stream) {
    streams++;
    if (!c->wants_usage) no_usage_asked++;
  }
}

/* Takes whole requests out of what has arrived; false when the connection is dead or speaks something else. */
static bool take_requests(struct caller *c) {
  while (!c->is_waiting && c->in.length) {
    char *end = memmem(c->in.at, c->in.length, "\r\n\r\n", 4);
    if (!end) return c->in.length < ROOM * 4;
    size_t head = (size_t)(end - c->in.at) + 4, body = 0;
    bool is_chunked = false;
    *end = 0;
    for (char *line = strstr(c->in.at, "\r\n"); line; line = strstr(line + 2, "\r\n")) {
      if (!strncasecmp(line + 2, "content-length:", 15)) body = strtoul(line + 17, NULL, 10);
      if (!strncasecmp(line + 2, "transfer-encoding:", 18)) is_chunked = true;
    }
    *end = '\r';
    if (is_chunked) {
      char *last = memmem(c->in.at + head, c->in.length - head, "0\r\n\r\n", 5);
      if (!last) return true;
      body = (size_t)(last + 5 - c->in.at) - head;
    }
    if (c->in.length < head + body) return true;
    bool is_post = !memcmp(c->in.at, "POST", 4);
    bool is_step = !memcmp(c->in.at, "GET /pace/step ", 15), is_own = !memcmp(c->in.at, "GET /pace/own ", 14);
    if (is_post) count_post(c, head, body);
    memmove(c->in.at, c->in.at + head + body, c->in.length - head - body);
    c->in.length -= head + body;
    if (!is_post) {
      if (is_step) in_step = true;
      if (is_own) in_step = false;
      tell_stats(c);
      if (!flush(c)) return false;
    } else if (first_us) {
      wait_in(&firsts, c, now_us() + first_us);
    } else if (!respond(c)) {
      return false;
    }
  }
  return true;
}

static void serve_due(struct line *line, uint64_t now) {
  while (line->first && line->first->due <= now) {
    struct caller *c = line->first;
    line->first = c->later;
    if (!line->first) line->last = NULL;
    c->is_waiting = false;
    if (c->is_gone) release(c);
    else if (!respond(c) || !take_requests(c)) hang_up(c);
  }
}

static bool receive(struct caller *c) {
  for (;;) {
    if (c->in.room - c->in.length < ROOM) {
      c->in.room = c->in.room * 2 + ROOM;
      c->in.at = realloc(c->in.at, c->in.room);
      if (!c->in.at) abort();
    }
    size_t room = c->in.room - c->in.length;
    ssize_t n = recv(c->fd, c->in.at + c->in.length, room, 0);
    if (n == 0 || (n < 0 && errno != EAGAIN)) return false;
    if (n > 0) c->in.length += (size_t)n;
    if (n < (ssize_t)room) return take_requests(c);
  }
}

static void accept_all(int listener) {
  int fd, one = 1;
  while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
    struct caller *c = fd < MAX_FD ? calloc(1, sizeof *c) : NULL;
    if (!c) {
      close(fd);
      continue;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    c->fd = fd;
    c->step = -1;
    callers[fd] = c;
    connections++;
    watch(c, EPOLLIN, EPOLL_CTL_ADD);
  }
}

static int listen_at(int port) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port),
                           .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof at;
  int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(fd, (struct sockaddr *)&at, sizeof at) || listen(fd, 4096) ||
      getsockname(fd, (struct sockaddr *)&at, &length)) {
    perror("mock_upstream");
    exit(1);
  }
  printf("%d\n", ntohs(at.sin_port));
  fflush(stdout);
  return fd;
}

static int read_options(int count, char **words) {
  int port = 0;
  if (count % 2 == 0) {
    fprintf(stderr, "mock_upstream: every option takes a value; the source says which there are\n");
    exit(2);
  }
  for (int i = 1; i + 1 < count; i += 2) {
    const char *name = words[i], *value = words[i + 1];
    if (!strcmp(name, "--port")) port = atoi(value);
    else if (!strcmp(name, "--tokens")) tokens = atoi(value);
    else if (!strcmp(name, "--first-us")) first_us = strtoull(value, NULL, 10);
    else if (!strcmp(name, "--gap-us")) gap_us = strtoull(value, NULL, 10);
    else if (!strcmp(name, "--expect")) expected = value;
    else if (!strcmp(name, "--forbid")) forbid = value;
    else {
      fprintf(stderr, "mock_upstream: unknown option %s\n", name);
      exit(2);
    }
  }
  return port;
}

int main(int count, char **words) {
  int port = read_options(count, words);
  char word[16];
  for (int i = 1; i <= tokens; i++) append(&text, word, (size_t)snprintf(word, sizeof word, " tok%d", i));
  int listener = listen_at(port);
  poll_fd = epoll_create1(0);
  struct epoll_event listening = {.events = EPOLLIN, .data.fd = listener}, input = {.events = EPOLLIN, .data.fd = 0};
  epoll_ctl(poll_fd, EPOLL_CTL_ADD, listener, &listening);
  epoll_ctl(poll_fd, EPOLL_CTL_ADD, 0, &input);
  for (;;) {
    struct epoll_event ready[BATCH];
    struct timespec wait, *until = NULL;
    uint64_t due = UINT64_MAX, now = now_us();
    if (firsts.first) due = firsts.first->due;
    if (gaps.first && gaps.first->due < due) due = gaps.first->due;
    if (due != UINT64_MAX) {
      uint64_t left = due > now ? due - now : 0;
      wait.tv_sec = (time_t)(left / 1000000u);
      wait.tv_nsec = (long)(left % 1000000u) * 1000;
      until = &wait;
    }
    int n = epoll_pwait2(poll_fd, ready, BATCH, until, NULL);
    for (int i = 0; i < n; i++) {
      int fd = ready[i].data.fd;
      if (fd == 0) return 0; /* the runner has gone */
      if (fd == listener) {
        accept_all(listener);
        continue;
      }
      struct caller *c = callers[fd];
      if (!c) continue;
      bool lives = true;
      if (ready[i].events & EPOLLOUT) {
        lives = flush(c);
        if (lives && !c->out.length) watch(c, EPOLLIN, EPOLL_CTL_MOD);
      }
      if (lives && (ready[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))) lives = receive(c);
      if (!lives) hang_up(c);
    }
    now = now_us();
    serve_due(&firsts, now);
    serve_due(&gaps, now);
  }
}
