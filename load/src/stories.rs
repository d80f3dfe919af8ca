//! Each measurement against a peer that is right, and against peers that are wrong in one way each.

use clap::Parser;
use serde_json::Value;

use crate::{
    Cli,
    error::Result,
    peer::{self, Fault},
};

/// Runs a command as a person would, against a peer with a fault.
async fn run(fault: Fault, command: &str) -> Result<Value> {
    let server = peer::start(fault).await;
    let words = format!("kith-load {command} --server {server}");
    crate::run(&Cli::parse_from(words.split(' ')).command).await
}

const PAIRS: &str = "pairs --pairs 3 --window 4 --warm-up 0 --duration 0.5 --drain 0.5";

#[tokio::test(flavor = "local")]
async fn a_right_server_is_found_right() {
    for command in [PAIRS, "pairs --pairs 3 --rate 200 --warm-up 0 --duration 0.5 --receipts"] {
        let report = run(Fault::None, command).await.unwrap();
        assert_eq!(report["ok"], true, "{report:#}");
        let count = |pointer: &str| report.pointer(pointer).unwrap().as_u64().unwrap();
        let all = count("/sent_latency/count");
        assert_eq!(all, count("/delivered_latency/count"), "{report:#}");
        assert!((1..=all).contains(&count("/messages")), "{report:#}");
        assert_eq!(report["server"], Value::Null);
    }
    let report = run(Fault::None, "group --members 5 --senders 2 --warm-up 0 --duration 0.5").await.unwrap();
    assert_eq!(report["ok"], true, "{report:#}");
    // Each message is heard by all but its sender; at the edges of the window some are under way.
    let (messages, deliveries) = (report["messages"].as_f64().unwrap(), report["deliveries"].as_f64().unwrap());
    assert!((deliveries / messages - 4.0).abs() < 0.5, "{report:#}");
    let channel = "channel --members 9 --connected 4 --rate 50 --warm-up 0 --duration 0.5";
    let report = run(Fault::None, channel).await.unwrap();
    assert_eq!(report["ok"], true, "{report:#}");
    assert!(report["last_latency"]["count"].as_u64() > Some(0), "{report:#}");
}

#[tokio::test(flavor = "local")]
async fn sends_are_timed_alone_and_beside_each_attack() {
    let report = run(Fault::None, "neighbour --rate 50 --duration 0.1 --attackers 1").await.unwrap();
    assert_eq!(report["ok"], true, "{report:#}");
    let attacks = report["attacks"].as_object().unwrap();
    assert_eq!(attacks.len(), 5, "{report:#}");
    for (attack, times) in attacks {
        assert_eq!((&times["quiet"]["count"], &times["attacked"]["count"]), (&10.into(), &5.into()), "{attack}");
    }
    assert!(report["worst_p50_ratio"].as_f64() > Some(0.0), "{report:#}");
    run(Fault::Refuse(3), "neighbour --rate 50 --duration 0.1 --attackers 1").await.unwrap_err();
}

#[tokio::test(flavor = "local")]
async fn each_fault_is_found_and_named() {
    for (fault, name) in [
        (Fault::Lose(20), "missing"),
        (Fault::Double(20), "doubled"),
        (Fault::Swap(20), "out_of_order"),
        (Fault::Close(20), "unanswered"),
    ] {
        let report = run(fault, PAIRS).await.unwrap();
        assert_eq!(report["ok"], false, "{fault:?} was not found");
        assert!(report["check"][name].as_u64() > Some(0), "{fault:?}: {report:#}");
    }
    let report = run(Fault::Close(20), PAIRS).await.unwrap();
    assert_eq!(report["check"]["closed"]["4103"], 3, "{report:#}");
}

#[tokio::test(flavor = "local")]
async fn a_refused_send_is_counted_and_is_no_loss() {
    let report = run(Fault::Refuse(5), PAIRS).await.unwrap();
    assert_eq!(report["ok"], true, "{report:#}");
    assert!(report["refused"]["overloaded"].as_u64() > Some(0), "{report:#}");
}

#[tokio::test(flavor = "local")]
async fn idle_connections_ping_and_are_counted() {
    let pid = std::process::id();
    let times = "--settle 0.1 --window 0.4 --leave 0.1 --heartbeat 50";
    let report = run(Fault::None, &format!("idle --connections 5 {times} --server-pid {pid}")).await.unwrap();
    assert_eq!(report["ok"], true, "{report:#}");
    assert!(report["pongs"].as_u64() > Some(5), "{report:#}");
}

#[tokio::test(flavor = "local")]
async fn devices_that_come_back_get_what_they_lack() {
    let storm = "storm --devices 12 --conversations 3 --members 4 --messages 5 --restart-cmd true";
    let report = run(Fault::None, storm).await.unwrap();
    assert_eq!(report["ok"], true, "{report:#}");
    assert_eq!(report["conversations"], 9);
    assert_eq!(report["missed_entries"], 9 * 5 * 4);
    let error = run(Fault::None, &storm.replace("cmd true", "cmd false")).await.unwrap_err().to_string();
    assert!(error.contains("restart"), "{error}");
}

#[tokio::test(flavor = "local")]
async fn history_is_filled_weighed_and_read() {
    let dir = tempfile::tempdir().unwrap();
    let command = "history --conversations 3 --fill 600 --window 4 --duration 0.3 --data-dir";
    let report = run(Fault::None, &format!("{command} {}", dir.path().display())).await.unwrap();
    assert_eq!(report["ok"], true, "{report:#}");
    assert_eq!((report["filled"].as_u64(), report["stored"].as_u64()), (Some(600), Some(603)));
    assert_eq!(report["disk"]["settled"], true);
    assert!(report["pages"].as_u64() > Some(0));
    let limited = "history --conversations 2 --fill 10000000 --fill-limit 0.2 --duration 0.1";
    let report = run(Fault::None, limited).await.unwrap();
    assert!(report["filled"].as_u64() < Some(10_000_000), "{report:#}");
    // What is refused is not missing afterwards.
    let report = run(Fault::Refuse(5), "history --conversations 2 --fill 200 --duration 0.1").await.unwrap();
    assert_eq!(report["filled"], 200, "{report:#}");
}

#[tokio::test(flavor = "local")]
async fn searches_of_few_and_of_many_are_timed() {
    let command = "search --conversations 2 --fill 40 --many 5 --searches 3 --searches-of-many 2";
    let report = run(Fault::None, command).await.unwrap();
    assert_eq!((&report["ok"], report["filled"].as_u64()), (&true.into(), Some(40)), "{report:#}");
    for (pointer, count) in [("/few/known", 3), ("/few/unknown", 3), ("/many/known", 2), ("/many/unknown", 2)] {
        assert_eq!(report.pointer(pointer).unwrap()["count"].as_u64(), Some(count), "{report:#}");
    }
    assert_eq!(report["many"]["conversations"], 5);
}

#[tokio::test(flavor = "local")]
async fn the_rate_that_is_carried_is_found_by_halves() {
    let command = "sustain --pairs 2 --below 400 --steps 3 --warm-up 0 --duration 1 --drain 0.3 --within-ms 1000";
    let report = run(Fault::None, command).await.unwrap();
    assert_eq!(report["sustained_per_s"], 350.0, "{report:#}");
    // A step may have been made again, on a machine whose host was busy.
    let mut rates: Vec<_> = report["steps"].as_array().unwrap().iter().map(|step| step["rate"].as_f64()).collect();
    rates.dedup();
    assert_eq!(rates, [Some(200.0), Some(300.0), Some(350.0)]);
    for fault in [Fault::Refuse(2), Fault::Shed] {
        let report = run(fault, command).await.unwrap();
        assert_eq!((&report["ok"], &report["sustained_per_s"]), (&false.into(), &0.0.into()), "{report:#}");
    }
}

#[tokio::test(flavor = "local")]
async fn an_overload_tells_all_of_it() {
    let command = "overload --pairs 2 --rate 400 --warm-up 0 --duration 0.5 --drain 0.5";
    let report = run(Fault::Refuse(2), command).await.unwrap();
    assert_eq!(report["ok"], true, "{report:#}");
    let share = report["refused_share"].as_f64().unwrap();
    assert!((share - 0.5).abs() < 0.1, "{report:#}");
    assert_eq!(report["offered"], 200);
    assert_eq!(report["degraded_seen"], false);
    assert!(report["accepted_p99_ms"].is_f64());
    let deaf = "overload --pairs 2 --rate 20000 --text 10000 --warm-up 0 --duration 0.5 --drain 0.2";
    let report = run(Fault::Deaf, deaf).await.unwrap();
    assert_eq!((&report["ok"], &report["accepted"]), (&false.into(), &0.into()));
    assert!(report["held_back"].as_u64() > Some(0), "what a deaf server does not take is held back: {report:#}");
    assert!(report["check"]["unanswered"].as_u64() > Some(0), "{report:#}");
    let report = run(Fault::Lose(20), command).await.unwrap();
    assert_eq!((&report["ok"], &report["order_kept"]), (&false.into(), &false.into()));
}

#[tokio::test(flavor = "local")]
async fn what_cannot_be_measured_is_refused() {
    for (command, why) in [
        ("idle --connections 5", "--server-pid"),
        ("idle --connections 5 --server-pid 4294967295", "/proc/4294967295"),
        ("pairs --pairs 5", "cannot connect"),
        ("group --members 2 --senders 3", "sender"),
        ("pairs --pairs 1 --window 0", "window"),
    ] {
        let words = format!("kith-load {command} --server 127.0.0.1:1");
        let words = if command.contains("window 0") {
            words.replace("127.0.0.1:1", &peer::start(Fault::None).await.to_string())
        } else {
            words
        };
        let error = crate::run(&Cli::parse_from(words.split(' ')).command).await.unwrap_err().to_string();
        assert!(error.contains(why), "{command}: {error}");
    }
}
