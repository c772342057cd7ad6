//! What a template pass may want to write into a tag: a nonce, a CSRF field, an `integrity`.

/// Something that ended at `offset` of the text given to [`Context::advance`](crate::Context::advance).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Where to insert: for [`EventKind::Form`] right behind the tag, for the other tags right before its end
    /// (so that an attribute with a space before it may be inserted), for a handler where its value begins.
    pub offset: usize,
    /// What it is.
    pub kind: EventKind,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventKind {
    /// The open tag of a `<script>` or `<style>`.
    Code {
        /// Which of the two.
        element: CodeElement,
        /// Whether every branch of the tag has a `nonce` already.
        nonce: bool,
    },
    /// The open tag of a `<form>`.
    Form {
        /// Its method.
        method: Method,
        /// Where it goes.
        action: Written,
    },
    /// A button or input that sends its form elsewhere or in another way.
    Button {
        /// Its `formmethod`, if it has one.
        method: Option<Method>,
        /// Its `formaction`.
        action: Written,
    },
    /// A script or style sheet that is loaded from elsewhere.
    Asset {
        /// What is loaded.
        element: AssetElement,
        /// From where.
        address: Written,
        /// Whether every branch of the tag has an `integrity` already.
        integrity: bool,
        /// Whether every branch of the tag has a `nonce` already.
        nonce: bool,
    },
    /// A link or form that opens a new window (`target="_blank"`, or a target that is not known).
    NewWindow {
        /// Its `rel`.
        rel: Written,
    },
    /// A `<link>` whose address began with a value before a harmless `rel` (`icon`, `canonical`) was known. The value was
    /// escaped as the address of code: text that nobody trusts becomes `about:invalid`.
    LateRel,
    /// An inline handler, which a strict content security policy does not run.
    Handler {
        /// The name of the attribute.
        attribute: String,
    },
}

/// An element whose content is code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeElement {
    /// `<script>`
    Script,
    /// `<style>`
    Style,
}

/// What an element loads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AssetElement {
    /// `<script src>`
    Script,
    /// `<link rel="stylesheet">`
    Stylesheet,
    /// `<link rel="preload">` or `modulepreload`
    Preload,
}

/// The method of a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// `get`, also when the attribute is missing or is none of the three.
    Get,
    /// `post`
    Post,
    /// `dialog`
    Dialog,
    /// Branches of the template disagree.
    Dynamic,
}

/// How much of an attribute the template itself says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Written {
    /// The attribute is not there.
    #[default]
    Missing,
    /// All of it, character references decoded.
    Static(String),
    /// Its beginning; a value, or a branch, decides the rest.
    Dynamic {
        /// What stands before the first value; empty if branches disagree.
        prefix: String,
    },
}

/// Where events go, and where the machine stands in the text.
pub(crate) struct Sink<'a> {
    pub(crate) events: &'a mut Vec<Event>,
    pub(crate) text: &'a str,
    pub(crate) offset: usize,
}

impl Sink<'_> {
    /// Reports a tag that ends here; `slash` if a `/` stands before the `>`.
    pub(crate) fn tag(&mut self, slash: bool, kind: EventKind) {
        let before = &self.text[..self.offset];
        let offset = if slash && before.ends_with('/') { self.offset - 1 } else { self.offset };
        self.events.push(Event { offset, kind });
    }

    pub(crate) fn behind(&mut self, kind: EventKind) {
        self.events.push(Event { offset: self.offset + 1, kind });
    }

    pub(crate) fn here(&mut self, kind: EventKind) {
        self.events.push(Event { offset: self.offset, kind });
    }
}
