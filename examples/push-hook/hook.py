#!/usr/bin/env python3
"""A push hook for Ringwire: checks each message's signature, and says what it would send to which push service.

    pip install standardwebhooks
    HOOK_SECRET=whsec_... ./hook.py --port 8800

Put your APNs, FCM or vendor client where `ring`, `cancel` and `missed` print a line. docs/push.md has all fields.
"""

import argparse
import collections
import http.server
import json
import os
import sys

from standardwebhooks import Webhook, WebhookVerificationError

# The largest message: the invitation's data, what push services want, and tokens.
LARGEST = 256 * 1024
# Messages may come more than once; their ids tell. As many as come in a few minutes.
REMEMBERED = 100_000
seen = collections.OrderedDict()


def remember(message_id):
    """Whether the message is new."""
    if message_id in seen:
        return False
    seen[message_id] = True
    if len(seen) > REMEMBERED:
        seen.popitem(last=False)
    return True


def ring(data):
    """Wakes devices. `voip` wants a VoIP push on iOS, which has to show the system's call screen."""
    title = data["push"]["title"] or data.get("inviter_name") or data["inviter"]
    for device in data["devices"]:
        for provider, token in device["tokens"].items():
            tell("ring", provider, token, data, title=title, expires_in_ms=data.get("remaining_ms"))
    if not data["devices"]:
        tell("ring", "unknown", None, data, title=title, expires_in_ms=data.get("remaining_ms"))


def cancel(data):
    """Stops the ringing, but not on the device that answered."""
    for device in data["devices"]:
        if device["device_id"] != data.get("device_id"):
            for provider, token in device["tokens"].items():
                tell("cancel", provider, token, data, state=data["state"])


def missed(data):
    """An operator sent a push again that had failed: too late to ring."""
    tell("missed", "any", None, data, state=data["state"])


def tell(what, provider, token, data, **more):
    line = {"what": what, "provider": provider, "token": token, "user": data["user"]}
    print(json.dumps({**line, "invitation_id": data["invitation_id"], **more}), flush=True)


class Hook(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        length = int(self.headers.get("content-length", 0))
        if length > LARGEST:
            self.answer(413)
            return
        body = self.rfile.read(length)
        try:
            message = self.server.webhook.verify(body, dict(self.headers))
        except WebhookVerificationError as problem:
            print(f"refused: {problem}", file=sys.stderr, flush=True)
            self.answer(401)
            return
        # An unknown type is for a newer hook: taking it keeps it from being sent again.
        handle = {"push.ring": ring, "push.cancel": cancel, "push.missed": missed}.get(message["type"])
        if handle and remember(self.headers["webhook-id"]):
            handle(message["data"])
        self.answer(204)

    def answer(self, status):
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *arguments):
        pass


def main():
    parser = argparse.ArgumentParser(description="A push hook for Ringwire.")
    parser.add_argument("--port", type=int, default=8800, help="0 takes a free one")
    port = parser.parse_args().port
    secret = os.environ.get("HOOK_SECRET")
    if not secret:
        parser.error("HOOK_SECRET must be one of the target's secrets")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Hook)
    server.webhook = Webhook(secret)
    print(f"listening on http://127.0.0.1:{server.server_port}/", file=sys.stderr, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
