/* The skill. What it offers stands in wit/skill.wit; build/skill.h has it in C, once it has been built. */

#include "skill.h"
#include "grid.h"
#include "picture.h"
#include "skillhall/text.h"

enum { LEAST = 2, MOST = 200 };

bool exports_api_make(uint16_t columns, uint16_t rows, uint64_t seed, bool *maybe_solved, exports_api_maze_t *maze, exports_api_maze_error_t *error) {
    if (columns < LEAST || columns > MOST || rows < LEAST || rows > MOST) {
        error->tag = EXPORTS_API_MAZE_ERROR_SIZE_NOT_ALLOWED;
        return false;
    }
    grid_t grid = grid_make(columns, rows, seed);
    char *way = grid_way(&grid);
    picture_t picture = {0};
    picture_of(&picture, &grid, maybe_solved != NULL && *maybe_solved ? way : NULL);
    maze->way = text_copy(way, strlen(way));
    maze->svg = text_copy(picture.text, picture.length);
    maze->dead_ends = grid_dead_ends(&grid);
    free(picture.text);
    free(way);
    grid_free(&grid);
    return true;
}
