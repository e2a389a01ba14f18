"""A portal in Python, with its standard library alone: a page with the element, sessions for it, and a receiver of webhooks."""

import base64, hmac, json, os, time, urllib.request
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HERE = Path(__file__).parent
SECRETS = Path(os.environ.get("DATA_DIR") or HERE / "../../data") / "secrets.json"
made = json.loads(SECRETS.read_text()) if SECRETS.exists() else {}
SERVICE = os.environ.get("SONGNGAN_URL") or "http://127.0.0.1:8080"
API_KEY = os.environ.get("API_KEY") or made.get("apiKey")
WEBHOOK_SECRET = os.environ.get("WEBHOOK_SECRET") or made.get("webhookSecret")
PORT = int(os.environ.get("PORTAL_PORT") or 3000)
ORIGIN = f"http://127.0.0.1:{PORT}"
# Of a real portal: its own number of what one person hands in, and the date until which it takes files.
SUBMISSION = f"example-{int(time.time())}"
DEADLINE = (datetime.now(timezone.utc) + timedelta(days=7)).isoformat()


def call(method, path, body):
    headers = {"Authorization": f"Bearer {API_KEY}", "Content-Type": "application/json"}
    request = urllib.request.Request(SERVICE + path, json.dumps(body).encode(), headers, method=method)
    with urllib.request.urlopen(request, timeout=40) as answer:
        return json.load(answer)


def session():  # A real portal asks here who is logged in, and whether the submission is theirs.
    submission = {"profile": "teacher.K4", "deadline": DEADLINE, "callbackUrl": f"{ORIGIN}/webhooks/songngan"}
    call("PUT", f"/v1/submissions/{SUBMISSION}", submission)
    return call("POST", f"/v1/submissions/{SUBMISSION}/sessions", {"subject": "teacher-1"})["token"]


def is_genuine(body, headers):
    """Standard Webhooks: HMAC-SHA256 over id, time and the body as it came. One of more than five minutes ago is a copy."""
    name, sent_at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if len(sent_at) > 12 or not sent_at.isdecimal() or abs(time.time() - int(sent_at)) > 300:
        return False
    key = base64.b64decode(WEBHOOK_SECRET.removeprefix("whsec_"))
    digest = hmac.digest(key, f"{name}.{sent_at}.".encode() + body, "sha256")
    signature = b"v1," + base64.b64encode(digest)
    return any(hmac.compare_digest(signature, one.encode()) for one in headers.get("webhook-signature", "").split())


class Portal(BaseHTTPRequestHandler):
    def do_GET(self):
        page = (HERE / "page.html").read_bytes()
        return self.answer(200, page, "text/html; charset=utf-8") if self.path == "/" else self.answer(404)

    def do_POST(self):
        body = self.rfile.read(min(int(self.headers.get("Content-Length") or 0), 1_000_000))
        if self.path == "/session":
            return self.answer(200, json.dumps({"service": SERVICE, "token": session()}).encode(), "application/json")
        if self.path != "/webhooks/songngan" or not is_genuine(body, self.headers):
            return self.answer(401)
        event = json.loads(body)  # A real portal stores its id, passes over those that it has, and works later.
        print(f"verified: {event['type']} {event['data']['submissionId']} {event['data'].get('slot') or ''}", flush=True)
        return self.answer(204)

    def answer(self, status, body=b"", kind="text/plain"):
        self.send_response(status)
        if status != 204:
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


print(f"Portal at {ORIGIN}", flush=True)
ThreadingHTTPServer(("127.0.0.1", PORT), Portal).serve_forever()
