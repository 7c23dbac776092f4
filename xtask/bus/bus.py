"""Independent readers of what the bus says: the real binary on a free port, and the receivers that docs/webhooks.md prints, as it prints them.

Usage: bus.py QUARTERMASTER FOLDER. The folder has receiver.py and receiver.mjs; events.json is left there with every event that was seen.
"""

import http.server, json, os, queue, re, signal, socket, subprocess, sys, threading, time, urllib.error, urllib.request
from cloudevents.core.bindings import http as ce
from cloudevents.core.v1.event import CloudEvent
from standardwebhooks import Webhook, WebhookVerificationError

BINARY, FOLDER = sys.argv[1:3]
PATIENCE_S = 60


def check(what, fact):
    if not fact:
        raise SystemExit(f"  ✗ {what}")
    print(f"  ✓ {what}", flush=True)


def until(what, test):
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        found = test()
        if found:
            return found
        time.sleep(0.05)
    raise SystemExit(f"  ✗ {what}: not within {PATIENCE_S} s")


class Process:
    """A program whose lines are read as they come."""

    def __init__(self, arguments, **env):
        self.child = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env={**os.environ, **env})
        self.lines = []
        threading.Thread(target=lambda: [self.lines.append(line) for line in self.child.stdout], daemon=True).start()

    def text(self):
        return "".join(self.lines)

    def stop(self):
        self.child.send_signal(signal.SIGTERM)
        return self.child.wait(timeout=PATIENCE_S)


class Catcher(http.server.BaseHTTPRequestHandler):
    caught = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.caught.append((dict(self.headers), body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def verifies(secret, headers, body):
    try:
        return Webhook(secret).verify(body, headers) == json.loads(body)
    except WebhookVerificationError:
        return False


def receiver(language, port, secret):
    program = {"python": [sys.executable, f"{FOLDER}/receiver.py"], "javascript": ["node", f"{FOLDER}/receiver.mjs"]}[language]
    started = Process(program, PORT=str(port), WEBHOOK_SECRET=secret)
    until(f"the {language} receiver of the docs listens", lambda: listens(port))
    return started


def main():
    server = Process([BINARY, "serve", "--data-dir", f"{FOLDER}/shop", "--listen", "127.0.0.1:0", "--allow-private-webhooks"])
    processes = [server]
    try:
        talk(server, processes)
    finally:
        for process in reversed(processes):
            if process.child.poll() is None:
                process.stop()


def talk(server, processes):
    found = until("the server starts", lambda: re.search(r"listens on (http://[^\s,]+)[\s\S]*?(qm_[A-Za-z0-9_-]{40,})", server.text()))
    base, key = found.groups()

    def api(method, path, body=None, headers={}, raw=None):
        data = raw if raw is not None else (json.dumps(body).encode() if body is not None else None)
        given = {"authorization": f"Bearer {key}", "content-type": "application/json", **headers}
        request = urllib.request.Request(base + path, data, given, method=method)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
                return answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            raise SystemExit(f"{method} {path}: {error.code} {error.read().decode()}")

    def ask(method, path, body=None):
        return json.loads(api(method, path, body)[1])

    def subscribe(name, url):
        filters = {"types": ["order.*", "stock.*", "fulfillment.*", "subscription.*"]}
        return ask("POST", "/v1/subscriptions", {"name": name, "kind": "webhook", "webhook": {"url": url}, "filter": filters})

    def place(number):
        lines = [{"sku": "MUG", "quantity": 1, "unit_price": 1200}]
        buyer = {"customer": {"email": "ada@example.com", "name": "Zoë \"Ada\" 👩‍🚀"}, "metadata": {"note": "ü \\ \u2028 👩‍🚀"}}
        return ask("POST", "/v1/orders", {"channel": "web", "external_id": f"B-{number}", "currency": "USD", "lines": lines, **buyer})["id"]

    ask("POST", "/v1/locations", {"code": "AUS", "name": "Austin", "address": {"country": "US"}, "time_zone": "America/Chicago"})
    ask("POST", "/v1/channels", {"code": "web", "name": "Web shop"})
    ask("POST", "/v1/items", {"sku": "MUG", "name": "Mug"})
    ask("POST", "/v1/receipts", {"location": "AUS", "lines": [{"sku": "MUG", "quantity": 50}]})

    catcher = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Catcher)
    threading.Thread(target=catcher.serve_forever, daemon=True).start()
    mine = subscribe("catcher", f"http://127.0.0.1:{catcher.server_port}/events")
    readers = {}
    for language in ("python", "javascript"):
        port = free_port()
        made = subscribe(language, f"http://127.0.0.1:{port}/")
        readers[language] = (made, port, receiver(language, port, made["secret"]))
        processes.append(readers[language][2])

    first = place(1)
    caught = until("our endpoint is called", lambda: [(headers, body) for headers, body in Catcher.caught if f"order/{first}".encode() in body])
    for language, (_, _, process) in readers.items():
        until(f"the {language} receiver prints the event", lambda: f"quartermaster.order.placed.v1 order/{first}\n" in process.text())
        check(f"the docs' {language} receiver verified a real delivery and printed it", True)
    headers, body = caught[0]
    check("standardwebhooks verifies every delivery", all(verifies(mine["secret"], *one) for one in caught))
    check("standardwebhooks refuses another body", not verifies(mine["secret"], headers, body + b" "))
    check("standardwebhooks refuses another secret", not verifies(readers["python"][0]["secret"], headers, body))

    for headers, body in caught:
        event, told = ce.from_http_event(ce.HTTPMessage(headers, body)), json.loads(body)
        same = [(event.get_id(), told["id"]), (event.get_type(), told["type"]), (event.get_subject(), told["subject"]),
                (event.get_source(), "/shops/main"), (event.get_extension("sequence"), told["sequence"]), (event.get_data(), told["data"])]
        if any(one != other for one, other in same) or event.get_time() is None:
            raise SystemExit(f"  ✗ cloudevents reads another event: {same}")
    check(f"cloudevents reads {len(caught)} deliveries as structured events", True)
    ask("POST", f"/v1/orders/{first}/cancel", {"reason": "customer"})
    given, batch = api("GET", "/v1/events?limit=200", headers={"accept": "application/cloudevents-batch+json"})
    check("a batch has the type of a batch", given["content-type"] == "application/cloudevents-batch+json")
    structured = {"content-type": "application/cloudevents+json"}
    read = [ce.from_http_event(ce.HTTPMessage(structured, json.dumps(one).encode())) for one in json.loads(batch)]
    check(f"cloudevents reads a batch of {len(read)}", len(read) > 10 and len({event.get_id() for event in read}) == len(read))

    request = {"type": "quartermaster.stock.receive.v1", "source": "/peers", "id": "r-1"}
    message = ce.to_structured_event(CloudEvent(request, {"location": "AUS", "lines": [{"sku": "MUG", "quantity": 5}]}))
    answers = [json.loads(api("POST", "/v1/events", headers=message.headers, raw=message.body)[1])["data"][0] for _ in range(2)]
    once = [(answer["status"], answer["replayed"]) for answer in answers]
    check("an event that cloudevents wrote is taken, once", once == [(201, False), (201, True)])

    rotate(ask, place, mine, readers, processes)
    forge(readers)
    ask("POST", f"/v1/subscriptions/{mine['id']}/test")
    until("a test is delivered", lambda: any(b"subscription.test.v1" in body for _, body in Catcher.caught))
    everything = json.loads(api("GET", "/v1/events?limit=200", headers={"accept": "application/cloudevents-batch+json"})[1])
    everything += [json.loads(body) for _, body in Catcher.caught]
    with open(f"{FOLDER}/events.json", "w") as out:
        json.dump({"events": everything, "served": json.loads(api("GET", "/docs/asyncapi.json")[1])}, out)
    check("the server stops when it is told to", server.stop() == 0)


def rotate(ask, place, mine, readers, processes):
    """Both secrets are accepted while one replaces the other."""
    fresh = {made["id"]: ask("POST", f"/v1/subscriptions/{made['id']}/rotate-secret", {"overlap_seconds": 3600})["secret"]
             for made in [mine] + [made for made, _, _ in readers.values()]}
    second = place(2)
    of = lambda order: [(headers, body) for headers, body in Catcher.caught if f"order/{order}".encode() in body]
    headers, body = until("a delivery while the secret rotates", lambda: of(second))[0]
    check("two secrets sign while one replaces the other", len(headers["webhook-signature"].split(" ")) == 2)
    check("standardwebhooks verifies with either", verifies(mine["secret"], headers, body) and verifies(fresh[mine["id"]], headers, body))
    for language, (made, port, process) in readers.items():
        until(f"{language} with the old secret", lambda: f"order.placed.v1 order/{second}\n" in process.text())
        process.stop()
        readers[language] = (made, port, receiver(language, port, fresh[made["id"]]))
        processes.append(readers[language][2])
    third = place(3)
    for language, (_, _, process) in readers.items():
        until(f"{language} with the new secret", lambda: f"order.placed.v1 order/{third}\n" in process.text())
        check(f"the docs' {language} receiver goes through a rotation", True)


def forge(readers):
    """Whoever is not us gets nothing printed, and a receiver survives it."""
    forged = json.dumps({"id": "1-1", "type": "forged", "subject": "order/ord_1"}).encode()
    signed = {"webhook-id": "1-1", "webhook-timestamp": str(int(time.time())), "webhook-signature": "v1,AAAA"}
    for language, (_, port, process) in readers.items():
        for headers in ({}, signed):
            try:
                with urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}/", forged, headers), timeout=PATIENCE_S) as answer:
                    raise SystemExit(f"  ✗ the {language} receiver took a forged event: {answer.status}")
            except (urllib.error.URLError, OSError):
                pass
        check(f"the docs' {language} receiver refuses what we did not sign", "forged" not in process.text() and listens(port))


main()
