use std::time::Duration;

use super::*;
use crate::clock;

fn id(number: usize) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    bytes
}

fn of(user: usize, number: usize) -> Target {
    Target {
        user: UserId::from_bytes(id(user)),
        device: DeviceId::from_bytes(id(number)),
        conversation: ConversationId::from_bytes(id(number)),
    }
}

/// One of a user who has no other.
fn target(number: usize) -> Target {
    of(number, number)
}

fn row() -> Pending {
    Pending { since: clock::now(), not_before: clock::now(), attempts: 0 }
}

fn site(host: &str) -> Site {
    Site { host: host.into(), domain: host.into() }
}

fn begin_all(queue: &mut Queue, now: Instant) -> Vec<Begun> {
    std::iter::from_fn(|| queue.begin(now)).collect()
}

fn users(begun: &[Begun]) -> Vec<usize> {
    let number = |begun: &Begun| usize::from_be_bytes(begun.target.user.bytes()[..8].try_into().unwrap());
    begun.iter().map(number).collect()
}

#[test]
fn a_silent_domain_delays_its_own_only() {
    let (mut queue, now) = (Queue::default(), Instant::now());
    for number in 0..100 {
        queue.put(target(number), row(), site("silent"), now);
    }
    for number in 100..104 {
        queue.put(target(number), row(), site("quick"), now);
    }
    let begun = begin_all(&mut queue, now);
    assert_eq!(users(&begun).iter().filter(|number| **number >= 100).count(), 4);
    assert_eq!(begun.len(), limits::PUSHES_PER_DOMAIN + 4);
    assert!(!queue.ended(&begun[0].target, Reached::Answered, now));
    queue.drop(&begun[0].target);
    assert_eq!(begin_all(&mut queue, now).len(), 1, "as many as have ended");
}

#[test]
fn the_users_of_a_domain_take_turns() {
    let (mut queue, now) = (Queue::default(), Instant::now());
    for number in 0..50 {
        queue.put(of(1, number), row(), site("service"), now);
    }
    queue.put(of(2, 0), row(), site("service"), now);
    queue.put(of(3, 0), row(), site("service"), now);
    assert_eq!(users(&begin_all(&mut queue, now)), [1, 2, 3, 1, 1, 1], "no user has more than four under way");
}

#[test]
fn a_user_with_many_domains_has_no_more_under_way_and_goes_on_when_one_ends() {
    let (mut queue, now) = (Queue::default(), Instant::now());
    for number in 0..60 {
        queue.put(of(1, number), row(), site(&format!("host {number}")), now);
    }
    let mut done = 0;
    let mut begun = begin_all(&mut queue, now);
    while let Some(one) = begun.pop() {
        assert!(begun.len() < limits::PUSHES_PER_USER_AT_ONCE);
        queue.ended(&one.target, Reached::Answered, now);
        queue.drop(&one.target);
        done += 1;
        begun.extend(begin_all(&mut queue, now));
    }
    assert_eq!((done, queue.len(), queue.users.len(), queue.domains.len(), queue.turns.len()), (60, 0, 0, 0, 0));
}

#[test]
fn a_user_has_so_many_and_what_waits_longest_gives_way() {
    let (mut queue, now) = (Queue::default(), Instant::now());
    let later = |seconds| now + Duration::from_secs(seconds);
    for number in 0..limits::PUSHES_PER_USER {
        assert_eq!(queue.put(of(1, number), row(), site("service"), later(100 + number as u64)), Room::Free);
    }
    let last = of(1, limits::PUSHES_PER_USER - 1);
    assert_eq!(queue.put(of(1, 1000), row(), site("service"), later(1000)), Room::None);
    assert_eq!(queue.put(of(1, 1001), row(), site("service"), now), Room::Made);
    assert!(queue.row(&last).is_none() && queue.row(&of(1, 1001)).is_some());
    assert_eq!(queue.len(), limits::PUSHES_PER_USER);
    assert_eq!(queue.put(of(2, 0), row(), site("service"), now), Room::Free, "another user has room of their own");
}

#[test]
fn a_host_that_is_silent_is_left_alone_for_a_while_and_one_that_answers_is_not() {
    let (mut queue, now) = (Queue::default(), Instant::now());
    queue.put(target(1), row(), site("service"), now);
    queue.put(target(2), row(), site("service"), now + Duration::from_secs(1));
    let begun = queue.begin(now).unwrap();
    queue.ended(&begun.target, Reached::Silent, now);
    queue.drop(&begun.target);
    let soon = now + Duration::from_secs(1);
    assert_eq!(queue.begin(soon), None);
    let until = queue.next_due().unwrap();
    assert_eq!(until, now + Duration::from_secs(limits::PUSH_PAUSE_S));
    let begun = queue.begin(until).unwrap();
    assert_eq!(begun.target, target(2));
    queue.ended(&begun.target, Reached::Answered, until);
    queue.put(target(3), row(), site("service"), until);
    let begun = queue.begin(until).unwrap();
    queue.ended(&begun.target, Reached::Silent, until);
    queue.put(target(4), row(), site("service"), until);
    assert!(queue.begin(until).is_some(), "it answered another just now");
}

#[test]
fn all_of_them_together_have_a_bound_and_all_end() {
    let (mut queue, now) = (Queue::default(), Instant::now());
    for number in 0..1000 {
        queue.put(target(number), row(), site(&format!("host {}", number % 50)), now);
    }
    let mut done = 0;
    loop {
        let begun = begin_all(&mut queue, now);
        assert!(begun.len() <= limits::PUSHES_AT_ONCE);
        if begun.is_empty() {
            break;
        }
        for begun in begun {
            queue.ended(&begun.target, Reached::Unasked, now);
            queue.drop(&begun.target);
            done += 1;
        }
    }
    assert_eq!((done, queue.len(), queue.domains.len(), queue.turns.len(), queue.running), (1000, 0, 0, 0, 0));
}

#[test]
fn what_is_said_meanwhile_is_not_missed() {
    let (mut queue, now) = (Queue::default(), Instant::now());
    assert_eq!(queue.renew(&target(1)), None);
    queue.put(target(1), row(), site("host"), now + Duration::from_secs(1));
    assert_eq!(queue.begin(now), None);
    assert_eq!(queue.next_due(), Some(now + Duration::from_secs(1)));
    assert!(queue.begin(now + Duration::from_secs(1)).is_some());
    assert!(queue.renew(&target(1)).is_some());
    assert!(queue.ended(&target(1), Reached::Answered, now), "there is something newer");
    queue.again(target(1), row(), true, now);
    assert!(queue.begin(now).is_some_and(|begun| begun.small));
    assert!(!queue.ended(&target(1), Reached::Answered, now));
}
