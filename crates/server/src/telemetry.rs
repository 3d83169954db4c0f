//! Logs and metrics.

use std::io::IsTerminal;

use axum::{Router, routing::get};
use http::{HeaderValue, header::CONTENT_TYPE};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::{EnvFilter, filter::ParseError};

use crate::{
    config::{Log, LogFormat},
    respond,
};

/// Bounds of the latency histogram in seconds.
const BUCKETS: [f64; 11] =
    [0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.05, 0.25, 1.0, 5.0];

/// Starts the log on standard error: text on a terminal, JSON otherwise. Both escape control
/// characters. Does nothing when a log is there already.
pub fn start_log(settings: &Log) -> Result<(), ParseError> {
    let filter = EnvFilter::try_new(&settings.filter)?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let as_text = match settings.format {
        LogFormat::Auto => std::io::stderr().is_terminal(),
        LogFormat::Text => true,
        LogFormat::Json => false,
    };
    let _ = if as_text {
        builder.with_ansi(std::io::stderr().is_terminal()).try_init()
    } else {
        builder.json().flatten_event(true).with_current_span(true).try_init()
    };
    Ok(())
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
        async move {
            respond::with(axum::response::IntoResponse::into_response(text), CONTENT_TYPE, TEXT)
        }
    };
    Router::new().route("/metrics", get(render))
}
