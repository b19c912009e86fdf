//! Servers that send too much, too slowly, or for ever; guests that ask for too much at once.

use std::time::Instant as Clock;

use super::*;
use crate::sandbox::Stop;

fn within(server: &Server, bytes: u64, millis: u64) -> Way {
    let allowed = Allowance { requests: 100, bytes, time: Duration::from_millis(millis) };
    Way::within(&[grant(&server.origin(), &["127.0.0.1"])], &Network::default(), allowed)
}

/// Sends pieces until the other side has had enough.
fn pour(stream: &mut dyn server::Talk, piece: &str, pause: Duration) {
    while stream.write_all(piece.as_bytes()).and_then(|()| stream.flush()).is_ok() {
        std::thread::sleep(pause);
    }
}

#[test]
fn a_body_without_end_ends_with_the_budget() {
    let server = Server::plain(|stream| {
        let _ = stream.write_all(head("200 OK", "", "").as_bytes());
        pour(stream, &"a".repeat(64 * 1024), Duration::ZERO);
    });
    let way = within(&server, 1 << 20, 5_000);
    let answer = way.get(&server.origin()).unwrap();
    assert!(matches!(answer.end, Err(HttpError::HttpResponseBodySize(None))), "{:?}", answer.end);
    assert_eq!(way.traffic.check(), Err(Stop::HttpBytes { allowed: 1 << 20 }));
    assert!(answer.body.len() <= 1 << 20 && way.traffic.bytes() < (1 << 20) + 128 * 1024, "{}", way.traffic.bytes());
}

#[test]
fn both_directions_count_and_heads_too() {
    let server = Server::plain(|stream| reply(stream, "200 OK", "", "12345"));
    let way = Way::to(&server);
    way.get(&server.origin()).unwrap();
    let sent = server.heads().remove(0).len();
    let answered = head("200 OK", "content-length: 5", "12345").len();
    assert_eq!(way.traffic.bytes(), u64::try_from(sent + answered).unwrap());
    // What is left does not suffice for another request.
    let way = within(&server, 20, 5_000);
    assert!(way.get(&server.origin()).is_err());
    assert_eq!(way.traffic.check(), Err(Stop::HttpBytes { allowed: 20 }));
}

#[test]
fn a_head_that_trickles_in_costs_no_more_than_the_time() {
    let server = Server::plain(|stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n");
        pour(stream, "x-a: b\r\n", Duration::from_millis(20));
    });
    let way = within(&server, 1 << 20, 300);
    let began = Clock::now();
    assert!(matches!(way.failure(&server.origin()), HttpError::HttpResponseTimeout));
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
}

#[test]
fn a_body_that_trickles_in_costs_no_more_than_the_time() {
    let server = Server::plain(|stream| {
        let _ = stream.write_all(head("200 OK", "", "").as_bytes());
        pour(stream, "a", Duration::from_millis(20));
    });
    let answer = within(&server, 1 << 20, 300).get(&server.origin()).unwrap();
    assert!(matches!(answer.end, Err(HttpError::HttpResponseTimeout)), "{answer:?}");
    assert!(!answer.body.is_empty());
}

#[test]
fn the_guests_own_timeouts_count_if_they_are_shorter() {
    let silent = Server::plain(|stream| {
        let _ = stream.write_all(head("200 OK", "", "").as_bytes());
        std::thread::sleep(Duration::from_secs(2));
    });
    let mut way = within(&silent, 1 << 20, 5_000);
    way.timeouts.between_bytes = Some(Duration::from_millis(50));
    let answer = way.get(&silent.origin()).unwrap();
    assert!(matches!(answer.end, Err(HttpError::ConnectionReadTimeout)), "{answer:?}");
    let mute = Server::plain(|_| std::thread::sleep(Duration::from_secs(2)));
    let mut way = within(&mute, 1 << 20, 5_000);
    way.timeouts.first_byte = Some(Duration::from_millis(50));
    assert!(matches!(way.failure(&mute.origin()), HttpError::HttpResponseTimeout));
    way.timeouts.first_byte = Some(Duration::ZERO);
    assert!(matches!(way.failure(&mute.origin()), HttpError::HttpResponseTimeout));
}

#[test]
fn a_flood_of_headers_is_no_answer() {
    for headers in [
        (0..=headers::MAX_COUNT).map(|number| format!("x-{number}: y")).collect::<Vec<_>>().join("\r\n"),
        format!("x: {}", "y".repeat(headers::MAX_BYTES)),
    ] {
        let server = Server::plain(move |stream| reply(stream, "200 OK", &headers, ""));
        let told = Way::to(&server).failure(&server.origin());
        assert!(matches!(told, HttpError::HttpResponseHeaderSectionSize(None)), "{told}");
    }
}

#[test]
fn connections_at_once_are_bounded_and_given_back() {
    let server = Server::plain(|stream| {
        let _ = stream.write_all(head("200 OK", "", "a").as_bytes());
        std::thread::sleep(Duration::from_secs(5));
    });
    let way = Way::to(&server);
    let request = || Request::get(server.origin()).body(Body::default()).unwrap();
    runtime().block_on(async {
        let mut open = Vec::new();
        for _ in 0..CONNECTIONS {
            let sending = way.egress.send(request(), way.timeouts, Arc::clone(&way.traffic)).unwrap();
            open.push(sending.await.unwrap());
        }
        let unsent = way.egress.send(request(), way.timeouts, Arc::clone(&way.traffic)).err().unwrap();
        assert!(matches!(unsent.told, HttpError::ConnectionLimitReached));
        assert_eq!(unsent.refusal.unwrap().reason, Reason::Connections);
        open.pop();
        let sending = way.egress.send(request(), way.timeouts, Arc::clone(&way.traffic)).unwrap();
        assert_eq!(sending.await.unwrap().response.status(), 200);
    });
}

#[test]
fn a_connection_ends_with_its_exchange() {
    let (gone, wait) = std::sync::mpsc::channel();
    let gone = Mutex::new(gone);
    let server = Server::plain(move |stream| {
        let _ = stream.write_all(head("200 OK", "", "a").as_bytes());
        let end = std::io::Read::read(stream, &mut [0]);
        let _ = gone.lock().unwrap().send(end.map_err(|error| error.kind()));
    });
    let way = Way::to(&server);
    runtime().block_on(async {
        let request = Request::get(server.origin()).body(Body::default()).unwrap();
        let exchange = way.egress.send(request, way.timeouts, Arc::clone(&way.traffic)).unwrap().await.unwrap();
        assert!(wait.recv_timeout(Duration::from_millis(50)).is_err(), "it is open");
        drop(exchange);
    });
    let end = wait.recv_timeout(Duration::from_secs(2)).expect("it is closed");
    assert!(matches!(end, Ok(0) | Err(std::io::ErrorKind::ConnectionReset)), "{end:?}");
}
