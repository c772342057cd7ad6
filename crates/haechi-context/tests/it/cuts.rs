//! A template may be cut at any character: the state is complete.

use haechi_context::Context;

const DOCUMENTS: &[&str] = &[
    "<!DOCTYPE html><p class=\"a\" title=b data-c='d'>e &amp; f</p><!-- g --><br/>",
    "<a href=\"java&#x73;cript&colon;x\" onclick=\"f('&quot;', /a[/]b/g, `c${ {d: 1}.d }`)\">é</a>",
    "<script type=module>if (a) /b'/.test(c) / d; // e\n/* f */ `g${h + `i${j}`}`</script >",
    "<style>@import 'a'; b { c: url( \"d\" ) url(e) 'f\\'' /* g */ }</style>",
    "<textarea>\n</textare</textarea><title>a</b></title><svg><title>c</title><path/></svg>",
    "<img srcset=\"a.png 1x, b.png, c.png 2x\"><meta http-equiv=refresh content='1; url=/a'>",
    "<iframe srcdoc=\"<p title='a'>b</p>\"></iframe><form action=/a method=post><input formaction=/b>",
    "<script>a = b\r\n+ '\\\r\n' + c++ / d; e = ++/f/.g; [.../h/]; x.return / i</script>",
];

#[test]
fn every_cut_leads_to_the_same_state() {
    for document in DOCUMENTS {
        let mut whole = Context::html();
        let events = whole.advance(document).unwrap_or_else(|error| panic!("{document}: {error}"));
        for (cut, _) in document.char_indices() {
            let mut context = Context::html();
            let first = context.advance(&document[..cut]).unwrap();
            let second = context.advance(&document[cut..]).unwrap();
            assert_eq!(context, whole, "{document} cut at {cut}");
            assert_eq!(first.len() + second.len(), events.len());
        }
    }
}
