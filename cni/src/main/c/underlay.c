/*
 * underlay: the CNI plugin that a container runtime executes.
 *
 * It carries one call to the daemon and its answer back, and decides nothing about networks:
 *
 *   environment, standard input, CNI_NETNS -> checks -> frame + descriptors -> ipamd
 *   standard output, exit code             <- one reply frame               <- ipamd
 *
 * It answers VERSION itself, never forks, allocates nothing, and ends within its own deadline
 * whatever the daemon does. A DEL that finds no daemon becomes a file that the daemon reads later.
 * Standard output holds one JSON object or nothing. The wire protocol is described in
 * dev.underlay.cni.socket.LauncherProtocol; a change there is a change here.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

/* Deadlines in milliseconds, from start to exit. A test build may shorten them. */
#ifndef ADD_MILLIS
#define ADD_MILLIS 65000 /* the daemon lets an ADD wait 60 s for an address */
#endif
#ifndef CHECK_MILLIS
#define CHECK_MILLIS 10000
#endif
#ifndef STATUS_MILLIS
#define STATUS_MILLIS 2000 /* containerd asks every 5 s and holds a lock meanwhile */
#endif
#ifndef GC_MILLIS
#define GC_MILLIS 25000 /* CRI-O gives up after 30 s */
#endif
#ifndef DEL_MILLIS
#define DEL_MILLIS 10000 /* almost all of it for a runtime that is slow to close our input */
#endif
#ifndef DEL_ANSWER_MILLIS
#define DEL_ANSWER_MILLIS 2000 /* after that the DEL is stored */
#endif
#define DEL_LAST_TRY_MILLIS 200 /* for a daemon that has just been restarted */

#define DEFAULT_SOCKET "/run/underlay/ipamd.sock"
#define NEWEST_VERSION "1.1.0"
#define VERSIONS "\"0.3.1\",\"0.4.0\",\"1.0.0\",\"1.1.0\""

/* CNI error codes: SPEC, section "Error"; from 100 ours, listed in CniError.java. */
enum {
    BAD_ENVIRONMENT = 4,
    BAD_IO = 5,
    BAD_CONFIG = 7,
    BAD_NAMESPACE = 8,
    TRY_AGAIN = 11,
    NOT_AVAILABLE = 50,
    NOT_PERMITTED = 103,
    NOT_UNDERSTOOD = 104,
};

/* LauncherProtocol.java. Numbers are in the machine's byte order. */
enum {
    MAGIC = 0x554c4159,
    MAJOR = 1,
    CRITICAL = 0x8000,
    VARIABLE = CRITICAL | 1,
    STANDARD_INPUT = CRITICAL | 2,
    DESCRIPTOR = CRITICAL | 3,
    EXIT_CODE = CRITICAL | 4,
    STANDARD_OUTPUT = CRITICAL | 5,
    MAX_INPUT = 1 << 20,
    MAX_VARIABLE = 16 * 1024,
    MAX_FRAME = MAX_INPUT + 128 * 1024,
};

struct frame {
    uint32_t magic;
    uint16_t major;
    uint16_t zero;
    uint32_t length; /* of the whole frame */
};

struct field {
    uint16_t type;
    uint16_t zero;
    uint32_t length; /* of the value, which follows */
};

/* linux/magic.h and linux/nsfs.h, which musl does not bring. */
#define NSFS_MAGIC 0x6e736673
#define NS_GET_NSTYPE _IO(0xb7, 0x3)
#define NETLINK_ROUTE 0

struct verb {
    const char *name;
    long long millis;      /* deadline */
    int without_daemon;    /* error code when the daemon does not answer */
    bool has_attachment;   /* needs CNI_CONTAINERID and CNI_IFNAME */
    bool needs_namespace;  /* needs CNI_NETNS */
};

static const struct verb VERBS[] = {
    {"ADD", ADD_MILLIS, TRY_AGAIN, true, true},
    {"DEL", DEL_MILLIS, TRY_AGAIN, true, false},
    {"CHECK", CHECK_MILLIS, TRY_AGAIN, true, true},
    {"STATUS", STATUS_MILLIS, NOT_AVAILABLE, false, false},
    {"GC", GC_MILLIS, TRY_AGAIN, false, false},
    {"VERSION", STATUS_MILLIS, BAD_IO, false, false},
};

static const char *const FORWARDED[] = {
    "CNI_COMMAND", "CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_ARGS",
};

/* LauncherCall.SYSCTLS: what an ADD's IPv6 needs, written before the pod's link exists. */
static const char *const SYSCTLS[] = {
    "net/ipv6/conf/all/disable_ipv6", "net/ipv6/conf/default/disable_ipv6",
    "net/ipv6/conf/all/accept_dad",   "net/ipv6/conf/default/accept_dad",
    "net/ipv6/conf/default/accept_ra",
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MAX_DESCRIPTORS (2 + COUNT(SYSCTLS))
#define MAX_PARTS (1 + 2 * COUNT(FORWARDED) + 2 + 2 * MAX_DESCRIPTORS)

static const struct verb *verb;
static long long started_at;               /* boot time, ns */
static char version[16] = NEWEST_VERSION;  /* of the configuration, for errors */
static char input[MAX_INPUT + 1];
static size_t input_length;
static _Alignas(8) char reply[MAX_FRAME];

/* What is sent; a second try sends it again. */
static struct {
    int descriptors[MAX_DESCRIPTORS];
    const char *names[MAX_DESCRIPTORS];
    size_t count;
    uint64_t namespace_inode; /* 0: unknown */
} pod;

/* ---- time, output, errors */

static long long now(void)
{
    struct timespec time;
    if (clock_gettime(CLOCK_BOOTTIME, &time) != 0) {
        return 0;
    }
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static long long after_millis(long long start, long long millis)
{
    return start + millis * 1000000LL;
}

/* Waits for events until the deadline. False when it is over. */
static bool await(int fd, short events, long long deadline)
{
    for (;;) {
        long long left = (deadline - now() + 999999) / 1000000;
        struct pollfd wanted = {.fd = fd, .events = events, .revents = 0};
        int ready = left <= 0 ? 0 : poll(&wanted, 1, (int)left);
        if (ready >= 0) {
            return ready > 0;
        }
        if (errno != EINTR && errno != EAGAIN) {
            return true; /* the read or write that follows says what is wrong */
        }
    }
}

/* Writes all of it to standard output and ends the process. */
static _Noreturn void finish(const char *data, size_t length, int exit_code)
{
    long long deadline = after_millis(now(), STATUS_MILLIS);
    while (length > 0) {
        ssize_t written = write(STDOUT_FILENO, data, length);
        if (written >= 0) {
            data += written;
            length -= (size_t)written;
        } else if (errno == EAGAIN) {
            if (!await(STDOUT_FILENO, POLLOUT, deadline)) {
                _exit(1);
            }
        } else if (errno != EINTR) {
            _exit(1); /* nobody reads */
        }
    }
    _exit(exit_code);
}

/* Words for errno. Runtimes read a DEL error with the usual words for ENOENT as success. */
static const char *reason(int error)
{
    return error == ENOENT ? "it does not exist" : strerror(error);
}

/* Ends with the CNI error object. The message names the thing, the cause and the next step. */
static _Noreturn __attribute__((format(printf, 2, 3))) void fail(int code, const char *format, ...)
{
    char message[1024];
    char object[6 * sizeof message + 128];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    int at = snprintf(object, 96, "{\"cniVersion\":\"%s\",\"code\":%d,\"msg\":\"", version, code);
    for (const char *c = message; *c != '\0'; c++) {
        unsigned char byte = (unsigned char)*c;
        if (byte == '"' || byte == '\\') {
            object[at++] = '\\';
            object[at++] = *c;
        } else if (byte < 0x20) {
            at += snprintf(object + at, 7, "\\u%04x", byte);
        } else {
            object[at++] = byte < 0x7f ? *c : '?'; /* may be half a character */
        }
    }
    memcpy(object + at, "\"}\n", 3);
    finish(object, (size_t)at + 3, 1);
}

/* ---- input */

/*
 * Finds a member of the outermost object whose value is a plain string (the last one, as JSON
 * parsers do). Whether the whole is JSON is the daemon's question.
 */
static bool find_text(const char *key, char *value, size_t size)
{
    bool found = false;
    bool is_value_wanted = false;
    int depth = 0;
    char before = 0; /* last structural character */
    for (size_t i = 0; i < input_length; i++) {
        char c = input[i];
        if (c == '{' || c == '[') {
            depth++;
        } else if (c == '}' || c == ']') {
            depth--;
        }
        if (c != '"') {
            if (strchr("{}[],:", c) != NULL && c != '\0') {
                before = c;
            }
            continue;
        }
        size_t start = ++i;
        bool is_plain = true;
        while (i < input_length && input[i] != '"') {
            if (input[i] == '\\') {
                is_plain = false;
                i++;
            }
            i++;
        }
        if (i >= input_length) {
            return false;
        }
        size_t length = i - start;
        if (depth != 1) {
            continue;
        }
        if (before == ':') {
            if (is_value_wanted) {
                found = is_plain && length < size;
                if (found) {
                    memcpy(value, input + start, length);
                    value[length] = '\0';
                }
            }
        } else {
            is_value_wanted = length == strlen(key) && memcmp(input + start, key, length) == 0;
        }
    }
    return found;
}

/* Reads standard input to its end. Returns what is wrong, or NULL. */
static const char *read_input(long long deadline)
{
    while (input_length <= MAX_INPUT) {
        if (!await(STDIN_FILENO, POLLIN, deadline)) {
            return "it was not closed in time";
        }
        ssize_t count = read(STDIN_FILENO, input + input_length, sizeof input - input_length);
        if (count == 0) {
            return NULL;
        }
        if (count > 0) {
            input_length += (size_t)count;
        } else if (errno != EINTR && errno != EAGAIN) {
            return reason(errno);
        }
    }
    fail(BAD_CONFIG,
         "the network configuration on standard input is larger than %d bytes; shorten it",
         MAX_INPUT);
}

static bool is_name(const char *text)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
    return strchr("_.-", text[0]) == NULL && text[strspn(text, letters)] == '\0';
}

static bool is_interface_name(const char *text)
{
    size_t length = strlen(text);
    for (const char *c = text; *c != '\0'; c++) {
        if (*c <= ' ' || *c > '~' || strchr("/:%", *c) != NULL) {
            return false;
        }
    }
    return length >= 1 && length <= 15 && strcmp(text, ".") != 0 && strcmp(text, "..") != 0;
}

/* The variable's value, "" if it is not set. */
static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value == NULL ? "" : value;
}

static void check_environment(void)
{
    char missing[64] = "";
    const char *const required[] = {"CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME"};
    for (size_t i = 0; i < COUNT(required); i++) {
        bool needed = i == 1 ? verb->needs_namespace : verb->has_attachment;
        if (needed && variable(required[i])[0] == '\0') {
            strcat(missing, missing[0] == '\0' ? "" : ", ");
            strcat(missing, required[i]);
        }
    }
    if (missing[0] != '\0') {
        fail(BAD_ENVIRONMENT, "variables missing or empty: %s; the runtime must set them for %s",
             missing, verb->name);
    }
    for (size_t i = 0; i < COUNT(FORWARDED); i++) {
        if (strlen(variable(FORWARDED[i])) > MAX_VARIABLE) {
            fail(BAD_ENVIRONMENT, "%s is longer than %d bytes; the runtime must shorten it",
                 FORWARDED[i], MAX_VARIABLE);
        }
    }
    if (!verb->has_attachment) {
        return;
    }
    const char *id = variable("CNI_CONTAINERID");
    if (!is_name(id)) {
        fail(BAD_ENVIRONMENT,
             "CNI_CONTAINERID is \"%.100s\" but must be letters, digits, '_', '.' and '-', "
             "beginning with a letter or digit; the runtime must change it",
             id);
    }
    const char *interface = variable("CNI_IFNAME");
    if (!is_interface_name(interface)) {
        fail(BAD_ENVIRONMENT,
             "CNI_IFNAME is \"%.100s\" but must be 1 to 15 printable characters without '/', ':', "
             "'%%' and spaces, not . or ..; the runtime must change it",
             interface);
    }
    const char *path = variable("CNI_NETNS");
    if (verb->needs_namespace && path[0] != '/') {
        fail(BAD_ENVIRONMENT,
             "CNI_NETNS is \"%.200s\" but must be an absolute path; the runtime must change it",
             path);
    }
}

/* ---- the pod's namespace */

static void carry(int descriptor, const char *name)
{
    pod.descriptors[pod.count] = descriptor;
    pod.names[pod.count] = name;
    pod.count++;
}

/* Opens CNI_NETNS. Returns why it cannot be used, or NULL. */
static const char *open_namespace(int *namespace)
{
    struct statfs filesystem;
    struct stat theirs;
    struct stat ours;
    /* Not blocking, in case it is a pipe. */
    *namespace = open(variable("CNI_NETNS"), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (*namespace < 0) {
        return reason(errno);
    }
    if (fstatfs(*namespace, &filesystem) != 0 || fstat(*namespace, &theirs) != 0 ||
        stat("/proc/self/ns/net", &ours) != 0) {
        return reason(errno);
    }
    if (filesystem.f_type != NSFS_MAGIC || ioctl(*namespace, NS_GET_NSTYPE) != CLONE_NEWNET) {
        return "it is not a network namespace";
    }
    if (theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino) {
        return "it is the node's own network namespace";
    }
    pod.namespace_inode = theirs.st_ino;
    return NULL;
}

/* Opens what the daemon needs from inside the pod. This process stays in the pod's namespace. */
static void open_pod(void)
{
    const char *path = variable("CNI_NETNS");
    if (!verb->has_attachment || path[0] != '/') {
        return; /* STATUS, GC, or a DEL whose namespace is gone */
    }
    int namespace;
    const char *problem = open_namespace(&namespace);
    if (problem != NULL) {
        if (!verb->needs_namespace) {
            return; /* DEL without a usable namespace: what is left is on the node */
        }
        fail(BAD_NAMESPACE,
             "CNI_NETNS %.200s: %s; the runtime must make the pod's namespace before %s", path,
             problem, verb->name);
    }
    if (setns(namespace, CLONE_NEWNET) != 0) {
        fail(errno == EPERM ? NOT_PERMITTED : BAD_NAMESPACE,
             "cannot enter CNI_NETNS %.200s: %s; the runtime must run this plugin as root", path,
             reason(errno));
    }
    carry(namespace, "netns");
    int route = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (route < 0) {
        fail(BAD_NAMESPACE,
             "cannot open a route socket in CNI_NETNS %.200s: %s; look at the node's limits", path,
             reason(errno));
    }
    carry(route, "route");
    if (strcmp(verb->name, "ADD") != 0) {
        return;
    }
    for (size_t i = 0; i < COUNT(SYSCTLS); i++) {
        char file[96];
        snprintf(file, sizeof file, "/proc/sys/%s", SYSCTLS[i]);
        int sysctl = open(file, O_WRONLY | O_CLOEXEC);
        if (sysctl >= 0) { /* else no IPv6 here, or /proc/sys is read-only: the daemon decides */
            carry(sysctl, SYSCTLS[i]);
        }
    }
}

/* ---- the daemon's socket */

/* The socket's path: the line in the file "underlay.socket" beside this binary, or the default. */
static void find_socket(struct sockaddr_un *address)
{
    char file[4096];
    char line[sizeof address->sun_path + 1];
    *address = (struct sockaddr_un){.sun_family = AF_UNIX, .sun_path = DEFAULT_SOCKET};
    ssize_t length = readlink("/proc/self/exe", file, sizeof file - 32);
    if (length <= 0) {
        return;
    }
    file[length] = '\0';
    char *slash = strrchr(file, '/');
    if (slash == NULL) {
        return;
    }
    strcpy(slash + 1, "underlay.socket");
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) {
        return;
    }
    length = fd < 0 ? -1 : read(fd, line, sizeof line);
    int error = errno;
    if (fd >= 0) {
        close(fd);
    }
    if (length < 0) {
        fail(BAD_IO, "cannot read %.200s: %s; restart ipamd, which writes it", file, reason(error));
    }
    size_t end = 0;
    while (end < (size_t)length && line[end] != '\n') {
        end++;
    }
    if (end == 0 || end >= sizeof address->sun_path || line[0] != '/') {
        fail(BAD_CONFIG,
             "%.200s must hold one line with an absolute path of at most %zu bytes; restart ipamd, "
             "which writes it",
             file, sizeof address->sun_path - 1);
    }
    memset(address->sun_path, 0, sizeof address->sun_path);
    memcpy(address->sun_path, line, end);
}

enum outcome { ANSWERED, NO_LISTENER, CUT_OFF, SILENT };

static enum outcome reach(int fd, const struct sockaddr_un *address, long long deadline)
{
    while (connect(fd, (const struct sockaddr *)address, sizeof *address) != 0) {
        if (errno == EACCES || errno == EPERM) {
            fail(NOT_PERMITTED,
                 "may not connect to ipamd at %s: %s; the runtime must run this plugin as root",
                 address->sun_path, reason(errno));
        }
        if (errno != EAGAIN && errno != EINTR) {
            return NO_LISTENER;
        }
        /* The listener's queue is full; the kernel has no event for room in it. */
        if (now() >= deadline) {
            return SILENT;
        }
        poll(NULL, 0, 5);
    }
    return ANSWERED;
}

static void add_field(struct iovec *parts, size_t *count, struct field *field, int type,
                      const char *value, size_t length)
{
    *field = (struct field){.type = (uint16_t)type, .length = (uint32_t)length};
    parts[(*count)++] = (struct iovec){.iov_base = field, .iov_len = sizeof *field};
    /* sendmsg only reads; iovec has no const. */
    parts[(*count)++] = (struct iovec){.iov_base = (char *)(uintptr_t)value, .iov_len = length};
}

/* The environment's own "NAME=VALUE" string, or NULL. */
static const char *environment_entry(const char *name)
{
    const char *value = getenv(name);
    return value == NULL ? NULL : value - strlen(name) - 1;
}

static enum outcome send_request(int fd, long long deadline)
{
    struct frame frame = {.magic = MAGIC, .major = MAJOR, .length = 0};
    struct field fields[MAX_PARTS / 2];
    struct iovec parts[MAX_PARTS] = {{.iov_base = &frame, .iov_len = sizeof frame}};
    size_t count = 1;
    for (size_t i = 0; i < COUNT(FORWARDED); i++) {
        const char *entry = environment_entry(FORWARDED[i]);
        if (entry != NULL) {
            add_field(parts, &count, &fields[count / 2], VARIABLE, entry, strlen(entry));
        }
    }
    add_field(parts, &count, &fields[count / 2], STANDARD_INPUT, input, input_length);
    for (size_t i = 0; i < pod.count; i++) {
        add_field(parts, &count, &fields[count / 2], DESCRIPTOR, pod.names[i],
                  strlen(pod.names[i]));
    }
    for (size_t i = 0; i < count; i++) {
        frame.length += (uint32_t)parts[i].iov_len;
    }

    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof pod.descriptors)];
    } control = {0};
    struct msghdr message = {.msg_iov = parts};
    if (pod.count > 0) {
        size_t size = pod.count * sizeof pod.descriptors[0];
        message.msg_control = control.bytes;
        message.msg_controllen = (socklen_t)CMSG_SPACE(size);
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = (socklen_t)CMSG_LEN(size);
        memcpy(CMSG_DATA(&control.header), pod.descriptors, size);
    }
    size_t first = 0;
    while (first < count) {
        message.msg_iov = parts + first;
        message.msg_iovlen = (__typeof__(message.msg_iovlen))(count - first); /* musl: int */
        ssize_t sent = sendmsg(fd, &message, MSG_NOSIGNAL);
        if (sent < 0) {
            if (errno == EAGAIN) {
                if (!await(fd, POLLOUT, deadline)) {
                    return SILENT;
                }
                continue;
            }
            if (errno == EINTR) {
                continue;
            }
            return CUT_OFF;
        }
        message.msg_control = NULL; /* the descriptors went with the first byte */
        message.msg_controllen = 0;
        size_t left = (size_t)sent;
        while (first < count && left >= parts[first].iov_len) {
            left -= parts[first++].iov_len;
        }
        if (left > 0) {
            parts[first].iov_base = (char *)parts[first].iov_base + left;
            parts[first].iov_len -= left;
        }
    }
    return ANSWERED;
}

static enum outcome receive(int fd, long long deadline)
{
    struct frame frame = {0};
    size_t have = 0;
    size_t want = sizeof frame;
    while (have < want) {
        if (!await(fd, POLLIN, deadline)) {
            return SILENT;
        }
        ssize_t count = recv(fd, reply + have, want - have, 0);
        if (count == 0) {
            return CUT_OFF;
        }
        if (count < 0) {
            if (errno == EINTR || errno == EAGAIN) {
                continue;
            }
            return CUT_OFF;
        }
        have += (size_t)count;
        if (have == sizeof frame && want == sizeof frame) {
            memcpy(&frame, reply, sizeof frame);
            if (frame.magic != MAGIC || frame.major != MAJOR || frame.length < sizeof frame ||
                frame.length > sizeof reply) {
                fail(NOT_UNDERSTOOD,
                     "ipamd answers in protocol %u with %u bytes, this launcher speaks %d; restart "
                     "ipamd, which installs its own launcher",
                     frame.magic == MAGIC ? frame.major : 0, frame.length, MAJOR);
            }
            want = frame.length;
        }
    }
    return ANSWERED;
}

struct answer {
    const char *output;
    size_t output_length;
    uint32_t exit_code;
};

/* Reads the fields behind the frame's header. False if they are not an answer. */
static bool read_answer(const char *frame, size_t length, struct answer *answer)
{
    *answer = (struct answer){.output = NULL, .output_length = 0, .exit_code = UINT32_MAX};
    size_t at = sizeof(struct frame);
    while (at < length) {
        struct field field;
        if (length - at < sizeof field) {
            return false;
        }
        memcpy(&field, frame + at, sizeof field);
        at += sizeof field;
        if (field.length > length - at) {
            return false;
        }
        if (field.type == EXIT_CODE && field.length == sizeof answer->exit_code) {
            memcpy(&answer->exit_code, frame + at, sizeof answer->exit_code);
        } else if (field.type == STANDARD_OUTPUT) {
            answer->output = frame + at;
            answer->output_length = field.length;
        } else if ((field.type & CRITICAL) != 0) {
            return false;
        }
        at += field.length;
    }
    return answer->exit_code <= 255;
}

/* Prints what the daemon said and ends with its code. */
static _Noreturn void deliver(void)
{
    struct frame frame;
    struct answer answer;
    memcpy(&frame, reply, sizeof frame);
    if (!read_answer(reply, frame.length, &answer)) {
        fail(NOT_UNDERSTOOD,
             "ipamd's answer of %u bytes cannot be read; restart ipamd, which installs its own "
             "launcher",
             frame.length);
    }
    finish(answer.output, answer.output_length, (int)answer.exit_code);
}

/* One try. On ANSWERED the reply is in the buffer. */
static enum outcome call(const struct sockaddr_un *address, long long deadline)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        fail(verb->without_daemon, "cannot make a socket: %s; look at the node's limits",
             reason(errno));
    }
    enum outcome outcome = reach(fd, address, deadline);
    if (outcome == ANSWERED) {
        outcome = send_request(fd, deadline);
        if (outcome != SILENT) {
            /* A daemon that refuses may answer before it has read everything. */
            outcome = receive(fd, deadline);
        }
    }
    close(fd);
    return outcome;
}

/* ---- DEL without a daemon */

/* Stores the DEL for the daemon's next look; file receives the path. */
static void store_del(const struct sockaddr_un *address, char *file, size_t size)
{
    char network[256];
    char early[256];
    char folder[128];
    char text[MAX_VARIABLE + 1024];
    if (!find_text("name", network, sizeof network) || !is_name(network)) {
        network[0] = '\0';
    }
    snprintf(folder, sizeof folder, "%s", address->sun_path);
    *strrchr(folder, '/') = '\0';
    mkdir(folder, 0700); /* if it fails, opening the file says why */
    snprintf(early, sizeof early, "%s/intents", folder);
    mkdir(early, 0700);
    snprintf(early, sizeof early, "%s/intents/.%lld-%d", folder, started_at, (int)getpid());
    snprintf(file, size, "%s/intents/%lld-%d", folder, started_at, (int)getpid());
    int length = snprintf(text, sizeof text,
                          "network=%s\ncontainerId=%s\ninterfaceName=%s\nnamespaceInode=%llu\n"
                          "bootTimeNanos=%lld\n",
                          network, variable("CNI_CONTAINERID"), variable("CNI_IFNAME"),
                          (unsigned long long)pod.namespace_inode, started_at);
    int fd = open(early, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, text, (size_t)length) != length || close(fd) != 0 ||
        rename(early, file) != 0) {
        int error = errno;
        unlink(early);
        fail(TRY_AGAIN,
             "ipamd does not answer at %s and the DEL could not be stored in %s/intents: %s; start "
             "ipamd on this node",
             address->sun_path, folder, reason(error));
    }
}

static _Noreturn void delete(const struct sockaddr_un *address)
{
    char intent[256];
    enum outcome outcome = call(address, after_millis(now(), DEL_ANSWER_MILLIS));
    if (outcome == ANSWERED) {
        deliver();
    }
    store_del(address, intent, sizeof intent);
    /* A daemon that started meanwhile may have looked for stored DELs just before. */
    long long millis = outcome == SILENT ? DEL_LAST_TRY_MILLIS : DEL_ANSWER_MILLIS;
    if (call(address, after_millis(now(), millis)) == ANSWERED) {
        unlink(intent);
        deliver();
    }
    dprintf(STDERR_FILENO, "underlay: ipamd does not answer at %s; DEL is stored in %s\n",
            address->sun_path, intent);
    _exit(0);
}

/* ---- the two answers that need no daemon */

static _Noreturn void about(void)
{
    dprintf(STDERR_FILENO,
            "underlay: CNI plugin of Underlay, run by a container runtime. It speaks CNI "
            "0.3.1, 0.4.0, 1.0.0 and 1.1.0.\n");
    _exit(0);
}

static _Noreturn void answer_version(void)
{
    char answer[128];
    int length =
        snprintf(answer, sizeof answer,
                 "{\"cniVersion\":\"%s\",\"supportedVersions\":[" VERSIONS "]}\n", version);
    finish(answer, (size_t)length, 0);
}

/* ---- main */

/* Keeps what is opened later from becoming a standard stream. */
static void fill_standard_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd) {
            _exit(1);
        }
    }
}

/* Takes the configuration's version for our own messages, if it looks like one. */
static void note_version(void)
{
    char text[sizeof version];
    if (find_text("cniVersion", text, sizeof text) && text[0] != '\0' &&
        text[strspn(text, "0123456789.")] == '\0') {
        strcpy(version, text); /* of the same size */
    }
}

int main(void)
{
    fill_standard_streams();
    started_at = now();
    const char *command = getenv("CNI_COMMAND");
    if (command == NULL) {
        about();
    }
    for (size_t i = 0; i < COUNT(VERBS); i++) {
        if (strcmp(command, VERBS[i].name) == 0) {
            verb = &VERBS[i];
        }
    }
    if (verb == NULL) {
        fail(BAD_ENVIRONMENT,
             "CNI_COMMAND is \"%.100s\"; the runtime must set it to ADD, DEL, CHECK, STATUS, GC or "
             "VERSION",
             command);
    }
    /* Whatever hangs in a call that has no deadline of its own, such as open, ends here, even if
     * the runtime was started with the signal ignored or blocked. */
    sigset_t ours;
    sigemptyset(&ours);
    sigaddset(&ours, SIGALRM);
    signal(SIGALRM, SIG_DFL);
    sigprocmask(SIG_UNBLOCK, &ours, NULL);
    alarm((unsigned)(verb->millis / 1000 + 3));
    check_environment();
    long long deadline = after_millis(started_at, verb->millis);
    const char *problem = read_input(deadline);
    note_version();
    if (strcmp(verb->name, "VERSION") == 0) {
        answer_version(); /* also without a readable version */
    }
    if (problem != NULL) {
        fail(BAD_IO, "cannot read the network configuration from standard input: %s; the runtime "
                     "must write it and close its end",
             problem);
    }
    struct sockaddr_un address;
    find_socket(&address);
    open_pod();
    if (strcmp(verb->name, "DEL") == 0) {
        delete(&address);
    }
    switch (call(&address, deadline)) {
    case ANSWERED:
        deliver();
    case NO_LISTENER:
        fail(verb->without_daemon, "ipamd is not running: nothing listens at %s; start ipamd on "
                                   "this node, or look at its log if it should run",
             address.sun_path);
    case CUT_OFF:
        fail(verb->without_daemon, "ipamd at %s ended before its answer was complete; look at its "
                                   "log, the runtime can try %s again",
             address.sun_path, verb->name);
    case SILENT:
        fail(verb->without_daemon,
             "ipamd at %s did not answer within %lld ms; look at its log and at `underlay status`",
             address.sun_path, verb->millis);
    }
    return 1;
}
