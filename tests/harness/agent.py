"""The probe agent: one in each namespace of the harness; one JSON command a line on stdin, one answer a line on stdout.

It listens and echoes, probes many flows at once, holds flows open, and remembers which datagrams reached it. Standard library only.
"""

from __future__ import annotations

import asyncio
import json
import resource
import socket
import struct
import sys
from typing import Any

ECHO_REQUEST, ECHO_REPLY = 128, 129
AT_ONCE = 500
TCP, UDP, ICMPV6 = 6, 17, 58
IPV6_FREEBIND = 78
"""linux/in6.h; Python does not name it."""
HEADERS = {socket.IPV6_HOPOPTS: bytes([0, 0, 1, 4, 0, 0, 0, 0]), socket.IPV6_DSTOPTS: bytes([0, 0, 1, 4, 0, 0, 0, 0])}
"""Padding alone, as hop-by-hop and destination options (RFC 8200 §4.2)."""


class Agent:
    """State of one agent."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.gate = asyncio.Semaphore(AT_ONCE)
        self.heard: list[str] = []
        self.held: dict[str, socket.socket] = {}
        self.kept: list[Any] = []
        self.why: dict[str, str] = {}
        """By flow: why it was last not answered."""

    async def listen(self, ends: list[list[Any]]) -> int:
        """Echo on (protocol, address, port)."""
        for protocol, address, port in ends:
            if protocol == TCP:
                self.kept.append(await asyncio.start_server(self._echo, sock=_socket(TCP, address, port), backlog=512))
            else:
                sock = _socket(UDP, address, port)
                self.loop.add_reader(sock, self._datagram, sock)
                self.kept.append(sock)
        return len(ends)

    async def _echo(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(64):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        writer.close()

    def _datagram(self, sock: socket.socket) -> None:
        try:
            data, sender = sock.recvfrom(64)
            self.heard.append(f"{sender[0]} {data.decode()}")
            sock.sendto(data, sender)
        except OSError:  # an error about an earlier answer, or an answer that our own rules drop
            return

    async def probe(self, flows: list[list[Any]], timeout: float) -> list[bool]:
        """Whether each (protocol, source, destination, port) was answered."""
        return list(await asyncio.gather(*(self._probe(flow, timeout) for flow in flows)))

    async def _probe(self, flow: list[Any], timeout: float) -> bool:
        async with self.gate:
            try:
                async with asyncio.timeout(timeout):
                    sock = await self._open(flow)
            except (OSError, TimeoutError) as error:
                self.why[str(flow)] = repr(error)
                return False
            if sock is None:
                return False
            sock.close()
            return True

    async def _open(self, flow: list[Any]) -> socket.socket | None:
        """A flow that has carried a word there and back. `flow` may name a source port."""
        protocol, source, destination, port, *source_port = flow
        sock = _socket(protocol, source, *source_port)
        try:
            if protocol == ICMPV6:
                return sock if await self._ping(sock, destination) else None
            await self.loop.sock_connect(sock, (destination, port))
            return sock if await self._exchange(sock) else None
        except BaseException:
            sock.close()
            raise

    async def _exchange(self, sock: socket.socket) -> bool:
        await self.loop.sock_sendall(sock, b"word")
        return await self.loop.sock_recv(sock, 64) == b"word"

    async def _ping(self, sock: socket.socket, destination: str) -> bool:
        mark = id(sock) & 0xFFFF
        sock.sendto(struct.pack("!BBHHH", ECHO_REQUEST, 0, 0, mark, 1), (destination, 0))
        while True:
            data, sender = await self.loop.sock_recvfrom(sock, 256)
            if sender[0] == destination and data[0] == ECHO_REPLY and struct.unpack("!H", data[4:6])[0] == mark:
                return True

    async def odd(self, flow: list[Any], shape: str, timeout: float) -> bool:
        """Whether a datagram of an odd shape is answered: in fragments, behind extension headers, or both."""
        _, source, destination, port = flow
        payload = b"x" * (3000 if "fragments" in shape else 32)
        try:
            async with asyncio.timeout(timeout):
                with _socket(UDP, source) as sock:
                    for option, header in HEADERS.items():
                        if "headers" in shape:
                            sock.setsockopt(socket.IPPROTO_IPV6, option, header)
                    await self.loop.sock_connect(sock, (destination, port))
                    await self.loop.sock_sendall(sock, payload)
                    return await self.loop.sock_recv(sock, 64) == payload[:64]
        except (OSError, TimeoutError) as error:
            self.why[str(flow)] = repr(error)
            return False

    async def hold(self, name: str, flow: list[Any], timeout: float) -> bool:
        """Open a flow and keep it."""
        try:
            async with asyncio.timeout(timeout):
                sock = await self._open(flow)
        except (OSError, TimeoutError):
            return False
        if sock is not None:
            self.held[name] = sock
        return sock is not None

    async def exchange(self, name: str, timeout: float) -> bool:
        """Whether a held flow still carries a word there and back."""
        try:
            async with asyncio.timeout(timeout):
                return await self._exchange(self.held[name])
        except (OSError, TimeoutError):
            return False

    async def resolve(self, protocol: int, source: str, server: str, name: str, timeout: float) -> list[int]:
        """What a name server says of a name's IPv6 addresses: the code (RFC 1035 §4.1.1) and how many; nothing where it is silent."""
        labels = b"".join(bytes([len(each)]) + each.encode() for each in name.split("."))
        question = struct.pack("!HHHHHH", 7, 0x0100, 1, 0, 0, 0) + labels + struct.pack("!BHH", 0, 28, 1)
        framed = struct.pack("!H", len(question)) + question if protocol == TCP else question
        try:
            async with asyncio.timeout(timeout):
                with _socket(protocol, source) as sock:
                    await self.loop.sock_connect(sock, (server, 53))
                    await self.loop.sock_sendall(sock, framed)
                    said = (await self.loop.sock_recv(sock, 4096))[2 if protocol == TCP else 0 :]
        except (OSError, TimeoutError):
            return []
        return [said[3] & 15, struct.unpack("!H", said[6:8])[0]]

    async def reason(self, flow: list[Any]) -> str:
        """A refusal that is an error tells another story than one that is silence."""
        return self.why.get(str(flow), "nothing is known")

    async def silence(self) -> int:
        """Listen no more."""
        count = len(self.kept)
        for each in self.kept:
            if isinstance(each, socket.socket):
                self.loop.remove_reader(each)
            each.close()
        self.kept = []
        return count

    async def send(self, source: str, destination: str, port: int, word: str) -> bool:
        """One datagram, whatever becomes of it."""
        with _socket(UDP, source) as sock:
            sock.sendto(word.encode(), (destination, port))
        return True

    async def advertise(self, destination: str) -> bool:
        """A router advertisement (RFC 4861 §4.2), as a host that would like to be a router."""
        with socket.socket(socket.AF_INET6, socket.SOCK_RAW, ICMPV6) as sock:
            for option in (socket.IPV6_MULTICAST_HOPS, socket.IPV6_UNICAST_HOPS):
                sock.setsockopt(socket.IPPROTO_IPV6, option, 255)
            sock.sendto(struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0), (destination, 0, 0, socket.if_nametoindex("eth0")))
        return True

    async def on_link(self, interface: str, destination: str, kind: int, hops: int) -> bool:
        """An ICMPv6 message of some type and 20 further bytes on one link; whether this host's own firewall let it out."""
        with socket.socket(socket.AF_INET6, socket.SOCK_RAW, ICMPV6) as sock:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, hops)
            try:
                sock.sendto(struct.pack("!BBH20x", kind, 0, 0), (destination, 0, 0, socket.if_nametoindex(interface)))
            except PermissionError:
                return False
        return True

    async def sender(self, word: str) -> str:
        """From where a datagram with this word came in; nothing where none did."""
        return next((line.split()[0] for line in self.heard if line.endswith(f" {word}")), "")

    async def hears(self, word: str) -> bool:
        """Whether a datagram with this word came in."""
        return any(line.endswith(f" {word}") for line in self.heard)


def _socket(protocol: int, address: str, port: int = 0) -> socket.socket:
    kind = {TCP: socket.SOCK_STREAM, UDP: socket.SOCK_DGRAM, ICMPV6: socket.SOCK_RAW}[protocol]
    sock = socket.socket(socket.AF_INET6, kind, protocol)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_IPV6, IPV6_FREEBIND, 1)  # an address of a VRF, from outside every VRF, as `named` does
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)  # a server may also speak first, from the port it listens on
        sock.bind((address, 0 if protocol == ICMPV6 else port))
    except OSError:
        sock.close()
        raise
    return sock


async def main() -> None:
    """Answer commands until stdin ends."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    agent = Agent()
    reader = asyncio.StreamReader(limit=2**24)
    await agent.loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        command, arguments = json.loads(line)
        try:
            answer = await getattr(agent, command)(*arguments)
        except Exception as error:  # the harness must hear of it
            answer = {"error": repr(error)}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main())
