// The health check of the image: one call of grpc.health.v1 to the service at COUNTERSIGN_HEALTH_ADDRESS (unix:PATH or HOST:PORT),
// over HTTP/2 with prior knowledge (RFC 9113 §3.3), without TLS. Exits with 0 when the answer is SERVING, else with 1. With
// COUNTERSIGN_HEALTH_WORKERS (a number, 1 by default) it calls each worker of authz, of which the address is that of worker 0.
//
// `countersign health` does the same in 0.1 s of CPU, since it starts Node; Docker calls this one every few seconds.

#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { DATA = 0, HEADERS = 1, SETTINGS = 4, RST_STREAM = 3, GOAWAY = 7 };
enum { END_STREAM = 1, ACK = 1, PADDED = 8 };
enum { FRAME_HEADER = 9, LARGEST_FRAME = 16384, SECONDS = 3 };
// MOST_WORKERS of src/configuration/workers-schema.ts; a name of DNS and a port.
enum { MOST_WORKERS = 64, LONGEST_ADDRESS = 320 };

// The preface, empty SETTINGS, HEADERS of stream 1 (RFC 7541: static table, literals without Huffman), and DATA: a message
// without compression and without fields, the request about the whole server.
static const unsigned char REQUEST[] =
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    "\0\0\0\4\0\0\0\0\0"
    "\0\0\113\1\4\0\0\0\1"
    "\203\206\4\034/grpc.health.v1.Health/Check"
    "\1\011localhost\017\020\020application/grpc"
    "\0\2te\010trailers"
    "\0\0\5\0\1\0\0\0\1"
    "\0\0\0\0\0";
static const unsigned char SETTINGS_ACK[FRAME_HEADER] = {0, 0, 0, SETTINGS, ACK};

// A message without compression, 2 bytes long: field 1 is 1, SERVING (grpc/health/v1/health.proto).
static const unsigned char SERVING[] = {0, 0, 0, 0, 2, 8, 1};

static long workers = 1, worker = 0;

static void fail(const char *message) {
  if (workers > 1) fprintf(stderr, "health-probe: worker %ld: %s\n", worker, message);
  else fprintf(stderr, "health-probe: %s\n", message);
  exit(1);
}

static void on_alarm(int signal) {
  (void)signal;
  static const char text[] = "health-probe: no answer in time\n";
  if (write(STDERR_FILENO, text, sizeof text - 1) < 0) _exit(1);
  _exit(1);
}

static int connect_unix(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path) fail("the path of the socket is too long");
  strcpy(address.sun_path, path);
  int socket_fd = socket(AF_UNIX, SOCK_STREAM, 0);
  if (connect(socket_fd, (struct sockaddr *)&address, sizeof address) != 0) fail("cannot connect");
  return socket_fd;
}

// HOST:PORT, an IPv6 address in brackets.
static int connect_tcp(char *address) {
  char *colon = strrchr(address, ':');
  if (colon == NULL) fail("the address is neither unix:PATH nor HOST:PORT");
  *colon = '\0';
  char *host = address;
  if (*host == '[') {
    host[strlen(host) - 1] = '\0';
    host += 1;
  }
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
  if (getaddrinfo(host, colon + 1, &hints, &found) != 0) fail("cannot resolve the host");
  for (struct addrinfo *at = found; at != NULL; at = at->ai_next) {
    int socket_fd = socket(at->ai_family, at->ai_socktype, at->ai_protocol);
    if (socket_fd >= 0 && connect(socket_fd, at->ai_addr, at->ai_addrlen) == 0) return socket_fd;
  }
  fail("cannot connect");
  return -1;
}

static void send_all(int socket_fd, const unsigned char *bytes, size_t length) {
  while (length > 0) {
    ssize_t sent = send(socket_fd, bytes, length, MSG_NOSIGNAL);
    if (sent <= 0) fail("the connection ended");
    bytes += sent;
    length -= (size_t)sent;
  }
}

static void receive(int socket_fd, unsigned char *bytes, size_t length) {
  while (length > 0) {
    ssize_t received = recv(socket_fd, bytes, length, 0);
    if (received <= 0) fail("the connection ended");
    bytes += received;
    length -= (size_t)received;
  }
}

// Reads frames until the message is complete.
static void expect_serving(int socket_fd) {
  unsigned char header[FRAME_HEADER], payload[LARGEST_FRAME], message[sizeof SERVING];
  size_t have = 0;
  for (;;) {
    receive(socket_fd, header, sizeof header);
    size_t length = (size_t)header[0] << 16 | (size_t)header[1] << 8 | header[2];
    int type = header[3], flags = header[4];
    if (length > LARGEST_FRAME) fail("the answer is not HTTP/2");
    receive(socket_fd, payload, length);
    if (type == RST_STREAM || type == GOAWAY) fail("the call was refused");
    if (type == SETTINGS && !(flags & ACK)) send_all(socket_fd, SETTINGS_ACK, sizeof SETTINGS_ACK);
    if (type == DATA) {
      if (flags & PADDED) fail("the answer is padded");
      if (length > sizeof message - have) fail("it is not serving");
      memcpy(message + have, payload, length);
      have += length;
      if (have == sizeof message) {
        if (memcmp(message, SERVING, sizeof SERVING) == 0) return;
        fail("it is not serving");
      }
    }
    if ((type == DATA || type == HEADERS) && (flags & END_STREAM)) fail("it is not serving");
  }
}

static void expect_serving_at(char *address) {
  int socket_fd = strncmp(address, "unix:", 5) == 0 ? connect_unix(address + 5) : connect_tcp(address);
  send_all(socket_fd, REQUEST, sizeof REQUEST - 1);
  expect_serving(socket_fd);
  close(socket_fd);
}

// The number, which must be the whole text.
static long number_in(const char *text, long most, const char *message) {
  char *end;
  long number = strtol(text, &end, 10);
  if (end == text || *end != '\0' || number < 1 || number > most) fail(message);
  return number;
}

// The address of a worker, as workerAddress of src/configuration/workers.ts has it: its index before the extension of the socket,
// or that many ports above. Worker 0 has the address itself.
static void write_address(char *to, const char *first) {
  int length;
  if (worker == 0) {
    length = snprintf(to, LONGEST_ADDRESS, "%s", first);
  } else if (strncmp(first, "unix:", 5) == 0) {
    const char *slash = strrchr(first, '/'), *name = slash == NULL ? first + 5 : slash + 1;
    const char *dot = strrchr(name, '.');
    if (dot == NULL || dot == name) dot = first + strlen(first);
    length = snprintf(to, LONGEST_ADDRESS, "%.*s-%ld%s", (int)(dot - first), first, worker, dot);
  } else {
    const char *colon = strrchr(first, ':');
    if (colon == NULL) fail("the address is neither unix:PATH nor HOST:PORT");
    long port = number_in(colon + 1, 65535 - worker, "the address has no port for this worker") + worker;
    length = snprintf(to, LONGEST_ADDRESS, "%.*s:%ld", (int)(colon - first), first, port);
  }
  if (length < 0 || length >= LONGEST_ADDRESS) fail("the address is too long");
}

int main(int count, char **arguments) {
  const char *first = count > 1 ? arguments[1] : getenv("COUNTERSIGN_HEALTH_ADDRESS");
  if (first == NULL) fail("COUNTERSIGN_HEALTH_ADDRESS is not set");
  const char *number = getenv("COUNTERSIGN_HEALTH_WORKERS");
  if (number != NULL) workers = number_in(number, MOST_WORKERS, "COUNTERSIGN_HEALTH_WORKERS is not a number from 1 to 64");
  signal(SIGALRM, on_alarm);
  alarm(SECONDS);
  char address[LONGEST_ADDRESS];
  worker = workers - 1;
  write_address(address, first);  // fails before a connection where the last worker cannot have an address
  for (worker = 0; worker < workers; worker += 1) {
    write_address(address, first);
    expect_serving_at(address);
  }
  return 0;
}
