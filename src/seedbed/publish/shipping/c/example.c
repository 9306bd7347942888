/* Answers texts, a line each (with -0 as an argument: each ended by a NUL), with the model in model.h.
 *
 * cc -O2 example.c -lm -o example && echo "a text" | ./example
 */
#include <stdio.h>
#include <stdlib.h>

#include "model.h"

static void answer(seedbed_state *state, const char *text, size_t length) {
    float answers[SEEDBED_OUTPUTS];
    unsigned i;
    int full = seedbed_predict(state, text, length, answers);
    for (i = 0; i < SEEDBED_OUTPUTS; i++) printf("%s%s=%.9g", i ? "\t" : "", seedbed_labels[i], (double)answers[i]);
    printf("%s\n", full ? "\ttoo long" : "");
}

int main(int count, char **given) {
    static seedbed_state state;
    int end = count > 1 && given[1][0] == '-' && given[1][1] == '0' ? '\0' : '\n', byte;
    size_t length = 0, room = 1 << 16;
    char *text = malloc(room);
    if (!text) return 1;
    while ((byte = getchar()) != EOF) {
        if (byte == end) {
            answer(&state, text, length);
            length = 0;
            continue;
        }
        if (length == room) {
            char *more = realloc(text, room *= 2);
            if (!more) return 1;
            text = more;
        }
        text[length++] = (char)byte;
    }
    if (length) answer(&state, text, length);
    free(text);
    return 0;
}
