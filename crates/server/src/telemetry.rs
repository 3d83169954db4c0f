//! Logs and metrics.

use std::{fmt, io::IsTerminal};

use axum::{Router, routing::get};
use http::{HeaderValue, header::CONTENT_TYPE};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tokenry_store::StoreError;
use tracing::{Event, Subscriber};
use tracing_subscriber::{
    EnvFilter,
    filter::ParseError,
    fmt::{
        FmtContext, FormatEvent, FormatFields,
        format::{Format, Json, JsonFields, Writer},
    },
    registry::LookupSpan,
};

use crate::{
    config::{Log, LogFormat},
    request_context::{self, AsJson},
};

/// Bounds of the latency histogram in seconds.
const BUCKETS: [f64; 11] =
    [0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.05, 0.25, 1.0, 5.0];

/// Starts the log on standard error: text on a terminal, JSON otherwise. Both escape control
/// characters. Does nothing when a log is there already.
///
/// A line that cannot be written is lost and nothing else: told by default to standard error once
/// more, its failure would be a panic in whatever thread wrote it, the store's among them.
pub fn start_log(settings: &Log) -> Result<(), ParseError> {
    let filter = EnvFilter::try_new(&settings.filter)?;
    let is_terminal = std::io::stderr().is_terminal();
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .log_internal_errors(false);
    let as_text = match settings.format {
        LogFormat::Auto => is_terminal,
        LogFormat::Text => true,
        LogFormat::Json => false,
    };
    let _ = if as_text {
        let line = Format::default().with_ansi(is_terminal);
        builder.with_ansi(is_terminal).event_format(OfRequest::Text(line)).try_init()
    } else {
        let line = Format::default().json().flatten_event(true);
        let line = OfRequest::Json(line.with_current_span(false).with_span_list(false));
        builder.fmt_fields(JsonFields::new()).event_format(line).try_init()
    };
    Ok(())
}

/// Lines that say at their end for which request they were written.
enum OfRequest {
    Text(Format),
    Json(Format<Json>),
}

impl<S, N> FormatEvent<S, N> for OfRequest
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
    N: for<'writer> FormatFields<'writer> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = String::new();
        match self {
            Self::Text(format) => format.format_event(context, Writer::new(&mut line), event),
            Self::Json(format) => format.format_event(context, Writer::new(&mut line), event),
        }?;
        let line = line.trim_end();
        let ended = request_context::look(|request| match self {
            Self::Text(_) => writeln!(writer, "{line} {request}"),
            Self::Json(_) => match line.strip_suffix('}') {
                Some(open) => writeln!(writer, r#"{open},"request":{}}}"#, AsJson(request)),
                None => writeln!(writer, "{line}"),
            },
        });
        ended.unwrap_or_else(|| writeln!(writer, "{line}"))
    }
}

/// A store that fails is always told in the log; a client learns only that it should come back.
pub fn log_store_error(error: &StoreError) {
    if matches!(error, StoreError::Unavailable(_)) {
        tracing::warn!(%error, "the store was needed and is away");
    } else {
        tracing::error!(%error, "the store was needed and failed");
    }
}

/// Starts counting. What is counted before this is lost.
pub fn start_metrics() -> Result<PrometheusHandle, BuildError> {
    let suffix = Matcher::Suffix("_seconds".to_owned());
    let builder = PrometheusBuilder::new().set_buckets_for_metric(suffix, &BUCKETS)?;
    let handle = builder.install_recorder()?;
    metrics::gauge!("tokenry_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    Ok(handle)
}

/// `GET /metrics`, for a listener of its own. `sample` sets what is looked up instead of counted.
pub fn metrics_router(
    handle: PrometheusHandle,
    sample: impl Fn() + Clone + Send + Sync + 'static,
) -> Router {
    const TEXT: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    let render = move || {
        sample();
        handle.run_upkeep();
        let text = handle.render();
        async move { ([(CONTENT_TYPE, TEXT)], text) }
    };
    Router::new().route("/metrics", get(render))
}
