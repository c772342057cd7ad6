//! The log: one readable line an event in development, one JSON object a line in production.

use std::fmt;

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::FmtContext;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::registry::LookupSpan;

use crate::config::{Config, ConfigError, ErrorKind, LogFormat};

/// Installs the log for the process; where one is installed already, that one stays.
///
/// # Errors
///
/// The filter of `log.level` cannot be read.
pub(crate) fn install(config: &Config, development: bool) -> Result<(), ConfigError> {
    let filter = EnvFilter::try_new(&config.log.level).map_err(|error| {
        let message = format!("log.level \"{}\" is not a filter: {error}", config.log.level);
        ConfigError::new(ErrorKind::Value, message)
    })?;
    let json = match config.log.format {
        LogFormat::Auto => !development,
        LogFormat::Json => true,
        LogFormat::Text => false,
    };
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let installed = if json {
        builder.json().flatten_event(true).with_span_list(false).try_init()
    } else {
        builder.event_format(Line).try_init()
    };
    // A test or an application may have its own subscriber.
    drop(installed);
    Ok(())
}

/// One event as a person reads it: the time, the level where it is not `INFO`, the message, the rest.
///
/// # Security
///
/// Values are printed with control characters escaped: what a stranger sends cannot begin a line of its own
/// or move the cursor.
struct Line;

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut fields = Fields::default();
        event.record(&mut fields);
        tracing_subscriber::fmt::time::FormatTime::format_time(&Clock, &mut writer)?;
        match *event.metadata().level() {
            Level::ERROR => writer.write_str(" error")?,
            Level::WARN => writer.write_str(" warning")?,
            Level::DEBUG | Level::TRACE => write!(writer, " {}", event.metadata().target())?,
            _ => {}
        }
        // The message of a request says all that a person wants to know; its fields are for the JSON form.
        let rest = if event.metadata().target() == "haechi::request" { "" } else { &fields.rest };
        writeln!(writer, " {}{rest}", fields.message)
    }
}

/// The time of day, UTC.
struct Clock;

impl tracing_subscriber::fmt::time::FormatTime for Clock {
    fn format_time(&self, writer: &mut Writer<'_>) -> fmt::Result {
        let now = haechi_core::Clock::unix(&haechi_core::SystemClock);
        let day = now.rem_euclid(86_400);
        write!(writer, "{:02}:{:02}:{:02}", day / 3_600, day / 60 % 60, day % 60)
    }
}

#[derive(Default)]
struct Fields {
    message: String,
    rest: String,
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, &value.escape_debug());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(
            field,
            &format!("{value:?}").escape_debug().to_string().replace("\\\"", "\"").replace("\\'", "'"),
        );
    }
}

impl Fields {
    fn add(&mut self, field: &Field, value: &dyn fmt::Display) {
        if field.name() == "message" {
            self.message = value.to_string();
        } else {
            self.rest.push_str(&format!(" {}={value}", field.name()));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// asvs_16_4_1: one line, whatever it holds.
    #[test]
    fn what_a_stranger_sends_stays_on_its_line() {
        let kept = Kept::default();
        let writer = kept.clone();
        let subscriber =
            tracing_subscriber::fmt().event_format(Line).with_writer(move || writer.clone()).finish();
        tracing::subscriber::with_default(subscriber, || {
            let path = "/x\r\n23:59:59 signed in user=admin\u{1b}[2J";
            tracing::info!(path, shown = %path, "request");
        });
        let text = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.matches('\n').count(), 1, "{text}");
        assert!(!text.contains(['\r', '\u{1b}']), "{text}");
        assert!(text.contains("request path=/x\\r\\n23:59:59"), "{text}");
    }
}
