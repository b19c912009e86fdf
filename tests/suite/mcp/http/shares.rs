//! What one caller takes, others still have: rooms for bodies, turns and places, each measured with raw connections.

use super::*;

/// So much that two of one caller fill its share of 16 MiB, and eight of four that of all.
const LONG: usize = (8 << 20) - (1 << 10);

/// A request of which all but the end is there.
fn stalled(web: &Web, token: &str, bytes: usize) -> TcpStream {
    let mut stream = web.open();
    let head = format!("host: localhost\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n");
    let sent = format!("POST /mcp HTTP/1.1\r\n{head}content-length: {}\r\n\r\n", bytes + 1);
    stream.write_all(sent.as_bytes()).and_then(|()| stream.write_all(&vec![b' '; bytes])).expect("it reads");
    stream
}

/// The same list, its body in one chunk: it declares no length.
fn chunked(web: &Web, token: &str) -> Reply {
    let (headers, body) = stateless("tools/list", json!({}));
    let sent = post(&format!("host: localhost\r\nauthorization: Bearer {token}\r\n{headers}"), "");
    let sent = sent.replace("content-length: 0", "transfer-encoding: chunked");
    web.raw(&format!("{sent}{:x}\r\n{body}\r\n0\r\n\r\n", body.len()))
}

/// Whether nothing has come back yet.
fn waits(stream: &TcpStream) -> bool {
    stream.set_nonblocking(true).expect("it is set");
    let waits = stream.peek(&mut [0]).is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock);
    stream.set_nonblocking(false).expect("it is set");
    waits
}

/// Asks until the answer is this one.
fn until(what: &str, mut ask: impl FnMut() -> bool) {
    let began = Instant::now();
    while !ask() {
        assert!(began.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_body_takes_room_as_it_comes_and_of_one_caller_no_more_than_its_share() {
    let world = world(&[]);
    let web = Web::begin(&world);
    let tokens = ["ann", "ben", "cem", "dan", "eve"].map(|holder| token(&world, holder, "org.skillhall").0);
    let list = |token: &str| web.raw(&request(token, "tools/list", json!({}))).status;
    // Forty that declare 8 MiB each, and send nothing of it.
    let silent: Vec<_> = (0..40)
        .map(|_| {
            let mut stream = web.open();
            let head = format!("host: localhost\r\nauthorization: Bearer {}\r\n", tokens[0]);
            stream
                .write_all(format!("POST /mcp HTTP/1.1\r\n{head}transfer-encoding: chunked\r\n\r\n").as_bytes())
                .expect("it reads");
            stream
        })
        .collect();
    assert_eq!(chunked(&web, &tokens[0]).status, 200, "what has not come takes no room");
    assert_eq!(chunked(&web, &tokens[1]).status, 200);
    // Two that send nearly all of it: the caller's own share. On a busy machine they may be over before it is full; then once more.
    let sends = |tokens: &[String]| -> Vec<TcpStream> {
        std::thread::scope(|threads| {
            let twice = tokens.iter().flat_map(|token| [token, token]);
            let all: Vec<_> = twice.map(|token| threads.spawn(|| stalled(&web, token, LONG))).collect();
            all.into_iter().map(|thread| thread.join().expect("it sends")).collect()
        })
    };
    let comes = |token: &str, status: u16| {
        (0..50).any(|_| {
            std::thread::sleep(Duration::from_millis(20));
            list(token) == status
        })
    };
    let mut held = Vec::new();
    until("the caller's own share is never full", || {
        held.clear();
        held = sends(&tokens[..1]);
        comes(&tokens[0], 429)
    });
    let reply = web.raw(&request(&tokens[0], "tools/list", json!({})));
    refused(&reply, 429);
    assert!(reply.head.contains("retry-after: 1"), "{}", reply.head);
    assert_eq!(chunked(&web, &tokens[1]).status, 200, "another caller has room");
    until("all of it is never full", || {
        held.clear();
        held = sends(&tokens[..4]);
        comes(&tokens[4], 503)
    });
    refused(&web.raw(&request(&tokens[4], "tools/list", json!({}))), 503);
    drop(held);
    until("there is no room again", || list(&tokens[4]) == 200);
    until("its own share is never free again", || list(&tokens[0]) == 200);
    drop(silent);
    assert_eq!(web.end(Signal::TERM), 0);
}

#[test]
fn calls_of_one_caller_hold_up_nobody_elses() {
    let world = world(&[redact(), spin()]);
    let web = Web::begin(&world);
    let ((busy, _), (calm, _)) = (token(&world, "grace", "org.skillhall"), token(&world, "gus", "org.skillhall"));
    let before = size(&world.open());
    let call = request(&busy, "tools/call", json!({ "name": SPIN, "arguments": {} }));
    let begin = |_| {
        let mut stream = web.open();
        stream.write_all(call.as_bytes()).expect("it reads");
        stream
    };
    // Eight that run and twenty-four that wait for them; then there is no place.
    let mut spinning: Vec<TcpStream> = (0..33).map(begin).collect();
    until("its places are never full", || spinning.iter().any(|stream| !waits(stream)));
    let sent_away = spinning.iter().position(|stream| !waits(stream)).expect("one is answered");
    let reply = read(&mut spinning.remove(sent_away));
    assert!(reply.status == 200 && reply.body.contains("-32000"), "{}", reply.body);
    until("eight never run", || {
        let records = records_from(&world.open(), before);
        records.iter().filter(|record| record.event.kind == EventKind::SkillExecute).count() == 8
    });
    let result = web.call(&calm, REDACT, &json!({ "text": "Write to ada@example.org." }));
    assert_ne!(result["isError"], true, "{result}");
    assert_eq!(spinning.iter().filter(|stream| waits(stream)).count(), 32, "none of the other's has ended");
    let records = records_from(&world.open(), before);
    let of = |name: &str| {
        let runs = |record: &&skillhall_core::ledger::Record| {
            record.event.kind == EventKind::SkillExecute && record.event.caller.as_deref() == Some(name)
        };
        records.iter().filter(runs).count()
    };
    assert!(of("gus") >= 1 && of("grace") == 8, "{} of grace", of("grace"));
    // Whoever goes makes room for the next.
    spinning.clear();
    let result = web.call(&busy, REDACT, &json!({ "text": "" }));
    assert_ne!(result["isError"], true, "{result}");
    assert_eq!(web.end(Signal::TERM), 0);
}

#[test]
fn a_token_whose_time_is_over_opens_nothing() {
    let world = world(&[redact()]);
    let web = Web::begin(&world);
    world.clock.ahead(-40);
    let (old, id) = token(&world, "grace", "org.skillhall");
    world.clock.ahead(0);
    let before = size(&world.open());
    for method in ["tools/list", "tools/call"] {
        refused(&web.raw(&request(&old, method, json!({ "name": REDACT, "arguments": { "text": "" } }))), 401);
    }
    recorded(&world, before, |event| event.code.is_some_and(|code| code.as_str() == "DENY_TOKEN_EXPIRED"));
    assert!(records_from(&world.open(), before).iter().all(|record| record.event.kind != EventKind::SkillExecute), "{id}");
    assert_eq!(web.end(Signal::TERM), 0);
}

#[test]
fn a_connection_on_which_nothing_is_asked_ends() {
    let world = world(&[]);
    let web = Web::begin(&world);
    let (good, _) = token(&world, "grace", "org.skillhall");
    let mut asked = web.open();
    let sent = request(&good, "tools/list", json!({})).replace("connection: close\r\n", "");
    asked.write_all(sent.as_bytes()).expect("it reads");
    let began = Instant::now();
    assert_eq!(read(&mut asked).status, 200, "it is answered, and then the connection ends by itself");
    let mut silent = web.open();
    assert_eq!(read(&mut silent).status, 0);
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
    assert_eq!(web.end(Signal::TERM), 0);
}
