//! A device that the user knows is not kept out by strangers, and strangers get a hundred guesses.

use std::time::Duration;

use haechi_auth::{Credentials, Error};
use haechi_core::base64url;

use crate::site::{Browser, PASSWORD, Site};

async fn cookie(site: &Site, username: &str) -> String {
    let mut browser = Browser::default();
    assert!(site.sign_in(&mut browser, username, PASSWORD).await);
    site.visit(&mut browser, async |auth| auth.known_device_value(None).await.unwrap()).await
}

/// Returns whether alice is signed in, from a network that was never seen, or the error.
async fn enter(site: &Site, password: &str, device: Option<&str>) -> Result<bool, Error> {
    let credentials = Credentials { username: "alice".to_owned(), password: password.to_owned() };
    let visit = async |auth: &haechi_auth::Auth| auth.authenticate_from(&credentials, device).await;
    Ok(site.visit(&mut Browser::default(), visit).await?.is_some())
}

/// asvs_6_3_1, asvs_6_1_1: NIST's hundred, without keeping the user out.
#[tokio::test]
async fn asvs_6_3_1_after_a_hundred_failures_only_a_known_device_signs_in() {
    let site = Site::with_alice().await;
    let device = cookie(&site, "alice").await;
    for _ in 0..99 {
        assert!(!enter(&site, "wrong", None).await.unwrap());
    }
    assert!(enter(&site, PASSWORD, None).await.unwrap(), "the hundredth is evaluated, and starts anew");
    for _ in 0..100 {
        assert!(!enter(&site, "wrong", None).await.unwrap());
    }
    assert!(!enter(&site, PASSWORD, None).await.unwrap(), "not evaluated");
    assert!(enter(&site, PASSWORD, Some(&device)).await.unwrap());
    assert!(!enter(&site, PASSWORD, None).await.unwrap(), "nor after the known device signed in");
    assert!(!enter(&site, "wrong", Some(&device)).await.unwrap());
    let mut links = site.authority.reset_link_for("alice@example.com", network()).await.unwrap();
    let (_, uid, token) = links.remove(0);
    let reset = site.authority.check_reset(&uid, &token).await.unwrap().unwrap();
    assert!(site.authority.set_password(&reset, PASSWORD).await.unwrap());
    assert!(enter(&site, PASSWORD, None).await.unwrap(), "a password set anew is evaluated");
}

#[tokio::test]
async fn a_device_has_an_allowance_of_its_own() {
    let site = Site::with_alice().await;
    let (one, two) = (cookie(&site, "alice").await, cookie(&site, "alice").await);
    for _ in 0..5 {
        assert!(!enter(&site, "wrong", Some(&one)).await.unwrap());
    }
    assert!(matches!(enter(&site, PASSWORD, Some(&one)).await, Err(Error::Throttled { .. })));
    assert!(enter(&site, PASSWORD, Some(&two)).await.unwrap());
}

/// Signs a user in on the device that the cookie tells, and returns the cookie of afterwards.
async fn share(site: &Site, username: &str, device: Option<&str>) -> String {
    let mut browser = Browser::default();
    assert!(site.sign_in(&mut browser, username, PASSWORD).await);
    site.visit(&mut browser, async |auth| auth.known_device_value(device).await.unwrap()).await
}

/// Returns whether the device is known to the user: no counter of the network, which is another each time, is begun.
async fn knows(site: &Site, username: &str, device: &str) -> bool {
    let counted = async || -> i64 {
        haechi_db::sql!("select count(*) from haechi_throttle").scalar(&site.db).await.unwrap()
    };
    let before = counted().await;
    let credentials = Credentials { username: username.to_owned(), password: "wrong".to_owned() };
    let visit = async |auth: &haechi_auth::Auth| auth.authenticate_from(&credentials, Some(device)).await;
    assert!(site.visit(&mut Browser::default(), visit).await.unwrap().is_none());
    counted().await - before <= 1
}

#[tokio::test]
async fn a_device_knows_the_five_users_who_signed_in_last() {
    let site = Site::new().await;
    // With a sign that base64url does not have: three letters stand in a text of random ones by chance.
    let names = ["ada@home", "bob@home", "cyd@home", "dan@home", "eve@home", "fay@home"];
    let mut device = None;
    for name in names {
        site.create(name).await.unwrap();
        device = Some(share(&site, name, device.as_deref()).await);
    }
    let device = device.unwrap();
    for (name, known) in names.into_iter().zip([false, true, true, true, true, true]) {
        assert_eq!(knows(&site, name, &device).await, known, "{name}");
    }
    let hidden = |name: &&str| !device.contains(*name) && !device.contains(&base64url::encode(name));
    assert!(device.len() < 500 && names.iter().all(hidden), "{device}");
    let again = share(&site, "bob@home", Some(&device)).await;
    let back = share(&site, "ada@home", Some(&again)).await;
    assert!(
        knows(&site, "bob@home", &back).await,
        "a second sign-in takes no second place, and is the latest"
    );
    assert!(!knows(&site, "cyd@home", &back).await, "the oldest gave way");
    let fresh = share(&site, "cyd@home", Some("forged.x.1:1:x")).await;
    assert!(knows(&site, "cyd@home", &fresh).await && !knows(&site, "ada@home", &fresh).await);
}

/// Whoever signs in every day does not keep a user known who never came back.
#[tokio::test]
async fn each_user_of_a_device_is_forgotten_after_400_days() {
    let site = Site::new().await;
    for name in ["ada", "bob"] {
        site.create(name).await.unwrap();
    }
    let device = share(&site, "ada", None).await;
    site.clock.advance(Duration::from_secs(300 * 86_400));
    let device = share(&site, "bob", Some(&device)).await;
    assert!(knows(&site, "ada", &device).await);
    site.clock.advance(Duration::from_secs(101 * 86_400));
    assert!(knows(&site, "bob", &device).await && !knows(&site, "ada", &device).await);
    let device = share(&site, "bob", Some(&device)).await;
    assert!(!knows(&site, "ada", &device).await);
}

#[tokio::test]
async fn a_forged_foreign_or_old_cookie_makes_no_device_known() {
    let site = Site::with_alice().await;
    site.create("mallory").await.unwrap();
    let (own, foreign) = (cookie(&site, "alice").await, cookie(&site, "mallory").await);
    for _ in 0..100 {
        assert!(!enter(&site, "wrong", None).await.unwrap());
    }
    let forged = format!("{}x", &own[..own.len() - 1]);
    for wrong in ["", "x", "a.b", &foreign, &forged] {
        assert!(!enter(&site, PASSWORD, Some(wrong)).await.unwrap(), "{wrong}");
    }
    site.clock.advance(Duration::from_secs(399 * 86_400));
    assert!(enter(&site, PASSWORD, Some(&own)).await.unwrap());
    assert!(!enter(&site, PASSWORD, None).await.unwrap(), "a year does not give another hundred");
    site.clock.advance(Duration::from_secs(86_401));
    assert!(!enter(&site, PASSWORD, Some(&own)).await.unwrap(), "too old");
    let nobody = site.visit(&mut Browser::default(), async |auth| auth.known_device_value(None).await).await;
    assert!(matches!(nobody, Err(Error::NotSignedIn)));
}

/// asvs_6_1_1: failures on one account are not another's, and end with their time.
#[tokio::test]
async fn asvs_6_1_1_a_hundred_failures_are_of_one_account_and_of_four_hundred_days() {
    let site = Site::with_alice().await;
    site.create("bob").await.unwrap();
    for _ in 0..100 {
        assert!(!enter(&site, "wrong", None).await.unwrap());
    }
    assert!(!enter(&site, PASSWORD, None).await.unwrap(), "alice's password is not evaluated");
    assert!(site.sign_in(&mut Browser::default(), "bob", PASSWORD).await, "bob's is");
    site.clock.advance(Duration::from_secs(400 * 86_400 + 1));
    assert!(enter(&site, PASSWORD, None).await.unwrap(), "forgotten");
}

fn network() -> haechi_core::ClientNetwork {
    haechi_core::ClientIp::from(std::net::IpAddr::from([192, 0, 2, 1])).network()
}
