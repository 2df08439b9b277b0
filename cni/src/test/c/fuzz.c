/*
 * Gives the launcher's two parsers, of the configuration and of the daemon's answer, random
 * changes of valid input. Built with the address and undefined-behaviour sanitizers; what must
 * hold beyond that is asserted. Prints the step at which it fails.
 *
 * usage: fuzz SEED STEPS
 */
#define main launcher_main
#include "../../main/c/underlay.c"
#undef main

#include <assert.h>

static uint64_t state;

/* xorshift64*, enough to be different at each step and the same for each seed. */
static size_t below(size_t bound)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (size_t)((state * 0x2545f4914f6cdd1dULL) >> 33) % bound;
}

static size_t change(char *bytes, size_t length, const char *alphabet)
{
    for (size_t i = below(6); i > 0; i--) {
        bytes[below(length)] =
            alphabet == NULL ? (char)below(256) : alphabet[below(strlen(alphabet))];
    }
    return below(4) == 0 ? below(length) : length;
}

static bool find_once(void)
{
    static const char valid[] =
        "{ \"a\":{\"name\":\"x\"},\"name\":\"net\\u0031\",\"b\":[1,\"name\"],\"name\" : \"net\"}";
    char value[8] = "";
    memcpy(input, valid, sizeof valid);
    input_length = change(input, sizeof valid - 1, "{}[],:\"\\ nam");
    bool found = find_text("name", value, sizeof value);
    assert(memchr(value, '\0', sizeof value) != NULL);
    assert(!found || memmem(input, input_length, value, strlen(value)) != NULL);
    return found;
}

static bool read_once(void)
{
    struct field code = {.type = EXIT_CODE, .length = 4};
    struct field text = {.type = STANDARD_OUTPUT, .length = 9};
    size_t length = sizeof(struct frame) + 2 * sizeof(struct field) + 4 + 9;
    char *frame = calloc(1, length); /* on the heap: the sanitizer sees its end */
    assert(frame != NULL);
    memcpy(frame + sizeof(struct frame), &code, sizeof code);
    memcpy(frame + sizeof(struct frame) + sizeof code + 4, &text, sizeof text);
    size_t changed = change(frame, length, NULL);
    char *exact = malloc(changed < sizeof(struct frame) ? sizeof(struct frame) : changed);
    assert(exact != NULL);
    memcpy(exact, frame, changed);
    struct answer answer;
    bool good = changed >= sizeof(struct frame) && read_answer(exact, changed, &answer);
    if (good && answer.output != NULL) {
        assert(answer.output >= exact &&
               answer.output + answer.output_length <= exact + changed);
    }
    free(exact);
    free(frame);
    return good;
}

int main(int count, char **arguments)
{
    assert(count == 3);
    state = strtoull(arguments[1], NULL, 10) * 2 + 1;
    long steps = strtol(arguments[2], NULL, 10);
    long found = 0;
    long good = 0;
    for (long step = 0; step < steps; step++) {
        found += find_once();
        good += read_once();
    }
    printf("found %ld good %ld of %ld\n", found, good, steps);
    /* Some of each, or the input is not what it is meant to be. */
    return found > 0 && found < steps && good > 0 && good < steps ? 0 : 1;
}
