//! haechi beside a real Django: one database, one browser, and neither knows of the other but by what both keep.

use haechi_test::Shot;
use serde_json::json;

use crate::django_site::{BOTH, Differently, KEY, Of, PASSWORD, pair, pairs};

const NEW: &str = "another walk along the sea";

#[tokio::test]
async fn who_signs_in_on_one_site_is_known_on_both_until_either_ends_it() {
    for mut pair in pairs(Differently::default()).await {
        for there in BOTH {
            for end in BOTH {
                pair.new_browser();
                assert!(!pair.sign_in(there, "ada", "wrong").await);
                assert_eq!(pair.both().await, None);
                assert!(pair.sign_in(there, "ada", PASSWORD).await, "{there:?}");
                assert_eq!(pair.both().await.as_deref(), Some("ada"), "signed in at {there:?}");
                let stolen = pair.jar.clone();
                assert!(pair.post(end, "/logout", &[]).await.status.as_u16() < 400);
                assert_eq!(pair.both().await, None, "signed out at {end:?}");
                pair.jar = stolen;
                assert_eq!(pair.both().await, None, "the row is gone, whoever kept the cookie");
            }
        }
    }
}

/// The cart, the consent and the message that waits are of the site next door.
#[tokio::test]
async fn a_sign_out_at_haechi_takes_no_more_from_the_browser_than_one_at_django() {
    let Some(mut pair) = pair(Differently::default()).await else { return };
    let mut left = Vec::new();
    for end in BOTH {
        pair.new_browser();
        assert!(pair.sign_in(Of::Django, "ada", PASSWORD).await);
        pair.jar.plant("cart", "3");
        pair.get(Of::Django, "/message-add?m=saved&level=25").await;
        let answer = pair.post(end, "/logout", &[]).await;
        let names = ["sessionid", "cart", "messages", "csrftoken"].map(|name| pair.jar.find(name).is_some());
        assert_eq!(names, [false, true, true, true], "{end:?}");
        let shown = pair.json(Of::Django, "/messages").await;
        assert_eq!(shown["messages"][0]["message"], "saved", "{end:?}");
        left.push(answer);
    }
    assert_eq!(left[1].header("clear-site-data"), "\"cache\"", "pages behind a session do not stay");
}

#[tokio::test]
async fn permissions_and_pages_of_members_follow_the_session_of_the_neighbour() {
    for mut pair in pairs(Differently::default()).await {
        let away = pair.get(Of::Haechi, "/protected").await;
        assert_eq!((away.status.as_u16(), away.header("location")), (303, "/login?next=%2Fprotected"));
        assert!(pair.sign_in(Of::Haechi, "ada", PASSWORD).await);
        assert_eq!(pair.json(Of::Django, "/messages").await, json!({ "messages": [] }));
        pair.new_browser();
        assert!(pair.sign_in(Of::Django, "ada", PASSWORD).await);
        assert_eq!(pair.get(Of::Haechi, "/protected").await.status, 200);
        assert_eq!(pair.json(Of::Haechi, "/perm").await, json!({ "ok": true }));
        let (there, here) = (pair.json(Of::Django, "/whoami").await, pair.json(Of::Haechi, "/whoami").await);
        assert_eq!(there["permissions"], here["permissions"]);
        assert_eq!(there["session_keys"], here["session_keys"]);
        pair.new_browser();
        assert!(pair.sign_in(Of::Django, "bob", PASSWORD).await);
        assert_eq!(pair.get(Of::Haechi, "/perm").await.status, 403);
    }
}

#[tokio::test]
async fn asvs_7_4_3_a_password_changed_on_either_site_ends_the_other_sessions_on_both() {
    for mut pair in pairs(Differently::default()).await {
        let mut password = PASSWORD.to_owned();
        for (at, new) in [(Of::Haechi, NEW), (Of::Django, "a third walk over the hills")] {
            let mut others = Vec::new();
            for there in BOTH {
                pair.new_browser();
                assert!(pair.sign_in(there, "ada", &password).await);
                others.push(pair.jar.clone());
            }
            pair.new_browser();
            assert!(pair.sign_in(at, "ada", &password).await);
            let changed = match at {
                Of::Django => pair.post(at, "/password", &[("new", new)]).await,
                Of::Haechi => {
                    let fields =
                        [("old_password", &*password), ("new_password1", new), ("new_password2", new)];
                    pair.post(at, "/password-change", &fields).await
                }
            };
            assert!(changed.status.as_u16() < 400, "{}", changed.text());
            assert_eq!(pair.both().await.as_deref(), Some("ada"), "the session that changed it stays");
            for other in others {
                pair.jar = other;
                assert_eq!(pair.both().await, None, "changed at {at:?}");
            }
            new.clone_into(&mut password);
        }
    }
}

#[tokio::test]
async fn neither_site_rewrites_the_password_that_the_other_wrote() {
    let Some(mut pair) = pair(Differently::default()).await else { return };
    for writer in BOTH {
        pair.new_browser();
        assert!(pair.sign_in(writer, "bob", PASSWORD).await);
        if writer == Of::Haechi {
            let fields = [("old_password", PASSWORD), ("new_password1", NEW), ("new_password2", NEW)];
            assert_eq!(pair.post(Of::Haechi, "/password-change", &fields).await.status, 303);
        }
        let column = pair.get(Of::Django, "/column?username=bob").await.text();
        assert!(column.starts_with("pbkdf2_sha256$20000$"), "{column}");
        for there in BOTH {
            pair.new_browser();
            let password = if writer == Of::Haechi { NEW } else { PASSWORD };
            assert!(pair.sign_in(there, "bob", password).await);
            assert_eq!(pair.get(Of::Django, "/column?username=bob").await.text(), column, "{there:?}");
        }
    }
}

#[tokio::test]
async fn a_token_of_a_page_of_either_site_posts_to_the_other() {
    for mut pair in pairs(Differently::default()).await {
        for (of, to, path) in [(Of::Django, Of::Haechi, "/form"), (Of::Haechi, Of::Django, "/post")] {
            pair.new_browser();
            let token = pair.token(of).await;
            assert_eq!(pair.post_with(to, path, &token, &[("a", "1")]).await.status, 200, "{of:?}");
            let wrong = if token.starts_with('a') {
                token.replacen('a', "b", 1)
            } else {
                format!("a{}", &token[1..])
            };
            assert_eq!(pair.post_with(to, path, &wrong, &[]).await.status, 403);
            let script = |token: &str| {
                let shot = Shot::new("POST", path).header("origin", "http://localhost");
                shot.header("x-csrftoken", token).body("application/json", "{}")
            };
            let path = if to == Of::Haechi { "/json" } else { path };
            let shot = Shot::new("POST", path).header("origin", "http://localhost");
            let right = shot.header("x-csrftoken", &token).body("application/json", "{}");
            assert_eq!(pair.send(to, right).await.status, 200);
            assert_eq!(pair.send(to, script(&wrong)).await.status, 403);
        }
    }
}

#[tokio::test]
async fn a_page_of_haechi_carries_a_field_that_django_reads() {
    let Some(mut pair) = pair(Differently::default()).await else { return };
    let page = pair.get(Of::Haechi, "/login").await.text();
    assert!(!page.contains("name=\"csrf_token\"") && !page.contains("remember"), "{page}");
    let (_, rest) = page.split_once("name=\"csrfmiddlewaretoken\" value=\"").unwrap();
    let token = rest.split_once('"').unwrap().0.to_owned();
    assert_eq!(pair.post_with(Of::Django, "/post", &token, &[]).await.status, 200);
}

#[tokio::test]
async fn a_sign_in_on_either_site_makes_a_new_form_secret_on_both() {
    for section in ["", "csrf_use_sessions = true"] {
        let settings = if section.is_empty() { "" } else { r#"{"CSRF_USE_SESSIONS": true}"# };
        let Some(mut pair) = pair(Differently { settings, section, ..Differently::default() }).await else {
            return;
        };
        for there in BOTH {
            pair.new_browser();
            let before = pair.token(Of::Django).await;
            assert_eq!(pair.post_with(Of::Haechi, "/form", &before, &[]).await.status, 200, "{section}");
            assert!(pair.sign_in(there, "ada", PASSWORD).await);
            assert_eq!(
                pair.post_with(Of::Haechi, "/form", &before, &[]).await.status,
                403,
                "{section} {there:?}"
            );
            let after = pair.token(Of::Haechi).await;
            assert_eq!(pair.post_with(Of::Django, "/post", &after, &[]).await.status, 200, "{section}");
        }
    }
}

#[tokio::test]
async fn a_reset_link_of_either_site_opens_on_the_other() {
    for zone in ["UTC", "America/New_York"] {
        let settings = format!(r#"{{"TIME_ZONE": "{zone}"}}"#);
        let section = format!("time_zone = '{zone}'");
        let differently = Differently { settings: &settings, section: &section, ..Differently::default() };
        for mut pair in pairs(differently).await {
            let links = pair.site.authority().reset_links("ada@example.org").await.unwrap();
            let (_, uid, token) = &links[0];
            let ours = format!("/reset/{uid}/{token}/");
            assert_eq!(pair.get(Of::Django, &ours).await.text(), "ada", "{zone}");
            let theirs = pair.get(Of::Django, "/link?username=ada").await.text();
            let stamp = |link: &str| {
                let token = link.split('/').nth(3).unwrap().split('-').next().unwrap().to_owned();
                i64::from_str_radix(&token, 36).unwrap()
            };
            assert!((0..600).contains(&(stamp(&theirs) - stamp(&ours))), "{zone}: {theirs} {ours}");
            let moved = pair.get(Of::Haechi, &theirs).await;
            let form = moved.header("location").to_owned();
            assert_eq!(form, format!("/reset/{uid}/set-password/"));
            let fields = [("new_password1", NEW), ("new_password2", NEW)];
            let done = pair.post(Of::Haechi, &form, &fields).await;
            assert_eq!((done.status.as_u16(), done.header("location")), (303, "/login"), "{}", done.text());
            assert_eq!(pair.get(Of::Django, &theirs).await.status, 404, "the link is used up there too");
            pair.new_browser();
            assert!(pair.sign_in(Of::Django, "ada", NEW).await);
        }
    }
}

#[tokio::test]
async fn messages_left_on_either_site_are_shown_on_the_other() {
    for storage in ["fallback.FallbackStorage", "cookie.CookieStorage", "session.SessionStorage"] {
        let path = format!("django.contrib.messages.storage.{storage}");
        let settings = format!(r#"{{"MESSAGE_STORAGE": "{path}"}}"#);
        let section = format!("message_storage = '{path}'");
        let differently = Differently { settings: &settings, section: &section, ..Differently::default() };
        let Some(mut pair) = pair(differently).await else { return };
        for from in BOTH {
            pair.new_browser();
            pair.get(from, "/message-add?m=%3Cb%3Ezo%C3%AB%3C%2Fb%3E&level=40&tags=x").await;
            pair.get(from.other(), "/message-add?m=two&level=25").await;
            let mut shown = pair.json(from.other(), "/messages").await;
            for message in shown["messages"].as_array_mut().unwrap() {
                let safe = message.as_object_mut().unwrap().remove("safe");
                assert_ne!(safe, Some(json!(true)), "a text of ours is never HTML there");
            }
            let expected = json!({ "messages": [
                { "level": 40, "message": "<b>zo\u{eb}</b>", "tags": "x error" },
                { "level": 25, "message": "two", "tags": "success" },
            ] });
            assert_eq!(shown, expected, "{storage} {from:?}");
            assert_eq!(pair.json(from, "/messages").await, json!({ "messages": [] }), "shown once");
        }
    }
}

#[tokio::test]
async fn more_messages_than_a_cookie_holds_arrive_whole_and_in_order() {
    let Some(mut pair) = pair(Differently::default()).await else { return };
    let long: String = (0..120u32).map(|n| format!("{:x}", n.wrapping_mul(2_654_435_761))).collect();
    pair.get(Of::Django, &format!("/message-add?m={long}&level=20&times=1")).await;
    for n in 0..6 {
        let (at, mixed) = (BOTH[n % 2], long.chars().rev().skip(n * 7).collect::<String>());
        pair.get(at, &format!("/message-add?m={n}{mixed}&level=20")).await;
    }
    let mut other = pair.jar.clone();
    let here = pair.json(Of::Haechi, "/messages").await;
    std::mem::swap(&mut pair.jar, &mut other);
    let texts = here["messages"].as_array().unwrap();
    assert_eq!(texts.len(), 7);
    for (n, message) in texts.iter().skip(1).enumerate() {
        assert!(message["message"].as_str().unwrap().starts_with(&n.to_string()));
    }
}

#[tokio::test]
async fn what_django_marked_as_html_is_text_on_a_page_of_haechi() {
    let Some(mut pair) = pair(Differently::default()).await else { return };
    pair.get(Of::Django, "/message-add?m=%3Cb%3Ebold%3C%2Fb%3E&level=20&safe=1").await;
    let page = pair.get(Of::Haechi, "/login").await.text();
    assert!(page.contains("&lt;b&gt;bold&lt;/b&gt;") && !page.contains("<b>bold"), "{page}");
}

#[tokio::test]
async fn a_signed_cookie_of_either_site_is_read_by_the_other() {
    let Some(mut pair) = pair(Differently::default()).await else { return };
    for salt in ["", "ui"] {
        pair.get(Of::Django, &format!("/cookie-set?name=pref&value=dark&salt={salt}")).await;
        let read = pair.json(Of::Haechi, &format!("/cookie-get?name=pref&salt={salt}")).await;
        assert_eq!(read, json!({ "value": "dark" }));
        assert_eq!(pair.get(Of::Haechi, &format!("/cookie-get?name=pref&salt=x{salt}")).await.status, 400);
        pair.get(Of::Haechi, &format!("/cookie-set?name=pref&value=light&salt={salt}")).await;
        assert_eq!(pair.get(Of::Django, &format!("/cookie-get?name=pref&salt={salt}")).await.text(), "light");
    }
    assert_eq!(pair.get(Of::Haechi, "/cookie-get?name=none").await.status, 404);
}

#[tokio::test]
async fn what_only_python_can_write_survives_a_write_of_haechi_byte_for_byte() {
    for mut pair in pairs(Differently::default()).await {
        pair.get(Of::Django, "/exotic?deep=300").await;
        let before = pair.get(Of::Django, "/raw").await.text();
        assert!(
            before.contains("NaN") && before.contains("\\ud800") && before.contains("1180591620717411303424")
        );
        let set = pair.json(Of::Haechi, "/session-set?here=zo%C3%AB%20%E2%98%83").await;
        assert_eq!(set["data"]["here"], "zo\u{eb} \u{2603}");
        assert_eq!(pair.get(Of::Django, "/raw").await.text(), before);
        assert_eq!(pair.get(Of::Django, "/value?name=here").await.text(), "zo\u{eb} \u{2603}");
        assert!(pair.sign_in(Of::Haechi, "ada", PASSWORD).await);
        assert_eq!(pair.get(Of::Django, "/raw").await.text(), before, "an anonymous session keeps its data");
        assert!(pair.sign_in(Of::Haechi, "bob", PASSWORD).await);
        assert_eq!(pair.get(Of::Django, "/raw").await.text(), "null", "another user's does not");
    }
}

/// Django reads sessions of any size: one that haechi does not read is neither emptied nor replaced by it.
#[tokio::test]
async fn a_session_too_large_for_haechi_stays_as_it_is_at_django() {
    let Some(mut pair) = pair(Differently::default()).await else { return };
    assert!(pair.sign_in(Of::Django, "ada", PASSWORD).await);
    pair.get(Of::Django, "/exotic?long=1100000").await;
    let before = pair.get(Of::Django, "/raw").await.text();
    for path in ["/whoami", "/session-set?a=1"] {
        let answer = pair.get(Of::Haechi, path).await;
        assert!(answer.status.is_server_error() && answer.cookies().is_empty(), "{path}: {}", answer.text());
    }
    assert_eq!(pair.who(Of::Django).await.as_deref(), Some("ada"));
    assert!(pair.get(Of::Django, "/raw").await.text() == before);
}

#[tokio::test]
async fn a_session_planted_before_a_sign_in_is_worth_nothing_after_it() {
    let Some(mut pair) = pair(Differently::default()).await else { return };
    for at in BOTH {
        pair.new_browser();
        pair.get(Of::Django, "/exotic").await;
        let planted = pair.jar.find("sessionid").unwrap().to_owned();
        assert!(pair.sign_in(at, "ada", PASSWORD).await);
        assert_ne!(pair.jar.find("sessionid"), Some(planted.as_str()), "{at:?}");
        pair.new_browser();
        pair.jar.plant("sessionid", &planted);
        assert_eq!(pair.both().await, None, "{at:?}");
    }
}

#[tokio::test]
async fn a_session_under_an_old_key_is_taken_over_and_signed_anew() {
    let new = "another-key-of-both-sites-52c0fe18937ad6b45e9f1c03e87b6d4a";
    let section = format!("secret_key_fallbacks = ['{KEY}']");
    let differently = Differently { section: &section, haechi_key: Some(new), ..Differently::default() };
    let Some(mut pair) = pair(differently).await else { return };
    assert!(pair.sign_in(Of::Django, "ada", PASSWORD).await);
    let before = pair.jar.find("sessionid").unwrap().to_owned();
    assert_eq!(pair.who(Of::Haechi).await.as_deref(), Some("ada"));
    assert_ne!(pair.jar.find("sessionid"), Some(before.as_str()), "a new id under the new key");
    assert_eq!(pair.who(Of::Haechi).await.as_deref(), Some("ada"));
    pair.jar.plant("sessionid", &before);
    assert_eq!(pair.who(Of::Haechi).await, None);
}

#[tokio::test]
async fn sessions_in_signed_cookies_are_shared() {
    let settings = r#"{"SESSION_ENGINE": "django.contrib.sessions.backends.signed_cookies"}"#;
    let section = "session_engine = 'django.contrib.sessions.backends.signed_cookies'";
    let Some(mut pair) = pair(Differently { settings, section, ..Differently::default() }).await else {
        return;
    };
    for there in BOTH {
        pair.new_browser();
        assert!(pair.sign_in(there, "ada", PASSWORD).await, "{there:?}");
        assert_eq!(pair.both().await.as_deref(), Some("ada"));
        pair.get(Of::Haechi, "/session-set?a=1").await;
        assert_eq!(pair.get(Of::Django, "/value?name=a").await.text(), "1");
        assert!(pair.post(there.other(), "/logout", &[]).await.status.as_u16() < 400);
        assert_eq!(pair.both().await, None);
    }
}

#[tokio::test]
async fn a_session_lives_as_long_as_django_says() {
    let Some(mut pair) = pair(Differently::default()).await else { return };
    let answer = pair.get(Of::Haechi, "/session-set?a=1").await;
    let cookie = |answer: &haechi_test::Answer| {
        answer.cookies().into_iter().find(|line| line.starts_with("sessionid=")).unwrap().to_owned()
    };
    let line = cookie(&answer);
    assert!(line.contains("Max-Age=1209600; HttpOnly; SameSite=Lax"), "{line}");
    for own in ["300", "300.0", "300.9"] {
        pair.get(Of::Django, &format!("/expiry?seconds={own}")).await;
        let line = cookie(&pair.get(Of::Haechi, "/session-set?b=1").await);
        assert!(line.contains("Max-Age=300;"), "{own}: {line}");
    }
    for own in ["0", "0.0"] {
        pair.get(Of::Django, &format!("/expiry?seconds={own}")).await;
        let line = cookie(&pair.get(Of::Haechi, "/session-set?b=2").await);
        assert!(!line.contains("Max-Age"), "{own}: {line}");
    }
}

/// As django-axes documents it: the first backend only judges, and asks none for a user.
#[tokio::test]
async fn who_signs_in_through_any_backend_of_the_list_is_known_on_both() {
    let (gate, model, second) =
        ("__main__.Gate", "django.contrib.auth.backends.ModelBackend", "__main__.Second");
    for (list, of_haechi) in [([gate, model, second], model), ([gate, second, second], second)] {
        let settings = json!({ "AUTHENTICATION_BACKENDS": list }).to_string();
        let section = format!("auth_backend = '{of_haechi}'\nauth_backends = {list:?}");
        let differently = Differently { settings: &settings, section: &section, ..Differently::default() };
        let Some(mut pair) = pair(differently).await else { return };
        assert!(pair.sign_in(Of::Haechi, "ada", PASSWORD).await);
        assert_eq!(pair.both().await.as_deref(), Some("ada"), "{list:?}");
        pair.new_browser();
        let fields = [("username", "ada"), ("password", PASSWORD), ("backend", second)];
        assert_eq!(pair.post(Of::Django, "/login", &fields).await.status, 200);
        assert_eq!(pair.both().await.as_deref(), Some("ada"), "{list:?}");
        pair.get(Of::Haechi, "/session-set?a=1").await;
        assert_eq!(pair.get(Of::Django, "/value?name=_auth_user_backend").await.text(), second);
        assert_eq!(pair.get(Of::Django, "/value?name=a").await.text(), "1");
        assert!(pair.post(Of::Haechi, "/logout", &[]).await.status.as_u16() < 400);
        assert_eq!(pair.both().await, None);
    }
}

/// A Django that prefers another algorithm finds nothing to rewrite either.
#[tokio::test]
async fn the_first_hasher_of_django_is_ours() {
    let own = "argon2_time_cost = 3\nargon2_memory_cost = 1024\nargon2_parallelism = 2\nbcrypt_rounds = 5\n\
               scrypt_work_factor = 1024\nscrypt_block_size = 4\nscrypt_parallelism = 2";
    let usual = "django.contrib.auth.hashers";
    for (class, name, parameters, begins) in [
        (format!("{usual}.Argon2PasswordHasher"), "argon2", "", "argon2$argon2id$v=19$m=102400,t=2,p=8$"),
        (format!("{usual}.BCryptSHA256PasswordHasher"), "bcrypt_sha256", "", "bcrypt_sha256$$2b$12$"),
        (format!("{usual}.ScryptPasswordHasher"), "scrypt", "", "scrypt$16384$"),
        ("__main__.Argon2".to_owned(), "argon2", own, "argon2$argon2id$v=19$m=1024,t=3,p=2$"),
        ("__main__.BCrypt".to_owned(), "bcrypt_sha256", own, "bcrypt_sha256$$2b$05$"),
        ("__main__.PlainBCrypt".to_owned(), "bcrypt", "bcrypt_rounds = 6", "bcrypt$$2b$06$"),
        ("__main__.Scrypt".to_owned(), "scrypt", own, "scrypt$1024$"),
    ] {
        let settings = json!({ "PASSWORD_HASHERS": [class] }).to_string();
        let section = format!("password_hasher = '{name}'\n{parameters}");
        let differently = Differently { settings: &settings, section: &section, ..Differently::default() };
        let Some(mut pair) = pair(differently).await else { return };
        assert!(pair.sign_in(Of::Haechi, "bob", PASSWORD).await, "{name}");
        let fields = [("old_password", PASSWORD), ("new_password1", NEW), ("new_password2", NEW)];
        assert_eq!(pair.post(Of::Haechi, "/password-change", &fields).await.status, 303, "{name}");
        let column = pair.get(Of::Django, "/column?username=bob").await.text();
        assert!(column.starts_with(begins), "{column}");
        for there in BOTH {
            pair.new_browser();
            assert!(pair.sign_in(there, "bob", NEW).await, "{name} {there:?}");
            assert_eq!(pair.get(Of::Django, "/column?username=bob").await.text(), column, "{there:?}");
        }
    }
}

/// Where Django writes a session at every request, a visit here prolongs it too; elsewhere it does not.
#[tokio::test]
async fn a_visit_prolongs_a_session_where_django_says_so() {
    for every in [false, true] {
        let settings = if every { "{\"SESSION_SAVE_EVERY_REQUEST\": true}" } else { "{}" };
        let section = format!("session_save_every_request = {every}");
        let Some(mut pair) =
            pair(Differently { settings, section: &section, ..Differently::default() }).await
        else {
            return;
        };
        assert!(pair.sign_in(Of::Django, "ada", PASSWORD).await);
        for there in BOTH {
            let answer = pair.get(there, "/whoami").await;
            let set = answer.cookies().into_iter().any(|line| line.starts_with("sessionid="));
            assert_eq!(set, every, "{there:?}");
        }
        assert_eq!(pair.both().await.as_deref(), Some("ada"));
    }
}

/// The cookies have the names that the site gave them.
#[tokio::test]
async fn cookies_of_other_names_are_shared() {
    let settings = "{\"SESSION_COOKIE_NAME\": \"sid\", \"CSRF_COOKIE_NAME\": \"form\"}";
    let section = "session_cookie_name = 'sid'\ncsrf_cookie_name = 'form'";
    for mut pair in pairs(Differently { settings, section, ..Differently::default() }).await {
        for there in BOTH {
            pair.new_browser();
            assert!(pair.sign_in(there, "ada", PASSWORD).await, "{there:?}");
            assert!(pair.jar.find("sid").is_some() && pair.jar.find("sessionid").is_none());
            assert!(pair.jar.find("form").is_some() && pair.jar.find("csrftoken").is_none());
            assert_eq!(pair.both().await.as_deref(), Some("ada"));
        }
    }
}

#[tokio::test]
async fn what_django_would_refuse_haechi_lets_through_neither() {
    let Some(mut pair) = pair(Differently::default()).await else { return };
    let token = pair.token(Of::Haechi).await;
    let own = |method: &str, path: &str| Shot::new(method, path).header("origin", "http://localhost");
    let form = "application/x-www-form-urlencoded";
    let field = format!("csrfmiddlewaretoken={token}");
    let rows = [
        (own("POST", "/json").body("application/json", "{}"), 403),
        (own("DELETE", "/json").body("application/json", "{}"), 403),
        (own("PUT", "/form").body(form, field.clone()), 403),
        (own("PUT", "/form").header("x-csrftoken", &token).body(form, ""), 200),
        (own("POST", "/form").header("x-csrftoken", &token).body(form, "csrfmiddlewaretoken=x"), 403),
        (own("POST", "/form").header("x-csrftoken", "x").body(form, field.clone()), 403),
        (own("POST", "/form").header("x-csrftoken", &token).body(form, "a=1"), 200),
        (own("POST", "/form").body(form, "a=1"), 403),
        (Shot::new("POST", "/form").header("origin", "null").body(form, field.clone()), 403),
        (Shot::new("POST", "/form").header("origin", "http://evil.example").body(form, field.clone()), 403),
        (Shot::new("POST", "/form").header("sec-fetch-site", "same-site").body(form, field.clone()), 403),
        (Shot::new("POST", "/form").body(form, field.clone()), 403),
        (own("POST", "/form").without_cookies().body(form, field.clone()), 403),
        (own("POST", "/form").body(form, field.clone() + &"&a=1".repeat(999)), 200),
        (own("POST", "/form").body(form, field.clone() + &"&a=1".repeat(1_000)), 400),
        (own("POST", "/form").body(form, format!("{field}&a={}", "x".repeat(2_621_440))), 413),
        (own("POST", "/exempt").body(form, ""), 200),
    ];
    for (shot, expected) in rows {
        let shown = format!("{shot:?}").chars().take(400).collect::<String>();
        assert_eq!(pair.send(Of::Haechi, shot).await.status, expected, "{shown}");
    }
}

#[tokio::test]
async fn the_tables_of_django_are_adopted_and_ours_stand_beside_them() {
    for pair in pairs(Differently::default()).await {
        let ours = haechi::sql!("select count(*) from haechi_throttle").scalar::<i64>(pair.site.db()).await;
        assert!(ours.is_ok());
        let users = haechi::sql!("select count(*) from auth_user").scalar::<i64>(pair.site.db()).await;
        assert_eq!(users.unwrap(), 2);
    }
}
