#include "ui/layout.h"

// Rows of a panel in the right-hand column, title included.
struct section {
    struct rect *rect;
    int floor, least, good; // rows without which it is no use, rows it needs, rows it would like
};

enum { GAP = 2, PANELS_LEAST = 46, PANELS_GOOD = 64, PICTURE_LEAST = 20, ANSWER_LEAST = 28, THUMBNAIL_LEAST = 6,
       THUMBNAIL_PAIR = 9, THUMBNAIL_MOST = 12 };

static int least(int a, int b)
{
    return a < b ? a : b;
}

static int clamp(int value, int low, int high)
{
    return value < low ? low : value > high ? high : value;
}

bool rect_holds(struct rect rect, int row, int column)
{
    return row >= rect.row && row < rect.row + rect.rows && column >= rect.column &&
           column < rect.column + rect.columns;
}

// The film strip: as many stages as fit at the least readable width, wider where there is room, square in pixels.
static void place_strip(struct layout *layout, const struct layout_request *request, int bottom)
{
    int stages = request->stages > 0 ? request->stages : 1;
    // Below that a thumbnail shows nothing any more: the strip scrolls instead.
    int readable = request->aspect > 1.5 ? THUMBNAIL_PAIR : THUMBNAIL_LEAST;
    int width = clamp((request->columns - 2) / stages, readable, THUMBNAIL_MOST);
    int inner = width - 1;
    double wanted = inner * (double)request->cell_width / (request->aspect * request->cell_height);
    int most = request->rows < 30 ? 2 : request->rows < 40 ? 4 : 6;
    int rows = clamp((int)(wanted + 0.5), 2, most);
    layout->strip_column_width = width;
    layout->strip_shown = least(stages, (request->columns - 2) / width);
    // Thumbnails, then a row of names and a row of counts and the marker.
    layout->strip = (struct rect){bottom - rows - 2, 1, rows + 2, request->columns - 2};
}

// Rows for each panel: what they need, cut down to their floors (from the last one up, in turn) where that is
// too much, else grown in turn towards what they would like. Returns the sum.
static int share_rows(const struct section *sections, int count, int rows, int given[])
{
    int used = 0, floors = 0;
    for (int i = 0; i < count; i++) {
        used += given[i] = sections[i].least;
        floors += sections[i].floor;
    }
    for (int i = count - 1; used > rows && used > floors; i = i > 0 ? i - 1 : count - 1)
        if (given[i] > sections[i].floor)
            given[i]--, used--;
    for (bool more = true; more && used < rows;) {
        more = false;
        for (int i = 0; i < count && used < rows; i++)
            if (given[i] < sections[i].good) {
                given[i]++, used++;
                more = true;
            }
    }
    return used;
}

// The panels one below the other, with gaps: always where it is roomy, else from the rows that are left.
static void place_sections(struct section *sections, int count, struct rect place, bool roomy)
{
    int given[8], reserved = roomy ? count - 1 : 0;
    int used = share_rows(sections, count, place.rows - reserved, given);
    int gaps = least(place.rows - used, count - 1), row = place.row;
    for (int i = 0; i < count; i++) {
        *sections[i].rect = (struct rect){row, place.column, given[i], place.columns};
        row += given[i] + (i < gaps);
    }
}

static int sum_least(const struct section *sections, int count)
{
    int sum = 0;
    for (int i = 0; i < count; i++)
        sum += sections[i].least;
    return sum;
}

static void place_body(struct layout *layout, const struct layout_request *request, int top, int bottom)
{
    int rows = bottom - top;
    int picture_rows = rows - 1; // the legend stands below
    double aspect = request->aspect / (1 + request->higher);
    double wanted = picture_rows * (double)request->cell_height * aspect / request->cell_width;
    int most = request->columns - 2 - GAP - PANELS_LEAST, good = request->columns - 2 - GAP - PANELS_GOOD;
    int columns = clamp((int)(wanted + 0.999), PICTURE_LEAST, most);
    int tall = (int)(columns * (double)request->cell_width / (aspect * request->cell_height) + 0.999);
    int bordered = clamp((int)(wanted * (1 + request->wider) + 0.999), columns, good > columns + 2 ? good : columns + 2);
    if (request->wider > 0)
        columns = bordered < most ? bordered : most;
    picture_rows = clamp(tall, 1, picture_rows); // a wide picture is lower than its place
    layout->picture = (struct rect){top, 1, picture_rows, columns};
    layout->legend = (struct rect){top + picture_rows, 1, 1, columns};
    int left = 1 + columns + GAP, panels = request->columns - 1 - left;
    int lines = clamp((request->question_columns + panels - 1) / panels, 1, 3);
    struct section sections[] = {
        {&layout->words, 2, 1 + lines, 1 + 2 * lines},
        {&layout->heads, 2, 1 + request->head_rows, 1 + request->head_rows},
        {&layout->cost, 3, 3, layout->roomy ? 7 : 3},
        {&layout->answer, 3, 4, 6},
        {&layout->inspect, 2, 1 + request->head_rows, 9},
    };
    int count = (int)(sizeof sections / sizeof *sections), reserved = layout->roomy ? count - 1 : 0;
    // Where the panels would be cut short, the narrowest of them stands below a low picture and its legend.
    struct rect below = {top + picture_rows + 2, 1, least(rows - picture_rows - 2, 6), columns};
    if (sum_least(sections, count) + reserved > rows && below.rows >= 4 && columns >= ANSWER_LEAST) {
        layout->answer = below;
        sections[3] = sections[4];
        count--;
    }
    place_sections(sections, count, (struct rect){top, left, rows, panels}, layout->roomy);
}

void layout_compute(struct layout *layout, const struct layout_request *request)
{
    *layout = (struct layout){0};
    layout->too_small = request->rows < LAYOUT_LEAST_ROWS || request->columns < LAYOUT_LEAST_COLUMNS;
    if (layout->too_small)
        return;
    int columns = request->columns, rows = request->rows;
    layout->roomy = rows >= 36;
    layout->header = (struct rect){0, 0, 1, columns};
    layout->hints = (struct rect){rows - 1, 0, 1, columns};
    layout->body = (struct rect){1, 1, rows - 3, columns - 2};
    layout->note = (struct rect){rows - 2, 1, 1, columns - 2};
    place_strip(layout, request, rows - 2);
    int story_rows = 2, gap = layout->roomy ? 1 : 0;
    layout->strip_titled = layout->roomy;
    layout->story = (struct rect){layout->strip.row - story_rows - 2 * gap, 1, story_rows, columns - 2};
    place_body(layout, request, 1 + gap, layout->story.row - gap);
}
