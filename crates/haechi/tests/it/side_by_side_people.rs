//! Beside a Django whose `AUTH_USER_MODEL` is its own: a UUID key, the e-mail address to sign in with, other columns.

use haechi::App;

use crate::django_site::{BOTH, Differently, Of, PASSWORD, Pair, pairs};
use crate::outbox::link;
use crate::people::People;

const ADA: &str = "ada@example.org";
const BOB: &str = "bob@example.org";
const NEW: &str = "another walk along the sea";

async fn people() -> Vec<Pair> {
    let users: fn(App) -> App = |app| app.users(People);
    let settings = r#"{"AUTH_USER_MODEL": "accounts.Person"}"#;
    pairs(Differently { settings, users: Some(users), ..Differently::default() }).await
}

#[tokio::test]
async fn who_signs_in_to_a_model_of_the_sites_own_is_known_on_both_until_either_ends_it() {
    for mut pair in people().await {
        for there in BOTH {
            for end in BOTH {
                pair.new_browser();
                assert!(!pair.sign_in(there, ADA, "wrong").await);
                assert!(pair.sign_in(there, ADA, PASSWORD).await, "{there:?}");
                assert_eq!(pair.both().await.as_deref(), Some(ADA), "signed in at {there:?}");
                let (theirs, ours) =
                    (pair.json(Of::Django, "/whoami").await, pair.json(Of::Haechi, "/whoami").await);
                assert_eq!(theirs["permissions"], ours["permissions"]);
                assert_eq!(theirs["session_keys"], ours["session_keys"]);
                assert_eq!(pair.get(Of::Haechi, "/perm").await.status, 200);
                let stolen = pair.jar.clone();
                assert!(pair.post(end, "/logout", &[]).await.status.as_u16() < 400);
                pair.jar = stolen;
                assert_eq!(pair.both().await, None, "signed out at {end:?}");
            }
        }
        pair.new_browser();
        assert!(pair.sign_in(Of::Django, BOB, PASSWORD).await);
        assert_eq!(pair.get(Of::Haechi, "/perm").await.status, 403);
    }
}

#[tokio::test]
async fn asvs_7_4_3_a_password_changed_or_reset_in_a_model_of_the_sites_own_ends_the_others_on_both() {
    for mut pair in people().await {
        let mut password = PASSWORD.to_owned();
        for (at, new) in [(Of::Haechi, NEW), (Of::Django, "a third walk over the hills")] {
            let mut others = Vec::new();
            for there in BOTH {
                pair.new_browser();
                assert!(pair.sign_in(there, ADA, &password).await);
                others.push(pair.jar.clone());
            }
            let fields = match at {
                Of::Django => vec![("new", new)],
                Of::Haechi => {
                    vec![("old_password", &*password), ("new_password1", new), ("new_password2", new)]
                }
            };
            let path = if at == Of::Django { "/password" } else { "/password-change" };
            assert!(pair.post(at, path, &fields).await.status.as_u16() < 400);
            assert_eq!(pair.both().await.as_deref(), Some(ADA), "the session that changed it stays");
            pair.jar = others.swap_remove(0);
            assert_eq!(pair.both().await, None, "changed at {at:?}");
            new.clone_into(&mut password);
        }
        let links = pair.site.authority().reset_links(ADA).await.unwrap();
        let (_, uid, token) = &links[0];
        assert_eq!(pair.get(Of::Django, &format!("/reset/{uid}/{token}/")).await.text(), ADA);
        let theirs = pair.get(Of::Django, &format!("/link?username={ADA}")).await.text();
        let form = pair.get(Of::Haechi, &theirs).await.header("location").to_owned();
        let fields = [("new_password1", NEW), ("new_password2", NEW)];
        assert_eq!(pair.post(Of::Haechi, &form, &fields).await.status, 303);
        // Who did not do this needs the page that the mail names, wherever the application has it.
        let mail = pair.outbox.read(&pair.site).await;
        assert!(mail.contains(&format!("The password of {ADA} at side_by_side was changed")), "{mail}");
        assert_eq!(pair.get(Of::Haechi, &link(&mail)).await.status, 200, "{mail}");
        assert_eq!(pair.get(Of::Django, &theirs).await.status, 404, "the link is used up there too");
        for there in BOTH {
            pair.new_browser();
            assert!(!pair.sign_in(there, ADA, &password).await);
            assert!(pair.sign_in(there, ADA, NEW).await);
        }
    }
}
