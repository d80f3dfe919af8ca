//! Clocks that are set, while the program runs and while it does not.

use proptest::prelude::*;

use super::*;

const DAY_US: i64 = 24 * HOUR_US;
const MINUTE_US: i64 = 60 * SECOND_US;
/// 2026-11-28T12:00:00Z.
const NOON_US: i64 = EARLIEST_US + 331 * DAY_US + 12 * HOUR_US;

/// A machine: its clocks, and a program on it that may be restarted.
#[derive(Clone)]
struct Machine {
    /// The true time.
    now_us: i64,
    /// By how much the wall clock is wrong.
    wrong_us: i64,
    started_us: i64,
    boot: [u8; 16],
    judge: Judge,
    kept: Option<Kept>,
}

impl Machine {
    fn new() -> Self {
        let judge = Judge { offset: 0, doubt: None, floor: None };
        let (started_us, boot) = (NOON_US - 5 * DAY_US, [1; 16]);
        let mut new = Self { now_us: NOON_US, wrong_us: 0, started_us, boot, judge, kept: None };
        new.judge = Judge::start(None, new.reading());
        new
    }

    fn reading(&self) -> Reading {
        let wall_us = self.now_us + self.wrong_us;
        Reading { wall_us, boot_us: self.now_us - self.started_us, boot: self.boot }
    }

    /// Lets time pass and looks at the end of it.
    fn pass(&mut self, us: i64) -> Option<Change> {
        self.now_us += us;
        let change = self.judge.observe(self.reading());
        self.kept = self.judge.kept(self.reading()).or(self.kept);
        change
    }

    /// By how much the judged time is wrong.
    fn error_us(&self) -> i64 {
        self.reading().boot_us + self.judge.offset_us() - self.now_us
    }

    /// Starts the program again.
    fn restart(&mut self) {
        self.judge = Judge::start(self.kept.as_ref(), self.reading());
    }

    /// Has the machine off for a time, and starts the program.
    fn reboot(&mut self, off_us: i64) {
        self.now_us += off_us;
        self.started_us = self.now_us - MINUTE_US;
        self.boot[0] += 1;
        self.restart();
    }

    /// The kept time is in whole milliseconds.
    fn is_right(&self) -> bool {
        self.error_us().abs() < 1000
    }
}

#[test]
fn a_jump_is_not_followed_and_its_end_is_the_end_of_the_doubt() {
    for wrong_us in [30 * DAY_US, -30 * DAY_US, HOUR_US + SECOND_US, -NOON_US] {
        let mut machine = Machine::new();
        assert_eq!(machine.pass(MINUTE_US), None);
        machine.wrong_us = wrong_us;
        assert_eq!(machine.pass(SECOND_US), Some(Change::Doubted { ahead_s: wrong_us / SECOND_US }));
        assert!(machine.judge.is_in_doubt() && machine.is_right());
        assert_eq!(machine.pass(5 * SECOND_US), None);
        assert!(machine.is_right());
        machine.wrong_us = 0;
        assert_eq!(machine.pass(SECOND_US), Some(Change::Believed { ahead_s: 0 }));
        assert!(!machine.judge.is_in_doubt() && machine.is_right());
    }
}

#[test]
fn a_small_correction_and_a_sleep_are_no_jumps() {
    let mut machine = Machine::new();
    machine.wrong_us = 59 * MINUTE_US;
    assert_eq!(machine.pass(SECOND_US), None);
    assert_eq!(machine.error_us(), 59 * MINUTE_US);
    // Both clocks count it.
    assert_eq!(machine.pass(3 * DAY_US), None);
}

#[test]
fn a_clock_that_was_set_is_believed_after_an_hour_or_when_it_is_accepted() {
    let mut machine = Machine::new();
    machine.wrong_us = 2 * DAY_US;
    machine.pass(SECOND_US);
    assert_eq!(machine.pass(HOUR_US - SECOND_US), None);
    // Another jump begins the hour anew.
    machine.wrong_us = 3 * DAY_US;
    assert_eq!(machine.pass(SECOND_US), None);
    assert_eq!(machine.pass(HOUR_US - SECOND_US), None);
    assert!(machine.is_right());
    assert_eq!(machine.pass(SECOND_US), Some(Change::Believed { ahead_s: 3 * DAY_US / SECOND_US }));
    assert_eq!(machine.error_us(), 3 * DAY_US);

    machine.wrong_us = 0;
    machine.pass(SECOND_US);
    assert!(machine.judge.is_in_doubt());
    let reading = machine.reading();
    assert!(matches!(machine.judge.accept(reading), Some(Change::Believed { .. })));
    assert!(machine.is_right());
}

#[test]
fn a_jump_across_a_restart_of_the_program_is_one() {
    for wrong_us in [30 * DAY_US, -30 * DAY_US] {
        let mut machine = Machine::new();
        machine.pass(MINUTE_US);
        machine.now_us += 2 * DAY_US;
        machine.wrong_us = wrong_us;
        machine.restart();
        assert!(machine.judge.is_in_doubt() && machine.is_right());
        // What was kept stays, so that the next restart finds it, too.
        machine.pass(MINUTE_US);
        machine.restart();
        assert!(machine.judge.is_in_doubt() && machine.is_right());
        machine.wrong_us = 0;
        assert!(machine.pass(SECOND_US).is_some());
        assert!(!machine.judge.is_in_doubt() && machine.is_right());
        // A stop is none.
        machine.now_us += 40 * DAY_US;
        machine.restart();
        assert!(!machine.judge.is_in_doubt() && machine.is_right());
    }
}

#[test]
fn a_clock_that_lost_its_time_while_the_machine_was_off_does_not_put_it_back() {
    let mut machine = Machine::new();
    machine.pass(MINUTE_US);
    let before_us = machine.now_us;
    machine.wrong_us = -NOON_US;
    machine.reboot(10 * HOUR_US);
    assert!(machine.judge.is_in_doubt());
    assert!(machine.error_us() <= 0 && machine.now_us + machine.error_us() >= before_us - 1000);
    // However long the network is not there.
    machine.pass(5 * HOUR_US);
    machine.pass(5 * HOUR_US);
    assert!(machine.judge.is_in_doubt() && machine.now_us + machine.error_us() >= before_us + 9 * HOUR_US);
    machine.wrong_us = 0;
    assert!(matches!(machine.pass(SECOND_US), Some(Change::Believed { .. })));
    assert!(machine.is_right());
}

#[test]
fn a_machine_that_was_off_for_long_has_its_time_at_once_and_forgets_an_hour_later() {
    let mut machine = Machine::new();
    machine.pass(MINUTE_US);
    machine.reboot(40 * DAY_US);
    assert!(machine.judge.is_in_doubt() && machine.is_right());
    assert_eq!(machine.pass(HOUR_US - SECOND_US), None);
    assert!(matches!(machine.pass(SECOND_US), Some(Change::Believed { .. })));
    machine.reboot(20 * HOUR_US);
    assert!(!machine.judge.is_in_doubt() && machine.is_right());
    // And one whose clock only seemed to say so is put right as soon as it is.
    machine.pass(SECOND_US);
    machine.wrong_us = 30 * DAY_US;
    machine.reboot(HOUR_US);
    assert!(machine.judge.is_in_doubt());
    machine.wrong_us = 0;
    assert!(matches!(machine.pass(SECOND_US), Some(Change::Believed { .. })));
    assert!(machine.is_right());
}

#[test]
fn the_first_start_of_all_believes_a_clock_that_may_be_right() {
    let mut machine = Machine::new();
    assert!(!machine.judge.is_in_doubt());
    machine.wrong_us = -NOON_US + DAY_US;
    machine.restart();
    assert!(machine.judge.is_in_doubt());
    let reading = machine.reading();
    assert_eq!(reading.boot_us + machine.judge.offset_us(), EARLIEST_US);
    machine.pass(2 * HOUR_US);
    assert!(machine.judge.is_in_doubt());
    machine.wrong_us = 0;
    machine.pass(SECOND_US);
    assert!(machine.is_right());
}

proptest! {
    #[test]
    fn no_jumps_of_less_than_an_hour_each_put_the_judged_time_off(
        jumps in proptest::collection::vec((2 * HOUR_US..40 * DAY_US, any::<bool>(), 1..MINUTE_US, any::<bool>()), 1..50)
    ) {
        let mut machine = Machine::new();
        machine.pass(SECOND_US);
        for (by_us, back, lasts_us, restarts) in jumps {
            machine.wrong_us = if back { -by_us } else { by_us };
            if restarts {
                machine.restart();
            }
            machine.pass(lasts_us);
            prop_assert!(machine.judge.is_in_doubt());
            prop_assert!(machine.is_right(), "{}", machine.error_us());
            machine.wrong_us = 0;
            machine.pass(SECOND_US);
            prop_assert!(!machine.judge.is_in_doubt());
        }
    }

    #[test]
    fn whatever_the_clocks_say_an_hour_of_agreement_is_believed(
        readings in proptest::collection::vec((any::<i32>(), 0..10 * HOUR_US, any::<bool>()), 0..50)
    ) {
        let mut machine = Machine::new();
        for (wrong_s, passed_us, reboots) in readings {
            machine.wrong_us = i64::from(wrong_s) * SECOND_US;
            if reboots && machine.boot[0] < u8::MAX {
                machine.reboot(HOUR_US);
            }
            machine.pass(passed_us);
        }
        machine.wrong_us = 0;
        machine.pass(SECOND_US);
        machine.pass(AGREEMENT_US);
        prop_assert!(!machine.judge.is_in_doubt());
        prop_assert!(machine.is_right());
    }
}
