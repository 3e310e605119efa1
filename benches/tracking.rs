//! What `benches/run` needs to measure pixels and links.
//!
//! usage: `tracking prepare DATABASE PATHS` fills a migrated database with mails and writes the paths of their
//! pixels and links; `tracking plain` serves the same answers by the same server without a store, and says where;
//! `tracking load ADDRESS PATHS SECONDS CONNECTIONS` asks, one request after the other on each connection, and
//! prints a JSON line; `tracking tick PROJECT DATABASE ROUNDS` measures a full pass, and a tick after 1,000 new
//! hits.

use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract;
use axum::http::{StatusCode, Uri, header};
use axum::response::IntoResponse as _;
use axum::routing::get;
use campaignd::audience;
use campaignd::clock::Clock;
use campaignd::declare;
use campaignd::domain::campaign::Tracking;
use campaignd::domain::catalogue::EvaluationSettings;
use campaignd::domain::consent::{ConsentState, Purpose};
use campaignd::domain::contact::{ConsentUpdate, ContactUpdate};
use campaignd::domain::delivery::{DeliveryId, RunId};
use campaignd::domain::engagement::{EngagementKind, Hit, HitSubject, RequestFacts};
use campaignd::domain::time::Timestamp;
use campaignd::http;
use campaignd::links::{Claims, Links, Signer, SigningKey, Subject};
use campaignd::store::{Store, StoreOptions, contacts, links, secrets};
use campaignd::track::{self, Spool, TrackSettings};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

type Outcome = Result<(), Box<dyn Error>>;

const MAILS: i64 = 20_000;
/// What the tokens are signed with.
const SECRET: [u8; 32] = [7; 32];
const URL: &str = "https://maison.example/rackets?utm_source=newsletter";
/// The last instant of the data of the full pass: 2026-11-01T00:00:00Z.
const NOW: Timestamp = Timestamp::from_seconds(1_793_491_200);
const BROWSER: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36";

fn main() -> Outcome {
    let words: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let many = || tokio::runtime::Builder::new_multi_thread().enable_all().build();
    match words.as_slice() {
        ["prepare", database, paths] => many()?.block_on(prepare(database, paths)),
        ["plain"] => many()?.block_on(plain()),
        ["load", address, paths, seconds, connections] => {
            let load = load(address, paths, seconds.parse()?, connections.parse()?);
            tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(load)
        }
        ["tick", project, database, rounds] => many()?.block_on(tick(project, database, rounds.parse()?)),
        _ => {
            println!("tracking: not run: see the head of benches/tracking.rs");
            Ok(())
        }
    }
}

async fn prepare(database: &str, paths: &str) -> Outcome {
    let store = Store::connect(&format!("sqlite://{database}"), &StoreOptions::default()).await?;
    let now = Clock::System.now();
    let agrees = ConsentUpdate {
        purpose: Purpose::Tracking,
        state: ConsentState::Yes,
        at: now,
        source: "bench".to_owned(),
        words: None,
        gives_way: false,
    };
    let person = |number: i64| ContactUpdate {
        external_id: Some(format!("reader-{number}")),
        consents: vec![agrees.clone()],
        ..ContactUpdate::default()
    };
    contacts::apply(&store, &(0..MAILS).map(person).collect::<Vec<_>>(), now).await?;
    let at = now.micros();
    rusqlite::Connection::open(database)?.execute_batch(&format!(
        "INSERT INTO runs (id, campaign, due_at, state, made_by, created_at) VALUES (1, 'bench', {at}, 'finished', 'schedule', {at});
         INSERT INTO deliveries (run, contact, version, state, not_before, settled_at, recorded_at, tracking)
         SELECT 1, id, 'default', 'accepted', {at}, {at}, {at}, 'individual' FROM contacts ORDER BY id;"
    ))?;
    let link = links::intern(&store, RunId(1), &[URL.to_owned()]).await?;
    let link = link.first().copied().ok_or("the link has no number")?;
    secrets::signing_secrets(&store, SECRET, now).await?;
    let links = Links::new(Signer::new(&SigningKey { id: 0, secret: SECRET.to_vec() }, &[]), "");
    let mut written = String::new();
    for delivery in 1..=MAILS {
        let subject = Subject::Delivery(DeliveryId(delivery));
        writeln!(written, "{}\n{}", links.open(subject), links.click(subject, link))?;
    }
    std::fs::write(paths, written)?;
    store.close().await?;
    Ok(())
}

/// The same server and the same answers, tokens read, without a spool or a store.
async fn plain() -> Outcome {
    const PIXEL: &[u8] = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;";
    const NOT_FOUND: (StatusCode, &str) = (StatusCode::NOT_FOUND, "not found");
    let signer = Arc::new(Signer::new(&SigningKey { id: 0, secret: SECRET.to_vec() }, &[]));
    let token = |uri: &Uri| uri.path().rsplit('/').next().unwrap_or_default().to_owned();
    let open = async move |extract::State(signer): extract::State<Arc<Signer>>, uri: Uri| {
        let Ok(Claims::Open(_)) = signer.verify(&token(&uri)) else { return NOT_FOUND.into_response() };
        ([(header::CONTENT_TYPE, "image/gif"), (header::CACHE_CONTROL, "no-store")], PIXEL).into_response()
    };
    let click = async move |extract::State(signer): extract::State<Arc<Signer>>, uri: Uri| {
        let Ok(Claims::Click(..)) = signer.verify(&token(&uri)) else { return NOT_FOUND.into_response() };
        let headers = [
            (header::LOCATION, URL),
            (header::REFERRER_POLICY, "no-referrer"),
            (header::CACHE_CONTROL, "no-store"),
        ];
        (StatusCode::FOUND, headers).into_response()
    };
    let app = Router::new().route("/o/{token}", get(open)).route("/c/{token}", get(click)).with_state(signer);
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    println!("pages: http://{}", listener.local_addr()?);
    http::serve_router(listener, app).await;
    Ok(())
}

async fn load(address: &str, paths: &str, seconds: f64, connections: usize) -> Outcome {
    let text = std::fs::read_to_string(paths)?;
    let requests: Vec<String> = text
        .lines()
        .map(|path| {
            format!(
                "GET {path} HTTP/1.1\r\nhost: mail.maison.example\r\nuser-agent: {BROWSER}\r\naccept: image/avif,image/webp,*/*\r\naccept-language: fr-FR,fr;q=0.9\r\naccept-encoding: gzip, deflate, br\r\n\r\n"
            )
        })
        .collect();
    let requests: &'static [String] = requests.leak();
    let address: std::net::SocketAddr = address.parse()?;
    let started = Instant::now();
    let end = started + Duration::from_secs_f64(seconds);
    let readers: Vec<_> =
        (0..connections).map(|first| tokio::spawn(ask(address, requests, first, connections, end))).collect();
    let mut micros: Vec<u32> = Vec::new();
    for reader in readers {
        micros.extend(reader.await?.map_err(|error| format!("a connection failed: {error}"))?);
    }
    let elapsed = started.elapsed().as_secs_f64();
    micros.sort_unstable();
    let at = |share: f64| micros.get((micros.len() as f64 * share) as usize).copied().unwrap_or_default();
    let (count, rate) = (micros.len(), micros.len() as f64 / elapsed);
    println!(
        "{}",
        serde_json::json!({ "requests": count, "rate": rate, "p50_us": at(0.5), "p99_us": at(0.99) })
    );
    Ok(())
}

/// One connection: every so-many-th request, until the time is over. Gives how long each took.
async fn ask(
    address: std::net::SocketAddr,
    requests: &'static [String],
    first: usize,
    step: usize,
    end: Instant,
) -> std::io::Result<Vec<u32>> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    let mut micros = Vec::with_capacity(1 << 18);
    let mut line = String::new();
    let mut body = [0; 64];
    let mut place = first * 2 % requests.len();
    loop {
        let asked = Instant::now();
        if asked >= end {
            return Ok(micros);
        }
        stream.write_all(requests[place].as_bytes()).await?;
        let mut length = 0;
        loop {
            line.clear();
            stream.read_line(&mut line).await?;
            if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.trim().parse().unwrap_or(0);
            }
            match line.as_str() {
                "\r\n" => break,
                "" => return Err(std::io::ErrorKind::UnexpectedEof.into()),
                _ => {}
            }
        }
        stream.read_exact(&mut body[..length]).await?;
        micros.push(asked.elapsed().as_micros() as u32);
        place = (place + step) % requests.len();
    }
}

async fn tick(project: &str, database: &str, rounds: u32) -> Outcome {
    let settings = EvaluationSettings { time_zone: campaignd::domain::time::Zone::UTC };
    let loaded = declare::load(Path::new(project), settings.time_zone);
    let catalogue = loaded.catalogue.ok_or("the declarations are wrong: run `campaignd check`")?;
    let store = Store::connect(&format!("sqlite://{database}"), &StoreOptions::default()).await?;
    // It may have been filled by an older version.
    store.migrate().await?;
    let at = NOW.micros();
    let spool = Spool::open(&Path::new(database).with_extension("spool"), [3; 32])?;
    let rules =
        TrackSettings { ceiling: Tracking::Individual, unknown_is_yes: true, time_zone: settings.time_zone };
    let (mut full, mut ticks) = (Vec::new(), Vec::new());
    for round in 0..=rounds {
        let connection = rusqlite::Connection::open(database)?;
        connection.execute_batch(
            "DELETE FROM membership_blocks; DELETE FROM membership_changes; DELETE FROM review_blocks;
             DELETE FROM segments;",
        )?;
        // 1,000 contacts of all parts, each with a mail.
        connection.execute_batch(&format!(
            "INSERT INTO runs (campaign, due_at, state, made_by, created_at) VALUES ('bench', {at} + {round}, 'finished', 'schedule', {at});
             INSERT INTO deliveries (run, contact, version, state, not_before, settled_at, recorded_at, tracking)
             SELECT (SELECT MAX(id) FROM runs), id, 'default', 'accepted', {at}, {at} - 3600000000, {at}, 'individual'
             FROM contacts WHERE id % 1000 = {round} LIMIT 1000;"
        ))?;
        let mut list =
            connection.prepare("SELECT id FROM deliveries WHERE run = (SELECT MAX(id) FROM runs)")?;
        let deliveries: Vec<i64> = list.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        drop(list);
        drop(connection);

        let start = Instant::now();
        audience::refresh(&store, &catalogue, settings, NOW).await?;
        let pass = start.elapsed().as_secs_f64();

        let request = RequestFacts { user_agent: Some(BROWSER.to_owned()), ..RequestFacts::default() };
        for delivery in &deliveries {
            let subject = HitSubject::Delivery(DeliveryId(*delivery));
            let hit =
                Hit { kind: EngagementKind::Opened, subject, link: 0, at: NOW, request: request.clone() };
            spool.append(&hit).await?;
        }
        let later = NOW.plus(Duration::from_secs(1));
        let start = Instant::now();
        let (drained, read) = track::take_in(&store, &spool, rules, later).await?;
        let taken_in = start.elapsed().as_secs_f64();
        let refreshed = audience::refresh(&store, &catalogue, settings, later).await?;
        let tick = start.elapsed().as_secs_f64();
        if (drained.kept, read.new, refreshed.full)
            != (deliveries.len() as u64, deliveries.len() as u64, false)
        {
            return Err(format!("not all hits came in: {drained:?} {read:?} {refreshed:?}").into());
        }
        if round > 0 {
            eprintln!(
                "pass {pass:.3} s; tick {tick:.3} s, of which {taken_in:.3} s for the hits; looked at {}",
                refreshed.looked_at
            );
            full.push(pass);
            ticks.push(tick);
        }
    }
    println!("{}", serde_json::json!({ "full": full, "tick": ticks }));
    Ok(())
}
