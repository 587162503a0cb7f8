"""How much a server takes on at once: a bounded queue, and no more after that.

A prediction holds the event loop, so requests that have arrived wait in the loop's own list, first in first out. The
connection counts each when it is wholly there; above the limit it refuses on the spot, before anything is made of the
request, so that refusing costs next to nothing. An accepted request waits for at most `limit` others, whatever the load.
"""

from __future__ import annotations


class Admission:
    """The places of one server.

    Parameters
    ----------
    limit : int
        Requests that may wait or be in work.

    Attributes
    ----------
    waiting, taken, connections, bytes : int
        Requests that have arrived and those in work, open connections, and bytes of bodies that are here and not answered.
    draining : bool
        Whether the server is about to stop.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.waiting = self.taken = self.connections = self.bytes = 0
        self.draining = False

    @property
    def full(self) -> bool:
        """Whether there is no place for one more."""
        return self.waiting + self.taken >= self.limit

    def arrive(self) -> None:
        """Wait for one's turn. Who does must `enter` or `go`."""
        self.waiting += 1

    def go(self) -> None:
        """Wait no longer, without having had a turn."""
        self.waiting -= 1

    def enter(self, *, arrived: bool = False) -> bool:
        """Take a place, one's own if one has arrived; False if there is none. Who took one must `leave`."""
        if arrived:
            self.waiting -= 1
        elif self.full:
            return False
        self.taken += 1
        return True

    def leave(self) -> None:
        """Give the place back."""
        self.taken -= 1
