"""An independent reader of traces: the real binary sends to a collector that knows OTLP from OpenTelemetry's own definitions.

Usage: traces.py QUARTERMASTER FOLDER SMTPD [STORY…]. Shops are made in the folder; SMTPD is the mail server of the mail tests. All stories
are told unless some are named.
"""

import gzip, http.client, http.cookiejar, http.server, json, os, re, signal, socket, subprocess, sys, threading, time
import urllib.error, urllib.parse, urllib.request
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest, ExportTraceServiceResponse
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

BINARY, FOLDER, SMTPD, *STORIES = sys.argv[1:]
PATIENCE_S = 60
# What no span may hold, in no form: it is given to the shop below as names, addresses, notes, queries, keys and foreign ids.
SECRETS = ["ada@example.com", "ada%40example.com", "Lovelace", "Square Street", "leave it at the door", "gift for Grace", "nothing-here",
           "W-77-external", "in-a-query", "vendor=free-text", "qm_", "whsec_", "hook-path-secret", "tok_visa",
           "lovelace.example", "let-me-in"]


def check(what, fact, seen=""):
    if not fact:
        raise SystemExit(f"  ✗ {what} {seen}")
    print(f"  ✓ {what}", flush=True)


def until(what, test):
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        found = test()
        if found:
            return found
        time.sleep(0.05)
    raise SystemExit(f"  ✗ {what}: not within {PATIENCE_S} s")


class Listener:
    """An HTTP server on a thread; `answer` gets path, headers and body of each POST and returns a status and a body."""

    def __init__(self, answer, port=0):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                status, body = answer(self.path, dict(self.headers), self.rfile.read(int(self.headers["content-length"])))
                self.send_response(status)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


class Collector(Listener):
    def __init__(self, port=0):
        self.requests, self.pause_s = [], 0
        super().__init__(self.take, port)

    def take(self, path, headers, body):
        headers = {name.lower(): value for name, value in headers.items()}
        plain = gzip.decompress(body) if headers.get("content-encoding") == "gzip" else body
        self.requests.append((path, headers, plain))
        time.sleep(self.pause_s)
        return 200, ExportTraceServiceResponse().SerializeToString()

    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def batches(self):
        return [ExportTraceServiceRequest.FromString(body) for _, _, body in self.requests]

    def spans(self):
        return [span for batch in self.batches() for resource in batch.resource_spans for scope in resource.scope_spans for span in scope.spans]

    def named(self, name):
        return [span for span in self.spans() if span.name == name]

    def one(self, name, **wanted):
        """Waits for a span by its name and attributes (`_` for each dot)."""
        fits = lambda span: all({key.replace(".", "_"): value for key, value in attributes(span).items()}.get(key) == value
                                for key, value in wanted.items())
        return until(f"a span {name} {wanted}", lambda: [span for span in self.named(name) if fits(span)])[0]


def attributes(span):
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in span.attributes}


def child(collector, parent):
    return until(f"a command of {parent.name}", lambda: [one for one in collector.named("command") if one.parent_span_id == parent.span_id])[0]


class Shop:
    """The real binary, with nothing of OpenTelemetry in its environment but what is given."""

    def __init__(self, name, config, **env):
        folder = f"{FOLDER}/{name}"
        os.makedirs(folder)
        with open(f"{folder}/quartermaster.toml", "w") as file:
            file.write(config)
        clean = {key: value for key, value in os.environ.items() if not key.startswith("OTEL_")}
        arguments = [BINARY, "serve", "--data-dir", folder, "--listen", "127.0.0.1:0", "--allow-private-webhooks"]
        self.child = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**clean, **env})
        self.said, self.log = [], []
        for stream, lines in [(self.child.stdout, self.said), (self.child.stderr, self.log)]:
            threading.Thread(target=lambda stream=stream, lines=lines: lines.extend(iter(stream.readline, "")), daemon=True).start()
        pattern = r"listens on (http://[^\s,]+)[\s\S]*?(qm_[A-Za-z0-9_-]{40,})"
        self.base, self.key = until("the server starts", lambda: re.search(pattern, "".join(self.said))).groups()

    def send(self, method, path, body=None, headers={}):
        data = body.encode() if isinstance(body, str) else json.dumps(body).encode() if body is not None else None
        given = {"authorization": f"Bearer {self.key}", "content-type": "application/json", **headers}
        request = urllib.request.Request(self.base + path, data, given, method=method)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read()

    def ask(self, method, path, body=None, headers={}):
        status, given, answer = self.send(method, path, body, headers)
        if status >= 300:
            raise SystemExit(f"{method} {path}: {status} {answer.decode()}")
        return json.loads(answer), given

    def furnish(self):
        self.ask("POST", "/v1/locations", {"code": "AUS", "name": "Austin", "address": {"country": "US"}, "time_zone": "America/Chicago"})
        self.ask("POST", "/v1/channels", {"code": "web", "name": "Web shop", "mail": {"sender": "Shop <shop@acme.example>"}})
        self.ask("POST", "/v1/items", {"sku": "MUG", "name": "Mug"})
        self.ask("POST", "/v1/receipts", {"location": "AUS", "lines": [{"sku": "MUG", "quantity": 9000}]})

    def order(self, headers={}, **more):
        body = {"channel": "web", "currency": "USD", "lines": [{"sku": "MUG", "quantity": 1, "unit_price": 1200}], **more}
        return self.ask("POST", "/v1/orders", body, headers)

    def metric(self, outcome):
        text = self.send("GET", "/metrics")[2].decode()
        found = re.search(rf'^quartermaster_spans\{{outcome="{outcome}"\}} (\d+)$', text, re.M)
        return int(found.group(1)) if found else 0

    def complaints(self):
        return [line for line in self.log if "takes no traces" in line]

    def stop(self):
        self.child.send_signal(signal.SIGTERM)
        return self.child.wait(timeout=PATIENCE_S)


def main():
    shops = []
    try:
        for story in (everything, sampled_out, dead, silent, off):
            if STORIES and story.__name__ not in STORIES:
                continue
            print(f" {story.__name__.replace('_', ' ')}: {story.__doc__}")
            story(shops)
    finally:
        for shop in shops:
            if shop.child.poll() is None:
                shop.stop()


def opened(shops, *arguments, **env):
    shops.append(Shop(*arguments, **env))
    return shops[-1]


def everything(shops):
    """what is sent, and what is not"""
    collector, heard = Collector(), []
    answers = iter([500])
    hook = Listener(lambda path, headers, body: (heard.append((headers, json.loads(body))), (next(answers, 204), b""))[1])
    post = subprocess.Popen([sys.executable, SMTPD, "--folder", FOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    mail = f'[smtp]\nurl = "smtp://127.0.0.1:{post.stdout.readline().strip()}"\nsecurity = "none"\nfrom = "office@acme.example"\n'
    wrong = '[traces]\nendpoint = "http://127.0.0.1:9"\nservice_name = "of-the-file"\nsample_ratio = 0.0\n'
    shop = opened(shops, "everything", wrong + mail, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url(), OTEL_SERVICE_NAME="of-the-variable",
                  OTEL_TRACES_SAMPLER_ARG="1", OTEL_EXPORTER_OTLP_HEADERS="x-tenant=acme,authorization=Bearer%20let-me-in",
                  OTEL_RESOURCE_ATTRIBUTES="deployment.environment.name=test")
    stalled = threading.Thread(target=stall, args=(shop,))
    stalled.start()
    shop.furnish()
    url = f"http://127.0.0.1:{hook.port}/hook-path-secret"
    shop.ask("POST", "/v1/subscriptions", {"name": "Lovelace", "kind": "webhook", "webhook": {"url": url}, "filter": {"types": ["order.placed"]}})
    buyer = {"customer": {"email": "ada@example.com", "name": "Ada Lovelace", "locale": "en"}, "external_id": "W-77-external",
             "ship_to": {"name": "Ada Lovelace", "line1": "12 Square Street", "city": "Austin", "country": "US"},
             "metadata": {"gift": "gift for Grace"}, "note": "leave it at the door", "payment_token": "tok_visa"}
    placed, given = shop.order(**buyer)

    span = collector.one("POST /v1/orders", quartermaster_request_id=given["request-id"])
    check("a request has a server span by its route", (span.kind, span.parent_span_id) == (Span.SPAN_KIND_SERVER, b""))
    told = {key: value for key, value in attributes(span).items() if key.startswith("http.")}
    wanted = {"http.request.method": "POST", "http.route": "/v1/orders", "http.response.status_code": 201}
    check("it says what the conventions want", told == wanted, told)
    command = child(collector, span)
    inside = span.start_time_unix_nano <= command.start_time_unix_nano <= command.end_time_unix_nano <= span.end_time_unix_nano
    check("its command is a child, within its time", command.trace_id == span.trace_id and inside)
    timeline = shop.ask("GET", f"/v1/orders/{placed['id']}/timeline")[0]["data"]
    sequence = attributes(command)["quartermaster.sequence"]
    check("which says where it stands in the log", any(int(event["sequence"].split("-")[-1]) == sequence for event in timeline), sequence)
    path, headers, _ = collector.requests[0]
    check("it is posted as protobuf", (path, headers["content-type"]) == ("/v1/traces", "application/x-protobuf"))
    check("with the headers of the variable", (headers["x-tenant"], headers["authorization"]) == ("acme", "Bearer let-me-in"))
    resource = attributes(collector.batches()[0].resource_spans[0].resource)
    named = (resource["service.name"], resource["deployment.environment.name"])
    check("the variables name the service, before the file", named == ("of-the-variable", "test"), resource)

    outside(shop, collector, placed, hook, heard)
    edges(shop, collector, placed)
    callers(shop, collector)
    bulk(shop, collector)
    SECRETS.extend(screens(shop, collector, placed))
    for path in ("/healthz", "/readyz", "/metrics"):
        shop.send("GET", path)
    stalled.join()
    late = collector.one("POST /v1/items", http_response_status_code=503)
    check("an answer of 503 is an error", (late.status.code, attributes(late)["error.type"]) == (Status.STATUS_CODE_ERROR, "503"))
    # The last span ends while the batch before it is not answered yet: it has to wait for its turn.
    collector.pause_s = 1
    before = shop.order()[1]
    collector.one("POST /v1/orders", quartermaster_request_id=before["request-id"])
    given = shop.order()[1]
    check("a server that is told to stop stops", shop.stop() == 0)
    flushed = [one for one in collector.named("POST /v1/orders") if attributes(one)["quartermaster.request_id"] == given["request-id"]]
    check("what had just ended is sent before it has stopped", len(flushed) == 1)
    names = {one.name for one in collector.spans()}
    check("nobody hears of probes", not any(probe in name for name in names for probe in ("healthz", "readyz", "metrics")), names)
    sent = b"".join(body for _, _, body in collector.requests)
    leaked = [secret for secret in SECRETS if secret.encode() in sent]
    check(f"nothing personal and no secret is in {len(sent)} bytes of {len(collector.spans())} spans", not leaked, leaked)
    post.kill()


def outside(shop, collector, placed, hook, heard):
    paid = collector.one("payment authorize", quartermaster_order=placed["id"])
    check("a call of a gateway has a span", (paid.kind, attributes(paid)["quartermaster.outcome"]) == (Span.SPAN_KIND_CLIENT, "authorized"))
    shop.order(payment_token="tok_timeout")
    unclear = collector.one("payment authorize", error_type="unclear")
    again = collector.one("payment authorize", quartermaster_effect=attributes(unclear)["quartermaster.effect"], quartermaster_outcome="authorized")
    check("a call whose answer is lost is an error, and the next is a call of its own", unclear.status.code == Status.STATUS_CODE_ERROR
          and again.span_id != unclear.span_id)
    until("the webhook comes again", lambda: len(heard) >= 2)
    refused = collector.one("webhook delivery", http_response_status_code=500)
    taken = collector.one("webhook delivery", http_response_status_code=204, quartermaster_event=attributes(refused)["quartermaster.event"])
    check("a delivery has a span for each attempt", attributes(refused)["quartermaster.event"] == attributes(taken)["quartermaster.event"])
    check("a refused one is an error", (refused.status.code, attributes(refused)["error.type"]) == (Status.STATUS_CODE_ERROR, "500"))
    check("a taken one is none", taken.status.code == Status.STATUS_CODE_UNSET)
    parents = [{name.lower(): value for name, value in headers.items()}["traceparent"] for headers, _ in heard]
    wanted = [f"00-{one.trace_id.hex()}-{one.span_id.hex()}-01" for one in (refused, taken)]
    check("the receiver is given the traceparent of its attempt", set(wanted) <= set(parents), (parents, wanted))
    mailed = collector.one("mail send", quartermaster_outcome="sent")
    check("a mail has a span", mailed.kind == Span.SPAN_KIND_CLIENT)
    shop.order(customer={"email": "refused@lovelace.example", "name": "Ada"})
    unsent = collector.one("mail send", quartermaster_outcome="refused")
    check("a mail that is refused says the code, not the words", attributes(unsent)["error.type"] == "550")
    url, secret = f"http://127.0.0.1:{hook.port}/hook-path-secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    webhook = {"url": url, "secret": secret}
    shop.ask("POST", "/v1/suppliers", {"code": "ACME", "name": "Acme", "currency": "USD", "dispatch": "webhook", "webhook": webhook})
    lines = [{"sku": "MUG", "quantity": 24, "unit_cost": 350}]
    bought = shop.ask("POST", "/v1/purchase-orders", {"supplier": "ACME", "location": "AUS", "lines": lines})[0]
    shop.ask("POST", f"/v1/purchase-orders/{bought['id']}/send")
    posted = collector.one("purchase order post", quartermaster_outcome="sent")
    check("the supplier is given the traceparent of the post", f"00-{posted.trace_id.hex()}-{posted.span_id.hex()}-01" in
          [value for headers, _ in heard for name, value in headers.items() if name.lower() == "traceparent"])
    alerts = {"webhook": url, "gather_seconds": 0, "interval_seconds": 0}
    shop.ask("PUT", "/v1/settings", {"alerts": alerts})
    shop.order(payment_token="tok_decline")
    collector.one("payment authorize", quartermaster_outcome="declined")
    check("a message to a chat has a span", collector.one("alert post").status.code == Status.STATUS_CODE_UNSET)


def edges(shop, collector, placed):
    shop.send("GET", "/v1/orders?name=in-a-query")
    status, given, _ = shop.send("GET", f"/v1/orders/{placed['id']}?expand[]=customer")
    read = collector.one("GET /v1/orders/{id}", quartermaster_request_id=given["request-id"])
    check("a path is a template", status == 200 and attributes(read)["http.route"] == "/v1/orders/{id}")
    status = shop.send("GET", "/nothing-here?mail=ada%40example.com")[0]
    lost = collector.one("GET", http_response_status_code=404)
    check("what is nowhere has no route, and is not our error", status == 404 and "http.route" not in attributes(lost)
          and lost.status.code == Status.STATUS_CODE_UNSET)
    status, given, _ = shop.send("POST", f"/v1/orders/{placed['id']}/edit", {"lines": [{"id": "ol_1-1", "quantity": 99999}]})
    edit = collector.one("POST /v1/orders/{id}/edit", quartermaster_request_id=given["request-id"])
    refused = child(collector, edit)
    check("a refusal is an answer with its code", 400 <= status < 500 and "quartermaster.rejection" in attributes(refused)
          and refused.status.code == edit.status.code == Status.STATUS_CODE_UNSET, (status, attributes(refused)))


def callers(shop, collector):
    trace, parent = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    continued = {"traceparent": f"00-{trace}-{parent}-01", "tracestate": "vendor=free-text"}
    given = shop.order(continued)[1]
    span = collector.one("POST /v1/orders", quartermaster_request_id=given["request-id"])
    check("a caller's trace goes on", (span.trace_id.hex(), span.parent_span_id.hex()) == (trace, parent))
    check("down to the command", child(collector, span).trace_id.hex() == trace)
    silent = "1af7651916cd43dd8448eb211c80319c"
    unsampled = shop.order({"traceparent": f"00-{silent}-{parent}-00"})[1]["request-id"]
    after = shop.order({"traceparent": "00-zz-zz-01"})[1]["request-id"]
    fresh = collector.one("POST /v1/orders", quartermaster_request_id=after)
    check("a traceparent that is none begins a trace", fresh.parent_span_id == b"" and fresh.trace_id.hex() != trace)
    seen = [one for one in collector.spans() if one.trace_id.hex() == silent or attributes(one).get("quartermaster.request_id") == unsampled]
    check("a caller who does not sample is heeded", not seen)


def bulk(shop, collector):
    lines = "\n".join(json.dumps({"sku": f"BULK-{n}", "name": "Many"}) for n in range(50))
    status, given, _ = shop.send("POST", "/v1/items/bulk", lines)
    span = collector.one("POST /v1/items/bulk", quartermaster_request_id=given["request-id"])
    check("fifty lines at once are one span", status == 200 and not any(one.parent_span_id == span.span_id for one in collector.spans()))


def screens(shop, collector, placed):
    """The dashboard, by the link that signs in once; what of it must not be told is given back."""
    link = re.search(r"http://\S+/sign-in/(\S+)", "".join(shop.said))
    jar = http.cookiejar.CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    browser.open(link.group(0), timeout=PATIENCE_S).read()
    collector.one("GET /sign-in/{link}")
    page = browser.open(f"{shop.base}/orders/{placed['id']}/hold", timeout=PATIENCE_S).read().decode()
    hidden = dict(re.findall(r'name="(csrf|once)" value="([^"]+)"', page))
    form = urllib.parse.urlencode({**hidden, "reason": "Lovelace moved"}).encode()
    browser.open(f"{shop.base}/orders/{placed['id']}/hold", form, timeout=PATIENCE_S).read()
    act = collector.one("POST /orders/{id}/hold")
    check("a page's action is traced as the API is, with its command", attributes(child(collector, act))["quartermaster.events"] > 0)
    return [link.group(1), hidden["csrf"], *(cookie.value for cookie in jar)]


def stall(shop):
    """A request whose body never comes is given up by the server after its limit of time."""
    host, port = shop.base.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=PATIENCE_S) as connection:
        head = f"POST /v1/items HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {shop.key}\r\ncontent-length: 10\r\n\r\n"
        connection.sendall(head.encode())
        connection.recv(1024)


def sampled_out(shops):
    """the file alone, and a ratio of none"""
    collector = Collector()
    shop = opened(shops, "sampled", f'[traces]\nendpoint = "{collector.url()}/"\nsample_ratio = 0.0\n', OTEL_EXPORTER_OTLP_COMPRESSION="gzip")
    shop.furnish()
    for _ in range(20):
        shop.order()
    trace = "2af7651916cd43dd8448eb211c80319c"
    shop.order({"traceparent": f"00-{trace}-b7ad6b7169203331-01"})
    span = collector.one("POST /v1/orders")
    check("only whoever asked for it is recorded", {one.trace_id.hex() for one in collector.spans()} == {trace} and len(collector.spans()) == 2)
    resource = attributes(collector.batches()[0].resource_spans[0].resource)
    check("it is compressed when a variable says so", {headers.get("content-encoding") for _, headers, _ in collector.requests} == {"gzip"})
    check("without a name the service is quartermaster", resource["service.name"] == "quartermaster")
    check("the server counts what it sent", until("the count", lambda: shop.metric("sent")) == 2)
    shop.stop()


def dead(shops):
    """a collector that is not there"""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shop = opened(shops, "dead", f'[traces]\nendpoint = "http://127.0.0.1:{port}"\n')
    shop.furnish()
    lost, batches = 0, 0
    while batches < 3:
        shop.order()
        refused = shop.metric("refused")
        batches, lost = batches + (refused > lost), refused
    check(f"orders are taken while {batches} batches are lost, and counted ({lost} spans)", True)
    check("that is said once, with why", len(shop.complaints()) == 1 and "refused" in shop.complaints()[0], shop.complaints())
    collector = Collector(port)
    shop.order()
    collector.one("POST /v1/orders")
    until("it is said that it is back", lambda: any("takes traces again" in line for line in shop.log))
    check("a collector that comes back gets what ends from then on", True)
    check("it stops in order", shop.stop() == 0)


def silent(shops):
    """a collector that accepts and never answers"""
    with socket.socket() as trap:
        trap.bind(("127.0.0.1", 0))
        trap.listen(64)
        shop = opened(shops, "silent", f'[traces]\nendpoint = "http://127.0.0.1:{trap.getsockname()[1]}"\ntimeout_s = 5\n')
        shop.furnish()
        until("the first batch is given up", shop.complaints)
        slowest = 0
        for _ in range(50):
            started = time.monotonic()
            shop.order()
            slowest = max(slowest, time.monotonic() - started)
        check("no order waits for it", slowest < 3, f"{slowest:.3f} s")
        threads = [threading.Thread(target=many, args=(shop, 2500)) for _ in range(4)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        check("what finds no room is dropped, and counted", until("spans are dropped", lambda: shop.metric("dropped")) > 0)
        check("why is said, once", len(shop.complaints()) == 1 and "no answer within 5 s" in shop.complaints()[0], shop.complaints())
        shop.stop()
        patient = opened(shops, "patient", f'[traces]\nendpoint = "http://127.0.0.1:{trap.getsockname()[1]}"\ntimeout_s = 100\n')
        patient.furnish()
        time.sleep(2)
        started = time.monotonic()
        check("a server that is told to stop waits for it seconds, not longer", patient.stop() == 0 and time.monotonic() - started < 20)


def many(shop, count):
    connection = http.client.HTTPConnection(shop.base.removeprefix("http://"), timeout=PATIENCE_S)
    for _ in range(count):
        connection.request("GET", "/v1/channels/web", headers={"authorization": f"Bearer {shop.key}"})
        connection.getresponse().read()


def off(shops):
    """nothing is configured, or it is disabled"""
    collector = Collector()
    disabled = {"OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url()}
    for name, env in [("off", {}), ("disabled", disabled)]:
        shop = opened(shops, name, "", **env)
        shop.furnish()
        shop.order({"traceparent": "00-3af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"})
        threads = {open(f"/proc/{shop.child.pid}/task/{task}/comm").read().strip() for task in os.listdir(f"/proc/{shop.child.pid}/task")}
        check(f"{name}: there is not even a thread for it", "mirror" in threads and "traces" not in threads, threads)
        check(f"{name}: and nothing to count", "quartermaster_spans" not in shop.send("GET", "/metrics")[2].decode())
        shop.stop()
    check("nobody was called", not collector.requests)


main()
