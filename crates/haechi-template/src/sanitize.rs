//! Rich text from outsiders, by ammonia (feature `sanitize`).

use crate::trusted::Html;

/// Keeps harmless markup of a comment or an article: no scripts, no styles, no forms, no `javascript:`; links get
/// `rel="noopener noreferrer"`.
///
/// ```
/// let bio = haechi_template::sanitize("<b>Hi</b><script>alert(1)</script>");
/// assert_eq!(bio.as_str(), "<b>Hi</b>");
/// ```
pub fn sanitize(markup: &str) -> Html {
    Html::new(ammonia::clean(markup))
}
