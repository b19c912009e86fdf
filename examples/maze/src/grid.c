#include "grid.h"
#include <stdlib.h>

typedef struct {
    uint8_t side, back;
    int32_t right, down;
    char letter;
} step_t;

static const step_t STEPS[] = {
    {NORTH, SOUTH, 0, -1, 'N'},
    {EAST, WEST, 1, 0, 'E'},
    {SOUTH, NORTH, 0, 1, 'S'},
    {WEST, EAST, -1, 0, 'W'},
};
enum { SIDES = sizeof STEPS / sizeof *STEPS, NOWHERE = UINT32_MAX };

static void *room(size_t count, size_t size) {
    void *given = calloc(count, size);
    if (given == NULL) abort();
    return given;
}

/* SplitMix64, by Sebastiano Vigna. */
static uint64_t next(uint64_t *state) {
    uint64_t mixed = *state += 0x9E3779B97F4A7C15u;
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9u;
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBu;
    return mixed ^ (mixed >> 31);
}

/* The cell on that side, or NOWHERE. */
static uint32_t neighbour(const grid_t *grid, uint32_t cell, const step_t *step) {
    int32_t column = (int32_t)(cell % grid->columns) + step->right, row = (int32_t)(cell / grid->columns) + step->down;
    if (column < 0 || row < 0 || column >= (int32_t)grid->columns || row >= (int32_t)grid->rows) return NOWHERE;
    return (uint32_t)row * grid->columns + (uint32_t)column;
}

/* Digs from the first cell on into cells where nothing was dug, and goes back where there is none. */
grid_t grid_make(uint32_t columns, uint32_t rows, uint64_t seed) {
    grid_t grid = {.columns = columns, .rows = rows, .open = room((size_t)columns * rows, 1)};
    uint32_t *dug = room((size_t)columns * rows, sizeof *dug);
    size_t depth = 1;
    while (depth > 0) {
        uint32_t cell = dug[depth - 1];
        const step_t *there[SIDES];
        size_t count = 0;
        for (size_t side = 0; side < SIDES; side++) {
            uint32_t other = neighbour(&grid, cell, &STEPS[side]);
            if (other != NOWHERE && grid.open[other] == 0) there[count++] = &STEPS[side];
        }
        if (count == 0) {
            depth--;
            continue;
        }
        const step_t *step = there[next(&seed) % count];
        uint32_t other = neighbour(&grid, cell, step);
        grid.open[cell] |= step->side;
        grid.open[other] |= step->back;
        dug[depth++] = other;
    }
    free(dug);
    return grid;
}

/* Looks from the last cell on for the first, so that the steps, read backwards, lead from the first to the last. */
char *grid_way(const grid_t *grid) {
    size_t cells = (size_t)grid->columns * grid->rows;
    const step_t **towards = room(cells, sizeof *towards);
    uint32_t *queue = room(cells, sizeof *queue);
    size_t begin = 0, end = 0;
    queue[end++] = (uint32_t)cells - 1;
    while (begin < end) {
        uint32_t cell = queue[begin++];
        for (size_t side = 0; side < SIDES; side++) {
            uint32_t other = neighbour(grid, cell, &STEPS[side]);
            if (!(grid->open[cell] & STEPS[side].side) || other == cells - 1 || towards[other] != NULL) continue;
            /* Back from there: the opposite side, two further on. */
            towards[other] = &STEPS[(side + 2) % SIDES];
            queue[end++] = other;
        }
    }
    char *way = room(cells, 1);
    size_t length = 0;
    for (uint32_t cell = 0; cell != cells - 1; cell = neighbour(grid, cell, towards[cell])) way[length++] = towards[cell]->letter;
    free(towards);
    free(queue);
    return way;
}

uint32_t grid_dead_ends(const grid_t *grid) {
    uint32_t count = 0, cells = grid->columns * grid->rows;
    for (uint32_t cell = 1; cell + 1 < cells; cell++) {
        uint8_t open = grid->open[cell];
        count += (open & (open - 1)) == 0;
    }
    return count;
}

void grid_free(grid_t *grid) {
    free(grid->open);
}
