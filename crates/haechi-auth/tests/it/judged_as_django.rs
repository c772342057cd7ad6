//! Names and passwords get the answer that a live Django gives.

use haechi_auth::{About, CreateUser, Error, PasswordRules, Validator, normalize_username};
use rand::RngExt as _;

use crate::django::python;
use crate::site::{PASSWORD, Site};

const DJANGO: &str = "
import json, sys
import django
from django.conf import settings
V = 'django.contrib.auth.password_validation.'
settings.configure(INSTALLED_APPS=['django.contrib.auth', 'django.contrib.contenttypes'],
    AUTH_PASSWORD_VALIDATORS=[{'NAME': V + n} for n in ('UserAttributeSimilarityValidator',
    'MinimumLengthValidator', 'CommonPasswordValidator', 'NumericPasswordValidator')])
django.setup()
from django.contrib.auth.forms import UsernameField
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
asked = json.load(open(sys.argv[1]))
def codes(call):
    try:
        return call() or []
    except ValidationError as error:
        return [one.code for one in error.error_list]
field = User._meta.get_field('username')
form = UsernameField(max_length=150)
";

/// Asks Django about a list, through a file: arguments are too short.
fn ask<Q: serde::Serialize, A: serde::de::DeserializeOwned>(program: &str, questions: &Q) -> Option<A> {
    let file = std::env::temp_dir().join(format!("haechi-asked-{:016x}.json", rand::random::<u64>()));
    std::fs::write(&file, serde_json::to_vec(questions).unwrap()).unwrap();
    let answer = python(&["-c", &format!("{DJANGO}{program}"), file.to_str().unwrap()]);
    std::fs::remove_file(&file).unwrap();
    Some(serde_json::from_str(&answer?).unwrap())
}

/// Passwords of pieces that matter: the user's own words, common ones, digits of many scripts, and noise.
fn passwords(count: usize) -> Vec<String> {
    const PIECES: &[&str] = &[
        "alice",
        "ALICE",
        "ecila",
        "O'Neil",
        "neil",
        "smith",
        "example",
        "com",
        ".",
        "-",
        "_",
        "password",
        "letmein",
        "qwerty",
        "123456",
        "1",
        "12",
        "2026",
        "monkey",
        "\u{661}\u{662}",
        "\u{b2}",
        "\u{2460}",
        "\u{bd}",
        "\u{e9}",
        "\u{130}",
        "\u{3a3}",
        "\u{df}",
        "\u{d574}\u{ce58}",
        " ",
        "\u{a0}",
        "\u{1f40e}",
        "x",
        "zq",
        "A",
    ];
    let mut random = rand::rng();
    let mut piece = || PIECES[random.random_range(0..PIECES.len())];
    (0..count).map(|index| (0..1 + index % 6).map(|_| piece()).collect()).collect()
}

#[test]
fn passwords_get_the_verdict_of_a_live_django() {
    let about = About {
        username: "alice",
        first_name: "Alice",
        last_name: "O'Neil-Smith",
        email: "alice@example.com",
    };
    let mut asked = passwords(600);
    asked.extend(
        ["", "password", "passw0rd", "12345678", "abcdefgh", "alicealicealicealicealicealice"]
            .map(str::to_owned),
    );
    let program = "
user = User(username='alice', first_name='Alice', last_name=\"O'Neil-Smith\", email='alice@example.com')
print(json.dumps([codes(lambda: validate_password(one, user)) for one in asked]))";
    let Some(answers) = ask::<_, Vec<Vec<String>>>(program, &asked) else { return };
    let four =
        ["similarity", "minimum-length", "common", "numeric"].map(|name| name.parse::<Validator>().unwrap());
    let rules = PasswordRules::default().validators(&four);
    assert_eq!(answers.len(), asked.len());
    let mut kinds = std::collections::BTreeMap::new();
    for (password, answer) in asked.iter().zip(&answers) {
        let ours = rules.check(password, &about).err().unwrap_or_default();
        let ours: Vec<&str> = ours.iter().map(|objection| objection.django()).collect();
        assert_eq!(ours, *answer, "{password:?}");
        *kinds.entry(answer.join(" ")).or_insert(0) += 1;
    }
    println!("{} passwords, verdicts: {kinds:?}", answers.len());
    assert!(kinds.len() >= 5, "the sample says nothing: {kinds:?}");
}

const NAMES: &[&str] = &[
    "alice",
    "Alice",
    "a.b+c-d_e@f",
    "",
    " ",
    "a b",
    "a\tb",
    "a\nb",
    "alice\n",
    " alice ",
    "a<b",
    "a'b",
    "a\"b",
    "a/b",
    "a:b",
    "\u{d574}\u{ce58}",
    "\u{e9}ve",
    "e\u{301}ve",
    "\u{fb01}ne",
    "\u{ff21}\u{ff22}",
    "\u{2460}",
    "\u{b2}",
    "\u{bd}",
    "\u{24d0}lice",
    "\u{1d400}lice",
    "\u{937}\u{3bc}\u{3ad}\u{3b3}\u{3b1}",
    "\u{92a}\u{94d}\u{930}\u{93f}\u{92f}\u{93e}",
    "\u{e19}\u{e49}\u{e33}",
    "\u{0301}",
    "x\u{301}",
    "\u{200d}",
    "a\u{200b}b",
    "a\u{ad}b",
    "\u{1f40e}",
    "\u{2160}x",
    "\u{3007}",
    "\u{0661}\u{0662}",
    "\u{203f}",
    "a\u{203f}b",
    "_",
    "__proto__",
    "a\u{b7}b",
    "\u{ff0b}",
    "\u{ff20}x",
    "a\u{2024}b",
    "\u{ff3f}",
    "\u{feff}a",
    "\u{1100}\u{1161}",
    "\u{212b}",
    "\u{1e9e}",
    "\u{345}",
    "\u{5d0}\u{5b8}",
    "\u{1c}a",
    "a\u{0}b",
    "\u{a0}a\u{a0}",
    "%",
    "a%b",
    "-",
    "+",
    "@",
    ".",
    "..",
    "\u{aa}",
    "\u{2c6}",
    "\u{2e2f}",
    "\u{16ee}",
    "\u{3021}",
];

#[tokio::test]
async fn odd_names_get_the_verdict_of_a_live_django() {
    let mut asked: Vec<String> = NAMES.iter().map(|name| (*name).to_owned()).collect();
    asked.extend([
        "x".repeat(150),
        "x".repeat(151),
        "\u{fb01}".repeat(75),
        "\u{fb01}".repeat(76),
        "\u{d574}".repeat(150),
    ]);
    let program = "
def judge(name):
    name = form.to_python(name)
    return [name, bool(name) and not codes(lambda: field.run_validators(name))]
print(json.dumps([judge(one) for one in asked]))";
    let Some(answers) = ask::<_, Vec<(String, bool)>>(program, &asked) else { return };
    let site = Site::new().await;
    let mut good = 0;
    for (name, (theirs, fits)) in asked.iter().zip(&answers) {
        let normal = normalize_username(name);
        assert_eq!(normal, *theirs, "{name:?}");
        let new = CreateUser { username: &normal, email: "", password: PASSWORD, is_superuser: false };
        let ours = match site.authority.create_user(new).await {
            Ok(_) | Err(Error::UsernameTaken) => true,
            Err(Error::InvalidUsername) => false,
            Err(error) => panic!("{name:?}: {error:?}"),
        };
        assert_eq!(ours, *fits, "{name:?} is {normal:?}");
        good += usize::from(ours);
    }
    println!("{} names, {good} of them good", asked.len());
}

/// A name that differs only in case would be read as somebody else's.
#[tokio::test]
async fn a_name_that_differs_only_in_case_is_taken() {
    let site = Site::with_alice().await;
    for name in ["alice", "Alice", "ALICE"] {
        assert!(matches!(site.create(name).await, Err(Error::UsernameTaken)), "{name}");
    }
    assert!(site.create("alicia").await.is_ok());
    assert!(site.create("al_ce").await.is_ok(), "no pattern");
}
