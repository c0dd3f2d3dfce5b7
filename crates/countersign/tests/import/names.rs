//! Who a line of a list is about: one user, however their name or id is written, and whichever line comes first.

use super::*;

#[test]
fn lines_of_one_user_far_apart_are_one_user() {
    let place = Place::new();
    let mut csv = "external_id,username,type,secret_base32\n".to_owned();
    for number in 0..600 {
        // Every second time by another name: the other system's id is what counts.
        let (user, name) = (number % 60, if number % 120 < 60 { "user" } else { "alias" });
        writeln!(csv, "e{user},{name}{user},hotp,{}", base32(number)).unwrap();
    }
    let list = place.list("list.csv", &csv);
    assert_summary(&place.import(&list, &[]), 60, 600, 0, 0);
    assert_summary(&place.import(&list, &[]), 0, 0, 600, 0);
}

#[test]
fn people_may_come_without_a_device() {
    let place = Place::new();
    let mut csv = "username,email\n".to_owned();
    for number in 0..800 {
        writeln!(csv, "user{number},user{number}@example.com").unwrap();
    }
    let list = place.list("people.csv", &csv);
    assert_summary(&place.import(&list, &[]), 800, 0, 0, 0);
    assert_summary(&place.import(&list, &[]), 0, 0, 0, 0);
    // Some with a device, some without; what is wrong with a person is a reject as ever.
    let mixed = format!(
        "username,email,type,secret_base32\nana,ana@example.com,,\nben,,hotp,{}\nchie,nonsense,,\ndora,,totp,\n",
        base32(1)
    );
    let mixed = place.list("mixed.csv", &mixed);
    assert_summary(&place.import(&mixed, &[]), 2, 1, 0, 2);
    let rejects = lines(&place.folder.path().join("mixed.csv.rejects.jsonl"));
    assert!(rejects[0]["reason"].as_str().unwrap().contains("mail address"), "{rejects:?}");
    assert!(rejects[1]["reason"].as_str().unwrap().contains("secret_base32"), "{rejects:?}");
}

#[test]
fn one_log_in_name_is_one_user_in_every_form_of_list() {
    let place = Place::new();
    let (first, second) = (base32(1), base32(2));
    let jsonl = place.list(
        "a.jsonl",
        &format!("{{\"username\":\" J\u{f6}rg\",\"email\":\"joerg@example.com\",\"secret_base32\":\"{first}\"}}\n"),
    );
    assert_summary(&place.import(&jsonl, &[]), 1, 1, 0, 0);
    let csv = place.list("b.csv", &format!("username,secret_base32\nJO\u{308}RG ,{second}\n"));
    assert_summary(&place.import(&csv, &[]), 0, 1, 0, 0);
    let otpauth = place.list("c.txt", &format!("otpauth://totp/j%C3%B6rg?secret={first}\n"));
    assert_summary(&place.import(&otpauth, &[]), 0, 0, 1, 0);
    // A user name that is another's address, and an address that is another's user name.
    let crossed = place.list("d.csv", &format!("username,email,secret_base32\nJoerg@Example.com,,{second}\neve,j\u{f6}rg@x.example,{second}\nj\u{f6}rg@x.example,,{second}\nfay\u{200b},,{second}\n"));
    assert_summary(&place.import(&crossed, &[]), 1, 1, 0, 3);
    let data = place.data();
    let shown = run_json(&["user", "show", "j\u{f6}RG ", "--data-dir", data.to_str().unwrap(), "--json"]);
    assert_eq!((shown["username"].as_str(), shown["devices"].as_array().unwrap().len()), (Some("J\u{f6}rg"), 2));
    let refused = run(&["user", "create", "--username", "JOERG@example.com", "--data-dir", data.to_str().unwrap()]);
    assert!(!refused.status.success());
    let none = run_json(&["user", "list", "--collisions", "--data-dir", data.to_str().unwrap(), "--json"]);
    assert_eq!(none, serde_json::json!([]));
}

/// White space around an id of another system, and how its letters are composed, make no difference. Case does.
#[test]
fn one_id_of_another_system_is_one_user_in_every_form_of_list() {
    let place = Place::new();
    let (first, second) = (base32(1), base32(2));
    let jsonl = place.list(
        "a.jsonl",
        &format!(
            "{{\"username\":\"jane\",\"external_id\":\" J\u{f6}-7\u{3000}\",\"secret_base32\":\"{first}\"}}\n\
             {{\"username\":\"jane\",\"external_id\":\"Jo\u{308}-7\",\"secret_base32\":\"{second}\",\"display_name\":\" \u{200b}\"}}\n"
        ),
    );
    assert_summary(&place.import(&jsonl, &[]), 1, 2, 0, 0);
    // By the id alone: the name is another.
    let csv = place.list("b.csv", &format!("username,external_id,secret_base32\njanet,Jo\u{308}-7 ,{first}\n"));
    assert_summary(&place.import(&csv, &[]), 0, 0, 1, 0);
    let other = place.list("c.csv", &format!("username,external_id,secret_base32\njane,j\u{f6}-7,{first}\n"));
    assert!(refused(&place, &other).contains("its only line was rejected"));
    let data = place.data();
    let shown = run_json(&["user", "show", "jane", "--data-dir", data.to_str().unwrap(), "--json"]);
    let names: Vec<_> =
        shown["devices"].as_array().unwrap().iter().map(|device| device["display_name"].clone()).collect();
    assert_eq!(names, ["Authenticator", "Authenticator"], "{shown}");
}

#[test]
fn the_earlier_line_wins() {
    let place = Place::new();
    // Collisions within a batch and across batches: of the address, and of one's name with another's address.
    let mut csv = "username,email,secret_base32\n".to_owned();
    for number in 0..900 {
        let email = if number % 9 < 2 { format!("Shared{}@example.com", number / 9) } else { String::new() };
        let name = if number % 9 == 2 { format!("shared{}@EXAMPLE.com", number / 9) } else { format!("user{number}") };
        writeln!(csv, "{name},{email},{}", base32(number)).unwrap();
    }
    writeln!(csv, "late,shared0@example.com,{}", base32(1000)).unwrap();
    let list = place.list("list.csv", &csv);
    assert_summary(&place.import(&list, &[]), 700, 700, 0, 201);
    let rejects = lines(&place.folder.path().join("list.csv.rejects.jsonl"));
    let rejected: Vec<u64> = rejects.iter().map(|reject| reject["line"].as_u64().unwrap()).collect();
    // The header is line 1.
    let mut later: Vec<u64> = (0..900).filter(|number| matches!(number % 9, 1 | 2)).map(|number| number + 2).collect();
    later.push(902);
    assert_eq!(rejected, later);
    let data = place.data();
    let users = run_json(&["user", "list", "--data-dir", data.to_str().unwrap(), "--json"]);
    let names: Vec<&str> = users.as_array().unwrap().iter().map(|user| user["username"].as_str().unwrap()).collect();
    let expected: Vec<String> = (0..900).filter(|n| !matches!(n % 9, 1 | 2)).map(|n| format!("user{n}")).collect();
    assert_eq!(names, expected, "by id, that is in the order of the list");
}
