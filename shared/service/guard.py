"""Limits of a connection that uvicorn does not have: how many there are, how large a head is, how long sending takes.

Without them, ten thousand clients that never finish a request keep everybody else out, and a head of 20 MB is read.
"""

import asyncio
import itertools
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_CONNECTIONS = 400
MOST_HEAD_BYTES = 16 * 1024
# From the first byte that could be sent to the last one of the body.
SECONDS_TO_SEND = 10.0
END_OF_HEAD = b"\r\n\r\n"
# The order in which connections began to wait: the loop's clock stands still while many come at once.
TURNS = itertools.count()
TOO_SLOW = "408 Request Timeout"
HEAD_TOO_LARGE = "431 Request Header Fields Too Large"


class GuardedProtocol(HttpToolsProtocol):
    """HTTP with limits. Where there are too many connections, those that have waited longest for a request end."""

    _receiving: asyncio.TimerHandle | None = None
    _turn = 0
    _in_head = True
    _head_bytes = 0
    _end_of_data = b""

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._begin_to_receive()
        there = [one for one in self.connections if not one.transport.is_closing()]
        if len(there) > MOST_CONNECTIONS:
            idle = [one for one in there if isinstance(one, GuardedProtocol) and one.is_idle()]
            min(idle, key=lambda one: one._turn).transport.abort()  # this one at least is idle

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._end_to_receive()
        super().connection_lost(exc)

    def is_idle(self) -> bool:
        """True while nothing is being answered."""
        return self.cycle is None or self.cycle.response_complete

    def data_received(self, data: bytes) -> None:
        """Pass on what came, as long as the head is within its limit."""
        if self._in_head:
            window = self._end_of_data + data
            end = window.find(END_OF_HEAD)
            self._head_bytes += len(data) if end < 0 else end
            self._end_of_data = window[-len(END_OF_HEAD) + 1 :]
        if self._head_bytes > MOST_HEAD_BYTES:
            self._refuse(HEAD_TOO_LARGE)
            return
        super().data_received(data)

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._begin_to_receive()

    def on_headers_complete(self) -> None:
        """The head is there; the body may follow."""
        self._in_head, self._head_bytes, self._end_of_data = False, 0, b""
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """All of a request is there."""
        self._end_to_receive()
        self._in_head = True
        super().on_message_complete()

    def _begin_to_receive(self) -> None:
        if self._receiving is None:
            self._turn = next(TURNS)
            self._receiving = self.loop.call_later(SECONDS_TO_SEND, self._refuse, TOO_SLOW)

    def _end_to_receive(self) -> None:
        if self._receiving:
            self._receiving.cancel()
        self._receiving = None

    def _refuse(self, status: str) -> None:
        """End the connection; say why, unless an answer is under way."""
        if not self.transport.is_closing():
            if self.is_idle():
                self.transport.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
            self.transport.close()
