//! The examples of RFC 6455, and one for each of its rules.

use std::borrow::Cow;

use super::*;

const MAX: usize = 64 * 1024;
/// The mask of the examples in section 5.7.
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// A client's frame, its length in the shortest form.
fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = text_frame(payload).to_vec();
    let header = frame.len() - payload.len();
    frame[0] = first;
    frame[1] |= 0x80;
    frame.splice(header..header, MASK);
    frame.iter_mut().skip(header + 4).zip(MASK.iter().cycle()).for_each(|(byte, key)| *byte ^= key);
    frame
}

fn frame_of(buffer: &mut [u8]) -> Frame {
    match decode(buffer, MAX) {
        Ok(Decoded::Frame(frame)) => frame,
        other => panic!("no frame: {other:?}"),
    }
}

/// Decodes frames into the messages that a connection hears.
fn hear(frames: &[Vec<u8>]) -> Result<Vec<String>, Violation> {
    let mut buffer = frames.concat();
    let mut rest = &mut buffer[..];
    let mut assembler = Assembler::default();
    let mut heard = Vec::new();
    while let Decoded::Frame(frame) = decode(rest, assembler.room(MAX))? {
        let (this, next) = std::mem::take(&mut rest).split_at_mut(frame.consumed);
        heard.extend(assembler.take(&frame, &this[frame.payload.clone()], MAX)?.map(|event| format!("{event:?}")));
        rest = next;
    }
    assert!(rest.is_empty() && assembler.is_idle(), "nothing stays behind");
    Ok(heard)
}

#[test]
fn a_masked_text_lies_in_the_buffer() {
    let mut buffer = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58, 0x81];
    let frame = frame_of(&mut buffer);
    assert_eq!(frame, Frame { kind: Kind::Text, fin: true, payload: 6..11, consumed: 11 });
    let event = Assembler::default().take(&frame, &buffer[6..11], MAX).unwrap();
    assert!(matches!(event, Some(Event::Text(Cow::Borrowed("Hello")))), "{event:?}");
}

#[test]
fn a_ping_between_the_fragments_of_a_text_comes_first() {
    let frames = [masked(0x01, b"Hel"), masked(0x89, b"?"), masked(0x00, b""), masked(0x8a, b""), masked(0x80, b"lo")];
    assert_eq!(hear(&frames).unwrap(), ["Ping([63])", "Pong", "Text(\"Hello\")"]);
}

#[test]
fn a_masked_pong_of_the_rfc_is_a_pong() {
    let frame = frame_of(&mut [0x8a, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58]);
    assert_eq!((frame.kind, frame.payload), (Kind::Pong, 6..11));
}

#[test]
fn every_beginning_of_a_frame_is_incomplete_and_untouched() {
    for length in [0, 1, 125, 126, 65_535, 65_536] {
        let whole = masked(0x81, &vec![b'a'; length]);
        let header = whole.len() - length;
        for have in (0..whole.len()).filter(|&have| have < header + 3 || have + 3 > whole.len()) {
            let mut part = whole[..have].to_vec();
            let Ok(Decoded::Incomplete { need }) = decode(&mut part, MAX) else {
                panic!("{have} of {} bytes", whole.len());
            };
            assert!(have < need && need <= whole.len(), "{have} of {}: {need}", whole.len());
            assert!(have < header || need == whole.len(), "with the header it is exact");
            assert_eq!(part, whole[..have]);
        }
        assert_eq!(frame_of(&mut whole.clone()).consumed, whole.len());
    }
}

#[test]
fn what_breaks_a_rule_is_refused() {
    let long_text = masked(0x01, &vec![b'a'; MAX]);
    let cases: [(&str, &[&[u8]], Violation); 22] = [
        ("unmasked", &[b"\x81\x05Hello"], Violation::Unmasked),
        ("unmasked, from its second byte", &[b"\x81\x7f"], Violation::Unmasked),
        ("RSV1", &[b"\xc1"], Violation::Reserved),
        ("RSV2", &[b"\xa1"], Violation::Reserved),
        ("RSV3", &[b"\x91"], Violation::Reserved),
        ("opcode 3", &[b"\x83"], Violation::Opcode),
        ("opcode 11", &[b"\x8b"], Violation::Opcode),
        ("binary", &[b"\x82"], Violation::Binary),
        ("a ping of 126 bytes", &[b"\x89\xfe"], Violation::Control),
        ("a fragmented ping", &[b"\x09\x80"], Violation::Control),
        ("125 in two bytes", &[b"\x81\xfe\x00\x7d----"], Violation::Length),
        ("65535 in eight bytes", &[b"\x81\xff\0\0\0\0\0\0\xff\xff----"], Violation::Length),
        ("64 bits", &[b"\x81\xff\x80\0\0\0\0\0\0\0----"], Violation::Length),
        ("too big, from its header", &[b"\x81\xff\0\0\0\0\0\x01\0\x01----"], Violation::TooBig),
        ("as big as it gets", &[b"\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff----"], Violation::TooBig),
        ("too big together, from its header", &[&long_text, b"\x00\x81----"], Violation::TooBig),
        ("a continuation of nothing", &[&masked(0x80, b"a")], Violation::Sequence),
        ("a text within a text", &[&masked(0x01, b"a"), &masked(0x81, b"b")], Violation::Sequence),
        ("not UTF-8", &[&masked(0x81, b"\xce\xba\xed\xa0\x80")], Violation::NotUtf8),
        ("half a close code", &[&masked(0x88, b"\x03")], Violation::Close),
        ("a close code that is never sent", &[&masked(0x88, b"\x03\xed")], Violation::Close),
        ("a close reason that is not UTF-8", &[&masked(0x88, b"\x03\xe8\xff")], Violation::Close),
    ];
    for (what, frames, violation) in cases {
        let frames: Vec<_> = frames.iter().map(|frame| frame.to_vec()).collect();
        assert_eq!(hear(&frames), Err(violation), "{what}");
    }
}

#[test]
fn full_room_still_lets_a_ping_through() {
    let frames = [masked(0x01, &vec![b'a'; MAX]), masked(0x89, &[b'b'; 125]), masked(0x80, b"")];
    assert_eq!(hear(&frames).unwrap().len(), 2);
}

#[test]
fn our_own_codes_tell_a_broken_protocol_from_an_unreadable_frame() {
    assert_eq!(Violation::TooBig.close_code() as u16, 4002);
    assert_eq!(Violation::Binary.close_code() as u16, 4002);
    assert_eq!(Violation::NotUtf8.close_code() as u16, 4002);
    assert_eq!(Violation::Unmasked.close_code() as u16, 1002);
}

#[test]
fn a_client_leaves_with_and_without_a_word() {
    let close = |payload: &[u8]| hear(&[masked(0x88, payload)]).unwrap().concat();
    assert_eq!(close(b""), "Close(None)");
    assert_eq!(close(b"\x03\xe8"), "Close(Some(Close { code: 1000, reason: \"\" }))");
    assert_eq!(close(b"\x0f\xa0so long"), "Close(Some(Close { code: 4000, reason: \"so long\" }))");
}

#[test]
fn the_servers_frames_are_those_of_the_rfc() {
    assert_eq!(text_frame(b"Hello")[..], *b"\x81\x05Hello");
    assert_eq!(ping_frame(b"Hello")[..], *b"\x89\x05Hello");
    assert_eq!(pong_frame(b"Hello")[..], *b"\x8a\x05Hello");
    assert_eq!(text_frame(&[b'a'; 256])[..4], *b"\x81\x7e\x01\x00");
    assert_eq!(text_frame(&[b'a'; 65_536])[..10], *b"\x81\x7f\0\0\0\0\0\x01\0\0");
    assert_eq!(close_frame(1000, "")[..], *b"\x88\x02\x03\xe8");
    assert_eq!(close_frame(4004, "bad token")[..], *b"\x88\x0b\x0f\xa4bad token");
}

#[test]
fn a_long_reason_is_cut_between_characters() {
    let frame = close_frame(4000, &"\u{20ac}".repeat(50));
    assert_eq!(frame.len(), 2 + 2 + 41 * 3);
    assert_eq!(std::str::from_utf8(&frame[4..]), Ok(&*"\u{20ac}".repeat(41)));
}

#[test]
fn frames_stand_back_to_back_in_one_buffer() {
    let mut buffer = Vec::new();
    let mut expected = Vec::new();
    for length in [0, 1, 125, 126, 127, 65_535, 65_536, 70_000, 3] {
        let payload: Vec<u8> = (0..length).map(|at| b'a' + (at % 26) as u8).collect();
        let mark = Mark::begin_text(&mut buffer);
        buffer.extend_from_slice(&payload);
        mark.finish(&mut buffer);
        expected.extend_from_slice(&text_frame(&payload));
        assert_eq!(buffer, expected, "after {length} bytes");

        let mark = Mark::begin_text(&mut buffer);
        buffer.extend_from_slice(b"half a mess");
        mark.abandon(&mut buffer);
        assert_eq!(buffer, expected);
    }
}
