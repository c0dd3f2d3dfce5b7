//! One node on PostgreSQL, against the best that the database can do on one connection: statements of 64 guarded updates
//! and their audit rows. It syncs every commit, as Countersign requires.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use pgtest::Cluster;
use tokio_postgres::{Client, NoTls, Statement};

use crate::clock;
use crate::compare::{Runner, Side};
use crate::driver::Counts;
use crate::fixture::{CONNECTIONS, Fixture};
use crate::process::Cpu;
use crate::row::{Finding, Goal, Row, Unit};
use crate::workload::Codes;

pub(super) const NAME: &str = "postgres";

const WHAT: &str = "verify on PostgreSQL, one node, 256 connections, against batches of 64 rows";
const GOAL: Goal = Goal::AtLeast { hold: 0.22, aim: 0.40 };
/// Rows of a statement.
const BATCH: i64 = 64;

/// The tables of the ceiling, with rows as wide as those that Countersign reads and writes for a verification.
const TABLES: &str = "
    CREATE TABLE device (id BIGINT PRIMARY KEY, credential BYTEA NOT NULL, last_counter BIGINT NOT NULL);
    CREATE TABLE audit (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, device BIGINT NOT NULL,
        counter BIGINT NOT NULL, kind TEXT NOT NULL, hash BYTEA NOT NULL)";
const STATEMENT: &str = "
    WITH spent AS (UPDATE device SET last_counter = $1 WHERE id = ANY($2) AND last_counter < $1 RETURNING id)
    INSERT INTO audit (device, counter, kind, hash) SELECT id, $1, 'verification.accepted', $3 FROM spent";

/// A connection that runs batches, and the position of the next one.
struct Batches {
    client: Client,
    statement: Statement,
    rows: i64,
    next: i64,
    counter: i64,
}

pub(super) fn run(fixture: &mut Fixture) -> Result<Finding> {
    let Some(cluster) = Cluster::start() else {
        let why = "PostgreSQL is not installed";
        return Ok(Finding::new(NAME, vec![Row::not_measured(WHAT, Unit::Part, GOAL, why)], vec![why.to_owned()]));
    };
    let installation = fixture.installation_on(&cluster, fixture.size.few)?;
    let mut instance = installation.open(fixture, CONNECTIONS)?;
    let devices = instance.devices(&installation.dataset.devices)?;
    let mut own = instance.verifications(devices, CONNECTIONS, fixture.traffic());
    let mut ceiling = Batches::prepare(&fixture.runner, &cluster.new_database(), fixture.size.few)?;
    let comparison = fixture.comparison(&mut own, &mut ceiling)?;
    fixture.replay(&instance, Codes::gathered(own.workloads))?;
    instance.server.ensure_alive()?;
    let version = cluster.sql("postgres", "SHOW server_version");
    let synchronous = cluster.sql("postgres", "SHOW synchronous_commit");
    ensure!(synchronous == "on", "the cluster's synchronous_commit is {synchronous}");
    let title = format!("{CONNECTIONS} connections, PostgreSQL {version}, synchronous_commit = on; batches: rows/s");
    Ok(Finding::new(NAME, vec![comparison.row(WHAT, GOAL)], comparison.raw(&title, "countersign", &["batches"])))
}

impl Batches {
    fn prepare(runner: &Runner, url: &str, rows: usize) -> Result<Self> {
        let rows = i64::try_from(rows)?;
        runner.runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(url, NoTls).await.context("no connection")?;
            tokio::spawn(connection);
            client.batch_execute(TABLES).await?;
            let fill = "INSERT INTO device SELECT n, decode(repeat('07', 150), 'hex'), 0 FROM generate_series(1, $1::bigint) n";
            client.execute(fill, &[&rows]).await?;
            client.batch_execute("ANALYZE device").await?;
            let statement = client.prepare(STATEMENT).await?;
            Ok(Self { client, statement, rows, next: 0, counter: 1 })
        })
    }

    async fn batch(&mut self) -> Result<u64> {
        if self.next + BATCH > self.rows {
            (self.next, self.counter) = (0, self.counter + 1);
        }
        // Scattered like users who log in. 7919 is prime, so no batch holds an id twice.
        let ids: Vec<i64> = (self.next..self.next + BATCH).map(|n| n * 7919 % self.rows + 1).collect();
        self.next += BATCH;
        let hash: &[u8] = &[7; 32];
        Ok(self.client.execute(&self.statement, &[&self.counter, &ids, &hash]).await?)
    }
}

impl Side for Batches {
    fn window(&mut self, runner: &mut Runner, time: Duration) -> Result<(Counts, Cpu)> {
        let began = clock::now();
        let mut counts = Counts::default();
        runner.runtime.block_on(async {
            while began.elapsed() < time {
                let sent = clock::now();
                let changed = self.batch().await?;
                ensure!(changed == BATCH.unsigned_abs(), "a batch changed {changed} rows");
                counts.done += changed;
                counts.latencies.push(u32::try_from(sent.elapsed().as_micros()).unwrap_or(u32::MAX));
            }
            Ok(())
        })?;
        counts.elapsed = began.elapsed();
        // The work is done by a process of the database whose id we do not know.
        Ok((counts, Cpu::default()))
    }
}
