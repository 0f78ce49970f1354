"""How near two texts are: 1 - edit distance / length of the longer one, in bounded time.

The distance is Levenshtein's: the fewest characters put in, taken out or replaced. It is computed for a whole column of
its table at once, in the bits of a number. Source: Myers (1999), "A fast bit-vector algorithm for approximate string
matching based on dynamic programming", as simplified by Hyyrö (2003).
"""

from __future__ import annotations

from os.path import commonprefix

__all__ = ["MAX_COMPARED", "edit_distance", "edit_similarity"]

MAX_COMPARED = 4096  # characters that are compared; takes milliseconds


def edit_similarity(one: str, other: str) -> float:
    """How near two texts are, from 0 to 1 (equal).

    What two texts begin and end with alike is free. Of what is between, what comes after `MAX_COMPARED` characters
    counts as different.

    >>> edit_similarity("a + b", "a - b"), edit_similarity("", "")
    (0.8, 1.0)
    """
    longer = max(len(one), len(other))
    start = len(commonprefix((one, other)))
    first, second = one[start:], other[start:]
    end = len(commonprefix((first[::-1], second[::-1])))
    first, second = first[: len(first) - end], second[: len(second) - end]
    beyond = max(0, len(first) - MAX_COMPARED, len(second) - MAX_COMPARED)
    distance = edit_distance(first[:MAX_COMPARED], second[:MAX_COMPARED]) + beyond
    return 1.0 - distance / longer if longer else 1.0


def edit_distance(one: str, other: str) -> int:
    """The fewest characters to put in, take out or replace to make one text of the other.

    >>> edit_distance("kitten", "sitting")
    3
    """
    if not one:
        return len(other)
    places: dict[str, int] = {}  # of each character in `one`, as bits
    for place, character in enumerate(one):
        places[character] = places.get(character, 0) | 1 << place
    all_bits, last = (1 << len(one)) - 1, 1 << (len(one) - 1)
    distance, up, down = len(one), all_bits, 0  # where the column's values rise and fall by 1
    for character in other:
        same = places.get(character, 0)
        diagonal = (((same & up) + up) ^ up) | same | down
        rises, falls = down | ~(diagonal | up) & all_bits, up & diagonal
        distance += bool(rises & last) - bool(falls & last)
        rises, falls = rises << 1 | 1, falls << 1
        up, down = (falls | ~(diagonal | rises)) & all_bits, rises & diagonal & all_bits
    return distance
