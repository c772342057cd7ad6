//! `demo`: fills the board with a little content in English and Korean.

use haechi::db::Db;
use haechi::{CreateUser, Result, Site, UserId};
use jiff::{SignedDuration, Timestamp};

use crate::models::{Comment, NewComment, NewPost, NewProfile, Post, Profile, comment, post, profile};

/// Makes three people with random passwords, prints these, and lets them write. A second run adds nothing.
pub(crate) async fn fill(site: Site) -> Result<()> {
    let mut people = Vec::new();
    for (name, website, biography) in PEOPLE {
        let password = password();
        let new = CreateUser { username: name, email: "", password: &password, is_superuser: false };
        let user = match site.authority().create_user(new).await {
            Ok(user) => user,
            Err(error) if people.is_empty() => {
                println!("nothing was added: {name}: {error}");
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        println!("{name}  {password}");
        introduce(site.db(), user.id, website, biography).await?;
        people.push(user.id);
    }
    let start = crate::now(&site)? - SignedDuration::from_hours(26);
    for ((title, body, comments), turn) in POSTS.iter().zip(0_i64..) {
        let at = start + SignedDuration::from_mins(turn * 127);
        let mut speakers = people.iter().copied().cycle().skip(usize::try_from(turn).unwrap_or(0));
        let Some(author) = speakers.next() else { break };
        let id = write(site.db(), author, title, body, at).await?;
        for ((text, speaker), minutes) in comments.iter().zip(speakers).zip(1..) {
            say(site.db(), id, speaker, text, at + SignedDuration::from_mins(9 * minutes)).await?;
        }
    }
    println!("{} posts were added", POSTS.len());
    Ok(())
}

async fn introduce(db: &Db, user: UserId, website: &str, biography: &str) -> Result<()> {
    let input = NewProfile { website: website.to_owned(), biography: biography.to_owned() };
    Profile::insert(input).set(profile::user_id, user).execute(db).await?;
    Ok(())
}

async fn write(db: &Db, author: UserId, title: &str, body: &str, at: Timestamp) -> Result<i64> {
    let input = NewPost { title: title.to_owned(), body: body.to_owned() };
    Ok(Post::insert(input).set(post::author_id, author).set(post::created, at).returning(db).await?.id)
}

async fn say(db: &Db, post_id: i64, author: UserId, text: &str, at: Timestamp) -> Result<()> {
    Comment::insert(NewComment { body: text.to_owned() })
        .set(comment::post_id, post_id)
        .set(comment::author_id, author)
        .set(comment::created, at)
        .execute(db)
        .await?;
    Ok(())
}

/// 120 bits, in groups that a person can read out.
fn password() -> String {
    let bits: [u16; 8] = rand::random();
    let groups: Vec<String> = bits.iter().map(|bits| format!("{:04x}", bits & 0x7fff)).collect();
    groups.join("-")
}

const PEOPLE: [(&str, &str, &str); 3] = [
    (
        "ada",
        "https://example.org/ada",
        "I keep the lighthouse.\nWrite to me about lamps, lenses and logbooks.",
    ),
    ("haneul", "https://example.org/haneul", "산책과 빵을 좋아합니다.\n주말에는 북한산에 있습니다."),
    ("grace", "", "Gardener, reader of <b>bold</b> claims & footnotes."),
];

/// Title, text, comments.
const POSTS: [(&str, &str, &[&str]); 12] = [
    (
        "Welcome to the board",
        "Everybody may read here.\nSign up to write, and be kind to each other.",
        &["Glad to be here.", "반갑습니다!"],
    ),
    (
        "처음 오신 분들께",
        "읽기는 누구나 할 수 있습니다.\n글을 쓰려면 회원 가입을 해 주세요.",
        &["안녕하세요, 잘 부탁드립니다."],
    ),
    (
        "What stands at the palace gate?",
        "Two stone haechi guard the gate. They are said to eat fire, and to know right from wrong.\n\nHas anybody seen them up close?",
        &["Last spring, in the rain. They looked content.", "광화문 앞에 있습니다. 지금도 그 자리에요."],
    ),
    (
        "오늘의 산책",
        "비가 그친 뒤의 숲길은 조용했습니다.\n다람쥐 두 마리를 만났습니다.",
        &["사진도 보여 주세요!"],
    ),
    (
        "1 < 2 && \"quotes\" are 'fine'",
        "A title may hold <script>, & and quotes: they are only letters.",
        &[],
    ),
    (
        "A loaf that works every time",
        "500 g flour\n350 g water\n10 g salt\na spoon of yeast\n\nMix, wait overnight, bake hot.",
        &["How hot is hot?", "As hot as your oven goes.", "저도 해 볼게요."],
    ),
    (
        "동네 빵집 추천",
        "역 앞 골목 안쪽에 작은 빵집이 생겼습니다.\n호밀빵이 특히 좋습니다.",
        &["몇 시에 여나요?", "여덟 시에 엽니다."],
    ),
    (
        "The lamp was changed today",
        "The old one burned for nine years. The new one is smaller and brighter.",
        &[],
    ),
    ("책을 바꿔 읽어요", "다 읽은 책을 서로 바꿔 읽을 분을 찾습니다.", &["저는 시집이 몇 권 있습니다."]),
    (
        "Which tools do you keep in your bag?",
        "Mine: a pencil, a knife, string. The string gets used most.",
        &["A torch.", "String, yes."],
    ),
    (
        "김장 준비",
        "배추 스무 포기, 무 열 개.\n손이 많이 필요합니다. 토요일 아침에 모여요.",
        &["갈게요.", "I will bring gloves."],
    ),
    (
        "Frost tonight",
        "Cover the young plants. It is said to fall to minus three.",
        &["고맙습니다, 화분을 들여놓았어요."],
    ),
];
