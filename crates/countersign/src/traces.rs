//! Traces: spans of requests and decisions, sent to a collector over OTLP (protobuf over HTTP). In builds with the
//! feature `otel`, and only where a collector is named by OpenTelemetry's own variables.
//!
//! A span names a route, an answer and a request id; never a user, an address or what was sent (SEC 48).

use std::sync::OnceLock;
use std::time::Duration;

use axum::http::HeaderMap;
use opentelemetry::propagation::{Extractor, TextMapPropagator as _};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use reqwest::blocking::Client;
use reqwest::redirect::Policy;
use tracing::{Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::Layer;
use tracing_subscriber::registry::LookupSpan;

/// The service's name, unless `OTEL_SERVICE_NAME` gives another.
const SERVICE: &str = "countersign";

/// The only header of a caller's trace that is read.
const TRACEPARENT: &str = "traceparent";

static PROVIDER: OnceLock<SdkTracerProvider> = OnceLock::new();

/// Sends spans to a collector, if one is named. Fails if its settings are invalid.
pub(crate) fn layer<S>() -> anyhow::Result<Option<impl Layer<S>>>
where
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    if !crate::log::collector::is_named() {
        return Ok(None);
    }
    let exporter =
        SpanExporter::builder().with_http().with_http_client(client()?).with_protocol(Protocol::HttpBinary).build()?;
    let resource = Resource::builder();
    let resource =
        if std::env::var_os("OTEL_SERVICE_NAME").is_some() { resource } else { resource.with_service_name(SERVICE) };
    let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource.build()).build();
    let tracer: SdkTracer = provider.tracer(SERVICE);
    drop(PROVIDER.set(provider));
    let spans = Targets::new().with_target(engine::TRACES, LevelFilter::TRACE);
    let layer = tracing_opentelemetry::layer()
        .with_tracer(tracer)
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false);
    Ok(Some(layer.with_filter(spans)))
}

/// The client that sends spans: directly to the collector, without proxies and redirects.
fn client() -> anyhow::Result<Client> {
    let builder = || Client::builder().timeout(timeout()).no_proxy().redirect(Policy::none()).build();
    // The blocking client starts a runtime, which cannot be started inside another.
    let made =
        std::thread::spawn(builder).join().map_err(|_| anyhow::anyhow!("the client of the collector panicked"))?;
    Ok(made?)
}

/// How long the collector may take, by OpenTelemetry's variables.
fn timeout() -> Duration {
    let named = |variable: &str| std::env::var(variable).ok()?.parse().ok();
    let millis = named("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT").or_else(|| named("OTEL_EXPORTER_OTLP_TIMEOUT"));
    millis.map_or(opentelemetry_otlp::OTEL_EXPORTER_OTLP_TIMEOUT_DEFAULT, Duration::from_millis)
}

/// Makes a request's span part of the caller's trace, if the caller names one (W3C Trace Context). `tracestate` is a
/// caller's free text, and not sent on.
pub(crate) fn follow(span: &Span, headers: &HeaderMap) {
    if headers.contains_key(TRACEPARENT) {
        // This fails only for a span that is not collected.
        let _ = span.set_parent(TraceContextPropagator::new().extract(&Carrier(headers)));
    }
}

/// Sends the remaining spans. Call it before the process ends.
pub(crate) fn stop() {
    if let Some(provider) = PROVIDER.get() {
        // The collector is unreachable; the log has said so before.
        let _ = provider.shutdown();
    }
}

struct Carrier<'h>(&'h HeaderMap);

impl Extractor for Carrier<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        let is_passed = key.eq_ignore_ascii_case(TRACEPARENT);
        self.0.get(key).filter(|_| is_passed).and_then(|value| value.to_str().ok())
    }

    fn keys(&self) -> Vec<&str> {
        vec![TRACEPARENT]
    }
}
