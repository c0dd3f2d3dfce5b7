//! What a server and its schema must be like.

use super::*;
use crate::postgres::{connect, sql};
use crate::{MIGRATIONS, OpenError};

async fn refusal(url: &str) -> OpenError {
    Store::open_postgres(url, PostgresOptions::default()).await.unwrap_err()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_statement_can_be_prepared() {
    let Some((store, url)) = fresh_store().await else { return };
    store.dev_prepare().await.unwrap();
    let (client, driver) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(driver);
    for (name, statement) in crate::schema::sql::ALL.iter().chain(sql::ALL) {
        let prepared = client.prepare(crate::postgres::conn::in_own_words(statement)).await;
        assert!(prepared.is_ok(), "{name}: {:?}", prepared.err());
    }
    store.close().await;
}

/// A list of a million users is made within its time only if it is planned for what is asked for. It takes no more than one
/// of the server's processors.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_is_planned_for_the_values_it_has() {
    use crate::postgres::long::Long;
    let Some((store, url)) = fresh_store().await else { return };
    let target = connect::Target::new(&url, &PostgresOptions::default()).unwrap();
    let lists = Long::new(std::sync::Arc::new(target), 1, std::time::Duration::from_secs(2));
    let settings = "SELECT current_setting('plan_cache_mode'), current_setting('enable_seqscan'), \
                    current_setting('max_parallel_workers_per_gather')";
    let found = lists.read(vec![(settings.to_owned(), Vec::new())]).await.unwrap();
    let of = |column| found[0][0].get::<_, String>(column);
    assert_eq!((of(0), of(1), of(2)), ("force_custom_plan".to_owned(), "on".to_owned(), "0".to_owned()));
    lists.close();
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_hot_statement_reads_a_whole_table_even_if_planned_while_it_was_empty() {
    let Some((store, url)) = fresh_store().await else { return };
    let (client, driver) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(driver);
    client.batch_execute(connect::PLANNING).await.unwrap();
    for statement in [sql::LOCK_USERS, sql::AUDIT_HEADS_OF, sql::SET_STATES, sql::DELETE_LOOKUPS, sql::MOVE_AUDIT_HEADS]
    {
        client.batch_execute(&format!("PREPARE hot AS {statement}")).await.unwrap();
        let count = (1..20).filter(|n| statement.contains(&format!("${n}"))).count();
        let explain = format!("EXPLAIN EXECUTE hot ({})", vec!["NULL"; count].join(", "));
        let plan: Vec<String> = client.query(&explain, &[]).await.unwrap().iter().map(|row| row.get(0)).collect();
        let plan = plan.join("\n");
        assert!(plan.contains("Index Cond") && !plan.contains("Seq Scan"), "{statement}\n{plan}");
        client.batch_execute("DEALLOCATE hot").await.unwrap();
    }
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_may_forget_commits_is_refused() {
    let Some(cluster) = Cluster::shared() else { return };
    let url = cluster.new_database();
    cluster.sql("postgres", &format!("ALTER DATABASE {} SET synchronous_commit = off", database(&url)));
    let refused = refusal(&url).await.to_string();
    assert!(refused.contains("synchronous_commit is off"), "{refused}");

    let Some(careless) = Cluster::start_with(&["-c", "fsync=off"]) else { return };
    let refused = refusal(&careless.new_database()).await.to_string();
    assert!(refused.contains("fsync is off"), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_takes_no_writes_is_refused() {
    let Some(cluster) = Cluster::shared() else { return };
    let url = cluster.new_database();
    cluster.sql("postgres", &format!("ALTER DATABASE {} SET default_transaction_read_only = on", database(&url)));
    assert!(matches!(refusal(&url).await, OpenError::Postgres(_)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newer_schema_is_refused_in_a_sentence() {
    let Some((store, url)) = fresh_store().await else { return };
    store.close().await;
    Cluster::shared().unwrap().sql(database(&url), "UPDATE schema_version SET version = 99");
    let refused = refusal(&url).await;
    assert!(refused.to_string().contains("schema version 99"), "{refused}");
    assert!(matches!(
        Store::look_postgres(&url, PostgresOptions::default()).await,
        Err(OpenError::Newer { found: 99, .. })
    ));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nodes_that_start_at_once_migrate_once() {
    let Some(cluster) = Cluster::shared() else { return };
    let url = cluster.new_database();
    let pending = Store::look_postgres(&url, PostgresOptions::default()).await.unwrap().pending;
    assert_eq!(pending, MIGRATIONS, "what would run is told beforehand");
    let starting: Vec<_> =
        (0..6).map(|_| url.clone()).map(|url| tokio::spawn(async move { open_at(&url).await })).collect();
    for node in starting {
        let node = node.await.unwrap();
        node.dev_prepare().await.unwrap();
        somebody(&node).await;
        node.close().await;
    }
    assert!(Store::look_postgres(&url, PostgresOptions::default()).await.unwrap().pending.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_url_that_is_none_and_a_file_that_holds_no_authority_are_refused() {
    assert!(matches!(refusal("postgres://%zz").await, OpenError::Postgres(_)));
    let empty = tempfile::NamedTempFile::new().unwrap();
    let options = PostgresOptions { ca_file: Some(empty.path().to_owned()), ..PostgresOptions::default() };
    let refused = Store::open_postgres("postgres://localhost/x", options).await.unwrap_err();
    assert!(matches!(refused, OpenError::Authorities(_)), "{refused}");
}

/// Every parameter of libpq's, with the values of its handbook: those that are taken, and those that are answered.
#[test]
fn urls_of_libpq_are_taken_or_answered() {
    let table: &[(&str, &[&str], &[&str])] = &[
        ("host", &["db", "/run/postgresql"], &[]),
        ("hostaddr", &["10.0.0.1"], &["db"]),
        ("port", &["5433"], &["x"]),
        ("dbname", &["mfa"], &[]),
        ("user", &["ana"], &[]),
        ("password", &["s3cret"], &[]),
        ("passfile", &[], &["/x"]),
        ("require_auth", &[], &["scram-sha-256", "none"]),
        ("channel_binding", &["disable", "prefer", "require"], &["x"]),
        ("connect_timeout", &["3"], &["x"]),
        ("client_encoding", &["utf8", "UTF8", "auto"], &["latin1"]),
        ("options", &["-c%20x.y=z"], &[]),
        ("application_name", &["mfa"], &[]),
        ("fallback_application_name", &["mfa"], &[]),
        ("keepalives", &["0", "1"], &["x"]),
        ("keepalives_idle", &["10"], &["x"]),
        ("keepalives_interval", &["10"], &["x"]),
        ("keepalives_count", &["3"], &["x"]),
        ("tcp_user_timeout", &["1000"], &["x"]),
        ("replication", &[], &["database"]),
        ("gssencmode", &["disable", "prefer"], &["require"]),
        ("sslmode", &["disable", "allow", "prefer", "require", "verify-ca", "verify-full"], &["strict", ""]),
        ("requiressl", &[], &["1"]),
        ("sslnegotiation", &["postgres"], &["x"]),
        ("sslcompression", &["0"], &["1"]),
        ("sslcert", &[], &["/x"]),
        ("sslkey", &[], &["/x"]),
        ("sslpassword", &[], &["x"]),
        ("sslcertmode", &[], &["allow"]),
        ("sslrootcert", &["system"], &["/missing.pem"]),
        ("sslcrl", &[], &["/x"]),
        ("sslcrldir", &[], &["/x"]),
        ("sslsni", &["1"], &["0"]),
        ("requirepeer", &[], &["postgres"]),
        ("ssl_min_protocol_version", &["TLSv1.2"], &["TLSv1.3"]),
        ("ssl_max_protocol_version", &["TLSv1.3"], &["TLSv1.2"]),
        ("krbsrvname", &[], &["x"]),
        ("gsslib", &[], &["gssapi"]),
        ("gssdelegation", &[], &["1"]),
        ("service", &[], &["mfa"]),
        ("target_session_attrs", &["any", "read-write", "primary"], &["read-only", "standby", "prefer-standby"]),
        ("load_balance_hosts", &["disable", "random"], &["x"]),
    ];
    for (name, taken, refused) in table {
        let open = |value: &&str| {
            let url = format!("postgres://ana@db/mfa?{name}={value}");
            connect::Target::new(&url, &PostgresOptions::default()).map(|_| ())
        };
        for value in *taken {
            assert!(open(value).is_ok(), "{name}={value}: {:?}", open(value).err());
        }
        for value in *refused {
            let answer = open(value).unwrap_err();
            let said = answer.to_string();
            let answered = matches!(answer, OpenError::Parameter { .. } | OpenError::Authorities(_));
            assert!(answered && (said.contains(name) || said.contains("/missing.pem")), "{name}={value}: {said}");
        }
    }
    let sorted = |url: &str| crate::postgres::parameters::sort(url).unwrap();
    let (url, trust) = sorted("postgres://a:b?c@db/mfa?sslmode=verify-full&sslrootcert=/a%20b.pem");
    assert_eq!((url.as_str(), trust.full), ("postgres://a:b?c@db/mfa?sslmode=require", true));
    assert_eq!(trust.roots.as_deref(), Some(std::path::Path::new("/a b.pem")));
    assert_eq!(sorted("postgres:///mfa?sslmode=allow").0, "postgres:///mfa?sslmode=prefer");
}

/// Makes an authority and a certificate for `localhost` in `dir`, or says that it cannot.
fn certify(dir: &std::path::Path) -> bool {
    let script = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout ca.key -out ca.pem -subj /CN=ca \
        -addext basicConstraints=critical,CA:TRUE \
        && openssl req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj /CN=localhost \
        && printf 'subjectAltName=DNS:localhost' >names \
        && openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names \
        -out server.pem && chmod 600 server.key && chmod 755 .";
    let made = std::process::Command::new("sh").args(["-c", script]).current_dir(dir).output();
    let made = made.is_ok_and(|output| output.status.success());
    if !made {
        use std::io::Write;
        let _ = writeln!(std::io::stderr(), "skipped: openssl does not work here, so TLS to PostgreSQL was not tried");
        assert!(std::env::var_os(pgtest::REQUIRE).is_none_or(|value| value == "0"));
    }
    made
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_is_believed_by_the_word_of_the_given_authority_only() {
    let dir = tempfile::tempdir().unwrap();
    if !certify(dir.path()) {
        return;
    }
    let file = |name: &str| dir.path().join(name);
    pgtest::give_away(&file("server.key"));
    let (cert, key) = (file("server.pem"), file("server.key"));
    let (cert, key) = (format!("ssl_cert_file={}", cert.display()), format!("ssl_key_file={}", key.display()));
    let options = ["-c", "listen_addresses=localhost", "-c", "ssl=on", "-c", &cert, "-c", &key];
    let Some(cluster) = Cluster::start_with(&options) else { return };
    let url = format!("postgres://postgres@localhost:{}/postgres?sslmode=require", cluster.port());
    let given = PostgresOptions { ca_file: Some(file("ca.pem")), ..PostgresOptions::default() };
    let store = Store::open_postgres(&url, given.clone()).await.unwrap();
    somebody(&store).await;
    let encrypted = "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
        WHERE application_name = 'countersign'";
    assert_eq!(cluster.sql("postgres", encrypted), "t");
    store.close().await;

    assert!(matches!(refusal(&url).await, OpenError::Untrusted), "no public authority knows it");
    let elsewhere = url.replace("localhost", "127.0.0.1");
    let refused = Store::open_postgres(&elsewhere, given.clone()).await;
    assert!(matches!(refused, Err(OpenError::OtherName)), "its certificate is for another name");
    // libpq's words for the same, also where it is only preferred.
    for words in ["verify-full", "verify-ca", "prefer", "allow"] {
        let spelt = url.replace("sslmode=require", &format!("sslmode={words}"));
        assert!(matches!(refusal(&spelt).await, OpenError::Untrusted), "{words}");
        let root = format!("{spelt}&sslrootcert={}&client_encoding=utf8", file("ca.pem").display());
        Store::open_postgres(&root, PostgresOptions::default()).await.unwrap().close().await;
    }
    // A first host that does not answer is passed over.
    let port = cluster.port();
    let several = format!("postgres://postgres@localhost:1,localhost:{port}/postgres?sslmode=require");
    Store::open_postgres(&several, given).await.unwrap().close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_go_on_where_an_older_schema_left_them() {
    let Some(cluster) = Cluster::shared() else { return };
    let url = cluster.new_database();
    let (client, driver) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(driver);
    for migration in &MIGRATIONS[..3] {
        client.batch_execute(migration.postgres).await.unwrap();
    }
    client
        .batch_execute(
            "CREATE TABLE schema_version (id SMALLINT PRIMARY KEY, version BIGINT NOT NULL); \
             INSERT INTO schema_version VALUES (1, 3); \
             INSERT INTO \"user\" (id, status, profile, created_at, updated_at) VALUES (1, 1, '{}', 1, 1), (2, 1, '{}', 1, 1); \
             INSERT INTO throttle VALUES (1, 3, 0, 70000, decode('00000000000000010000000000000102', 'hex'), 1700000000000, \
             NULL, NULL), (1, 2, 0, 0, '', NULL, decode(repeat('ab', 32), 'hex'), 1700000000001)",
        )
        .await
        .unwrap();
    let store = open_at(&url).await;
    let throttles = store.view(domain::UserId(1)).await.unwrap().throttles;
    let mut user = domain::Throttle::new(domain::ThrottleKey::User);
    user.last_wrong = Some((domain::Digest([0xab; 32]), domain::Timestamp(1_700_000_000_001)));
    let mut token = domain::Throttle::new(domain::ThrottleKey::TempToken);
    token.consecutive = 70_000;
    token.recent = vec![domain::Timestamp(1), domain::Timestamp(0x102)];
    token.locked_until = Some(domain::Timestamp(1_700_000_000_000));
    assert_eq!(throttles, [user, token]);
    assert!(store.view(domain::UserId(2)).await.unwrap().throttles.is_empty());
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_list_that_nobody_waits_for_is_ended() {
    let Some(cluster) = Cluster::shared() else { return };
    let options = PostgresOptions { list_time: std::time::Duration::from_secs(3_600), ..PostgresOptions::default() };
    let store = Store::open_postgres(&cluster.new_database(), options).await.unwrap();
    crate::contract::queries::a_list_that_nobody_waits_for_is_ended(&store).await;
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_that_collide_are_kept_and_told_apart() {
    use crate::transfer::fixtures::{COLLIDING, colliding_rows_stay_and_get_no_worse};

    let Some(cluster) = Cluster::shared() else { return };
    let url = cluster.new_database();
    let (client, driver) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(driver);
    for migration in &MIGRATIONS[..7] {
        client.batch_execute(migration.postgres).await.unwrap();
    }
    let version = "CREATE TABLE schema_version (id SMALLINT PRIMARY KEY, version BIGINT NOT NULL); \
        INSERT INTO schema_version VALUES (1, 7)";
    client.batch_execute(version).await.unwrap();
    client.batch_execute(COLLIDING).await.unwrap();
    let store = open_at(&url).await;
    colliding_rows_stay_and_get_no_worse(&store).await;
    store.close().await;
}

/// Certificates as PostgreSQL's handbook and the packages of Debian make them: for themselves, one as an authority and for
/// no name, one for the machine's name.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_servers_own_certificate_is_believed_if_it_is_given() {
    let handbook = "-subj /CN=dbhost.example.com";
    let debian = "-subj /CN=debian -addext basicConstraints=CA:FALSE -addext subjectAltName=DNS:debian";
    for made in [handbook, debian] {
        let dir = tempfile::tempdir().unwrap();
        if !certify(dir.path()) {
            return;
        }
        let script = format!(
            "openssl req -new -x509 -days 2 -nodes -newkey rsa:2048 -keyout own.key -out own.pem {made} && chmod 600 own.key"
        );
        let run = std::process::Command::new("sh").args(["-c", &script]).current_dir(dir.path()).output().unwrap();
        assert!(run.status.success());
        let file = |name: &str| dir.path().join(name);
        pgtest::give_away(&file("own.key"));
        let cert = format!("ssl_cert_file={}", file("own.pem").display());
        let key = format!("ssl_key_file={}", file("own.key").display());
        let options = ["-c", "listen_addresses=127.0.0.1", "-c", "ssl=on", "-c", &cert, "-c", &key];
        let Some(cluster) = Cluster::start_with(&options) else { return };
        let url = format!("postgres://postgres@127.0.0.1:{}/postgres", cluster.port());
        let with = |name: &str| PostgresOptions { ca_file: Some(file(name)), ..PostgresOptions::default() };
        let open = async |url: &str, ca: &str| match Store::open_postgres(url, with(ca)).await {
            Ok(store) => {
                store.close().await;
                Ok(())
            }
            Err(error) => Err(error),
        };
        let refused = refusal(&url).await.to_string();
        assert!(refused.contains("--database-ca-file") && refused.contains("sslmode=disable"), "{refused}");
        assert!(
            matches!(open(&url, "ca.pem").await, Err(OpenError::Untrusted)),
            "another certificate vouches for nothing"
        );
        let full = open(&format!("{url}?sslmode=verify-full"), "own.pem").await;
        assert!(matches!(full, Err(OpenError::OtherName)), "{full:?}");
        if made == handbook {
            open(&url, "own.pem").await.unwrap();
        } else {
            assert!(matches!(open(&url, "own.pem").await, Err(OpenError::OtherName)), "a name that there is counts");
            let named = url.replace("127.0.0.1", "debian");
            open(&format!("{named}?hostaddr=127.0.0.1&sslmode=verify-full"), "own.pem").await.unwrap();
        }
        let plain = format!("{url}?sslmode=disable");
        Store::open_postgres(&plain, PostgresOptions::default()).await.unwrap().close().await;
    }
}
