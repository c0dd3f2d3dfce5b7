use std::path::PathBuf;

use domain::FactorKind;
use toml::Value;

use crate::config::Config;
use crate::pages::example;
use crate::row::Kind;
use crate::sections::names::key_of;
use crate::sources::FlagValues;
use crate::table::{SETTINGS, Setting};
use crate::value;
use crate::values::{Origin, Values};

#[expect(clippy::unnecessary_wraps, reason = "the environment may fail")]
fn nothing(_: &str) -> anyhow::Result<Option<String>> {
    Ok(None)
}

fn load(text: &str, given: FlagValues) -> anyhow::Result<Config> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("countersign.toml");
    std::fs::write(&path, text).unwrap();
    Config::of(&Values::gather_with(&FlagValues { config: Some(path), ..given }, &nothing)?)
}

/// What one variable does, which is read as the environment is.
fn with_variable(name: &str, value: &str) -> anyhow::Result<Values> {
    let set = |asked: &str| Ok((asked == name && !value.trim().is_empty()).then(|| value.to_owned()));
    Values::gather_with(&FlagValues::default(), &set)
}

fn leaked(text: String) -> &'static str {
    Box::leak(text.into())
}

fn with_flag(setting: &Setting, value: &str) -> anyhow::Result<Values> {
    Values::gather_with(&FlagValues::default().with(setting.row.key, [value]), &nothing)
}

#[test]
fn a_flag_beats_the_file_and_the_file_beats_the_default() {
    let flag = FlagValues::default().with("listen", ["127.0.0.1:1"]);
    assert_eq!(load("listen = '127.0.0.1:2'", flag).unwrap().listen.address.port(), 1);
    assert_eq!(load("listen = '127.0.0.1:2'", FlagValues::default()).unwrap().listen.address.port(), 2);
    assert_eq!(load("", FlagValues::default()).unwrap().listen.address.to_string(), "127.0.0.1:8080");
}

#[test]
fn every_setting_takes_what_orchestrators_write() {
    for setting in SETTINGS.iter() {
        let (key, variable) = (setting.row.key, &setting.variable);
        let default = setting.row.default();
        // Empty is as if it were not set.
        for empty in ["", " "] {
            assert_eq!(
                with_variable(variable, empty).unwrap().of(key),
                (default.as_ref(), &Origin::Default),
                "{variable}"
            );
            assert_eq!(with_flag(setting, empty).unwrap().of(key).0, default.as_ref(), "{variable}");
        }
        // An error names the key that was set, and a right value is read alike from every source.
        let (good, read, wrong): (Vec<&str>, Value, &str) = match setting.row.kind {
            Kind::YesNo => (vec!["1", "true", "TRUE", "Yes", "on", " y "], true.into(), "perhaps"),
            Kind::Number(least, most) => {
                let number = 31.clamp(least, most);
                (vec![leaked(format!(" {number} ")), leaked(number.to_string())], number.into(), "many")
            }
            Kind::OneOf(numbers) => (vec!["200"], numbers[1].into(), "7"),
            Kind::Word(words) => (vec![words[0], leaked(words[0].to_uppercase())], words[0].into(), "maybe"),
            Kind::Address(_) => (vec!["127.0.0.1:81", " 81"], "127.0.0.1:81".into(), "no such:name"),
            Kind::Texts(_) => {
                let one = toml::from_str::<toml::Table>(&format!("x = {}", setting.row.example)).unwrap();
                let one = one["x"][0].as_str().unwrap().to_owned();
                let given = [format!("{one}, {one}"), format!(" {one},,{one},")];
                (
                    given.into_iter().map(leaked).collect(),
                    Value::Array(vec![one.clone().into(), one.into()]),
                    "::::nonsense/",
                )
            }
            Kind::Paths => (vec!["a.pem, b.pem", "a.pem,b.pem "], vec!["a.pem", "b.pem"].into(), ""),
            Kind::Text(_) | Kind::Label => {
                let example = toml::from_str::<toml::Table>(&format!("x = {}", setting.row.example));
                let value = example.ok().map_or_else(|| default.clone().unwrap(), |table| table["x"].clone());
                let text = value.as_str().unwrap();
                (vec![leaked(text.to_owned()), leaked(format!(" {text}\n"))], text.into(), "a\u{7}b")
            }
            Kind::Secret | Kind::Path => (vec!["x", " x\n"], "x".into(), ""),
        };
        for text in good {
            let values = with_variable(variable, text).unwrap();
            assert_eq!(values.of(key), (Some(&read), &Origin::Variable(variable.to_owned())), "{variable}={text}");
            let values = with_flag(setting, text).unwrap();
            assert_eq!(values.of(key), (Some(&read), &Origin::Flag(&setting.flag)), "--{}={text}", &setting.flag);
        }
        if !wrong.is_empty() {
            let said = with_variable(variable, wrong).unwrap_err().to_string();
            assert!(said.contains(&format!("the variable {variable}:")), "{said}");
            let said = with_flag(setting, wrong).unwrap_err().to_string();
            assert!(said.contains(&format!("the flag --{}:", &setting.flag)), "{said}");
            let (table, last) = setting.row.table();
            let head = table.map_or_else(String::new, |table| format!("[{table}]\n"));
            let said = load(&format!("{head}{last} = {}", Value::from(wrong)), FlagValues::default());
            let said = said.map(drop).map_err(|error| error.to_string());
            assert!(
                said.as_ref().is_err_and(|said| said.contains(key) && said.contains("countersign.toml, line")),
                "{said:?}"
            );
        }
    }
    for (text, yes) in [("FALSE", false), ("0", false), ("off", false), ("No", false), ("ON", true)] {
        assert_eq!(value::yes_or_no(text), Ok(yes), "{text}");
        assert_eq!(
            load(&format!("insecure_http = '{text}'"), FlagValues::default()).unwrap().listen.insecure_http,
            yes
        );
    }
}

#[test]
fn every_factor_may_be_named_and_a_name_that_shows_nothing_is_refused() {
    for kind in FactorKind::ALL {
        let key = key_of(kind);
        let setting = Setting::of(key).unwrap();
        let (_, last) = setting.row.table();
        let named = |name: &str| load(&format!("[names]\n{last} = {}\n", Value::from(name)), FlagValues::default());
        let names = named(" My key ").unwrap().dialect.names;
        assert_eq!(names.v1_type_display_name(kind), "My key");
        assert_eq!(names.v2_type_display_name(kind), "My key");
        for wrong in ["", " ", "\u{200b}", "a\tb", "a\u{202e}b", &"x".repeat(101)] {
            let said = named(wrong).unwrap_err().to_string();
            assert!(said.contains(key) && said.contains("countersign.toml, line 2"), "{wrong:?}: {said}");
            // A variable or a flag that is empty is as if it were not given.
            if !wrong.trim().is_empty() {
                let said = with_variable(&setting.variable, wrong).unwrap_err().to_string();
                assert!(said.contains(&setting.variable), "{wrong:?}: {said}");
                let said = with_flag(setting, wrong).unwrap_err().to_string();
                assert!(said.contains(&setting.flag), "{wrong:?}: {said}");
            }
        }
    }
}

#[test]
fn addresses_as_people_write_them() {
    for (text, means) in [
        ("127.0.0.1:81", "127.0.0.1:81"),
        ("localhost:8080", "127.0.0.1:8080"),
        ("localhost", "127.0.0.1:8080"),
        ("8081", "127.0.0.1:8081"),
        ("0", "127.0.0.1:0"),
        (":8082", "0.0.0.0:8082"),
        ("*:8082", "0.0.0.0:8082"),
        ("127.0.0.1", "127.0.0.1:8080"),
        ("0.0.0.0", "0.0.0.0:8080"),
        ("::1", "[::1]:8080"),
        ("[::1]", "[::1]:8080"),
        ("[::1]:9", "[::1]:9"),
        (" 10.0.0.1:80 ", "10.0.0.1:80"),
    ] {
        assert_eq!(value::address(text, Some(8080)).map(|address| address.to_string()), Ok(means.to_owned()), "{text}");
    }
    for wrong in ["http://127.0.0.1:80", "127.0.0.1:http", "nowhere.invalid:80", "99999", "127.0.0.1:99999", "a b"] {
        let said = value::address(wrong, Some(8080)).unwrap_err();
        assert!(said.contains("ADDRESS:PORT") || said.contains("65535"), "{wrong}: {said}");
    }
    let said = value::address("127.0.0.1", None).unwrap_err();
    assert!(said.contains("the port is missing"), "no port is meant where none is known: {said}");
    // Every address is judged as one, however it is written.
    for open in [":8080", "*:8080", "0.0.0.0"] {
        assert!(load(&format!("listen = '{open}'"), FlagValues::default()).unwrap().check_listen().is_err(), "{open}");
    }
    assert!(load("listen = 8080", FlagValues::default()).unwrap().check_listen().is_ok());
}

#[test]
fn a_mark_and_a_relative_name() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("countersign.toml");
    std::fs::write(&path, "\u{feff}master_key_file = 'mk'\ndata_dir = '../data'\n[webhooks]\nca_file = '/ca.pem'\n")
        .unwrap();
    let given = FlagValues { config: Some(path), ..FlagValues::default() };
    let url = dir.path().join("url");
    std::fs::write(&url, "\u{feff}postgres://ana@db/mfa\n").unwrap();
    let name = url.display().to_string();
    let set = move |asked: &str| Ok((asked == "COUNTERSIGN_DATABASE_URL_FILE").then(|| name.clone()));
    let config = Config::of(&Values::gather_with(&given, &set).unwrap()).unwrap();
    assert_eq!(config.storage.master_key_file, Some(dir.path().join("mk")));
    assert_eq!(config.storage.data_dir, dir.path().join("../data"));
    assert_eq!(config.webhooks.ca_file, Some(PathBuf::from("/ca.pem")));
    assert_eq!(config.storage.database.postgres().unwrap().shown(), "postgres://ana@db/mfa");
    let missing = |asked: &str| Ok((asked == "COUNTERSIGN_DATABASE_URL_FILE").then(|| "nowhere".to_owned()));
    let said = format!("{:#}", Values::gather_with(&FlagValues::default(), &missing).unwrap_err());
    assert_eq!(said.matches("No such file").count(), 1, "{said}");
    assert!(said.contains("COUNTERSIGN_DATABASE_URL_FILE") && said.contains("/nowhere"), "{said}");
}

#[test]
fn an_unknown_key_is_refused_and_named() {
    let refused = |text: &str| load(text, FlagValues::default()).unwrap_err().to_string();
    let error = refused("lisen = '127.0.0.1:2'");
    assert!(error.ends_with("line 1: unknown key `lisen`. Did you mean `listen`?"), "{error}");
    let error = refused("[limits]\ncalls_an_hour = 1");
    assert!(error.ends_with("Did you mean `calls_per_hour`?"), "{error}");
    for far in ["colour = 1", "[limits]\ncalls = 1", "[foo]\nx = 1"] {
        let error = refused(far);
        assert!(!error.contains("Did you mean") && error.contains("config example"), "{error}");
    }
    assert!(refused("[smtp]\nhost = 'x'").ends_with("Its settings are under [delivery.smtp]"));
    for future in ["ldap = 'x'", "[voice]\nurl = 'x'"] {
        let error = refused(future);
        assert!(error.contains("this version cannot") && !error.contains("Did you mean"), "{error}");
    }
}

#[test]
fn what_is_no_toml_is_told_by_its_line_and_never_quoted() {
    for (text, line, why) in [
        ("listen = '127.0.0.1:1", 1, "closing '"),
        ("\nsubdomain = \"s3cret\n", 2, "closing \""),
        ("subdomain s3cret", 1, "write KEY = VALUE"),
        ("subdomain = 'a'\nsubdomain = 's3cret'", 2, "twice"),
    ] {
        let said = load(text, FlagValues::default()).unwrap_err().to_string();
        assert!(said.contains(&format!("line {line}: ")) && said.contains(why), "{text}: {said}");
        assert!(!said.contains("s3cret"), "{said}");
    }
}

#[test]
fn a_database_is_named_in_the_file_or_by_a_flag() {
    let shown = |text: &str, given: FlagValues| {
        load(text, given).unwrap().storage.database.postgres().map(|postgres| postgres.shown().to_owned())
    };
    assert_eq!(shown("", FlagValues::default()), None);
    let file = "database_url = 'postgres://ana:x@db/mfa'";
    assert_eq!(shown(file, FlagValues::default()).as_deref(), Some("postgres://ana@db/mfa"));
    let flag = FlagValues::default().with("database_url", ["postgres://other/mfa"]);
    assert_eq!(shown(file, flag).as_deref(), Some("postgres://other/mfa"));
    assert!(load("database_url = 'mysql://db'", FlagValues::default()).is_err());
}

#[test]
fn plain_http_stays_on_loopback_unless_asked_for() {
    let open =
        |extra: &str| load(&format!("listen = '0.0.0.0:1'\n{extra}"), FlagValues::default()).unwrap().check_listen();
    assert!(open("").is_err());
    assert!(open("insecure_http = true").is_ok());
    assert!(open("tls_cert_file = ['a.pem']\ntls_key_file = ['a.key']").is_ok());
    assert!(load("tls_cert_file = ['a.pem']", FlagValues::default()).is_err(), "a certificate without its key");
    assert!(open("trusted_proxy = ['10.0.0.1', '172.16.0.0/12', 'proxy.internal']").is_ok());
}

#[test]
fn a_public_url_is_an_origin() {
    for bad in
        ["mfa.example.com", "ftp://x", "https://a@b", "https://x/", "https://x?y=1", "https://x/#y", "https://x#y"]
    {
        assert!(load(&format!("public_url = '{bad}'"), FlagValues::default()).is_err(), "{bad}");
    }
    assert!(load("public_url = 'https://mfa.example.com'", FlagValues::default()).is_ok());
}

#[test]
fn a_value_has_one_origin() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("countersign.toml");
    std::fs::write(&path, "subdomain = 'acme'\n[login]\nmfa = 'required'").unwrap();
    let given = FlagValues { config: Some(path), ..FlagValues::default() }
        .with("listen", ["127.0.0.1:1"])
        .with("database_url", ["postgres://ana:secret@db/mfa"]);
    let environment = |name: &str| Ok((name == "COUNTERSIGN_LIMITS_THREADS").then(|| "2".to_owned()));
    let values = Values::gather_with(&given, &environment).unwrap();
    let config = Config::of(&values).unwrap();
    let of = |key: &str| {
        let setting = Setting::of(key).unwrap();
        (config.shown(setting, &values).unwrap(), values.of(key).1.to_string())
    };
    let text = |text: &str| Value::from(text);
    assert_eq!(of("listen"), (text("127.0.0.1:1"), "flag --listen".to_owned()));
    assert_eq!(of("limits.threads"), (Value::from(2), "variable COUNTERSIGN_LIMITS_THREADS".to_owned()));
    assert_eq!(of("subdomain"), (text("acme"), "file".to_owned()));
    assert_eq!(of("issuer"), (text("acme"), "default".to_owned()));
    assert_eq!(of("login.mfa"), (text("required"), "file".to_owned()));
    assert_eq!(of("account_id"), (Value::from(1), "default".to_owned()));
    assert_eq!(of("database_url").0, text("postgres://ana@db/mfa"), "no password is shown");
}

#[test]
fn one_name_everywhere() {
    for setting in SETTINGS.iter() {
        let variable = setting.variable.strip_prefix("COUNTERSIGN_").unwrap().to_ascii_lowercase();
        assert_eq!(variable, setting.flag.replace('-', "_"));
        assert_eq!(variable, setting.row.key.replace('.', "_"));
    }
    // The example sets every one of them, and a server accepts the file.
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("countersign.toml");
    let text: String = example()
        .lines()
        .map(|line| {
            line.strip_prefix('#').filter(|rest| rest.contains(" = ") && !rest.starts_with(' ')).unwrap_or(line)
        })
        .fold(String::new(), |text, line| text + line + "\n");
    std::fs::write(&path, text).unwrap();
    let given = FlagValues { config: Some(path), ..FlagValues::default() };
    let values = Values::gather_with(&given, &nothing).unwrap();
    for setting in SETTINGS.iter() {
        let (value, origin) = values.of(setting.row.key);
        assert!(value.is_some() && origin.to_string() == "file", "{}", setting.row.key);
    }
    Config::of(&values).unwrap();
}

#[test]
fn a_secret_may_stand_in_a_file_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("countersign.toml");
    let given = FlagValues { config: Some(path.clone()), ..FlagValues::default() };
    let gather = |text: &str| {
        std::fs::write(&path, text).unwrap();
        Values::gather_with(&given, &nothing)
    };
    std::fs::write(dir.path().join("url"), "postgres://here\n").unwrap();
    let values = gather("database_url_file = 'url'").unwrap();
    assert_eq!(values.of("database_url"), (Some(&Value::from("postgres://here")), &Origin::File(path.clone())));
    let said = |text: &str| format!("{:#}", gather(text).unwrap_err());
    let missing = said("\ndatabase_url_file = 'gone'");
    assert!(missing.contains("line 2: database_url_file") && missing.contains("/gone"), "{missing}");
    std::fs::write(dir.path().join("empty"), "\n").unwrap();
    assert!(said("database_url_file = 'empty'").ends_with("/empty is empty"));
    assert!(said("database_url_file = 'url'\ndatabase_url = 'x'").contains("set twice"));
    assert!(said("listen_file = 'url'").contains("unknown key `listen_file`"), "only secrets");
}

#[test]
fn an_old_name_goes_on_working_with_a_line() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("countersign.toml");
    std::fs::write(&path, "trusted_proxies = ['10.0.0.1']\ntls_cert_files = []").unwrap();
    let given = FlagValues { config: Some(path.clone()), ..FlagValues::default() };
    let config = Config::of(&Values::gather_with(&given, &nothing).unwrap()).unwrap();
    assert_eq!(config.dialect.trusted_proxies.len(), 1);
    assert!(config.notes[0].contains("trusted_proxy now") || config.notes[1].contains("trusted_proxy now"));
    std::fs::write(&path, "trusted_proxies = ['10.0.0.1']\ntrusted_proxy = []").unwrap();
    assert!(Values::gather_with(&given, &nothing).unwrap_err().to_string().contains("twice"));
}
