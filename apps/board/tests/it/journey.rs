//! What people do: sign up, write, answer, change, search, and be kept out of what is not theirs.

use crate::server::Server;

/// asvs_8_2_2, asvs_8_3_1: asked on the server, for each row.
#[test]
fn a_member_writes_and_others_answer_but_do_not_change_it() {
    let server = Server::start();
    let (mut ada, mut bob, mut visitor) = (server.member("ada"), server.member("bob"), server.visitor());
    let post = ada.submit("/posts/new", &[("title", "Hello"), ("body", "one\r\ntwo")]).redirect();
    ada.get(&post).expect(200).shows("Your post is published.").shows("one\ntwo").shows("/edit");
    visitor.get(&post).expect(200).shows("<h1>Hello</h1>").hides("/edit").hides("<textarea");
    visitor.get("/").expect(200).shows("Hello").shows("<time datetime=\"2");

    bob.submit_to(&post, &format!("{post}/comments"), &[("body", "Welcome!")]).expect_redirect(&post);
    bob.get(&post).shows("Welcome!").hides("/edit");
    for path in [format!("{post}/edit"), format!("{post}/delete")] {
        bob.get(&path).expect(403);
        bob.submit_to("/posts/new", &path, &[("title", "mine"), ("body", "mine")]).expect(403);
        assert!(visitor.get(&path).redirect().starts_with("/accounts/login?next="), "{path}");
    }
    bob.get("/moderation").expect(403);
    ada.get(&post).shows("<h1>Hello</h1>");

    ada.submit(&format!("{post}/edit"), &[("title", "Hello again"), ("body", "three")])
        .expect_redirect(&post);
    visitor.get(&post).shows("<h1>Hello again</h1>").shows("changed").shows("Welcome!");
    ada.submit(&format!("{post}/delete"), &[]).expect_redirect("/");
    ada.get("/").shows("The post is deleted.").hides("Hello again");
    visitor.get(&post).expect(404);
    server.finish();
}

#[test]
fn whoever_may_moderate_changes_what_others_wrote() {
    let server = Server::start();
    let (mut ada, mut warden) = (server.member("ada"), server.superuser("warden"));
    let post = ada.submit("/posts/new", &[("title", "Rude"), ("body", "words")]).redirect();
    ada.submit_to(&post, &format!("{post}/comments"), &[("body", "ruder words")]).redirect();
    ada.submit_to("/posts/new", "/moderation/comments/1/delete", &[]).expect(403);
    ada.get("/").hides("href=\"/moderation\"");
    warden.get("/").shows("href=\"/moderation\"");
    warden.get("/moderation").expect(200).shows("ruder words").shows("Rude");
    let delete = "/moderation/comments/1/delete";
    warden.submit_to("/moderation", delete, &[]).expect_redirect("/moderation");
    warden.submit_to("/moderation", delete, &[]).expect(404);
    let fields = [("title", "Polite"), ("body", "words")];
    warden.submit(&format!("{post}/edit"), &fields).expect_redirect(&post);
    ada.get(&post).shows("<h1>Polite</h1>").hides("ruder");
    warden.submit(&format!("{post}/delete"), &[]).expect_redirect("/");
    ada.get(&post).expect(404);
    server.finish();
}

#[test]
fn a_journey_in_korean() {
    let server = Server::start();
    let mut haneul = server.visitor();
    haneul.language = "ko-KR,ko;q=0.9,en;q=0.5";
    haneul.get("/").shows("<html lang=\"ko\">").shows("아직 글이 없습니다.").shows("회원 가입");
    let fields = [("username", "하늘"), ("email", ""), ("password", "토끼 여섯 마리와 버섯 반찬 한 접시")];
    haneul.submit("/accounts/signup", &fields).expect_redirect("/");
    haneul
        .submit("/posts/new", &[("title", " "), ("body", "본문")])
        .expect(422)
        .shows("내용을 입력해 주세요.");
    let post = haneul.submit("/posts/new", &[("title", "해치 이야기"), ("body", "불을 먹는다고 합니다.")]);
    let post = post.redirect();
    haneul.get(&post).shows("글을 올렸습니다.").shows("<h1>해치 이야기</h1>");
    haneul.get("/search?title__contains=%ED%95%B4%EC%B9%98").shows("해치 이야기").shows("검색 결과: 1");
    haneul
        .submit("/profile", &[("website", "https://해치.example/길"), ("biography", "첫째\n둘째")])
        .redirect();
    haneul.get("/profile").shows("프로필을 저장했습니다.");
    haneul.get("/users/%ED%95%98%EB%8A%98").expect(200).shows("첫째\n둘째").shows("해치 이야기");
    server.finish();
}

#[test]
fn long_lists_have_pages_that_keep_the_search() {
    let server = Server::start();
    let mut ada = server.member("ada");
    for number in 1..=21 {
        ada.submit("/posts/new", &[("title", &format!("No. {number:02} & more")), ("body", "text")])
            .redirect();
    }
    ada.get("/").shows("No. 21").hides("No. 01").shows("href=\"/?page=2\"").hides("rel=\"prev\"");
    ada.get("/?page=2").shows("No. 01").hides("No. 21").shows("href=\"/?page=1\"").hides("rel=\"next\"");
    let first = ada.get("/search?title__contains=%26&sort=title").expect(200).shows("No. 01").hides("No. 21");
    let (_, next) = first.body.split_once("rel=\"next\" href=\"").unwrap();
    let next = next.split('"').next().unwrap().replace("&amp;", "&");
    ada.get(&next).expect(200).shows("No. 21").hides("No. 01");
    server.finish();
}
