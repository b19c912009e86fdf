#include "picture.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { CELL = 16, MARGIN = 12 };

/* Writes at the end, which grows as needed. */
static void add(picture_t *picture, const char *format, ...) {
    for (;;) {
        va_list values;
        va_start(values, format);
        size_t left = picture->room - picture->length;
        int wanted = vsnprintf(picture->text == NULL ? NULL : picture->text + picture->length, left, format, values);
        va_end(values);
        if (wanted < 0) abort();
        if ((size_t)wanted < left) {
            picture->length += (size_t)wanted;
            return;
        }
        picture->room = picture->room * 2 + (size_t)wanted + 1;
        char *larger = realloc(picture->text, picture->room);
        if (larger == NULL) abort();
        picture->text = larger;
    }
}

static uint8_t open_at(const grid_t *grid, uint32_t column, uint32_t row) {
    return grid->open[row * grid->columns + column];
}

/* Walls that follow each other are one line. The two doors are left out. */
static void across(picture_t *picture, const grid_t *grid) {
    for (uint32_t line = 0; line <= grid->rows; line++) {
        uint32_t length = 0;
        for (uint32_t column = 0; column <= grid->columns; column++) {
            bool wall = column < grid->columns;
            if (wall && line > 0 && line < grid->rows) wall = !(open_at(grid, column, line) & NORTH);
            if (wall && ((line == 0 && column == 0) || (line == grid->rows && column == grid->columns - 1))) wall = false;
            if (wall) {
                length++;
            } else if (length > 0) {
                add(picture, "M%u %uh%u", MARGIN + (column - length) * CELL, MARGIN + line * CELL, length * CELL);
                length = 0;
            }
        }
    }
}

static void down(picture_t *picture, const grid_t *grid) {
    for (uint32_t line = 0; line <= grid->columns; line++) {
        uint32_t length = 0;
        for (uint32_t row = 0; row <= grid->rows; row++) {
            bool wall = row < grid->rows;
            if (wall && line > 0 && line < grid->columns) wall = !(open_at(grid, line, row) & WEST);
            if (wall) {
                length++;
            } else if (length > 0) {
                add(picture, "M%u %uv%u", MARGIN + line * CELL, MARGIN + (row - length) * CELL, length * CELL);
                length = 0;
            }
        }
    }
}

void picture_of(picture_t *picture, const grid_t *grid, const char *way) {
    uint32_t width = grid->columns * CELL + 2 * MARGIN, height = grid->rows * CELL + 2 * MARGIN;
    add(picture, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" height=\"%u\" viewBox=\"0 0 %u %u\" role=\"img\" aria-label=\"A maze\">", width, height, width, height);
    add(picture, "<rect width=\"%u\" height=\"%u\" fill=\"#fff\"/>", width, height);
    if (way != NULL) {
        add(picture, "<path fill=\"none\" stroke=\"#e36209\" stroke-width=\"5\" stroke-linecap=\"round\" stroke-linejoin=\"round\" d=\"M%u 0V%u", MARGIN + CELL / 2, MARGIN + CELL / 2);
        for (const char *step = way; *step != '\0'; step++) {
            add(picture, "%s%d", *step == 'N' || *step == 'S' ? "v" : "h", *step == 'S' || *step == 'E' ? CELL : -CELL);
        }
        add(picture, "V%u\"/>", height);
    }
    add(picture, "<path fill=\"none\" stroke=\"#24292f\" stroke-width=\"2\" stroke-linecap=\"square\" d=\"");
    across(picture, grid);
    down(picture, grid);
    add(picture, "\"/></svg>");
}
