/* Answers texts, a line each, with the model in model.h: the five most probable labels, the first one first.
 * With -0 as an argument, texts end with a NUL, and the numbers of all labels come in their order, without names.
 *
 * cc -O2 example.c -lm -o example && echo "a text" | ./example
 */
#include <stdio.h>
#include <stdlib.h>

#include "model.h"

static void answer(seedbed_state *state, const char *text, size_t length, int all) {
    float answers[SEEDBED_OUTPUTS], last = INFINITY;
    unsigned i, told = 0, next = SEEDBED_OUTPUTS;
    int full = seedbed_predict(state, text, length, answers);
    for (; told < SEEDBED_OUTPUTS && (all || told < 5); told++) {
        unsigned here = told;
        if (!all) { /* the largest below the last one, or as large and after it */
            for (here = SEEDBED_OUTPUTS, i = 0; i < SEEDBED_OUTPUTS; i++)
                if ((answers[i] < last || (answers[i] == last && i > next)) &&
                    (here == SEEDBED_OUTPUTS || answers[i] > answers[here]))
                    here = i;
            if (here == SEEDBED_OUTPUTS) break;
            last = answers[here];
            next = here;
        }
        if (told) putchar('\t');
        if (!all) printf("%s=", seedbed_labels[here]);
        printf("%.9g", (double)answers[here]);
    }
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
            answer(&state, text, length, end == '\0');
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
    if (length) answer(&state, text, length, end == '\0');
    free(text);
    return 0;
}
