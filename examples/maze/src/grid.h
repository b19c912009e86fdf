/* The cells of a maze and which walls between them are open. */
#ifndef GRID_H
#define GRID_H

#include <stdint.h>

/* The sides of a cell, as bits. */
enum { NORTH = 1, EAST = 2, SOUTH = 4, WEST = 8 };

typedef struct {
    uint32_t columns, rows;
    /* For each cell, row by row, the sides that are open. */
    uint8_t *open;
} grid_t;

/* A maze in which any two cells have exactly one way between them. Ends the call if there is no memory. */
grid_t grid_make(uint32_t columns, uint32_t rows, uint64_t seed);
/* The way from the first cell to the last, as letters, to be freed. */
char *grid_way(const grid_t *grid);
/* Cells with one open side, but for the first and the last. */
uint32_t grid_dead_ends(const grid_t *grid);
void grid_free(grid_t *grid);

#endif
