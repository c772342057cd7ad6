//! What holds for the machine on any input whatever; the fuzz targets include this file.

use haechi_context::{Code, Context, Error, Escaper, Value};

/// The state behind a template with `\u{1}` for a value, `\u{2}` for the end of a branch and `\u{3}` for a block;
/// `piece` is the number of characters given to the machine at once.
fn walk(source: &str, piece: usize) -> Result<(Context, Vec<Escaper>, usize), Error> {
    let mut context = Context::html();
    let mut escapers = Vec::new();
    let mut events = 0;
    let mut text = String::new();
    let mut waiting = 0;
    for c in source.chars() {
        if matches!(c, '\u{1}'..='\u{3}') || waiting == piece {
            events += context.advance(&text)?.len();
            text.clear();
            waiting = 0;
        }
        match c {
            '\u{1}' => escapers.push(context.emit()?),
            '\u{2}' => context.settle()?,
            '\u{3}' => context = context.widen(),
            c => {
                text.push(c);
                waiting += 1;
            }
        }
    }
    events += context.advance(&text)?.len();
    Ok((context, escapers, events))
}

/// Never panics, says the same twice, and does not depend on where the text is cut.
pub(crate) fn check_machine(source: &str) {
    let whole = walk(source, usize::MAX);
    assert_eq!(whole, walk(source, usize::MAX), "twice: {source:?}");
    for piece in [1, 3, 7] {
        match (&whole, walk(source, piece)) {
            (Ok(whole), Ok(cut)) => assert_eq!(*whole, cut, "{piece} at once: {source:?}"),
            (Err(whole), Err(cut)) => assert_eq!(whole.code(), cut.code(), "{piece} at once: {source:?}"),
            (whole, cut) => panic!("{piece} at once: {source:?}: {whole:?}, {cut:?}"),
        }
    }
    let Ok((context, ..)) = whole else { return };
    check_relations(&context, source);
}

/// A join with itself changes nothing, and a block may be empty: its start flows into what `widen` says.
fn check_relations(context: &Context, source: &str) {
    assert_eq!(context.join(context).as_ref(), Ok(context), "{source:?}");
    let wide = context.widen();
    assert_eq!(wide.widen(), wide, "{source:?}");
    let mut settled = context.clone();
    if settled.settle().is_ok() {
        let once = settled.clone();
        assert_eq!(settled.settle(), Ok(()), "{source:?}");
        assert_eq!(settled, once, "{source:?}");
    }
    let (mut direct, mut behind) = (context.clone(), wide);
    if direct.settle().is_err() {
        return;
    }
    // What is refused without the block is refused behind it. In a `srcdoc` the start of a textarea is refused, the
    // rest is text.
    if let Err(error) = direct.emit()
        && error.code() != Code::Srcdoc
    {
        assert!(behind.emit().is_err(), "{source:?}");
    }
}

/// No escaper writes what could end the place it is for.
pub(crate) fn check_escapers(text: &str) {
    for escaper in Escaper::all().filter(|escaper| !escaper.is_unescaped()) {
        let mut out = String::new();
        escaper.escape(&Value::Text(text), &mut out);
        let id = escaper.id();
        let mut hostile = if id.starts_with("js") { vec!['<', '>', '&', '\'', '`'] } else { vec!['<', '>'] };
        if escaper.id().ends_with("_attr") || escaper.id().ends_with("_attr2") {
            hostile = vec!['<', '>', '"', '\''];
            if id.starts_with("unquoted") || id.starts_with("attributes") {
                hostile = vec!['<', '>'];
            }
        }
        // Only in an attribute or a title, which the template engine always asks for with a layer.
        let bare = ["plain", "textarea_start", "url", "srcset"].iter().any(|rule| id.starts_with(rule));
        if bare && !id.contains("_attr") {
            continue;
        }
        assert!(!out.contains(hostile.as_slice()), "{id} writes {out:?} for {text:?}");
    }
}
