//! API callers: wrong secrets (SEC 30), token families (SEC 14), rotation and revocation (SEC 42, SEC 56).

use std::net::{IpAddr, Ipv4Addr};

use crate::model::{Database, START, digest};
use countersign_domain::model::audit::Actor;
use countersign_domain::model::client::{ACCESS_TTL, ClientSecret, REFRESH_TTL, WRONG_SECRET_WINDOW};
use countersign_domain::rules::client::{self, Choice, Expiry, Grant, Revocation};
use countersign_domain::{
    AuditKind, Client, ClientId, ClientProfile, ClientView, Digest, Scope, Sealed, Timestamp, TokenSet,
};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));

struct Scene {
    db: Database,
    now: Timestamp,
    from: IpAddr,
    drawn: u64,
}

fn secret(text: &str) -> ClientSecret {
    ClientSecret { digest: Digest::of(text.as_bytes()), last4: "cret".to_owned(), created_at: START }
}

fn new_client(id: i64, text: &str) -> Client {
    Client {
        id: ClientId(id),
        client_id: format!("{id:064x}"),
        name: "a caller".to_owned(),
        scope: Scope::ManageAll,
        profile: ClientProfile::default(),
        secrets: vec![secret(text)],
        ip_allow: vec![],
        expires_at: None,
        revoked_at: None,
        wrong_secrets: vec![],
        options: countersign_domain::ClientOptions::default(),
        created_at: START,
    }
}

impl Scene {
    fn new() -> Self {
        let mut scene = Self { db: Database::default(), now: START, from: HERE, drawn: 0 };
        for (id, text) in [(1, "secret"), (2, "other secret")] {
            scene.db.commit(client::create(new_client(id, text), START));
        }
        scene
    }

    fn view(&self, id: i64, asked: Option<Digest>) -> ClientView {
        let of_client = |set: &&TokenSet| set.client_id == ClientId(id);
        let asked = asked.and_then(|access| self.db.tokens.iter().find(|set| set.access == access).cloned());
        ClientView {
            client: self.db.clients.iter().find(|c| c.id == ClientId(id)).cloned(),
            newest: self.db.tokens.iter().filter(of_client).rfind(|set| set.ended_at.is_none()).cloned(),
            newest_of_family: asked.as_ref().and_then(|asked| {
                let of_family = |set: &&TokenSet| set.family == asked.family && set.ended_at.is_none();
                self.db.tokens.iter().filter(of_family).max_by_key(|set| set.row).cloned()
            }),
            asked,
        }
    }

    fn draw(&mut self, id: i64) -> TokenSet {
        self.drawn += 1;
        TokenSet {
            access: digest(2 * self.drawn),
            refresh: digest(2 * self.drawn + 1),
            client_id: ClientId(id),
            sealed: Some(Sealed(vec![1])),
            row: self.drawn.cast_signed(),
            family: self.drawn.cast_signed(),
            created_at: self.now,
            ended_at: None,
        }
    }

    fn grant(&mut self, id: i64, text: &str) -> Grant {
        let fresh = self.draw(id);
        self.db.commit(client::grant(&self.view(id, None), text, self.from, &fresh, &Actor::default(), self.now))
    }

    fn granted(&mut self, id: i64, text: &str) -> TokenSet {
        match self.grant(id, text) {
            Grant::Granted(set) => set,
            other => panic!("{other:?}"),
        }
    }

    fn refresh(&mut self, id: i64, asked: &TokenSet, refresh: &Digest) -> Grant {
        let fresh = self.draw(id);
        self.db.commit(client::refresh(
            &self.view(id, Some(asked.access)),
            refresh,
            self.from,
            &fresh,
            &Actor::default(),
            self.now,
        ))
    }
}

fn live(scene: &Scene) -> usize {
    scene.db.tokens.iter().filter(|set| set.is_live(scene.now)).count()
}

/// Contract 2.1.
#[test]
fn the_same_live_set_is_granted_again_until_it_ends() {
    let mut scene = Scene::new();
    let first = scene.granted(1, "secret");
    scene.now = START.plus(ACCESS_TTL - 1);
    assert_eq!(scene.granted(1, "secret").access, first.access);
    assert_eq!(scene.db.recorded(AuditKind::TokenIssued), 1);
    scene.now = START.plus(ACCESS_TTL);
    assert!(!first.is_live(scene.now));
    assert_ne!(scene.granted(1, "secret").access, first.access);
}

/// SEC 30: a client's id is no secret, so knowing it must not be enough to lock its owner out.
#[test]
fn the_right_secret_always_passes() {
    let mut scene = Scene::new();
    for n in 0..20 {
        assert_eq!(scene.grant(1, "wrong"), Grant::Refused, "{n}");
        scene.granted(1, "secret");
        scene.now = scene.now.plus(1000);
    }
    let free = START.plus(WRONG_SECRET_WINDOW);
    let before = scene.db.recorded(AuditKind::ClientRefused);
    for _ in 0..50 {
        assert_eq!(scene.grant(1, "wrong"), Grant::Held(free), "only a wrong one waits");
    }
    assert_eq!(scene.db.recorded(AuditKind::ClientRefused), before, "what is held writes nothing");
    let set = scene.granted(1, "secret");
    assert!(matches!(scene.refresh(1, &set, &set.refresh), Grant::Granted(_)));
    let revoke = |scene: &mut Scene, text: &str| {
        scene.db.commit(client::revoke(
            &scene.view(1, Some(set.access)),
            text,
            scene.from,
            &Actor::default(),
            scene.now,
        ))
    };
    assert_eq!(revoke(&mut scene, "wrong"), Revocation::Held(free));
    assert_eq!(revoke(&mut scene, "secret"), Revocation::Done);
    scene.granted(2, "other secret");
    assert_eq!(scene.grant(2, "wrong"), Grant::Refused, "each id has its own count");
    scene.now = free;
    assert_eq!(scene.grant(1, "wrong"), Grant::Refused);
    assert!(matches!(scene.grant(1, "wrong"), Grant::Held(_)), "a right one resets nothing");
}

#[test]
fn unknown_revoked_and_expired_look_like_a_wrong_secret() {
    let mut scene = Scene::new();
    assert_eq!(scene.grant(9, "secret"), Grant::Refused);
    scene.db.clients[0].expires_at = Some(scene.now);
    assert_eq!(scene.grant(1, "secret"), Grant::Refused);
    scene.db.commit(client::revoke_client(&scene.view(2, None), scene.now));
    assert_eq!(scene.grant(2, "other secret"), Grant::Refused);
    assert_eq!(scene.db.tokens, []);
}

/// Contract 2.1: all processes of a client hold the same pair, and each may refresh it.
#[test]
fn a_refreshed_pair_answers_with_its_successor() {
    let mut scene = Scene::new();
    let first = scene.granted(1, "secret");
    let refreshed = |scene: &mut Scene, asked: &TokenSet| match scene.refresh(1, asked, &asked.refresh) {
        Grant::Granted(set) => set,
        other => panic!("{other:?}"),
    };
    let second = refreshed(&mut scene, &first);
    assert_eq!((second.family, live(&scene)), (first.family, 2), "bystanders hold the first");
    assert_eq!(scene.granted(1, "secret").access, second.access, "whoever asks anew gets the newest");
    for _ in 0..5 {
        assert_eq!(refreshed(&mut scene, &first).access, second.access);
    }
    let third = refreshed(&mut scene, &second);
    assert_eq!(refreshed(&mut scene, &first).access, third.access, "the newest of its line");
    assert_eq!(refreshed(&mut scene, &second).access, third.access);
    assert_eq!(scene.db.recorded(AuditKind::TokenRefreshed), 2);
    assert!(scene.db.tokens.iter().all(|set| set.sealed.is_some() == (set.access == third.access)));
    // Once the newest has ended as an access token, the first refresh makes the next.
    scene.now = START.plus(ACCESS_TTL);
    let fourth = refreshed(&mut scene, &first);
    assert!(fourth.is_live(scene.now));
    assert_eq!(refreshed(&mut scene, &third).access, fourth.access);
    scene.now = START.plus(REFRESH_TTL);
    assert_eq!(scene.refresh(1, &first, &first.refresh), Grant::Refused, "as long as it would have lived");
}

/// Contract 2.3: what was revoked cannot come back by a pair that somebody still holds.
#[test]
fn revoking_ends_the_family() {
    for revoked in 0..3 {
        let mut scene = Scene::new();
        let mut line = vec![scene.granted(1, "secret")];
        for n in 0..2 {
            let Grant::Granted(next) = scene.refresh(1, &line[n].clone(), &line[n].refresh.clone()) else { panic!() };
            line.push(next);
        }
        let other = scene.granted(2, "other secret");
        let view = scene.view(1, Some(line[revoked].access));
        assert_eq!(
            scene.db.commit(client::revoke(&view, "secret", scene.from, &Actor::default(), scene.now)),
            Revocation::Done
        );
        for set in &line {
            assert_eq!(scene.refresh(1, set, &set.refresh), Grant::Refused);
        }
        assert_eq!(live(&scene), 1, "another client's lives on");
        assert!(scene.view(2, Some(other.access)).asked.unwrap().is_live(scene.now));
        let next = scene.granted(1, "secret");
        assert!(line.iter().all(|set| set.access != next.access), "the next grant is a new line");
    }
}

#[test]
fn a_refresh_needs_the_matching_pair_of_this_client() {
    let mut scene = Scene::new();
    let set = scene.granted(1, "secret");
    assert_eq!(scene.refresh(1, &set, &set.access), Grant::Refused);
    assert_eq!(scene.refresh(2, &set, &set.refresh), Grant::Refused);
    assert_eq!(live(&scene), 1, "a wrong try ends nothing");
    scene.now = START.plus(REFRESH_TTL);
    assert_eq!(scene.refresh(1, &set, &set.refresh), Grant::Refused);
    scene.now = START.plus(REFRESH_TTL - 1);
    assert!(matches!(scene.refresh(1, &set, &set.refresh), Grant::Granted(_)), "after the access token's end");
}

#[test]
fn a_revoked_pair_works_no_more_and_its_sealed_copy_is_wiped() {
    let mut scene = Scene::new();
    let set = scene.granted(1, "secret");
    let revoke = |scene: &mut Scene, id, text: &str| {
        scene.db.commit(client::revoke(
            &scene.view(id, Some(set.access)),
            text,
            scene.from,
            &Actor::default(),
            scene.now,
        ))
    };
    assert_eq!(revoke(&mut scene, 2, "other secret"), Revocation::Refused, "somebody else's");
    assert_eq!(revoke(&mut scene, 1, "wrong"), Revocation::Refused);
    assert_eq!(live(&scene), 1);
    for _ in 0..2 {
        assert_eq!(revoke(&mut scene, 1, "secret"), Revocation::Done);
    }
    assert_eq!((live(&scene), &scene.db.tokens[0].sealed), (0, &None));
    assert_eq!(scene.refresh(1, &set, &set.refresh), Grant::Refused);
    assert_eq!(scene.db.clients[0].wrong_secrets.len(), 1);
}

/// SEC 56.
#[test]
fn revoking_a_client_ends_all_its_tokens() {
    let mut scene = Scene::new();
    let set = scene.granted(1, "secret");
    scene.db.commit(client::revoke_client(&scene.view(1, None), scene.now));
    assert_eq!(live(&scene), 0);
    assert_eq!(scene.refresh(1, &set, &set.refresh), Grant::Refused);
    assert!(scene.db.commit(client::rotate_client(&scene.view(1, None), secret("new"), scene.now)).is_none());
}

/// SEC 42.
#[test]
fn two_secrets_work_while_callers_change_over() {
    let mut scene = Scene::new();
    for text in ["second", "third"] {
        scene.db.commit(client::rotate_client(&scene.view(1, None), secret(text), scene.now));
    }
    let knows = |text| scene.db.clients[0].knows(text);
    assert_eq!([knows("secret"), knows("second"), knows("third")], [false, true, true]);
}

fn choose(scene: &mut Scene, choice: Choice) -> Client {
    let view = scene.view(1, None);
    scene.db.commit(client::choose(&view, choice, scene.now)).expect("there is such a client")
}

fn revoke(scene: &mut Scene, set: &TokenSet) -> Revocation {
    let view = scene.view(1, Some(set.access));
    scene.db.commit(client::revoke(&view, "secret", scene.from, &Actor::default(), scene.now))
}

/// SEC 42: from elsewhere the right secret is a wrong one, also for what was issued before the networks were set.
#[test]
fn tokens_are_granted_refreshed_and_revoked_from_the_clients_networks_only() {
    let mut scene = Scene::new();
    let set = scene.granted(1, "secret");
    let networks = vec!["192.0.2.0/24".parse().unwrap(), "2001:db8::/32".parse().unwrap()];
    let client = choose(&mut scene, Choice { ip_allow: Some(networks), ..Choice::default() });
    for (from, may) in [
        ("192.0.2.255", true),
        ("::ffff:192.0.2.1", true),
        ("2001:db8::1", true),
        ("192.0.3.0", false),
        ("::ffff:192.0.3.0", false),
        ("::1", false),
    ] {
        scene.from = from.parse().unwrap();
        assert_eq!(client.may_call(scene.from, scene.now), may, "{from}");
        assert_eq!(matches!(scene.grant(1, "secret"), Grant::Granted(_)), may, "{from}");
        assert_eq!(matches!(scene.refresh(1, &set, &set.refresh), Grant::Granted(_)), may, "{from}");
    }
    assert_eq!(scene.db.recorded(AuditKind::ClientRefused), 3, "the trail has it");
    assert_eq!(revoke(&mut scene, &set), Revocation::Refused);
    choose(&mut scene, Choice { ip_allow: Some(Vec::new()), ..Choice::default() });
    assert_eq!(revoke(&mut scene, &set), Revocation::Done, "an empty list is no list");
}

/// SEC 42.
#[test]
fn a_client_ends_at_the_very_moment() {
    let mut scene = Scene::new();
    let set = scene.granted(1, "secret");
    let end = START.plus(5_000);
    choose(&mut scene, Choice { expiry: Some(Expiry::At(end)), ..Choice::default() });
    scene.now = end.plus(-1);
    assert_eq!(scene.granted(1, "secret").access, set.access);
    scene.now = end;
    assert_eq!(scene.grant(1, "secret"), Grant::Refused);
    assert_eq!(scene.refresh(1, &set, &set.refresh), Grant::Refused);
    assert_eq!(revoke(&mut scene, &set), Revocation::Refused);
    let kept = choose(&mut scene, Choice::default());
    assert_eq!(kept.expires_at, Some(end), "what is not named stays");
    choose(&mut scene, Choice { expiry: Some(Expiry::Never), ..Choice::default() });
    assert_eq!(scene.granted(1, "secret").access, set.access);
}
