//! Hard conditions: each file is one way to be hard on a real `kith` process, and says what must never happen meanwhile.
//!
//! These take seconds to a minute each and disturb one another, so that they run one after the other.

mod backup;
mod bits;
mod chance;
mod clocks;
mod crash;
mod damage;
mod disk_full;
mod operate;
mod overload;
mod people;
mod pictures;
mod program;
mod push;
mod recovery;
mod refusals;
mod restore;
mod rude;
mod secrets;
mod slow;
mod uploads;
mod waiting;
