//! Libraries in the browser that read `{{ }}` in the text of a page: no escaper makes a value harmless to them.

use super::walk::Walk;
use crate::problem::Spot;

impl Walk<'_, '_> {
    /// Notes an attribute by which Vue or Angular takes a part of the page for a template. A guess by the text: it
    /// decides about a warning only. Alpine reads attributes alone, and those are escaped as code.
    pub(super) fn look_for_client_template(&mut self, raw: &str) {
        if raw.contains("v-pre") || raw.contains("ng-non-bindable") {
            self.client_template = None;
            return;
        }
        let mut tag = false;
        for piece in raw.split_inclusive(['<', '>', ' ', '\t', '\n']) {
            let name = piece.trim_end_matches(['<', '>', ' ', '\t', '\n']);
            let name = name.split('=').next().unwrap_or(name);
            if tag && (name.starts_with("v-") || name.starts_with("ng-")) && name.len() > 3 {
                self.client_template = Some(name.to_owned());
            }
            tag = match piece.chars().last() {
                Some('<') => true,
                Some('>') => false,
                _ => tag,
            };
        }
    }

    /// Warns once of the first value in text behind such an attribute.
    pub(super) fn warn_of_client_template(&mut self, spot: Spot<'_>) {
        if let Some(name) = self.client_template.take() {
            let message = format!(
                "the library that reads `{name}` may read this value as a template of its own; put v-pre or \
                 ng-non-bindable around it"
            );
            self.warn(spot, "client-template", message);
        }
    }
}
