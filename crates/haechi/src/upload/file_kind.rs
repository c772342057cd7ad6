//! The kinds of file that can be told by their content.

/// A kind of file that can be told by its first bytes, and that a browser shows or saves without running it.
///
/// SVG and HTML are not among them: they hold scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FileKind {
    /// `image/gif`.
    Gif,
    /// `image/jpeg`.
    Jpeg,
    /// `application/pdf`.
    Pdf,
    /// `image/png`.
    Png,
    /// `text/plain`: UTF-8 without control characters but tab and line ends.
    Text,
    /// `image/webp`.
    WebP,
}

impl FileKind {
    /// Tells the kind by the content; an empty file has none.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [] => None,
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(Self::Gif),
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpeg),
            [b'%', b'P', b'D', b'F', b'-', ..] => Some(Self::Pdf),
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(Self::Png),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Self::WebP),
            _ => is_text(bytes).then_some(Self::Text),
        }
    }

    /// Tells the kind by what stands behind the last point of a name.
    pub fn named(name: &str) -> Option<Self> {
        let ending = name.rsplit_once('.')?.1.to_ascii_lowercase();
        ENDINGS.iter().find(|(known, _)| *known == ending).map(|(_, kind)| *kind)
    }

    /// Returns the content type.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Gif => "image/gif",
            Self::Jpeg => "image/jpeg",
            Self::Pdf => "application/pdf",
            Self::Png => "image/png",
            Self::Text => "text/plain; charset=utf-8",
            Self::WebP => "image/webp",
        }
    }
}

fn is_text(bytes: &[u8]) -> bool {
    let plain = |c: char| !c.is_control() || matches!(c, '\t' | '\n' | '\r');
    std::str::from_utf8(bytes).is_ok_and(|text| text.chars().all(plain))
}

const ENDINGS: &[(&str, FileKind)] = &[
    ("gif", FileKind::Gif),
    ("jpeg", FileKind::Jpeg),
    ("jpg", FileKind::Jpeg),
    ("pdf", FileKind::Pdf),
    ("png", FileKind::Png),
    ("txt", FileKind::Text),
    ("webp", FileKind::WebP),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_told_by_the_first_bytes() {
        #[track_caller]
        fn check(bytes: &[u8], expected: Option<FileKind>) {
            assert_eq!(FileKind::of(bytes), expected, "{bytes:?}");
        }
        check(b"GIF89a,", Some(FileKind::Gif));
        check(b"\xff\xd8\xff\xe0", Some(FileKind::Jpeg));
        check(b"%PDF-1.7", Some(FileKind::Pdf));
        check(b"\x89PNG\r\n\x1a\n", Some(FileKind::Png));
        check(b"RIFF\x10\0\0\0WEBPVP8 ", Some(FileKind::WebP));
        check("해치\n".as_bytes(), Some(FileKind::Text));
        check(b"<script>alert(1)</script>", Some(FileKind::Text));
        check(b"", None);
        check(b"\x7fELF\x02", None);
        check(b"MZ\x90\0", None);
        check(b"PK\x03\x04", None);
        check(b"a\0b", None);
        check(b"\x89PNG", None);
    }

    #[test]
    fn a_kind_is_told_by_the_last_ending() {
        #[track_caller]
        fn check(name: &str, expected: Option<FileKind>) {
            assert_eq!(FileKind::named(name), expected, "{name}");
        }
        check("a.PNG", Some(FileKind::Png));
        check("a.html.jpg", Some(FileKind::Jpeg));
        for other in
            ["a.jpg.html", "a.svg", "a.png.", "png", "", "a.phtml", "a.png\0", "a.png ", "a.png;.html"]
        {
            check(other, None);
        }
    }
}
