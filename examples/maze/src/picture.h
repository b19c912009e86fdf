/* A maze as SVG. It stands by itself: no script, no font to load, no address. */
#ifndef PICTURE_H
#define PICTURE_H

#include "grid.h"
#include <stdbool.h>
#include <stddef.h>

typedef struct {
    char *text;
    size_t length, room;
} picture_t;

/* Draws the maze, and the way through it where there is one to be drawn. The text is to be freed. */
void picture_of(picture_t *picture, const grid_t *grid, const char *way);

#endif
