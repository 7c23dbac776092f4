//! Traces: what a request waited for, and what was done outside because of orders, as OpenTelemetry tells it. Off unless a collector is
//! configured, and then none of this exists.
//!
//! A span ends without waiting for anybody: it enters a bounded queue, from which a thread of its own sends ([`queue`]). No span holds
//! anything personal: routes instead of paths, ids instead of names, codes instead of messages.

mod around;
mod collector;
mod queue;

pub use around::around;

use axum::http::{HeaderMap, Method};
use engine::Reply;
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::{SpanBuilder, SpanKind, Status, TraceContextExt, TracerProvider};
use opentelemetry::{Context, InstrumentationScope, KeyValue, Value};
use opentelemetry_otlp::{Protocol, RetryPolicy, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider, SpanExporter as _};
use std::sync::Arc;
use std::time::Duration;

const TRACEPARENT: &str = "traceparent";

/// Where spans go, and how many.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// The whole address to post to, path included.
    pub endpoint: String,
    pub service_name: String,
    /// Of traces that begin here: 0 records none, 1 all. Whoever sends a `traceparent` has decided already.
    pub sample_ratio: f64,
    /// For one batch, from connecting to the answer.
    pub timeout: Duration,
}

#[derive(Debug, thiserror::Error)]
#[error("traces can't be set up: {0}")]
pub struct Error(String);

/// Makes spans, and sends them.
pub struct Traces {
    tracer: SdkTracer,
    sending: queue::Sending,
}

/// A span under way; it ends when its last copy is dropped.
#[derive(Clone)]
pub struct Span {
    traces: Arc<Traces>,
    context: Context,
}

impl Traces {
    /// # Errors
    /// When the address or a standard variable makes no sense, or there can be no further thread.
    pub fn start(options: &Options) -> Result<Arc<Self>, Error> {
        let resource = Resource::builder()
            .with_service_name(options.service_name.clone())
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .build();
        let client = collector::Client::new(&options.endpoint, options.timeout)
            .ok_or_else(|| Error(format!("{} can't be called", options.endpoint)))?;
        let (authority, problem) = (client.authority(), client.problem());
        // Whoever has no answer is asked again with the next batch; the library would sleep on the thread.
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(client)
            .with_retry_policy(RetryPolicy::disabled())
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(options.endpoint.clone())
            .with_timeout(options.timeout)
            .build();
        let mut exporter = exporter.map_err(|error| Error(error.to_string()))?;
        exporter.set_resource(&resource);
        let (queue, waiting) = queue::queue(queue::WAITING_MAX);
        let dropped = queue.dropped();
        let provider = SdkTracerProvider::builder()
            .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(options.sample_ratio))))
            .with_resource(resource)
            .with_span_processor(queue)
            .build();
        let scope = InstrumentationScope::builder("quartermaster").with_version(env!("CARGO_PKG_VERSION")).build();
        let collector = queue::Collector { exporter, authority, problem, dropped };
        let sending = queue::send(waiting, collector).map_err(|error| Error(error.to_string()))?;
        Ok(Arc::new(Self { tracer: provider.tracer_with_scope(scope), sending }))
    }

    /// The span of a request, within the trace of whoever sends a `traceparent`. `route` is the template; `None` when there is no such
    /// route.
    pub fn request(self: &Arc<Self>, method: &Method, route: Option<&str>, headers: &HeaderMap) -> Span {
        let caller = TraceContextPropagator::new().extract_with_context(&Context::new(), &Parent(headers));
        let method = known(method);
        let named = method.unwrap_or("HTTP");
        let name = route.map_or_else(|| named.to_owned(), |route| format!("{named} {route}"));
        let mut attributes = vec![KeyValue::new("http.request.method", method.unwrap_or("_OTHER"))];
        attributes.extend(route.map(|route| KeyValue::new("http.route", route.to_owned())));
        self.span(SpanBuilder::from_name(name).with_kind(SpanKind::Server).with_attributes(attributes), &caller)
    }

    /// The span of something that is done outside of the shop. It begins a trace: the request that led to it is over, or long ago.
    pub fn outside(self: &Arc<Self>, name: &'static str, attributes: impl IntoIterator<Item = (&'static str, String)>) -> Span {
        let attributes = attributes.into_iter().map(|(key, value)| KeyValue::new(key, value));
        self.span(SpanBuilder::from_name(name).with_kind(SpanKind::Client).with_attributes(attributes), &Context::new())
    }

    fn span(self: &Arc<Self>, builder: SpanBuilder, parent: &Context) -> Span {
        let context = parent.with_span(builder.start_with_context(&self.tracer, parent));
        Span { traces: self.clone(), context }
    }

    /// Sends what has ended, for a few seconds at most; what ends later is not sent.
    pub async fn stop(&self) {
        self.sending.stop().await;
    }
}

impl Span {
    /// The span of a command, from its submission to its durable answer. `None` when the trace is not recorded.
    pub fn command(&self) -> Option<Self> {
        let recorded = self.context.span().is_recording();
        recorded.then(|| self.traces.span(SpanBuilder::from_name("command").with_kind(SpanKind::Internal), &self.context))
    }

    /// What became of the command.
    pub fn replied(&self, reply: &Reply) {
        match reply {
            Reply::Done { committed, repeated, .. } => {
                self.note("quartermaster.sequence", number(committed.first_seq));
                self.note("quartermaster.events", number(committed.events.len() as u64));
                self.note("quartermaster.repeated", *repeated);
            }
            // A refusal is an answer, not an error.
            Reply::Refused { rejection, .. } => self.note("quartermaster.rejection", rejection.code()),
            Reply::KeyReused => self.note("quartermaster.rejection", "key_reused"),
            Reply::OutcomeUnknown => self.fail("outcome_unknown"),
            Reply::NoSpace => self.fail("no_space"),
        }
    }

    /// Nothing personal: ids, codes, counts.
    pub fn note(&self, key: &'static str, value: impl Into<Value>) {
        self.context.span().set_attribute(KeyValue::new(key, value));
    }

    /// It went wrong; `kind` is one of few words.
    pub fn fail(&self, kind: impl Into<Value>) {
        self.note("error.type", kind);
        self.context.span().set_status(Status::error(""));
    }

    /// As W3C Trace Context has it, for the other side.
    pub fn traceparent(&self) -> String {
        let span = self.context.span();
        let context = span.span_context();
        format!("00-{}-{}-{:02x}", context.trace_id(), context.span_id(), context.trace_flags().to_u8())
    }
}

fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// Others are what anybody may make up; each would be a name of its own.
fn known(method: &Method) -> Option<&'static str> {
    let known = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
    known.into_iter().find(|known| method.as_str() == *known)
}

/// What is taken over from a caller. Their `tracestate` is free text, so it is left out.
struct Parent<'a>(&'a HeaderMap);

impl Extractor for Parent<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        let value = (key == TRACEPARENT).then(|| self.0.get(TRACEPARENT)).flatten();
        value.and_then(|value| value.to_str().ok())
    }

    fn keys(&self) -> Vec<&str> {
        vec![TRACEPARENT]
    }
}
