#include "io_test.h"
#include "tutti/base/log.h"
#include "tutti/io/control_socket.h"

#include <errno.h>
#include <grp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

static struct loop *loop;
static struct control_socket *control;
static char dir[64];
static char path[100];

static int lines;
static struct mono_time round_at;
static size_t round_bytes, most_bytes; /* in one round of the loop */
static int round_lines, most_lines;
static char last_line[200];
static struct control_client *last_client;
static int taken_fd; /* by the line "take" */
static int gone;
static bool destroy_in_line;

static void note_round(size_t bytes)
{
    struct mono_time now = loop_now(loop);
    if (now.ns != round_at.ns)
        round_lines = 0, round_bytes = 0;
    round_at = now;
    round_lines++;
    round_bytes += bytes;
    most_lines = round_lines > most_lines ? round_lines : most_lines;
    most_bytes = round_bytes > most_bytes ? round_bytes : most_bytes;
}

static void on_line(void *user, struct control_client *client, char *line)
{
    char answer[300];
    assert_ptr_equal(user, &lines);
    lines++;
    note_round(strlen(line));
    last_client = client;
    snprintf(last_line, sizeof last_line, "%s", line);
    if (destroy_in_line) {
        control_socket_destroy(control);
        control = NULL;
        return;
    }
    if (strcmp(line, "subscribe") == 0)
        control_client_subscribe(client);
    if (strcmp(line, "take") == 0)
        taken_fd = control_client_take_file(client);
    if (strcmp(line, "quiet") == 0)
        return;
    snprintf(answer, sizeof answer, "answer to %.200s", line);
    control_client_send(client, answer);
}

static void on_gone(void *user, struct control_client *client)
{
    (void)user;
    (void)client;
    gone++;
}

static const struct control_socket_handlers handlers = {on_line, on_gone};

static int set_up(void **state)
{
    (void)state;
    lines = gone = most_lines = 0;
    most_bytes = 0;
    destroy_in_line = false;
    log_set_level(LOG_ERROR);
    io_test_make_dir(dir);
    snprintf(path, sizeof path, "%s/run/control.sock", dir); /* its directory is made */
    loop = loop_create(NULL);
    control = loop ? control_socket_create(loop, path, "", &handlers, &lines) : NULL;
    return control ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    control_socket_destroy(control);
    loop_destroy(loop);
    io_test_remove_dir(dir);
    return 0;
}

static int connect_client(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void say(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

struct reader {
    int fd;
    char text[4000];
    size_t bytes;
    const char *wanted; /* NULL: the end */
};

static bool read_more(void *user)
{
    struct reader *reader = user;
    ssize_t got =
        recv(reader->fd, reader->text + reader->bytes, sizeof reader->text - 1 - reader->bytes, 0);
    if (got > 0)
        reader->bytes += (size_t)got;
    reader->text[reader->bytes] = '\0';
    return reader->wanted ? strstr(reader->text, reader->wanted) != NULL
                          : got == 0 || (got < 0 && errno == ECONNRESET);
}

static void expect_text(int fd, const char *wanted)
{
    struct reader reader = {.fd = fd, .wanted = wanted};
    if (!io_test_run(loop, read_more, &reader, IO_TEST_LIMIT_NS))
        fail_msg("\"%s\" instead of \"%s\"", reader.text, wanted);
}

static void expect_end(int fd)
{
    struct reader reader = {.fd = fd};
    assert_true(io_test_run(loop, read_more, &reader, IO_TEST_LIMIT_NS));
    close(fd);
}

static bool lines_reached(void *user)
{
    return lines >= *(int *)user;
}

static void expect_lines(int wanted)
{
    assert_true(io_test_run(loop, lines_reached, &wanted, IO_TEST_LIMIT_NS));
    assert_int_equal(lines, wanted);
}

static bool gone_reached(void *user)
{
    return gone >= *(int *)user;
}

static void expect_gone(int wanted)
{
    assert_true(io_test_run(loop, gone_reached, &wanted, IO_TEST_LIMIT_NS));
    assert_int_equal(gone, wanted);
}

static void lines_are_answered_to_whom_they_came_from(void **state)
{
    (void)state;
    int a = connect_client(), b = connect_client();
    say(a, "one\n");
    say(b, "two\n");
    expect_text(a, "answer to one\n");
    expect_text(b, "answer to two\n");
    say(a, "in pie");
    assert_false(io_test_run(loop, io_test_never, NULL, 10 * NS_PER_MS));
    assert_int_equal(lines, 2);
    say(a, "ces\n\nthree\n");
    expect_text(a, "answer to in pieces\nanswer to \nanswer to three\n");
    close(a);
    expect_gone(1);
    say(b, "still here\n");
    expect_text(b, "answer to still here\n");
    close(b);
    expect_gone(2);
}

static void many_lines_take_many_rounds_and_none_is_lost(void **state)
{
    (void)state;
    int fd = connect_client();
    static char text[7000];
    for (int i = 0; i < 1000; i++)
        strcpy(text + 6 * i, "quiet\n");
    strcat(text, "last\n");
    say(fd, text);
    expect_text(fd, "answer to last\n");
    assert_int_equal(lines, 1001);
    close(fd);
}

static bool all_taken(void *user)
{
    return lines == *(int *)user;
}

/* However many clients say however much at once. */
static void a_round_takes_so_much_and_everybody_has_his_turn(void **state)
{
    (void)state;
    int fds[CONTROL_SOCKET_CLIENTS_MAX], wanted = 0;
    char line[10000];
    for (int i = 0; i < CONTROL_SOCKET_CLIENTS_MAX; i++)
        fds[i] = connect_client();
    for (int i = 0; i < CONTROL_SOCKET_CLIENTS_MAX; i++) {
        snprintf(line, sizeof line, "%*d\n", i % 2 ? 8000 : 20, i);
        for (int j = 0; j < (i == 0 ? 40 : 6); j++, wanted++)
            say(fds[i], line);
    }
    assert_true(io_test_run(loop, all_taken, &wanted, IO_TEST_LIMIT_NS));
    assert_true(most_lines <= 16);
    assert_true(most_bytes <= 16384 + 8000);
    assert_int_equal(atoi(last_line), 0); /* who says most is the last to be done */
    for (int i = 0; i < CONTROL_SOCKET_CLIENTS_MAX; i++)
        close(fds[i]);
}

static void last_words_count(void **state)
{
    (void)state;
    int fd = connect_client();
    for (int i = 0; i < 20; i++)
        say(fd, "quiet\n");
    close(fd);
    expect_lines(20);
    expect_gone(1);
}

static void who_has_shut_down_still_gets_answers(void **state)
{
    (void)state;
    int fd = connect_client();
    say(fd, "quiet\n");
    shutdown(fd, SHUT_WR);
    expect_lines(1);
    assert_false(io_test_run(loop, io_test_never, NULL, 10 * NS_PER_MS));
    assert_int_equal(gone, 0);
    assert_true(control_client_send(last_client, "late answer"));
    expect_text(fd, "late answer\n");
    close(fd);
    expect_gone(1);
}

static void a_line_too_long_ends_the_client(void **state)
{
    (void)state;
    static char text[CONTROL_SOCKET_LINE_MAX + 1];
    int fd = connect_client();
    memset(text, 'x', sizeof text - 1);
    text[CONTROL_SOCKET_LINE_MAX - 1] = '\n';
    say(fd, text); /* just fits */
    expect_lines(1);
    text[CONTROL_SOCKET_LINE_MAX - 1] = 'x';
    say(fd, text);
    expect_gone(1);
    expect_end(fd);
    assert_int_equal(lines, 1);
}

static void subscribers_hear_broadcasts_and_others_do_not(void **state)
{
    (void)state;
    int a = connect_client(), b = connect_client();
    assert_false(control_socket_has_subscribers(control));
    say(a, "subscribe\n");
    say(b, "no\n");
    expect_text(a, "answer to subscribe\n");
    expect_text(b, "answer to no\n");
    assert_true(control_socket_has_subscribers(control));
    control_socket_broadcast(control, "{\"event\":1}");
    expect_text(a, "{\"event\":1}\n");
    char text[100];
    assert_int_equal(recv(b, text, sizeof text, 0), -1);
    close(a);
    expect_gone(1);
    assert_false(control_socket_has_subscribers(control));
    close(b);
}

static void who_does_not_read_is_closed(void **state)
{
    (void)state;
    static char text[100001];
    int fd = connect_client();
    memset(text, 'y', sizeof text - 1);
    say(fd, "subscribe\n");
    expect_lines(1);
    for (int i = 0; i < 100 && gone == 0; i++)
        control_socket_broadcast(control, text);
    assert_int_equal(gone, 1);
    expect_end(fd);
    fd = connect_client(); /* others are not hurt */
    say(fd, "x\n");
    expect_text(fd, "answer to x\n");
    close(fd);
}

/* --- files --- */

static void say_with_files(int fd, const char *text, const int *files, size_t count)
{
    _Alignas(struct cmsghdr) char space[CMSG_SPACE(8 * sizeof(int))] = {0};
    struct iovec from = {(char *)text, strlen(text)};
    struct msghdr message = {.msg_iov = &from,
                             .msg_iovlen = 1,
                             .msg_control = space,
                             .msg_controllen = CMSG_SPACE(count * sizeof(int))};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(count * sizeof(int));
    memcpy(CMSG_DATA(header), files, count * sizeof(int));
    assert_int_equal(sendmsg(fd, &message, MSG_NOSIGNAL), (ssize_t)strlen(text));
}

static bool pipe_has_ended(void *user)
{
    char byte;
    return read(*(int *)user, &byte, 1) == 0;
}

/* The read end of a pipe whose write end the test gives away: it ends when that is closed. */
static int pipe_to_give(int *ret_write_end)
{
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    *ret_write_end = ends[1];
    return ends[0];
}

static void a_file_comes_with_its_line(void **state)
{
    (void)state;
    int fd = connect_client(), given, other;
    int reading = pipe_to_give(&given), unread = pipe_to_give(&other);
    taken_fd = -1;
    say_with_files(fd, "ta", &given, 1);
    close(given);
    say(fd, "ke\n");
    expect_text(fd, "answer to take\n");
    assert_true(taken_fd >= 0);
    assert_int_equal(fcntl(taken_fd, F_GETFD), FD_CLOEXEC);
    assert_int_equal(write(taken_fd, "x", 1), 1);
    char byte;
    assert_int_equal(read(reading, &byte, 1), 1);
    close(taken_fd);
    assert_true(pipe_has_ended(&reading));
    say(fd, "take\n"); /* there is none any more */
    expect_text(fd, "answer to take\n");
    assert_int_equal(taken_fd, -1);
    say_with_files(fd, "not wanted\n", &other, 1);
    close(other);
    expect_text(fd, "answer to not wanted\n");
    assert_true(io_test_run(loop, pipe_has_ended, &unread, IO_TEST_LIMIT_NS));
    say(fd, "take\n");
    expect_text(fd, "answer to take\n");
    assert_int_equal(taken_fd, -1);
    close(fd);
    close(reading);
    close(unread);
}

static void files_cannot_pile_up(void **state)
{
    (void)state;
    io_test_not_emulated(); /* who lets through more descriptors than there is room for */
    int fd = connect_client(), given[8], reading[8];
    for (int i = 0; i < 8; i++)
        reading[i] = pipe_to_give(&given[i]);
    for (int i = 0; i < 20; i++)
        say_with_files(fd, "x", given, 8);
    for (int i = 0; i < 8; i++)
        close(given[i]);
    assert_false(io_test_run(loop, io_test_never, NULL, 20 * NS_PER_MS));
    int open_ends = 0;
    for (int i = 0; i < 8; i++)
        open_ends += !pipe_has_ended(&reading[i]);
    assert_int_equal(open_ends, 1);
    close(fd);
    expect_gone(1);
    for (int i = 0; i < 8; i++) {
        assert_true(pipe_has_ended(&reading[i]));
        close(reading[i]);
    }
}

static void clients_are_counted(void **state)
{
    (void)state;
    int fds[CONTROL_SOCKET_CLIENTS_MAX];
    for (int i = 0; i < CONTROL_SOCKET_CLIENTS_MAX; i++) {
        fds[i] = connect_client();
        say(fds[i], "x\n");
    }
    expect_lines(CONTROL_SOCKET_CLIENTS_MAX);
    int one_too_many = connect_client();
    expect_end(one_too_many);
    close(fds[0]);
    expect_gone(1);
    fds[0] = connect_client();
    say(fds[0], "y\n");
    expect_text(fds[0], "answer to y\n");
    for (int i = 0; i < CONTROL_SOCKET_CLIENTS_MAX; i++)
        close(fds[i]);
}

static void running_out_of_descriptors_does_not_spin(void **state)
{
    (void)state;
    struct rlimit before, none;
    struct rusage usage_before, usage_after;
    int fd = connect_client();
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = 3;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    getrusage(RUSAGE_SELF, &usage_before);
    assert_false(io_test_run(loop, io_test_never, NULL, 200 * NS_PER_MS));
    getrusage(RUSAGE_SELF, &usage_after);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    long cpu_us = (usage_after.ru_utime.tv_sec - usage_before.ru_utime.tv_sec) * 1000000 +
                  usage_after.ru_utime.tv_usec - usage_before.ru_utime.tv_usec;
    assert_in_range(cpu_us, 0, 100000);
    say(fd, "x\n");
    expect_text(fd, "answer to x\n"); /* it is accepted when there is room again */
    close(fd);
}

static void may_be_destroyed_in_a_callback(void **state)
{
    (void)state;
    int a = connect_client(), b = connect_client();
    destroy_in_line = true;
    say(a, "one\ntwo\n");
    say(b, "three\n");
    expect_lines(1);
    expect_end(a);
    expect_end(b);
    assert_int_equal(lines, 1);
    assert_int_not_equal(access(path, F_OK), 0);
    control_socket_destroy(NULL);
}

/* --- the file --- */

static mode_t mode_of_socket(void)
{
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_true(S_ISSOCK(status.st_mode));
    return status.st_mode & 07777;
}

static struct control_socket *again(const char *group)
{
    control_socket_destroy(control);
    control = control_socket_create(loop, path, group, &handlers, &lines);
    return control;
}

static void the_file_is_for_owner_and_group(void **state)
{
    (void)state;
    static const mode_t masks[] = {0, 022, 077};
    for (size_t i = 0; i < sizeof masks / sizeof *masks; i++) {
        mode_t before = umask(masks[i]);
        assert_non_null(again(""));
        umask(before);
        assert_int_equal(mode_of_socket(), 0660);
    }
    assert_non_null(again("no-such-group")); /* one warning, and it works for the owner */
    const struct group *entry = getgrnam("audio");
    if (geteuid() != 0 || !entry)
        return;
    struct stat status;
    gid_t wanted = entry->gr_gid;
    assert_non_null(again("audio"));
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_gid, wanted);
}

static void a_stale_socket_is_replaced_and_a_live_one_is_not(void **state)
{
    (void)state;
    assert_null(control_socket_create(loop, path, "", &handlers, &lines));
    int fd = connect_client(); /* the first is unharmed */
    say(fd, "x\n");
    expect_text(fd, "answer to x\n");
    close(fd);
    control_socket_destroy(control);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(address.sun_path, path);
    int left_over = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(left_over, (struct sockaddr *)&address, sizeof address), 0);
    close(left_over);
    control = control_socket_create(loop, path, "", &handlers, &lines);
    assert_non_null(control);
}

static void what_is_no_socket_is_left_alone(void **state)
{
    (void)state;
    char too_long[200];
    control_socket_destroy(control);
    control = NULL;
    io_test_write_file(path, "precious", 0600);
    assert_null(control_socket_create(loop, path, "", &handlers, &lines));
    assert_int_equal(access(path, F_OK), 0);
    memset(too_long, 'a', sizeof too_long - 1);
    too_long[sizeof too_long - 1] = '\0';
    assert_null(control_socket_create(loop, too_long, "", &handlers, &lines));
    assert_null(control_socket_create(loop, "/proc/no/where", "", &handlers, &lines));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(lines_are_answered_to_whom_they_came_from),
        TEST(many_lines_take_many_rounds_and_none_is_lost),
        TEST(a_round_takes_so_much_and_everybody_has_his_turn),
        TEST(last_words_count),
        TEST(who_has_shut_down_still_gets_answers),
        TEST(a_line_too_long_ends_the_client),
        TEST(subscribers_hear_broadcasts_and_others_do_not),
        TEST(who_does_not_read_is_closed),
        TEST(a_file_comes_with_its_line),
        TEST(files_cannot_pile_up),
        TEST(clients_are_counted),
        TEST(running_out_of_descriptors_does_not_spin),
        TEST(may_be_destroyed_in_a_callback),
        TEST(the_file_is_for_owner_and_group),
        TEST(a_stale_socket_is_replaced_and_a_live_one_is_not),
        TEST(what_is_no_socket_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
