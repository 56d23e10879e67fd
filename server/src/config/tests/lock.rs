//! Who is let in: addresses, tokens, and certificates.

use super::*;

#[test]
fn a_short_token_and_an_open_server_for_all_origins_are_warned_about() {
    let warnings = |text: &str| {
        let (_, warnings) = Config::parse("m.yaml", text, &|_| None).expect("the config is fine");
        warnings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    assert!(warnings("api: {token: fifteen-letters}").contains("api.token: fewer than 16 characters"));
    assert_eq!(warnings("api: {token: sixteen--letters}"), "");
    assert!(warnings("api: {origin: '*'}").contains("api.origin: without a token or password"));
    assert_eq!(warnings("api: {origin: '*', token: sixteen--letters}"), "");
}

#[test]
fn tls_is_read_with_its_certificate_and_wants_the_same_as_the_plain_address() {
    let (config, _) = accepted(
        "api:\n  tls_listen: \"127.0.0.1:8443\"\n  tls_cert: a/cert.pem\n  tls_key: |\n    -----BEGIN\n    x\n",
    );
    let tls = config.api.tls.expect("it is there");
    assert_eq!((tls.listen, tls.cert.line, tls.key.line), (([127, 0, 0, 1], 8443).into(), 3, 4));
    assert!(matches!(&tls.cert.source, PemSource::File(path) if path.as_os_str() == "a/cert.pem"));
    assert!(matches!(&tls.key.source, PemSource::Text(text) if text == "-----BEGIN\nx\n"));
    assert!(config.api.listen.is_some());

    let pair = "tls_cert: c, tls_key: k";
    for (api, expected) in [
        ("tls_listen: \":443\"", "api.tls_listen: expected api.tls_cert and api.tls_key beside it"),
        (
            "tls_listen: \":443\", tls_cert: c, tls_key: k",
            "api.tls_listen: [::]:443 can be reached from other machines",
        ),
        ("tls_listen: x, tls_cert: c, tls_key: k", "api.tls_listen: expected an address such as"),
        ("tls_listen: \"127.0.0.1:1\", tls_cert: [c], tls_key: k", "api.tls_cert: expected a single value"),
        ("listen: \"\"", "api.listen: expected an address here or in api.tls_listen"),
        ("listen: \"\", tls_listen: \"\"", "api.listen: expected an address here or in api.tls_listen"),
    ] {
        let problems = refused(&format!("api: {{{api}}}"));
        assert_eq!(problems.len(), 1, "{problems:#?}");
        assert!(problems[0].contains(expected), "{expected} not in {problems:#?}");
    }
    for lock in ["token: t", "auth: none", "username: u, password: p"] {
        let (config, _) = accepted(&format!("api: {{listen: \"\", tls_listen: \":443\", {pair}, {lock}}}"));
        assert!(config.api.listen.is_none() && config.api.tls.is_some());
    }
    for without in ["", "tls_listen: \"\", "] {
        let (config, warnings) = accepted(&format!("api: {{{without}{pair}}}"));
        assert!(config.api.tls.is_none());
        assert_eq!(warnings.len(), 2, "{warnings:#?}");
    }
}

#[test]
fn a_public_address_requires_authentication_or_auth_none() {
    let problem = refused("api:\n  listen: \":1984\"\n");
    assert!(problem[0].starts_with("m.yaml:2: api.listen: [::]:1984 can be reached from other machines"));
    for lock in ["token: t", "auth: none", "username: u\n  password: p"] {
        accepted(&format!("api:\n  listen: \":1984\"\n  {lock}\n"));
    }
    accepted("api: {listen: \"[::1]:1984\"}");
    assert!(refused("api: {username: u}")[0].contains("expected a password beside it"));
    assert!(refused("api: {password: hunter2}")[0].contains("expected a user beside it"));
    assert!(refused("api: {auth: none, token: sixteen--letters}")[0].contains("not both"));
    assert!(refused("api: {auth: maybe}")[0].contains("expected none"));
}

#[test]
fn tokens_for_some_streams_are_read_and_what_is_wrong_with_them_is_said_without_their_values() {
    let hash = "5E884898DA28047151D0E56F8DC6292773603D0D6AABBDD62A11EF721D1542D8";
    let secret = "0123456789abcdef0123456789abcdef";
    let text = format!(
        "api:\n  listen: ':1984'\n  tokens:\n  - {{sha256: {hash}, streams: yard}}\n  - {{file: t, streams: ['*'], actions: [view, metrics]}}\n  \
         view_keys: [{{id: a, secret: {secret}}}, {{pem: p}}]\n"
    );
    let (config, warnings) = accepted(&text);
    assert!(warnings.is_empty(), "{warnings:?}");
    assert_eq!(config.api.tokens.len() + config.api.view_keys.len(), 4);
    assert_eq!(config.api.tokens[0].actions, [Action::View]);
    assert!(!format!("{config:?}").contains(secret));
    for (text, expected) in [
        ("tokens: [{streams: a}]", "m.yaml:1: api.tokens[0]: expected either sha256"),
        (
            "tokens: [{sha256: hunter2, streams: a}]",
            "m.yaml:1: api.tokens[0].sha256: expected 64 hexadecimal digits",
        ),
        ("tokens: [{file: hunter2}]", "m.yaml:1: api.tokens[0]: expected streams"),
        ("tokens: [{file: f, streams: a, actions: fly}]", "m.yaml:1: api.tokens[0].actions: expected view"),
        ("view_keys: [{secret: hunter2}]", "m.yaml:1: api.view_keys[0].secret: expected at least 32 bytes"),
        ("view_keys: [{}]", "m.yaml:1: api.view_keys[0]: expected either secret"),
        ("view_keys: [{id: a, pem: p}, {id: a, pem: q}]", "m.yaml:1: api.view_keys: expected another id"),
        ("auth: none, tokens: [{file: f, streams: a}]", "m.yaml:1: api.auth: expected either none"),
    ] {
        let problems = refused(&format!("api: {{{text}}}\n")).join("\n");
        assert!(problems.contains(expected) && !problems.contains("hunter2"), "{text}: {problems}");
    }
}

#[test]
fn rtsp_is_off_by_default_and_its_port_is_that_of_go2rtc() {
    let of = |rtsp: &str| accepted(&format!("rtsp: {rtsp}")).0.rtsp.listen;
    assert_eq!(of("{}"), None);
    assert_eq!(of("{listen: ''}"), None);
    for listen in ["127.0.0.1", "127.0.0.1:8554", "localhost", "localhost:8554"] {
        assert_eq!(of(&format!("{{listen: '{listen}'}}")), Some(([127, 0, 0, 1], 8554).into()), "{listen}");
    }
    assert_eq!(of("{listen: '[::1]'}"), "[::1]:8554".parse().ok());
    assert!(refused("rtsp: {listen: camera}")[0].contains("rtsp.listen: expected an address such as"));
    let (_, warnings) = accepted("rtsp: {username: u, password: p}");
    assert!(warnings[0].contains("rtsp.username: has no effect without rtsp.listen"), "{warnings:#?}");
}

#[test]
fn rtsp_on_a_public_address_wants_a_password_of_its_own_or_that_of_the_api() {
    let problem = refused("rtsp: {listen: ':8554'}");
    assert!(problem[0].starts_with("m.yaml:1: rtsp.listen: [::]:8554 can be reached from other machines"));
    assert_eq!(refused("api: {token: sixteen--letters}\nrtsp: {listen: ':8554'}").len(), 1);
    accepted("rtsp: {listen: ':8554', auth: none}");
    let login = |text: &str| accepted(text).0.rtsp;
    let own = login("api: {username: a, password: b}\nrtsp: {listen: ':8554', username: u, password: p}");
    assert_eq!((own.username.as_deref(), own.password.as_deref()), (Some("u"), Some("p")));
    let of_api = login("api: {username: a, password: b}\nrtsp: {listen: ':8554'}");
    assert_eq!((of_api.username.as_deref(), of_api.password.as_deref()), (Some("a"), Some("b")));
    let open = login("api: {username: a, password: b}\nrtsp: {listen: ':8554', auth: none}");
    assert_eq!((open.username, open.password), (None, None));
    for (rtsp, expected) in [
        ("username: u", "rtsp.username: expected a password beside it"),
        ("password: p", "rtsp.password: expected a user beside it"),
        ("auth: none, username: u, password: p", "rtsp.auth: expected either none or a password"),
        ("auth: some", "rtsp.auth: expected none"),
    ] {
        let problems = refused(&format!("rtsp: {{listen: 127.0.0.1, {rtsp}}}"));
        assert!(problems.len() == 1 && problems[0].contains(expected), "{expected} not in {problems:#?}");
    }
}
