/*
 * The Runtime API as a benchmark needs it: starts a client, gives out one event N times, says how long that took.
 *
 *     peer EVENT-FILE WARM-UP INVOCATIONS STARTS -- PROGRAM ARGUMENT...
 *
 * Prints one line of JSON: seconds per invocation (from the first measured event's head to the last answer), the
 * median of STARTS starts (from exec to the first GET next), memory of all processes but this one: at rest after the
 * warm-up, and the sum of their peaks. Everything runs in one network namespace; the caller pins it to one CPU.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS = 8, BUFFER = 16 << 20, WAIT = 60000 };

static struct { int fd; char *data; size_t have; } connections[CONNECTIONS];
static int listener, port, responses, failures;
static char *event, last[400];
static size_t event_size;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static void stop(const char *what) {
    fprintf(stderr, "peer: %s\n", what);
    exit(1);
}

static void send_all(int fd, const char *data, size_t size) {
    while (size) {
        ssize_t n = send(fd, data, size, MSG_NOSIGNAL);
        if (n < 0) stop("the client closed its connection");
        data += n;
        size -= n;
    }
}

static void listen_anywhere(void) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(listener, (struct sockaddr *)&at, size) || listen(listener, 16)) stop("cannot listen");
    getsockname(listener, (struct sockaddr *)&at, &size);
    port = ntohs(at.sin_port);
    for (int i = 0; i < CONNECTIONS; i++) {
        connections[i].fd = -1;
        connections[i].data = malloc(BUFFER);
    }
}

static void close_all(void) {
    for (int i = 0; i < CONNECTIONS; i++)
        if (connections[i].fd >= 0) {
            close(connections[i].fd);
            connections[i].fd = -1;
            connections[i].have = 0;
        }
}

/* A whole request with a Content-Length, or none: its path, and how long it is; 0 when it is not whole yet. */
static size_t whole(char *data, size_t have) {
    char *end = memmem(data, have, "\r\n\r\n", 4);
    if (!end) return 0;
    size_t head = end + 4 - data, body = 0;
    for (char *line = data; line < end; line++) {
        if (!strncasecmp(line, "content-length:", 15)) body = strtoul(line + 15, 0, 10);
        line = memchr(line, '\n', end + 2 - line);
        if (!line) break;
    }
    return have >= head + body ? head + body : 0;
}

/* Serves until a client asks for the next event; returns its connection, with the event owed to it. */
static int until_next(void) {
    for (;;) {
        struct pollfd polls[CONNECTIONS + 1];
        for (int i = 0; i < CONNECTIONS; i++) polls[i] = (struct pollfd){connections[i].fd, POLLIN, 0};
        polls[CONNECTIONS] = (struct pollfd){listener, POLLIN, 0};
        int ready = poll(polls, CONNECTIONS + 1, WAIT);
        if (ready < 0 && errno == EINTR) continue;
        if (ready <= 0) stop("nothing came for 60 s");
        for (int i = 0; i < CONNECTIONS; i++) {
            if (connections[i].fd < 0 || !polls[i].revents) continue;
            char *data = connections[i].data;
            ssize_t n = recv(connections[i].fd, data + connections[i].have, BUFFER - 1 - connections[i].have, 0);
            if (n <= 0) {
                close(connections[i].fd);
                connections[i].fd = -1;
                connections[i].have = 0;
                continue;
            }
            connections[i].have += n;
            data[connections[i].have] = 0;
            size_t size = whole(data, connections[i].have);
            if (!size) continue;
            int is_next = !strncmp(data, "GET ", 4), is_response = !!memmem(data, connections[i].have < 200 ? connections[i].have : 200, "/response ", 10);
            if (!is_next && !is_response) {
                failures++;
                snprintf(last, sizeof last, "%.*s", 399, data);
            }
            responses += is_response;
            connections[i].have = 0;
            if (is_next) return connections[i].fd;
            static const char taken[] = "HTTP/1.1 202 Accepted\r\nContent-Length: 16\r\n"
                "Content-Type: application/json\r\n\r\n{\"status\":\"OK\"}\n";
            send_all(connections[i].fd, taken, sizeof taken - 1);
        }
        if (polls[CONNECTIONS].revents) {
            int fd = accept4(listener, 0, 0, SOCK_CLOEXEC), on = 1, place = 0;
            setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            while (place < CONNECTIONS && connections[place].fd >= 0) place++;
            if (place == CONNECTIONS) stop("too many connections");
            connections[place].fd = fd;
        }
    }
}

static void give(int fd, long number) {
    char head[600];
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    int size = snprintf(head, sizeof head,
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
        "Lambda-Runtime-Aws-Request-Id: 8476a536-e9f4-11e8-9739-%012ld\r\n"
        "Lambda-Runtime-Deadline-Ms: %ld\r\n"
        "Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:eu-west-1:123456789012:function:bench\r\n"
        "Lambda-Runtime-Trace-Id: Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1\r\n"
        "Content-Length: %zu\r\n\r\n", number, (long)(t.tv_sec + 300) * 1000, event_size);
    if (event_size < 60000) {
        static char both[64000];
        memcpy(both, head, size);
        memcpy(both + size, event, event_size);
        send_all(fd, both, size + event_size);
    } else {
        send_all(fd, head, size);
        send_all(fd, event, event_size);
    }
}

static pid_t start(char **command) {
    pid_t child = fork();
    if (child == 0) {
        setpgid(0, 0);
        dup2(2, 1);
        execvp(command[0], command);
        perror(command[0]);
        _exit(127);
    }
    setpgid(child, child);
    return child;
}

/* Everything in this container but this process. */
static void end_all(void) {
    kill(-1, SIGKILL);
    while (waitpid(-1, 0, 0) > 0) {}
    close_all();
}

static long number_in(const char *path, const char *key) {
    char line[300];
    long value = 0;
    FILE *file = fopen(path, "r");
    if (!file) return 0;
    while (fgets(line, sizeof line, file))
        if (!strncmp(line, key, strlen(key))) value = atol(line + strlen(key));
    fclose(file);
    return value;
}

/* KiB over all other processes: of proportional memory, or of peaks. */
static long memory(const char *file, const char *key) {
    long sum = 0;
    DIR *folder = opendir("/proc");
    for (struct dirent *entry; folder && (entry = readdir(folder));)
        if (isdigit(entry->d_name[0]) && atoi(entry->d_name) != getpid()) {
            char path[300];
            snprintf(path, sizeof path, "/proc/%s/%s", entry->d_name, file);
            sum += number_in(path, key);
        }
    closedir(folder);
    return sum;
}

static int ascending(const void *a, const void *b) {
    return (*(double *)a > *(double *)b) - (*(double *)a < *(double *)b);
}

int main(int argc, char **argv) {
    if (argc < 7) stop("EVENT-FILE WARM-UP INVOCATIONS STARTS -- PROGRAM ARGUMENT...");
    FILE *file = fopen(argv[1], "r");
    if (!file) stop("no event");
    event = malloc(BUFFER);
    event_size = fread(event, 1, BUFFER, file);
    long warm = atol(argv[2]), invocations = atol(argv[3]), starts = atol(argv[4]);
    char api[40];
    listen_anywhere();
    snprintf(api, sizeof api, "127.0.0.1:%d", port);
    setenv("AWS_LAMBDA_RUNTIME_API", api, 1);

    double *took = calloc(starts + 1, sizeof *took);
    for (long i = 0; i < starts; i++) {
        double began = now();
        start(argv + 6);
        until_next();
        took[i] = now() - began;
        end_all();
    }
    qsort(took, starts, sizeof *took, ascending);

    double each = 0;
    long rest = 0, peak = 0;
    if (invocations) {
        start(argv + 6);
        int fd = until_next();
        for (long i = 0; i < warm; i++) {
            give(fd, i);
            fd = until_next();
        }
        rest = memory("smaps_rollup", "Pss:");
        int before = responses;
        double began = now();
        for (long i = 0; i < invocations; i++) {
            give(fd, i);
            fd = until_next();
        }
        each = (now() - began) / invocations;
        peak = memory("status", "VmHWM:");
        if (failures || responses - before != invocations) {
            fprintf(stderr, "peer: %d responses to %ld events; the last other request: %s\n", responses - before,
                invocations, last);
            return 1;
        }
        end_all();
    }
    printf("{\"seconds\": %.9f, \"start_seconds\": %.6f, \"rest_kib\": %ld, \"peak_kib\": %ld}\n", each,
        starts ? took[starts / 2] : 0, rest, peak);
    return 0;
}
