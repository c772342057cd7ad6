//! What has been said in a tag so far that decides about the rest of it, or that an event reports.

use crate::event::{Method, Written};

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Facts {
    pub(crate) nonce: bool,
    pub(crate) integrity: bool,
    /// `<meta>`: `content` held a value before `http-equiv` was seen.
    pub(crate) dynamic_content: bool,
    /// `<link>`: `href` began with a value before `rel` was seen.
    pub(crate) early_address: bool,
    /// In the order of [`Fact`], so that two tags that say the same are equal.
    said: Vec<(Fact, Written)>,
}

/// The attributes whose text is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Fact {
    Type,
    Rel,
    HttpEquiv,
    Method,
    Action,
    Source,
    Target,
    FormMethod,
    FormAction,
}

impl Facts {
    /// Keeps what an attribute says; of two attributes with one name the browser takes the first.
    pub(crate) fn record(&mut self, fact: Fact, written: Written) {
        if let Err(place) = self.said.binary_search_by_key(&fact, |(fact, _)| *fact) {
            self.said.insert(place, (fact, written));
        }
    }

    pub(crate) fn said(&self, fact: Fact) -> &Written {
        match self.said.binary_search_by_key(&fact, |(fact, _)| *fact) {
            Ok(place) => &self.said[place].1,
            Err(_) => &Written::Missing,
        }
    }

    pub(crate) fn method(&self, fact: Fact) -> Option<Method> {
        Some(match self.said(fact) {
            Written::Missing => return None,
            Written::Dynamic { .. } => Method::Dynamic,
            Written::Static(method) => match method.to_ascii_lowercase().as_str() {
                "post" => Method::Post,
                "dialog" => Method::Dialog,
                _ => Method::Get,
            },
        })
    }

    pub(crate) fn join(mut self, other: &Self) -> Self {
        self.nonce &= other.nonce;
        self.integrity &= other.integrity;
        self.dynamic_content |= other.dynamic_content;
        self.early_address |= other.early_address;
        let unknown = Written::Dynamic { prefix: String::new() };
        for (fact, written) in &mut self.said {
            if other.said(*fact) != written {
                written.clone_from(&unknown);
            }
        }
        for (fact, _) in &other.said {
            self.record(*fact, unknown.clone());
        }
        self
    }
}

impl Facts {
    /// After a block that may be overridden: whatever the element's facts decide is not known any more.
    pub(crate) fn forget(&mut self, element: crate::element::Element) {
        self.nonce = false;
        self.integrity = false;
        for name in [
            "type",
            "src",
            "href",
            "rel",
            "http-equiv",
            "method",
            "action",
            "target",
            "formmethod",
            "formaction",
        ] {
            let Some(fact) = crate::attributes::fact(element, name) else { continue };
            let unknown = Written::Dynamic { prefix: String::new() };
            match self.said.binary_search_by_key(&fact, |(fact, _)| *fact) {
                Ok(_) => {}
                Err(place) => self.said.insert(place, (fact, unknown)),
            }
        }
    }
}
