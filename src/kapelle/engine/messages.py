"""What an isolated call's process and the run's process say to each other: length-prefixed MessagePack."""

from __future__ import annotations

import socket
import struct

import msgspec

from kapelle.model.failures import Failure


class Message(msgspec.Struct, frozen=True, tag=True):
    """A message."""


class Ask(Message, frozen=True):
    """Run this function. `function` is it by value when `qualname` is empty; indices speak of parameters.

    `info` is the pickled TaskInfo, for `current_task()`.
    """

    module: str
    qualname: str
    function: bytes
    main_file: str
    main_name: str
    path: list[str]
    arguments: bytes
    is_async: bool
    mutates: list[int]
    task: str
    spread: int
    keywords: int
    keyword_only: list[int]
    names: list[str]
    info: bytes


class Printed(Message, frozen=True):
    """The function printed or logged a line."""

    stream: str
    level: int
    logger: str
    text: str


class Returned(Message, frozen=True):
    """The function returned: its encoded value, and the encoded arguments that it may change."""

    codec: str
    data: bytes
    mutated: list[tuple[str, bytes]]


class Failed(Message, frozen=True):
    """The function raised."""

    failure: Failure


AnyMessage = Ask | Printed | Returned | Failed

_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[AnyMessage] = msgspec.msgpack.Decoder(AnyMessage)
_length = struct.Struct("<Q")


def send(connection: socket.socket, message: Message) -> None:
    """Send one message whole."""
    data = _encoder.encode(message)
    connection.sendall(_length.pack(len(data)) + data)


def receive(connection: socket.socket) -> AnyMessage:
    """Wait for one message. EOFError when the other side is gone."""
    (length,) = _length.unpack(_exactly(connection, _length.size))
    return _decoder.decode(_exactly(connection, length))


def _exactly(connection: socket.socket, length: int) -> bytearray:
    data = bytearray(length)
    view, got = memoryview(data), 0
    while got < length:
        count = connection.recv_into(view[got:])
        if count == 0:
            raise EOFError
        got += count
    return data
