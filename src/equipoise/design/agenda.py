"""What happens when: actions in the order of their times, each of which may put further ones on the agenda."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from itertools import count

Action = Callable[[datetime], None]

OFFICE_OPENS = time(1, 0, tzinfo=UTC)


class Agenda:
    """A queue of actions by time; of two at the same time the one put there first happens first."""

    def __init__(self) -> None:
        self._queue: list[tuple[datetime, int, Action]] = []
        self._order = count()
        self.done = 0

    def put(self, at: datetime, action: Action) -> None:
        """Let the action happen at a time."""
        heapq.heappush(self._queue, (at, next(self._order), action))

    def run(self, progress: Callable[[int, int], None]) -> None:
        """Do everything in order until nothing is left."""
        while self._queue:
            at, _, action = heapq.heappop(self._queue)
            action(at)
            self.done += 1
            progress(self.done, self.done + len(self._queue))


def office_time(day: date, minutes: int) -> datetime:
    """A time on a working day, so many minutes after the office opens."""
    return datetime.combine(day, OFFICE_OPENS) + timedelta(minutes=minutes)
