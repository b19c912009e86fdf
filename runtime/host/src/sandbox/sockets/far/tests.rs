//! What is wished of sockets in another process, and what comes of it.

use std::future::poll_fn;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::Duration;

use skillhall_core::capability::{Asks, Policy, narrow};

use super::served::Served;
use super::*;
use crate::sandbox::meter::Meter;
use crate::sandbox::{Allowance, Bounds, LocalPowers, Powers as _};

fn served(place: SocketAddr) -> (Served, Meter) {
    let text = format!(r#"{{"sockets": [{{"protocol": "tcp", "address": "{}", "port": {}}}]}}"#, place.ip(), place.port());
    let (asks, policy): (Asks, Policy) = (serde_json::from_str(&text).unwrap(), serde_json::from_str(&text).unwrap());
    let broker = LocalPowers::default().broker(&narrow(&asks, &policy).unwrap());
    let bounds = Bounds {
        time_ms: 60_000,
        memory_bytes: 0,
        output_bytes: 0,
        host_calls: 1_000,
        host_call_bytes: 100,
        file_opens: 0,
        file_bytes: 0,
        sockets: 2,
        handles: 10,
        instances: 0,
        tables: 0,
        tool_calls: 0,
        http: Allowance { requests: 0, bytes: 0, time: Duration::from_secs(1) },
    };
    (Served::new(&[Protocol::Tcp], &broker, bounds.handles), Meter::new(&bounds))
}

fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
}

#[test]
fn a_connection_has_its_settings_its_ways_and_its_end() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = listener.local_addr().unwrap();
    let answering = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut all = Vec::new();
        stream.read_to_end(&mut all).unwrap();
        stream.write_all(&all).unwrap();
    });
    run(async move {
        let (mut served, mut meter) = served(server);
        let mut done = async |wish| served.serve(&mut meter, wish).await;
        let Ok(Got::One(socket)) = done(Wish::Make { protocol: Protocol::Tcp, v6: false }).await else { panic!("a socket") };
        for (setting, value) in [
            (Setting::KeepAlive, 1),
            (Setting::KeepAliveIdle, 5_000_000_000),
            (Setting::KeepAliveInterval, 3_000_000_000),
            (Setting::KeepAliveCount, 7),
            (Setting::HopLimit, 42),
            (Setting::ReceiveBuffer, 65_536),
            (Setting::SendBuffer, 65_536),
        ] {
            assert_eq!(done(Wish::Set(socket, setting, value)).await, Ok(Got::Nothing), "{setting:?}");
            assert_eq!(done(Wish::Setting(socket, setting)).await, Ok(Got::Number(value)), "{setting:?}");
        }
        assert!(matches!(done(Wish::Set(socket, Setting::HopLimit, 256)).await, Err(Wrong::Trap(_))));
        assert_eq!(done(Wish::IsListening(socket)).await, Ok(Got::Number(0)));
        assert_eq!(done(Wish::Accept(socket)).await, Err(ErrorCode::InvalidState.into()));
        assert_eq!(done(Wish::FinishConnect(socket)).await, Err(ErrorCode::NotInProgress.into()));
        assert_eq!(done(Wish::StartConnect(socket, server.into())).await, Ok(Got::Nothing));
        poll_fn(|context| served.poll_ready(socket, context)).await;
        let mut done = async |wish| served.serve(&mut meter, wish).await;
        let Ok(Got::Two(input, output)) = done(Wish::FinishConnect(socket)).await else { panic!("two streams") };
        assert_eq!(done(Wish::RemoteAddress(socket)).await, Ok(Got::Place(server.into())));
        let Ok(Got::Place(own)) = done(Wish::LocalAddress(socket)).await else { panic!("an address") };
        assert!(SocketAddr::from(own).port() > 0);
        assert!(matches!(done(Wish::CheckWrite(output)).await, Ok(Got::Number(1..))));
        assert_eq!(done(Wish::Write(output, b"hello".to_vec())).await, Ok(Got::Nothing));
        assert_eq!(done(Wish::Flush(output)).await, Ok(Got::Nothing));
        assert_eq!(done(Wish::Read(input, 64)).await, Ok(Got::Bytes(Vec::new())));
        assert_eq!(done(Wish::Shutdown(socket, Way::Send)).await, Ok(Got::Nothing));
        poll_fn(|context| served.poll_ready(input, context)).await;
        let mut done = async |wish| served.serve(&mut meter, wish).await;
        assert_eq!(done(Wish::Read(input, 64)).await, Ok(Got::Bytes(b"hello".to_vec())));
        // What hangs on a thing goes first.
        [socket, input, output, socket].into_iter().for_each(|thing| served.let_go(thing));
        let mut done = async |wish| served.serve(&mut meter, wish).await;
        assert!(matches!(done(Wish::IsListening(socket)).await, Err(Wrong::Trap(_))));
        assert_eq!((meter.bytes(), meter.sockets()), (10, 1));
    });
    answering.join().unwrap();
}

#[test]
fn nothing_is_done_by_another_name_or_beyond_what_is_left() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = listener.local_addr().unwrap();
    run(async move {
        let (mut served, mut meter) = served(server);
        let mut done = async |wish| served.serve(&mut meter, wish).await;
        let make = |protocol| Wish::Make { protocol, v6: false };
        assert_eq!(done(make(Protocol::Udp)).await, Err(ErrorCode::AccessDenied.into()));
        let Ok(Got::One(socket)) = done(make(Protocol::Tcp)).await else { panic!("a socket") };
        let Thing::Tcp(at) = socket else { panic!("{socket:?}") };
        // Its number, and the name of something else.
        for wish in [
            Wish::Read(Thing::Input(at), 1),
            Wish::Flush(Thing::Output(at)),
            Wish::FinishBind(Thing::Udp(at)),
            Wish::FinishBind(Thing::Input(at)),
            Wish::Receive(Thing::Incoming(at), 1),
            Wish::CheckSend(Thing::Outgoing(at)),
            Wish::IsListening(Thing::Tcp(at + 1)),
            Wish::Read(socket, 1),
        ] {
            let got = done(wish.clone()).await;
            assert!(matches!(got, Err(Wrong::Trap(_))), "{wish:?}: {got:?}");
        }
        let elsewhere = SocketAddr::from(([127, 0, 0, 1], 1));
        assert_eq!(done(Wish::StartConnect(socket, elsewhere.into())).await, Err(ErrorCode::AccessDenied.into()));
        assert_eq!(done(Wish::StartListen(socket)).await, Err(ErrorCode::AccessDenied.into()));
        assert_eq!(done(Wish::StartConnect(socket, server.into())).await, Ok(Got::Nothing));
        poll_fn(|context| served.poll_ready(socket, context)).await;
        let mut done = async |wish| served.serve(&mut meter, wish).await;
        let Ok(Got::Two(_, output)) = done(Wish::FinishConnect(socket)).await else { panic!("two streams") };
        assert!(matches!(done(Wish::CheckWrite(output)).await, Ok(Got::Number(1..))));
        assert_eq!(done(Wish::Write(output, vec![0; 101])).await, Err(Wrong::Over(101)));
        assert!(matches!(done(make(Protocol::Tcp)).await, Ok(Got::One(_))));
        assert!(matches!(done(make(Protocol::Tcp)).await, Err(Wrong::Trap(_))), "a third socket is one too many");
        assert_eq!(meter.refusals().len(), 3);
    });
}

#[test]
fn an_address_arrives_with_zone_and_flow() {
    let v6 = SocketAddr::V6(SocketAddrV6::new([1, 2, 3, 4, 5, 6, 7, 8].into(), 9, 10, 11));
    for address in [v6, SocketAddr::from(([127, 0, 0, 1], 80))] {
        assert_eq!(SocketAddr::from(Place::from(address)), address);
    }
}

#[test]
fn each_code_has_a_place_of_its_own() {
    for (place, code) in CODES.into_iter().enumerate() {
        assert_eq!(Wrong::from(code), Wrong::Code(place.try_into().unwrap()), "{code:?}");
    }
}
