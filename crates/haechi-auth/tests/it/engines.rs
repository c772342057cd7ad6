//! The path of a sign-in on PostgreSQL, with its narrower integers.

use haechi_auth::{Credentials, Error};
use haechi_core::base64url;
use haechi_session::Remember;

use crate::rights::rights;
use crate::site::{Browser, PASSWORD, Site, on_postgres};

#[tokio::test]
async fn users_sign_in_on_postgresql_as_on_sqlite() {
    on_postgres(path).await;
    path(Site::new().await).await;
}

async fn path(site: Site) {
    let mut browser = Browser::default();
    assert_eq!(site.create("alice").await.unwrap().id, 1);
    keys_of_nobody(&site).await;
    assert!(matches!(site.create("alice").await, Err(Error::UsernameTaken)));
    assert!(!site.sign_in(&mut browser, "nobody", PASSWORD).await);
    rights(&site, &mut browser).await;
    assert_eq!(site.name(&mut browser).await.as_deref(), Some("alice"));
    let wrong = Credentials { username: "alice".to_owned(), password: "wrong".to_owned() };
    let wait = site
        .visit(&mut browser, async |auth| {
            loop {
                match auth.authenticate(&wrong).await {
                    Ok(user) => assert!(user.is_none()),
                    Err(Error::Throttled { retry_after }) => break retry_after.as_secs(),
                    Err(error) => panic!("{error:?}"),
                }
            }
        })
        .await;
    assert_eq!(wait, 1);
    let new = "another horse, another staple";
    assert!(site.visit(&mut browser, async |auth| auth.change_password(PASSWORD, new).await.unwrap()).await);
    assert_eq!(site.visit(&mut browser, async |auth| auth.devices().await.unwrap().len()).await, 1);
}

/// Both ask whether the name is free before either has it: only the table itself can tell.
#[tokio::test]
async fn of_two_names_that_differ_in_case_one_is_made_however_close_they_come() {
    on_postgres(at_once).await;
    at_once(Site::new().await).await;
}

async fn at_once(site: Site) {
    for (one, two) in [("Ada", "ada"), ("bob", "BOB"), ("eve", "eve")] {
        let made = tokio::join!(site.create(one), site.create(two));
        assert!(
            matches!(made, (Ok(_), Err(Error::UsernameTaken)) | (Err(Error::UsernameTaken), Ok(_))),
            "{made:?}"
        );
    }
    let rows: i64 = haechi_db::sql!("select count(*) from auth_user").scalar(&site.db).await.unwrap();
    assert_eq!(rows, 3);
}

/// A session or a link of another site, or of before the table changed, may hold any text: it is nobody's.
async fn keys_of_nobody(site: &Site) {
    let uuid = "0b1c5a4e-3f7d-4a52-9c36-6f1d2e8b7a90";
    for id in [
        "",
        "alice",
        "01",
        "1 ",
        "2",
        "-1",
        "2147483648",
        "9223372036854775807",
        "9".repeat(30).as_str(),
        uuid,
    ] {
        let user = site
            .visit(&mut Browser::default(), async |auth| {
                auth.session().bind(id, Remember::default()).await.unwrap();
                auth.current_user().await
            })
            .await;
        assert!(matches!(user, Ok(None)), "{id}: {user:?}");
        let reset = site.authority.check_reset(&base64url::encode(id), "bxodq8-0").await;
        assert!(matches!(reset, Ok(None)), "{id}: {reset:?}");
    }
}
