//! The log layer: one JSON object per event, with the fields of its spans, masked as a whole.
//!
//! Own layer rather than the stock JSON format because masking must see every value before it is quoted: replacing inside a
//! finished JSON line could cut an escape in two.

use std::fmt;
use std::io::Write as _;

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use crate::catalogue;
use crate::redact::redact;

/// Field names whose value is masked without looking at it.
const SECRET_FIELDS: [&str; 8] = [
    "authorization",
    "password",
    "secret",
    "token",
    "access_token",
    "client_secret",
    "email",
    "e_mail",
];

/// Longest string of one field, in bytes: a provider's page must not become a log line.
const VALUE_BYTES_MAX: usize = 8 * 1024;

/// A layer that writes each event as one line to `W`.
///
/// Keys of a line: `timestamp` (RFC 3339, UTC), `level`, `service`, `target`, `message`, then the fields of the enclosing spans from
/// outermost to innermost, then those of the event; an inner value replaces an outer one of the same name.
pub(crate) struct JsonLines<W> {
    service: &'static str,
    writer: W,
}

impl<W> JsonLines<W> {
    pub(crate) fn new(service: &'static str, writer: W) -> Self {
        Self { service, writer }
    }
}

/// The fields of one span, kept with the span.
struct SpanFields(Map<String, Value>);

impl<S, W> Layer<S> for JsonLines<W>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    W: for<'writer> MakeWriter<'writer> + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(SpanFields(fields.0));
        }
    }

    fn on_record(&self, id: &Id, record: &Record<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        record.record(&mut fields);
        if let Some(span) = context.span(id)
            && let Some(kept) = span.extensions_mut().get_mut::<SpanFields>()
        {
            kept.0.extend(fields.0);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut line = self.heading(event);
        for span in context
            .event_scope(event)
            .into_iter()
            .flat_map(|scope| scope.from_root())
        {
            if let Some(kept) = span.extensions().get::<SpanFields>() {
                line.extend(kept.0.clone());
            }
        }
        let mut fields = Fields::default();
        event.record(&mut fields);
        line.extend(from_log_crate(fields.0));
        if mask(&mut line) {
            metrics::counter!(catalogue::LOG_REDACTIONS.name).increment(1);
        }
        let mut text = Value::Object(line).to_string();
        text.push('\n');
        // Nobody is left to be told when standard output is gone; the service goes on.
        let _ = self
            .writer
            .make_writer_for(event.metadata())
            .write_all(text.as_bytes());
    }
}

impl<W> JsonLines<W> {
    fn heading(&self, event: &Event<'_>) -> Map<String, Value> {
        let mut timestamp = String::new();
        // Formatting into a String cannot fail.
        let _ = SystemTime.format_time(&mut Writer::new(&mut timestamp));
        let metadata = event.metadata();
        let mut line = Map::new();
        line.insert("timestamp".to_owned(), timestamp.into());
        line.insert("level".to_owned(), metadata.level().as_str().into());
        line.insert("service".to_owned(), self.service.into());
        line.insert("target".to_owned(), metadata.target().into());
        line
    }
}

/// Crates that log through `log` bring their target and place as fields: keep the target, drop the place.
fn from_log_crate(mut fields: Map<String, Value>) -> Map<String, Value> {
    if let Some(target) = fields.remove("log.target") {
        fields.insert("target".to_owned(), target);
        fields.retain(|name, _| !name.starts_with("log."));
    }
    fields
}

/// Masks every string in `line` and says whether it had to.
fn mask(line: &mut Map<String, Value>) -> bool {
    let mut masked = false;
    for (name, value) in line.iter_mut() {
        let Value::String(text) = value else { continue };
        if SECRET_FIELDS.contains(&name.as_str()) {
            *value = "[masked]".into();
            masked = true;
        } else if let std::borrow::Cow::Owned(clean) = redact(text) {
            *value = clean.into();
            masked = true;
        }
    }
    masked
}

/// Collects fields as JSON values; strings are cut at [`VALUE_BYTES_MAX`].
#[derive(Default)]
struct Fields(Map<String, Value>);

impl Fields {
    fn put(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn put_text(&mut self, field: &Field, mut text: String) {
        if text.len() > VALUE_BYTES_MAX {
            text.truncate(text.floor_char_boundary(VALUE_BYTES_MAX));
            text.push_str("…[cut]");
        }
        self.put(field, text);
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put_text(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put_text(field, value.to_owned());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        let mut chain = value.to_string();
        let mut source = value.source();
        while let Some(error) = source {
            chain.push_str(": ");
            chain.push_str(&error.to_string());
            source = error.source();
        }
        self.put_text(field, chain);
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;
    use crate::Metrics;

    #[derive(Clone, Default)]
    struct Captured(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Captured {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// The lines written while `work` runs, parsed, and their raw text.
    fn lines_of(work: impl FnOnce()) -> (Vec<Value>, String) {
        let captured = Captured::default();
        let writer = captured.clone();
        let subscriber = tracing_subscriber::registry()
            .with(JsonLines::new("sever-test", move || writer.clone()));
        tracing::subscriber::with_default(subscriber, work);
        let text = String::from_utf8(captured.0.lock().unwrap().clone()).unwrap();
        (
            text.lines()
                .map(|line| serde_json::from_str(line).unwrap())
                .collect(),
            text,
        )
    }

    #[test]
    fn a_line_has_time_level_service_message_and_flattened_fields_of_event_and_spans() {
        let (lines, _) = lines_of(|| {
            let span = tracing::info_span!(
                "job",
                job_id = "j1",
                attempt = 1_u64,
                provider = tracing::field::Empty
            );
            span.record("provider", "okta");
            span.in_scope(|| tracing::warn!(attempt = 2_u64, done = false, "the lease expired"));
        });
        let line = &lines[0];
        assert_eq!(line["service"], "sever-test");
        assert_eq!(line["level"], "WARN");
        assert_eq!(line["message"], "the lease expired");
        assert_eq!(
            (&line["job_id"], &line["provider"]),
            (&"j1".into(), &"okta".into())
        );
        assert_eq!(
            (&line["attempt"], &line["done"]),
            (&2.into(), &false.into()),
            "the inner value wins"
        );
        assert!(line["timestamp"].as_str().unwrap().ends_with('Z'), "{line}");
    }

    #[test]
    fn no_address_and_no_token_reaches_the_final_line_and_masked_lines_are_counted() {
        let metrics = Metrics::install();
        let before = counted(&metrics);
        let (lines, text) = lines_of(|| {
            let span = tracing::info_span!("intake", login = "span.person@corp.example");
            span.in_scope(|| {
                tracing::error!(header = "Bearer abcdefghijklmnop123456", body = ?"first\njane@corp.example", "for bob@corp.example");
                tracing::info!(key = "SSWS 00abcdefghijklmnopqrstuv", token = "short", "one more");
            });
            tracing::info!("nothing to hide");
        });
        assert_eq!(lines.len(), 3);
        for leak in ["@corp.example", "abcdefghijklmnop", "short"] {
            assert!(!text.contains(leak), "{leak} in {text}");
        }
        assert_eq!(lines[0]["message"], "for [masked]");
        assert_eq!(lines[0]["header"], "Bearer [masked]");
        assert!(
            counted(&metrics) >= before + 2.0,
            "two of the three lines were masked"
        );
    }

    fn counted(metrics: &Metrics) -> f64 {
        let page = metrics.render();
        let line = page
            .lines()
            .find_map(|line| line.strip_prefix("sever_log_redactions_total "));
        line.map_or(0.0, |value| value.parse().unwrap())
    }

    #[test]
    fn an_error_is_logged_with_its_causes_and_a_huge_value_is_cut() {
        #[derive(Debug, thiserror::Error)]
        #[error("reading the page")]
        struct Outer(#[source] io::Error);
        let error = Outer(io::Error::other("connection reset"));
        let (lines, _) = lines_of(|| {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                body = "é".repeat(10_000),
                "the call failed"
            );
        });
        assert_eq!(lines[0]["error"], "reading the page: connection reset");
        let body = lines[0]["body"].as_str().unwrap();
        assert!(
            body.len() <= VALUE_BYTES_MAX + 16 && body.ends_with("[cut]"),
            "{}",
            body.len()
        );
    }
}
