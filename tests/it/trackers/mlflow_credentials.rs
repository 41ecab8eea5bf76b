//! Credentials for a tracking server, which gate sends to no other server.

use serde_json::json;

use super::POLICY;
use super::mlflow_fake::{Answer, CHAMPION, Request, small};
use crate::project::Project;

type Environment<'e> = &'e [(&'e str, &'e str)];

#[test]
fn who_asks_is_said_and_never_printed() {
    let refused = |_: &Request| Some(Answer::Whole(401, "text/plain", b"who?".to_vec()));
    let credentials = "[other]\nmlflow_tracking_username = x\n[mlflow]\nMLFLOW_Tracking_Username = ada\nmlflow_tracking_password: hunter2\n";
    let cases: [(Environment, bool, &str); 7] = [
        (
            &[("MLFLOW_TRACKING_TOKEN", "hunter2"), ("MLFLOW_TRACKING_USERNAME", "ada")],
            false,
            "Bearer hunter2",
        ),
        (
            &[("MLFLOW_TRACKING_USERNAME", "ada"), ("MLFLOW_TRACKING_PASSWORD", "hunter2")],
            false,
            "Basic YWRhOmh1bnRlcjI=",
        ),
        (&[], true, "Basic YWRhOmh1bnRlcjI="),
        // As in MLflow's client, a name and password take precedence over a token, wherever each comes from.
        (&[("MLFLOW_TRACKING_TOKEN", "t0ken")], true, "Basic YWRhOmh1bnRlcjI="),
        (&[("MLFLOW_TRACKING_USERNAME", "ada")], true, "Basic YWRhOmh1bnRlcjI="),
        (&[("MLFLOW_TRACKING_PASSWORD", "hunter3")], true, "Basic YWRhOmh1bnRlcjM="),
        (&[], false, ""),
    ];
    for (environment, file, expected) in cases {
        let server = small(refused);
        let project = Project::new();
        project.file("gate.yaml", POLICY);
        if file {
            project.file(".mlflow/credentials", credentials);
        }
        let uri = [("MLFLOW_TRACKING_URI", server.uri.as_str()), ("MLFLOW_WORKSPACE", "growth")];
        let ran = project.gate_with(&CHAMPION, &[&uri[..], environment].concat());
        ran.leaves_with(2).never_says("hunter2").never_says("YWRhOmh1bnRlcjI=");
        let request = server.requests().pop().expect("a request");
        let header = request.headers.iter().find_map(|header| header.strip_prefix("authorization: "));
        assert_eq!(header.unwrap_or_default(), expected);
        assert!(request.headers.contains(&"x-mlflow-workspace: growth".to_owned()), "{:?}", request.headers);
    }
    // Credentials in the address itself.
    let server = small(refused);
    let uri = server.uri.replace("http://", "http://ada:hunter2@");
    let ran = server.gate_with(&CHAMPION, &[("MLFLOW_TRACKING_URI", &uri)]);
    ran.leaves_with(2).never_says("hunter2");
    assert!(server.requests()[0].headers.contains(&"authorization: Basic YWRhOmh1bnRlcjI=".to_owned()));
    let ran = server.gate_with(&CHAMPION, &[("MLFLOW_TRACKING_TOKEN", "hunter2\nx: y")]);
    ran.leaves_with(2).says("characters that are not allowed in headers").never_says("hunter2");
    // A name or a password alone is refused.
    let ran = server.gate_with(&CHAMPION, &[("MLFLOW_TRACKING_PASSWORD", "hunter2")]);
    ran.leaves_with(2).says("only the password is set").never_says("hunter2");
    let ran = server.gate_with(&CHAMPION, &[("MLFLOW_TRACKING_USERNAME", "ada")]);
    ran.leaves_with(2).says("set MLFLOW_TRACKING_PASSWORD too");
}

#[test]
fn a_server_that_repeats_the_request_does_not_tell_who_asked() {
    let server = small(|request| {
        let said = json!({"error_code": "INVALID_PARAMETER_VALUE", "message": request.headers.join(" ") + " hunter2"});
        Some(Answer::Whole(400, "application/json", said.to_string().into_bytes()))
    });
    for environment in [
        &[("MLFLOW_TRACKING_TOKEN", "hunter2")][..],
        &[("MLFLOW_TRACKING_USERNAME", "ada"), ("MLFLOW_TRACKING_PASSWORD", "hunter2")],
    ] {
        let ran = server.gate_with(&CHAMPION, environment);
        ran.leaves_with(2).says("***").never_says("hunter2").never_says("YWRhOmh1bnRlcjI=");
    }
}

#[test]
fn credentials_are_for_one_server() {
    let other = small(|_| None);
    let uri = other.uri.clone();
    let server = small(move |request| {
        let path = request.line.split(' ').nth(1).expect("a path");
        Some(Answer::Elsewhere(format!("{uri}{path}")))
    });
    server.gate_with(&CHAMPION, &[("MLFLOW_TRACKING_TOKEN", "hunter2")]).leaves_with(0);
    assert!(server.requests()[0].headers.contains(&"authorization: Bearer hunter2".to_owned()));
    for request in other.requests() {
        assert!(!request.headers.iter().any(|header| header.contains("hunter2")), "{request:?}");
    }
}
