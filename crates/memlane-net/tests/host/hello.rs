//! Who is let in, as what, and who is not.

use memlane_net::protocol::hello::{Ends, Prover, proof};
use serde_json::json;
use std::fs;

use crate::client::Client;
use crate::served::Served;

#[test]
fn a_token_says_what_may_be_done() {
    let served = Served::new(|host| host);
    let tokens = served.host.tokens();
    for (token, access) in [(tokens.read_write(), "read-write"), (tokens.read_only(), "read-only")] {
        let mut client = Client::connect(served.address());
        let welcome = client.enter(json!({"token": token}));
        assert_eq!((&welcome["access"], &welcome["local"]), (&json!(access), &json!(false)), "{welcome}");
        assert_eq!(welcome.get("proof"), None, "nobody asked for it");
        assert_eq!((&welcome["max_message"], &welcome["max_in_flight"]), (&json!(64 << 20), &json!(256)));
        let answer = client.ask(&json!({"n": 1, "op": "delete", "id": "nothing"}));
        let code = if access == "read-only" { "read_only" } else { "not_found" };
        assert_eq!(answer["error"]["code"], code, "{answer}");
    }
}

#[test]
fn whoever_has_neither_token_nor_proof_is_refused() {
    let served = Served::new(|host| host);
    for fields in [json!({}), json!({"token": "guess"}), json!({"token": ""}), json!({"proof": "00"})] {
        let mut client = Client::connect(served.address());
        let reply = client.say_hello(fields.clone());
        assert_eq!(reply["refused"]["code"], "unauthorised", "{fields}: {reply}");
        assert_eq!(u16::from(client.closed().code), 1008);
    }
}

#[test]
fn another_version_is_told_which_there_are() {
    let served = Served::new(|host| host);
    let mut client = Client::connect(served.address());
    let reply = client.say_hello(json!({"protocol": 2}));
    assert_eq!(
        (&reply["refused"]["code"], &reply["refused"]["versions"]),
        (&json!("unsupported_version"), &json!([1]))
    );
}

#[test]
fn whoever_does_not_say_hello_first_is_refused() {
    let served = Served::new(|host| host);
    for first in [json!({"n": 1, "op": "list"}), json!([]), json!("hello"), json!({"hello": 1})] {
        let mut client = Client::connect(served.address());
        let reply = client.ask(&first);
        assert_eq!(reply["refused"]["code"], "malformed", "{first}: {reply}");
        client.closed();
    }
}

/// What a client on this machine, that may read the secret, proves itself with, and what the host does.
fn proofs_of(client: &Client) -> [String; 2] {
    let path = format!("{}/.memlane/{}", client.hello.space, client.hello.secret);
    let stream = client.socket.get_ref();
    let ends = Ends { client: stream.local_addr().unwrap(), host: stream.peer_addr().unwrap() };
    let secret = fs::read(path).unwrap();
    assert_eq!(secret.len(), 64);
    [Prover::Client, Prover::Host]
        .map(|prover| proof(prover, &secret, &client.hello.instance, &client.hello.challenge, &ends))
}

#[test]
fn whoever_can_read_the_secret_is_local() {
    let served = Served::new(|host| host);
    let mut client = Client::connect(served.address());
    let [answer, hosts] = proofs_of(&client);
    let welcome = client.enter(json!({"proof": answer}));
    assert_eq!((&welcome["access"], &welcome["local"]), (&json!("read-write"), &json!(true)), "{welcome}");
    assert_eq!(welcome["proof"], hosts, "the host knows it too");
    // Nobody can show it on a connection of his own.
    let mut thief = Client::connect(served.address());
    assert_eq!(thief.say_hello(json!({"proof": answer}))["refused"]["code"], "unauthorised");
}

#[test]
fn a_proof_gives_no_more_than_the_host_does() {
    for (served, access) in [
        (Served::new(memlane_net::host::Host::read_only), "read-only"),
        (Served::new(|host| host.only(["shared/*".into()])), "read-write"),
    ] {
        let mut client = Client::connect(served.address());
        let [answer, _] = proofs_of(&client);
        let welcome = client.enter(json!({"proof": answer}));
        assert_eq!((&welcome["access"], &welcome["local"]), (&json!(access), &json!(false)), "{welcome}");
    }
}
