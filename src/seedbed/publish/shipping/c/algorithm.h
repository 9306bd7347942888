/* From here on nothing is the model's own. */

/* Different terms of one text that are counted at most; a power of 2. Each takes 8 bytes of memory. */
#ifndef SEEDBED_MOST_TERMS
#define SEEDBED_MOST_TERMS 2048
#endif

typedef struct {
    uint32_t term; /* place in the tables, plus 1; 0 where the slot is free */
    uint32_t count;
} seedbed_slot;

typedef struct {
    seedbed_slot slots[SEEDBED_MOST_TERMS];
    uint32_t used;
    int full;
    /* Words: hashes of the terms that end with the word that is read, and as they were before it. */
    seedbed_hash word[SEEDBED_LONGEST_WORDS + 1], word_before[SEEDBED_LONGEST_WORDS + 1];
    uint32_t words, letters;
    /* Characters: hashes of the terms that end with the character that was read. */
    seedbed_hash run[SEEDBED_LONGEST_CHARACTERS + 1];
    uint32_t characters;
} seedbed_state;

static seedbed_hash seedbed_byte(seedbed_hash hash, uint32_t byte) {
    return (seedbed_hash)((hash ^ (seedbed_hash)byte) * SEEDBED_PRIME);
}

/* A character joins a hash as its bytes of UTF-8. */
static seedbed_hash seedbed_point(seedbed_hash hash, uint32_t point) {
    if (point < 0x80) return seedbed_byte(hash, point);
    if (point < 0x800) {
        hash = seedbed_byte(hash, 0xC0 | (point >> 6));
    } else {
        if (point < 0x10000) {
            hash = seedbed_byte(hash, 0xE0 | (point >> 12));
        } else {
            hash = seedbed_byte(hash, 0xF0 | (point >> 18));
            hash = seedbed_byte(hash, 0x80 | ((point >> 12) & 0x3F));
        }
        hash = seedbed_byte(hash, 0x80 | ((point >> 6) & 0x3F));
    }
    return seedbed_byte(hash, 0x80 | (point & 0x3F));
}

static int seedbed_within(const uint32_t (*ranges)[2], uint32_t count, uint32_t point) {
    uint32_t low = 0, high = count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (ranges[middle][1] < point) low = middle + 1;
        else high = middle;
    }
    return low < count && ranges[low][0] <= point;
}

static uint32_t seedbed_lower(uint32_t point) {
    uint32_t low = 0, high = SEEDBED_LOWERED;
    if (point < 0x80) return point >= 'A' && point <= 'Z' ? point + 32 : point;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if ((uint32_t)seedbed_lowered[middle][1] < point) low = middle + 1;
        else high = middle;
    }
    if (low < SEEDBED_LOWERED) {
        const int32_t *range = seedbed_lowered[low];
        if ((uint32_t)range[0] <= point && (point - (uint32_t)range[0]) % (uint32_t)range[2] == 0)
            return (uint32_t)((int32_t)point + range[3]);
    }
    return point;
}

/* Count a term, if the model knows it. */
static void seedbed_term(seedbed_state *state, seedbed_hash hash, uint32_t start, uint32_t end) {
    uint32_t low = start, high = end, slot;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (seedbed_hashes[middle] < hash) low = middle + 1;
        else high = middle;
    }
    if (low == end || seedbed_hashes[low] != hash) return;
    slot = (low * 2654435761u) & (SEEDBED_MOST_TERMS - 1);
    while (state->slots[slot].term && state->slots[slot].term != low + 1) slot = (slot + 1) & (SEEDBED_MOST_TERMS - 1);
    if (!state->slots[slot].term) {
        if (state->used + 1 == SEEDBED_MOST_TERMS) { /* one slot stays free, so that searches end */
            state->full = 1;
            return;
        }
        state->slots[slot].term = low + 1;
        state->used++;
    }
    state->slots[slot].count++;
}

static void seedbed_word_ends(seedbed_state *state) {
    uint32_t n;
    if (state->letters >= 2) {
        if (state->words < SEEDBED_LONGEST_WORDS) state->words++;
        for (n = SEEDBED_SHORTEST_WORDS; n <= SEEDBED_LONGEST_WORDS; n++)
            if (n <= state->words) seedbed_term(state, state->word[n], 0, SEEDBED_WORDS);
    } else if (state->letters) { /* one letter alone is no word */
        memcpy(state->word, state->word_before, sizeof state->word);
    }
    state->letters = 0;
}

static void seedbed_word_letter(seedbed_state *state, uint32_t point) {
    uint32_t n;
    if (!state->letters) { /* terms that end with this word begin with it, or with one before it */
        memcpy(state->word_before, state->word, sizeof state->word);
        for (n = SEEDBED_LONGEST_WORDS; n > 1; n--) state->word[n] = seedbed_byte(state->word_before[n - 1], ' ');
        state->word[1] = SEEDBED_BASIS_WORDS;
    }
    for (n = 1; n <= SEEDBED_LONGEST_WORDS; n++) state->word[n] = seedbed_point(state->word[n], point);
    state->letters++;
}

static void seedbed_character(seedbed_state *state, uint32_t point) {
    uint32_t n;
    for (n = SEEDBED_LONGEST_CHARACTERS; n > 0; n--)
        state->run[n] = seedbed_point(n > 1 ? state->run[n - 1] : SEEDBED_BASIS_CHARACTERS, point);
    state->characters++;
    for (n = SEEDBED_SHORTEST_CHARACTERS; n <= SEEDBED_LONGEST_CHARACTERS; n++)
        if (n <= state->characters)
            seedbed_term(state, state->run[n], SEEDBED_WORDS, SEEDBED_WORDS + SEEDBED_CHARACTERS);
}

static void seedbed_piece_ends(seedbed_state *state) {
    if (!state->characters) return;
    seedbed_character(state, ' ');
    if (state->characters < SEEDBED_SHORTEST_CHARACTERS) /* shorter than any term: it counts as a whole */
        seedbed_term(state, state->run[state->characters], SEEDBED_WORDS, SEEDBED_WORDS + SEEDBED_CHARACTERS);
    state->characters = 0;
}

static void seedbed_read(seedbed_state *state, uint32_t point) {
    if (SEEDBED_WORDS) {
        if (seedbed_within(seedbed_letters, SEEDBED_LETTERS, point)) seedbed_word_letter(state, point);
        else seedbed_word_ends(state);
    }
    if (SEEDBED_CHARACTERS) {
        if (seedbed_within(seedbed_spaces, SEEDBED_SPACES, point)) {
            seedbed_piece_ends(state);
        } else {
            if (!state->characters) seedbed_character(state, ' ');
            seedbed_character(state, point);
        }
    }
}

/* The next character of UTF-8; what is none counts as U+FFFD, byte by byte. */
static uint32_t seedbed_next(const unsigned char *text, size_t length, size_t *at) {
    uint32_t first = text[(*at)++], point, more, i;
    if (first < 0x80) return first;
    if (first >= 0xC2 && first < 0xE0) { more = 1; point = first & 0x1F; }
    else if (first >= 0xE0 && first < 0xF0) { more = 2; point = first & 0x0F; }
    else if (first >= 0xF0 && first < 0xF5) { more = 3; point = first & 0x07; }
    else return 0xFFFD;
    for (i = 0; i < more; i++) {
        if (*at + i >= length || (text[*at + i] & 0xC0) != 0x80) return 0xFFFD;
        point = (point << 6) | (text[*at + i] & 0x3F);
    }
    *at += more;
    return point;
}

static void seedbed_count(seedbed_state *state, const char *text, size_t length) {
    size_t at = 0;
    memset(state, 0, sizeof *state);
    while (at < length) {
        uint32_t point = seedbed_next((const unsigned char *)text, length, &at);
        if (point == 0x130) { /* the one character whose lower case is two */
            seedbed_read(state, 'i');
            seedbed_read(state, 0x307);
        } else {
            seedbed_read(state, seedbed_lower(point));
        }
    }
    if (SEEDBED_WORDS) seedbed_word_ends(state);
    if (SEEDBED_CHARACTERS) seedbed_piece_ends(state);
}

static float seedbed_value(const seedbed_slot *slot) {
    float count = (float)slot->count;
    return SEEDBED_TFIDF ? (1.0f + logf(count)) * SEEDBED_RARITY(slot->term - 1) : count;
}

/* Scores to probabilities, or to the number. */
static void seedbed_link(float *answers) {
    float most = answers[0], total = 0.0f;
    uint32_t i;
    for (i = 0; i < SEEDBED_OUTPUTS; i++) {
        if (SEEDBED_LINK == 1) answers[i] = 1.0f / (1.0f + expf(-answers[i]));
        if (SEEDBED_LINK == 3) answers[i] = expf(answers[i] > 88.0f ? 88.0f : answers[i]);
        if (answers[i] > most) most = answers[i];
    }
    if (SEEDBED_LINK) return;
    for (i = 0; i < SEEDBED_OUTPUTS; i++) total += answers[i] = expf((answers[i] - most) / SEEDBED_TEMPERATURE);
    for (i = 0; i < SEEDBED_OUTPUTS; i++) answers[i] /= total;
}

/* Answer a text of so many bytes of UTF-8: `answers` gets SEEDBED_OUTPUTS numbers, in the order of seedbed_labels.
 * `state` is memory to work in. Gives 0, or 1 where the text has more different terms than SEEDBED_MOST_TERMS and those
 * beyond are not counted. */
static int seedbed_predict(seedbed_state *state, const char *text, size_t length, float *answers) {
    float size[2] = {0.0f, 0.0f};
    uint32_t at, i;
    seedbed_count(state, text, length);
    for (at = 0; at < SEEDBED_MOST_TERMS; at++)
        if (state->slots[at].term) {
            float value = seedbed_value(&state->slots[at]);
            size[state->slots[at].term > SEEDBED_WORDS] += value * value;
        }
    for (i = 0; i < SEEDBED_OUTPUTS; i++) answers[i] = seedbed_intercepts[i];
    for (at = 0; at < SEEDBED_MOST_TERMS; at++) {
        uint32_t term = state->slots[at].term;
        float value;
        if (!term) continue;
        value = seedbed_value(&state->slots[at]);
        if (SEEDBED_TFIDF) value /= sqrtf(size[term > SEEDBED_WORDS]);
        for (i = 0; i < SEEDBED_OUTPUTS; i++) answers[i] += value * SEEDBED_WEIGHT(term - 1, i);
    }
    seedbed_link(answers);
    return state->full;
}

#endif
