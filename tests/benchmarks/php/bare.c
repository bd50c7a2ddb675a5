/* The least that a client can do: GET next, POST the same small result, on one connection. A floor in C. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static char answer[8 << 20], post[8 << 20];

static size_t receive(int s) {
    size_t have = 0;
    for (;;) {
        ssize_t n = recv(s, answer + have, sizeof answer - 1 - have, 0);
        if (n <= 0) exit(1);
        have += n;
        answer[have] = 0;
        char *end = strstr(answer, "\r\n\r\n"), *length = strstr(answer, "Content-Length: ");
        if (!end || !length) continue;
        size_t body = strtoul(length + 16, 0, 10);
        if (have >= (size_t)(end + 4 - answer) + body) return body;
    }
}

int main(void) {
    char *colon = strchr(getenv("AWS_LAMBDA_RUNTIME_API"), ':'), id[100];
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(atoi(colon + 1))};
    inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    int s = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    if (connect(s, (struct sockaddr *)&to, sizeof to)) return 1;
    setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    static const char next[] = "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n";
    for (;;) {
        send(s, next, sizeof next - 1, 0);
        size_t size = receive(s);
        sscanf(strstr(answer, "Request-Id: ") + 12, "%99[^\r]", id);
        int head = sprintf(post, "POST /2018-06-01/runtime/invocation/%s/response HTTP/1.1\r\nHost: x\r\n"
            "Content-Length: %zu\r\n\r\n", id, size);
        memcpy(post + head, strstr(answer, "\r\n\r\n") + 4, size);
        for (size_t sent = 0; sent < head + size;) sent += send(s, post + sent, head + size - sent, 0);
        receive(s);
    }
}
