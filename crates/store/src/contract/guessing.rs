//! A failure is never forgotten, however many guess at once (SEC 20–26).

use domain::model::device::BEFORE_FIRST_COUNTER;
use domain::rules::factor::prove::prove;
use domain::rules::verification::answer::answer;
use domain::rules::verification::find::Target;
use domain::*;

use super::world::*;
use crate::Store;

const GUESSERS: usize = 64;

async fn guess(store: &Store, user: UserId, device: impl Fn(usize) -> DeviceId) -> Vec<Outcome> {
    race(store, user, GUESSERS, |n| {
        let target = Target::Device { device: device(n), state_token: None };
        let wrong = Evidence::Refuted(fresh_digest());
        move |view: &View| answer(view, &target, &wrong, &context(), NOW)
    })
    .await
}

fn evaluated(outcomes: &[Outcome]) -> usize {
    outcomes.iter().filter(|outcome| **outcome == Outcome::Refused(Reason::WrongCode)).count()
}

pub(crate) async fn sixty_four_guessers_get_five_guesses_at_a_device(store: &Store) {
    let user = somebody(store).await;
    let device = device(store, user, FactorKind::Hotp).await.id;
    assert_eq!(evaluated(&guess(store, user, |_| device).await), 5);
    let view = store.view(user).await.unwrap();
    assert_eq!(view.throttle(ThrottleKey::Device(device)).consecutive, 5);
    assert_eq!(view.throttle(ThrottleKey::User).recent, [NOW; 5]);
}

pub(crate) async fn sixty_four_guessers_get_twenty_guesses_at_a_user(store: &Store) {
    let user = somebody(store).await;
    let mut devices = Vec::new();
    for _ in 0..16 {
        devices.push(device(store, user, FactorKind::Hotp).await.id);
    }
    assert_eq!(evaluated(&guess(store, user, |n| devices[n % devices.len()]).await), 20);
    assert_eq!(store.view(user).await.unwrap().throttle(ThrottleKey::User).recent.len(), 20);
}

pub(crate) async fn a_locked_device_refuses_the_right_code(store: &Store) {
    let user = somebody(store).await;
    let device = device(store, user, FactorKind::Hotp).await;
    guess(store, user, |_| device.id).await;
    let right = prove(&hotp(), &device, None, &hotp_code(0), &keys(), NOW);
    let target = |_| Target::Device { device: device.id, state_token: None };
    assert_eq!(accepted(store, user, right, target).await, 0);
    assert_eq!(store.view(user).await.unwrap().devices[0].last_counter, BEFORE_FIRST_COUNTER, "and does not spend it");
}
