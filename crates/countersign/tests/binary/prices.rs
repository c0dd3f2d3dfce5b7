//! What messages cost: an operator's file of prices, and what the commands say about it (contract 18.11).

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

use serde_json::json;

use crate::common::{run, run_json};

/// A configuration with Twilio and a file of prices.
struct Priced {
    folder: tempfile::TempDir,
}

const HEAD: &str = "# source: an invented list\n# as of: DAY\n# currency: EUR\n";

impl Priced {
    fn new(prices: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = "messages.countries = ['DE', 'US']\n[delivery]\nprices_file = 'prices.csv'\n[delivery.twilio]\n\
                      account_sid = 'AC00000000000000000000000000000000'\nauth_token = 'x'\nfrom = '+14155550100'\n";
        std::fs::write(folder.path().join("countersign.toml"), config).unwrap();
        std::fs::write(folder.path().join("prices.csv"), prices).unwrap();
        Self { folder }
    }

    /// Changes the configuration.
    fn configure(&self, change: impl FnOnce(String) -> String) {
        let file = self.folder.path().join("countersign.toml");
        std::fs::write(&file, change(std::fs::read_to_string(&file).unwrap())).unwrap();
    }

    fn with(&self, command: &[&str]) -> Vec<String> {
        let path = |name: &str| self.folder.path().join(name).to_str().unwrap().to_owned();
        let place = ["--config".to_owned(), path("countersign.toml"), "--data-dir".to_owned(), path("data")];
        command.iter().map(|arg| (*arg).to_owned()).chain(place).collect()
    }

    /// Whether the command succeeds, and all that it says.
    fn run(&self, command: &[&str]) -> (bool, String) {
        let args = self.with(command);
        let output = run(&args.iter().map(String::as_str).collect::<Vec<_>>());
        let said = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
        (output.status.success(), said.concat())
    }

    fn json(&self, command: &[&str]) -> serde_json::Value {
        let args = self.with(command);
        run_json(&args.iter().map(String::as_str).collect::<Vec<_>>())
    }
}

/// This day, as the machine's clock has it.
fn today() -> String {
    let now = engine::Clock::now(&engine::clock::SystemClock);
    onelogin::wire_time::with_seconds(now.0)[..10].to_owned()
}

/// Keeps contract 18.11.
#[test]
fn the_price_of_a_number_is_that_of_its_longest_prefix() {
    let lines = "twilio,sms,+,90000\ntwilio,sms,+49,75000\n";
    let priced = Priced::new(&format!("{}{lines}", HEAD.replace("DAY", &today())));
    let check = priced.json(&["config", "check", "--json"]);
    assert_eq!((&check["usable"], check["warnings"].to_string().contains("prices")), (&json!(true), false), "{check}");
    priced.json(&["client", "create", "--scope", "Manage All", "--init", "--json"]);
    let told = priced.json(&["delivery", "price", "+49 1511 2345678", "--json"]);
    let route = json!({
        "channel": "sms", "provider": "twilio", "price": "0.075", "micros": 75_000, "prefix": "+49", "line": 5,
    });
    assert_eq!((&told["currency"], &told["as_of"], &told["routes"]), (&json!("EUR"), &json!(today()), &json!([route])));
    let told = priced.json(&["delivery", "price", "+14155550123", "--channel", "sms", "--json"]);
    assert_eq!(told["routes"][0]["prefix"], "+");
    for (args, said) in [
        (&["delivery", "price", "12"][..], "this is no telephone number"),
        (&["delivery", "price", "+14155550123", "--channel", "voice"], "no provider carries this"),
    ] {
        let (is_fine, told) = priced.run(args);
        assert!(!is_fine && told.contains(said), "{told}");
    }
}

#[test]
fn prices_that_cannot_be_read_stop_the_start_with_their_line_and_old_ones_are_a_warning() {
    let wrong = Priced::new(&format!("{}twilio,sms,+49,0.075\n", HEAD.replace("DAY", "2026-01-01")));
    let faults = wrong.run(&["config", "check", "--json"]).1;
    assert!(faults.contains("prices.csv, line 4: `0.075` is no price; write whole micro-units"), "{faults}");
    let (is_fine, said) = wrong.run(&["serve"]);
    assert!(!is_fine && said.contains("prices.csv, line 4"), "{said}");

    let old = Priced::new(&format!("{}twilio,sms,+49,75000\ntwillio,sms,+,1\n", HEAD.replace("DAY", "2019-01-01")));
    let check = old.json(&["config", "check", "--json"]);
    assert_eq!(check["usable"], true, "{check}");
    let warnings = check["warnings"].to_string();
    for said in ["more than a year old", "add twilio,sms,+,PRICE", "is called twillio"] {
        assert!(warnings.contains(said), "{warnings}");
    }
}

/// Keeps SEC 101.
#[test]
fn caps_that_cannot_be_kept_stop_the_start() {
    let head = HEAD.replace("DAY", &today());
    let priced = Priced::new(&format!("{head}twilio,sms,+49,75000\n"));
    priced.configure(|config| format!("messages.spend_per_country = 50\n{config}"));
    for command in [&["config", "check"][..], &["serve"]] {
        let (is_fine, said) = priced.run(command);
        assert!(!is_fine && said.contains("has none over twilio: add twilio,sms,+,PRICE"), "{said}");
    }
    std::fs::write(priced.folder.path().join("prices.csv"), format!("{head}twilio,sms,+,75000\n")).unwrap();
    let (is_fine, said) = priced.run(&["config", "check"]);
    assert!(is_fine, "{said}");
    priced.configure(|config| config.replace("prices_file = 'prices.csv'\n", ""));
    let (is_fine, said) = priced.run(&["config", "check"]);
    assert!(!is_fine && said.contains("no prices are known: name a file with them in delivery.prices_file"), "{said}");
}

#[test]
fn spending_is_shown_with_the_caps_of_today() {
    let priced = Priced::new(&format!("{}twilio,sms,+,75000\n", HEAD.replace("DAY", &today())));
    priced.json(&["client", "create", "--scope", "Manage All", "--init", "--json"]);
    priced.configure(|config| format!("messages.spend_per_server = 20\n{config}"));
    let told = priced.json(&["delivery", "spend", "--since", "90m", "--json"]);
    assert_eq!((&told["currency"], &told["spent"]), (&json!("EUR"), &json!([])));
    let none = json!({ "client": null, "country": null, "cap": "20.00", "taken": "0.00", "percent": 0, "alarm": 0 });
    assert_eq!(told["caps"], json!([none]));
    let (is_fine, said) = priced.run(&["delivery", "spend", "--since", "2d"]);
    assert!(!is_fine && said.contains("up to a day, as 24h or 90m"), "{said}");
}

#[test]
fn rules_are_tried_from_a_file_that_names_nothing_else() {
    let priced = Priced::new(&format!("{}twilio,sms,+,75000\n", HEAD.replace("DAY", &today())));
    priced.json(&["client", "create", "--scope", "Manage All", "--init", "--json"]);
    let rules = priced.folder.path().join("rules.toml");
    let simulate = ["delivery", "simulate", rules.to_str().unwrap(), "--json"];
    std::fs::write(&rules, "[messages]\nspend_per_country = 20\nbreaker_min = 10\n").unwrap();
    let told = priced.json(&simulate);
    let none = |fate: &str| json!({ "fate": fate, "messages": 0, "answered": 0, "cost": "0.00", "micros": 0 });
    let fates = ["sent", "over_server_cap", "over_client_cap", "over_country_cap", "in_closed_prefix"];
    assert_eq!((&told["messages"], &told["closings"]), (&json!(fates.map(none)), &json!([])));
    for (text, said) in [
        ("[messages]\ncountries = ['DE']\n", "messages.countries is no number of [messages]; remove it"),
        ("[limits]\nmessages_per_client = 5\n", "limits.messages_per_client is no number of [messages]; remove it"),
        ("[messages]\nspend_per_planet = 5\n", "spend_per_planet"),
    ] {
        std::fs::write(&rules, text).unwrap();
        let (is_fine, told) = priced.run(&simulate);
        assert!(!is_fine && told.contains(said), "{told}");
    }
}
