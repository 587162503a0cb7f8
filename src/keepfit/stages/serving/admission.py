"""How much a server takes on at once: a bounded queue, and no more after that.

A prediction holds the event loop, so the requests that have arrived wait in the loop's own list, first in first out.
Each counts itself, yields once, by which all that have arrived with it are counted, and then has its turn. What comes
above the limit is refused at once. So an accepted request waits for at most `limit` others, whatever the load. While
there are no more connections than places nobody can come above it, and nobody needs to yield.
"""

from __future__ import annotations

import asyncio


class Admission:
    """The places of one server.

    Parameters
    ----------
    limit : int
        Requests that may wait or be in work.

    Attributes
    ----------
    taken, connections : int
        Places that are taken, and open connections.
    draining : bool
        Whether the server is about to stop.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.taken = self.connections = self.waiting = 0
        self.draining = False

    def enter(self) -> bool:
        """Take a place; False if there is none. Who took one must `leave`."""
        if self.taken >= self.limit:
            return False
        self.taken += 1
        return True

    def crowded(self) -> bool:
        """Whether more may have arrived than there are places, so that turns are to be taken."""
        return not 0 < self.connections <= self.limit

    async def turn(self) -> None:
        """Return when it is one's turn."""
        self.waiting += 1
        try:
            await asyncio.sleep(0)
        finally:
            self.waiting -= 1

    def leave(self) -> None:
        """Give the place back."""
        self.taken -= 1
