//! Tokens of another make: those that name their own algorithm or bring their own key.

use haechi_core::{KeyRing, Purpose, SecretKey, Signer, Token};

/// Header fields of JSON web tokens that tell a careless reader how to check them.
const HEADERS: [&str; 12] = [
    r#"{"alg":"none"}"#,
    r#"{"alg":"None","typ":"JWT"}"#,
    r#"{"alg":""}"#,
    r#"{"alg":"HS256"}"#,
    r#"{"alg":"HS512","typ":"JWT"}"#,
    r#"{"alg":"RS256"}"#,
    r#"{"alg":"HS256","jwk":{"kty":"oct","k":"YXR0YWNrZXI"}}"#,
    r#"{"alg":"RS256","jku":"https://evil.example/keys.json"}"#,
    r#"{"alg":"RS256","x5u":"https://evil.example/chain.pem"}"#,
    r#"{"alg":"RS256","x5c":["MIIB"]}"#,
    r#"{"alg":"HS256","kid":"../../dev/null"}"#,
    r#"{"alg":"HS256","kid":"x' union select 'attacker"}"#,
];

fn url_safe(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let bits =
            group.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        let digit = |at: usize| char::from(DIGITS[usize::try_from(bits >> (18 - 6 * at) & 63).unwrap()]);
        text.extend((0..=group.len()).map(digit));
    }
    text
}

/// asvs_9_1_2, asvs_9_1_3: the algorithm and the key are ours, whatever a token says of itself.
#[test]
fn asvs_9_1_2_no_token_chooses_its_algorithm_or_its_key() {
    let signer = |key: SecretKey| Signer::new(KeyRing::new(key), Purpose::new("p"));
    let ours = signer(SecretKey::generate());
    let theirs = signer(SecretKey::shared_with_django("attacker").unwrap());
    let good = ours.sign_at("user:1", 1_700_000_000);
    let signature = good.rsplit(':').next().unwrap();
    for header in HEADERS {
        let head = url_safe(header.as_bytes());
        let claims = url_safe(br#"{"sub":"1"}"#);
        let signed_by_them = theirs.sign_at(&format!("{head}.{claims}"), 1_700_000_000);
        for text in [
            format!("{head}.{claims}."),
            format!("{head}.{claims}"),
            format!("{head}.{claims}.{signature}"),
            format!("{head}.{claims}:{signature}"),
            format!("{head}:{good}"),
            format!("{good}:{head}"),
            format!("{header}:{signature}"),
            signed_by_them,
            theirs.sign_at("user:1", 1_700_000_000),
        ] {
            assert!(ours.unsign(&text).is_err(), "{text}");
            assert!(ours.unsign_at(&text, 1_700_000_000, None).is_err(), "{text}");
            assert!(ours.unsign_object(&text, 1_700_000_000, None).is_err(), "{text}");
            assert!(Token::parse(&text).is_err(), "{text}");
        }
    }
    assert_eq!(ours.unsign_at(&good, 1_700_000_000, None).unwrap(), "user:1");
}
