"""Chats with a Kith server as Python's `websockets` does: websockets_client.py http://127.0.0.1:8080"""

import asyncio
import json
import secrets
import sys
import time
import urllib.request
import uuid

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

BASE = sys.argv[1]
FRAME_BYTES = 64 * 1024


def uuid7():
    """A UUIDv7 (RFC 9562)."""
    number = time.time_ns() // 1_000_000 << 80 | secrets.randbits(80)
    number = number & ~(0xF << 76) | 7 << 76
    return str(uuid.UUID(int=number & ~(0x3 << 62) | 2 << 62))


def post(path, body, token=None):
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(BASE + path, json.dumps(body).encode(), headers, method="POST")
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.status, json.load(answer)


def sign_up(name):
    user = {"username": f"{name}-{secrets.token_hex(6)}", "password": "correct horse battery"}
    return post("/v1/users", user)[1]


class Device:
    """One socket, and what came on it that was not asked for yet."""

    def __init__(self, socket):
        self.socket = socket
        self.inbox = []

    async def say(self, frame):
        await self.socket.send(json.dumps(frame))

    async def hear(self, kind):
        """The next frame of a kind; an `error` is one that nobody asks for."""
        while True:
            for at, frame in enumerate(self.inbox):
                assert frame["t"] != "error", f"the server says {frame}"
                if frame["t"] == kind:
                    return self.inbox.pop(at)
            text = await self.socket.recv()
            assert isinstance(text, str), "the server sends text only"
            self.inbox.append(json.loads(text))

    async def hello(self, token):
        assert not self.socket.protocol.extensions, "no extension is agreed on"
        await self.say({"t": "hello", "token": token, "client": "stranger-websockets 1"})
        ready = await self.hear("ready")
        while (await self.hear("heads"))["more"]:
            pass
        return ready

    async def closed(self):
        """The code with which the server closes, whatever comes before."""
        try:
            while True:
                await self.socket.recv()
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else f"no close frame: {closed}"


async def in_fragments(device, frame, size):
    """Sends a frame as a message in fragments, with a ping between them."""

    async def pieces():
        text = json.dumps(frame, ensure_ascii=False)
        for at in range(0, len(text), size):
            yield text[at : at + size]
            await device.socket.ping()

    await device.socket.send(pieces())


async def chat(left, right, anna, bert, conversation):
    assert (await left.hello(anna["token"]))["user"] == anna["user"]["id"]
    assert (await right.hello(bert["token"]))["user"] == bert["user"]["id"]

    texts = ["plain", "grüß 👋" * 9, "€" * 3, "x" * 126, "y" * 16_000, "last"]
    sends = [{"t": "send", "conversation": conversation, "client_id": uuid7(), "text": text} for text in texts]
    for n, send in enumerate(sends):
        if n % 2:
            await in_fragments(left, send, 7 if n == 1 else 100)
        else:
            await left.say(send)
    first = None
    for n, send in enumerate(sends):
        sent = await left.hear("sent")
        entry = (await right.hear("entry"))["entry"]
        first = first or sent["seq"]
        assert sent["client_id"] == send["client_id"], "sent in order"
        assert sent["seq"] == entry["seq"] == first + n, f"a gap: {sent['seq']}, {entry['seq']} after {first + n - 1}"
        assert entry["body"]["text"] == send["text"] and entry["sender"] == anna["user"]["id"], "what was said"

    await left.say(sends[0])
    assert (await left.hear("sent"))["seq"] == first, "a resend gets the seq it had"
    await right.say({"t": "send", "conversation": conversation, "client_id": uuid7(), "text": "back"})
    assert (await right.hear("sent"))["seq"] == first + len(sends), "and no second entry"
    assert (await left.hear("entry"))["entry"]["body"]["text"] == "back", "one's own entries come as sent alone"

    await (await left.socket.ping("payload"))
    await left.say({"t": "ping", "active": True})
    assert (await left.hear("pong"))["at"].endswith("Z")

    await right.say({"t": "ping", "padding": "z" * FRAME_BYTES})
    code = await right.closed()
    assert code == 4002, f"a frame that is too big: {code}"
    await left.socket.close(1000, "bye")
    assert left.socket.close_code == 1000, f"a clean close: {left.socket.close_code}"
    return len(texts)


async def main():
    anna, bert = sign_up("anna"), sign_up("bert")
    pair = {"kind": "direct", "members": [bert["user"]["id"]]}
    conversation = post("/v1/conversations", pair, anna["token"])[1]["id"]
    status, second = post("/v1/conversations", pair, anna["token"])
    assert (status, second["id"]) == (200, conversation), "a second direct conversation is the first"

    url = BASE.replace("http", "ws", 1) + "/v1/socket"
    async with connect(url) as left, connect(url) as right, connect(url) as bad:
        stranger = Device(bad)
        await stranger.say({"t": "hello", "token": "A" * 43})
        code = await stranger.closed()
        assert code == 4004, f"a bad token: {code}"
        return await chat(Device(left), Device(right), anna, bert, conversation)


try:
    messages = asyncio.run(asyncio.wait_for(main(), 30))
    print(f"Python websockets: ok: {messages} messages, whole and in fragments; pings; closes 1000, 4002, 4004")
except Exception as error:  # One line for whatever went wrong.
    print(f"Python websockets: FAILED: {type(error).__name__}: {error}")
    sys.exit(1)
