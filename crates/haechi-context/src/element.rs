//! The elements that some rule knows by name.

macro_rules! elements {
    ($($variant:ident $name:literal),* $(,)?) => {
        /// An element that a rule knows; all others are alike.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub(crate) enum Element { Other, $($variant),* }

        impl Element {
            pub(crate) fn named(name: &str) -> Self {
                match name { $($name => Self::$variant,)* _ => Self::Other }
            }

            pub(crate) fn name(self) -> &'static str {
                match self { Self::Other => "", $(Self::$variant => $name),* }
            }
        }
    };
}

elements! {
    A "a", Animate "animate", AnimateMotion "animatemotion", AnimateTransform "animatetransform", Applet "applet",
    Area "area", Audio "audio", Base "base", Button "button", Embed "embed", FeImage "feimage", Form "form",
    Frame "frame", Iframe "iframe", Image "image", Img "img", Input "input", Link "link", Math "math", Meta "meta",
    Noembed "noembed", Noframes "noframes", Noscript "noscript", Object "object", Plaintext "plaintext", Script "script", Set "set",
    Source "source", Style "style", Svg "svg", Textarea "textarea", Title "title", Track "track", Use "use",
    Video "video", Xmp "xmp",
}

impl Element {
    /// Whether attributes decide what code or document the element loads, so that none may come from a value.
    pub(crate) fn refuses_spread(self) -> bool {
        use Element::{
            Animate, AnimateMotion, AnimateTransform, Applet, Base, Embed, FeImage, Frame, Iframe, Link,
            Meta, Object, Script, Set, Style, Use,
        };
        matches!(
            self,
            Animate
                | AnimateMotion
                | AnimateTransform
                | Applet
                | Base
                | Embed
                | FeImage
                | Frame
                | Iframe
                | Link
                | Meta
                | Object
                | Script
                | Set
                | Style
                | Use
        )
    }

    pub(crate) fn is_animation(self) -> bool {
        matches!(self, Self::Animate | Self::AnimateMotion | Self::AnimateTransform | Self::Set)
    }

    pub(crate) fn is_media(self) -> bool {
        use Element::{Audio, Image, Img, Input, Source, Track, Video};
        matches!(self, Audio | Image | Img | Input | Source | Track | Video)
    }

    /// Whether HTML reads the content as text up to the end tag.
    pub(crate) fn is_raw(self) -> bool {
        use Element::{Iframe, Noembed, Noframes, Plaintext, Script, Style, Textarea, Title, Xmp};
        matches!(self, Iframe | Noembed | Noframes | Plaintext | Script | Style | Textarea | Title | Xmp)
    }
}
