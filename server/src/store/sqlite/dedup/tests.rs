use super::*;

const DAY: u64 = 20_000;

fn database() -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    let sql = "CREATE TABLE dedup_other (key INTEGER PRIMARY KEY, entry INTEGER NOT NULL, day INTEGER NOT NULL)";
    connection.execute_batch(sql).unwrap();
    connection
}

fn noon(day: u64) -> Timestamp {
    Timestamp::from_millis(day * DAY_MS + DAY_MS / 2)
}

fn found(dedup: &mut Dedup<'_>, place: Place) -> Vec<i64> {
    let mut entries = Vec::new();
    dedup.candidates(place, &mut entries).unwrap();
    assert_eq!(candidates(dedup.connection, place).unwrap(), entries, "readers find the same");
    entries
}

/// Remembers as the writer does.
fn remember(dedup: &mut Dedup<'_>, place: Place, entry: i64, now: Timestamp) -> Option<Made> {
    let at_once = dedup.remember_at_once(place, entry, now).unwrap();
    at_once.or_else(|| dedup.remember(place, entry, now).unwrap())
}

#[test]
fn those_that_clash_are_all_found_and_can_be_taken_back() {
    let connection = database();
    let mut dedup = Dedup::open(&connection).unwrap();
    for day in [DAY, DAY - 100] {
        let place = Place { day, key: 77, other: 78 };
        let made: Vec<Option<Made>> = (1..=10).map(|entry| remember(&mut dedup, place, entry, noon(DAY))).collect();
        assert_eq!(found(&mut dedup, place), (1..=PROBES).collect::<Vec<_>>());
        assert_eq!(made.iter().flatten().count() as i64, PROBES);
        for made in made.into_iter().flatten() {
            dedup.take_back(made).unwrap();
        }
        assert_eq!(found(&mut dedup, place), Vec::<i64>::new());
    }
    assert_eq!(dedup.others, 0);
}

#[test]
fn an_id_is_known_for_a_week_after_it_was_taken_however_old_it_was_and_then_forgotten() {
    let connection = database();
    for made_on in [DAY - 400, DAY - 8, DAY - 7, DAY - 3, DAY, DAY + 1, DAY + 2, DAY + 300, u64::MAX] {
        let place = Place { day: made_on, key: made_on as i64 & 0xffff, other: made_on as i64 & 0xffff };
        let mut dedup = Dedup::open(&connection).unwrap();
        dedup.prune(noon(DAY)).unwrap();
        remember(&mut dedup, place, 5, noon(DAY)).unwrap();
        for day in DAY..=DAY + 7 {
            let mut dedup = Dedup::open(&connection).unwrap();
            dedup.prune(noon(day)).unwrap();
            assert_eq!(found(&mut dedup, place), [5], "made on {made_on}, on day {day}");
        }
        let mut dedup = Dedup::open(&connection).unwrap();
        dedup.prune(noon(DAY + 16)).unwrap();
        assert_eq!(found(&mut dedup, place), Vec::<i64>::new());
        assert_eq!((days(&connection).unwrap(), dedup.others), (vec![], 0));
    }
}

#[test]
fn keys_are_eight_bytes_at_most_and_those_of_a_second_lie_together() {
    let id = |millis: u128, random: u128| Uuid::from_u128(millis << 80 | 0x7000_8000_0000_0000_0000 | random);
    let place = |uuid| Place::new(ConversationId::new(Uuid::nil()), UserId::new(Uuid::nil()), uuid);
    let start = u128::from(DAY * DAY_MS);
    let mut last = 0;
    for second in [0, 1, 2, 86_399] {
        let keys: Vec<i64> = (0..20).map(|random| place(id(start + second * 1000 + random, random)).key).collect();
        assert!(keys.iter().all(|key| *key >= last && *key < 1 << 56));
        last = *keys.iter().max().unwrap();
        assert_eq!(place(id(start + second * 1000, 1)).day, DAY);
    }
    assert_eq!(place(Uuid::from_u128(start << 80 | 0x4000_8000_0000_0000_0000)).day, u64::MAX);
}
