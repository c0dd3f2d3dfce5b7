//! Clients that a script creates again.

use crate::common::run;

#[test]
fn a_client_with_other_limits_is_not_what_was_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let create = |limits: &[&str]| {
        let fixed = ["client", "create", "--scope", "Read Users", "--name", "reports", "--if-missing", "--init"];
        run(&[&fixed, limits, &["--data-dir", data, "--json"]].concat())
    };
    let limits = ["--allow-ip", "10.0.0.0/8", "2001:db8::1", "--expires", "2127-01-01"];
    assert!(create(&limits).status.success());
    // The order of networks and the spelling of a moment do not matter.
    let alike = ["--allow-ip", "2001:db8::1", "10.0.0.0/8", "--expires", "2127-01-01T01:00:00+01:00"];
    let again = create(&alike);
    let kept: serde_json::Value = serde_json::from_slice(&again.stdout).unwrap();
    assert_eq!(kept["created"], false, "{kept}");
    for other in [
        &[][..],
        &limits[..3],
        &limits[3..],
        &["--allow-ip", "10.0.0.0/8", "--expires", "2127-01-01"],
        &["--allow-ip", "10.0.0.0/8", "2001:db8::1", "--expires", "2127-01-02"],
    ] {
        let refused = create(other);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(refused.status.code() == Some(1) && said.contains("10.0.0.0/8 2001:db8::1"), "{other:?}: {said}");
    }
}
