//! Headers that are valid: what hostile ones are made of.

/// A client's first.
pub(crate) const HELLOS: [&str; 2] = [
    r#"{"hello":{"protocol":1,"client":"viewer 2.1","token":"correct-horse","session":"77aa"}}"#,
    r#"{"hello":{"protocol":1,"client":"grün \u00e9\ud83d\ude00","proof":"cf7a4605e1768b77ff1779ab5734de92"}}"#,
];

/// A client's later ones, with the number that comes next where `N` stands. None makes a region.
pub(crate) const REQUESTS: [&str; 38] = [
    r#"{"n":N,"ack":0,"op":"list","patterns":["*"]}"#,
    r#"{"n":N,"op":"describe","id":"value"}"#,
    r#"{"n":N,"op":"participants"}"#,
    r#"{"n":N,"op":"locks","all":true}"#,
    r#"{"n":N,"op":"wait_graph"}"#,
    r#"{"n":N,"op":"doctor"}"#,
    r#"{"n":N,"op":"status"}"#,
    r#"{"n":N,"op":"delete","id":"nothing"}"#,
    r#"{"n":N,"op":"read","id":"array","index":[1,2],"form":"bytes"}"#,
    r#"{"n":N,"op":"read","id":"array","start":2,"count":3}"#,
    r#"{"n":N,"op":"read","id":"record","field":"x"}"#,
    r#"{"n":N,"op":"wait","id":"text","version":18446744073709551615,"timeout":0.001}"#,
    r#"{"n":N,"op":"write","id":"record","content":{"x":1.5,"n":-7},"if_version":2}"#,
    r#"{"n":N,"op":"write","id":"text","content":"grün \u00e9"}"#,
    r#"{"n":N,"op":"write","id":"array","start":1,"content":[1,2]}"#,
    r#"{"n":N,"op":"add","id":"value","by":9223372036854775807}"#,
    r#"{"n":N,"op":"compare_exchange","id":"value","expected":1,"new":-1}"#,
    r#"{"n":N,"op":"lock","id":"lock","mode":"exclusive","timeout":0}"#,
    r#"{"n":N,"op":"acquire","id":"semaphore","count":1,"timeout":0.001}"#,
    r#"{"n":N,"op":"raise","id":"semaphore","count":4294967295}"#,
    r#"{"n":N,"op":"release","lease":1}"#,
    r#"{"n":N,"op":"await","id":"event","timeout":1e-3}"#,
    r#"{"n":N,"op":"condition_wait","id":"condition","lease":1,"timeout":0}"#,
    r#"{"n":N,"op":"notify","id":"condition","count":3}"#,
    r#"{"n":N,"op":"meet","id":"barrier","timeout":0}"#,
    r#"{"n":N,"op":"put","id":"queue","tag":"utf-8","lengths":[3,5],"timeout":0}"#,
    r#"{"n":N,"op":"get","id":"queue","most":4294967295,"leased":true,"timeout":0}"#,
    r#"{"n":N,"op":"peek","id":"queue","most":7}"#,
    r#"{"n":N,"op":"take_end","id":"pipe","end":"left"}"#,
    r#"{"n":N,"op":"send","lease":2,"tag":"bytes","timeout":0}"#,
    r#"{"n":N,"op":"publish","id":"frames"}"#,
    r#"{"n":N,"op":"append","id":"stream"}"#,
    r#"{"n":N,"op":"records","id":"stream","since":0,"most":4294967295}"#,
    r#"{"n":N,"op":"subscribe","id":"frames","rate":1e3,"window":9,"after":0,"scale":2,"jpeg":80}"#,
    r#"{"n":N,"op":"watch","patterns":["a*"],"rate":0.5}"#,
    r#"{"n":N,"op":"unsubscribe","subscription":1}"#,
    r#"{"n":N,"op":"cancel","request":1}"#,
    r#"{"ack":1,"credit":[{"subscription":1,"event":2}]}"#,
];

/// What makes a region. A host is not sent mutants of it, since what they make takes memory by right.
const CREATE: &str = r#"{"n":1,"op":"create","id":"a/b","kind":"record","schema":"{x:f64,n:i32}",
    "capacity":64,"exist_ok":true,"note":"grün"}"#;

/// A host's.
pub(crate) const REPLIES: [&str; 8] = [
    r#"{"hello":{"protocol":1,"memlane":"0.1.0","host":"lab","instance":"9f","space":"/s",
        "secret":"host-7440","challenge":"51"}}"#,
    r#"{"welcome":{"session":"77","resumed":false,"access":"read-write","local":true,"why":"",
        "proof":"d2","max_message":67108864,"max_in_flight":256,"grace":5.0}}"#,
    r#"{"refused":{"code":"unauthorised","message":"the token is not right"}}"#,
    r#"{"n":17,"ok":{"version":4,"content":[1.5,null,"a"]}}"#,
    r#"{"n":18,"error":{"code":"conflict","message":"newer","version":4,"content":{"a":[]}}}"#,
    r#"{"subscription":4,"event":9,"sequence":120,"missed":2,"shape":[404,640,3],"encoding":"bgr8"}"#,
    r#"{"subscription":6,"event":1,"changed":[{"id":"a"}],"gone":["b"]}"#,
    r#"{"subscription":3,"end":{"code":"not_found","message":"it is gone"}}"#,
];

/// All of them; requests with the number 1.
pub(crate) fn all() -> impl Iterator<Item = String> {
    let requests = REQUESTS.iter().map(|header| header.replace("\"n\":N", "\"n\":1"));
    HELLOS.iter().chain(&REPLIES).chain([&CREATE]).map(ToString::to_string).chain(requests)
}
