//! A client of which every byte is the test's.

use memlane_net::protocol::hello::{HostDescription, HostHello};
use memlane_net::protocol::message::{Frame, Message};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;
use tungstenite::WebSocket;
use tungstenite::client::IntoClientRequest;
use tungstenite::protocol::CloseFrame;

use crate::served::Served;

/// Longer than anything here may take: a test that hangs fails instead.
const PATIENCE: Duration = Duration::from_secs(20);

impl Served {
    /// A client that was let in to read and write.
    pub(crate) fn client(&self) -> Client {
        let mut client = Client::connect(self.address());
        client.enter(json!({"token": self.token()}));
        client
    }

    /// A client that goes on with a session.
    pub(crate) fn resumed(&self, session: &str) -> (Client, bool) {
        let mut client = Client::connect(self.address());
        let token = self.token();
        let welcome = client.enter(json!({"token": token, "session": session}));
        (client, welcome["resumed"].as_bool().unwrap())
    }
}

/// A connection, and what the host said first.
pub(crate) struct Client {
    pub(crate) socket: WebSocket<TcpStream>,
    pub(crate) hello: HostDescription,
    pub(crate) session: String,
}

impl Client {
    /// Connects and hears the host's hello.
    pub(crate) fn connect(address: SocketAddr) -> Self {
        Self::connect_with(address, &[])
    }

    /// The same, with more headers.
    pub(crate) fn connect_with(address: SocketAddr, headers: &[(&'static str, &str)]) -> Self {
        let mut request = format!("ws://{address}/api/v1").into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let (socket, _) = tungstenite::client(request, stream(address)).unwrap();
        let hello = HostDescription {
            protocol: 0,
            memlane: String::new(),
            host: String::new(),
            instance: String::new(),
            space: String::new(),
            secret: String::new(),
            challenge: String::new(),
        };
        let mut client = Self { socket, hello, session: String::new() };
        client.hello = serde_json::from_value::<HostHello>(client.hear().0).unwrap().hello;
        client
    }

    /// Let in by that token.
    pub(crate) fn let_in(mut self, token: &str) -> Self {
        self.enter(json!({"token": token}));
        self
    }

    /// Says hello with these fields; what the host replies.
    pub(crate) fn say_hello(&mut self, mut fields: Value) -> Value {
        let own = fields.as_object_mut().unwrap();
        own.entry("protocol").or_insert(json!(1));
        own.entry("client").or_insert(json!("test"));
        self.say(&json!({"hello": fields}), b"");
        self.hear().0
    }

    /// Says hello and is let in.
    pub(crate) fn enter(&mut self, fields: Value) -> Value {
        let reply = self.say_hello(fields);
        let welcome = reply.get("welcome").unwrap_or_else(|| panic!("{reply}")).clone();
        welcome["session"].as_str().unwrap().clone_into(&mut self.session);
        welcome
    }

    pub(crate) fn say(&mut self, header: &Value, payload: &[u8]) {
        let message = match Frame::new(header, payload) {
            Frame::Text(text) => tungstenite::Message::Text(text.into()),
            Frame::Binary(bytes) => tungstenite::Message::Binary(bytes),
        };
        self.socket.send(message).unwrap();
    }

    /// The next message.
    pub(crate) fn hear(&mut self) -> (Value, Vec<u8>) {
        self.listen().unwrap_or_else(|close| panic!("the host closed: {close:?}"))
    }

    /// The next message, or how the host closed.
    pub(crate) fn listen(&mut self) -> Result<(Value, Vec<u8>), Option<CloseFrame>> {
        loop {
            let message = match self.socket.read() {
                Ok(tungstenite::Message::Text(text)) => Message::from_text(bytes::Bytes::from(text)),
                Ok(tungstenite::Message::Binary(bytes)) => Message::from_binary(bytes),
                Ok(tungstenite::Message::Close(frame)) => return Err(frame),
                Ok(_) => continue,
                Err(error) => panic!("{error}"),
            };
            let message = message.unwrap();
            return Ok((message.header().unwrap(), message.payload.to_vec()));
        }
    }

    /// Asks and hears the answer.
    pub(crate) fn ask(&mut self, header: &Value) -> Value {
        self.say(header, b"");
        self.hear().0
    }

    /// How the host closed, after this and no other message.
    pub(crate) fn closed(&mut self) -> CloseFrame {
        match self.listen() {
            Err(Some(frame)) => frame,
            other => panic!("expected the end, not {other:?}"),
        }
    }
}

/// A connection that does not wait for ever.
pub(crate) fn stream(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// The answer to an HTTP request of these lines, as the host closes after it.
pub(crate) fn http(address: SocketAddr, request: &str, body: &[u8]) -> String {
    let mut stream = stream(address);
    stream.write_all(request.replace('\n', "\r\n").as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}
