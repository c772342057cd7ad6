//! Permissions, devices and how fresh a sign-in is.

use std::time::Duration;

use haechi_auth::Error;

use crate::site::{Browser, PASSWORD, Site};

async fn may(site: &Site, browser: &mut Browser, permission: &str) -> bool {
    site.visit(browser, async |auth| auth.has_permission(permission).await.unwrap()).await
}

/// asvs_8_2_1, asvs_8_3_2: permissions come from the user and the groups, and act at the next request.
#[tokio::test]
async fn asvs_8_3_2_a_permission_acts_at_once_and_ends_at_once() {
    let (site, mut browser) = (Site::with_alice().await, Browser::default());
    rights(&site, &mut browser).await;
}

pub(crate) async fn rights(site: &Site, browser: &mut Browser) {
    let authority = &site.authority;
    site.sign_in(browser, "alice", PASSWORD).await;
    let (direct, grouped) = ("board.moderate", "board.pin.post");
    assert!(!may(site, browser, direct).await);
    authority.grant(1, direct).await.unwrap();
    authority.grant(1, direct).await.unwrap();
    assert!(may(site, browser, direct).await);
    assert!(!may(site, browser, "board.moderat").await && !may(site, browser, "boards.moderate").await);
    let group = authority.create_group("moderators").await.unwrap();
    assert_eq!(authority.create_group("moderators").await.unwrap(), group);
    authority.grant_group(group, grouped).await.unwrap();
    assert!(!may(site, browser, grouped).await);
    authority.join_group(1, group).await.unwrap();
    assert!(may(site, browser, grouped).await);
    let all = site.visit(browser, async |auth| auth.permissions().await.unwrap()).await;
    assert_eq!(all, [direct, grouped]);
    assert!(authority.revoke(1, direct).await.unwrap() && !authority.revoke(1, direct).await.unwrap());
    assert!(!may(site, browser, direct).await && may(site, browser, grouped).await);
    assert!(authority.leave_group(1, group).await.unwrap());
    assert!(!may(site, browser, grouped).await);
    assert!(!may(site, &mut Browser::default(), grouped).await, "nobody has none");
}

#[tokio::test]
async fn a_superuser_has_every_permission_while_active() {
    let (site, mut browser) = (Site::with_alice().await, Browser::default());
    site.sign_in(&mut browser, "alice", PASSWORD).await;
    let on = true;
    haechi_db::sql!("update auth_user set is_superuser = {on}").execute(&site.db).await.unwrap();
    assert!(may(&site, &mut browser, "never.made").await);
    haechi_db::sql!("update auth_user set is_active = not {on}").execute(&site.db).await.unwrap();
    assert!(!may(&site, &mut browser, "never.made").await);
}

#[tokio::test]
async fn the_rights_of_a_request_are_read_once() {
    let (site, mut browser) = (Site::with_alice().await, Browser::default());
    site.sign_in(&mut browser, "alice", PASSWORD).await;
    site.visit(&mut browser, async |auth| {
        auth.has_permission("board.moderate").await.unwrap();
        let ask = async {
            for name in ["a.b", "board.moderate", "c.d"] {
                auth.has_permission(name).await.unwrap();
            }
        };
        assert_eq!(haechi_db::count_statements(ask).await.1, 0);
    })
    .await;
}

#[tokio::test]
async fn a_name_without_a_point_is_an_error_and_not_a_no() {
    let (site, mut browser) = (Site::with_alice().await, Browser::default());
    site.sign_in(&mut browser, "alice", PASSWORD).await;
    for name in ["", ".", "moderate", "board.", ".moderate", "a b.c", &format!("{}.x", "a".repeat(101))] {
        let asked = site.visit(&mut browser, async |auth| auth.has_permission(name).await).await;
        assert!(matches!(asked, Err(Error::InvalidPermission)), "{name}");
        assert!(matches!(site.authority.grant(1, name).await, Err(Error::InvalidPermission)), "{name}");
    }
}

/// asvs_7_5_2: a user sees the sessions and ends one or all others; nobody ends another user's.
#[tokio::test]
async fn asvs_7_5_2_a_user_lists_and_ends_sessions() {
    let (site, mut here, mut there) = (Site::with_alice().await, Browser::default(), Browser::default());
    site.create("mallory").await.unwrap();
    let mut foreign = Browser::default();
    site.sign_in(&mut here, "alice", PASSWORD).await;
    site.sign_in(&mut there, "alice", PASSWORD).await;
    site.sign_in(&mut foreign, "mallory", PASSWORD).await;
    let devices = site.visit(&mut here, async |auth| auth.devices().await.unwrap()).await;
    assert_eq!(devices.len(), 2);
    assert_eq!(devices.iter().filter(|device| device.current).count(), 1);
    assert!(devices.iter().all(|device| device.last_use == 1_700_000_000 && device.created == 1_700_000_000));
    let other = devices.iter().find(|device| !device.current).unwrap().handle.clone();
    assert!(!site.visit(&mut foreign, async |auth| auth.end_device(&other).await.unwrap()).await);
    assert!(site.name(&mut there).await.is_some());
    assert!(site.visit(&mut here, async |auth| auth.end_device(&other).await.unwrap()).await);
    assert_eq!(site.name(&mut there).await, None);
    site.sign_in(&mut there, "alice", PASSWORD).await;
    assert_eq!(site.visit(&mut here, async |auth| auth.end_other_devices().await.unwrap()).await, 1);
    assert_eq!(site.name(&mut there).await, None);
    let this = site.visit(&mut here, async |auth| auth.devices().await.unwrap()).await[0].handle.clone();
    assert!(site.visit(&mut here, async |auth| auth.end_device(&this).await.unwrap()).await);
    assert_eq!((site.name(&mut here).await, here.cookie), (None, None));
    let nobody = site.visit(&mut Browser::default(), async |auth| auth.devices().await).await;
    assert!(matches!(nobody, Err(Error::NotSignedIn)));
}

/// asvs_7_5_1: what is sensitive asks for the password again.
#[tokio::test]
async fn asvs_7_5_1_a_sign_in_grows_old_and_is_confirmed() {
    let (site, mut browser) = (Site::with_alice().await, Browser::default());
    let recent = async |browser: &mut Browser| {
        let quarter = Duration::from_secs(900);
        site.visit(browser, async |auth| auth.signed_in_within(quarter).await.unwrap()).await
    };
    assert!(!recent(&mut browser).await, "nobody");
    site.sign_in(&mut browser, "alice", PASSWORD).await;
    site.clock.advance(Duration::from_secs(900));
    assert!(recent(&mut browser).await);
    site.clock.advance(Duration::from_secs(1));
    assert!(!recent(&mut browser).await);
    let before = browser.cookie.clone();
    assert!(!site.visit(&mut browser, async |auth| auth.confirm("wrong").await.unwrap()).await);
    assert!(!recent(&mut browser).await);
    assert!(site.visit(&mut browser, async |auth| auth.confirm(PASSWORD).await.unwrap()).await);
    assert!(recent(&mut browser).await);
    assert_ne!(browser.cookie, before, "a new id");
    site.clock.set(1_600_000_000);
    assert!(!recent(&mut browser).await, "a proof from the future is none");
}

#[tokio::test]
async fn a_rewritten_hash_keeps_the_users_other_sessions() {
    let (site, mut here, mut there) = (Site::with_alice().await, Browser::default(), Browser::default());
    let old = "pbkdf2_sha256$10$seasalt2seasalt2seasalt2$";
    let weak = haechi_auth::hash::Pbkdf2::new(haechi_auth::hash::Pbkdf2Digest::Sha256, 10);
    let arena = &mut haechi_auth::hash::Arena::default();
    let column =
        haechi_auth::hash::Hasher::encode(&weak, b"password", "seasalt2seasalt2seasalt2", arena).unwrap();
    assert!(column.starts_with(old));
    // Signed in elsewhere while the site kept this hash, as a Django next door may have left it.
    let keep = Site {
        authority: crate::site::authority(
            &site.db,
            site.keys.clone(),
            site.clock.clone(),
            crate::site::hashers(haechi_auth::hash::Upgrade::Never),
        ),
        keys: site.keys.clone(),
        db: site.db.clone(),
        sessions: site.sessions.clone(),
        clock: site.clock.clone(),
        visits: std::sync::atomic::AtomicU32::new(1_000),
    };
    site.set_column(&column).await;
    assert!(keep.sign_in(&mut there, "alice", "password").await);
    assert!(site.sign_in(&mut here, "alice", "password").await);
    assert!(site.column().await.starts_with("argon2$"), "rewritten");
    assert_eq!(site.name(&mut there).await.as_deref(), Some("alice"));
    assert_eq!(site.name(&mut here).await.as_deref(), Some("alice"));
}
