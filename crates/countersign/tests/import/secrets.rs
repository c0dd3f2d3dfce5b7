//! Secrets that were used, or that another user has too.

use super::*;

/// Imports one device of this user. Gives both ids.
fn bring(place: &Place, name: &str, kind: &str, number: usize) -> (i64, i64) {
    let map = place.folder.path().join("brought.jsonl");
    let list = place.list("brought.csv", &format!("username,type,secret_base32\n{name},{kind},{}\n", base32(number)));
    place.import(&list, &["--map-out", map.to_str().unwrap()]);
    let brought = &lines(&map)[0];
    (brought["user_id"].as_i64().unwrap(), brought["device_id"].as_i64().unwrap())
}

#[test]
fn an_imported_device_works_at_once() {
    let place = Place::new();
    let server = Running::dev(&place.data());
    let mut api = server.api();
    // Somebody who is here already, and somebody who is not.
    let here = api.expect(201, "POST", "/api/2/users", r#"{"username":"nia"}"#)["id"].as_i64().unwrap();
    for (name, number) in [("nia", 1), ("olga", 2)] {
        let (user, device) = bring(&place, name, "totp", number);
        assert_eq!(user == here, name == "nia");
        assert_eq!(status(&mut api, user, device, &totp(number, 0)), 200, "{name}");
        let (user, device) = bring(&place, name, "hotp", number);
        assert_eq!(status(&mut api, user, device, &hotp(number, 0, 6)), 200, "{name}");
    }
}

#[test]
fn a_spent_code_stays_spent_beyond_its_device_and_its_user() {
    let place = Place::new();
    let server = Running::dev(&place.data());
    let mut api = server.api();
    let (user, device) = bring(&place, "nia", "hotp", 1);
    for counter in 0..3 {
        assert_eq!(status(&mut api, user, device, &hotp(1, counter, 6)), 200);
    }
    // The device goes and is brought again, by a list that begins with its first code.
    api.expect(200, "DELETE", &format!("/api/1/users/{user}/otp_devices/{device}"), "");
    let (again, device) = bring(&place, "nia", "hotp", 1);
    assert_eq!(again, user);
    for counter in 0..3 {
        assert_eq!(status(&mut api, user, device, &hotp(1, counter, 6)), 401, "{counter}");
    }
    assert_eq!(status(&mut api, user, device, &hotp(1, 3, 6)), 200);

    // The user goes and is brought again.
    let (user, device) = bring(&place, "olga", "totp", 2);
    let code = totp(2, 0);
    assert_eq!(status(&mut api, user, device, &code), 200);
    let path = format!("/api/2/users/{user}");
    assert_eq!(api.send("DELETE", &path, "").unwrap().status, 204);
    let (again, device) = bring(&place, "olga", "totp", 2);
    assert_ne!(again, user);
    assert_eq!(status(&mut api, again, device, &code), 401);
    assert_eq!(status(&mut api, again, device, &totp(2, 30)), 200);

    // So is a device that a command deletes.
    let (user, device) = bring(&place, "piet", "hotp", 3);
    assert_eq!(status(&mut api, user, device, &hotp(3, 0, 6)), 200);
    let data = place.data();
    let (user_id, device_id) = (user.to_string(), device.to_string());
    run_json(&["device", "delete", &user_id, &device_id, "--yes", "--data-dir", data.to_str().unwrap(), "--json"]);
    // And with the server stopped in between, at somebody else.
    assert_eq!(server.stop(), Some(0));
    let (other, device) = bring(&place, "quinn", "hotp", 3);
    let server = Running::dev(&place.data());
    let mut api = server.api();
    assert_eq!(status(&mut api, other, device, &hotp(3, 0, 6)), 401);
    assert_eq!(status(&mut api, other, device, &hotp(3, 1, 6)), 200);
}

#[test]
fn a_secret_that_is_somebody_elses_is_told_and_begins_where_they_are() {
    let place = Place::new();
    let server = Running::dev(&place.data());
    let mut api = server.api();
    let (user, device) = bring(&place, "nia", "hotp", 1);
    assert_eq!(status(&mut api, user, device, &hotp(1, 0, 6)), 200);
    // One of these is also nia's, one is of two people of this list, one is of one person.
    let csv = format!(
        "username,type,secret_base32\nolga,hotp,{}\nolga,hotp,{}\npiet,hotp,{}\nquinn,hotp,{}\n",
        base32(1),
        base32(2),
        base32(3),
        base32(2)
    );
    let (list, map) = (place.list("shared.csv", &csv), place.folder.path().join("map.jsonl"));
    let summary = place.import(&list, &["--map-out", map.to_str().unwrap()]);
    assert_summary(&summary, 3, 4, 0, 0);
    assert_eq!(summary["shared"], 3, "{summary}");
    let reported = lines(&place.folder.path().join("shared.csv.rejects.jsonl"));
    let numbers: Vec<u64> = reported.iter().map(|line| line["line"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [2, 3, 5]);
    assert!(reported[0]["reason"].as_str().unwrap().contains("another user has a device with this secret"));
    let mapped = lines(&map);
    let olga = mapped.iter().find(|line| line["secret_base32"] == base32(1)).unwrap();
    let (olga, hers) = (olga["user_id"].as_i64().unwrap(), olga["device_id"].as_i64().unwrap());
    assert_eq!(status(&mut api, olga, hers, &hotp(1, 0, 6)), 401, "nia has used it");
    assert_eq!(status(&mut api, olga, hers, &hotp(1, 1, 6)), 200);
    let data = place.data();
    let said = run(&["import", list.to_str().unwrap(), "--data-dir", data.to_str().unwrap()]);
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.contains("shared     3 devices"), "{said}");
}

/// An installation of an earlier version has no marks of secrets. They are made before anything can be deleted.
#[test]
fn what_was_used_before_an_upgrade_stays_used() {
    let place = Place::new();
    let server = Running::dev(&place.data());
    let (user, device) = bring(&place, "nia", "hotp", 1);
    bring(&place, "olga", "totp", 2);
    assert_eq!(status(&mut server.api(), user, device, &hotp(1, 4, 6)), 200);
    assert_eq!(server.stop(), Some(0));
    make_older(&place.data().join("db"));
    let data = place.data();
    let data = data.to_str().unwrap();
    let unmarked = || -> i64 {
        let database = rusqlite::Connection::open(place.data().join("db/countersign.db")).unwrap();
        database.query_row("SELECT COUNT(*) FROM unmarked_device", [], |row| row.get(0)).unwrap()
    };
    // Without the key only the schema is migrated, and the next command that writes does the rest.
    let key = place.data().join("keys/master.key");
    let aside = place.folder.path().join("aside");
    std::fs::rename(&key, &aside).unwrap();
    assert_eq!(run_json(&["migrate", "--data-dir", data, "--json"])["migrated"], true);
    std::fs::rename(&aside, &key).unwrap();
    assert_eq!(unmarked(), 2);
    run_json(&["user", "list", "--data-dir", data, "--json"]);
    assert_eq!(unmarked(), 2, "who only reads changes nothing");
    let (user_id, device_id) = (user.to_string(), device.to_string());
    run_json(&["device", "delete", &user_id, &device_id, "--yes", "--data-dir", data, "--json"]);
    assert_eq!(unmarked(), 0);
    let (user, device) = bring(&place, "nia", "hotp", 1);
    let server = Running::dev(&place.data());
    let mut api = server.api();
    assert_eq!(status(&mut api, user, device, &hotp(1, 4, 6)), 401);
    assert_eq!(status(&mut api, user, device, &hotp(1, 5, 6)), 200);
}

/// Turns the database in this folder into what a version before schema 11 would have left: devices and their counters apart from
/// their users, and no secret with a mark.
fn make_older(folder: &Path) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let devices = runtime.block_on(async {
        let store = store::Store::open_sqlite(folder, store::SqliteOptions::default()).unwrap();
        let page = store::Page { limit: 50, offset: 0 };
        let mut devices = Vec::new();
        for user in store.users(&store::UserFilter::default(), page).await.unwrap().users {
            devices.extend(store.view(user.id).await.unwrap().devices);
        }
        store.close().await;
        devices
    });
    let path = folder.join("countersign.db");
    let older = folder.join("older.db");
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("../store/testdata/schema/sqlite-0014.sql");
    let database = rusqlite::Connection::open(&older).unwrap();
    database.execute_batch(&std::fs::read_to_string(schema).unwrap()).unwrap();
    database.execute("ATTACH ?1 AS newer", [path.to_str().unwrap()]).unwrap();
    let list = |sql: &str| -> Vec<String> {
        let mut found = database.prepare(sql).unwrap();
        found.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    database.pragma_update(None, "foreign_keys", false).unwrap();
    for table in list("SELECT name FROM main.sqlite_schema WHERE type = 'table'") {
        database.execute(&format!("DELETE FROM main.\"{table}\""), []).unwrap();
        let columns =
            |of: &str| list(&format!("SELECT '\"' || name || '\"' FROM pragma_table_info('{table}', '{of}')"));
        let newer = columns("newer");
        let both: Vec<String> = columns("main").into_iter().filter(|column| newer.contains(column)).collect();
        if !both.is_empty() {
            let both = both.join(", ");
            let copy = format!("INSERT INTO main.\"{table}\" ({both}) SELECT {both} FROM newer.\"{table}\"");
            database.execute(&copy, []).unwrap();
        }
    }
    for device in devices {
        let (id, user) = (device.id.0, device.user_id.0);
        let numbers = (device.factor.number(), device.status.number(), device.created_at.0);
        database
            .execute(
                "INSERT INTO main.device (id, user_id, factor, display_name, status, credential, created_at) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                (id, user, numbers.0, &device.display_name, numbers.1, &device.credential.0, numbers.2),
            )
            .unwrap();
        let used_at = device.last_used_at.map_or(0, |at| at.0);
        let counter = [id, device.last_counter, used_at].map(i64::to_be_bytes).concat();
        let add = "UPDATE main.\"user\" SET counters = CAST(COALESCE(counters, x'') || ?1 AS BLOB) WHERE id = ?2";
        database.execute(add, (counter, user)).unwrap();
    }
    database.execute("DETACH newer", []).unwrap();
    database
        .execute_batch(
            "DROP INDEX verification_ended; DROP INDEX device_secret; DROP INDEX device_unmarked; \
             ALTER TABLE device DROP COLUMN secret_mac; ALTER TABLE device DROP COLUMN secret_counts; \
             DROP TABLE used_secret; DELETE FROM meta WHERE key = 'own_key'; PRAGMA user_version = 10",
        )
        .unwrap();
    drop(database);
    std::fs::rename(older, path).unwrap();
}
